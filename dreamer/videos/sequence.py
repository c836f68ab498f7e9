"""Numbered pictures as a video: ``frames/%05d.png``, as renderers write them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dreamer import images
from dreamer.arrays import as_stored
from dreamer.errors import ImageReadError, SettingsError
from dreamer.videos.colours import as_bits
from dreamer.videos.frame import Frame
from dreamer.videos.pyav import opened

_RATE = 25.0
_NUMBER = re.compile(r"%(?:0(\d+))?d")


class PictureSequence:
    """Pictures whose names count up, each shown equally long.

    Args:
        pattern: Their names, with ``%d`` or ``%05d`` in the place of the number.
        frame_rate: Pictures in a second; None for 25.
        max_pixels: Of a picture, at the most.

    Raises:
        ImageReadError: There is none, one is missing between others, or the first cannot be read.
        SettingsError: The rate is no number above 0.

    Example:
        >>> PictureSequence(Path("frames/%05d.png"), frame_rate=24).rate  # doctest: +SKIP
        Fraction(24, 1)
    """

    has_sound = False

    def __init__(self, pattern: Path, *, frame_rate: float | None = None, max_pixels: int = 500_000_000) -> None:
        self.path = pattern
        rate = _RATE if frame_rate is None else frame_rate
        if not 0 < rate < 1e6:
            raise SettingsError(f"the frame rate is {rate:g}; expected pictures in a second, a number above 0")
        self.rate = Fraction(rate).limit_denominator(1001)
        self.time_base = 1 / self.rate
        self._max_pixels = max_pixels
        self._files = _found(pattern)
        self._notes: dict[str, None] = {}
        first = images.read(self._files[0], max_pixels=max_pixels, compact=True)
        self.size = first.pixels.shape[0], first.pixels.shape[1]
        self.bits = first.bits
        self.duration: float | None = float(len(self._files) / self.rate)

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks of one line each; what is found on the way is there after reading."""
        return tuple(self._notes)

    def frames(self, start: int | None = None, *, max_side: int | None = None) -> Iterator[Frame]:
        """The frames in order, as :class:`Video` says; their times are 0, 1, 2 and on."""
        for number in range(max(0, start or 0), len(self._files)):
            photo = images.read(self._files[number], max_pixels=self._max_pixels, max_side=max_side, compact=True)
            for words in photo.notes:
                self._notes[words] = None
            if photo.alpha is not None:
                self._notes["its pictures have transparency, which is left out"] = None
            if max_side is None and photo.pixels.shape[:2] != self.size:
                height, width = photo.pixels.shape[:2]
                raise ImageReadError(
                    f"{self._files[number]} has {width} x {height} pixels, and those before have {self.size[1]} x "
                    f"{self.size[0]}; pictures of one size are expected. Resize it first."
                )
            pixels = photo.pixels
            if pixels.dtype == np.float32:  # As it is when it was made smaller.
                pixels = as_stored(pixels, np.uint16 if self.bits > 8 else np.uint8)
            yield Frame(number, 1, as_bits(pixels, self.bits))

    def sound(self, rate: int = 22050) -> NDArray[np.float32] | None:
        """None: pictures have none."""
        del rate
        return None

    def sha256(self) -> str:
        """The digest of all its files in their order."""
        digest = hashlib.sha256()
        for path in self._files:
            with opened(path) as file:
                while part := file.read(1 << 20):
                    digest.update(part)
        return digest.hexdigest()

    def close(self) -> None:
        """Nothing is open between two pictures."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""


def is_pattern(path: Path) -> bool:
    """Whether a path names numbered pictures.

    Example:
        >>> is_pattern(Path("frames/%05d.png")), is_pattern(Path("100%.png"))
        (True, False)
    """
    return _NUMBER.search(path.name) is not None


def _found(pattern: Path) -> list[Path]:
    """The files, from the first number that is there on, without a gap."""
    place = _NUMBER.search(pattern.name)
    if place is None:
        raise ImageReadError(f"{pattern} has no number in its name; a pattern such as frames/%05d.png is expected.")
    before, after, digits = pattern.name[: place.start()], pattern.name[place.end() :], int(place[1] or 0)
    if not pattern.parent.is_dir():
        raise ImageReadError(f"{pattern.parent} is no folder that is there; one with pictures is expected.")
    numbers = {}
    for path in pattern.parent.iterdir():
        middle = path.name[len(before) : len(path.name) - len(after)]
        is_ours = path.name.startswith(before) and path.name.endswith(after) and middle.isascii() and middle.isdigit()
        if is_ours and f"{int(middle):0{digits}d}" == middle:
            numbers[int(middle)] = path
    if not numbers:
        raise ImageReadError(f"{pattern} names no picture that is there; numbered pictures are expected.")
    ordered = sorted(numbers)
    gap = next((one for one in range(ordered[0], ordered[-1]) if one not in numbers), None)
    if gap is not None:
        missing = pattern.with_name(f"{before}{gap:0{digits}d}{after}")
        raise ImageReadError(f"{missing} is missing between others; pictures without a gap are expected.")
    return [numbers[one] for one in ordered]
