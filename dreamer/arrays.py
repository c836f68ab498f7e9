"""The array types that the whole package shares, and the one way to convert, to resize and to make grey.

A photo is kept as it is stored, often uint8, a quarter of what it takes as float32. What needs more than
that is done in strips of rows, so that no second picture of full size is made.

Must not import anything of the package but its errors, nor anything heavier than NumPy and OpenCV.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from dreamer.errors import ImageReadError

FloatArray = NDArray[np.float32]
"""float32; a picture is ``(height, width, 3)`` RGB in [0, 1]."""

StoredArray = NDArray[Any]
"""A picture as float32, or as it is stored: uint8 or uint16, whose largest value stands for 1."""

Size = tuple[int, int]
"""``(height, width)`` in pixels."""


def scaled(size: Size, share: float) -> Size:
    """A size a share as large, in whole pixels: the one way to round it.

    Example:
        >>> scaled((427, 640), 0.5), scaled((1, 640), 0.5)
        ((214, 320), (1, 320))
    """
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def fitted(size: Size, longest: int, *, enlarge: bool = False) -> Size:
    """A size of the same proportions whose longer side is no longer than so many pixels.

    Args:
        size: ``(height, width)``.
        longest: Pixels.
        enlarge: Make a smaller one that large, too.

    Example:
        >>> fitted((427, 640), 320), fitted((427, 640), 1000), fitted((427, 640), 1000, enlarge=True)
        ((214, 320), (427, 640), (667, 1000))
    """
    share = longest / max(size)
    return scaled(size, share if enlarge else min(1.0, share))


STRIP_ROWS = 64
"""Rows worked on at once, where a whole picture would take too much memory."""


def strips(height: int, rows: int = STRIP_ROWS) -> Iterator[slice]:
    """The rows of a picture in strips, from the top.

    Example:
        >>> list(strips(100))
        [slice(0, 64, None), slice(64, 100, None)]
    """
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def as_float(picture: StoredArray) -> FloatArray:
    """A picture, or a strip of it, as float32 in [0, 1]; one that is so already is not copied.

    Example:
        >>> as_float(np.array([[[0, 51, 255]]], np.uint8)).tolist()
        [[[0.0, 0.20000000298023224, 1.0]]]
    """
    if picture.dtype == np.float32:
        return np.ascontiguousarray(picture)
    converted = picture.astype(np.float32, order="C")
    # Divided, not multiplied by the inverse, so that rounding gives back every level.
    converted /= np.float32(np.iinfo(picture.dtype).max)
    return converted


def as_batch(pictures: Any) -> tuple[FloatArray, bool]:
    """Pictures as a batch of float32, and whether there was only one, not in a batch.

    Args:
        pictures: ``(height, width, 3)`` or ``(batch, height, width, 3)`` RGB: float in [0, 1], or uint8; anything
            that NumPy takes.

    Raises:
        ImageReadError: They have another shape, type or range.

    Example:
        >>> batch, is_one = as_batch(np.full((4, 6, 3), 255, np.uint8))
        >>> batch.shape, batch.max(), is_one
        ((1, 4, 6, 3), np.float32(1.0), True)
    """
    given = np.asarray(pictures)
    if given.ndim not in (3, 4) or given.shape[-1] != 3 or given.size == 0:
        raise ImageReadError(f"the array has shape {given.shape}; expected (height, width, 3), or a batch of those")
    is_one = given.ndim == 3
    check_levels(given)
    batch = given[None] if is_one else given
    return np.ascontiguousarray(
        batch if np.issubdtype(batch.dtype, np.floating) else as_float(batch), np.float32
    ), is_one


def check_levels(picture: NDArray[Any]) -> None:
    """Make sure that an array holds pictures: uint8 or uint16 levels, or numbers in [0, 1].

    Raises:
        ImageReadError: It holds something else.
    """
    if picture.dtype in (np.uint8, np.uint16):
        return
    if not np.issubdtype(picture.dtype, np.floating):
        raise ImageReadError(f"the array is {picture.dtype}; expected float32 in [0, 1] or uint8")
    low, high = float(picture.min()), float(picture.max())
    if not (low >= 0 and high <= 1):
        raise ImageReadError(f"the array ranges from {low:g} to {high:g}; expected [0, 1]. Divide it by 255?")


def as_stored(picture: FloatArray, dtype: DTypeLike) -> StoredArray:
    """The reverse of :func:`as_float`: values in [0, 1] rounded to uint8 or uint16, or left as float32.

    Example:
        >>> as_stored(np.array([[[0, 0.2, 1]]], np.float32), np.uint8).tolist()
        [[[0, 51, 255]]]
    """
    if np.dtype(dtype) == np.float32:
        return picture
    levels = picture * np.float32(np.iinfo(np.dtype(dtype)).max)
    return np.asarray(np.rint(levels, out=levels), dtype)


def resize(picture: NDArray[Any], size: Size) -> NDArray[Any]:
    """Resize, averaging when the picture shrinks and with cubic interpolation when it grows.

    Args:
        picture: ``(height, width)`` or ``(height, width, channels)``.
        size: The wanted ``(height, width)``.

    Returns:
        A new array of that size, or the picture itself where nothing changes. Values may leave
        [0, 1] by a little where cubic interpolation overshoots.

    Example:
        >>> resize(np.ones((4, 6, 3), np.float32), (2, 3)).shape
        (2, 3, 3)
    """
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    # Averaging takes every pixel into account, so nothing aliases; to grow, cubic is sharper than linear.
    shrinks = size[0] <= height and size[1] <= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=method), picture.dtype)


def resize_stored(picture: StoredArray, size: Size) -> StoredArray:
    """Resize a picture that may be stored as integers, without rounding and without a float copy of all of it.

    Args:
        picture: ``(height, width, 3)``.
        size: The wanted ``(height, width)``.

    Returns:
        float32 of that size; or the picture itself, as it is stored, where nothing changes.

    Example:
        >>> resize_stored(np.full((4, 6, 3), 255, np.uint8), (2, 3)).mean()
        np.float32(1.0)
    """
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    if size[0] > height or size[1] > width:
        return resize(as_float(picture), size)
    # An average over rows and columns is one over columns, which takes no other row, and then one over rows.
    narrow = np.empty((height, size[1], 3), np.float32)
    for rows in strips(height):
        narrow[rows] = resize(as_float(picture[rows]), (rows.stop - rows.start, size[1]))
    return resize(narrow, size)


LUMA: FloatArray = np.array([0.299, 0.587, 0.114], np.float32)
"""How bright red, green and blue are, by ITU-R BT.601."""


def greyscale(picture: StoredArray) -> FloatArray:
    """A picture without its colours, as three equal channels.

    Args:
        picture: ``(height, width, 3)`` RGB; left as it is.

    Returns:
        The same shape, each pixel as bright as it was (luma of ITU-R BT.601): one channel in memory, seen as
        three, so not to be written to.

    Example:
        >>> greyscale(np.array([[[1, 0, 0]]], np.float32)).round(3).tolist()
        [[[0.29899999499320984, 0.29899999499320984, 0.29899999499320984]]]
    """
    grey = np.empty((*picture.shape[:2], 1), np.float32)
    for rows in strips(len(grey)):
        grey[rows, :, 0] = cv2.cvtColor(as_float(picture[rows]), cv2.COLOR_RGB2GRAY)
    return np.broadcast_to(grey, picture.shape)
