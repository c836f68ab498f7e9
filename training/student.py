"""The student: a network whose weights are one vector, and the step that teaches it.

The one idea: a step is a pure function of arrays - the teacher's answers, the attack, the gradient with respect to
the weights, the optimizer - which any backend compiles into one program. Each kernel counts in units of its own size,
so that one rate suits small and large ones; statistics of batch normalisation stay as they are.

References:
    Engstrom et al., "Adversarial Robustness as a Prior for Learned Representations", 2019, arXiv:1906.00945.
    Wong, Rice and Kolter, "Fast is better than free", 2020, arXiv:2001.03994: one step from a random start.
    Goldblum et al., "Adversarially Robust Distillation", 2020, arXiv:1905.09747.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from dreamer.arrays import FloatArray
from dreamer.backends import backend
from dreamer.errors import ModelError
from dreamer.models.network import Network

_LEAST_SIZE = 1e-3  # Of a kernel of zeros.


@dataclass(frozen=True)
class Lesson:
    """How a student is taught.

    Attributes:
        radius: Of the ball of perturbations: the Euclidean length of all differences of all pixels in [0, 1].
        attack_steps: Steps of gradient by which the worst perturbation is looked for, from a random start.
        clean: How much the photo as it is counts, beside the perturbed one.
        learning_rate: The largest step, as a share of a kernel's size.
        weight_decay: Share of a weight that is taken off, per step and learning rate.
        mean: How much of the mean of the weights stays, per step.
        steps: After how many the learning rate reaches 0, along a cosine.
        warm_up: Steps until the rate is reached, at most a tenth of all.
    """

    radius: float
    attack_steps: int = 1
    clean: float = 0.3
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    mean: float = 0.998
    steps: int = 8000
    warm_up: int = 50


class Weights:
    """The weights of a network as one vector.

    Args:
        network: Of which they are; its own stay as they are.

    Raises:
        ModelError: It has no classifier.
    """

    def __init__(self, network: Network) -> None:
        if network.logits is None:
            raise ModelError(f"{network.spec.name} has no classifier; a student learns what a teacher says of photos")
        self.layer = network.logits
        self.model = network.model([self.layer])
        self.trained = list(self.model.trainable_variables)
        self._prepare = network.prepare()
        values = _values(self.trained)
        self._sizes = [max(float(np.sqrt(np.mean(value**2))), _LEAST_SIZE) for value in values]
        self.first = self._vector(values)

    def of(self, other: Network) -> FloatArray:
        """The vector by which this network would be another of the same layers.

        Raises:
            ModelError: The other has other layers.
        """
        values = _values(Weights(other).trained)
        if [value.shape for value in values] != [tuple(one.shape) for one in self.trained]:
            raise ModelError(f"{other.spec.name} has other layers than the teacher, so no student can start as it")
        return self._vector(values)

    def _vector(self, values: list[FloatArray]) -> FloatArray:
        return np.concatenate([value.ravel() / size for value, size in zip(values, self._sizes, strict=True)])

    def arrays(self, vector: Any) -> list[Any]:
        """What each of the ``trained`` variables is by a vector, as tensors."""
        shapes = [tuple(variable.shape) for variable in self.trained]
        # Split and not sliced: the gradient of each slice would be a vector as long as all of them.
        parts = ops.split(vector, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1].tolist())
        return [ops.reshape(part, shape) * size for part, shape, size in zip(parts, shapes, self._sizes, strict=True)]

    def logits(self, vector: Any, pictures: Any) -> Any:
        """What the network with these weights says of pictures ``(batch, height, width, 3)``: ``(batch, classes)``."""
        with keras.StatelessScope(state_mapping=list(zip(self.trained, self.arrays(vector), strict=True))):
            return self.model(self._prepare(pictures), training=False)[self.layer]


def _values(variables: list[Any]) -> list[FloatArray]:
    return [np.asarray(ops.convert_to_numpy(one.value), np.float32) for one in variables]


def cross_entropy(says: Any, logits: Any) -> Any:
    """Of what logits say with the probabilities that a teacher says, for each picture."""
    return -ops.sum(says * ops.log_softmax(logits, axis=-1), axis=-1)


def projected(difference: Any, radius: Any) -> Any:
    """Differences of pictures, each brought into the ball of a radius."""
    length = _length(difference)
    return difference * ops.minimum(1.0, radius / (length + 1e-12))


def _length(difference: Any) -> Any:
    return ops.sqrt(ops.sum(difference * difference, axis=(1, 2, 3), keepdims=True))


def optimizer_of(lesson: Lesson) -> keras.optimizers.Optimizer:
    """AdamW, its rate along a cosine."""
    warm_up = min(lesson.warm_up, lesson.steps // 10)
    if warm_up:
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, lesson.steps - warm_up, warmup_target=lesson.learning_rate, warmup_steps=warm_up
        )
    else:
        rate = keras.optimizers.schedules.CosineDecay(lesson.learning_rate, lesson.steps)
    return keras.optimizers.AdamW(rate, weight_decay=lesson.weight_decay)


class Teaching:
    """Steps of teaching as one compiled program.

    Args:
        network: The teacher.
        start: What the student starts as, a network of the same layers; the teacher itself where there is none.
        lesson: How it is taught.
        batch: Photos of a step.
        side: Pixels of their sides as the student sees them.
        larger: The same for the teacher.

    Attributes:
        weights: How a vector is the student.
        first: The state before any step: the vector, the optimizer's own arrays, the mean of the vectors.
    """

    def __init__(
        self, network: Network, lesson: Lesson, *, batch: int, side: int, larger: int, start: Network | None = None
    ) -> None:
        self.weights = Weights(network)
        self._lesson = lesson
        self._shapes = (batch, side, side, 3), (batch, larger, larger, 3)
        optimizer = optimizer_of(lesson)
        first = self.weights.first if start is None else self.weights.of(start)
        variable = keras.Variable(first, name="weights")
        optimizer.build([variable])
        own = [np.array(ops.convert_to_numpy(one.value)) for one in optimizer.variables]
        self.first: list[Any] = [first, *own, first]
        self._descend = lambda state, gradient: backend.current().descend(optimizer, variable, state, gradient)
        self._program = backend.compile_chunk(self._step_of(), list(self.weights.model.variables))

    def step(self, state: list[Any], seen: FloatArray, larger: FloatArray, start: FloatArray) -> tuple[Any, list[Any]]:
        """Take one.

        Args:
            state: As of :attr:`first`.
            seen: The photos, for the student.
            larger: The same, for the teacher.
            start: Where the attack begins: differences like ``seen``, within the ball.

        Returns:
            The mean loss of the perturbed photos before the step, and the state after it.
        """
        loss, *following = self._program(seen, larger, start, *state)
        return loss, following

    def _step_of(self) -> Callable[..., Any]:
        lesson, weights, (shape, larger_shape) = self._lesson, self.weights, self._shapes
        count = shape[0]
        teacher = ops.convert_to_tensor(weights.first)

        both = backend.current().gradient(
            lambda inputs, _: {"logits": weights.logits(inputs[1], inputs[0])},
            lambda found, answers: cross_entropy(answers, found["logits"]),
            (),
        )

        def step(seen: Any, larger: Any, start: Any, vector: Any, *rest: Any) -> tuple[Any, ...]:
            *own, mean = rest
            seen, difference = ops.reshape(seen, shape), ops.reshape(start, shape)
            vector, mean = ops.reshape(vector, weights.first.shape), ops.reshape(mean, weights.first.shape)
            answers = ops.softmax(weights.logits(teacher, ops.reshape(larger, larger_shape)), axis=-1)
            of_clean = None
            for _ in range(lesson.attack_steps):
                _, (of_pictures, of_weights) = both((ops.clip(seen + difference, 0, 1), vector), answers)
                # So near to the clean photo that what it teaches needs no pass of its own.
                of_clean = of_weights if of_clean is None else of_clean
                forward = of_pictures / (_length(of_pictures) + 1e-12)
                further = difference + 2 * lesson.radius / lesson.attack_steps * forward
                # The attack depends on the weights too, but is taken as it is: no gradient of a gradient.
                difference = ops.stop_gradient(projected(further, lesson.radius))
            losses, (_, of_perturbed) = both((ops.clip(seen + difference, 0, 1), vector), answers)
            gradient = (of_perturbed + lesson.clean * of_clean) / count
            vector, *own = self._descend([vector, *own], gradient)
            mean = lesson.mean * mean + (1 - lesson.mean) * vector
            return (ops.mean(losses), vector, *own, mean)

        return step


def random_start(shape: tuple[int, ...], radius: float, rng: np.random.Generator) -> FloatArray:
    """Differences in random directions, as long as a random share of the radius."""
    difference = rng.normal(size=shape).astype(np.float32)
    lengths = np.sqrt(np.sum(difference**2, axis=(1, 2, 3), keepdims=True))
    return np.asarray(difference / lengths * radius * rng.random((shape[0], 1, 1, 1), np.float32), np.float32)
