"""The array types that the whole package shares, and the one way to resize and to make grey.

Must not import anything of the package, nor anything heavier than NumPy and OpenCV.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
"""float32; a picture is ``(height, width, 3)`` RGB in [0, 1]."""

Size = tuple[int, int]
"""``(height, width)`` in pixels."""


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


def greyscale(picture: FloatArray) -> FloatArray:
    """A picture without its colours, as three equal channels.

    Args:
        picture: ``(height, width, 3)`` RGB in [0, 1]; left as it is.

    Returns:
        The same shape, each pixel as bright as it was (luma of ITU-R BT.601).

    Example:
        >>> greyscale(np.array([[[1, 0, 0]]], np.float32)).round(3).tolist()
        [[[0.29899999499320984, 0.29899999499320984, 0.29899999499320984]]]
    """
    return np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.float32)
