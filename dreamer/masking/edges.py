"""The strong edges of a photo, as a soft band on which a dream sits.

The one idea: outlines and no textures. Fine texture is smoothed away first, as far as that leaves edges where they are;
what is left is traced, and the lines are made as wide as one would draw them.

Must not import: networks, Keras, files.

References:
    Tomasi and Manduchi, "Bilateral Filtering for Gray and Color Images", ICCV 1998.
    Canny, "A Computational Approach to Edge Detection", IEEE PAMI 1986 (weak edges count where they go on strong ones).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, StoredArray, as_float, as_stored, fitted, resize_stored

_SIDE = 800  # Pixels of the longer side at which edges are looked for.
_SMOOTHED = 3  # Times.
_ALIKE, _NEAR = 0.12, 5.0  # What is smoothed: colours so much alike, so many pixels apart.
_STRONG = 0.12  # Change of a colour from pixel to pixel at the least.
_GOES_ON = 0.4  # Of that: what counts where it goes on an edge.
_FINEST = 16384  # Levels of a change of 1, which Canny's method wants as whole numbers.
_USUAL = 0.97  # Or what this share of places has less than, where the photo has stronger ones.
_WIDTH = 0.005  # Of the longer side: deviation of the band.


def edges(photo: StoredArray) -> NDArray[np.uint8] | None:
    """Find the edges.

    Args:
        photo: ``(height, width, 3)`` RGB as it is stored.

    Returns:
        ``(height, width)``: 255 on an edge, less beside it; None where there are none.
    """
    size = photo.shape[0], photo.shape[1]
    small = np.asarray(np.clip(as_float(resize_stored(photo, fitted(size, _SIDE))), 0, 1), np.float32)
    smooth = small
    for _ in range(_SMOOTHED):
        smooth = np.asarray(cv2.bilateralFilter(smooth, 0, _ALIKE, _NEAR), np.float32)
    lines = _lines(smooth)
    if not lines.any():
        return None
    deviation = max(1.0, _WIDTH * max(lines.shape))
    band = cv2.GaussianBlur(lines.astype(np.float32), (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)
    # A straight line, blurred, has this much in its middle; where lines meet it is more.
    band = np.clip(band * (deviation * np.sqrt(2 * np.pi)), 0, 1)
    return np.asarray(as_stored(np.clip(cv2.resize(band, size[::-1], interpolation=cv2.INTER_LINEAR), 0, 1), np.uint8))


def _lines(pixels: FloatArray) -> NDArray[np.bool_]:
    """The strongest change of any colour, thinned to lines."""
    across = np.stack([cv2.Sobel(one, cv2.CV_32F, 1, 0) / 8 for one in cv2.split(pixels)])
    down = np.stack([cv2.Sobel(one, cv2.CV_32F, 0, 1) / 8 for one in cv2.split(pixels)])
    strength = np.hypot(across, down)
    which = strength.argmax(axis=0)[None]
    strong = max(_STRONG, float(np.quantile(strength.max(axis=0), _USUAL))) * _FINEST
    x, y = (
        (np.take_along_axis(one, which, axis=0)[0] * _FINEST).clip(-32768, 32767).astype(np.int16)
        for one in (across, down)
    )
    found = cv2.Canny(x, y, strong * _GOES_ON, strong, L2gradient=True)
    return np.asarray(found > 0)
