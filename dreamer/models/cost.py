"""What a gradient costs at the least: operations to compute, numbers to move through memory.

The one idea: a machine has two limits, the rate of its matrix products and the bandwidth of its
memory. Either count, divided by its limit, is a time that no program goes below; the larger of the
two says which limit a network is bound by.

Must not import: anything about pictures or ascent.

References:
    Williams, Waterman and Patterson, "Roofline: an insightful visual performance model", 2009.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from dreamer.models.layer_graph import Shape
from dreamer.models.replay import Node

_FUSED = ("ReLU", "Activation")  # Computed with the convolution before it on the way up, alone on the way down.
_FREE = ("Identity", "Dropout", "InputLayer", "Flatten", "Reshape")


class Cost(NamedTuple):
    """The least that a gradient with respect to one picture costs.

    Attributes:
        operations: Multiplications and additions, up to the layers and down again.
        numbers_moved: Numbers read and written, if each layer reads its inputs and writes its output once.
        numbers_kept: Numbers kept on the way up, since the way down needs them.
    """

    operations: float
    numbers_moved: float
    numbers_kept: float


def cost(nodes: Sequence[Node], shapes: Mapping[int, Shape], picture: Shape, folded: Collection[int]) -> Cost:
    """Count what a gradient costs.

    Args:
        nodes: The layers of a network; the first is the picture.
        shapes: Of each layer that is computed, by its index, the shape of what it gives, without the batch.
        picture: The picture's shape.
        folded: Indices of layers that are folded into the one before, and so cost nothing.

    Returns:
        The counts. The gradient with respect to a layer's input takes as many operations as its output.
    """
    operations = moved = kept = 0.0
    for index, shape in shapes.items():
        node = nodes[index]
        if index in folded or node.kind in _FREE:
            continue
        inputs = [shapes.get(parent, picture) for parent in node.parents]
        given, made = sum(map(math.prod, inputs)), math.prod(shape)
        # A transposed convolution applies its kernel where its input is.
        operations += 2 * 2 * _multiplications(node, inputs[0] if node.kind == "Conv2DTranspose" else shape)
        moved += _moved(node.kind, given, made)
        kept += made
    return Cost(operations, moved, kept)


def _multiplications(node: Node, shape: Shape) -> float:
    weights = getattr(node.layer, "weights", ())
    kernels = [math.prod(weight.shape) for weight in weights if "kernel" in weight.name]
    return float(math.prod(shape[:-1]) * sum(kernels))


def _moved(kind: str, given: int, made: int) -> float:
    if kind in _FUSED:
        return 3.0 * made  # The gradient is read, and what was made; the gradient is written.
    return 2.0 * (given + made)
