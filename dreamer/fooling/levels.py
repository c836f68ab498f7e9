"""Changes in whole levels: what a file can hold.

The one idea: a change of a fraction of a level is lost when a picture is written, and with it what it did. Rounded at
some scale, the same change becomes a sparse one of whole levels; the scale is chosen by what is wanted of it.

Must not import: networks. It is arithmetic on arrays.

References:
    Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks", 2017, arXiv:1608.04644, section VIII-A,
    on discretisation.
"""

from __future__ import annotations

import numpy as np

from dreamer.arrays import FloatArray

TOP = 255
_HALVINGS = 14  # Of the range in which a scale is sought.


def rounded(start: FloatArray, move: FloatArray, scale: float = 1.0) -> FloatArray:
    """A picture moved by a multiple of a change, in whole levels from black to white.

    Args:
        start: ``(height, width, 3)``, whole levels.
        move: The change, in levels.
        scale: Which multiple of it.

    Example:
        >>> rounded(np.float32([0, 100, 255]), np.float32([0.4, 0.6, 3]))
        array([  0., 101., 255.], dtype=float32)
    """
    return np.asarray(np.clip(start + np.rint(np.float32(scale) * move), 0, TOP), np.float32)


def length(move: FloatArray) -> float:
    """The root of the sum of squares of a change in levels, in units of the range from black to white."""
    return float(np.sqrt(np.square(move, dtype=np.float64).sum())) / TOP


def within(start: FloatArray, move: FloatArray, bound: float) -> FloatArray:
    """A picture moved in a direction as far as a bound allows, in whole levels.

    Args:
        start: ``(height, width, 3)``, whole levels.
        move: The direction. The larger it is somewhere, the sooner a level is changed there.
        bound: How long the change may be, as :func:`length` tells.

    Example:
        >>> within(np.zeros(3, np.float32), np.float32([1, 4, 2]), 5 / 255)
        array([1., 4., 2.], dtype=float32)
    """
    largest = float(np.abs(move).max())
    if largest == 0:
        return start
    # Rounded, not even the largest change is left at the lower end, and all is far too long at the upper.
    low, high = 0.49 / largest, 2 * TOP * max(bound, 1) / largest
    for _ in range(2 * _HALVINGS):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if length(rounded(start, move, middle) - start) <= bound else (low, middle)
    found = rounded(start, move, low)
    # Entries that are equal would all come at the next scale: as many of them as the bound still allows.
    more = rounded(start, move, high)
    open_ones = np.flatnonzero(more != found)
    order = open_ones[np.argsort(-np.abs(move.ravel()[open_ones]), kind="stable")]
    cost = np.square(more - start).ravel()[order] - np.square(found - start).ravel()[order]
    room = (bound * TOP) ** 2 - float(np.square(found - start, dtype=np.float64).sum())
    fits = order[np.cumsum(cost, dtype=np.float64) <= room]
    found.ravel()[fits] = more.ravel()[fits]
    return found
