"""How a network sees photos of any size, and how far a photo is from being taken for another class.

The one idea: resizing to what the network sees is part of the program whose gradient is taken, as two matrices, so a
change is found in the photo's own pixels. All is computed in float32, with the network's true gradient.

Must not import: dreams, visualizations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size
from dreamer.backends import backend
from dreamer.errors import UnknownClassError
from dreamer.models.network import Network, Prediction, probabilities
from dreamer.models.resampling import matrix

_NEVER = 1e9  # Taken off a logit that is not looked at.
_BEYOND = 1e-3  # So far a score is to be beyond the goal: the last digits are not the same everywhere.

Through = Callable[[FloatArray], FloatArray]
"""What becomes of levels ``(height, width, 3)`` on their way to the network, as by a JPEG."""


class Classifier:
    """A network that says of photos of any size which class they show.

    Args:
        network: Its logits are looked at.

    Raises:
        UnknownClassError: It has no classifier.
    """

    def __init__(self, network: Network) -> None:
        if network.logits is None:
            raise UnknownClassError(f"{network.spec.name} has no classifier, so there is nothing to be fooled")
        if network.channels(network.logits) < 2:
            raise UnknownClassError(
                f"{network.spec.name} has a single class, so there is nothing else that it could see"
            )
        self.network = network
        self._logits = network.logits
        # As it was published: what is folded to be quick may answer otherwise in the last digits.
        self._whole = network.model([self._logits])
        self._prepare = network.prepare()
        variables = network.variables([self._logits])
        self._gradient = backend.compile_chunk(self._program(), variables)

    @property
    def classes(self) -> int:
        """How many it knows."""
        return self.network.channels(self._logits)

    def sees(self, size: Size) -> Size:
        """The size at which it sees a photo of a size, as ``Network.seen_at`` says."""
        return self.network.seen_at(self._logits, size)

    def logits(self, levels: NDArray[Any]) -> NDArray[np.float64]:
        """What it says of a photo: ``(classes,)``.

        Args:
            levels: ``(height, width, 3)``, 0 to 255.
        """
        rows, columns = self.matrices(levels.shape[:2])
        seen = np.einsum("yh,hwc,xw->yxc", rows, np.asarray(levels, np.float32) / 255, columns, optimize=True)
        found = self._whole(self._prepare(ops.convert_to_tensor(seen[None])), training=False)[self._logits]
        return np.asarray(ops.convert_to_numpy(found)[0], np.float64)

    def matrices(self, size: Size) -> tuple[FloatArray, FloatArray]:
        """How rows and columns of a photo are resized."""
        rows, columns = (
            np.asarray(ops.convert_to_numpy(matrix(new, old, "float32")), np.float32)
            for new, old in zip(self.sees(size), size, strict=True)
        )
        return rows, columns

    def predictions(self, logits: NDArray[np.float64], indices: Sequence[int]) -> tuple[Prediction, ...]:
        """What the logits say of some classes."""
        return self.network.called(probabilities(logits), indices)

    def ascent(
        self, pictures: FloatArray, matrices: tuple[FloatArray, FloatArray], goal: Goal
    ) -> tuple[FloatArray, FloatArray]:
        """Scores of pictures, and their gradients.

        Args:
            pictures: ``(batch, height, width, 3)`` in [0, 1].
            matrices: As :meth:`matrices` gives them.
            goal: What is wanted.

        Returns:
            Scores ``(batch,)``, above 0 where it is reached, and gradients like the pictures.
        """
        given = [
            *matrices,
            goal.wanted.astype(np.float32),
            np.float32(goal.odds or 0),
            np.float32(goal.odds is not None),
        ]
        scores, gradients = self._gradient(np.asarray(pictures, np.float32), *given)
        return backend.to_host(scores), backend.to_host(gradients)

    def _program(self) -> Callable[..., Any]:
        run, logits = self.network.forward([self._logits]), self._logits

        def seen(pictures: Any, given: Any) -> Any:
            rows, columns, *_ = given
            return run(ops.einsum("yh,bhwc,xw->byxc", rows, pictures, columns))

        def score(activations: Any, given: Any) -> Any:
            _, _, wanted, odds, is_sure = given
            found = activations[logits]
            best = ops.max(found - _NEVER * (1 - wanted), axis=-1)
            others = found - _NEVER * wanted
            margin = best - ops.max(others, axis=-1)
            # Of several that are wanted one is to have the odds, so the others of them count as the rest does.
            is_best = ops.cast(ops.equal(found * wanted, best[:, None] * wanted), "float32") * wanted
            rest = ops.logsumexp(found - _NEVER * is_best, axis=-1)
            return ops.where(is_sure > 0, best - rest - odds, margin)

        gradient = backend.current().gradient(seen, score, self.network.variables([self._logits]))

        def program(pictures: Any, *given: Any) -> tuple[Any, Any]:
            return gradient(pictures, given)

        return program


@dataclass(frozen=True, eq=False)
class Goal:
    """What a network is to say of a photo.

    Attributes:
        wanted: ``(classes,)``: the classes that count.
        confidence: The probability that one of them is to have; None for more than all others.
    """

    wanted: NDArray[np.bool_]
    confidence: float | None = None

    @property
    def odds(self) -> float | None:
        """The logarithm of the odds that one of the classes is to have."""
        return None if self.confidence is None else float(np.log(self.confidence / (1 - self.confidence)))

    def is_reached(self, logits: NDArray[np.float64]) -> bool:
        """Whether a network says so."""
        best = int(logits.argmax())
        share = 1 / np.exp(logits - logits[best]).sum()
        return bool(self.wanted[best]) and (self.confidence is None or bool(share >= self.confidence))


class Sight:
    """A photo as a classifier sees it, and what it is to say of it.

    Args:
        classifier: Who looks.
        size: ``(height, width)`` of the photo.
        goal: What is wanted.
        through: What else may become of the photo on its way; what counts is the worst of all, and of none of it.
        on_step: Told how often the gradient was asked for.

    Attributes:
        steps: How often the gradient was asked for.
    """

    def __init__(
        self,
        classifier: Classifier,
        size: Size,
        goal: Goal,
        through: Sequence[Through] = (),
        on_step: Callable[[int], None] | None = None,
    ) -> None:
        self._classifier, self._goal, self._through, self._on_step = classifier, goal, through, on_step
        self._matrices = classifier.matrices(size)
        self.steps = 0

    def gradient(self, levels: FloatArray) -> tuple[float, FloatArray]:
        """How far the photo is beyond the goal, and the gradient of that.

        Args:
            levels: ``(height, width, 3)``, 0 to 255.

        Returns:
            The score, above 0 where the goal is reached, and what a level more of each pixel adds to it.
        """
        self.steps += 1
        scores, gradients = self._classifier.ascent(
            np.asarray(self._views(levels) / 255, np.float32), self._matrices, self._goal
        )
        if self._on_step is not None:
            self._on_step(self.steps)
        worst = int(scores.argmin())
        return float(scores[worst]) - _BEYOND, gradients[worst] / 255

    def fools(self, levels: FloatArray) -> bool:
        """Whether the goal is reached, by the network as it was published."""
        return all(self._goal.is_reached(self._classifier.logits(view)) for view in self._views(levels))

    def _views(self, levels: FloatArray) -> FloatArray:
        views = [levels, *(one(levels) for one in self._through)]
        return np.asarray(np.stack(views), np.float32)
