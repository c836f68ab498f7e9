"""Animations: files that play frames over and over, a GIF, a WebP or an APNG, with their recipe inside."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from dreamer.arrays import Size
from dreamer.errors import ImageWriteError, SettingsError
from dreamer.images import apng, exif, gif
from dreamer.images.encoding import FAILURES, check_size
from dreamer.images.files import check_no_folder, check_place, placed
from dreamer.images.opening import one_line
from dreamer.images.profiles import srgb_bytes
from dreamer.images.recipes import Recipe, dumped
from dreamer.images.spool import Spool
from dreamer.images.spooled import Spooled

_SHORTEST = 2  # hundredths of a second; browsers play what is shorter at their own, slower pace
_MOST_DENOMINATOR = 1001  # Of a rate, as in NTSC's 30000/1001.
_SMALLER = "Make the frames smaller."


class Timing:
    """How long frames are shown.

    Args:
        seconds_per_frame: An animation rounds it to hundredths, and to 0.02 at the least.
        last_seconds: Of the last frame at the least, for who wants to look at a finished picture.

    Attributes:
        last_seconds: As it was given.

    Raises:
        SettingsError: A time is no number, or not positive.

    Example:
        >>> Timing(1 / 24).milliseconds(3), Timing(1 / 24).rate
        ([40, 40, 40], Fraction(24, 1))
    """

    def __init__(self, seconds_per_frame: float, last_seconds: float = 0.0) -> None:
        if not (math.isfinite(seconds_per_frame) and seconds_per_frame > 0):
            raise SettingsError(f"the time of a frame is {seconds_per_frame}; expected seconds, a number above 0")
        if not (math.isfinite(last_seconds) and last_seconds >= 0):
            raise SettingsError(f"the time of the last frame is {last_seconds}; expected seconds, 0 or more")
        self.last_seconds = last_seconds
        self._seconds = seconds_per_frame
        self._told: tuple[int, ...] | None = None

    @classmethod
    def of(cls, milliseconds: Sequence[int]) -> Timing:
        """The times of frames one by one, kept as exactly as a format can.

        Args:
            milliseconds: Of each frame, 1 or more.

        Example:
            >>> Timing.of([30, 70]).milliseconds(2)
            [30, 70]
        """
        timing = cls(sum(milliseconds) / len(milliseconds) / 1000)
        timing._told = tuple(milliseconds)
        return timing

    @property
    def rate(self) -> Fraction:
        """Frames in a second, exactly as somebody asked for them: 24, 29.97, 30000/1001."""
        return Fraction(1 / self._seconds).limit_denominator(_MOST_DENOMINATOR)

    def milliseconds(self, count: int, clock: int = 10) -> list[int]:
        """Of each of so many frames, in steps of a clock.

        Args:
            count: Of frames.
            clock: Milliseconds between its ticks. Frames that are equally long are in steps of a GIF's clock for all.
        """
        if self._told is None:
            shown = max(_SHORTEST, round(100 * self._seconds))
            return [10 * shown] * (count - 1) + [10 * max(shown, round(100 * self.last_seconds))]
        # The ends are rounded, not the times, so that a long animation does not drift.
        ends = [0]
        for end in accumulate(self._told):
            ends.append(max(ends[-1] + 1, round(end / clock)))
        return [clock * (after - before) for before, after in pairwise(ends)]


class Animation(Spooled):
    """A file that plays its frames over and over.

    Args:
        path: Where it goes; the suffix is one of :data:`ENCODERS`. A symbolic link is written through.
        timing: How long frames are shown.
        overwrite: Whether a file that is there is replaced, keeping its permissions.

    Attributes:
        timing: The same; who learns it with the frames sets it before the end.
    """

    def __init__(self, path: Path, timing: Timing, *, overwrite: bool = False) -> None:
        check_animation_target(path, overwrite=overwrite)
        super().__init__(path, _format_name(path.suffix), overwrite=overwrite)
        self.timing = timing

    def check_first(self, size: Size) -> None:
        """Refuse frames that the format has no room for."""
        check_size(self._name, size, mend=_SMALLER)

    def write_to(self, path: Path, recipe: Recipe, *, overwrite: bool = False) -> None:
        """Encode what there is into a place, as where the first one failed."""
        self.check_frames(path)
        stored = None if recipe is None else dumped(recipe)
        suffix = path.suffix.lower()
        with placed(path, overwrite=overwrite) as file:
            try:
                times = self.timing.milliseconds(self.count, _CLOCKS.get(suffix, 1))
                ENCODERS[suffix][1](file, self._spool, times, stored)
            except OSError as error:
                if error.errno is not None:  # The disk's; Pillow's own has no number.
                    raise
                raise self._failed(path, error) from error
            except FAILURES as error:
                raise self._failed(path, error) from error

    def _failed(self, path: Path, error: Exception) -> ImageWriteError:
        return ImageWriteError(f"{path} cannot be written: the {self._name} encoder failed: {one_line(error)}.")


def _webp(file: BinaryIO, frames: Spool, milliseconds: list[int], recipe: bytes | None) -> None:
    tags: exif.Directory = {} if recipe is None else {exif.IMAGE_HISTORY: exif.ascii_entry(recipe)}
    options: dict[str, Any] = {"exif": exif.serialised(exif.Block("<", tags))} if tags else {}
    # Method 2 takes half the time of 4, the files are as small.
    options |= {"quality": 90, "method": 2, "icc_profile": srgb_bytes()}
    if len(frames) == 1:
        Image.fromarray(frames[0]).save(file, "WEBP", save_all=True, duration=milliseconds, loop=0, **options)
        return
    # Pillow takes a picture of several frames, which it seeks one by one; this one holds the frame that it shows.
    film: Any = Image.fromarray(frames[0])
    film.n_frames = len(frames)
    film.seek = lambda index: film.paste(Image.fromarray(frames[index]))
    film.save(file, "WEBP", save_all=True, duration=milliseconds, loop=0, **options)


Encode = Callable[[BinaryIO, Spool, list[int], bytes | None], None]

ENCODERS: dict[str, tuple[str, Encode]] = {
    ".gif": ("GIF", gif.write),
    ".webp": ("WebP", _webp),
    ".apng": ("PNG", apng.write),
}
"""What encodes the frames of a file, by its suffix, with the name of the format."""

_CLOCKS = {".gif": 10}
"""Milliseconds between the ticks of a format's clock, where that is not 1."""


def check_animation_target(path: Path, *, overwrite: bool, size: Size | None = None) -> None:
    """Find out before the work starts what would keep an animation from being written.

    Args:
        path: Where the animation is to go.
        overwrite: Whether a file that is there may be replaced.
        size: ``(height, width)`` of the frames, if it is known by now.

    Raises:
        ImageWriteError: The suffix is none of :data:`ENCODERS`; frames too large for the format; or the place is not
            fit, as `check_target` says.

    Example:
        >>> check_animation_target(Path("dream.gif"), overwrite=True)
    """
    path = Path(path)
    check_no_folder(path, ".gif")
    try:
        name = _format_name(path.suffix)
        if size is not None:
            check_size(name, size, mend=_SMALLER)
    except ImageWriteError as error:
        raise ImageWriteError(f"{path} cannot be written: {error}") from None
    check_place(path, overwrite=overwrite)


def _format_name(suffix: str) -> str:
    if suffix.lower() not in ENCODERS:
        raise ImageWriteError(no_format(suffix))
    return ENCODERS[suffix.lower()][0]


def no_format(suffix: str, known: Iterable[str] = ENCODERS) -> str:
    """What to say of a suffix that is none of those known."""
    return f"the suffix {suffix!r} names no format of animations. Known: {', '.join(known)}."
