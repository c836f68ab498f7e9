"""Schedules of a visualization: haze, stages and rate in the course of a run.

Must not import: networks, files.
"""

from __future__ import annotations

import math
from typing import NamedTuple

_HAZE_UNTIL = 0.4  # Of the steps.
_LAST_RATE = 0.1  # Of the learning rate, which falls along half a cosine.


class Stage(NamedTuple):
    """A part of a run.

    Attributes:
        until: Its end, as a share of the steps.
        seen: At which share of its size the picture is seen.
    """

    until: float
    seen: float


class Schedule(NamedTuple):
    """How a run proceeds.

    Attributes:
        decay: Which share of what pictures are made from is taken off, per step and learning rate.
        haze: How thick the noise is that pictures are seen through, at first.
        stages: Parts of the run, coarse to fine.
    """

    decay: float = 0.0
    haze: float = 0.0
    stages: tuple[Stage, ...] = (Stage(1, 1),)

    def stage(self, progress: float) -> int:
        """The index of the stage that a run is in, from progress 0 to 1."""
        return next(index for index, stage in enumerate(self.stages) if progress <= stage.until)

    def thickness(self, progress: float) -> float:
        """Of the haze."""
        return self.haze * max(0.0, 1 - progress / _HAZE_UNTIL)


def share(progress: float) -> float:
    """Which share of the learning rate a step has, from progress 0 to 1."""
    return _LAST_RATE + (1 - _LAST_RATE) * (0.5 + 0.5 * math.cos(math.pi * progress))


def falling(ends: tuple[float, float], progress: float) -> float:
    """A number that falls by the same factor with every step, from its first value to its last.

    Args:
        ends: The first and the last; evenly where one of them is 0.
        progress: From 0 to 1.

    Example:
        >>> round(falling((0.4, 0.1), 0.5), 3)
        0.2
    """
    first, last = ends
    if min(ends) > 0:
        return float(first * (last / first) ** progress)
    return first + (last - first) * progress


GROWING = (Stage(0.35, 0.57), Stage(0.6, 0.71), Stage(1, 1))
"""Stages that see the picture small at first."""
