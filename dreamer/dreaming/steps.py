"""Steps of a dream: a photo is climbed at each of its octaves, small to large.

The one idea: what was dreamt at one size is carried to the next, as detail over the photo itself (``ascent`` takes the
steps). It prints and writes nothing.

Must not import: files, the command line.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dreamer import targets
from dreamer.arrays import FloatArray, Size, StoredArray, fitted, greyscale, resize_stored
from dreamer.ascent import octaves
from dreamer.dreaming.ascent import Ascent
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import ModelError
from dreamer.mask_kinds import is_kind

PREVIEW_SIDE = 400
"""Pixels; a preview ends with the last octave whose longer side is no longer."""


@dataclasses.dataclass(eq=False)
class _Canvas:
    """Where a step's picture is to be found, which may change to another of the same dream."""

    picture: Callable[[], FloatArray]


@dataclasses.dataclass(frozen=True, eq=False)
class DreamStep:
    """One finished step of a dream.

    Attributes:
        octave: Index of the octave, from 0.
        num_octaves: How many octaves there are.
        step: Index of the step within the octave, from 0.
        num_steps: How many steps each octave has.
        size: ``(height, width)`` of this octave.
        score: What the objective gave just before this step.
        progress: Share of all the work that is done, in (0, 1].
        pictured: Index of the step after which :meth:`render` shows the picture: this step, or on a
            device, where several run in one program, the last of those.
    """

    octave: int
    num_octaves: int
    step: int
    num_steps: int
    size: Size
    score: float
    progress: float
    pictured: int
    _canvas: _Canvas = dataclasses.field(repr=False)
    _source: StoredArray = dataclasses.field(repr=False)
    _full: Size = dataclasses.field(repr=False)
    _finish: Finish = dataclasses.field(repr=False)

    @property
    def ends_octave(self) -> bool:
        """Whether it is the last of its octave."""
        return self.step + 1 == self.num_steps

    @property
    def is_last(self) -> bool:
        """Whether the dream is finished with it."""
        return self.ends_octave and self.octave + 1 == self.num_octaves

    def render(self, dtype: DTypeLike = np.float32, *, size: Size | None = None) -> StoredArray:
        """The dream as it stands; to be asked for before the next step but one.

        Args:
            dtype: float32 for values in [0, 1]; uint8 or uint16 for rounded levels, which take a quarter or a half
                of the memory.
            size: ``(height, width)``; None for the size of the whole dream.

        Returns:
            A new array ``(height, width, 3)``, the photo sharp beneath what was dreamt so far.
        """
        return self._finish(*self._layers(size or self._full), dtype)

    def finished(self, settings: DreamSettings) -> FloatArray:
        """The same as :meth:`render`, but finished as other settings say: in [0, 1], at its full size."""
        mask = None if settings.mask is None else self._finish.mask
        return Finish(settings, mask, self._source)(*self._layers(self._full))

    def _layers(self, size: Size) -> tuple[FloatArray, StoredArray]:
        """The dream and the photo at a size."""
        picture = self._canvas.picture()
        dream = picture if picture.shape[:2] == size else octaves.carry(picture, self._source, size)
        return dream, resize_stored(self._source, size)


def planned_steps(
    plan: DreamPlan,
    picture: StoredArray,
    *,
    note: Callable[[str], None],
    stay_on_device: bool | None = None,
    preview: bool = False,
    finish: Finish | None = None,
    mask: NDArray[np.uint8] | None = None,
) -> Iterator[DreamStep]:
    """Dream a photo step by step.

    Args:
        plan: What to do.
        picture: ``(height, width, 3)`` RGB: float32 in [0, 1], or uint8 or uint16 levels; left as it is.
        note: Told in a line what the dream does otherwise than it was told, as when memory runs out.
        stay_on_device: Whether the picture stays where it is computed, several steps to a program, or
            comes back to the host after each; None for what is quicker.
        preview: Take only the first octaves of the dream, as :func:`octave_sizes` says.
        finish: What makes the shown picture, and confines the climb to its mask; None for what the settings say.
        mask: As :func:`made_mask` gives it, where it is known already.

    Yields:
        Each step once it is finished. Stopping early loses nothing: the last step can be rendered.

    Raises:
        SettingsError, ModelError: As for :func:`dreamer.dream`, when the first step is asked for.
    """
    settings = plan.settings
    ascent = Ascent(plan, note=note, stay_on_device=stay_on_device)
    source = resize_stored(picture, output_size((picture.shape[0], picture.shape[1]), settings))
    if plan.network.is_grey:
        source = greyscale(source)
    sizes = octave_sizes(picture, settings, preview=preview)
    finish = finish or Finish(settings, made_mask(settings, source) if mask is None else mask, source)
    for octave_size in sizes:
        ascent.check(octave_size)
    work = sum(height * width for height, width in sizes) * settings.steps
    done = 0
    dreamt = octaves.begin(source, sizes[0])
    canvas = _Canvas(partial(np.asarray, dreamt))
    for octave, octave_size in enumerate(sizes):
        if octave > 0:
            dreamt = octaves.carry(dreamt, source, octave_size)
            if finish.is_masked:
                finish.confine(dreamt, resize_stored(source, octave_size))
        if octave_size == sizes[-1] and not finish.is_masked:
            # What the step before would render, so its own, smaller picture is not kept until the next step is done.
            canvas.picture = partial(np.asarray, dreamt)
        photo = None if plan.prior is None else octaves.begin(source, octave_size)
        for step in ascent.steps(dreamt, octave, photo):
            if not math.isfinite(step.score):
                more_bits = "" if settings.precision == "float32" else ", or compute it with --precision float32"
                raise ModelError(f"{targets.no_number(plan.objective, settings.model)}{more_bits}")
            canvas = _Canvas(step.picture)
            done += octave_size[0] * octave_size[1]
            yield DreamStep(
                octave=octave,
                num_octaves=len(sizes),
                step=step.index,
                num_steps=settings.steps,
                size=octave_size,
                score=step.score,
                progress=done / work,
                pictured=step.pictured,
                _canvas=canvas,
                _source=source,
                _full=sizes[-1],
                _finish=finish,
            )
        dreamt = step.picture()
        del step  # It would keep its picture through the next octave.


def made_mask(settings: DreamSettings, photo: StoredArray) -> NDArray[np.uint8] | None:
    """The mask that is made from the photo, where the settings name a kind of mask and no file.

    Args:
        settings: Of the dream.
        photo: ``(height, width, 3)`` RGB as it is stored.

    Returns:
        ``(height, width)``: 255 where to dream, not inverted; None where no kind is named.

    Raises:
        SettingsError: Nothing of the kind is found.
    """
    if settings.mask is None or not is_kind(settings.mask):
        return None
    from dreamer.masking.calls import levels_of

    return levels_of(photo, settings.mask)


def output_size(size: Size, settings: DreamSettings) -> Size:
    """The ``(height, width)`` of the dream of a picture of some size: the same, or what ``max_size`` allows."""
    return size if settings.max_size is None else fitted(size, settings.max_size)


def octave_sizes(picture: StoredArray, settings: DreamSettings, *, preview: bool = False) -> list[Size]:
    """The ``(height, width)`` of each octave of a dream, smallest first; the last is that of the dream.

    Args:
        picture: The photo.
        settings: Of the dream.
        preview: Leave out the octaves whose longer side has over ``PREVIEW_SIDE`` pixels. What is left is the
            beginning of the very dream, so it is composed alike. Where none is left, it is the first, made smaller.
    """
    size = output_size((picture.shape[0], picture.shape[1]), settings)
    sizes = octaves.sizes(size, octaves=settings.octaves, octave_scale=settings.octave_scale)
    if not preview:
        return sizes
    return [size for size in sizes if max(size) <= PREVIEW_SIDE] or [fitted(sizes[0], PREVIEW_SIDE)]
