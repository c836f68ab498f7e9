"""The first frame of a zoom, which comes back within the last ones and grows until it is all there is.

The one idea: the way that is left says where the first frame would lie if it were there already, and how large; there
it is laid, at first faint, with soft edges. The dream goes over it less and less, so that one more move makes the
first frame of the last.

Must not import: networks, files, the command line.

References:
    De Smit and Lenstra, "The Mathematical Structure of Escher's Print Gallery", Notices of the AMS 50(4), 2003: a
    picture within itself, the Droste effect.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, as_stored, resize, scaled
from dreamer.dreaming.framing import Point
from dreamer.dreaming.moving import moved
from dreamer.dreaming.paths import Move, smooth, whole

ENOUGH = 8.0
"""A zoom that magnifies at least this much in all falls into its first frame; a shorter one fades over into it."""

_FAINT = 1 / 16  # Of the first frame's size: smaller it is not laid, since it would be a few pixels.
_SOLID = 0.75  # Of the way from there to the end: from here on nothing is seen through it.
_HELD = 0.4  # Of the same way: from here on it is dreamt over less and less.
_EDGE = 0.3  # Of its sides: the widest soft edge.
_SHARP = 1.4  # Cubic interpolation shrinks by this much before fine structure turns into patterns of its own.


class Returning:
    """The first frame on its way back.

    Args:
        first: ``(height, width, 3)`` in [0, 1].
        way: All moves of the zoom, the last of them to the first frame.
        focus: The point that the zoom goes to.
    """

    def __init__(self, first: FloatArray, way: Sequence[Move], focus: Point) -> None:
        self._first = first
        self._way = list(way)
        self._focus = focus

    def laid(self, picture: FloatArray, frame: int) -> tuple[FloatArray, NDArray[np.uint8] | None]:
        """Lay the first frame into another before that is dreamt.

        Args:
            picture: What the frame begins as; left as it is.
            frame: Its number, from 1.

        Returns:
            What the frame begins as then; and how much is to be kept of what is dreamt in each place, None for all.
        """
        before, now = self._passed(frame - 1), self._passed(frame)
        if now <= 0:
            return picture, None
        within, weight = first_within(self._first, whole(self._way[frame:]), self._focus)
        opacity = laid_opacity(before, now)
        laid = picture + (np.float32(opacity) * weight)[..., None] * (within - picture)
        held = smooth((now - _HELD) / (1 - _HELD))
        return laid, as_stored(1 - np.float32(held) * weight, np.uint8) if held > 0 else None

    def _passed(self, frame: int) -> float:
        """Which share is over of the way on which the first frame is seen; negative before that."""
        total = math.log(whole(self._way).zoom)
        seen = min(1.0, -math.log(_FAINT) / total) if total > 0 else 1.0
        left = whole(self._way[frame:]).pace / len(self._way)
        return 1 - left / seen


def laid_opacity(before: float, now: float) -> float:
    """How opaque the first frame is laid into a frame, so that all layings together are as opaque as they should be.

    Args:
        before: Which share of its way was over in the frame before, as it is in the one that has it by then.
        now: Which is over in this one.
    """
    seen = smooth(before / _SOLID)
    return 1.0 if seen >= 1 else 1 - (1 - smooth(now / _SOLID)) / (1 - seen)


def first_within(first: FloatArray, left: Move, focus: Point) -> tuple[FloatArray, FloatArray]:
    """The first frame as it lies in an earlier one: small around the focus, and turned back.

    Args:
        first: ``(height, width, 3)`` in [0, 1].
        left: All that is still to be magnified and turned.
        focus: The point that the zoom goes to.

    Returns:
        A picture as large as *first*, and ``(height, width)`` how opaque it is in each place: 0 where the first frame
        is not, 1 in its middle, and between them a soft edge that is narrower the less is left to do.
    """
    height, width = first.shape[:2]
    size = scaled((height, width), min(1.0, _SHARP / left.zoom))
    picture = moved(resize(first, size), (height, width), 1 / left.zoom, -left.turn, focus)
    # Where each pixel will be once the way is over, in shares of the sides.
    turn, middle = math.radians(left.turn), (focus[0] * width - 0.5, focus[1] * height - 0.5)
    along, down = (
        np.arange(width, dtype=np.float32) - middle[0],
        np.arange(height, dtype=np.float32)[:, None] - middle[1],
    )
    across = left.zoom * (math.cos(turn) * along - math.sin(turn) * down) + middle[0]
    below = left.zoom * (math.sin(turn) * along + math.cos(turn) * down) + middle[1]
    weight = np.ones((height, width), np.float32)
    for place, side, share in ((across, width, focus[0]), (below, height, focus[1])):
        at = (place + 0.5) / side
        weight *= _rising(at, share * (left.zoom - 1), turn) * _rising(1 - at, (1 - share) * (left.zoom - 1), turn)
    return picture, weight


def _rising(distance: FloatArray, gap: float, turn: float) -> FloatArray:
    """The opacity of the first frame by the distance from one of its edges.

    Args:
        distance: In shares of its side; negative outside.
        gap: From the edge to the border of the picture, in the same measure: the soft edge is as wide.
        turn: Radians that are left; a turned edge is soft even where there is no gap.
    """
    edge = min(_EDGE, gap + abs(math.sin(turn)) / 4)
    if edge < 1e-6:
        return (distance > 0).astype(np.float32)
    share = np.clip(distance / np.float32(edge), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
