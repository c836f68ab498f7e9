"""Pictures whose opposite edges meet, so that they can be laid beside themselves: made so, resized so, measured.

The one idea: such a picture has no edges. What looks beyond its last column finds its first, so whatever is done to it
treats the place where the edges meet as any other.

Must not import anything of the package but the array types, nor anything heavier than NumPy and OpenCV.

References:
    Moisan, "Periodic plus Smooth Image Decomposition", Journal of Mathematical Imaging and Vision 39, 2011.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size, StoredArray, as_float, resize, strips

_BEND = -0.75  # Of the cubic curve between pixels, as OpenCV has it.


class Seams(NamedTuple):
    """How much the edges of a picture differ from what they meet, beside how much neighbours differ inside.

    Attributes:
        rows: The last row against the first, as a multiple of the mean difference of neighbouring rows.
        columns: The last column against the first, likewise.
    """

    rows: float
    columns: float


def seams(picture: StoredArray) -> Seams:
    """Measure the seams that a picture has where it is laid beside itself.

    Args:
        picture: ``(height, width, 3)`` RGB, as float32 or as it is stored.

    Returns:
        Mean absolute differences across the edges over those inside: about 1 where a seam is like any other place, and
        0 where the edges are equal.

    Example:
        >>> slope = np.linspace(0, 1, 11, dtype=np.float32)
        >>> found = seams(np.broadcast_to(slope[:, None, None], (11, 7, 3)))
        >>> round(found.rows, 3), found.columns
        (10.0, 0.0)
    """
    pixels = as_float(picture)
    return Seams(_seam(pixels), _seam(pixels.swapaxes(0, 1)))


def _seam(pixels: FloatArray) -> float:
    across = float(np.abs(pixels[0] - pixels[-1]).mean(dtype=np.float64))
    if across == 0:
        return 0.0
    inside = float(np.mean([np.abs(after - row).mean(dtype=np.float64) for row, after in pairwise(pixels)]))
    return across / inside if inside > 0 else float("inf")


def periodic(picture: StoredArray) -> FloatArray:
    """A picture with edges that meet: all of its detail, without the slow shading that would make a step there.

    Args:
        picture: ``(height, width, 3)`` RGB: float32 in [0, 1], or as it is stored; left as it is.

    Returns:
        A new array ``(height, width, 3)`` in [0, 1], of the same mean where nothing is clipped.

    References:
        Moisan, 2011: the periodic component, whose Laplacian inside is the picture's own.

    Example:
        >>> grain = np.random.default_rng(0).random((64, 48, 3), np.float32) / 5
        >>> shaded = grain + np.linspace(0, 0.8, 64, dtype=np.float32)[:, None, None]
        >>> seams(shaded).rows > 5, seams(periodic(shaded)).rows < 1.5
        (True, True)
    """
    found = np.empty(picture.shape, np.float32)
    for channel in range(picture.shape[2]):
        plane = as_float(picture[..., channel])
        found[..., channel] = plane - smooth_part(plane)
    return np.clip(found, 0, 1, out=found)


def smooth_part(plane: FloatArray) -> NDArray[np.float64]:
    """The slow shading of one channel that keeps its edges from meeting; the channel without it is periodic.

    Args:
        plane: ``(height, width)``.

    Returns:
        ``(height, width)`` of mean 0, in double precision: slow waves are divided by next to nothing.
    """
    height, width = plane.shape
    steps = np.zeros((height, width))
    down, across = plane[-1].astype(float) - plane[0], plane[:, -1].astype(float) - plane[:, 0]
    steps[0] += down
    steps[-1] -= down
    steps[:, 0] += across
    steps[:, -1] -= across
    waves = np.fft.rfft2(steps)
    rows = np.cos(2 * np.pi * np.arange(height) / height)
    columns = np.cos(2 * np.pi * np.arange(waves.shape[1]) / width)
    curvature = 2 * rows[:, None] + 2 * columns - 4
    curvature[0, 0] = 1  # Of the mean, which is 0 anyway.
    waves /= curvature
    waves[0, 0] = 0
    return np.fft.irfft2(waves, s=(height, width))


def margined(picture: FloatArray, margin: int) -> FloatArray:
    """A picture that goes on by so many pixels at each edge, with what lies at the opposite one.

    Example:
        >>> margined(np.arange(3, dtype=np.float32).reshape(1, 3, 1), 2)[0, :, 0].tolist()
        [1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0]
    """
    around = [(margin, margin), (margin, margin), *[(0, 0)] * (picture.ndim - 2)]
    return np.pad(picture, around, mode="wrap")


def resized(picture: FloatArray, size: Size) -> FloatArray:
    """Resize a picture whose edges meet, so that they still do, as :func:`dreamer.arrays.resize` does any other.

    Args:
        picture: ``(height, width, channels)``.
        size: The wanted ``(height, width)``.

    Returns:
        A new array of that size, or the picture itself where nothing changes. Values may overshoot by a little where
        it grows.

    Example:
        >>> resized(np.ones((4, 6, 3), np.float32), (7, 11)).shape
        (7, 11, 3)
    """
    height, width, channels = picture.shape
    if size[0] <= height and size[1] <= width:
        return resize(picture, size)  # An average, which looks at nothing beyond its own place.
    tall = np.empty((size[0], width, channels), np.float32)
    rows, row_weights = _between(height, size[0])
    for some in strips(size[0]):
        tall[some] = sum(
            weight[some, None, None] * picture[row[some]] for row, weight in zip(rows, row_weights, strict=True)
        )
    wide = np.empty((*size, channels), np.float32)
    columns, weights = _between(width, size[1])
    for some in strips(size[0]):
        strip = tall[some]
        wide[some] = sum(weight[:, None] * strip[:, column] for column, weight in zip(columns, weights, strict=True))
    return wide


def _between(length: int, wanted: int) -> tuple[NDArray[np.intp], FloatArray]:
    """For each pixel of a resized axis the four that it is made of, and how much each counts: ``(4, wanted)`` each."""
    place = (np.arange(wanted) + 0.5) * length / wanted - 0.5
    first = np.floor(place).astype(np.intp)
    past = place - first
    far, near = 1 + past, past
    weights = [_far(far), _near(near), _near(1 - near), _far(2 - past)]
    return (first + np.arange(-1, 3)[:, None]) % length, np.asarray(weights, np.float32)


def _near(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((_BEND + 2) * distance - (_BEND + 3)) * distance**2 + 1


def _far(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((_BEND * distance - 5 * _BEND) * distance + 8 * _BEND) * distance - 4 * _BEND
