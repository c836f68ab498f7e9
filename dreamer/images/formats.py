"""The formats of pictures: what each is called, which suffixes it has, whether it is written. Data, in one table.

The one idea: a format is told by its content, a suffix only says what somebody expects to find or wants to have.

Must not import Pillow or anything heavy.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple


class Format(NamedTuple):
    """A format of pictures.

    Attributes:
        name: What people call it.
        plugin: What Pillow calls it; "" where another library reads it.
        suffixes: Of its files.
        is_written: Whether pictures can be written in it.
        pixels_per_byte: The most pixels that a byte of a file can fill; None where that depends on more than the
            format.
        plain_pixels: So many are believed however few the bytes, where a picture of a single colour takes next to none.
        bytes_per_pixel: The most memory that decoding takes, as measured on large pictures of colour, 8 bits each.
        extra: The extra of the package that installs what reads it; "" for none.
    """

    name: str
    plugin: str
    suffixes: tuple[str, ...]
    is_written: bool
    pixels_per_byte: int | None
    bytes_per_pixel: int
    extra: str = ""
    plain_pixels: int = 0


PLAIN = 1 << 14
"""Pixels that a byte fills in a picture of next to a single colour. A mask of a rectangle and a circle was seen to
reach 4,500 at 24 megapixels and 12,000 at 108, as lossless WebP; more is the claim of a damaged header."""

PLAIN_PIXELS = 16_000_000
"""Pixels that are believed however few the bytes: a small picture of a single colour."""

FORMATS = (
    # A block of 64 pixels takes a bit or more: the code of its mean (ITU-T T.81, F.1.2.1). In arithmetic coding (which
    # `limits` looks for) a decision can take as little as 2 ** -15 bits.
    Format("JPEG", "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), True, 512, 8),
    # Deflate gives 258 bytes for two bits at the best (RFC 1951, 3.2.5), of up to 8 pixels each; how many it gives is
    # counted in `whole`.
    Format("PNG", "PNG", (".png",), True, 1032 * 8, 4),
    # Lossless WebP can say in no bits at all that all pixels are the same.
    Format("WebP", "WEBP", (".webp",), True, PLAIN, 18, plain_pixels=PLAIN_PIXELS),
    # By its compression: see `limits`.
    Format("TIFF", "TIFF", (".tif", ".tiff"), True, None, 8),
    # Of the run-length codings two bytes give 255 pixels.
    Format("BMP", "BMP", (".bmp",), True, 128, 4),
    # A code of 12 bits stands for 3839 pixels or fewer: the longest string in a table of 4096 (GIF89a, appendix F).
    Format("GIF", "GIF", (".gif",), True, 2560, 4),
    # AV1 adapts until a block of 128 x 128 pixels takes next to no bits.
    Format("AVIF", "AVIF", (".avif",), True, PLAIN, 13, plain_pixels=PLAIN_PIXELS),
    # A packet of one byte can say that a whole tile is of middling grey (ITU-T T.800, B.9).
    Format(
        *("JPEG 2000", "JPEG2000", (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"), False, PLAIN, 20),
        plain_pixels=PLAIN_PIXELS,
    ),
    # A JPEG with more pictures after it. Only the first is used, so what is written is a JPEG or a PNG.
    Format("MPO", "MPO", (".mpo",), False, 512, 8),
    # HEVC adapts as AV1 does.
    Format("HEIC", "", (".heic", ".heif", ".hif"), False, PLAIN, 14, extra="heic", plain_pixels=PLAIN_PIXELS),
)
"""All that are read, those first that people have most."""

READ_SUFFIXES = {suffix: one.name for one in FORMATS for suffix in one.suffixes}
"""Suffix -> name of the format that it promises, of all that are read."""

SUFFIXES = {suffix: one.name for one in FORMATS if one.is_written for suffix in one.suffixes}
"""The same of all that can be written."""

_MODULES = {"heic": "pillow_heif"}  # What an extra installs.

_SPARE_SUFFIX = ".png"  # It loses nothing: neither alpha nor the bits beyond 8.


def dream_suffix(suffix: str) -> str:
    """The suffix of a dream of a photo with some suffix: the same, or ``.png`` where that cannot be written.

    Example:
        >>> dream_suffix(".jfif"), dream_suffix(".heic"), dream_suffix("")
        ('.jfif', '.png', '.png')
    """
    return suffix if suffix.lower() in SUFFIXES else _SPARE_SUFFIX


def is_read(suffix: str) -> bool:
    """Whether files of a suffix are read here: HEIC only where the extra ``heic`` is installed.

    Example:
        >>> is_read(".JP2"), is_read(".mov")
        (True, False)
    """
    return suffix.lower() in READ_SUFFIXES and missing_extra(suffix) is None


def missing_extra(suffix: str) -> str | None:
    """The extra of the package that reads files of a suffix, if it is not installed; None otherwise."""
    extra = next((one.extra for one in FORMATS if suffix.lower() in one.suffixes), "")
    return extra if extra and find_spec(_MODULES[extra]) is None else None


def by_plugin(name: str | None) -> Format:
    """The format that Pillow gives a name.

    Raises:
        KeyError: It is none of ours.
    """
    return _BY_PLUGIN[name or ""]


def known() -> str:
    """The names of all formats, for a message."""
    names = [one.name for one in FORMATS]
    return f"{', '.join(names[:-1])} or {names[-1]}"


_BY_PLUGIN = {one.plugin: one for one in FORMATS}
