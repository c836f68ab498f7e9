"""Photos that are nearly the same: the same shot saved twice, larger or smaller, or as another JPEG.

The one idea: made tiny and grey, with mean and contrast taken out, such photos are the same to within a correlation
that different photos do not reach.

Must not import: networks, Keras.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import StoredArray, as_float, resize

SIDE = 16
"""Pixels along each side of a thumbnail."""

_ALIKE = 0.985  # Of a correlation. A JPEG of quality 30, or half the size, gives 0.995 and more; shots of a burst less.
_FLAT = 2.0  # Levels: a photo of less contrast has nothing by which to tell it.

Thumbnail = NDArray[np.uint8]


def thumbnail(pixels: StoredArray) -> Thumbnail:
    """A photo made tiny and grey: ``(16, 16)``, whatever its proportions.

    Args:
        pixels: ``(height, width, 3)``.
    """
    tiny = resize(as_float(pixels), (4 * SIDE, 4 * SIDE))
    grey = cv2.cvtColor(resize(np.asarray(np.clip(tiny, 0, 1), np.float32), (SIDE, SIDE)), cv2.COLOR_RGB2GRAY)
    return np.asarray(np.rint(255 * grey), np.uint8)


def are_alike(one: Thumbnail, other: Thumbnail) -> bool:
    """Whether two photos are nearly the same."""
    known = Known()
    return known.alike(one) is None and known.alike(other) == 0


class Known:
    """The photos that were met so far.

    Example:
        >>> known, shot = Known(), np.arange(256, dtype=np.uint8).reshape(16, 16)
        >>> known.alike(shot), known.alike(shot // 2 + 40), known.alike(shot[::-1])
        (None, 0, None)
    """

    def __init__(self) -> None:
        self._rows: NDArray[np.float32] = np.empty((64, SIDE * SIDE), np.float32)
        self._count = 0

    def alike(self, shown: Thumbnail) -> int | None:
        """The number of the first photo that is nearly the same; None for none, and it is known from now on."""
        row = shown.astype(np.float32).ravel()
        row -= row.mean()
        length = float(np.linalg.norm(row))
        if length / SIDE >= _FLAT:
            row /= length
            products = self._rows[: self._count] @ row
            if self._count and float(products.max()) > _ALIKE:
                return int(np.argmax(products > _ALIKE))
        else:
            row[:] = 0
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[self._count] = row
        self._count += 1
        return None
