"""Bilinear sampling with the right gradient, for backends whose own has another.

Must not import: networks, pictures, files.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from dreamer.backends.backend import Tensor


def warp(pictures: Tensor, matrix: Tensor) -> Tensor:
    """See :func:`dreamer.ascent.tile_view.warp`."""
    batch, height, width, channels = ops.shape(pictures)
    rows = ops.cast(ops.arange(height), "float32")[:, None]
    columns = ops.cast(ops.arange(width), "float32")[None, :]
    x = matrix[0] * columns + matrix[1] * rows + matrix[2]
    y = matrix[3] * columns + matrix[4] * rows + matrix[5]
    left, top = ops.floor(x), ops.floor(y)
    flat = ops.reshape(pictures, (batch * height * width, channels))
    first = ops.arange(batch)[:, None, None] * (height * width)

    def corner(row: Tensor, column: Tensor) -> Tensor:
        weight = (1 - ops.abs(y - row)) * (1 - ops.abs(x - column))
        place = _mirrored(row, height) * width + _mirrored(column, width)
        return ops.take(flat, first + place, axis=0) * weight[..., None]

    warped = corner(top, left) + corner(top, left + 1) + corner(top + 1, left) + corner(top + 1, left + 1)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return ops.where(inside[..., None], warped, ops.stop_gradient(warped))


def _mirrored(position: Tensor, length: Any) -> Tensor:
    """Which pixel is shown at a whole position that may lie beyond an edge."""
    around = ops.mod(ops.cast(position, "int32"), 2 * length)
    return ops.minimum(around, 2 * length - 1 - around)
