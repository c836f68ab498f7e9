"""Photos -> encoded bytes, and notes on what a format could not hold."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import cv2

from dreamer.arrays import Size
from dreamer.errors import ImageWriteError
from dreamer.images.formats import SUFFIXES
from dreamer.images.photo import Photo
from dreamer.images.recipes import dumped
from dreamer.images.writers import HAS_ALPHA, WRITERS, Encoding

_MAX_SIDE = {"JPEG": 65500, "WebP": 16383, "GIF": 65535, "AVIF": 16384}
# What encoders were seen to raise, or document to raise.
FAILURES = (OSError, ValueError, TypeError, OverflowError, RuntimeError, MemoryError, struct.error, cv2.error)
_HOLDS = {
    "JPEG": ("EXIF", "XMP", "IPTC", "comment"),
    "PNG": ("EXIF", "XMP", "text chunks"),
    "WebP": ("EXIF", "XMP"),
    "TIFF": ("EXIF", "XMP", "IPTC"),
    "BMP": (),
    "GIF": ("comment",),
    "AVIF": ("EXIF", "XMP"),
}


def encode(photo: Photo, suffix: str, *, recipe: Mapping[str, object] | None) -> tuple[bytes, tuple[str, ...]]:
    r"""Encode a photo.

    Args:
        photo: Its pixels, float or levels, are rounded to its bits, or to 8 where the format has no 16.
        suffix: One of `formats.SUFFIXES`, as ``.jpg``.
        recipe: How the picture was made, kept in the file; None for no recipe.

    Returns:
        The bytes of the file, and one-line notes on what the format could not hold.

    Raises:
        ImageWriteError: Unknown suffix, a picture too large for the format, or pixels that are no picture.

    Example:
        >>> import numpy as np
        >>> encode(Photo(np.zeros((2, 3, 3), np.float32)), ".png", recipe={"seed": 0})[0][:4]
        b'\x89PNG'
    """
    name = format_name(suffix)
    _check(photo, name)
    try:
        job = Encoding(photo, name, None if recipe is None else dumped(recipe))
        _note_losses(job)
        return WRITERS[name](job), tuple(job.notes)
    except FAILURES as error:
        raise ImageWriteError(f"the picture cannot be written as {name}: {' '.join(str(error).split())}") from error


def format_name(suffix: str) -> str:
    """The format of a file name's suffix.

    Raises:
        ImageWriteError: No format has it.
    """
    try:
        return SUFFIXES[suffix.lower()]
    except KeyError:
        raise ImageWriteError(
            f"the suffix {suffix!r} names no format that can be written. Known: {', '.join(SUFFIXES)}."
        ) from None


def _check(photo: Photo, name: str) -> None:
    shape = photo.pixels.shape
    if len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise ImageWriteError(f"pixels of shape (height, width, 3) are expected, not {shape}.")
    if photo.alpha is not None and photo.alpha.shape != shape[:2]:
        raise ImageWriteError(
            f"the alpha of shape {photo.alpha.shape} does not fit pixels of shape {shape}. Resize both with resized()."
        )
    check_size(name, (shape[0], shape[1]))


def check_size(name: str, size: Size, *, mend: str = "Use PNG or TIFF.") -> None:
    """Make sure that a format can hold a picture of ``(height, width)``.

    Args:
        name: A value of `formats.SUFFIXES`.
        size: ``(height, width)`` in pixels.
        mend: What the message advises.

    Raises:
        ImageWriteError: A side is too long for it.
    """
    limit = _MAX_SIDE.get(name)
    if limit and max(size) > limit:
        raise ImageWriteError(
            f"{name} holds at most {limit} pixels per side; this picture has {size[1]} x {size[0]}. {mend}"
        )


def _note_losses(job: Encoding) -> None:
    photo, metadata = job.photo, job.photo.metadata
    if photo.alpha is not None and job.name not in HAS_ALPHA:
        job.notes.append(f"{job.name} has no transparency here: alpha dropped, composited on white")
    if photo.bits > job.bits:
        job.notes.append(f"{job.name} has 8 bits per channel: the {photo.bits} bits of the input are rounded")
    carried = {
        "EXIF": metadata.exif,
        "XMP": metadata.xmp,
        "IPTC": metadata.iptc,
        "text chunks": metadata.text,
        "comment": metadata.comment,
    }
    lost = [what for what, value in carried.items() if value and what not in _HOLDS[job.name]]
    if lost:
        job.notes.append(f"{job.name} has no place for {', '.join(lost)}: left out")
