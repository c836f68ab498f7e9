"""Where the positions of a layer lie on a picture: which pixel is the middle of what each of them sees.

The one idea: along each axis a layer's positions lie evenly, so two numbers say where all of them are: the middle of
the first and the distance of neighbours. Strides multiply the distance; windows and padding move the first; where
branches meet, what either sees counts. How much is padded depends on the size of the picture, so this is computed for
one size at a time.

Must not import: which networks there are, nor anything about pictures or ascent.

References:
    Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, section
    "Computing receptive field region in input image".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size, StoredArray

if TYPE_CHECKING:
    from dreamer.models.replay import Node

_WINDOWED = ("kernel_size", "pool_size")  # Where Keras's layers keep the size of their window.
_LEAST = 1e-6

Box = tuple[float, float, float, float]
"""``(top, left, height, width)``, in pixels or in shares of a picture."""


@dataclass(frozen=True)
class Axis:
    """The positions of a layer along one axis of a picture.

    Attributes:
        count: How many there are.
        first: The middle of what the first sees, in pixels from the picture's edge.
        stride: Pixels between the middles of neighbours.
        reach: Pixels that a position sees.
    """

    count: int
    first: float
    stride: float
    reach: float = 1.0

    def times(self, share: float) -> Axis:
        """The same on a picture that is so many times as long."""
        return Axis(self.count, self.first * share, self.stride * share, self.reach * share)

    def middle(self, place: float) -> float:
        """The middle of what a position sees, in pixels."""
        return self.first + place * self.stride

    def nearest(self, pixel: float) -> int:
        """The position whose middle is nearest to a point."""
        return int(np.clip(round((pixel - self.first) / self.stride), 0, self.count - 1))


@dataclass(frozen=True)
class Positions:
    """Where the positions of a layer lie on a picture of one size.

    Attributes:
        rows: Along the height.
        columns: Along the width.
        size: ``(height, width)`` of the picture in pixels.
        extent: ``(height, width)`` in pixels of what a position sees; None for all of the picture.

    Example:
        >>> where = Positions(Axis(3, 2.0, 4.0), Axis(4, 2.0, 4.0), (12, 16), (5, 5))
        >>> where.middle(1, 2), where.box(0, 0)
        ((6.0, 10.0), (0.0, 0.0, 4.5, 4.5))
    """

    rows: Axis
    columns: Axis
    size: Size
    extent: tuple[float, float] | None

    @property
    def grid(self) -> tuple[int, int]:
        """How many positions there are, down and across."""
        return self.rows.count, self.columns.count

    def middle(self, row: float, column: float) -> tuple[float, float]:
        """``(y, x)`` of the middle of what a position sees, in pixels."""
        return self.rows.middle(row), self.columns.middle(column)

    def nearest(self, y: float, x: float) -> tuple[int, int]:
        """The position whose middle is nearest to a point of the picture."""
        return self.rows.nearest(y), self.columns.nearest(x)

    def box(self, row: int, column: int) -> Box:
        """What a position sees of the picture, in pixels; what lies beyond its edges is cut off."""
        if self.extent is None:
            return 0.0, 0.0, float(self.size[0]), float(self.size[1])
        spans = [
            [min(max(0.0, end), float(side)) for end in (middle - reach / 2, middle + reach / 2)]
            for middle, reach, side in zip(self.middle(row, column), self.extent, self.size, strict=True)
        ]
        (top, bottom), (left, right) = spans
        return top, left, bottom - top, right - left

    def square(self, row: int, column: int, least: float = 0.0) -> Box:
        """A square around what a position sees, all within the picture, in pixels.

        Args:
            row: Of the position.
            column: Of the position.
            least: Pixels that it is to have at the least, so that one can recognise something.
        """
        if self.extent is None:
            return self.box(row, column)
        side = min(max(*self.extent, least), *self.size)
        corner = [
            float(np.clip(middle - side / 2, 0, whole - side))
            for middle, whole in zip(self.middle(row, column), self.size, strict=True)
        ]
        return corner[0], corner[1], side, side

    def on(self, size: Size) -> Positions:
        """The same on the picture at another size."""
        down, across = (new / old for new, old in zip(size, self.size, strict=True))
        return replace(
            self,
            rows=self.rows.times(down),
            columns=self.columns.times(across),
            size=size,
            extent=None if self.extent is None else (self.extent[0] * down, self.extent[1] * across),
        )

    def laid(self, values: NDArray[Any]) -> FloatArray:
        """Values of the positions, laid over the picture.

        Args:
            values: ``(rows, columns)``.

        Returns:
            ``(height, width)``: each value at the middle of what its position sees, and between them what lies
            between; beyond the outermost middles it goes on as it is.
        """
        down, across = (
            ((np.arange(side) + 0.5 - axis.first) / axis.stride).astype(np.float32)
            for axis, side in zip((self.rows, self.columns), self.size, strict=True)
        )
        x, y = np.meshgrid(across, down)
        given = np.asarray(values, np.float32)
        return np.asarray(cv2.remap(given, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def cut(pixels: StoredArray, box: Box) -> StoredArray:
    """The part of a picture in a box, a pixel at the least.

    Args:
        pixels: ``(height, width, 3)``.
        box: ``(top, left, height, width)`` in pixels.

    Example:
        >>> cut(np.zeros((9, 9, 3), np.uint8), (1.5, 2.0, 4.0, 0.2)).shape
        (5, 1, 3)
    """
    top, left = (min(int(start), side - 1) for start, side in zip(box[:2], pixels.shape, strict=False))
    bottom, right = max(top + 1, round(box[0] + box[2])), max(left + 1, round(box[1] + box[3]))
    return pixels[top:bottom, left:right]


def axes(nodes: Sequence[Node], shapes: Mapping[int, tuple[int, ...]], wanted: int) -> tuple[Axis, Axis]:
    """Where the positions of a node lie, on a picture whose sides the first node's shape says.

    Args:
        nodes: As :class:`~dreamer.models.layer_graph.LayerGraph` gives them, the picture first.
        shapes: Of the outputs of the node and of all that it depends on, without the batch.
        wanted: The index of the node.

    Returns:
        The rows and the columns, in pixels of the picture as the network is given it.
    """
    found: dict[int, tuple[Axis, Axis]] = {}
    height, width = shapes[0][:2]
    whole = Axis(1, height / 2, height, height), Axis(1, width / 2, width, width)
    for index in sorted(shapes):
        node, sides = nodes[index], shapes[index][:2]
        if not node.parents:
            found[index] = (Axis(sides[0], 0.5, 1.0), Axis(sides[1], 0.5, 1.0))
        elif len(shapes[index]) == 3:
            # What is made of numbers without positions, as a decoder makes its first, sees all of the picture.
            given = [found[parent] for parent in node.parents if parent in found] or [whole]
            found[index] = (_after(node, 0, given, sides[0]), _after(node, 1, given, sides[1]))
    return found[wanted]


def _after(node: Node, axis: int, given: Sequence[tuple[Axis, Axis]], count: int) -> Axis:
    """One axis of a layer's output, from those of its inputs."""
    before = _meet([one[axis] for one in given], count)
    layer, step = node.layer, before.stride
    if node.kind == "ZeroPadding2D":
        return replace(before, count=count, first=before.first - layer.padding[axis][0] * step)
    if node.kind == "Cropping2D":
        return replace(before, count=count, first=before.first + layer.cropping[axis][0] * step)
    window = next((_pair(getattr(layer, name), axis) for name in _WINDOWED if hasattr(layer, name)), None)
    if window is not None:
        jump = _pair(getattr(layer, "strides", None) or window, axis)
        reach = (window - 1) * _pair(getattr(layer, "dilation_rate", 1), axis) + 1
        turned = node.kind == "Conv2DTranspose"  # Then it is the input that has a place for each window.
        few, many = (before.count, count) if turned else (count, before.count)
        padding = max((few - 1) * jump + reach - many, 0) // 2 if layer.padding == "same" else 0
        first = (reach - 1) / 2 - padding
        if turned:
            seen = before.reach + (math.ceil(reach / jump) - 1) * step
            return Axis(count, before.first - first / jump * step, step / jump, seen)
        return Axis(count, before.first + first * step, step * jump, before.reach + (reach - 1) * step)
    # Whatever else changes how many there are spreads them evenly, as a resizing does.
    share = before.count / max(count, 1)
    blends = step if getattr(layer, "interpolation", "nearest") != "nearest" else 0.0
    return Axis(count, before.first + (share / 2 - 0.5) * step, step * share, before.reach + blends)


def _meet(given: Sequence[Axis], count: int) -> Axis:
    """The axis of what is merged: branches of as many positions; a summary of one position says nothing."""
    alike = [one for one in given if one.count == count] or [max(given, key=lambda one: one.count)]
    low, high = min(one.first - one.reach / 2 for one in alike), max(one.first + one.reach / 2 for one in alike)
    stride = float(np.mean([one.stride for one in alike]))
    return Axis(alike[0].count, (low + high) / 2, max(stride, _LEAST), high - low)


def _pair(value: Any, axis: int) -> int:
    return int(value[axis if len(value) > 1 else 0]) if isinstance(value, Sequence) else int(value)
