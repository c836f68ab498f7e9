"""Labelled pictures -> one picture of them all, a contact sheet.

The one idea: pictures are copied as they are, never resized, and the words under them yield: they are set on two
lines, and shortened in the middle, where names of channels and classes say least.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dreamer.arrays import FloatArray, Size, StoredArray, as_float, resize
from dreamer.errors import ImageWriteError

_BACKDROP = np.float32(0.11)
_INK = np.float32(0.95)
_CHECKS = (np.float32(0.80), np.float32(0.92))  # light, so that they are not taken for a part of the sheet
_NARROWEST = 7  # widths of a label, in font sizes, that a cell grows to around a smaller picture
_FINER = 4  # letters are drawn larger and reduced: at their own size, spaces are rounded away
_ELLIPSIS = "…"
# What Pillow's font lacks and Unicode does not take apart into a letter and an accent.
_SPELT = {
    **{"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d"},
    **{"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{MULTIPLICATION SIGN}": "x"},
}


@dataclass(frozen=True, eq=False)
class LabelledPicture:
    """A picture of a sheet, and what is written under it.

    Attributes:
        picture: ``(height, width, 3)`` RGB, float32 in [0, 1], or uint8 or uint16.
        label: A few words, or none. Pillow's font has no accents: letters are drawn without, and what is no Latin
            letter as "?".
        alpha: ``(height, width)``, float32 in [0, 1], or uint8 or uint16; None when every pixel is opaque.
    """

    picture: StoredArray
    label: str
    alpha: StoredArray | None = None


@dataclass(frozen=True)
class _Layout:
    """Where things go, in pixels. A cell is as wide as its picture, or wider where that is too narrow for words."""

    columns: int
    tops: list[int]  # of the rows, and of one more that would follow
    width: int
    gap: int

    @property
    def size(self) -> Size:
        """``(height, width)`` of the sheet."""
        return self.tops[-1], self.gap + self.columns * (self.width + self.gap)

    def corner(self, index: int) -> tuple[int, int]:
        """``(top, left)`` of a cell; rows are filled from the left."""
        row, column = divmod(index, self.columns)
        return self.tops[row], self.gap + column * (self.width + self.gap)


@dataclass(frozen=True)
class _Type:
    """The font, and its measures in pixels."""

    font: ImageFont.FreeTypeFont | ImageFont.ImageFont  # _FINER times as large
    size: int

    @property
    def line(self) -> int:
        """From one line to the next."""
        return round(1.25 * self.size)

    @property
    def padding(self) -> int:
        """Between a picture and its label."""
        return round(0.4 * self.size)

    def width(self, text: str) -> int:
        """Of a line."""
        return math.ceil(self.font.getlength(text) / _FINER)


def sheet(pictures: Sequence[LabelledPicture], *, columns: int | None = None) -> FloatArray:
    """Lay out labelled pictures in rows, each with its label underneath.

    Args:
        pictures: One or more, all of one size, in the order of reading.
        columns: How many stand side by side, as 2 for pairs; None for a sheet that is about as wide as high.

    Returns:
        ``(height, width, 3)`` float32 in [0, 1], dark around the pictures. These keep their values, but for
        transparent ones, which lie on light checks.

    Raises:
        ImageWriteError: No pictures; one of another size, or whose alpha does not fit; fewer than 1 column.

    Example:
        >>> tiles = [LabelledPicture(np.zeros((90, 120, 3), np.float32), f"block4b:{index}") for index in range(4)]
        >>> sheet(tiles, columns=4).shape
        (134, 540, 3)
    """
    size = _checked(pictures, columns)
    words = _type(size[1])
    lines, layout = _planned(size, [entry.label for entry in pictures], words, columns)
    width = layout.width
    out = np.full((*layout.size, 3), _BACKDROP, np.float32)
    for index, (entry, label) in enumerate(zip(pictures, lines, strict=True)):
        top, left = layout.corner(index)
        inset = left + (width - size[1]) // 2
        out[top : top + size[0], inset : inset + size[1]] = _opaque(entry)
        if not label:
            continue
        top += size[0] + words.padding
        below = out[top : top + words.line * len(label), left : left + width]
        below += _written(label, width, words)[..., None] * (_INK - _BACKDROP)
    return out


def sheet_size(size: Size, labels: Sequence[str], *, columns: int | None = None) -> Size:
    """The size that :func:`sheet` gives, before there are any pictures.

    Args:
        size: ``(height, width)`` of each picture.
        labels: One for each; without words a sheet is as large as it is at the least.
        columns: As there.

    Returns:
        ``(height, width)``.

    Example:
        >>> sheet_size((90, 120), ["block4b:0", "block4b:1"], columns=2)
        (134, 276)
    """
    return _planned(size, labels, _type(size[1]), columns)[1].size


def _planned(size: Size, labels: Sequence[str], words: _Type, columns: int | None) -> tuple[list[list[str]], _Layout]:
    """The lines of each label, and where all goes."""
    drawable = [_drawable(label, words.font) for label in labels]
    width = max(size[1], min(_NARROWEST * words.size, max(map(words.width, drawable))))
    lines = [_lines(label, width, words) for label in drawable]
    return lines, _layout(size, width, words, [len(label) for label in lines], columns)


def _checked(pictures: Sequence[LabelledPicture], columns: int | None) -> Size:
    """The size that all pictures have."""
    if not pictures:
        raise ImageWriteError("a sheet of no pictures cannot be made; one or more are expected.")
    if columns is not None and columns < 1:
        raise ImageWriteError(f"a sheet of {columns} columns cannot be made; 1 or more are expected.")
    expected = pictures[0].picture.shape
    if len(expected) != 3 or expected[2] != 3 or 0 in expected:
        raise ImageWriteError(f"pictures of shape (height, width, 3) are expected on a sheet, not {expected}.")
    for entry in pictures:
        if entry.picture.shape != expected:
            raise ImageWriteError(
                f"the picture {entry.label!r} has the shape {entry.picture.shape}; that of the first on the sheet, "
                f"{expected}, is expected. Resize it first."
            )
        if entry.alpha is not None and entry.alpha.shape != expected[:2]:
            raise ImageWriteError(
                f"the alpha of {entry.label!r} has the shape {entry.alpha.shape}; {expected[:2]} is expected."
            )
    return expected[0], expected[1]


def _type(width: int) -> _Type:
    """Growing with the pictures, but slower: to be read under small ones, and not to shout under large ones."""
    size = round(min(max(12.0, 3.0 + 0.05 * width), 36.0))
    return _Type(ImageFont.load_default(size=_FINER * size), size)


def _layout(size: Size, width: int, words: _Type, lines: list[int], columns: int | None) -> _Layout:
    gap = max(words.size, round(0.05 * min(size)))
    heights = [gap + size[0] + (words.padding + number * words.line if number else 0) for number in lines]
    if columns is None:
        columns = _squarest(len(lines), (max(heights), gap + width))
    columns = min(columns, len(lines))
    tops = [gap]
    for start in range(0, len(lines), columns):
        # A row is as high as its longest label needs it.
        tops.append(tops[-1] + max(heights[start : start + columns]))
    return _Layout(columns, tops, width, gap)


def _squarest(number: int, cell: Size) -> int:
    """How many columns make the longer side of a sheet shortest."""
    return min(range(1, number + 1), key=lambda columns: max(-(-number // columns) * cell[0], columns * cell[1]))


def _drawable(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """A label on one line, in letters that the font has."""
    missing = bytes(font.getmask("\uffff"))
    drawable = ""
    for letter in unicodedata.normalize("NFC", " ".join(label.split())):
        if bytes(font.getmask(letter)) == missing:
            bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
            letter = _SPELT.get(letter, bare or "?")
        drawable += letter
    return drawable


def _lines(label: str, width: int, words: _Type) -> list[str]:
    """A label on one line or two, no wider than `width` pixels, as much of it as finds room."""
    for kept in range(len(label), 0, -1):
        shown = _shortened(label, kept)
        length = words.width(shown)
        if length <= width:
            return [shown]
        # Two lines are not worth a try where they could not hold it however it were broken.
        if length <= 2 * width:
            for halves in (_halves(shown, " "), _halves(shown, "(?<=[_:/*])")):
                widths = [max(map(words.width, pair)) for pair in halves]
                if widths and min(widths) <= width:
                    return halves[widths.index(min(widths))]
    return []


def _shortened(label: str, kept: int) -> str:
    """A label with all but `kept` characters taken out of its middle."""
    if kept >= len(label):
        return label
    end = kept // 2
    return label[: kept - end].rstrip() + _ELLIPSIS + label[len(label) - end :].lstrip()


def _halves(text: str, gap: str) -> list[list[str]]:
    """All the ways to break a text in two where a regular expression matches."""
    return [[text[: match.start()], text[match.end() :]] for match in re.finditer(gap, text)]


def _written(lines: list[str], width: int, words: _Type) -> FloatArray:
    """Lines of text, each in the middle: ``(height, width)``, the share of ink in each pixel."""
    size = len(lines) * words.line, width
    image = Image.new("L", (_FINER * size[1], _FINER * size[0]))
    draw = ImageDraw.Draw(image)
    for index, text in enumerate(lines):
        left = (width - words.width(text)) // 2
        draw.text((_FINER * left, _FINER * index * words.line), text, fill=255, font=words.font)
    return resize(as_float(np.asarray(image)), size)


def _opaque(entry: LabelledPicture) -> FloatArray:
    picture = as_float(entry.picture)
    if entry.alpha is None:
        return picture
    cover = as_float(entry.alpha)[..., None]
    return picture * cover + _checks(picture.shape[:2])[..., None] * (1 - cover)


def _checks(size: Size) -> FloatArray:
    """``(height, width)`` of a draughtboard."""
    side = max(4, min(size) // 16)
    rows, columns = (np.arange(length) // side for length in size)
    return np.where((rows[:, None] + columns) % 2, *_CHECKS)
