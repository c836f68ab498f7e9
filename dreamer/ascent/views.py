"""Views of a picture that is being optimized: crops, shifts, magnifications, blurs and turns.

The one idea: all of these but the turn can be told apart into rows and columns. So a view is two small
matrices drawn on the host, one that makes its rows from the picture's and one its columns, and seeing is two
matrix products: exact in its gradient, free of aliasing, of any size, and the same on every backend.

Must not import: networks, files.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from keras import ops
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size
from dreamer.ascent import tile_view
from dreamer.backends.backend import Tensor
from dreamer.transforms import Transforms

_GREY = 0.5
_LEAST_WEIGHT = 1e-6
NOISE_SIDE = 512
"""Side of the field of noise that views take theirs from, in pixels."""


class Views(NamedTuple):
    """How one step sees pictures, or with one more axis in front, several.

    Attributes:
        rows: ``(views, height of a view, height of a picture)``: each row of a view from those of the picture.
        columns: ``(views, width of a view, width of a picture)``: the same for columns.
        matrices: ``(views, 8)``: the turn, as ``transforms.warp`` takes it.
        noise: ``(views,)``: how much noise is added.
        noise_rows: ``(views, height of a view)``: which rows of the field of noise.
        noise_columns: ``(views, width of a view)``: which columns of it.
    """

    rows: FloatArray
    columns: FloatArray
    matrices: FloatArray
    noise: FloatArray
    noise_rows: NDArray[np.int32]
    noise_columns: NDArray[np.int32]


def draw(how: Transforms, rng: np.random.Generator, *, size: Size, seen: Size, progress: float) -> Views:
    """Draw the views of a step.

    Args:
        how: The transforms.
        rng: Where chance comes from; the same number of draws is taken whatever the transforms are.
        size: ``(height, width)`` of the picture.
        seen: ``(height, width)`` of a view.
        progress: How far the run is, in [0, 1].
    """
    return _stack([_one(how, rng, size, seen, progress) for _ in range(how.views)])


def whole(size: Size, seen: Size, views: int) -> Views:
    """All of the picture, as it is."""
    return draw(Transforms(views=views), np.random.default_rng(0), size=size, seen=seen, progress=1.0)


def _stack(views: list[Views]) -> Views:
    return Views(*(np.stack(arrays) for arrays in zip(*views, strict=True)))


def _one(how: Transforms, rng: np.random.Generator, size: Size, seen: Size, progress: float) -> Views:
    zoom, turns, turn, mirror = rng.uniform(-1, 1, 4)
    jitters, centre = rng.uniform(-1, 1, (len(how.jitter), 2)), rng.normal(size=2)
    offsets = rng.integers(0, NOISE_SIDE, 2)

    # Evenly distributed is what is seen of the picture.
    magnification = 1 / _between((1 / how.scale[0], 1 / how.scale[1]), (zoom + 1) / 2)
    share = _between(how.crop, progress)
    axes = []
    for axis in (0, 1):
        window = share * (size[axis] + 2 * how.pad) / magnification
        room = max((size[axis] - window) / 2, 0)
        middle = np.clip(centre[axis] * how.crop_spread * size[axis], -room, room)
        shift = middle + sum(jitter * one[axis] for jitter, one in zip(how.jitter, jitters, strict=True))
        axes.append(
            _along(
                size[axis],
                seen[axis],
                window,
                shift,
                blur=how.blur * (1 - progress),
                mirrored=how.pad == 0 and not how.border,
            )
        )
    if (mirror + 1) / 2 < how.flip:
        axes[1] = np.ascontiguousarray(axes[1][::-1])
    degrees = float(turn * how.rotate) if (turns + 1) / 2 >= how.still else 0.0
    noise_rows, noise_columns = (
        ((np.arange(out) + offset) % NOISE_SIDE).astype(np.int32) for out, offset in zip(seen, offsets, strict=True)
    )
    return Views(
        axes[0],
        axes[1],
        tile_view.View((0, 0), degrees).matrix(seen),
        np.array(_between(how.noise, progress), np.float32),
        noise_rows,
        noise_columns,
    )


def _between(ends: tuple[float, ...], progress: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * progress


def _along(length: int, out: int, window: float, shift: float, *, blur: float, mirrored: bool) -> FloatArray:
    """One axis of a view: where its pixels lie on the picture, and what each takes from it.

    Each is a linear interpolation, widened where the view is coarser than the picture, so nothing aliases.

    Args:
        length: Of the picture.
        out: Of the view.
        window: What the view covers, in pixels of the picture.
        shift: Of its centre from the picture's.
        blur: Standard deviation, in pixels of the view.
        mirrored: Whether the picture goes on beyond its edges as its mirror image, or is grey there.

    Returns:
        ``(out, length)``.
    """
    step = window / out
    places = (length - window) / 2 + shift + (np.arange(out) + 0.5) * step - 0.5
    if mirrored:
        around = np.mod(places + 0.5, 2 * length)
        places = np.minimum(around, 2 * length - around) - 0.5
    reach = max(step, 1.0)
    weights = np.maximum(0, 1 - np.abs(np.arange(length) - places[:, None]) / reach)
    total = weights.sum(axis=1, keepdims=True)
    beyond = ((places < -0.5) | (places > length - 0.5))[:, None]
    # Inside, weights add up to one; across an edge a view fades to grey, which is 0 here.
    weights /= np.where(beyond, np.maximum(total, reach), np.maximum(total, _LEAST_WEIGHT))
    if blur > 0:
        weights = cv2.GaussianBlur(weights, (1, 2 * math.ceil(3 * blur) + 1), sigmaX=1, sigmaY=blur)
    return np.asarray(weights, np.float32)


def see(pictures: Tensor, views: Views, field: Tensor, *, count: int, turns: bool, noisy: bool) -> Tensor:
    """Look at pictures.

    Args:
        pictures: ``(batch, height, width, 3)`` in [0, 1], of a known shape.
        views: Of one step.
        field: ``(NOISE_SIDE, NOISE_SIDE, 3)``, normally distributed.
        count: How many views there are.
        turns: Whether any view is turned; otherwise its matrix is not looked at.
        noisy: Whether noise is added.

    Returns:
        ``(batch * views, height, width, 3)`` of the views' size, the views of a picture one after the other.
        What lies beyond the picture is grey.
    """
    found = [_seen(pictures, views, field, index, turns=turns, noisy=noisy) for index in range(count)]
    if count == 1:
        return found[0]
    together = ops.stack(found, axis=1)
    return ops.reshape(together, (-1, *ops.shape(together)[2:]))


def _seen(pictures: Tensor, views: Views, field: Tensor, index: int, *, turns: bool, noisy: bool) -> Tensor:
    batch, height, width, colors = pictures.shape
    rows, columns = views.rows[index], views.columns[index]
    tall, wide = ops.shape(rows)[0], ops.shape(columns)[0]
    down = ops.matmul(ops.reshape(rows, (-1, height)), ops.reshape(pictures - _GREY, (batch, height, width * colors)))
    across = ops.matmul(ops.reshape(columns, (-1, width)), ops.reshape(down, (-1, width, colors)))
    seen = ops.reshape(across, (batch, tall, wide, colors)) + _GREY
    if turns:
        seen = tile_view.warp(seen, ops.reshape(views.matrices[index], (8,)))
    if noisy:
        noise = ops.take(ops.take(field, views.noise_rows[index], axis=0), views.noise_columns[index], axis=1)
        seen = seen + views.noise[index] * noise
    return seen
