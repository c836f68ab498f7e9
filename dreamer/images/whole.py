"""Whether a picture is whole, for the formats whose pixels can be counted before they are decoded.

The one idea: decoders fill what is missing with black and say nothing, so what a file holds is counted first, without
keeping it. (JPEG cannot be counted: see `jpeg`. Of the other formats the decoders themselves say what is missing.)

References:
    PNG (third edition), sections 8 and 10; BMP as Windows documents it; ITU-T T.800, annex A.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from PIL import ImageFile

from dreamer.images import isobmff

_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7 (PNG, 8.2): first column, first row, distance of columns, of rows.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 20
JPEG_2000 = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
"""What the files of JPEG 2000 begin with."""


def missing(image: ImageFile.ImageFile, data: bytes) -> str | None:
    """What is missing of a picture, as far as it can be counted before it is decoded.

    Args:
        image: The picture as Pillow opened it.
        data: The file.

    Returns:
        The end of a sentence that begins with "its data", or None.
    """
    count = {"PNG": _missing_of_png, "BMP": _missing_of_bmp, "JPEG2000": _missing_of_jpeg_2000}.get(image.format or "")
    if count is not None:
        return count(data)
    if image.format == "AVIF" and (coded := isobmff.coded_size(data)) not in (None, image.size):
        return f"hold {coded[0]} x {coded[1]} pixels, not {image.size[0]} x {image.size[1]}"
    return None


def _ends(done: int, rows: int) -> str:
    return f"end after {done} of {rows} rows"


def _missing_of_png(data: bytes) -> str | None:
    width, height, bits, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    bits_per_pixel = bits * _PNG_CHANNELS.get(colour, 1)
    rows = _png_rows(width, height, interlaced, bits_per_pixel)
    wanted = sum(count * length for count, length in rows)
    found = _inflated(_png_data(data), wanted)
    if found >= wanted:
        return None
    if interlaced:
        return f"end after {found:,} of {wanted:,} bytes"
    return _ends(found // rows[0][1], height)


def _png_rows(width: int, height: int, interlaced: int, bits_per_pixel: int) -> list[tuple[int, int]]:
    """How many rows there are, and the bytes of each with the one that names its filter; of each pass."""
    sizes = [(width, height)]
    if interlaced:
        sizes = [((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in _PASSES]
    return [(rows, 1 + (columns * bits_per_pixel + 7) // 8) for columns, rows in sizes if columns > 0 and rows > 0]


def _png_data(data: bytes) -> Iterator[memoryview]:
    """The compressed pixels, chunk by chunk."""
    view, at = memoryview(data), 8
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            yield view[at + 8 : at + 8 + size]
        elif data[at + 4 : at + 8] == b"IEND":
            return
        at += 12 + size


def _inflated(pieces: Iterator[memoryview], wanted: int) -> int:
    """How many bytes come out of deflated ones, counted up to what is wanted; none of them is kept."""
    inflate, found = zlib.decompressobj(), 0
    for piece in pieces:
        left: bytes | memoryview = piece
        while left and found < wanted and not inflate.eof:
            found += len(inflate.decompress(left, _PIECE))
            left = inflate.unconsumed_tail
    while found < wanted and not inflate.eof and (more := len(inflate.decompress(inflate.unconsumed_tail, _PIECE))):
        found += more
    return found


def _missing_of_bmp(data: bytes) -> str | None:
    """Run-length codings alone: they can leave pixels out in the middle. What else is missing, Pillow says."""
    (header,) = struct.unpack_from("<I", data, 14)
    if header < 40:
        return None
    (start,) = struct.unpack_from("<I", data, 10)
    width, height, _, _, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression not in (1, 2):
        return None
    found = sum(_run_lengths(data, start, width, abs(height), half=compression == 2))
    if found >= width * abs(height):
        return None
    return f"leave out {width * abs(height) - found:,} of {width * abs(height):,} pixels"


def _run_lengths(data: bytes, at: int, width: int, height: int, *, half: bool) -> Iterator[int]:
    """How many pixels each code gives that lie within the picture."""
    x = y = 0
    while at + 2 <= len(data) and y < height:
        first, second = data[at], data[at + 1]
        at += 2
        given = first
        if not first and second == 0:
            x, y = 0, y + 1
        elif not first and second == 1:
            return
        elif not first and second == 2:
            if at + 2 > len(data):
                return
            x, y, at = x + data[at], y + data[at + 1], at + 2
        elif not first:
            stored = (second + 1) // 2 if half else second
            if at + stored > len(data):
                return
            at, given = at + stored + stored % 2, second
        yield max(0, min(given, width - x))
        x += given


def _missing_of_jpeg_2000(data: bytes) -> str | None:
    """Tiles of which there is no part, or not all parts."""
    start = data.find(JPEG_2000[0])
    if start < 0 or start + 42 > len(data):
        return None
    right, bottom, _, _, across, down, left, top = struct.unpack_from(">8I", data, start + 8)
    if not across or not down:
        return None
    count = -(-(right - left) // across) * -(-(bottom - top) // down)
    parts = dict(_tile_parts(data, start))
    if len(parts) < count:
        return f"hold {len(parts)} of {count} tiles"
    return None


def halvings_of_jpeg_2000(data: bytes) -> int:
    """How often a JPEG 2000 can be halved as it is decoded: its decomposition levels."""
    at = data.find(b"\xff\x52", max(0, data.find(JPEG_2000[0])))  # The coding style, before any tile.
    return data[at + 9] if 0 <= at < len(data) - 9 else 0


def _tile_parts(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """The tile and the number of each part of a codestream."""
    at += 2
    while at + 4 <= len(data):
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == 0xFFD9:
            return
        if marker == 0xFF90 and at + 12 <= len(data):
            tile, size, part = struct.unpack_from(">HIB", data, at + 4)
            yield tile, part
            if not size:  # Up to the end: the last.
                return
            at += max(size, 12)
        elif marker < 0xFF00:
            return
        else:
            at += 2 + length
