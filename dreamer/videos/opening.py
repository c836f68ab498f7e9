"""Anything that moves -> a video: which kind it is, by its name."""

from __future__ import annotations

from pathlib import Path

from dreamer.errors import SettingsError
from dreamer.videos import animated
from dreamer.videos.animated import AnimatedPicture
from dreamer.videos.file import VideoFile
from dreamer.videos.frame import Video
from dreamer.videos.sequence import PictureSequence, is_pattern

_MAX_PIXELS = 500_000_000


def open_video(path: Path, *, frame_rate: float | None = None, max_pixels: int = _MAX_PIXELS) -> Video:
    """Open a video.

    Args:
        path: A video file; an animated GIF, WebP or APNG; or numbered pictures as ``frames/%05d.png``.
        frame_rate: Pictures in a second, of numbered pictures; None for 25.
        max_pixels: Of a frame, at the most.

    Returns:
        The video, of which a frame was decoded by now.

    Raises:
        ImageReadError: It is missing, holds no video, cannot be decoded, or its frames are too large.
        MissingExtraError: It is a video file, and PyAV is not installed.
        SettingsError: The rate is impossible, or is given for something that has its own.

    Example:
        >>> with open_video(Path("clip.mp4")) as video:  # doctest: +SKIP
        ...     [frame.pts for frame in video.frames()]
        [0, 512, 1024]
    """
    path = Path(path)
    if is_pattern(path) and not path.exists():
        return PictureSequence(path, frame_rate=frame_rate, max_pixels=max_pixels)
    if frame_rate is not None:
        raise SettingsError(f"{path} has times of its own; a frame rate is for numbered pictures, as frames/%05d.png")
    if path.suffix.lower() in animated.SUFFIXES:
        return AnimatedPicture(path, max_pixels=max_pixels)
    return VideoFile(path, max_pixels=max_pixels)
