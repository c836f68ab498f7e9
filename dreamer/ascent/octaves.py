"""Octaves: the sizes at which a picture is dreamt, small to large, and what is carried between them.

The one idea: what the dream added, the *detail*, is kept apart from the photo. Each octave starts
from the photo itself at that size plus the detail of the octave before, enlarged, so the photo
stays sharp at full size and the large shapes come from the small octaves.

Must not import: networks, Keras, files.

References:
    The 2015 DeepDream notebook by Google, "deepdream" function.
"""

from __future__ import annotations

import numpy as np

from dreamer import wrapping
from dreamer.arrays import FloatArray, Size, StoredArray, as_float, resize, resize_stored, strips

SMALLEST_SIDE = 16
"""Pixels; below this a picture holds less than one position of any deep layer."""
USUAL_SMALLEST_SIDE = 150
"""Pixels; where the count of octaves is left open, the smallest octave's short side is about this."""


def sizes(size: Size, *, octaves: int | None, octave_scale: float) -> list[Size]:
    """The sizes of all octaves, smallest first; the last is the picture's own.

    Args:
        size: ``(height, width)`` of the picture.
        octaves: How many at the most; None for as many as bring the short side down to about
            150 pixels, so that a dream is composed alike whatever the photo's resolution.
            Octaves whose short side would be under 16 pixels are left out.
        octave_scale: Ratio of one octave's sides to those of the one before, above 1.

    Returns:
        At least one size.

    Example:
        >>> sizes((300, 400), octaves=3, octave_scale=2)
        [(75, 100), (150, 200), (300, 400)]
    """
    floor = SMALLEST_SIDE if octaves else USUAL_SMALLEST_SIDE / octave_scale**0.5
    found = [size]
    while octaves is None or len(found) < octaves:
        shrink = octave_scale ** len(found)
        smaller = (round(size[0] / shrink), round(size[1] / shrink))
        if min(smaller) < floor:
            break
        found.append(smaller)
    return found[::-1]


def begin(source: StoredArray, size: Size) -> FloatArray:
    """The photo itself at the size of the first octave, ``(*size, 3)`` in [0, 1]: a new array."""
    return np.clip(as_float(resize_stored(source, size)), 0, 1)


def carry(picture: FloatArray, source: StoredArray, size: Size, *, wraps: bool = False) -> FloatArray:
    """Bring what a finished octave added to the photo to the next size.

    Args:
        picture: The finished octave, ``(height, width, 3)`` in [0, 1].
        source: The photo at its full size, as it is stored.
        size: The next octave's ``(height, width)``.
        wraps: Whether the opposite edges of all of them meet.

    Returns:
        ``(*size, 3)`` in [0, 1], a new array: the photo at that size plus the enlarged detail.
    """
    shown = resize_stored(source, size)
    # A fresh array in any case, which the photo is added to in place.
    carried = (wrapping.resized if wraps else resize)(_detail(picture, source), size)
    for rows in strips(size[0]):
        carried[rows] += as_float(shown[rows])
    return np.clip(carried, 0, 1, out=carried)


def _detail(picture: FloatArray, source: StoredArray) -> FloatArray:
    """What a picture adds to the photo, at the picture's size."""
    return picture - as_float(resize_stored(source, (picture.shape[0], picture.shape[1])))
