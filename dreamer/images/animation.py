"""Frames -> an animation that plays over and over, a GIF or a WebP, with its recipe inside.

The one idea: nothing in the picture may move but what moves in the frames. A GIF has 256 colours, so all its frames
share one palette, and the pattern that hides its coarseness is the same in each of them: a still part stays still.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dreamer.arrays import Size, StoredArray
from dreamer.errors import ImageWriteError, SettingsError
from dreamer.images import exif
from dreamer.images.encoding import FAILURES, check_size
from dreamer.images.files import check_no_folder, check_place, put
from dreamer.images.opening import one_line
from dreamer.images.photo import Photo
from dreamer.images.profiles import srgb_bytes
from dreamer.images.recipes import dumped, marked
from dreamer.images.writers import Job, rounded

ANIMATION_SUFFIXES = {".gif": "GIF", ".webp": "WebP"}
_SHORTEST = 2  # hundredths of a second; browsers play what is shorter at their own, slower pace
_SAMPLE = 100_000  # pixels that the palette is made from, of the last frame and of all others
_COLOURS = 255  # one of the 256 is left for "as in the frame before"
_DITHER = 10.0  # levels from the lowest to the highest of the pattern: about the distance of two colours
_SMALLER = "Make the frames smaller."

Levels = NDArray[np.uint8]


def check_animation_target(path: Path, *, overwrite: bool, size: Size | None = None) -> None:
    """Find out before the work starts what would make `write_animation` fail.

    Args:
        path: Where the animation is to go.
        overwrite: Whether a file that is there may be replaced.
        size: ``(height, width)`` of the frames, if it is known by now.

    Raises:
        ImageWriteError: The suffix is neither ``.gif`` nor ``.webp``; frames
            too large for the format; or the place is not fit, as
            `check_target` says.

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


def write_animation(
    path: Path,
    frames: Iterable[StoredArray],
    *,
    seconds_per_frame: float,
    last_seconds: float = 1.5,
    recipe: Mapping[str, object] | None,
    overwrite: bool = False,
) -> None:
    """Write frames as an animation that plays over and over, whole or not at all.

    Frames that are equal to the one before are kept as a longer time of that one.

    Args:
        path: Where it goes, ``.gif`` or ``.webp``; a symbolic link is written through.
        frames: Pictures ``(height, width, 3)`` of one size, RGB, float32 in [0, 1] or uint8. Each is rounded to
            uint8 as it comes and then let go of: 3 bytes per pixel and frame are held, and 4 more for the encoder.
        seconds_per_frame: How long each frame is shown, rounded to hundredths and 0.02 at the least.
        last_seconds: How long the last frame is shown at the least, for who wants to look at a finished picture.
        recipe: How the frames were made, kept in the file for `read_recipe`; None for no recipe.
        overwrite: Replace a file that is there, keeping its permissions.

    Raises:
        ImageWriteError: As `check_animation_target` says; no frames, frames of several sizes or with NaN; or the disk
            is full or failing.
        SettingsError: A time is no number, or not positive.

    Example:
        >>> frames = (np.full((4, 6, 3), level, np.float32) for level in (0.0, 0.5, 1.0))
        >>> write_animation(Path("dream.gif"), frames, seconds_per_frame=0.1, recipe={"seed": 0})  # doctest: +SKIP
    """
    path = Path(path)
    if not (math.isfinite(seconds_per_frame) and seconds_per_frame > 0):
        raise SettingsError(f"the time of a frame is {seconds_per_frame}; expected seconds, a number above 0")
    if not (math.isfinite(last_seconds) and last_seconds >= 0):
        raise SettingsError(f"the time of the last frame is {last_seconds}; expected seconds, 0 or more")
    check_animation_target(path, overwrite=overwrite)
    name = _format_name(path.suffix)
    kept: list[Levels] = []
    try:
        for frame in frames:
            kept.append(_levels(frame, name, len(kept), kept[0].shape if kept else None))
        if not kept:
            raise ImageWriteError("it has no frames; one or more are expected.")
        data = _encoded(kept, name, _milliseconds(len(kept), seconds_per_frame, last_seconds), recipe)
    except ImageWriteError as error:
        raise ImageWriteError(f"{path} cannot be written: {error}") from error
    put(path, data, overwrite=overwrite)


def _format_name(suffix: str) -> str:
    try:
        return ANIMATION_SUFFIXES[suffix.lower()]
    except KeyError:
        raise ImageWriteError(
            f"the suffix {suffix!r} names no format of animations. Known: {', '.join(ANIMATION_SUFFIXES)}."
        ) from None


def _levels(frame: StoredArray, name: str, index: int, expected: tuple[int, ...] | None) -> Levels:
    """A frame as uint8, in memory of its own."""
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
        return rounded(Job(Photo(frame), name, None))
    except ValueError as error:
        raise ImageWriteError(f"frame {index} is no picture: {one_line(error)}.") from error


def _milliseconds(number: int, seconds: float, last_seconds: float) -> list[int]:
    """How long each frame is shown, in steps of a GIF's clock for both formats."""
    shown = max(_SHORTEST, round(100 * seconds))
    last = max(shown, round(100 * last_seconds))
    return [10 * shown] * (number - 1) + [10 * last]


def _encoded(frames: list[Levels], name: str, milliseconds: list[int], recipe: Mapping[str, object] | None) -> bytes:
    try:
        stored = None if recipe is None else dumped(recipe)
        return {"GIF": _gif, "WebP": _webp}[name](frames, milliseconds, stored)
    except FAILURES as error:
        raise ImageWriteError(f"the {name} encoder failed: {one_line(error)}.") from error


def _gif(frames: list[Levels], milliseconds: list[int], recipe: bytes | None) -> bytes:
    palette, pattern = _palette(frames), _pattern(frames[0].shape)
    pictures = [_indexed(frame, palette, pattern) for frame in frames]
    comment = {} if recipe is None else {"comment": marked(b"", recipe)}
    return _saved(pictures, "GIF", milliseconds, **comment)


def _palette(frames: list[Levels]) -> Image.Image:
    """One palette for all frames, as the image that Pillow takes it from.

    Half of the sample is the last frame: it is looked at longest, and most of the frames before may be noise.
    """
    sample = np.concatenate([_sample(some) for some in (frames[-1:], frames[:-1]) if some])
    # Without a mean over each group of colours (kmeans), white turns grey.
    return Image.fromarray(sample[:, None]).quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=1)


def _sample(frames: list[Levels]) -> Levels:
    """``(number, 3)`` pixels from all over some frames, rare colours more often than they are there.

    A colour that is there 100 times counts 10 times: by plain number, the green eyes of a brown cat turn brown.
    """
    # Odd, so that it does not run along the columns of the usual widths.
    stride = sum(frame.size // 3 for frame in frames) // _SAMPLE | 1
    pixels = np.concatenate([frame.reshape(-1, 3)[::stride] for frame in frames])
    alike = (pixels >> 3) @ np.array([1 << 10, 1 << 5, 1])
    order = np.argsort(alike, kind="stable")
    _, start, number = np.unique(alike[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - start.repeat(number)
    return pixels[order[rank < np.sqrt(number).repeat(number)]]


def _pattern(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An ordered dither (Bayer's) for every pixel, another shift of it for each channel."""
    bayer = np.zeros((1, 1))
    for _ in range(3):
        bayer = np.block([[4 * bayer, 4 * bayer + 2], [4 * bayer + 3, 4 * bayer + 1]])
    levels = ((bayer + 0.5) / bayer.size - 0.5) * _DITHER
    # Shifted, so that the three do not add up to light and dark dots.
    cell = np.stack([levels, np.roll(levels, 3, axis=1), np.roll(levels, 5, axis=0)], axis=-1)
    repeats = (-(-shape[0] // 8), -(-shape[1] // 8), 1)
    return np.tile(cell.astype(np.float32), repeats)[: shape[0], : shape[1]]


def _indexed(frame: Levels, palette: Image.Image, pattern: NDArray[np.float32]) -> Image.Image:
    dithered = np.rint(np.clip(frame + pattern, 0, 255)).astype(np.uint8)
    return Image.fromarray(dithered).quantize(palette=palette, dither=Image.Dither.NONE)


def _webp(frames: list[Levels], milliseconds: list[int], recipe: bytes | None) -> bytes:
    tags: exif.Directory = {} if recipe is None else {exif.IMAGE_HISTORY: exif.ascii_entry(recipe)}
    options: dict[str, Any] = {"exif": exif.serialised(exif.Block("<", tags))} if tags else {}
    # Method 2 takes half the time of 4, the files are as small.
    options |= {"quality": 90, "method": 2, "icc_profile": srgb_bytes()}
    return _saved([Image.fromarray(frame) for frame in frames], "WEBP", milliseconds, **options)


def _saved(pictures: list[Image.Image], kind: str, milliseconds: list[int], **options: Any) -> bytes:
    out = BytesIO()
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0, **options)
    return out.getvalue()
