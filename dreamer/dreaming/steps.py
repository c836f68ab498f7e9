"""Steps of a dream: a photo is climbed at each of its octaves, small to large.

The one idea: what was dreamt at one size is carried to the next, as detail over the photo itself (``ascent`` takes the
steps). It prints and writes nothing.

Must not import: files, the command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dreamer import wrapping
from dreamer.arrays import FloatArray, Size, StoredArray, fitted, greyscale, resize_stored
from dreamer.ascent import octaves
from dreamer.dreaming.ascent import Ascent
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.masks import Masks, PhotoMasks
from dreamer.dreaming.mixing import MixedAscent, MixedFinish, finish_of
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.sizes import output_size

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
    _wraps: bool = dataclasses.field(default=False, repr=False)

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
        return self._finish.told(settings)(*self._layers(self._full))

    def _layers(self, size: Size) -> tuple[FloatArray, StoredArray]:
        """The dream and the photo at a size."""
        picture = self._canvas.picture()
        dream = picture if picture.shape[:2] == size else octaves.carry(picture, self._source, size, wraps=self._wraps)
        return dream, resize_stored(self._source, size)


def planned_steps(
    plan: DreamPlan,
    picture: StoredArray,
    *,
    note: Callable[[str], None],
    stay_on_device: bool | None = None,
    preview: bool = False,
    finish: Finish | None = None,
    masks: Masks | None = None,
    held: NDArray[np.uint8] | None = None,
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
        masks: As for :class:`Finish`; None for those of the whole picture.
        held: ``(height, width)`` of any size: how much is kept of what is dreamt in each place; None for all of it.

    Yields:
        Each step once it is finished. Stopping early loses nothing: the last step can be rendered.

    Raises:
        SettingsError, ModelError: As for :func:`dreamer.dream`, when the first step is asked for.
    """
    settings = plan.settings
    source = resize_stored(picture, output_size((picture.shape[0], picture.shape[1]), settings))
    if settings.tileable:
        source = wrapping.periodic(source)
    if plan.is_grey:
        source = greyscale(source)
    sizes = octave_sizes(picture, settings, preview=preview)
    finish = finish or finish_of(settings, source, masks=masks or PhotoMasks(source), held=held)
    ascent = _ascent(plan, finish, note=note, stay_on_device=stay_on_device)
    num_steps = max(part.steps for part in settings.parts)
    for octave_size in sizes:
        ascent.check(octave_size)
    work = sum(height * width for height, width in sizes) * num_steps
    done = 0
    dreamt = octaves.begin(source, sizes[0])
    canvas = _Canvas(partial(np.asarray, dreamt))
    for octave, octave_size in enumerate(sizes):
        if octave > 0:
            dreamt = octaves.carry(dreamt, source, octave_size, wraps=settings.tileable)
            if finish.is_masked:
                finish.confine(dreamt, resize_stored(source, octave_size))
        if octave_size == sizes[-1] and not finish.is_masked:
            # What the step before would render, so its own, smaller picture is not kept until the next step is done.
            canvas.picture = partial(np.asarray, dreamt)
        photo = octaves.begin(source, octave_size) if plan.has_prior else None
        for step in ascent.steps(dreamt, octave, photo):
            canvas = _Canvas(step.picture)
            done += octave_size[0] * octave_size[1]
            yield DreamStep(
                octave=octave,
                num_octaves=len(sizes),
                step=step.index,
                num_steps=num_steps,
                size=octave_size,
                score=step.score,
                progress=done / work,
                pictured=step.pictured,
                _canvas=canvas,
                _source=source,
                _full=sizes[-1],
                _finish=finish,
                _wraps=settings.tileable,
            )
        dreamt = step.picture()
        del step  # It would keep its picture through the next octave.


def _ascent(
    plan: DreamPlan, finish: Finish, *, note: Callable[[str], None], stay_on_device: bool | None
) -> Ascent | MixedAscent:
    """What climbs: of a dream with looks, all of them together."""
    if plan.looks and isinstance(finish, MixedFinish):
        return MixedAscent(plan, finish.shares, note=note, stay_on_device=stay_on_device)
    return Ascent(plan, note=note, stay_on_device=stay_on_device)


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
