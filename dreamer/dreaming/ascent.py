"""The climb of a dream: a network's activations made into a score, its gradient compiled, its steps taken.

Here networks and ascent meet. It knows no octaves and no photos: ``steps`` has those.

Must not import: pictures, the command line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any

from keras import ops

from dreamer import targets
from dreamer.arrays import FloatArray, Size
from dreamer.ascent import on_device, scoring, tile_view
from dreamer.ascent.conditioning import CONDITIONINGS, around
from dreamer.ascent.loop import Step, ascend, ascend_on_device
from dreamer.ascent.pulling import Pulling
from dreamer.ascent.tiling import Tiling, batch_for, tiled
from dreamer.backends import backend
from dreamer.backends.backend import Activations, Tensor, TileGradient
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import DeviceMemoryError, ModelError
from dreamer.objectives import Objective
from dreamer.priors.pulls import Pull

if TYPE_CHECKING:
    from dreamer.models.network import Network


_SHARE_WITH_PRIOR = 8


class Ascent:
    """The climb of one dream: on the device where that is quicker and fits, on the host otherwise.

    Args:
        plan: What to do.
        note: Told in a line what is done otherwise than asked.
        stay_on_device: Whether the picture stays on the device, where it fits; None for what is quicker.

    Attributes:
        network: What is dreamt with.
    """

    def __init__(self, plan: DreamPlan, *, note: Callable[[str], None], stay_on_device: bool | None = None) -> None:
        self.network = plan.network
        self._plan = plan
        self._settings = plan.settings
        self._note = note
        self._stay_on_device = backend.on_accelerator() if stay_on_device is None else stay_on_device
        self._conditioning = CONDITIONINGS[plan.settings.conditioning]
        if plan.settings.tileable:
            self._stay_on_device = self._stay_on_device and self._conditioning.wraps_on_device
            self._conditioning = self._conditioning._replace(host=around(self._conditioning.host))
        self._layers = sorted(plan.objective.layers)
        self._pulling: Pulling | None = None
        if plan.prior is not None:
            self._pulling = Pulling(
                plan.prior, plan.settings.prior_weight or 0.0, plan.settings.prior_noise, plan.settings.tileable
            )
        self._programs = programs(
            plan.network,
            plan.objective,
            warps=plan.settings.rotate > 0 or plan.settings.scale > 0,
            precision=plan.settings.precision,
        )
        sides = plan.network.sides(self._layers)
        self._tiling = Tiling(
            tile=plan.settings.tile,
            jitter=plan.settings.jitter,
            heights=sides.height,
            widths=sides.width,
            ladder=backend.current().STATIC_SHAPES,
            wraps=plan.settings.tileable,
        )
        self._gradient = tiled(self._programs.tiles, self._tiling, batch=self._batch(), note=note)

    def _batch(self) -> int:
        """How many tiles of the largest size to hand over at once."""
        size = self._tiling.grid((self._tiling.tile, self._tiling.tile)).size
        # On the way down there are about as many numbers again.
        numbers = (2 + self._programs.beside) * self.network.cost(self._layers, size).numbers_kept
        return batch_for(numbers * (4 if self._settings.precision == "float32" else 2))

    def check(self, size: Size) -> None:
        """Make sure that the neurons of the objective exist in the tiles of a picture.

        Raises:
            UnknownLayerError: One lies outside its layer.
        """
        targets.check_positions(self._plan.objective, self.network, self._tiling.grid(size).size)

    def steps(self, picture: FloatArray, octave: int, photo: FloatArray | None = None) -> Iterator[Step]:
        """The steps of an octave.

        Args:
            picture: ``(height, width, 3)`` in [0, 1], used as working memory.
            octave: Its index.
            photo: What is dreamt of, at the same size; for a prior alone.

        Raises:
            ModelError: The score is no number.
        """
        for step in self._steps(picture, octave, photo):
            if not math.isfinite(step.score):
                more_bits = "" if self._settings.precision == "float32" else ", or compute it with --precision float32"
                raise ModelError(f"{targets.no_number(self._plan.objective, self._settings.model)}{more_bits}")
            yield step

    def _steps(self, picture: FloatArray, octave: int, photo: FloatArray | None) -> Iterator[Step]:
        # What a prior needs beside the picture, and the photo's own, is several times as much.
        most = on_device.MOST_PIXELS // (1 if self._pulling is None else _SHARE_WITH_PRIOR)
        most //= 1 + self._programs.beside
        if self._stay_on_device and picture.shape[0] * picture.shape[1] <= most:
            last = None
            try:
                for last in self._on_device(picture, octave, photo):
                    yield last
            except DeviceMemoryError:
                self._stay_on_device = False
                self._note("memory ran out on the device; going on with the picture on the host")
            else:
                return
            if last is not None:
                yield from self._on_host(last.picture(), octave, photo, first=last.index + 1)
                return
        yield from self._on_host(picture, octave, photo)

    def _on_host(self, picture: FloatArray, octave: int, photo: FloatArray | None, first: int = 0) -> Iterator[Step]:
        pull = None
        if self._pulling is not None and photo is not None:
            pull = self._pulling.on_host(photo, self._settings.steps)
        beside = scoring.second_pictures(self._plan.objective, (picture.shape[0], picture.shape[1]))
        return ascend(
            picture,
            self._gradient if beside is None else partial(self._gradient, beside=beside),
            views=_views(self._settings, octave),
            num_steps=self._settings.steps,
            step_size=self._settings.step_size,
            conditioning=self._conditioning.host,
            pull=pull,
            first=first,
        )

    def _on_device(self, picture: FloatArray, octave: int, photo: FloatArray | None) -> Iterator[Step]:
        size = (picture.shape[0], picture.shape[1])
        return ascend_on_device(
            picture,
            self._programs.chunk(self._settings.conditioning, self._plan.prior),
            self._tiling.grid(size),
            views=_views(self._settings, octave),
            num_steps=self._settings.steps,
            step_size=self._settings.step_size,
            ladder=self._tiling.ladder,
            pull=None if self._pulling is None or photo is None else (self._pulling, photo),
            beside=scoring.second_pictures(self._plan.objective, size),
        )


class Programs:
    """What is climbed, as programs that are compiled when first asked for, and kept.

    Attributes:
        beside: How many pictures are seen beside the dream.
    """

    def __init__(
        self, forward: backend.Forward, score: backend.Score, variables: backend.Variables, beside: int
    ) -> None:
        self.beside = beside
        self._forward = forward
        self._score = score
        self._variables = variables
        self._chunks: dict[tuple[str, Pull | None], Callable[..., tuple[Tensor, Tensor]]] = {}

    @cached_property
    def tiles(self) -> TileGradient:
        """The gradient of tiles."""
        return backend.compile_gradient(self._forward, self._score, self._variables, beside=self.beside)

    def chunk(self, conditioning: str, prior: Pull | None) -> Callable[..., tuple[Tensor, Tensor]]:
        """Several steps on the device."""
        key = conditioning, prior
        if key not in self._chunks:
            gradient = backend.tile_gradient(self._forward, self._score, self._variables, beside=self.beside)
            chunk = on_device.chunk(gradient, CONDITIONINGS[conditioning].device, prior, beside=self.beside)
            pulls = () if prior is None else prior.variables
            self._chunks[key] = backend.compile_chunk(chunk, [*self._variables, *pulls])
        return self._chunks[key]


@lru_cache(maxsize=8)
def programs(network: Network, objective: Objective, *, warps: bool, precision: str) -> Programs:
    """Programs for an objective, kept, so that all pictures of a process share one trace.

    Args:
        network: The network.
        objective: What is made larger, as ``targets.resolve`` gives it.
        warps: Whether the views turn and scale, not only shift.
        precision: ``"float32"``, ``"bfloat16"`` or ``"float16"``.
    """
    activations = network.forward(objective.layers, precision)
    forms = scoring.forms(objective)
    beside = sum(form.reference for form in forms)

    def forward(pictures: Tensor, given: Any) -> Activations:
        matrix, others = given if beside else (given, None)

        def look(seen: Tensor) -> dict[str, Tensor]:
            return activations(tile_view.warp(seen, matrix) if warps else seen)

        second = ops.split(others, beside, axis=-1) if beside else []
        return scoring.found(forms, look, pictures, second)

    return Programs(forward, scoring.alone(objective), network.variables(objective.layers, precision), beside)


def _views(settings: DreamSettings, octave: int) -> Callable[[int], tile_view.View]:
    return lambda step: tile_view.draw(
        seed=settings.seed, octave=octave, step=step, rotate=settings.rotate, scale=settings.scale
    )
