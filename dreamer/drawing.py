"""Targets drawn together: what goes with a parametrization, how targets are batched, and the climb of a batch.

Here networks and the optimizer meet, as in ``climbing`` for dreams. It knows no order of batches and no retreat
from memory that ran out: ``visualizing`` has those.

Must not import: the command line.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from keras import ops

from dreamer import spectra, targets
from dreamer.arrays import FloatArray, Size
from dreamer.ascent import backend, optimizing, parametrizations, scoring, tiling, views
from dreamer.ascent.backend import Activations
from dreamer.ascent.optimizing import Draw, Given, Optimizer, Program, State
from dreamer.ascent.parametrizations import Parametrization
from dreamer.ascent.scoring import Form, Parameters
from dreamer.errors import ModelError
from dreamer.objectives import Numbers, Objective, diversity
from dreamer.robustness import SETS, Transforms
from dreamer.settings import VisualizeSettings

if TYPE_CHECKING:
    from dreamer.models.vision_model import VisionModel

_REMEDIED_STEPS = 16  # For how many steps Lucid lets gradients through units that are off.
_MOST_AT_ONCE = 10  # Pictures of a batch, where no more of the same target are asked for. More is hardly quicker.
_START, _VIEWS, _FIELD, _HAZE = range(4)  # What the seed is used for.


class _Stage(NamedTuple):
    """A part of the run, coarse to fine.

    Attributes:
        until: Its end, as a share of the steps.
        detail: Which share of the picture's frequencies is made.
        seen: At which share of its size it is seen.
    """

    until: float
    detail: float
    seen: float


class _Manner(NamedTuple):
    """What goes with a parametrization, where the settings do not say otherwise."""

    transforms: str
    optimizer: str
    learning_rate: float
    decay: float
    haze: float
    stages: tuple[_Stage, ...]


ALL_AT_ONCE = (_Stage(1, 1, 1),)
_GROWING = (_Stage(0.35, 1, 0.57), _Stage(0.6, 1, 0.71), _Stage(1, 1, 1))
_HAZE_UNTIL = 0.4  # Of the steps.
_LAST_RATE = 0.1  # Of the learning rate, which falls along half a cosine.

MANNERS = {
    "cosine": _Manner("robust", "momentum", 0.05, 0.6, 5.0, _GROWING),
    "fourier": _Manner("robust", "momentum", 0.05, 0.6, 5.0, _GROWING),
    "pixels": _Manner("robust", "adam", 0.05, 0.0, 0.0, ALL_AT_ONCE),
    "maco": _Manner("maco", "nadam", 1.0, 0.0, 0.0, ALL_AT_ONCE),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Visualization:
    """The picture of one target.

    Attributes:
        objective: What it was drawn for, its classes as numbers.
        title: The same as a person would put it, with the name of a class.
        variant: Which of several pictures of the same target, from 0.
        picture: ``(height, width, 3)`` float32 RGB in [0, 1].
        alpha: ``(height, width)`` in [0, 1]: how much each part of it mattered; None where not asked for.
        score: What the objective gives for the picture as it is.
        start: What it gave for the noise that it started from.
    """

    objective: Objective
    title: str
    variant: int
    picture: FloatArray
    alpha: FloatArray | None
    score: float
    start: float


class Unit(NamedTuple):
    """One picture to be drawn, and its place among all."""

    place: int
    variant: int
    objective: Objective


def batched(units: Sequence[Unit], network: VisionModel, settings: VisualizeSettings) -> Iterator[list[Unit]]:
    """Units that are computed alike, in batches of about the same size; variants of a target stay together."""
    alike: dict[tuple[Form, ...], list[Unit]] = {}
    for unit in units:
        alike.setdefault(scoring.forms(unit.objective), []).append(unit)
    for group in alike.values():
        most = _most_at_once(network, group[0].objective, settings) // settings.diversity * settings.diversity
        count = math.ceil(len(group) / max(most, settings.diversity))
        size = math.ceil(len(group) / settings.diversity / count) * settings.diversity
        yield from (group[first : first + size] for first in range(0, len(group), size))


def _most_at_once(network: VisionModel, objective: Objective, settings: VisualizeSettings) -> int:
    # On the way down there are about as many numbers again.
    numbers = 2 * network.cost(objective.layers, _seen(network, objective, settings, 1.0)).numbers_kept
    size = 4 if settings.precision == "float32" else 2
    fitting = tiling.fitting(numbers * size * transforms_of(settings).views)
    return _MOST_AT_ONCE if fitting is None else max(1, min(_MOST_AT_ONCE, fitting))


def _seen(network: VisionModel, objective: Objective, settings: VisualizeSettings, share: float) -> Size:
    """The size at which the network sees pictures: their own, or the next that it can see."""
    sides = network.sides(objective.layers)
    height, width = (max(sides.least, round(side * share / sides.multiple) * sides.multiple) for side in settings.size)
    return height, width


def transforms_of(settings: VisualizeSettings) -> Transforms:
    """The transforms that settings ask for, or that go with their parametrization."""
    return settings.transforms or SETS[MANNERS[settings.parametrization].transforms]


def _parametrization(settings: VisualizeSettings) -> Parametrization:
    spectrum = None if settings.spectrum is None else Numbers.of(spectra.read(settings.spectrum))
    return _made(settings.parametrization, settings.size, spectrum)


@lru_cache(maxsize=8)
def _made(name: str, size: Size, spectrum: Numbers | None) -> Parametrization:
    if name == "maco":
        return parametrizations.maco(size, None if spectrum is None else spectrum.array)
    makers = {
        "cosine": parametrizations.cosine,
        "fourier": parametrizations.fourier,
        "pixels": parametrizations.pixels,
    }
    return makers[name](size)


class Batch:
    """Targets that are drawn together."""

    def __init__(self, network: VisionModel, settings: VisualizeSettings, units: Sequence[Unit]) -> None:
        self.units = units
        self._network = network
        self._settings = settings
        self._objectives = [_with_diversity(unit.objective, network, settings) for unit in units]
        self._parametrization = _parametrization(settings)
        field = _generator(settings, _FIELD).normal(size=(views.NOISE_SIDE, views.NOISE_SIDE, 3))
        self._field: FloatArray = field.astype(np.float32)
        groups = [unit.place // settings.diversity for unit in units]
        self._numbers = scoring.parameters(self._objectives, groups)
        self._haze = self._drawn(_HAZE)
        self._how = transforms_of(settings)
        if not all(term.kind == "logit" for unit in units for _, term in unit.objective.terms):
            self._how = dataclasses.replace(self._how, flip=0.0)
        self._start: FloatArray = np.zeros(len(units), np.float32)
        for unit in units:
            targets.check_positions(unit.objective, network, self._seen(1.0))

    def halves(self) -> list[Batch]:
        """The same in two batches; none where that would part the variants of a target."""
        count = self._settings.diversity
        middle = len(self.units) // count // 2 * count
        if not middle:
            return []
        return [Batch(self._network, self._settings, some) for some in (self.units[:middle], self.units[middle:])]

    def steps(self, pause_every: int | None) -> Iterator[optimizing.OptimizedStep]:
        """All steps."""
        state = self._first()
        found = self._evaluated(state)
        self._start = found.scores
        if not np.isfinite(found.scores).all():
            raise ModelError(
                f"{self._settings.model} answers with something that is no number, so there is nothing to climb; "
                "look at its weights and its preprocessing"
            )
        remedied = _REMEDIED_STEPS if found.is_dead.any() else 0
        yield from optimizing.optimize(
            lambda step: self._program(redirected=step < remedied),
            state,
            draws=self._draw,
            haze=self._haze,
            field=self._field,
            numbers=self._numbers_after,
            num_steps=self._settings.steps,
            pause_every=pause_every,
        )

    def render(self, state: State) -> list[Visualization]:
        """The pictures of a state, and what the objectives give for them."""
        pictures = ops.convert_to_numpy(self._parametrization.render(ops.convert_to_tensor(state.values[0])))
        attention = backend.to_host(state.attention)
        scores = self._evaluated(state).scores
        return [
            Visualization(
                objective=unit.objective,
                title=targets.title(unit.objective, self._network),
                variant=unit.variant,
                picture=np.array(pictures[place], np.float32),
                alpha=_opacity(attention[place]) if self._settings.alpha else None,
                score=float(scores[place]),
                start=float(self._start[place]),
            )
            for place, unit in enumerate(self.units)
        ]

    def _first(self) -> State:
        made_from = self._drawn(_START)
        optimizer = self._program(redirected=False).optimizer
        return State(optimizer.start(made_from), np.zeros((len(self.units), *self._settings.size), np.float32))

    def _drawn(self, use: int) -> FloatArray:
        """What pictures are made from, at random: the same for all targets, and another for each variant."""
        draw = self._parametrization.draw
        return np.concatenate([draw(_generator(self._settings, use, unit.variant), 1) for unit in self.units])

    def _program(self, *, redirected: bool) -> Program:
        return program(
            self._network,
            scoring.forms(self._objectives[0]),
            dataclasses.replace(self._settings, seed=0, steps=1),
            len(self.units),
            redirected=redirected,
        )

    def _evaluated(self, state: State) -> optimizing.Outcome:
        """All of the pictures as they are, without what makes them differ from each other."""
        seen = self._seen(1.0)
        draw = Draw(views.whole(self._settings.size, seen, transforms_of(self._settings).views), 0.0, self._mask(1.0))
        return optimizing.evaluate(
            self._program(redirected=False),
            state,
            draw,
            haze=self._haze,
            field=self._field,
            numbers=self._weighed(0.0),
        )

    def _numbers_after(self, scores: FloatArray | None) -> Parameters:
        """How much the difference from others counts follows the score, which can have any size."""
        return self._weighed(self._settings.diversity_weight * np.abs(self._start if scores is None else scores))

    def _weighed(self, weights: Any) -> Parameters:
        if self._settings.diversity == 1:
            return self._numbers
        weight = np.broadcast_to(np.asarray(weights, np.float32), (len(self.units),))
        return [*self._numbers[:-1], {**self._numbers[-1], "weight": weight}]

    def _draw(self, step: int) -> Draw:
        progress = step / max(self._settings.steps - 1, 1)
        stages = MANNERS[self._settings.parametrization].stages
        stage = next(index for index, one in enumerate(stages) if progress <= one.until)
        drawn = views.draw(
            self._how,
            _generator(self._settings, _VIEWS, step),
            size=self._settings.size,
            seen=self._seen(stages[stage].seen),
            progress=progress,
        )
        share = _LAST_RATE + (1 - _LAST_RATE) * (0.5 + 0.5 * math.cos(math.pi * progress))
        haze = MANNERS[self._settings.parametrization].haze * max(0.0, 1 - progress / _HAZE_UNTIL)
        return Draw(drawn, share, self._mask(stages[stage].detail), haze, stage)

    def _mask(self, detail: float) -> FloatArray:
        return self._parametrization.passes(detail)

    def _seen(self, share: float) -> Size:
        return _seen(self._network, self.units[0].objective, self._settings, share)


def _generator(settings: VisualizeSettings, *use: int) -> np.random.Generator:
    return np.random.default_rng((settings.seed, *use))


def _with_diversity(objective: Objective, network: VisionModel, settings: VisualizeSettings) -> Objective:
    if settings.diversity == 1:
        return objective
    spatial = [name for name in sorted(objective.layers) if len(network.node(name).shape) == 3]
    return objective + diversity(spatial[-1] if spatial else network.default_layer)


@lru_cache(maxsize=8)
def program(
    network: VisionModel, forms: tuple[Form, ...], settings: VisualizeSettings, batch: int, *, redirected: bool
) -> Program:
    """Kept, so that all batches of a process that are alike share one trace."""
    layers = {name for form in forms for name in form.layers} - {scoring.PICTURE}
    made, how = _parametrization(settings), transforms_of(settings)
    manner = MANNERS[settings.parametrization]
    turns, noisy = how.rotate > 0, max(how.noise) > 0

    def gradient(*, redirected: bool) -> backend.Gradient:
        activations = network.activations(layers, settings.precision, redirected=redirected)

        def forward(inputs: Any, given: Given) -> Activations:
            made_from, offsets = inputs if settings.alpha else (inputs, 0.0)
            pictures = made.render(made_from + given.haze) + offsets
            pictures = ops.reshape(pictures, (batch, *settings.size, 3))
            seen = views.see(pictures, given.views, given.field, count=how.views, turns=turns, noisy=noisy)
            found = activations(seen)
            return found | {scoring.PICTURE: pictures} if scoring.reads_picture(forms) else found

        scored = scoring.score(forms, how.views)
        return backend.current().gradient(
            forward, lambda found, given: scored(found, given.numbers), network.variables(layers, settings.precision)
        )

    shape = made.draw(np.random.default_rng(0), batch).shape
    return Program(
        gradient(redirected=False),
        gradient(redirected=True) if redirected else None,
        Optimizer.of(str(settings.optimizer), float(settings.learning_rate or 0), manner.decay, shape),
        (batch, *settings.size),
        attends=settings.alpha,
        variables=network.variables(layers, settings.precision),
    )


_OPAQUE_FROM = 80  # Percentile of what mattered, as MACO's authors show it.


def _opacity(attention: FloatArray) -> FloatArray:
    """How opaque each pixel is: by how much it mattered, smoothed over its neighbours."""
    smooth = cv2.GaussianBlur(attention, (0, 0), sigmaX=max(attention.shape) / 64)
    low, high = float(smooth.min()), float(np.percentile(smooth, _OPAQUE_FROM))
    return np.asarray(np.clip((smooth - low) / max(high - low, 1e-12), 0, 1), np.float32)
