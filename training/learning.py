"""Weights as one vector, and how it learns: AdamW, its rate along a cosine, the mean of the vectors kept.

The one idea: a step of learning is a pure function of arrays, so any backend compiles it together with whatever gives
the gradient. Each kernel counts in units of its own size, so that one rate suits small and large ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from dreamer.arrays import FloatArray
from dreamer.backends import backend

_LEAST_SIZE = 1e-3  # Of a kernel of zeros.


class Vector:
    """Keras's variables as one vector.

    Args:
        variables: Theirs are the units; they keep what they hold.

    Attributes:
        variables: The same.
        first: What they hold, as a vector.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        self.variables = list(variables)
        values = values_of(variables)
        self._sizes = [max(float(np.sqrt(np.mean(value**2))), _LEAST_SIZE) for value in values]
        self.first = self.of(values)

    def of(self, values: Sequence[FloatArray]) -> FloatArray:
        """Other values of the variables as a vector."""
        parts = [value.ravel() / size for value, size in zip(values, self._sizes, strict=True)]
        return np.asarray(np.concatenate(parts), np.float32)

    def arrays(self, vector: Any) -> list[Any]:
        """What each of the variables is by a vector, as tensors."""
        shapes = [tuple(variable.shape) for variable in self.variables]
        # Split and not sliced: the gradient of each slice would be a vector as long as all of them.
        parts = ops.split(vector, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1].tolist())
        return [ops.reshape(part, shape) * size for part, shape, size in zip(parts, shapes, self._sizes, strict=True)]

    def scope(self, vector: Any) -> Any:
        """A context in which the variables are as a vector says."""
        return keras.StatelessScope(state_mapping=list(zip(self.variables, self.arrays(vector), strict=True)))


def values_of(variables: Sequence[Any]) -> list[FloatArray]:
    """What variables hold, as arrays."""
    return [np.asarray(ops.convert_to_numpy(one.value), np.float32) for one in variables]


class Learning:
    """How a vector becomes another.

    Args:
        first: The vector before any step.
        learning_rate: The largest step, as a share of a kernel's size; it falls to 0 along a cosine.
        steps: After how many it does.
        warm_up: Steps until the rate is reached, at most a tenth of all.
        weight_decay: Share of a weight that is taken off, per step and learning rate.
        mean: How much of the mean of the vectors stays, per step.
        squares: How much of the mean of the squared gradients stays. Less, and one gradient out of the ordinary does
            less harm.

    Attributes:
        first: The state before any step: the vector, the optimizer's own arrays, the mean of the vectors.
    """

    def __init__(
        self,
        first: FloatArray,
        *,
        learning_rate: float,
        steps: int,
        warm_up: int = 50,
        weight_decay: float = 0.0,
        mean: float = 0.998,
        squares: float = 0.999,
    ) -> None:
        warm_up = min(warm_up, steps // 10)
        rate = (
            keras.optimizers.schedules.CosineDecay(
                0.0, steps - warm_up, warmup_target=learning_rate, warmup_steps=warm_up
            )
            if warm_up
            else keras.optimizers.schedules.CosineDecay(learning_rate, steps)
        )
        self._optimizer = keras.optimizers.AdamW(rate, weight_decay=weight_decay, beta_2=squares)
        self._variable = keras.Variable(first, name="weights")
        self._optimizer.build([self._variable])
        self._mean = mean
        own = [np.array(ops.convert_to_numpy(one.value)) for one in self._optimizer.variables]
        self.first: list[Any] = [first, *own, first]

    def following(self, state: Sequence[Any], gradient: Any) -> list[Any]:
        """The state after a step down a gradient, within a program."""
        vector, *own, mean = state
        shape = tuple(self._variable.shape)  # What goes into a program may have lost it on the way.
        moved = backend.current().descend(self._optimizer, self._variable, [ops.reshape(vector, shape), *own], gradient)
        return [*moved, self._mean * ops.reshape(mean, shape) + (1 - self._mean) * moved[0]]
