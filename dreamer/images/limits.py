"""What a picture may claim before anything is decoded: pixels that its bytes can fill, memory that the machine has.

The one idea: a header is a promise. Each compression can make only so many pixels of a byte; what promises more is
refused when nothing but the header was read.

References:
    `formats.FORMATS` and the table below name the source of each figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from dreamer import memory
from dreamer.arrays import Size
from dreamer.errors import ImageReadError
from dreamer.images.formats import PLAIN, PLAIN_PIXELS, Format

Numbers = Callable[[int], tuple[float, ...]]
"""A TIFF's tag -> its numbers, or () where it is missing."""

# TIFF: compression -> the most bytes of samples that a byte of the file can fill.
_TIFF_BYTES = {
    1: 1,
    # Codes of 9 to 12 bits; the table is begun anew after 4094 of them, when it has given 7.4 million bytes for 5.6
    # thousand (TIFF 6.0, section 13).
    5: 1366,
    **dict.fromkeys((8, 32946), 1032),  # Deflate: see PNG.
    32773: 64,  # PackBits: two bytes give 128 (TIFF 6.0, section 9).
    # LZMA: a match of 273 bytes takes 14 decisions, each no less than 0.022 bits.
    34925: 7100,
    50000: 32768,  # Zstandard: a block of 4 bytes gives 128 KiB of one value (RFC 8878, 3.1.1.2).
}
# The same for those that know of pixels: how many a byte can fill, by the width of a row.
_TIFF_PIXELS: dict[int, Callable[[int], int]] = {
    2: lambda _: 1707,  # A run of 2560 pixels takes 12 bits (ITU-T T.4, table 3).
    3: lambda width: max(1707, width),  # A row like the one above takes 14 bits.
    4: lambda width: 8 * width,  # A row like the one above takes one bit (ITU-T T.6).
    7: lambda _: 512,  # JPEG: see there.
}
_COMPRESSION, _BITS, _SAMPLES = 259, 258, 277

# While it is converted to an array, a picture is there as Pillow's, 4 bytes for each pixel, twice, and once as ours.
_CONVERTING = 11
_BAND = 100_000_000  # Bytes for what is converted at a time, of a picture that is made smaller.
_SMALL_MODES = ("1", "L", "P")
_SMALL_READERS = ("PNG", "GIF", "BMP", "TIFF")  # Those that need a quarter for a picture of one channel.


class MemoryPlan(NamedTuple):
    """What reading a picture will come to.

    Attributes:
        size: Its ``(height, width)``.
        decoded: What the decoder makes of it, which is smaller where the format can be read smaller.
        final: What is left when it has been read.
        mode: Pillow's, of what is decoded.
        deep: Whether it has 16 bits per channel.
        held_bytes: What the decoder holds for each pixel of the whole, however small it is decoded.
    """

    size: Size
    decoded: Size
    final: Size
    mode: str
    deep: bool = False
    held_bytes: int = 0


def check_claim(kind: Format, size: Size, length: int, *, arithmetic: bool = False) -> None:
    """Refuse a picture of more pixels than its bytes can fill.

    Args:
        kind: Its format.
        size: ``(height, width)`` that it claims.
        length: Bytes of the file.
        arithmetic: Whether it is a JPEG in arithmetic coding, in which one colour takes next to no bytes.

    Raises:
        ImageReadError: It has.
    """
    if arithmetic:
        kind = kind._replace(pixels_per_byte=PLAIN, plain_pixels=PLAIN_PIXELS)
    if kind.pixels_per_byte is None:
        return
    if math.prod(size) > max(kind.pixels_per_byte * length, kind.plain_pixels):
        raise _impossible(size, length)


def check_tiff_claim(numbers: Numbers, size: Size, length: int) -> None:
    """The same for a TIFF, whose compression says how much its bytes can fill.

    Raises:
        ImageReadError: As `check_claim`.
    """
    compression = int(next(iter(numbers(_COMPRESSION)), 1))
    bits = sum(numbers(_BITS)) or 1
    bits = max(bits, next(iter(numbers(_SAMPLES)), 1))
    if compression in _TIFF_BYTES and math.prod(size) * bits / 8 > _TIFF_BYTES[compression] * length:
        raise _impossible(size, length)
    if compression in _TIFF_PIXELS and math.prod(size) > _TIFF_PIXELS[compression](size[1]) * length:
        raise _impossible(size, length)


def _impossible(size: Size, length: int) -> ImageReadError:
    return ImageReadError(
        f"claims {size[1]} x {size[0]} pixels, more than its {length:,} bytes can fill; the whole picture is expected. "
        "Copy or download it again."
    )


def check_memory(kind: Format, plan: MemoryPlan, work_bytes: int) -> None:
    """Refuse a picture that would need more memory than there is.

    Args:
        kind: Its format.
        plan: What reading it will come to.
        work_bytes: Those that will be needed afterwards for each pixel of what is left.

    Raises:
        MemoryError: There is too little; says how much, and what to do.
    """
    needed = max(_reading(kind, plan), math.prod(plan.final) * (3 + work_bytes))
    free = memory.free()
    if needed <= free:
        return
    small = _reading(kind, plan._replace(final=(1, 1)))
    way_out = (
        "Make it smaller as it is read, with --max-size, or free some memory."
        if small <= free
        else "Free some memory, or reduce it first in another program."
    )
    raise MemoryError(
        f"needs about {_amount(needed)} of memory ({plan.size[1]} x {plan.size[0]} pixels), and {_amount(free)} are "
        f"free. {way_out}"
    )


def _reading(kind: Format, plan: MemoryPlan) -> float:
    """Bytes that reading takes at the most."""
    share = 0.25 if plan.mode in _SMALL_MODES and kind.name in _SMALL_READERS else 1
    decoding = kind.bytes_per_pixel * share
    is_whole = plan.final == plan.decoded
    per_pixel = (2 if plan.deep else 1) * (max(decoding, _CONVERTING) if is_whole else decoding)
    return math.prod(plan.decoded) * per_pixel + math.prod(plan.size) * plan.held_bytes + (0 if is_whole else _BAND)


def _amount(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
