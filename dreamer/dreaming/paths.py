"""The way of a zoom: how much is magnified and turned from each frame to the next.

The one idea: the whole way is settled before the first frame, as a list of moves, so that each frame knows how far it
is to the end. A zoom that loops has one move more than others, from its last frame to its first.

Must not import NumPy or anything heavy.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from dreamer.dreaming.settings import DreamSettings


class Move(NamedTuple):
    """What happens from a frame to the next.

    Attributes:
        zoom: How much is magnified, 1 or more.
        turn: Degrees, clockwise.
        pace: How fast that is, as a multiple of the mean.
    """

    zoom: float
    turn: float
    pace: float = 1.0


def moves(settings: DreamSettings) -> list[Move]:
    """The moves of a zoom, one fewer than it has frames, or, where it loops, as many.

    Example:
        >>> moves(DreamSettings(frames=3, zoom=1.2, turn=2))
        [Move(zoom=1.2, turn=2.0, pace=1.0), Move(zoom=1.2, turn=2.0, pace=1.0)]
        >>> [round(move.turn, 2) for move in moves(DreamSettings(frames=4, turn=3, ease=True))]
        [2.33, 4.33, 2.33]
    """
    count = settings.frames if settings.loop else settings.frames - 1
    if not settings.ease:
        return [Move(settings.zoom, settings.turn)] * count
    paces = [count * (smooth((place + 1) / count) - smooth(place / count)) for place in range(count)]
    return [Move(settings.zoom**pace, settings.turn * pace, pace) for pace in paces]


def whole(way: list[Move]) -> Move:
    """Several moves as one."""
    return Move(math.prod(one.zoom for one in way), sum(one.turn for one in way), sum(one.pace for one in way))


def smooth(share: float) -> float:
    """From 0 to 1 and at rest at both, as a share of the way by one of the time; beyond them it stays.

    Example:
        >>> smooth(-1), smooth(0.25), smooth(0.5), smooth(2)
        (0.0, 0.15625, 0.5, 1.0)
    """
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
