"""How much of a picture a unit looks at in effect, which is far less than it could see.

The one idea: what a unit could see follows from kernels and strides, but most of what it answers to lies near the
middle of that. So its gradient is looked at: the square about the middle that holds 95 hundredths of it. In
EfficientNet-Lite0's block5c that is 72 pixels of the 339 that a position could see, and a crop of them shows what the
unit answered to, where a crop of all would show the whole photo.

Must not import: anything about pictures or ascent.

References:
    Luo, Li, Urtasun and Zemel, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks",
    2016, arXiv:1701.04128.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from keras import ops

from dreamer.backends import backend
from dreamer.models.network import Network
from dreamer.models.positions import Positions

_HELD = 0.95  # Of the squared gradient.
_PICTURES = 4  # Of noise; photos give nearly the same.
_WIDEST = 2  # Times the network's own side that is looked at.
_SMALL = 48  # Pixels: a field of no more is taken whole.


def in_effect(network: Network, layer: str, where: Positions) -> Positions:
    """Positions that see what they look at in effect, not all that they could.

    Args:
        network: The network.
        layer: The layer.
        where: Its positions, on a picture of any size that the network sees as it is.

    Example:
        >>> where = network.positions(["block5c"], (224, 299))["block5c"]  # doctest: +SKIP
        >>> where.extent, in_effect(network, "block5c", where).extent  # doctest: +SKIP
        ((339.0, 339.0), (72.0, 72.0))
    """
    if where.extent is None or max(where.extent) <= _SMALL:
        return where
    side = reach(network, layer)
    return replace(where, extent=(min(where.extent[0], side), min(where.extent[1], side)))


@lru_cache(maxsize=256)
def reach(network: Network, layer: str) -> float:
    """The side in pixels of the square that a position in the middle of a layer looks at in effect.

    Args:
        network: The network.
        layer: A layer with positions.
    """
    extent = max(network.fields[layer].extent or network.graph.own_size)
    side = min(extent, _WIDEST * max(network.graph.own_size))
    size = network.sides([layer]).nearest(side, side)
    where = network.positions([layer], size)[layer]
    if where is None:
        return float(extent)
    row, column = (count // 2 for count in where.grid)
    run, variables = network.forward([layer]), network.variables([layer])

    def score(found: Any, given: Any) -> Any:
        return ops.sum(found[layer][:, row, column, :] * given[0], axis=-1)

    gradient = backend.current().gradient(lambda pictures, _given: run(pictures), score, variables)
    program = backend.compile_chunk(lambda pictures, *given: gradient(pictures, given)[1], variables)
    rng = np.random.default_rng(0)
    squared = np.zeros(size)
    for _ in range(_PICTURES):
        picture = rng.uniform(size=(1, *size, 3)).astype(np.float32)
        signs = rng.choice(np.array([-1, 1], np.float32), network.channels(layer))
        squared += np.square(backend.to_host(program(picture, signs))[0]).sum(axis=-1)
    return min(float(extent), _side(squared, where.middle(row, column)))


def _side(squared: Any, middle: tuple[float, float]) -> float:
    """The side of the square about a point that holds most of what is there."""
    height, width = squared.shape
    down, across = (np.abs(np.arange(length) + 0.5 - at) for length, at in zip((height, width), middle, strict=True))
    far = np.maximum(down[:, None], across[None])
    order = np.argsort(far, axis=None, kind="stable")
    held = np.cumsum(squared.ravel()[order])
    if not held[-1]:
        return float(max(height, width))  # Nothing reaches it, as where all units are off.
    return float(np.ceil(2 * far.ravel()[order][np.searchsorted(held, _HELD * held[-1])] + 1))
