"""Pictures magnified and turned about a point, which stays where it is.

Must not import: networks, files, the command line.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from dreamer.arrays import FloatArray, Size
from dreamer.dreaming.framing import MIDDLE, Point


def magnified(picture: FloatArray, zoom: float, turn: float = 0.0, focus: Point = MIDDLE) -> FloatArray:
    """A part of a picture, as large as the whole.

    Args:
        picture: ``(height, width, 3)`` in [0, 1].
        zoom: How much larger things become, 1 or more.
        turn: Degrees, clockwise. What comes in from beyond the borders is the picture mirrored at them.
        focus: The point that stays where it is.
    """
    return moved(picture, (picture.shape[0], picture.shape[1]), zoom, turn, focus)


def moved(picture: FloatArray, size: Size, zoom: float, turn: float, focus: Point) -> FloatArray:
    """A picture magnified and turned about a point.

    Args:
        picture: ``(height, width, 3)`` in [0, 1], of any size: it stands for one of *size*.
        size: ``(height, width)`` of the result.
        zoom: How much larger things become; below 1 they become smaller, and mirrors of the picture lie around it.
        turn: Degrees, clockwise.
        focus: The point that stays where it is.
    """
    height, width = size
    # Where the pixels of the result come from, to a fraction of a pixel: whole ones would make it jump.
    shrink, angle = 1 / zoom, math.radians(turn)
    cos, sin = shrink * math.cos(angle), shrink * math.sin(angle)
    x, y = focus[0] * width - 0.5, focus[1] * height - 0.5
    matrix = np.array([[cos, sin, x * (1 - cos) - y * sin], [-sin, cos, x * sin + y * (1 - cos)]])
    if picture.shape[:2] != size:
        shares = np.array([picture.shape[1] / width, picture.shape[0] / height])
        matrix *= shares[:, None]
        matrix[:, 2] += shares / 2 - 0.5
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    # Stretched, the outermost pixels would be seen as streaks; without a turn nothing from beyond them is.
    border = cv2.BORDER_REFLECT_101 if turn or zoom < 1 else cv2.BORDER_REPLICATE
    return np.clip(cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderMode=border), 0, 1)
