"""EXIF blocks and TIFF directories, entry by entry: read, changed and written back without reinterpreting a byte.

Pillow's own EXIF class guesses types when it writes and turns the "ü" of an artist's name into "?"; a photo's
metadata should come out as it went in. An EXIF block *is* a small TIFF file, so the same hundred lines also
write the TIFF files themselves, and read BigTIFF.

Whatever a block says, reading it takes time and memory in proportion to its bytes: each directory is read once, and
all of them share one budget of entries and of bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple, Union

ORIENTATION = 0x0112
EXIF_IFD = 0x8769
GPS_IFD = 0x8825
INTEROP_IFD = 0xA005
COLOUR_SPACE = 0xA001
INTEROP_INDEX = 1
MAKER_NOTE = 0x927C
IMAGE_HISTORY = 0x9213
XMP = 700
IPTC = 33723
ICC = 34675
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
# What describes colours by numbers: white point and primaries, in the first directory; gamma, in the second.
_PRIMARIES, _GAMMA = frozenset({318, 319}), 0xA500

# Tags that say how the pixels of one TIFF file are stored (and large copies of them: Photoshop's layers, the raw
# data of a DNG). They are untrue of any other file.
# 269 (document name), 318, 319 (white and primaries), 529, 531 and 532 (YCbCr) are ordinary EXIF.
_STRUCTURE = frozenset(
    {
        *(*range(254, 269), 273, *range(277, 282), 284, *range(288, 294), 297, 301, 317, *range(320, 348), 351),
        *(*range(512, 522), 530, XMP, IPTC, 34377, ICC, 37724, *range(50706, 51200)),
    }
)

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
_IFD, _LONG8, _IFD8 = 13, 16, 18
_UNIT_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {BYTE: "B", SHORT: "H", LONG: "I", _IFD: "I", _LONG8: "Q", _IFD8: "Q"}
_DEEPEST = 3  # IFD0 > Exif > Interoperability
_MOST_ENTRIES = 10_000  # of all directories together; cameras write some hundred
_MOST_PAGES = 10_000  # no more are counted

Order = Literal["<", ">"]


class Tag(NamedTuple):
    """One tag's value as it lies in the file, in the block's byte order; `kind` and `number` as TIFF defines them."""

    kind: int
    number: int
    data: bytes


Directory = dict[int, Union[Tag, "Directory"]]


@dataclass(frozen=True)
class Block:
    """The first directory of an EXIF block or TIFF file, with its sub-directories."""

    order: Order
    entries: Directory
    num_pages: int = 1

    def numbers(self, tag: int, most: int | None = None) -> tuple[float, ...]:
        """The value of a numeric tag of the first directory, or its first `most` numbers; ``()`` if there is none."""
        entry = self.entries.get(tag)
        return _numbers(entry, self.order, most) if isinstance(entry, Tag) else ()

    def number(self, tag: int, default: int) -> int:
        """The first number of a tag."""
        values = self.numbers(tag, 1)
        return int(values[0]) if values else default

    def data(self, tag: int) -> bytes | None:
        """The bytes of a tag of the first directory."""
        entry = self.entries.get(tag)
        return entry.data if isinstance(entry, Tag) else None

    def within(self, tag: int) -> Block:
        """A sub-directory as a block of its own; empty if there is none."""
        entry = self.entries.get(tag)
        return Block(self.order, entry if isinstance(entry, dict) else {})

    def dpi(self) -> tuple[float, float] | None:
        """The resolution in pixels per inch."""
        across, down = self.numbers(_X_RESOLUTION), self.numbers(_Y_RESOLUTION)
        unit = {2: 1.0, 3: 2.54}.get(self.number(_RESOLUTION_UNIT, 2))
        return (across[0] * unit, down[0] * unit) if across and down and unit else None


def _numbers(entry: Tag, order: Order, most: int | None = None) -> tuple[float, ...]:
    count = entry.number if most is None else min(entry.number, most)
    if entry.kind == RATIONAL:
        parts = struct.unpack_from(f"{order}{2 * count}I", entry.data)
        return tuple(top / bottom if bottom else 0.0 for top, bottom in zip(parts[::2], parts[1::2], strict=True))
    code = _CODES.get(entry.kind)
    return struct.unpack_from(f"{order}{count}{code}", entry.data) if code else ()


def parse(data: bytes) -> Block | None:
    r"""Read a TIFF block; entries that point outside it are left out, and what its budget does not cover.

    Returns:
        None when it is no TIFF block.

    Example:
        >>> block = parse(serialised(Block("<", {271: ascii_entry(b"Maker")})))
        >>> block.data(271)
        b'Maker\x00'
    """
    layout = _LAYOUTS.get(data[:4])
    if layout is None or len(data) < layout.first_at + layout.offsets.size:
        return None
    (first,) = layout.offsets.unpack_from(data, layout.first_at)
    # Twice: an honest block of which two values overlap is read whole.
    entries = layout.directory(data, first, 1, _Budget(2 * len(data)))
    return Block(layout.order, entries, layout.num_pages(data, first))


@dataclass
class _Budget:
    """What may still be read of one block: an honest one never needs more."""

    bytes_left: int
    entries_left: int = _MOST_ENTRIES
    directories: set[int] = field(default_factory=set)


class _Layout(NamedTuple):
    """TIFF or BigTIFF, in either byte order: how the numbers in a directory are stored."""

    order: Order
    first_at: int  # where the offset of the first directory lies
    counts: struct.Struct  # the number of entries
    offsets: struct.Struct  # an offset, or a value that fits into its place
    heads: struct.Struct  # what an entry begins with: tag, kind, number of values

    def extent(self, data: bytes, offset: int) -> tuple[int, int] | None:
        """Where the entries of a directory begin and end; None if it lies outside."""
        start = offset + self.counts.size
        if start > len(data):
            return None
        return start, start + (self.heads.size + self.offsets.size) * self.counts.unpack_from(data, offset)[0]

    def num_pages(self, data: bytes, offset: int) -> int:
        pages = {offset}
        while len(pages) < _MOST_PAGES:
            extent = self.extent(data, offset)
            if extent is None or extent[1] + self.offsets.size > len(data):
                break
            (offset,) = self.offsets.unpack_from(data, extent[1])
            if not offset or offset in pages or offset + self.counts.size > len(data):
                break
            pages.add(offset)
        return len(pages)

    def directory(self, data: bytes, offset: int, depth: int, budget: _Budget) -> Directory:
        entries: Directory = {}
        extent = self.extent(data, offset)
        budget.directories.add(offset)
        if extent is None:
            return entries
        step, inline = self.heads.size + self.offsets.size, self.offsets.size
        for at in range(extent[0], min(extent[1], len(data) - step + 1), step):
            budget.entries_left -= 1
            if budget.entries_left < 0:
                break
            tag, kind, number = self.heads.unpack_from(data, at)
            start = at + self.heads.size
            (target,) = self.offsets.unpack_from(data, start)
            if tag in (EXIF_IFD, GPS_IFD, INTEROP_IFD):
                if depth < _DEEPEST and target not in budget.directories:
                    entries[tag] = self.directory(data, target, depth + 1, budget)
                continue
            length = _UNIT_BYTES.get(kind, 0) * number
            if length > inline:
                start = target
            # Values may overlap in a hostile block: without a budget, 64 KiB could unfold to gigabytes.
            if 0 < length <= budget.bytes_left and start + length <= len(data):
                budget.bytes_left -= length
                entries[tag] = Tag(kind, number, data[start : start + length])
        return entries


def _layout(order: Order, first_at: int, count: str, offset: str) -> _Layout:
    parts = (count, offset, f"HH{offset}")
    return _Layout(order, first_at, *(struct.Struct(order + part) for part in parts))


_LAYOUTS = {
    b"II*\0": _layout("<", 4, "H", "I"),
    b"MM\0*": _layout(">", 4, "H", "I"),
    b"II+\0": _layout("<", 8, "Q", "Q"),
    b"MM\0+": _layout(">", 8, "Q", "Q"),
}


def serialised(block: Block) -> bytes:
    """Write a block as bytes; the inverse of `parse`."""
    return header(block.order, 8) + directory_bytes(block.entries, block.order, 8)


def header(order: Order, offset: int) -> bytes:
    """The eight bytes before everything; `offset` is where the first directory lies."""
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", offset)


def directory_bytes(entries: Directory, order: Order, offset: int) -> bytes:
    """One directory with its values and sub-directories, to be placed at `offset` in the file."""
    head = [struct.pack(f"{order}H", len(entries))]
    body = bytearray()
    start = offset + 2 + 12 * len(entries) + 4
    for tag, entry in sorted(entries.items()):
        at = start + len(body)
        if isinstance(entry, dict):
            head.append(struct.pack(f"{order}HHII", tag, LONG, 1, at))
            body += directory_bytes(entry, order, at)
        elif len(entry.data) <= 4:
            head.append(struct.pack(f"{order}HHI", tag, entry.kind, entry.number) + entry.data.ljust(4, b"\0"))
        else:
            head.append(struct.pack(f"{order}HHII", tag, entry.kind, entry.number, at))
            body += entry.data + b"\0" * (len(entry.data) % 2)
    return b"".join(head) + struct.pack(f"{order}I", 0) + bytes(body)


def ascii_entry(text: bytes) -> Tag:
    """A text."""
    return Tag(ASCII, len(text) + 1, text + b"\0")


def integers(order: Order, kind: int, *values: int) -> Tag:
    """SHORT or LONG numbers."""
    return Tag(kind, len(values), struct.pack(f"{order}{len(values)}{'H' if kind == SHORT else 'I'}", *values))


def raw_bytes(data: bytes, kind: int = UNDEFINED) -> Tag:
    """Bytes with no meaning to TIFF."""
    return Tag(kind, len(data), data)


def resolution_entries(order: Order, dpi: tuple[float, float]) -> Directory:
    """The three tags that give the resolution."""
    entries: Directory = {_RESOLUTION_UNIT: integers(order, SHORT, 2)}
    for tag, value in zip((_X_RESOLUTION, _Y_RESOLUTION), dpi, strict=True):
        fraction = Fraction(value).limit_denominator(10_000)
        entries[tag] = Tag(RATIONAL, 1, struct.pack(f"{order}II", fraction.numerator, fraction.denominator))
    return entries


def travelling(block: Block) -> Block:
    """What of a block stays true of a dream: no storage tags, orientation 1, no thumbnail (it is never parsed)."""
    entries = {tag: entry for tag, entry in _classic(block.entries).items() if tag not in _STRUCTURE}
    if ORIENTATION in entries:
        entries[ORIENTATION] = integers(block.order, SHORT, 1)
    return Block(block.order, entries)


def _classic(entries: Directory) -> Directory:
    """What can be written: BigTIFF's long kinds of numbers cannot, nor has EXIF a use for them."""
    kept = {tag: _classic(entry) if isinstance(entry, dict) else entry for tag, entry in entries.items()}
    return {tag: entry for tag, entry in kept.items() if isinstance(entry, dict) or entry.kind < _LONG8}


def with_size(block: Block, height: int, width: int) -> Block:
    """The block with its record of the picture's size, if it has one, made true."""
    detail = block.entries.get(EXIF_IFD)
    if not isinstance(detail, dict) or _PIXEL_WIDTH not in detail:
        return block
    size: Directory = {
        _PIXEL_WIDTH: integers(block.order, LONG, width),
        _PIXEL_HEIGHT: integers(block.order, LONG, height),
    }
    return Block(block.order, {**block.entries, EXIF_IFD: {**detail, **size}})


def as_srgb(block: Block) -> Block:
    """The block with what it says of colours made true of sRGB: colour space 1, R98, no other white and gamma."""
    entries = {tag: entry for tag, entry in block.entries.items() if tag not in _PRIMARIES}
    detail = entries.get(EXIF_IFD)
    if not isinstance(detail, dict):
        return Block(block.order, entries)
    detail = {tag: entry for tag, entry in detail.items() if tag != _GAMMA}
    if COLOUR_SPACE in detail:
        detail[COLOUR_SPACE] = integers(block.order, SHORT, 1)
    interop = detail.get(INTEROP_IFD)
    if isinstance(interop, dict) and INTEROP_INDEX in interop:
        detail[INTEROP_IFD] = {**interop, INTEROP_INDEX: ascii_entry(b"R98")}
    return Block(block.order, {**entries, EXIF_IFD: detail})


def without_maker_note(block: Block) -> Block:
    """The block without the camera maker's private part, by far the largest."""
    detail = block.entries.get(EXIF_IFD)
    if not isinstance(detail, dict):
        return block
    kept = {tag: entry for tag, entry in detail.items() if tag != MAKER_NOTE}
    return Block(block.order, {**block.entries, EXIF_IFD: kept})
