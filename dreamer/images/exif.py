"""EXIF blocks and TIFF directories, entry by entry: read, changed and written back without reinterpreting a byte.

Pillow's own EXIF class guesses types when it writes and turns the "ü" of an artist's name into "?"; a photo's
metadata should come out as it went in. An EXIF block *is* a small TIFF file, so the same hundred lines also
write the TIFF files themselves.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, Union

ORIENTATION = 0x0112
EXIF_IFD = 0x8769
GPS_IFD = 0x8825
INTEROP_IFD = 0xA005
MAKER_NOTE = 0x927C
IMAGE_HISTORY = 0x9213
XMP = 700
IPTC = 33723
ICC = 34675
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003

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
_UNIT_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_DEEPEST = 3  # IFD0 > Exif > Interoperability

Order = Literal["<", ">"]


class Entry(NamedTuple):
    """One tag's value as it lies in the file, in the block's byte order; `kind` and `number` as TIFF defines them."""

    kind: int
    number: int
    data: bytes


Directory = dict[int, Union[Entry, "Directory"]]


@dataclass(frozen=True)
class Block:
    """The first directory of an EXIF block or TIFF file, with its sub-directories."""

    order: Order
    entries: Directory
    num_pages: int = 1

    def numbers(self, tag: int) -> tuple[float, ...]:
        """The value of a numeric tag of the first directory; ``()`` when it is missing or not numeric."""
        entry = self.entries.get(tag)
        if not isinstance(entry, Entry):
            return ()
        if entry.kind == RATIONAL:
            parts = struct.unpack(f"{self.order}{2 * entry.number}I", entry.data)
            return tuple(top / bottom if bottom else 0.0 for top, bottom in zip(parts[::2], parts[1::2], strict=True))
        code = {BYTE: "B", SHORT: "H", LONG: "I"}.get(entry.kind)
        return struct.unpack(f"{self.order}{entry.number}{code}", entry.data) if code else ()

    def number(self, tag: int, default: int) -> int:
        """The first number of a tag."""
        values = self.numbers(tag)
        return int(values[0]) if values else default

    def data(self, tag: int) -> bytes | None:
        """The bytes of a tag of the first directory."""
        entry = self.entries.get(tag)
        return entry.data if isinstance(entry, Entry) else None

    def dpi(self) -> tuple[float, float] | None:
        """The resolution in pixels per inch."""
        across, down = self.numbers(_X_RESOLUTION), self.numbers(_Y_RESOLUTION)
        unit = {2: 1.0, 3: 2.54}.get(self.number(_RESOLUTION_UNIT, 2))
        return (across[0] * unit, down[0] * unit) if across and down and unit else None


def parse(data: bytes) -> Block | None:
    r"""Read a TIFF block; entries that point outside it are left out.

    Returns:
        None when it is no (classic) TIFF block.

    Example:
        >>> block = parse(serialised(Block("<", {271: ascii_entry(b"Maker")})))
        >>> block.data(271)
        b'Maker\x00'
    """
    orders: dict[bytes, Order] = {b"II*\0": "<", b"MM\0*": ">"}
    order = orders.get(data[:4])
    if order is None or len(data) < 8:
        return None
    (first,) = struct.unpack_from(f"{order}I", data, 4)
    entries, following = _read_directory(data, order, first, 1)
    pages = {first}
    while following and following not in pages and following + 2 <= len(data):
        pages.add(following)
        (count,) = struct.unpack_from(f"{order}H", data, following)
        end = following + 2 + 12 * count
        following = struct.unpack_from(f"{order}I", data, end)[0] if end + 4 <= len(data) else 0
    return Block(order, entries, len(pages))


def _read_directory(data: bytes, order: Order, offset: int, depth: int) -> tuple[Directory, int]:
    """One directory and the offset of the next one (0: none)."""
    entries: Directory = {}
    if depth > _DEEPEST or offset + 2 > len(data):
        return entries, 0
    (count,) = struct.unpack_from(f"{order}H", data, offset)
    end = offset + 2 + 12 * count
    total = 0
    for at in range(offset + 2, min(end, len(data) - 11), 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, at)
        (target,) = struct.unpack_from(f"{order}I", data, at + 8)
        if tag in (EXIF_IFD, GPS_IFD, INTEROP_IFD):
            entries[tag] = _read_directory(data, order, target, depth + 1)[0]
            continue
        length = _UNIT_BYTES.get(kind, 0) * number
        start = at + 8 if length <= 4 else target
        total += length
        # Values may overlap in a hostile block: without a bound, 64 KiB could unfold to gigabytes.
        if length and start + length <= len(data) and total <= 2 * len(data):
            entries[tag] = Entry(kind, number, data[start : start + length])
    following = struct.unpack_from(f"{order}I", data, end)[0] if end + 4 <= len(data) else 0
    return entries, following


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


def ascii_entry(text: bytes) -> Entry:
    """A text."""
    return Entry(ASCII, len(text) + 1, text + b"\0")


def integers(order: Order, kind: int, *values: int) -> Entry:
    """SHORT or LONG numbers."""
    return Entry(kind, len(values), struct.pack(f"{order}{len(values)}{'H' if kind == SHORT else 'I'}", *values))


def raw_bytes(data: bytes, kind: int = UNDEFINED) -> Entry:
    """Bytes with no meaning to TIFF."""
    return Entry(kind, len(data), data)


def resolution_entries(order: Order, dpi: tuple[float, float]) -> Directory:
    """The three tags that give the resolution."""
    entries: Directory = {_RESOLUTION_UNIT: integers(order, SHORT, 2)}
    for tag, value in zip((_X_RESOLUTION, _Y_RESOLUTION), dpi, strict=True):
        fraction = Fraction(value).limit_denominator(10_000)
        entries[tag] = Entry(RATIONAL, 1, struct.pack(f"{order}II", fraction.numerator, fraction.denominator))
    return entries


def travelling(block: Block) -> Block:
    """What of a block stays true of a dream: no storage tags, orientation 1, no thumbnail (it is never parsed)."""
    entries = {tag: entry for tag, entry in block.entries.items() if tag not in _STRUCTURE}
    if ORIENTATION in entries:
        entries[ORIENTATION] = integers(block.order, SHORT, 1)
    return Block(block.order, entries)


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


def without_maker_note(block: Block) -> Block:
    """The block without the camera maker's private part, by far the largest."""
    detail = block.entries.get(EXIF_IFD)
    if not isinstance(detail, dict):
        return block
    kept = {tag: entry for tag, entry in detail.items() if tag != MAKER_NOTE}
    return Block(block.order, {**block.entries, EXIF_IFD: kept})
