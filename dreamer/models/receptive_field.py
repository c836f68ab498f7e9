"""How much of the picture a unit of a layer sees, and how far its neighbour sees from it.

The one idea: both follow from the kernels and strides on the way from the picture. A kernel of size
k widens the field by ``(k - 1)`` strides of what is under it, and a stride multiplies the stride.

Must not import: which networks there are, nor anything about pictures or ascent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from dreamer.models.replay import Node

_WINDOWED = ("kernel_size", "pool_size")  # Where Keras's layers keep the size of their window.
_EVERYWHERE = ("MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention")

Pair = tuple[int, int]


class Field(NamedTuple):
    """What one unit of a layer sees.

    Attributes:
        extent: ``(height, width)`` of the part of the picture it sees, in pixels; None for all of it.
        stride: Pixels between what neighbouring units see; None where there are no positions left.
        context: Whether a summary of the whole picture reaches it besides, as through a
            squeeze-and-excitation gate.
    """

    extent: Pair | None
    stride: Fraction | None
    context: bool = False

    @property
    def size(self) -> int | None:
        """The longer side of the extent; None for the whole picture."""
        return max(self.extent) if self.extent else None


def fields(nodes: Sequence[Node]) -> list[Field]:
    """The receptive field of every node, in their order.

    Args:
        nodes: As :class:`~dreamer.models.layer_graph.LayerGraph` gives them, the picture first.

    Returns:
        As many fields. Where branches meet, the widest counts.

    References:
        Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
        Distill 2019.

    Example:
        >>> picture = keras.Input((None, None, 3))
        >>> conv = keras.layers.Conv2D(4, 5, strides=2, name="conv")
        >>> pool = keras.layers.MaxPooling2D(3, 2, name="pool")
        >>> a = conv(picture)
        >>> nodes = [Node("", None, (), picture), Node("conv", conv, (0,), a), Node("pool", pool, (1,), pool(a))]
        >>> [(field.size, int(field.stride)) for field in fields(nodes)]
        [(1, 1), (5, 2), (9, 4)]
    """
    found: list[Field] = []
    for node in nodes:
        given = [found[parent] for parent in node.parents]
        found.append(_after(node, _meet(given)) if given else Field((1, 1), Fraction(1)))
    return found


def _meet(given: Sequence[Field]) -> Field:
    """The field of what several branches are merged into."""
    local = [(field.extent, field.stride) for field in given if field.extent and field.stride]
    if not local:
        return given[0]
    return Field(
        (max(extent[0] for extent, _ in local), max(extent[1] for extent, _ in local)),
        max(stride for _, stride in local),
        context=any(field.context or field.extent is None for field in given),
    )


def _after(node: Node, before: Field) -> Field:
    """The field of a layer's output, from that of its input."""
    if len(node.shape) < 2 or node.shape[:2] == (1, 1) or node.kind.startswith("Global"):
        return Field(None, None)
    if before.extent is None or before.stride is None:
        return before
    if node.kind in _EVERYWHERE:
        return Field(None, before.stride)
    stride = _pair(getattr(node.layer, "strides", 1))
    window = _window(node.layer)
    if node.kind == "Conv2DTranspose":
        reach = [math.ceil(side / step) - 1 for side, step in zip(window, stride, strict=True)]
        return _wider(before, reach, before.stride / stride[0])
    if node.kind == "UpSampling2D":
        blends = int(node.layer.interpolation != "nearest")
        return _wider(before, [blends, blends], before.stride / _pair(node.layer.size)[0])
    return _wider(before, [side - 1 for side in window], before.stride * stride[0])


def _wider(before: Field, units: Sequence[int], stride: Fraction) -> Field:
    """A field that reaches so many units of the layer below further."""
    height, width = before.extent or (1, 1)
    step = before.stride or Fraction(1)
    return before._replace(extent=(height + int(step * units[0]), width + int(step * units[1])), stride=stride)


def _window(layer: Any) -> Pair:
    """Height and width of a layer's window on its input, dilation included; 1 for a layer without one."""
    size = next((_pair(getattr(layer, name)) for name in _WINDOWED if hasattr(layer, name)), (1, 1))
    dilation = _pair(getattr(layer, "dilation_rate", 1))
    return (size[0] - 1) * dilation[0] + 1, (size[1] - 1) * dilation[1] + 1


def _pair(value: Any) -> Pair:
    return (int(value[0]), int(value[-1])) if isinstance(value, Sequence) else (int(value), int(value))
