"""The recipe: photo -> dream.

The one idea: a photo is climbed at each of its octaves, small to large, and what was dreamt is carried
from one to the next (``climbing`` takes the steps). It prints and writes nothing.

(The module is not called ``dream``, because importing it would then hide the function
``dreamer.dream`` behind the module of the same name.)
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dreamer import images, targets
from dreamer.arrays import FloatArray, Size, StoredArray, check_levels, fitted, greyscale, resize_stored
from dreamer.ascent import octaves
from dreamer.backends import precision
from dreamer.dreaming.ascent import Ascent
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import ImageReadError, ModelError
from dreamer.memory import DREAM_BYTES
from dreamer.models import registry
from dreamer.objectives import layer

if TYPE_CHECKING:
    from PIL import Image

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
        return Finish(settings)(*self._layers(self._full))

    def _layers(self, size: Size) -> tuple[FloatArray, StoredArray]:
        """The dream and the photo at a size."""
        picture = self._canvas.picture()
        dream = picture if picture.shape[:2] == size else octaves.carry(picture, self._source, size)
        return dream, resize_stored(self._source, size)


def dream(
    picture: str | Path | Image.Image | np.ndarray,
    settings: DreamSettings | None = None,
    *,
    on_step: Callable[[DreamStep], None] | None = None,
    **keywords: Any,
) -> FloatArray:
    """Dream a photo.

    Args:
        picture: A path, a Pillow image, or an array ``(height, width, 3)`` of RGB: float in [0, 1],
            or uint8. Of a file or image only the colours come back; to keep alpha and metadata, use
            ``dreamer.images.read`` and ``write`` around this function, as the command line does.
        settings: What to do; by default the defaults of :class:`DreamSettings`.
        on_step: Called after every step. What it raises ends the dream.
        **keywords: Fields of :class:`DreamSettings`, in place of ``settings`` or on top of them.

    Returns:
        float32 ``(height, width, 3)`` RGB in [0, 1]; as large as the picture, or as ``max_size`` allows.
        Grey, if the network sees brightness only.

    Raises:
        ImageReadError: The picture cannot be read, or the array has another shape or range.
        SettingsError: A setting is impossible or unknown.
        ModelError: The network, a layer or the weights are not there.

    Example:
        >>> import dreamer
        >>> result = dreamer.dream("samples/rocket.jpg", octaves=3, seed=7)  # doctest: +SKIP
        >>> result.shape, result.dtype  # doctest: +SKIP
        ((427, 640, 3), dtype('float32'))
    """
    settings = DreamSettings.merged(settings, keywords)
    for step in dream_steps(_pixels(picture, settings), settings):
        if on_step is not None:
            on_step(step)
    return step.render()


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=2)


def dream_steps(
    picture: StoredArray,
    settings: DreamSettings,
    *,
    note: Callable[[str], None] = _warn,
    stay_on_device: bool | None = None,
    preview: bool = False,
) -> Iterator[DreamStep]:
    """Dream a photo step by step.

    Args:
        picture: ``(height, width, 3)`` RGB: float32 in [0, 1], or uint8 or uint16 levels; left as it is.
        settings: What to do.
        note: Told in a line what the dream does otherwise than it was told, as when memory runs out;
            by default it becomes a warning.
        stay_on_device: Whether the picture stays where it is computed, several steps to a program, or
            comes back to the host after each; None for what is quicker.
        preview: Take only the first octaves of the dream, as :func:`octave_sizes` says.

    Yields:
        Each step once it is finished. Stopping early loses nothing: the last step can be rendered.

    Raises:
        SettingsError, ModelError: As for :func:`dream`, when the first step is asked for.
    """
    settings = resolved(settings)
    ascent = Ascent.of(settings, note=note, stay_on_device=stay_on_device)
    source = resize_stored(picture, output_size(picture, settings))
    if ascent.network.is_grey:
        source = greyscale(source)
    sizes = octave_sizes(picture, settings, preview=preview)
    finish = Finish(settings)
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
        for step in ascent.steps(dreamt, octave):
            if not math.isfinite(step.score):
                more_bits = "" if settings.precision == "float32" else ", or compute it with --precision float32"
                raise ModelError(f"{targets.no_number(settings.objective, settings.model)}{more_bits}")
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


def resolved(settings: DreamSettings) -> DreamSettings:
    """Fill in what settings leave to the network and the hardware: objective and precision. Loads the network.

    Raises:
        ModelError: There is no such network, no such layer, channel or class of it, or its weights cannot be had.
    """
    network = registry.load(settings.model, settings.preprocessing)
    objective = settings.objective or layer(network.default_layer)
    chosen = precision.choose(settings.precision, network.spec.low_precisions, settings.model)
    return dataclasses.replace(settings, objective=objective, precision=chosen.name)


def output_size(picture: StoredArray, settings: DreamSettings) -> Size:
    """The ``(height, width)`` of the dream of a picture: its own, or what ``max_size`` allows."""
    size = (picture.shape[0], picture.shape[1])
    return size if settings.max_size is None else fitted(size, settings.max_size)


def octave_sizes(picture: StoredArray, settings: DreamSettings, *, preview: bool = False) -> list[Size]:
    """The ``(height, width)`` of each octave of a dream, smallest first; the last is that of the dream.

    Args:
        picture: The photo.
        settings: Of the dream.
        preview: Leave out the octaves whose longer side has over ``PREVIEW_SIDE`` pixels. What is left is the
            beginning of the very dream, so it is composed alike. Where none is left, it is the first, made smaller.
    """
    sizes = octaves.sizes(output_size(picture, settings), octaves=settings.octaves, octave_scale=settings.octave_scale)
    if not preview:
        return sizes
    return [size for size in sizes if max(size) <= PREVIEW_SIDE] or [fitted(sizes[0], PREVIEW_SIDE)]


def _pixels(picture: str | Path | Image.Image | np.ndarray, settings: DreamSettings) -> StoredArray:
    if isinstance(picture, str | Path):
        return images.read(Path(picture), max_side=settings.max_size, work_bytes=DREAM_BYTES, compact=True).pixels
    if not isinstance(picture, np.ndarray):
        return images.from_pil(picture, compact=True).pixels
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ImageReadError(f"the array has shape {picture.shape}; expected (height, width, 3)")
    check_levels(picture)
    return picture if picture.dtype == np.uint8 else np.ascontiguousarray(picture, np.float32)
