"""Where a photo is calm: skies, walls and whatever else has nothing in it, as a picture of how busy each place is.

The one idea: a place is busy if much of what is around it has fine structure. A single edge, as that of a roof against
the sky, is a thin line and does not make the sky beside it busy; and what is found ends at the photo's own edges.

Must not import: networks, Keras, files.

References:
    He, Sun and Tang, "Guided Image Filtering", ECCV 2010 (how it ends at edges).
"""

from __future__ import annotations

import cv2
import numpy as np

from dreamer import wrapping
from dreamer.arrays import FloatArray, Size, StoredArray, as_float, fitted, resize_stored
from dreamer.masking.guided import functions, mean

_SIDE = 384  # Pixels of the longer side of what is looked at.
_REACH = 0.02  # Of the longer side: how far around a place.
_FINE = 2  # Pixels around each: what counts as fine.
_STEPS = 5  # Times that far is looked, one after the other.
_NOISE = 0.008  # Deviation of colours that is none.
_MUCH = 0.02, 0.03  # Deviation that is structure: that of nine tenths of the photo, but within these.
_RARE, _USUAL = 0.25, 0.6  # Share of the surroundings that has structure: of calm places; of busy ones.
_LEAST = 0.2  # What the busiest places have at least, or nothing of a foggy photo would be busy.
_EDGES = 1e-3  # Variance of the lightness below which an edge is none.
_RANGES = np.array([100, 255, 255], np.float32)  # Of lightness and colours.


def busy(photo: StoredArray, size: Size, *, wraps: bool = False) -> FloatArray:
    """How busy each place of a photo is.

    Args:
        photo: ``(height, width, 3)`` RGB as it is stored.
        size: Of the result, ``(height, width)``.
        wraps: Whether the photo's opposite edges meet, so that what is around a place goes on there.

    Returns:
        ``(height, width)``: 0 where it is calm, 1 where it is busy.

    Example:
        >>> halves = np.zeros((60, 90, 3), np.float32)
        >>> halves[:, 45:] = np.random.default_rng(0).random((60, 45, 3))
        >>> found = busy(halves, (60, 90))
        >>> float(found[30, 10]), float(found[30, 80])
        (0.0, 1.0)
    """
    small = fitted((photo.shape[0], photo.shape[1]), _SIDE)
    pixels = np.clip(as_float(resize_stored(photo, small)), 0, 1)
    reach = max(_FINE, round(_REACH * max(small)))
    margin = _STEPS * reach if wraps else 0
    pixels = wrapping.margined(pixels, margin)
    colours = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2LAB) / _RANGES
    deviation = np.sqrt(np.maximum((mean(colours**2, _FINE) - mean(colours, _FINE) ** 2).sum(-1), 0))
    structure = _between(deviation, _NOISE, float(np.clip(np.quantile(deviation, 0.9), *_MUCH)))
    share = _between(mean(mean(structure, reach), reach), _RARE, _USUAL)
    light = np.ascontiguousarray(colours[..., 0])
    slope, offset = functions(share * share * (3 - 2 * share), light, reach, _EDGES)
    found = slope * light + offset
    found = found[margin : margin + small[0], margin : margin + small[1]]
    found = found / max(_LEAST, float(np.quantile(found, 0.95)))
    return np.asarray(np.clip(cv2.resize(found, size[::-1], interpolation=cv2.INTER_LINEAR), 0, 1), np.float32)


def _between(values: FloatArray, low: float, high: float) -> FloatArray:
    return np.asarray(np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1), np.float32)
