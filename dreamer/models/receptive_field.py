"""How much of the picture a unit of a layer sees, and how far its neighbour sees from it.

The one idea: both follow from the kernels and strides on the way from the picture. A kernel of size
k widens the field by ``(k - 1)`` strides of what is under it, and a stride multiplies the stride.

Must not import: which networks there are, nor anything about pictures or ascent.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from dreamer.models.layer_graph import Node

_WINDOWED = ("kernel_size", "pool_size")  # Where Keras's layers keep the size of their window.
_ENLARGING = ("Conv1DTranspose", "Conv2DTranspose", "UpSampling2D")
_EVERYWHERE = ("MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention")


class Field(NamedTuple):
    """What one unit of a layer sees.

    Attributes:
        size: Side of the square of the picture it sees, in pixels; None for the whole picture.
        stride: Pixels between what neighbouring units see; None where there are no positions left.
        context: Whether a summary of the whole picture reaches it besides, as through a
            squeeze-and-excitation gate.
    """

    size: int | None
    stride: Fraction | None
    context: bool = False


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
        found.append(_after(node, _meet(given)) if given else Field(1, Fraction(1)))
    return found


def _meet(given: Sequence[Field]) -> Field:
    """The field of what several branches are merged into."""
    local = [field for field in given if field.size is not None and field.stride is not None]
    if not local:
        return given[0]
    return Field(
        max(field.size or 0 for field in local),
        max(field.stride or Fraction(0) for field in local),
        context=any(field.context or field.size is None for field in given),
    )


def _after(node: Node, before: Field) -> Field:
    """The field of a layer's output, from that of its input."""
    if before.size is None or before.stride is None:
        return before
    if len(node.shape) != 3 or node.shape[:2] == (1, 1) or node.kind.startswith("Global"):
        return Field(None, None)
    if node.kind in _EVERYWHERE:
        return Field(None, before.stride)
    stride = Fraction(_first(getattr(node.layer, "strides", 1)))
    if node.kind in _ENLARGING:
        enlarge = _first(getattr(node.layer, "size", stride))
        return Field(before.size + int(before.stride * (_window(node.layer) - 1) / stride), before.stride / enlarge)
    return before._replace(
        size=before.size + int(before.stride * (_window(node.layer) - 1)), stride=before.stride * stride
    )


def _window(layer: Any) -> int:
    """Side of a layer's window on its input, dilation included; 1 for a layer without one."""
    size = next((_first(getattr(layer, name)) for name in _WINDOWED if hasattr(layer, name)), 1)
    return (size - 1) * _first(getattr(layer, "dilation_rate", 1)) + 1


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, Sequence) else value)
