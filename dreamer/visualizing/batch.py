"""Batches of targets that are drawn together, and the climb of each.

Here networks and the optimizer meet, as in ``dreaming.ascent`` for dreams. It knows no order of batches and no retreat
from memory that ran out: ``steps`` has those.

Must not import: the command line.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import keras
import numpy as np
from keras import ops

from dreamer import targets
from dreamer.arrays import FloatArray, Size
from dreamer.ascent import optimizing, scoring, tiling, views
from dreamer.ascent.optimizing import Course, Draw, Given, Optimizer, Program, State
from dreamer.ascent.parametrizations import Parametrization
from dreamer.ascent.schedule import falling, share
from dreamer.backends import backend
from dreamer.backends.backend import Activations, Tensor
from dreamer.errors import ModelError, SettingsError, in_one_line
from dreamer.objectives import Objective, diversity
from dreamer.objectives.terms import Form
from dreamer.priors.codes import Code
from dreamer.priors.loading import Prior
from dreamer.priors.pulls import Pull
from dreamer.transforms import Transforms
from dreamer.visualizing.plan import VisualizePlan, Way, is_of_classes
from dreamer.visualizing.settings import VisualizeSettings

if TYPE_CHECKING:
    from dreamer.models.network import Network

_REMEDIED_STEPS = 16  # For how many steps Lucid lets gradients through units that are off.
_MOST_AT_ONCE = 10  # Pictures of a batch, where no more of the same target are asked for. More is hardly quicker.
_PULL_EVERY = 4  # Steps.
_START, _VIEWS, _FIELD, _HAZE = range(4)  # What the seed is used for.


class TargetPicture(NamedTuple):
    """What was drawn for one target, in its batch.

    Attributes:
        objective: The target, its classes as numbers.
        title: The same as a person would put it, with the name of a class.
        variant: Which of several pictures of the same target, from 0.
        pixels: ``(height, width, 3)`` float32 RGB in [0, 1].
        alpha: ``(height, width)`` in [0, 1]: how much each part of it mattered; None where not asked for.
        score: What the objective gives for the picture as it is.
        first_score: What it gave for what it began with.
    """

    objective: Objective
    title: str
    variant: int
    pixels: FloatArray
    alpha: FloatArray | None
    score: float
    first_score: float


class Target(NamedTuple):
    """One picture to be drawn, and its place among all.

    Attributes:
        place: Among all pictures.
        variant: Which of several of the same target, from 0.
        objective: What is drawn, as the first network has it.
        jointly: The same as each of the other networks has it.
    """

    place: int
    variant: int
    objective: Objective
    jointly: tuple[Objective, ...] = ()

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What is drawn, as each of the networks has it."""
        return (self.objective, *self.jointly)


def batches(units: Sequence[Target], plan: VisualizePlan) -> Iterator[Batch]:
    """Units that are computed and seen alike, in batches of one size; variants of a target stay together."""
    alike: dict[tuple[Forms, bool], list[Target]] = {}
    for unit in units:
        alike.setdefault((_forms(unit.objectives), is_of_classes(unit.objective)), []).append(unit)
    for group in alike.values():
        variants = plan.settings.diversity
        targets_at_once = max(_most_at_once(plan, group[0].objectives) // variants, 1)
        targets_here = len(group) // variants
        count = math.ceil(targets_here / targets_at_once)
        yield from _cut(plan, group, math.ceil(targets_here / count) * variants)


def _cut(plan: VisualizePlan, units: Sequence[Target], size: int) -> list[Batch]:
    return [Batch(plan, units[first : first + size], size) for first in range(0, len(units), size)]


Forms = tuple[tuple[Form, ...], ...]
"""For each network the forms of what is drawn."""


def _forms(objectives: Sequence[Objective]) -> Forms:
    return tuple(scoring.forms(objective) for objective in objectives)


def _most_at_once(plan: VisualizePlan, objectives: Sequence[Objective]) -> int:
    seen = _seen(plan, objectives, 1.0)
    kept = (network.cost(one.layers, seen).numbers_kept for network, one in zip(plan.networks, objectives, strict=True))
    size = 4 if plan.settings.precision == "float32" else 2
    of_networks = sum(kept) * size * _way(plan, objectives[0]).transforms.views
    of_code = 4 * plan.prior.numbers_kept(plan.settings.size) if isinstance(plan.prior, Code) else 0
    # On the way down there are about as many numbers again.
    fitting = tiling.fitting(2 * (of_networks + of_code))
    return _MOST_AT_ONCE if fitting is None else max(1, min(_MOST_AT_ONCE, fitting))


def _way(plan: VisualizePlan, objective: Objective) -> Way:
    return plan.of_classes if is_of_classes(objective) else plan.of_others


def _seen(plan: VisualizePlan, objectives: Sequence[Objective], of_size: float) -> Size:
    """The size at which the networks see pictures: their own, or the next that all of them can see."""
    height, width = (side * of_size for side in plan.settings.size)
    for network, objective in zip(plan.networks, objectives, strict=True):
        height, width = network.sides(objective.layers).nearest(height, width)
    return int(height), int(width)


class Batch:
    """Targets that are drawn together.

    Args:
        plan: How they are drawn.
        units: The pictures.
        size: How many pictures go through the network. Where that is more, the last is drawn several times and
            shown once, so that a short batch shares the program of the others.

    Attributes:
        units: The pictures.
        size: How many go through the network.
    """

    def __init__(self, plan: VisualizePlan, units: Sequence[Target], size: int) -> None:
        way = _way(plan, units[0].objective)
        settings = way.settings
        self.units = units
        self.size = size
        self._plan = plan
        self._way = way
        self._settings = settings
        copies = size - len(units)
        self._filled = [*units, *[units[-1]] * copies]
        # For each network what it sees in each picture.
        self._objectives = [
            [_with_diversity(unit.objectives[place], network, settings) for unit in self._filled]
            for place, network in enumerate(plan.networks)
        ]
        field = _generator(settings, _FIELD).normal(size=(views.NOISE_SIDE, views.NOISE_SIDE, 3))
        self._field: FloatArray = field.astype(np.float32)
        # Copies are a group of their own, so that nothing has to differ from them.
        groups = [*(unit.place // settings.diversity for unit in units), *[-1] * copies]
        self._numbers = [
            numbers for some in self._objectives for numbers in scoring.parameters(some, groups, settings.size)
        ]
        self._haze = self._drawn(_HAZE)
        self._how = way.transforms
        if not is_of_classes(units[0].objective):
            self._how = dataclasses.replace(self._how, flip=0.0)
        self._start: FloatArray = np.zeros(size, np.float32)
        for unit in units:
            for network, objective in zip(plan.networks, unit.objectives, strict=True):
                targets.check_positions(objective, network, self._seen(1.0))

    def smaller(self) -> list[Batch]:
        """The same in batches of half the size; none where that would part the variants of a target."""
        count = self._settings.diversity
        half = math.ceil(self.size / count / 2) * count
        return _cut(self._plan, self.units, half) if half < self.size else []

    def steps(self, pause_every: int | None) -> Iterator[optimizing.OptimizedStep]:
        """All steps, with the scores of the units."""
        state = self._first()
        found = self._evaluated(state)
        self._start = found.scores
        if not np.isfinite(found.scores).all():
            raise ModelError(targets.no_number(self._objectives[0][0], " or ".join(self._settings.models)))
        remedied = _REMEDIED_STEPS if found.is_dead.any() else 0
        for step in optimizing.optimize(
            lambda step: self._program(redirected=step < remedied),
            state,
            draws=self._draw,
            haze=self._haze,
            field=self._field,
            numbers=self._numbers,
            own=self._own(),
            num_steps=self._settings.steps,
            pause_every=pause_every,
        ):
            yield dataclasses.replace(step, scores=step.scores[: len(self.units)])

    def pictures(self, state: State) -> list[FloatArray]:
        """The pictures of a state, each ``(height, width, 3)`` in [0, 1]."""
        rendered = ops.convert_to_numpy(self._way.parametrization.render(ops.convert_to_tensor(state.values[0])))
        return [np.array(picture, np.float32) for picture in rendered[: len(self.units)]]

    def render(self, state: State) -> list[TargetPicture]:
        """The pictures of a state, and what the objectives give for them."""
        pictures = self.pictures(state)
        attention = backend.to_host(state.attention)
        scores = self._evaluated(state).scores
        return [
            TargetPicture(
                objective=unit.objective,
                title=targets.title(unit.objective, self._plan.network),
                variant=unit.variant,
                pixels=pictures[place],
                alpha=_opacity(attention[place]) if self._settings.alpha else None,
                score=float(scores[place]),
                first_score=float(self._start[place]),
            )
            for place, unit in enumerate(self.units)
        ]

    def _first(self) -> State:
        made_from = self._drawn(_START)
        if self._plan.start is not None:
            begun = np.asarray(ops.convert_to_numpy(self._way.parametrization.encode(self._plan.start[None])))
            # Variants of a target begin apart, or nothing would part them.
            made_from = begun + (made_from if self._settings.diversity > 1 else np.zeros_like(made_from))
        optimizer = self._program(redirected=False).optimizer
        return State(optimizer.start(made_from), np.zeros((self.size, *self._settings.size), np.float32))

    def _drawn(self, use: int) -> FloatArray:
        """What pictures are made from, at random: the same for all targets, and another for each variant."""
        draw = self._way.parametrization.draw
        return np.concatenate([draw(_generator(self._settings, use, unit.variant), 1) for unit in self._filled])

    def _program(self, *, redirected: bool) -> Program:
        return program(
            self._plan.networks,
            _forms([some[0] for some in self._objectives]),
            dataclasses.replace(self._settings, seed=0, steps=1, start=None, prior_weight=0.0, prior_noise=(0.0, 0.0)),
            self._way.parametrization,
            self._way.schedule.decay,
            self.size,
            redirected=redirected,
            prior=self._plan.prior,
        )

    def _evaluated(self, state: State) -> optimizing.Outcome:
        """All of the pictures as they are."""
        seen = views.whole(self._settings.size, self._seen(1.0), self._how.views)
        return optimizing.evaluate(
            self._program(redirected=False),
            state,
            Draw(seen, Course(0.0)),
            haze=self._haze,
            field=self._field,
            numbers=self._numbers,
            own=self._own(),
        )

    def _own(self) -> list[FloatArray]:
        """The values of the variables that pictures are rendered with, as they are now."""
        return [np.array(one.numpy()) for one in self._way.parametrization.variables]

    def _draw(self, step: int) -> Draw:
        progress = step / max(self._settings.steps - 1, 1)
        schedule = self._way.schedule
        stage = schedule.stage(progress)
        drawn = views.draw(
            self._how,
            _generator(self._settings, _VIEWS, step),
            size=self._settings.size,
            seen=self._seen(schedule.stages[stage].seen),
            progress=progress,
        )
        pull = 0.0 if self._plan.prior is None else self._pull(step)
        noise = falling(self._settings.prior_noise, progress)
        return Draw(drawn, Course(share(progress), schedule.thickness(progress), pull, noise), stage)

    def _pull(self, step: int) -> float:
        """Which share of a prior's way is taken after a step: that of several at once, which costs a single pass."""
        every = 1 if isinstance(self._plan.prior, Code) else _PULL_EVERY  # Bounds are kept to after each step.
        is_due = (step + 1) % every == 0 or step + 1 == self._settings.steps
        return 1 - (1 - (self._settings.prior_weight or 0.0)) ** (step % every + 1) if is_due else 0.0

    def _seen(self, of_size: float) -> Size:
        return _seen(self._plan, self.units[0].objectives, of_size)


def _generator(settings: VisualizeSettings, *use: int) -> np.random.Generator:
    return np.random.default_rng((settings.seed, *use))


def _with_diversity(objective: Objective, network: Network, settings: VisualizeSettings) -> Objective:
    if settings.diversity == 1:
        return objective
    spatial = [name for name in sorted(objective.layers) if len(network.node(name).shape) == 3]
    return objective + settings.diversity_weight * diversity(spatial[-1] if spatial else network.default_layer)


@lru_cache(maxsize=8)
def program(
    networks: tuple[Network, ...],
    forms: Forms,
    settings: VisualizeSettings,
    made: Parametrization,
    decay: float,
    batch: int,
    *,
    redirected: bool,
    prior: Prior | None,
) -> Program:
    """Kept, so that all batches of a process that are alike share one trace."""
    how = Transforms.of(settings.transforms or "none")
    variables = [
        variable
        for network, own in zip(networks, forms, strict=True)
        for variable in network.variables(_layers(own), settings.precision)
    ]
    turns, noisy = how.rotate > 0, max(how.noise) > 0

    def gradient_of(network: Network, forms: tuple[Form, ...], first: int, *, redirected: bool) -> backend.Gradient:
        """Of one network, whose terms have the numbers from the first on."""
        activations = network.forward(_layers(forms), settings.precision, redirected=redirected)

        def forward(inputs: Any, given: Given) -> Activations:
            made_from, offsets = inputs if settings.alpha else (inputs, 0.0)
            with _holding(made, given):
                pictures = made.render(made_from + given.haze) + offsets
            pictures = ops.reshape(pictures, (batch, *settings.size, 3))
            look = partial(views.see, views=given.views, field=given.field, count=how.views, turns=turns, noisy=noisy)
            numbers = given.numbers[first : first + len(forms)]
            second = [ops.reshape(one["reference"], pictures.shape) for one in numbers if "reference" in one]
            return scoring.found(forms, lambda one: activations(look(one)), pictures, second)

        scored = (scoring.apart if settings.diversity > 1 else scoring.score)(forms, how.views)
        own = slice(first, first + len(forms))
        return backend.current().gradient(forward, lambda found, given: scored(found, given.numbers[own]), variables)

    def gradient(*, redirected: bool) -> backend.Gradient:
        starts = np.cumsum([0, *map(len, forms)])
        found = [
            gradient_of(network, own, int(first), redirected=redirected)
            for network, own, first in zip(networks, forms, starts, strict=False)
        ]
        return found[0] if len(found) == 1 else optimizing.mean_of(found)

    shape = made.draw(np.random.default_rng(0), batch).shape
    return Program(
        gradient(redirected=False),
        gradient(redirected=True) if redirected else None,
        Optimizer.of(str(settings.optimizer), float(settings.learning_rate or 0), decay, shape),
        (batch, *settings.size),
        attends=settings.alpha,
        variables=variables if prior is None else [*variables, *prior.variables],
        pull=_pull(prior, made),
    )


def _pull(prior: Prior | None, made: Parametrization) -> Callable[[Tensor, Course, Given], Tensor] | None:
    """What a prior does after a step to what pictures are made from."""
    if not isinstance(prior, Pull):
        return None if prior is None else prior.after_step

    def pulled(made_from: Tensor, course: Course, given: Given) -> Tensor:
        with _holding(made, given):
            pictures = made.render(made_from)
        likelier = ops.clip(pictures + course.pull * prior.of_pictures(pictures, course.noise), 0, 1)
        with _holding(made, given):
            # Not simply what the likelier is made from: what cannot be encoded, black and white, stays as it is.
            return made_from + _encoded(made, likelier) - _encoded(made, pictures)

    def where_due(made_from: Tensor, course: Course, given: Given) -> Tensor:
        return ops.cond(course.pull > 0, lambda: pulled(made_from, course, given), lambda: made_from)

    return where_due


def _encoded(made: Parametrization, pictures: Tensor) -> Tensor:
    """What pictures are made from, within a program.

    Raises:
        SettingsError: The parametrization of a plug-in can only say so of arrays.
    """
    try:
        return made.encode(pictures)
    except (TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError) as error:
        raise SettingsError(
            "the parametrization cannot be pulled by a prior, because its encode takes no tensors "
            f"({in_one_line(error)}); write it with keras.ops, or leave the prior out"
        ) from error


def _layers(forms: Sequence[Form]) -> set[str]:
    return {name for form in forms for name in form.layers}


def _holding(made: Parametrization, given: Given) -> AbstractContextManager[Any]:
    """A context in which a parametrization's variables have the values that the program was given.

    Those may have lost their shapes on the way. Where there are none there is no context of its own: it would hide that
    in which a backend holds the network's variables.
    """
    if not made.variables:
        return nullcontext()
    shaped = (ops.reshape(value, tuple(one.shape)) for one, value in zip(made.variables, given.own, strict=True))
    mapping = list(zip(made.variables, shaped, strict=True))
    held: AbstractContextManager[Any] = keras.StatelessScope(state_mapping=mapping)
    return held


_OPAQUE_FROM = 80  # Percentile of what mattered, as MACO's authors show it.


def _opacity(attention: FloatArray) -> FloatArray:
    """How opaque each pixel is: by how much it mattered, smoothed over its neighbours."""
    smooth = cv2.GaussianBlur(attention, (0, 0), sigmaX=max(attention.shape) / 64)
    low, high = float(smooth.min()), float(np.percentile(smooth, _OPAQUE_FROM))
    return np.asarray(np.clip((smooth - low) / max(high - low, 1e-12), 0, 1), np.float32)
