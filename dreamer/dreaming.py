"""The recipe: photo -> dream.

The one place where networks and ascent meet. It composes the score of a network's activations, the
compiled gradient of that score over tiles, and the octaves that the gradient is climbed at. It
prints and writes nothing.

(The module is not called ``dream``, because importing it would then hide the function
``dreamer.dream`` behind the module of the same name.)
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache, partial, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dreamer import images
from dreamer.arrays import FloatArray, Size, StoredArray, as_float, as_stored, greyscale, resize_stored, strips
from dreamer.ascent import backend, gradients, objectives, octaves, on_device, precision, transforms
from dreamer.ascent.backend import Activations, Tensor, TileGradient
from dreamer.ascent.loop import Step, ascend, ascend_on_device
from dreamer.ascent.tiling import Tiling, batch_for, tiled
from dreamer.errors import DeviceMemoryError, ImageReadError, ModelError
from dreamer.models import registry
from dreamer.settings import DreamSettings, Target

if TYPE_CHECKING:
    from PIL import Image

    from dreamer.models.vision_model import VisionModel

_CONDITIONINGS: dict[str, gradients.Conditioning] = {
    "none": gradients.chain(),
    "smooth": gradients.smooth,
    "laplacian": gradients.laplacian(),
}


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
    _strength: float = dataclasses.field(repr=False)

    def render(self, dtype: DTypeLike = np.float32) -> StoredArray:
        """The dream as it stands, at its full size; to be asked for before the next step but one.

        Args:
            dtype: float32 for values in [0, 1]; uint8 or uint16 for rounded levels, which take a quarter or a half
                of the memory.

        Returns:
            A new array ``(height, width, 3)``, the photo sharp beneath what was dreamt so far.
        """
        picture, source = self._canvas.picture(), self._source
        size = (source.shape[0], source.shape[1])
        full = picture if picture.shape[:2] == size else octaves.carry(picture, source, size)
        out = np.empty(full.shape, dtype)
        for rows in strips(size[0]):
            strip = full[rows]
            if self._strength < 1:
                photo = as_float(source[rows])
                strip = photo + np.float32(self._strength) * (strip - photo)
            out[rows] = as_stored(strip, dtype)
        return out


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
    for step in dream_steps(_pixels(picture), _merge(settings, keywords)):
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
) -> Iterator[DreamStep]:
    """Dream a photo step by step.

    Args:
        picture: ``(height, width, 3)`` RGB: float32 in [0, 1], or uint8 or uint16 levels; left as it is.
        settings: What to do.
        note: Told in a line what the dream does otherwise than it was told, as when memory runs out;
            by default it becomes a warning.
        stay_on_device: Whether the picture stays where it is computed, several steps to a program, or
            comes back to the host after each; None for what is quicker.

    Yields:
        Each step once it is finished. Stopping early loses nothing: the last step can be rendered.

    Raises:
        SettingsError, ModelError: As for :func:`dream`, when the first step is asked for.
    """
    settings = resolved(settings)
    ascent = _Ascent.of(settings, note=note, stay_on_device=stay_on_device)
    source = resize_stored(picture, output_size(picture, settings))
    if ascent.network.is_grey:
        source = greyscale(source)
    size = (source.shape[0], source.shape[1])
    sizes = octaves.sizes(size, octaves=settings.octaves, octave_scale=settings.octave_scale)
    work = sum(height * width for height, width in sizes) * settings.steps
    done = 0
    dreamt = octaves.begin(source, sizes[0])
    canvas = _Canvas(partial(np.asarray, dreamt))
    for octave, octave_size in enumerate(sizes):
        if octave > 0:
            dreamt = octaves.carry(dreamt, source, octave_size)
        if octave_size == size:
            # What the step before would render, so its own, smaller picture is not kept until the next step is done.
            canvas.picture = partial(np.asarray, dreamt)
        for step in ascent.steps(dreamt, octave):
            if not math.isfinite(step.score):
                more_bits = "" if settings.precision == "float32" else ", or compute it with --precision float32"
                raise ModelError(
                    f"{settings.model} answers with something that is no number, so there is nothing to climb; "
                    f"look at its weights and its preprocessing{more_bits}"
                )
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
                _strength=settings.strength,
            )
        dreamt = step.picture()
        del step  # It would keep its picture through the next octave.


class _Ascent:
    """The climb of one dream: on the device where that is quicker and fits, on the host otherwise."""

    def __init__(
        self, settings: DreamSettings, network: VisionModel, note: Callable[[str], None], *, stay_on_device: bool
    ) -> None:
        self.network = network
        self._settings = settings
        self._note = note
        self._stay_on_device = stay_on_device
        self._climb = _climb(
            network,
            settings.targets,
            warps=settings.rotate > 0 or settings.scale > 0,
            numbers=settings.precision,
        )
        sides = network.sides(target.layer for target in settings.targets)
        self._tiling = Tiling(
            tile=settings.tile,
            jitter=settings.jitter,
            least=sides.least,
            multiple=sides.multiple,
            ladder=backend.current().STATIC_SHAPES,
        )
        self._gradient = tiled(self._climb.tiles, self._tiling, batch=self._batch(), note=note)

    @classmethod
    def of(cls, settings: DreamSettings, *, note: Callable[[str], None], stay_on_device: bool | None) -> _Ascent:
        network = registry.load(settings.model, settings.preprocessing)
        if stay_on_device is None:
            stay_on_device = backend.on_accelerator()
        return cls(settings, network, note, stay_on_device=stay_on_device)

    def _batch(self) -> int:
        """How many tiles of the largest size to hand over at once."""
        side = self._tiling.grid((self._tiling.tile, self._tiling.tile)).rows.side
        layers = [target.layer for target in self._settings.targets]
        # On the way down there are about as many numbers again.
        numbers = 2 * self.network.cost(layers, (side, side)).numbers_kept
        return batch_for(numbers * (4 if self._settings.precision == "float32" else 2))

    def steps(self, picture: FloatArray, octave: int) -> Iterator[Step]:
        """The steps of an octave from a picture, which is used as working memory."""
        if self._stay_on_device and picture.shape[0] * picture.shape[1] <= on_device.MOST_PIXELS:
            last = None
            try:
                for last in self._on_device(picture, octave):
                    yield last
            except DeviceMemoryError:
                self._stay_on_device = False
                self._note("memory ran out on the device; going on with the picture on the host")
            else:
                return
            if last is not None:
                yield from self._on_host(last.picture(), octave, first=last.index + 1)
                return
        yield from self._on_host(picture, octave)

    def _on_host(self, picture: FloatArray, octave: int, first: int = 0) -> Iterator[Step]:
        return ascend(
            picture,
            self._gradient,
            views=_views(self._settings, octave),
            num_steps=self._settings.steps,
            step_size=self._settings.step_size,
            conditioning=_CONDITIONINGS[self._settings.conditioning],
            first=first,
        )

    def _on_device(self, picture: FloatArray, octave: int) -> Iterator[Step]:
        return ascend_on_device(
            picture,
            self._climb.chunk(self._settings.conditioning),
            self._tiling.grid((picture.shape[0], picture.shape[1])),
            views=_views(self._settings, octave),
            num_steps=self._settings.steps,
            step_size=self._settings.step_size,
            ladder=self._tiling.ladder,
        )


def resolved(settings: DreamSettings) -> DreamSettings:
    """Fill in what settings leave to the network and the hardware: targets and precision. Loads the network.

    Raises:
        ModelError: There is no such network, no such layer or channel of it, or its weights cannot be had.
    """
    network = registry.load(settings.model, settings.preprocessing)
    targets = settings.targets or (Target(network.default_layer),)
    for target in targets:
        network.check(target.layer, target.channel)
    chosen = precision.choose(settings.precision, network.spec.low_precisions, settings.model)
    return dataclasses.replace(settings, targets=targets, precision=chosen.name)


def output_size(picture: StoredArray, settings: DreamSettings) -> Size:
    """The ``(height, width)`` of the dream of a picture: its own, or what ``max_size`` allows."""
    height, width = picture.shape[:2]
    if settings.max_size is None or max(height, width) <= settings.max_size:
        return height, width
    shrink = settings.max_size / max(height, width)
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def objective(targets: tuple[Target, ...]) -> objectives.Objective:
    """The weighted sum of the targets' mean squares, as one objective."""
    return reduce(
        add,
        (
            target.weight
            * (
                objectives.layer(target.layer)
                if target.channel is None
                else objectives.channel(target.layer, target.channel)
            )
            for target in targets
        ),
    )


class _Climb:
    """What is climbed, as programs that are compiled when first asked for, and kept."""

    def __init__(self, forward: backend.Forward, score: backend.Score, variables: backend.Variables) -> None:
        self._forward = forward
        self._score = score
        self._variables = variables
        self._chunks: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {}

    @cached_property
    def tiles(self) -> TileGradient:
        """The gradient of tiles."""
        return backend.compile_gradient(self._forward, self._score, self._variables)

    def chunk(self, conditioning: str) -> Callable[..., tuple[Tensor, Tensor]]:
        """Several steps on the device."""
        if conditioning not in self._chunks:
            gradient = backend.current().gradient(self._forward, self._score, self._variables)
            chunk = on_device.chunk(gradient, conditioning)
            self._chunks[conditioning] = backend.compile_chunk(chunk, self._variables)
        return self._chunks[conditioning]


@lru_cache(maxsize=8)
def _climb(network: VisionModel, targets: tuple[Target, ...], *, warps: bool, numbers: str) -> _Climb:
    """Kept, so that all octaves and all pictures of a process share one trace."""
    goal = objective(targets)
    activations = network.activations(goal.layers, numbers)

    def forward(pictures: Tensor, matrix: Tensor) -> Activations:
        return activations(transforms.warp(pictures, matrix) if warps else pictures)

    return _Climb(forward, goal.score, network.variables(goal.layers, numbers))


def _views(settings: DreamSettings, octave: int) -> Callable[[int], transforms.View]:
    return lambda step: transforms.draw(
        seed=settings.seed, octave=octave, step=step, rotate=settings.rotate, scale=settings.scale
    )


def _merge(settings: DreamSettings | None, keywords: dict[str, Any]) -> DreamSettings:
    chosen = (
        {}
        if settings is None
        else {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    )
    return DreamSettings.of(**chosen | keywords)


def _pixels(picture: str | Path | Image.Image | np.ndarray) -> StoredArray:
    if isinstance(picture, str | Path):
        return images.read(Path(picture), compact=True).pixels
    if not isinstance(picture, np.ndarray):
        return images.from_pil(picture, compact=True).pixels
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ImageReadError(f"the array has shape {picture.shape}; expected (height, width, 3)")
    if picture.dtype == np.uint8:
        return picture
    if not np.issubdtype(picture.dtype, np.floating):
        raise ImageReadError(f"the array is {picture.dtype}; expected float32 in [0, 1] or uint8")
    low, high = float(picture.min()), float(picture.max())
    if not (low >= 0 and high <= 1):
        raise ImageReadError(f"the array ranges from {low:g} to {high:g}; expected [0, 1]. Divide it by 255?")
    return np.ascontiguousarray(picture, np.float32)
