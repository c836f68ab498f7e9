"""What a video is to whoever dreams it: frames with exact times, and a few words about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size, StoredArray


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture of a video.

    Attributes:
        pts: When it appears, in ticks of the video's clock.
        duration: How long it is shown, in the same ticks.
        pixels: ``(height, width, 3)`` RGB, uint8 or uint16, upright, as a screen of sRGB shows it.

    Example:
        >>> Frame(512, 256, np.zeros((4, 6, 3), np.uint8)).pts
        512
    """

    pts: int
    duration: int
    pixels: StoredArray


class Video(Protocol):
    """Frames with exact times: a video file, an animation, or numbered pictures.

    Attributes:
        path: Where it is.
        size: ``(height, width)`` of its frames, upright, in stored pixels.
        time_base: Seconds in a tick of its clock.
        rate: Frames in a second, on the average.
        bits: 8, or 16 where it holds more than 8.
        duration: Seconds, where the file says it.
        has_sound: Whether there is sound.
    """

    path: Path
    size: Size
    time_base: Fraction
    rate: Fraction
    bits: int
    duration: float | None
    has_sound: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks of one line each; what is found on the way is there after reading."""

    def frames(self, start: int | None = None, *, max_side: int | None = None) -> Iterator[Frame]:
        """The frames in order, each dropped before the next; any number of times.

        Args:
            start: From the first frame that appears at this tick or later; None for the very first.
            max_side: Made smaller on the way, so that no side is longer, for a quick look; None to leave them.

        Raises:
            ImageReadError: There is no frame at all, or the file cannot be read.
        """

    def sound(self, rate: int = 22050) -> NDArray[np.float32] | None:
        """All of its sound in one channel, from 0 of the video's clock on.

        Args:
            rate: Samples in a second.

        Returns:
            ``(samples,)`` in [-1, 1]; None where there is none.
        """

    def sha256(self) -> str:
        """The digest of its file, or of all its files in their order."""

    def close(self) -> None:
        """Let go of what is open."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
