"""The student: a network whose weights are one vector, and the step that teaches it.

The one idea: a step is a pure function of arrays - the teacher's answers, the attack, the gradient with respect to
the weights, the optimizer - which any backend compiles into one program. Statistics of batch normalisation stay as
they are.

References:
    Engstrom et al., "Adversarial Robustness as a Prior for Learned Representations", 2019, arXiv:1906.00945.
    Wong, Rice and Kolter, "Fast is better than free", 2020, arXiv:2001.03994: one step from a random start.
    Goldblum et al., "Adversarially Robust Distillation", 2020, arXiv:1905.09747.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from dreamer.arrays import FloatArray
from dreamer.backends import backend
from dreamer.errors import ModelError
from dreamer.models.network import Network
from training.learning import Learning, Vector, values_of


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
        self.vector = Vector(self.trained)

    def of(self, other: Network) -> FloatArray:
        """The vector by which this network would be another of the same layers.

        Raises:
            ModelError: The other has other layers.
        """
        values = values_of(Weights(other).trained)
        if [value.shape for value in values] != [tuple(one.shape) for one in self.trained]:
            raise ModelError(f"{other.spec.name} has other layers than the teacher, so no student can start as it")
        return self.vector.of(values)

    def logits(self, vector: Any, pictures: Any) -> Any:
        """What the network with these weights says of pictures ``(batch, height, width, 3)``: ``(batch, classes)``."""
        with self.vector.scope(vector):
            return self.model(self._prepare(pictures), training=False)[self.layer]


def cross_entropy(says: Any, logits: Any) -> Any:
    """Of what logits say with the probabilities that a teacher says, for each picture."""
    return -ops.sum(says * ops.log_softmax(logits, axis=-1), axis=-1)


def projected(difference: Any, radius: Any) -> Any:
    """Differences of pictures, each brought into the ball of a radius."""
    length = _length(difference)
    return difference * ops.minimum(1.0, radius / (length + 1e-12))


def _length(difference: Any) -> Any:
    return ops.sqrt(ops.sum(difference * difference, axis=(1, 2, 3), keepdims=True))


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
        self._learning = Learning(
            self.weights.vector.first if start is None else self.weights.of(start),
            learning_rate=lesson.learning_rate,
            steps=lesson.steps,
            warm_up=lesson.warm_up,
            weight_decay=lesson.weight_decay,
            mean=lesson.mean,
        )
        self.first = self._learning.first
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
        teacher = ops.convert_to_tensor(weights.vector.first)

        both = backend.current().gradient(
            lambda inputs, _: {"logits": weights.logits(inputs[1], inputs[0])},
            lambda found, answers: cross_entropy(answers, found["logits"]),
            (),
        )

        def step(seen: Any, larger: Any, start: Any, *state: Any) -> tuple[Any, ...]:
            seen, difference = ops.reshape(seen, shape), ops.reshape(start, shape)
            vector = ops.reshape(state[0], weights.vector.first.shape)
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
            return (ops.mean(losses), *self._learning.following(state, gradient))

        return step


def random_start(shape: tuple[int, ...], radius: float, rng: np.random.Generator) -> FloatArray:
    """Differences in random directions, as long as a random share of the radius."""
    difference = rng.normal(size=shape).astype(np.float32)
    lengths = np.sqrt(np.sum(difference**2, axis=(1, 2, 3), keepdims=True))
    return np.asarray(difference / lengths * radius * rng.random((shape[0], 1, 1, 1), np.float32), np.float32)
