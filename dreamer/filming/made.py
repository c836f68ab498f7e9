"""What a run over a video takes and gives: where the result goes, a finished frame, the dreamt video.

Must not import: networks, Keras.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamer import videos
from dreamer.arrays import FloatArray, Size
from dreamer.filming.kept import Kept


@dataclass(frozen=True, eq=False)
class VideoStep:
    """A finished frame of a video's dream.

    Attributes:
        frame: ``(height, width, 3)`` RGB in [0, 1].
        index: Of the frame, from 0.
        time: Seconds from the beginning of the video.
        flicker: How much it differs from the frame before, moved as the things below it moved: the squared difference,
            summed over the colours, in the mean; None for the first frame of a shot.
        progress: Share of all frames that are done, in (0, 1].
    """

    frame: FloatArray
    index: int
    time: float
    flicker: float | None
    progress: float


@dataclass(frozen=True)
class Output:
    """How a dreamt video is written.

    Attributes:
        path: Where.
        codec: One of ``videos.CODECS``; None for the usual one of the container.
        quality: 0 to 100; None for one at which nothing is seen to be lost.
        overwrite: Whether a file that is there, and frames of another dream, may be replaced.

    Raises:
        SettingsError: The quality is impossible.

    Example:
        >>> Output(Path("clip-dream.mp4")).kept.path.name
        'clip-dream.mp4.frames'
    """

    path: Path
    codec: str | None = None
    quality: float | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        videos.CODECS["h264"].level(self.quality)  # Which says what is wrong with it, before hours of work.

    @property
    def kept(self) -> Kept:
        """The folder of its frames."""
        return Kept(self.path.with_name(f"{self.path.name}.frames"))


@dataclass(frozen=True)
class DreamtVideo:
    """A video's dream, written.

    Attributes:
        path: Where it is.
        size: ``(height, width)`` of its frames.
        frames: How many there are.
        planned: How many there will be, once all are there.
        flicker: How much it flickers in the mean, over the frames that were dreamt in this run; None for none.
        recipe: How it was made.
        notes: What was done otherwise than one may expect, a line each.
    """

    path: Path
    size: Size
    frames: int
    planned: int
    flicker: float | None
    recipe: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def is_partial(self) -> bool:
        """Whether it was interrupted, and holds the frames from the first to there."""
        return self.frames < self.planned
