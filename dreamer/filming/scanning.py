"""A first look at a video: when its frames are shown, and where one shot ends and the next begins.

The one idea: a cut is a frame that differs from the one before far more than its neighbours differ from theirs.

References:
    PySceneDetect's content and adaptive detectors, whose thresholds these are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dreamer.arrays import FloatArray, StoredArray, as_float, as_stored
from dreamer.errors import ImageReadError, SettingsError
from dreamer.filming.settings import VideoSettings
from dreamer.videos import Video

_LOOKED_AT = 160  # Pixels of the longer side.
_LEAST, _TIMES = 15.0, 3.0  # Levels of 255; how many times what it is beside.
_BESIDE = 2


@dataclass(frozen=True)
class Shot:
    """Frames between two cuts.

    Attributes:
        first: Index of its first frame within the piece that is dreamt.
        pts: When each of its frames is shown, in the video's time base.
        durations: For how long.
        times: The same in seconds from the beginning of the video.
    """

    first: int
    pts: tuple[int, ...]
    durations: tuple[int, ...]
    times: tuple[float, ...]

    @property
    def indices(self) -> range:
        """Of its frames."""
        return range(self.first, self.first + len(self.pts))


@dataclass(frozen=True)
class Scan:
    """What a first look finds.

    Attributes:
        shots: In their order.
        begin: The time stamp of the piece's first frame.
        end: The time stamp behind its last frame.
        origin: The time stamp of the video's first frame, from which times are counted.
    """

    shots: tuple[Shot, ...]
    begin: int
    end: int
    origin: int

    @property
    def count(self) -> int:
        """How many frames there are."""
        return self.shots[-1].indices.stop


def scan(video: Video, settings: VideoSettings, on_frame: Callable[[int], None] = lambda _count: None) -> Scan:
    """Look through a video.

    Args:
        video: The video.
        settings: Which piece of it, and how cuts are found.
        on_frame: Told how many frames were looked at.

    Raises:
        ImageReadError: It has no frames.
        SettingsError: The piece has none, or a cut lies outside of it.

    Example:
        >>> with open_video(Path("clip.mp4")) as video:  # doctest: +SKIP
        ...     [shot.first for shot in scan(video, VideoSettings()).shots]
        [0, 112, 250]
    """
    origin = next((frame.pts for frame in video.frames(max_side=_LOOKED_AT)), None)
    if origin is None:
        raise ImageReadError(f"{video.path} has no frame that can be decoded")
    clock = video.time_base
    pts: list[int] = []
    durations: list[int] = []
    apart: list[float] = []
    before = None
    start = None if settings.start == 0 else origin + _ceiling(settings.start / float(clock))
    for frame in video.frames(start, max_side=_LOOKED_AT):
        if settings.end is not None and float((frame.pts - origin) * clock) >= settings.end:
            break
        colours = _hsv(frame.pixels)
        apart.append(0.0 if before is None else float(np.abs(colours - before).mean()))
        before = colours
        pts.append(frame.pts)
        durations.append(frame.duration)
        on_frame(len(pts))
    if not pts:
        raise SettingsError(f"{video.path} has no frame {_of_piece(settings)}")
    times = [float((one - origin) * clock) for one in pts]
    begins = [0, *_cuts(settings, times, apart)]
    shots = [
        Shot(first, tuple(pts[first:last]), tuple(durations[first:last]), tuple(times[first:last]))
        for first, last in zip(begins, [*begins[1:], len(pts)], strict=True)
    ]
    return Scan(tuple(shots), pts[0], pts[-1] + durations[-1], origin)


def _of_piece(settings: VideoSettings) -> str:
    if settings.end is None:
        return f"from {settings.start:g} s on; expected an earlier beginning"
    return f"from {settings.start:g} s to {settings.end:g} s; expected an earlier beginning, or a later end"


def found_cuts(apart: Sequence[float]) -> list[int]:
    """The frames that follow a cut.

    Args:
        apart: How much each frame differs from the one before, in levels of 255; the first by 0.

    Example:
        >>> found_cuts([0, 2, 3, 2, 60, 2, 3, 2])
        [4]
    """
    values = np.asarray(apart, float)
    found = []
    for index in range(1, len(values)):
        beside = [*values[max(1, index - _BESIDE) : index], *values[index + 1 : index + 1 + _BESIDE]]
        usual = float(np.mean(beside)) if beside else 0.0
        if values[index] >= _LEAST and values[index] >= _TIMES * usual:
            found.append(index)
    return found


def _cuts(settings: VideoSettings, times: Sequence[float], apart: Sequence[float]) -> list[int]:
    if settings.carry == 0:
        return list(range(1, len(times)))
    if settings.cuts == "none":
        return []
    if settings.cuts == "auto":
        return found_cuts(apart)
    late = [cut for cut in settings.cuts if not times[0] <= float(cut) <= times[-1]]
    if late:
        raise SettingsError(
            f"there is no frame at the cut at {float(late[0]):g} s; expected {times[0]:g} to {times[-1]:g} s"
        )
    # Times that people read off a player are rounded.
    return sorted({int(np.searchsorted(times, float(cut) - 1e-3)) for cut in settings.cuts} - {0})


def _hsv(pixels: StoredArray) -> FloatArray:
    levels = as_stored(as_float(pixels), np.uint8)
    return np.asarray(cv2.cvtColor(levels, cv2.COLOR_RGB2HSV), np.float32)


def _ceiling(value: float) -> int:
    return int(np.ceil(round(value, 6)))
