"""Animations: files that play frames over and over, a GIF, a WebP or an APNG, with their recipe inside."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from PIL import Image

from dreamer.arrays import Size, StoredArray
from dreamer.errors import ImageWriteError, SettingsError
from dreamer.images import apng, exif, gif
from dreamer.images.encoding import FAILURES, check_size
from dreamer.images.files import check_no_folder, check_place, placed
from dreamer.images.opening import one_line
from dreamer.images.photo import Photo
from dreamer.images.profiles import srgb_bytes
from dreamer.images.recipes import Recipe, dumped
from dreamer.images.spool import Levels, Spool
from dreamer.images.writers import Encoding, rounded

_SHORTEST = 2  # hundredths of a second; browsers play what is shorter at their own, slower pace
_SMALLER = "Make the frames smaller."


class Timing:
    """How long frames are shown.

    Args:
        seconds_per_frame: Rounded to hundredths, and 0.02 at the least.
        last_seconds: Of the last frame at the least, for who wants to look at a finished picture.

    Raises:
        SettingsError: A time is no number, or not positive.
    """

    def __init__(self, seconds_per_frame: float, last_seconds: float = 0.0) -> None:
        if not (math.isfinite(seconds_per_frame) and seconds_per_frame > 0):
            raise SettingsError(f"the time of a frame is {seconds_per_frame}; expected seconds, a number above 0")
        if not (math.isfinite(last_seconds) and last_seconds >= 0):
            raise SettingsError(f"the time of the last frame is {last_seconds}; expected seconds, 0 or more")
        self._shown = max(_SHORTEST, round(100 * seconds_per_frame))
        self._last = max(self._shown, round(100 * last_seconds))

    def milliseconds(self, count: int) -> list[int]:
        """Of each of so many frames, in steps of a GIF's clock for all formats."""
        return [10 * self._shown] * (count - 1) + [10 * self._last]


class Animation:
    """A file that plays its frames over and over.

    Args:
        path: Where it goes; the suffix is one of :data:`ENCODERS`. A symbolic link is written through.
        timing: How long frames are shown.
        overwrite: Whether a file that is there is replaced, keeping its permissions.
    """

    def __init__(self, path: Path, timing: Timing, *, overwrite: bool = False) -> None:
        check_animation_target(path, overwrite=overwrite)
        self.path = path
        self._timing = timing
        self._overwrite = overwrite
        self._name = _format_name(path.suffix)
        self._spool = Spool(path.parent)

    @property
    def count(self) -> int:
        """How many frames there are."""
        return len(self._spool)

    def add(self, frame: StoredArray, _recipe: Recipe = None) -> None:
        """Take the next frame, as :meth:`FrameWriter.add` says."""
        try:
            self._spool.append(_levels(frame, self._name, self.count, self._spool.shape if self.count else None))
        except ImageWriteError as error:
            raise ImageWriteError(f"{self.path} cannot be written: {error}") from error
        except OSError as error:
            raise ImageWriteError(f"{self.path} cannot be written: {one_line(error)}.") from error

    def finish(self, recipe: Recipe) -> None:
        """Encode what there is and put it in its place."""
        self.write_to(self.path, recipe, overwrite=self._overwrite)

    def write_to(self, path: Path, recipe: Recipe, *, overwrite: bool = False) -> None:
        """The same into another place, as where the first one failed."""
        if not self.count:
            raise ImageWriteError(f"{path} cannot be written: it has no frames; one or more are expected.")
        stored = None if recipe is None else dumped(recipe)
        with placed(path, overwrite=overwrite) as file:
            try:
                ENCODERS[path.suffix.lower()][1](file, self._spool, self._timing.milliseconds(self.count), stored)
            except OSError as error:
                if error.errno is not None:  # The disk's; Pillow's own has no number.
                    raise
                raise self._failed(path, error) from error
            except FAILURES as error:
                raise self._failed(path, error) from error

    def _failed(self, path: Path, error: Exception) -> ImageWriteError:
        return ImageWriteError(f"{path} cannot be written: the {self._name} encoder failed: {one_line(error)}.")

    def frames(self) -> Iterator[Levels]:
        """What was taken so far, in 8 bits."""
        return iter(self._spool)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()


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


def no_format(suffix: str) -> str:
    """What to say of a suffix that is none of those."""
    return f"the suffix {suffix!r} names no format of animations. Known: {', '.join(ENCODERS)}."


def _levels(frame: StoredArray, name: str, index: int, expected: tuple[int, ...] | None) -> Levels:
    """A frame as uint8."""
    if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape or frame.dtype not in (np.float32, np.uint8):
        raise ImageWriteError(
            f"frame {index} is {frame.dtype} of shape {frame.shape}; float32 or uint8 of shape (height, width, 3) "
            "is expected."
        )
    if expected is None:
        check_size(name, (frame.shape[0], frame.shape[1]), mend=_SMALLER)
    elif frame.shape != expected:
        raise ImageWriteError(
            f"frame {index} has the shape {frame.shape}; that of the first, {expected}, is expected. Resize it first."
        )
    try:
        return rounded(Encoding(Photo(frame), name, None))
    except ValueError as error:
        raise ImageWriteError(f"frame {index} is no picture: {one_line(error)}.") from error
