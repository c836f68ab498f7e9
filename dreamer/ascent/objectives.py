"""What the ascent makes larger: scores of named activations, as values that add up.

The one idea: an :class:`Objective` is a value. Operators give new ones and leave their operands
alone, and the name always says what is computed, weights and signs included.

Must not import: networks, pictures, files. It sees activations, not where they come from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keras import ops

from dreamer.ascent.backend import Activations, Tensor


@dataclass(frozen=True)
class Objective:
    """A score per picture, to be made as large as possible.

    Attributes:
        name: What is computed, as a person would write it: ``"block5b - 0.5*block3a:7"``.
        layers: The layers whose activations it needs, and no others.
        score: Activations of those layers -> scores ``(batch,)``.

    Example:
        >>> (2 * layer("mixed3") - channel("mixed5", 7)).name
        '2*mixed3 - mixed5:7'
    """

    name: str
    layers: frozenset[str]
    score: Callable[[Activations], Tensor]

    def __add__(self, other: Objective) -> Objective:
        name = f"{self.name} - {other.name[1:]}" if other.name.startswith("-") else f"{self.name} + {other.name}"
        return Objective(name, self.layers | other.layers, lambda a: self.score(a) + other.score(a))

    def __sub__(self, other: Objective) -> Objective:
        return self + -1.0 * other

    def __neg__(self) -> Objective:
        return -1.0 * self

    def __mul__(self, weight: float) -> Objective:
        return Objective(_weighted(weight, self.name), self.layers, lambda a: weight * self.score(a))

    __rmul__ = __mul__


def _weighted(weight: float, name: str) -> str:
    if " " in name:
        name = f"({name})"
    if weight == 1:
        return name
    if weight == -1:
        return name[1:] if name.startswith("-") else f"-{name}"
    return f"{weight:g}*{name}"


def layer(name: str) -> Objective:
    """Score a layer by the mean square of its activations.

    Args:
        name: The layer.

    Returns:
        The objective; its gradient is that of the 2015 notebook's half squared norm, which the
        ascent normalises anyway, but its value does not grow with the picture.

    References:
        Mordvintsev, Olah and Tyka, "Inceptionism", 2015, and the notebook published with it.
    """
    return Objective(name, frozenset([name]), lambda a: _mean_square(a[name]))


def channel(name: str, index: int) -> Objective:
    """Score one channel of a layer by the mean square of its activations.

    Args:
        name: The layer.
        index: The channel, from 0.

    Returns:
        The objective, named ``"layer:index"``.
    """
    return Objective(f"{name}:{index}", frozenset([name]), lambda a: _mean_square(a[name][..., index : index + 1]))


def _mean_square(activation: Tensor) -> Tensor:
    return ops.mean(ops.square(activation), axis=tuple(range(1, len(activation.shape))))
