"""Whether a picture is read at all: what is checked between its header and its pixels, and after them.

The one idea: everything that speaks against a picture is found before memory is taken for it, as far as its format
allows, and said in one line. What is merely missing can be done without, if whoever reads it says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import Image, ImageFile

from dreamer.arrays import Size, fitted, scaled
from dreamer.errors import ImageReadError
from dreamer.images import chatter, exif, jpeg, limits, reducing, sixteen, tiff, whole
from dreamer.images.formats import by_plugin
from dreamer.images.opening import opened, too_large

END_MARK = "its end mark is missing; the picture before it is whole"


class Terms(NamedTuple):
    """On what terms a picture is read.

    Attributes:
        max_pixels: No larger one.
        max_side: Made smaller as it is read, so that no side is longer; None to leave it.
        short_side: Made smaller as it is read, so that its shorter side has this many pixels; None to leave it.
        damaged_ok: Whether one that is not whole is taken.
        work_bytes: Memory that will be needed for each pixel afterwards.
    """

    max_pixels: int
    max_side: int | None = None
    short_side: int | None = None
    damaged_ok: bool = False
    work_bytes: int = 0

    def final(self, size: Size) -> Size:
        """How large a picture of ``(height, width)`` becomes."""
        if self.max_side is not None:
            return fitted(size, self.max_side)
        return size if self.short_side is None else scaled(size, min(1.0, self.short_side / min(size)))

    def miss(self, what: str, how: str = "truncated") -> str:
        """Take a picture of which something is missing, with a note, or refuse it.

        Args:
            what: Is missing: the end of a sentence that begins with "its data".
            how: What that makes of it.

        Raises:
            ImageReadError: Damaged ones are not taken.
        """
        if self.damaged_ok:
            return f"is not whole (its data {what}); what is missing was made up by the decoder"
        raise ImageReadError(
            f"is {how} (its data {what}); the whole picture is expected. Copy or download it again, or take what "
            "there is with --damaged-ok."
        )


def check_size(size: Size, terms: Terms) -> None:
    """Refuse a picture of ``(height, width)`` beyond the limit.

    Raises:
        ImageReadError: It is.
    """
    if math.prod(size) > terms.max_pixels:
        raise ImageReadError(too_large(terms.max_pixels))


def loaded(image: ImageFile.ImageFile, data: bytes, block: exif.Block | None, terms: Terms) -> tuple[str, ...]:
    """Check a picture, then decode it, smaller where the format can and the terms say so.

    Args:
        image: The picture as Pillow opened it; of a PNG of 16 bits the pixels are left to whoever knows them.
        data: The file.
        block: Its directory, if it is a TIFF.
        terms: On which it is read.

    Returns:
        Notes.

    Raises:
        ImageReadError: It claims more than it holds, or is not whole.
        MemoryError: It needs more than there is.
    """
    size = image.size[1], image.size[0]
    kind = by_plugin(image.format)
    check_size(size, terms)
    scans = jpeg.scans(data) if image.format in ("JPEG", "MPO") else None
    if kind.name == "TIFF":
        limits.check_tiff_claim(_tags(image), size, len(data))
    else:
        limits.check_claim(kind, size, len(data), arithmetic=scans is not None and scans.is_arithmetic)
    wanted = terms.final(size)
    levels = whole.halvings_of_jpeg_2000(data) if kind.name == "JPEG 2000" else 0
    decoded = reducing.ask_for_less(image, wanted, levels)
    # A JPEG of several scans is kept as coefficients, two bytes for each sample, until all scans are there.
    held_bytes = 6 if scans is not None and len(scans.parts) > 1 else 0
    plan = limits.MemoryPlan(size, decoded, wanted, image.mode, deep=sixteen.is_png(data), held_bytes=held_bytes)
    limits.check_memory(kind, plan, terms.work_bytes)
    if kind.name == "TIFF":
        return _loaded_tiff(image, data, block, terms)
    lacks = whole.missing(image, data) if scans is None else jpeg.missing(data, scans)
    if scans is not None and lacks is None:
        return _loaded_jpeg(image, data, scans, wanted, terms)
    return missed(lacks, terms)


def missed(lacks: str | None, terms: Terms) -> tuple[str, ...]:
    """A note on what a picture lacks, if it lacks anything.

    Raises:
        ImageReadError: It does, and damaged ones are not taken.
    """
    return () if lacks is None else (terms.miss(lacks),)


def _tags(image: ImageFile.ImageFile) -> Callable[[int], tuple[float, ...]]:
    tags: Any = image.tag_v2  # type: ignore[attr-defined]

    def numbers(tag: int) -> tuple[float, ...]:
        value = tags.get(tag, ())
        return value if isinstance(value, tuple) else (value,)

    return numbers


def _loaded_jpeg(
    image: ImageFile.ImageFile, data: bytes, scans: jpeg.Scans, wanted: Size, terms: Terms
) -> tuple[str, ...]:
    image.load()
    with opened(jpeg.with_foreign_bits(data, scans)) as other:
        reducing.ask_for_less(other, wanted)
        return _compared(image, other, terms)


def _compared(image: Image.Image, other: ImageFile.ImageFile, terms: Terms) -> tuple[str, ...]:
    other.load()
    row = jpeg.first_difference(image, other)
    return missed(None if row is None else f"end or break off about row {row} of {image.size[1]}", terms)


def _loaded_tiff(image: ImageFile.ImageFile, data: bytes, block: exif.Block | None, terms: Terms) -> tuple[str, ...]:
    found = missed(None if block is None else tiff.missing_parts(block), terms)
    found = (found + load_tiff(image, terms))[:1]
    if block is None or found:
        return found
    if tiff.is_jpeg(block):
        if (lacks := tiff.missing_of_jpeg(data, block)) is not None:
            return missed(lacks, terms)
        with opened(tiff.with_foreign_bits(data, block)) as other, chatter.caught([]):
            return _compared(image, other, terms)
    return missed(tiff.missing_of_fax(image, block), terms)


def load_tiff(image: ImageFile.ImageFile, terms: Terms) -> tuple[str, ...]:
    """Decode a TIFF; what libtiff complains of is a note, if damaged pictures are taken.

    Raises:
        ImageReadError, OSError: It is damaged.
    """
    said: list[str] = []
    try:
        with chatter.caught(said):
            image.load()
    except OSError as error:
        reason = said[0] if said else str(error)
        # What was decoded by then is in place, if anything was.
        if not terms.damaged_ok or image.tile:
            raise OSError(reason.removesuffix(".")) from error
        said = [reason]
    return (terms.miss(f"are damaged: {said[0].removesuffix('.')}", "damaged"),) if said else ()
