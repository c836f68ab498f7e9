"""A region of a photo from marks: what surely is inside, what surely is not, and what may be either.

The one idea: the marks need not be exact. GrabCut learns the colours on both sides from them and cuts where the photo
has an edge; it does so at a small size, and the cut is brought to the photo's own edges at its full size.

Must not import: networks, Keras, files.

References:
    Rother, Kolmogorov and Blake, "GrabCut: interactive foreground extraction using iterated graph cuts", SIGGRAPH 2004.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size, StoredArray, as_float, as_stored, fitted, resize_stored, strips
from dreamer.masking.guided import functions

Region = NDArray[np.bool_]
"""``(height, width)``: true inside."""

SIDE = 400
"""Pixels of the longer side at which regions are looked for."""

_NARROWEST = 32  # Pixels: a photo that is a line is widened, since nothing has colours on both sides in it.
_ROUNDS = 5  # Of learning colours and cutting; a sixth changed nothing in sixteen photos.
_EDGE_SIDE = 1000  # Pixels of the longer side at which the photo's own edges are looked for.
_REACH = 0.006  # Of that side: how far a cut may move to an edge, as the side of a pixel of the small size, and more.
_EDGE = 2e-4  # Variance of the lightness below which an edge is none.
_SHARPER = 1.8  # Contrast of what comes of it about a half: else it would end in haze.

OUTSIDE, INSIDE, LIKELY_OUTSIDE, LIKELY_INSIDE = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD
"""Marks, as OpenCV has them."""


def small(photo: StoredArray) -> FloatArray:
    """A photo at the size at which regions are looked for.

    Args:
        photo: ``(height, width, 3)`` RGB as it is stored.

    Returns:
        Of the same proportions, but for photos that are lines; in [0, 1].
    """
    height, width = fitted((photo.shape[0], photo.shape[1]), SIDE, enlarge=True)
    size = max(height, _NARROWEST), max(width, _NARROWEST)
    return np.asarray(np.clip(as_float(resize_stored(photo, size)), 0, 1), np.float32)


def cut(pixels: FloatArray, marks: NDArray[np.uint8]) -> Region:
    """Cut a region out of a picture; the same marks always give the same one.

    Args:
        pixels: ``(height, width, 3)`` in [0, 1].
        marks: ``(height, width)``: :data:`OUTSIDE`, :data:`INSIDE`, :data:`LIKELY_OUTSIDE`, :data:`LIKELY_INSIDE`.
    """
    inside = _inside(marks)
    if inside.all() or not inside.any():
        return inside
    cv2.setRNGSeed(0)  # Of this thread only. The colours are learnt from a draw.
    found, colours = marks.copy(), [np.zeros((1, 65)) for _ in range(2)]
    whole = 0, 0, marks.shape[1], marks.shape[0]  # Which is not looked at, since there are marks.
    cv2.grabCut(as_stored(pixels, np.uint8), found, whole, colours[0], colours[1], _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return _inside(found)


def _inside(marks: NDArray[np.uint8]) -> Region:
    return np.asarray((marks == INSIDE) | (marks == LIKELY_INSIDE))


def parts(region: Region, weights: NDArray[Any], least: float) -> Region:
    """Those connected parts of a region that weigh more than the least.

    Args:
        region: The region.
        weights: Of each place, ``(height, width)``, 0 or more.
        least: What a part is to weigh more than.

    Example:
        >>> region = np.array([[True, False, True, True]])
        >>> parts(region, np.ones((1, 4)), 1).tolist()
        [[False, False, True, True]]
    """
    count, labels = cv2.connectedComponents(region.astype(np.uint8), connectivity=4)
    kept = np.bincount(labels.ravel(), weights=weights.ravel(), minlength=count) > least
    kept[0] = False  # All that is not of the region.
    return np.asarray(kept[labels])


def without_holes(region: Region, largest: float) -> Region:
    """A region whose holes are filled, up to a share of the picture."""
    rim = np.ones(region.shape)
    rim[1:-1, 1:-1] = 0
    beside = parts(~region, rim, 0)
    return ~(beside | parts(~region, np.ones(region.shape), largest * region.size))


def to_edges(region: Region, photo: StoredArray) -> NDArray[np.uint8]:
    """A small region at a photo's full size, ending at the photo's own edges.

    Args:
        region: Of the photo as :func:`small` has it.
        photo: ``(height, width, 3)`` RGB as it is stored.

    Returns:
        ``(height, width)``: 255 inside.
    """
    size: Size = (photo.shape[0], photo.shape[1])
    middle = fitted(size, _EDGE_SIDE)
    light = _light(np.clip(as_float(resize_stored(photo, middle)), 0, 1).astype(np.float32))
    values = cv2.resize(region.astype(np.float32), middle[::-1], interpolation=cv2.INTER_LINEAR)
    reach = max(2, round(_REACH * max(middle)))
    found = functions(np.asarray(values, np.float32), light, reach, _EDGE)
    slope, offset = (cv2.resize(one, size[::-1], interpolation=cv2.INTER_LINEAR) for one in found)
    mask = np.empty(size, np.uint8)
    for rows in strips(size[0]):
        read = slope[rows] * _light(as_float(photo[rows])) + offset[rows]
        mask[rows] = as_stored(np.clip((read - 0.5) * _SHARPER + 0.5, 0, 1), np.uint8)
    return mask


def _light(pixels: FloatArray) -> FloatArray:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.float32)
