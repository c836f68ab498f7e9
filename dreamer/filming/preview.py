"""Previews of a video's dream: some of its frames as a sheet, and a short piece, both small.

Must not import the command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from dreamer import images
from dreamer.arrays import FloatArray
from dreamer.filming.scanning import Scan, Shot
from dreamer.filming.settings import VideoSettings
from dreamer.filming.timeline import Look, Timeline
from dreamer.images import LabelledPicture, Photo

SIDE = 320
"""Pixels: the longer side of a preview's frames."""

FRAMES = 9
"""How many frames a sheet shows."""

SECONDS = 2.0
"""How long the piece is."""


def small(timeline: Timeline) -> Timeline:
    """A timeline of small frames."""
    looks = []
    for look in timeline.looks:
        side = min(look.settings.max_size or SIDE, SIDE)
        looks.append(Look(look.time, dataclasses.replace(look.settings, max_size=side), look.preset))
    return Timeline(tuple(looks))


def single_frames(scan: Scan, count: int = FRAMES) -> list[Shot]:
    """Frames in even distances, each as a shot of its own: a sheet shows how each begins.

    Args:
        scan: What the video holds.
        count: How many, at the most.
    """
    count = min(count, scan.count)
    wanted = {round((number + 0.5) * scan.count / count - 0.5) for number in range(count)}
    found = []
    for shot in scan.shots:
        for at, index in enumerate(shot.indices):
            if index in wanted:
                found.append(Shot(index, (shot.pts[at],), (shot.durations[at],), (shot.times[at],)))
    return found


def piece(scan: Scan, settings: VideoSettings) -> VideoSettings:
    """The settings of a short piece from the middle of the video, or all of a video that is no longer."""
    times = [time for shot in scan.shots for time in shot.times]
    if times[-1] - times[0] <= SECONDS:
        return settings
    middle = (times[0] + times[-1] - SECONDS) / 2
    start = next(time for time in times if time >= middle)
    cuts = settings.cuts
    if not isinstance(cuts, str):
        cuts = tuple(cut for cut in cuts if start <= cut < start + SECONDS) or "none"
    return dataclasses.replace(settings, start=start, end=start + SECONDS, cuts=cuts)


def sheet(frames: Iterator[tuple[float, FloatArray]]) -> Photo:
    """Frames with their times beneath.

    Args:
        frames: Times in seconds, and pictures in [0, 1].
    """
    return Photo(images.sheet([LabelledPicture(picture, clock(time)) for time, picture in frames]))


def clock(time: float) -> str:
    """A time as a person reads it.

    Example:
        >>> clock(3.25), clock(62.5)
        ('3.25 s', '1:02.50')
    """
    minutes, rest = divmod(round(time, 2), 60)
    return f"{rest:.2f} s" if not minutes else f"{minutes:.0f}:{rest:05.2f}"
