"""The colours of a video -> those of a screen, and back.

The one idea: a video says by four code points how its levels mean colours. Who guesses one of them turns red into
orange, so all four are settled here, once for reading and once for writing: the matrix of the source is the matrix of
the dream. Levels of SDR stay as they are, as players show them; HDR and wide gamuts go through `images.profiles`.

References:
    ITU-T H.273 (07/2021), tables 2 to 4. ITU-R BT.601-7, BT.709-6, BT.2020-2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size, StoredArray
from dreamer.images.coding import SRGB, Coding, from_code_points
from dreamer.images.profiles import to_srgb_16

_LIMITED, _FULL = 1, 2
_BT709, _UNKNOWN, _BT601_625, _BT601_525, _BT2020 = 1, 2, 5, 6, 9
_PQ, _HLG = 16, 18
_SD_HEIGHT = 720  # Below it players take what is not said as BT.601.
_RGB = 0

# Matrix of H.273 -> what swscale calls it.
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
# BT.709, the two of BT.601, which differ from it by a few levels and are shown alike by players.
_SCREEN_PRIMARIES = (1, 2, 5, 6, 7)
# What one matrix goes with, where the file does not say: primaries and transfer.
_USUAL = {_BT709: (1, 1), _BT601_625: (5, 6), _BT601_525: (6, 6)}

# swscale takes a level of 16 bits as one of 8 moved to the upper end, for which white is 255 * 256.
_SWSCALE_WHITE = 65280
_CHROMA = ("BICUBIC", "ACCURATE_RND", "FULL_CHR_H_INT", "BITEXACT")
_SMALLER = ("AREA", "ACCURATE_RND", "FULL_CHR_H_INT", "BITEXACT")


class Tags(NamedTuple):
    """What a video says of its colours: code points of H.273, and FFmpeg's number of the range."""

    primaries: int
    transfer: int
    matrix: int
    range: int = _LIMITED


SCREEN = Tags(1, 1, 1)
"""BT.709, which is what a video without a source is written in."""


class Colours(NamedTuple):
    """How the levels of a source are read.

    Attributes:
        tags: What it says, or what is meant where it does not say.
        is_rgb: Whether its levels are RGB already.
        coding: How they mean light, where that is not as a screen has it; None for SDR of BT.709 and BT.601.
        bits: 8, or 16 for more.
    """

    tags: Tags
    is_rgb: bool
    coding: Coding | None
    bits: int

    @property
    def note(self) -> str | None:
        """What is to be said of it."""
        if self.coding is None:
            return None
        if isinstance(self.coding.curve, str):
            return (
                f"it is HDR ({self.coding.curve}) and becomes SDR: 203 cd/m2 became white, as in BT.2408, and what is "
                "brighter is cut off"
            )
        return "its colours are of a wider gamut than a screen's: those beyond are cut off"

    @property
    def written(self) -> Tags:
        """In which colours a dream of it is written: its own, if they are SDR of BT.709 or BT.601."""
        tags = self.tags
        if self.is_rgb or self.coding is not None or tags.matrix not in _USUAL:
            return SCREEN
        primaries, transfer = _USUAL[tags.matrix]
        return Tags(
            primaries if tags.primaries == _UNKNOWN else tags.primaries,
            transfer if tags.transfer == _UNKNOWN else tags.transfer,
            tags.matrix,
        )


def colours_of(frame: Any) -> Colours:
    """What the first frame of a video says of its colours, as PyAV gives it."""
    components = frame.format.components
    bits = 16 if max(part.bits for part in components) > 8 else 8
    is_rgb = bool(frame.format.is_rgb) or frame.format.has_palette
    matrix = int(frame.colorspace)
    if matrix not in _MATRICES:
        matrix = _BT601_525 if frame.height < _SD_HEIGHT else _BT709
    is_full = int(frame.color_range) == _FULL or "yuvj" in frame.format.name or is_rgb
    tags = Tags(int(frame.color_primaries), int(frame.color_trc), matrix, _FULL if is_full else _LIMITED)
    return Colours(tags, is_rgb, _coding(tags), bits)


def _coding(tags: Tags) -> Coding | None:
    if tags.transfer in (_PQ, _HLG):
        # Who says nothing of the primaries of HDR means those of BT.2020.
        primaries = _BT2020 if tags.primaries == _UNKNOWN else tags.primaries
        return from_code_points(primaries, tags.transfer, 0, True)
    if tags.primaries in _SCREEN_PRIMARIES:
        return None
    found = from_code_points(tags.primaries, _UNKNOWN, 0, True)
    return None if found is None or found.primaries == SRGB.primaries else found


def pixels_of(frame: Any, colours: Colours, size: Size, *, smaller: bool) -> StoredArray:
    """The pixels of a frame, as they lie in the file.

    Args:
        frame: PyAV's.
        colours: How its levels are read.
        size: The ``(height, width)`` that it is to have.
        smaller: Whether it is made smaller, as an average of its pixels.

    Returns:
        ``(height, width, 3)`` uint8 or uint16.
    """
    deep = colours.bits > 8 or colours.coding is not None
    matrix = {} if colours.is_rgb else {"src_colorspace": _MATRICES[colours.tags.matrix]}
    ranges = {} if colours.is_rgb else {"src_color_range": colours.tags.range, "dst_color_range": _FULL}
    converted = frame.reformat(
        width=size[1],
        height=size[0],
        format="rgb48le" if deep else "rgb24",
        interpolation=_method(_SMALLER if smaller else _CHROMA),
        threads=1,
        **matrix,
        **ranges,
    )
    pixels: StoredArray = converted.to_ndarray()
    if deep and not colours.is_rgb:
        pixels = _stretched(pixels)
    if colours.coding is not None:
        pixels, _ = to_srgb_16(pixels, colours.coding)
    return as_bits(pixels, colours.bits)


def _stretched(levels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Levels of 16 bits as swscale has them, so that white is white."""
    out = levels.astype(np.uint32)
    out *= 65535
    out += _SWSCALE_WHITE // 2
    out //= _SWSCALE_WHITE
    return np.minimum(out, 65535, out=out).astype(np.uint16)


def _shrunk(levels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The reverse."""
    out = levels.astype(np.uint32)
    out *= _SWSCALE_WHITE
    out += 65535 // 2
    out //= 65535
    return out.astype(np.uint16)


def as_bits(pixels: StoredArray, bits: int) -> StoredArray:
    """Levels of 8 bits, or of 16.

    Example:
        >>> as_bits(np.array([[[0, 1, 255]]], np.uint8), 16).tolist()
        [[[0, 257, 65535]]]
    """
    if bits > 8:
        return pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(257)
    if pixels.dtype == np.uint8:
        return pixels
    return np.asarray((pixels.astype(np.uint32) * 255 + 32767) // 65535, np.uint8)


def to_frame(pixels: StoredArray, pix_fmt: str, tags: Tags, *, deep: bool, is_rgb: bool) -> Any:
    """A frame for an encoder.

    Args:
        pixels: ``(height, width, 3)`` uint8 or uint16.
        pix_fmt: FFmpeg's name of how it stores them.
        tags: Their colours there.
        deep: Whether more than 8 bits are kept.
        is_rgb: Whether they are stored as RGB.
    """
    from dreamer.videos.pyav import pyav

    av = pyav()
    levels = np.ascontiguousarray(as_bits(pixels, 16 if deep else 8))
    if deep and not is_rgb:
        levels = _shrunk(levels)
    frame = av.VideoFrame.from_ndarray(levels, format="rgb48le" if deep else "rgb24")
    there = {} if is_rgb else {"dst_colorspace": _MATRICES[tags.matrix], "dst_color_range": tags.range}
    frame = frame.reformat(format=pix_fmt, interpolation=_method(_CHROMA), threads=1, **there)
    if not is_rgb:
        frame.colorspace, frame.color_range = tags.matrix, tags.range
        frame.color_primaries, frame.color_trc = tags.primaries, tags.transfer
    return frame


def tag(context: Any, tags: Tags, *, is_rgb: bool) -> None:
    """Have an encoder say in which colours it encodes."""
    context.color_primaries, context.color_trc = tags.primaries, tags.transfer
    context.colorspace, context.color_range = (_RGB, _FULL) if is_rgb else (tags.matrix, tags.range)


def _method(flags: tuple[str, ...]) -> int:
    from av.video.reformatter import Interpolation

    method = 0
    for flag in flags:
        method |= int(Interpolation[flag])
    return method
