"""Pictures optimized from noise: a batch of them, with one of Keras's optimizers, several steps to a program.

The one idea: all that changes is in the state, and all that is random is drawn ahead on the host and handed
over. So a step is a pure function that any backend compiles, and the same seed gives the same run.

Must not import: networks, files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from dreamer.arrays import FloatArray
from dreamer.ascent.pacing import Pace
from dreamer.ascent.scoring import Parameters
from dreamer.ascent.views import Views
from dreamer.backends import backend
from dreamer.backends.backend import Gradient, Tensor, Variables

MOST_STEPS = 8
"""Steps of a chunk at the most; arrays always have room for as many, so that their shapes are the same."""

_LEAST = 1e-30


class Given(NamedTuple):
    """What a forward function and a score are given besides what is climbed.

    Attributes:
        views: How the pictures are seen.
        haze: Is added to what pictures are made from while they are seen.
        field: Noise that views take theirs from.
        numbers: Of the objectives, for each picture.
        own: The values of the variables that pictures are rendered with.
    """

    views: Views
    haze: Tensor
    field: Tensor
    numbers: Parameters
    own: Sequence[Any] = ()


class Course(NamedTuple):
    """What changes from step to step: a number for one of them, or an array for several.

    Attributes:
        share: Of the learning rate.
        thickness: What the haze is multiplied with.
        pull: Which share is taken of the way to likelier pictures, after the step; 0 for none of it.
        noise: Which the prior takes off that knows the way.
    """

    share: Any
    thickness: Any = 0.0
    pull: Any = 0.0
    noise: Any = 0.0


class State(NamedTuple):
    """Pictures on their way.

    Attributes:
        values: What the pictures are made from, then the optimizer's own.
        attention: ``(batch, height, width)``: how much each pixel has mattered so far, the sum of its gradients' sizes.
    """

    values: list[Any]
    attention: Any


class Outcome(NamedTuple):
    """What a chunk of steps found.

    Attributes:
        scores: ``(MOST_STEPS, batch)``, each before its step.
        is_dead: ``(MOST_STEPS, batch)``, whether a picture had no gradient at all.
    """

    scores: Tensor
    is_dead: Tensor


class Optimizer(NamedTuple):
    """One of Keras's, built for arrays of one shape.

    Attributes:
        keras: The optimizer.
        variable: What it was built for.
        fresh: Values of its own variables before any step. The variables themselves may be worked with.
        normalizes: Whether it is given gradients of size 1. Adam makes every coefficient's steps equally large,
            also of those that the network hardly cares for, which is where the grit in pictures comes from; a step
            along the gradient leaves those alone, but does not know how long it should be.
    """

    keras: Any
    variable: Any
    fresh: list[Any]
    normalizes: bool

    @classmethod
    def of(cls, name: str, learning_rate: float, decay: float, shape: tuple[int, ...]) -> Optimizer:
        """An optimizer by its name.

        Args:
            name: ``"momentum"``, ``"adam"`` or ``"nadam"``.
            learning_rate: How far a step goes.
            decay: Which share of what pictures are made from is taken off, per step and learning rate.
            shape: Of what pictures are made from, the batch included.
        """
        makers = {
            # As a mean of the last ten gradients, not their sum.
            "momentum": lambda: keras.optimizers.SGD(learning_rate / 10, momentum=0.9, weight_decay=10 * decay or None),
            "adam": lambda: keras.optimizers.Adam(learning_rate, weight_decay=decay or None),
            "nadam": lambda: keras.optimizers.Nadam(learning_rate, weight_decay=decay or None),
        }
        made = makers[name]()
        variable = keras.Variable(np.zeros(shape, np.float32), name="made_from")
        made.build([variable])
        return cls(made, variable, [np.array(one.numpy()) for one in made.variables], name == "momentum")

    def start(self, made_from: FloatArray) -> list[Any]:
        """The values of a state before any step."""
        return [made_from, *self.fresh]


def mean_of(gradients: Sequence[Gradient]) -> Gradient:
    """The mean of some gradients of the same pictures, each counting alike however large it is.

    Networks answer on scales of their own, and the gradients of a robust one are a tenth of another's.

    Args:
        gradients: Of the same inputs.

    Returns:
        To the mean of the scores, and the mean of the gradients of each picture, as large as they are in the mean.
    """

    def run(inputs: Any, given: Any) -> tuple[Tensor, Any]:
        scores, found = zip(*(gradient(inputs, given) for gradient in gradients), strict=True)
        flat = [keras.tree.flatten(one) for one in found]
        sizes = [_size(parts[0]) for parts in flat]
        size = sum(sizes) / len(sizes)
        shares = [ops.where(one > _LEAST, size / ops.maximum(one, _LEAST), 0.0) / len(sizes) for one in sizes]
        mean = [
            sum(
                ops.reshape(share, (-1, *[1] * (len(part.shape) - 1))) * part
                for share, part in zip(shares, parts, strict=True)
            )
            for parts in zip(*flat, strict=True)
        ]
        return sum(scores) / len(scores), keras.tree.pack_sequence_as(inputs, mean)

    return run


def _size(gradient: Tensor) -> Tensor:
    """The Euclidean length of the gradient of each picture: ``(batch,)``."""
    return ops.sqrt(ops.sum(gradient * gradient, axis=tuple(range(1, len(gradient.shape)))))


class Program:
    """Some steps, compiled.

    Args:
        gradient: Of what pictures are made from, or where *attends*, of that and of offsets that are added to the
            rendered pictures.
        remedied: The same through a network whose units let gradients through where they are off; taken for
            pictures that get none otherwise. None for no remedy.
        optimizer: Takes the steps.
        size: ``(batch, height, width)`` of the pictures.
        attends: Whether the sizes of the pictures' own gradients are added up.
        variables: What the network and the pull read.
        pull: ``(what pictures are made from, where in the course, what is given)`` -> the same of likelier pictures;
            None for no prior.
    """

    def __init__(
        self,
        gradient: Gradient,
        remedied: Gradient | None,
        optimizer: Optimizer,
        size: tuple[int, int, int],
        *,
        attends: bool,
        variables: Variables,
        pull: Callable[[Tensor, Course, Given], Tensor] | None = None,
    ) -> None:
        self.optimizer = optimizer
        self.size = size
        self._gradient = gradient
        self._remedied = remedied
        self._attends = attends
        self._pull = pull
        self._layout: Any = None
        self._run = backend.compile_chunk(self._flat, variables)

    def __call__(self, num_steps: int, course: Course, given: Given, state: State) -> tuple[State, Outcome]:
        """Take steps.

        Args:
            num_steps: How many, at most ``MOST_STEPS``.
            course: What changes from step to step, ``(MOST_STEPS,)`` each.
            given: For the steps; its views have ``MOST_STEPS`` in front.
            state: Where the pictures are.

        Returns:
            Where they are then, and what was found on the way.
        """
        given_to = (course, given, state)
        if self._layout is None:
            self._layout = keras.tree.map_structure(lambda _: 0, given_to)
        found = self._run(num_steps, *keras.tree.flatten(given_to))
        return State(list(found[:-3]), found[-3]), Outcome(found[-2], found[-1])

    def _flat(self, num_steps: Any, *arrays: Tensor) -> list[Tensor]:
        course, given, state = keras.tree.pack_sequence_as(self._layout, list(arrays))
        batch = self.size[0]
        # What goes in has lost its shape on the way, where a backend leaves shapes open.
        variables = [self.optimizer.variable, *self.optimizer.keras.variables]
        values = [ops.reshape(value, tuple(one.shape)) for value, one in zip(state.values, variables, strict=True)]
        haze = ops.reshape(given.haze, tuple(self.optimizer.variable.shape))

        def step(index: Any, carried: Any) -> Any:
            values, attention, scores, dead = carried
            here = Views(*(one[index] for one in given.views))
            now = given._replace(views=here, haze=course.thickness[index] * haze)
            inputs = (values[0], ops.zeros(self.size)[..., None]) if self._attends else values[0]
            found, down = self._climb(inputs, now)
            up, offsets = down if self._attends else (down, None)
            if offsets is not None:
                attention = attention + ops.abs(offsets[..., 0])
            steep = _normalized(up) if self.optimizer.normalizes else up
            moved = backend.current().descend(self.optimizer.keras, self.optimizer.variable, values, -steep)
            # A step is proportional to the learning rate, so this is the rate of the schedule.
            moved[0] = values[0] + course.share[index] * (moved[0] - values[0])
            if self._pull is not None:
                moved[0] = self._pull(moved[0], Course(*(one[index] for one in course)), now)
            this = ops.equal(ops.arange(MOST_STEPS), index)[:, None]
            scores = ops.where(this, ops.reshape(found, (1, batch)), scores)
            dead = ops.where(this, ops.reshape(_is_zero(up), (1, batch)), dead)
            return moved, attention, scores, dead

        nothing = ops.zeros((MOST_STEPS, batch))
        start = (values, ops.reshape(state.attention, self.size), nothing, ops.cast(nothing, "bool"))
        values, attention, scores, dead = ops.fori_loop(0, num_steps, step, start)
        return [*values, attention, scores, dead]

    def _climb(self, inputs: Any, now: Given) -> tuple[Tensor, Any]:
        scores, down = self._gradient(inputs, now)
        if self._remedied is None:
            return scores, down
        _, through = self._remedied(inputs, now)
        is_dead = _is_zero(keras.tree.flatten(down)[0])

        def either(own: Tensor, other: Tensor) -> Tensor:
            return ops.where(ops.reshape(is_dead, (-1, *[1] * (len(own.shape) - 1))), other, own)

        return scores, keras.tree.map_structure(either, down, through)


def _normalized(gradients: Tensor) -> Tensor:
    """Each picture's gradient with a root mean square of 1, or zero where it has none."""
    axes = tuple(range(1, len(gradients.shape)))
    largest = ops.max(ops.abs(gradients), axis=axes, keepdims=True)
    bounded = gradients / (largest + _LEAST)  # Squares of small numbers vanish.
    return bounded / (ops.sqrt(ops.mean(ops.square(bounded), axis=axes, keepdims=True)) + _LEAST)


def _is_zero(gradients: Tensor) -> Tensor:
    """For each picture of a batch, whether it has no gradient: ``(batch,)``."""
    return ops.equal(ops.max(ops.abs(gradients), axis=tuple(range(1, len(gradients.shape)))), 0.0)


class Draw(NamedTuple):
    """What one step is drawn.

    Attributes:
        views: How it sees the pictures.
        course: Where in the course of the run it is.
        stage: Steps of different stages do not share a chunk.
    """

    views: Views
    course: Course
    stage: int = 0


@dataclass(frozen=True, eq=False)
class OptimizedStep:
    """One finished step of a batch of pictures.

    Attributes:
        index: From 0.
        scores: ``(batch,)`` as they were before this step, in its view.
        state: After the last step of the chunk that this step belongs to.
        is_last: Whether this is that step.
    """

    index: int
    scores: FloatArray
    state: State
    is_last: bool


def optimize(
    programs: Callable[[int], Program],
    state: State,
    *,
    draws: Callable[[int], Draw],
    haze: FloatArray,
    field: FloatArray,
    numbers: Parameters,
    num_steps: int,
    own: Sequence[Any] = (),
    pause_every: int | None = None,
) -> Iterator[OptimizedStep]:
    """Climb, in chunks of steps that grow until one takes about half a second.

    Args:
        programs: The program for a step, by its index.
        state: Where to start.
        draws: What a step is drawn, by its index.
        haze: As what pictures are made from: noise that they are seen through, more or less of it.
        field: Noise for the views.
        numbers: Of the objectives, for each picture.
        num_steps: How many steps to take.
        own: The values of the variables that pictures are rendered with.
        pause_every: No chunk goes on past a multiple of this many steps, so that a picture can be had there.

    Yields:
        Each step, when its chunk is finished.
    """
    first, pace = 0, Pace(MOST_STEPS)
    while first < num_steps:
        drawn = [draws(first)]
        room = min(pace.length, num_steps - first, pause_every - first % pause_every if pause_every else num_steps)
        program = programs(first)
        while len(drawn) < room:
            following = draws(first + len(drawn))
            if following.stage != drawn[0].stage or programs(first + len(drawn)) is not program:
                break
            drawn.append(following)
        started = time.perf_counter()
        state, outcome = _take(program, drawn, state, Given(drawn[0].views, haze, field, numbers, own))
        scores = backend.to_host(outcome.scores)
        pace.took(len(drawn), time.perf_counter() - started)
        for offset in range(len(drawn)):
            yield OptimizedStep(first + offset, scores[offset], state, offset == len(drawn) - 1)
        first += len(drawn)


def evaluate(
    program: Program,
    state: State,
    draw: Draw,
    *,
    haze: FloatArray,
    field: FloatArray,
    numbers: Parameters,
    own: Sequence[Any] = (),
) -> Outcome:
    """What a step would find, without taking it: ``(batch,)`` scores, and which pictures have no gradient."""
    _, outcome = _take(program, [draw], state, Given(draw.views, haze, field, numbers, own))
    return Outcome(backend.to_host(outcome.scores)[0], ops.convert_to_numpy(outcome.is_dead)[0])


def _take(program: Program, drawn: list[Draw], state: State, given: Given) -> tuple[State, Outcome]:
    filled = [*drawn, *[drawn[-1]] * (MOST_STEPS - len(drawn))]
    views = Views(*(np.stack(arrays) for arrays in zip(*(draw.views for draw in filled), strict=True)))
    course = Course(*(np.array(numbers, np.float32) for numbers in zip(*(draw.course for draw in filled), strict=True)))
    return program(len(drawn), course, given._replace(views=views), state)
