"""Values that end where a picture has an edge.

The one idea: around each place the values are taken for a straight function of the lightness there, so that they change
where it changes. The functions are found at a small size and may be read at any other, which is as quick as that size.

Must not import: networks, Keras, files.

References:
    He, Sun and Tang, "Guided Image Filtering", ECCV 2010.
    He and Sun, "Fast Guided Filter", arXiv:1505.00996 (the functions found small, and read large).
"""

from __future__ import annotations

import cv2
import numpy as np

from dreamer.arrays import FloatArray


def mean(values: FloatArray, reach: int) -> FloatArray:
    """The mean over a square around each place.

    Args:
        values: ``(height, width)`` or ``(height, width, channels)``.
        reach: Pixels to each side.
    """
    side = 2 * reach + 1
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def functions(values: FloatArray, light: FloatArray, reach: int, edge: float) -> tuple[FloatArray, FloatArray]:
    """The straight function of the lightness that values are around each place.

    Args:
        values: ``(height, width)``.
        light: The same shape, in [0, 1].
        reach: Pixels to each side.
        edge: Variance of the lightness below which an edge is none.

    Returns:
        Its slope and its offset, each of the same shape; ``slope * light + offset`` ends at the edges.

    Example:
        >>> light = np.repeat(np.array([[0, 0, 0, 1, 1, 1]], np.float32), 6, axis=0)
        >>> slope, offset = functions(light, light, 1, 1e-3)
        >>> (slope * light + offset).round(2)[3].tolist()
        [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    """
    of_values, of_light = mean(values, reach), mean(light, reach)
    slope = (mean(light * values, reach) - of_light * of_values) / (
        mean(light**2, reach) - of_light**2 + np.float32(edge)
    )
    return mean(slope, reach), mean(of_values - slope * of_light, reach)
