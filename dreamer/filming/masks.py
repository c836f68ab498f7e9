"""Masks of frames: a picture that holds for all of them, or a video of its own, frame for frame by time.

Must not import: networks, Keras.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dreamer import videos
from dreamer.dreaming.masks import mask_of
from dreamer.images import Photo
from dreamer.videos import Frame, Video


class MaskVideo:
    """A video that says where to dream: where it is white. Before its first frame that one holds, behind its last that.

    Args:
        path: Of the video.

    Example:
        >>> with MaskVideo(Path("mask.mp4")) as masks:  # doctest: +SKIP
        ...     masks.at(0.4).shape
        (360, 640)
    """

    def __init__(self, path: Path) -> None:
        self._video: Video = videos.open_video(path)
        self._frames: Iterator[Frame] | None = None
        self._shown: tuple[float, NDArray[np.uint8]] | None = None
        self._ahead: tuple[float, NDArray[np.uint8]] | None = None
        self._origin: int | None = None

    def at(self, time: float) -> NDArray[np.uint8]:
        """The mask at a time; times that grow are the quickest.

        Args:
            time: Seconds from the beginning.

        Returns:
            ``(height, width)``: 255 where to dream.
        """
        if self._shown is None or time < self._shown[0]:
            self._frames = self._video.frames()
            self._origin = None
            self._shown = self._ahead = self._next()
        while self._ahead is not None and self._ahead[0] <= time:
            self._shown = self._ahead
            self._ahead = self._next()
        assert self._shown is not None  # noqa: S101  A video has a frame, or cannot be opened.
        return self._shown[1]

    def _next(self) -> tuple[float, NDArray[np.uint8]] | None:
        frame = None if self._frames is None else next(self._frames, None)
        if frame is None:
            return None
        self._origin = frame.pts if self._origin is None else self._origin
        time = float((frame.pts - self._origin) * self._video.time_base)
        return time, mask_of(Photo(frame.pixels))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._video.close()
