"""What a file says of its colours, and who is believed when several say something.

An embedded profile says it best; only a PNG's cICP goes before it, as the PNG specification (third edition) wants.
Then follow the other chunks of a PNG, the code points of AVIF and HEIC, and at last EXIF, which knows two words:
sRGB and, among cameras, Adobe RGB. What is written afterwards says sRGB alone.

Must not import anything of the package but the parts of `images` that it is made of.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from dreamer.images import coding, exif, isobmff
from dreamer.images.coding import Coding

_BOXES = 1 << 16  # where the boxes of an AVIF are that describe its picture
_JP2 = b"\0\0\0\x0cjP  "
_PNG = b"\x89PNG\r\n\x1a\n"
_SRGB, _ADOBE_RGB, _UNCALIBRATED = 1, 2, 65535


class Meant(NamedTuple):
    """The colours that a file means.

    Attributes:
        space: An ICC profile, a coding, or None for sRGB.
        notes: One-line remarks for the user.
    """

    space: bytes | Coding | None
    notes: tuple[str, ...] = ()


def meant(info: Mapping[Any, Any], data: bytes | None, block: exif.Block | None) -> Meant:
    """Find out what the levels of a picture mean.

    Args:
        info: What Pillow found beside the pixels.
        data: The file, if there is one.
        block: Its EXIF.
    """
    notes: tuple[str, ...] = ()
    codes = cicp(data) if data else None
    if codes is not None:
        space = coding.from_code_points(*codes)
        if space is not None:
            return Meant(_unless_srgb(space))
        notes += (f"the colour codes {codes[0]}, {codes[1]}, {codes[2]} (cICP) are not known here: ignored",)
    profile = info.get("icc_profile") or (isobmff.jpeg_2000_profile(data) if data and data.startswith(_JP2) else None)
    if profile:
        return Meant(profile, notes)
    if "srgb" in info:
        return Meant(None, notes)
    if "gamma" in info or "chromaticity" in info:
        space = coding.from_gamma(info.get("gamma"), info.get("chromaticity"))
        if space is not None:
            return Meant(_unless_srgb(space), notes)
        notes += ("what the gAMA and cHRM chunks say of its colours cannot be: colours are taken as sRGB",)
    space = _of_nclx(info, data)
    if space is None and block is not None and is_adobe_rgb(block):
        space = coding.ADOBE_RGB
    return Meant(space, notes)


def _unless_srgb(space: Coding) -> Coding | None:
    return None if space == coding.SRGB else space


def _of_nclx(info: Mapping[Any, Any], data: bytes | None) -> Coding | None:
    """What the code points of AVIF and HEIC say, unless it is sRGB, which encoders write when they know nothing.

    The decoder has turned the pixels into RGB of the full range, whatever they were stored as. pillow-heif tells the
    code points; Pillow does not, but they lie near the beginning of an AVIF.
    """
    codes = None
    told = info.get("nclx_profile")
    if isinstance(told, dict):
        codes = int(told["color_primaries"]), int(told["transfer_characteristics"])
    elif data and data[4:8] == b"ftyp":
        at = data.find(b"colrnclx", 0, _BOXES)
        codes = struct.unpack_from(">HH", data, at + 8) if 0 <= at <= len(data) - 12 else None
    space = coding.from_code_points(*codes, 0, True) if codes else None
    return None if space is None else _unless_srgb(space)


def cicp(data: bytes) -> tuple[int, int, int, bool] | None:
    """The code points of a PNG: primaries, transfer, matrix, whether the range is full; None when it has none."""
    if data[:8] != _PNG:
        return None
    at = 8
    while at + 12 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if name == b"cICP" and size == 4:
            primaries, transfer, matrix, full = data[at + 8 : at + 12]
            return primaries, transfer, matrix, full != 0
        if name in (b"IDAT", b"IEND"):
            return None
        at += 12 + size
    return None


def is_adobe_rgb(block: exif.Block) -> bool:
    """Whether EXIF says Adobe RGB.

    A DCF camera says "uncalibrated" and the interoperability index R03, which stands for Adobe RGB alone; some write
    2 as the colour space. "Uncalibrated" without R03 says nothing, and 1 is sRGB whatever else is written. Names such
    as ``_DSC0001.JPG`` and makers' notes are not asked: the one is changed by people, the other means the same R03.
    """
    detail = block.within(exif.EXIF_IFD)
    space = detail.number(exif.COLOUR_SPACE, _UNCALIBRATED)
    index = detail.within(exif.INTEROP_IFD).data(exif.INTEROP_INDEX) or b""
    return space == _ADOBE_RGB or (space == _UNCALIBRATED and index[:3] == b"R03")


def is_srgb(block: exif.Block) -> bool:
    """Whether EXIF says sRGB, or nothing."""
    return block.within(exif.EXIF_IFD).number(exif.COLOUR_SPACE, _SRGB) == _SRGB
