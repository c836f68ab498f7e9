"""The boxes of AVIF, HEIC and JPEG 2000 files: which of the first two one is, what Pillow does not say of them.

The one idea: what a file claims (its ``ispe`` property) and what its codec says are two things, and libavif enlarges
the second to the first.

References:
    ISO/IEC 14496-12, 8.11 (items); ISO/IEC 23008-12, 6.5.3 (``ispe``); AV1 specification, 5.3 and 5.5 (OBUs);
    ITU-T T.800, I.5.3.3 (``colr``).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_SEQUENCE_HEADER = 1
_MOST_BOXES = 1000
_HEADER = 1 << 22  # Bytes: where the header of a JPEG 2000 lies, profile included.
_PROFILE_METHODS = (b"\2", b"\3")  # Of saying colours: a matrix profile, any profile.


def brands(data: bytes) -> frozenset[bytes]:
    """The brands that a file goes by, as ``avif`` or ``heic``; none where it has no boxes."""
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(struct.unpack_from(">I", data)[0], len(data), 1024)
    return frozenset(data[at : at + 4] for at in (8, *range(16, end - 3, 4)))


def coded_size(data: bytes) -> tuple[int, int] | None:
    """``(width, height)`` that the AV1 data of an AVIF's picture say; None for one of several parts, or if in doubt."""
    try:
        meta = next(body for kind, body in _boxes(data) if kind == b"meta")[4:]
        inner = dict(_boxes(meta))
        item = struct.unpack_from(">I" if inner[b"pitm"][0] else ">H", inner[b"pitm"], 4)[0]
        start, length = _place(inner[b"iloc"], item)
        return _sequence_size(data[start : start + length])
    except (LookupError, StopIteration, struct.error):
        return None


def jpeg_2000_profile(data: bytes) -> bytes | None:
    """The ICC profile in the header of a JPEG 2000 (its ``colr`` box), if it has one."""
    header = next((body for kind, body in _boxes(data[:_HEADER]) if kind == b"jp2h"), b"")
    methods = (body for kind, body in _boxes(header) if kind == b"colr")
    return next((body[3:] for body in methods if body[:1] in _PROFILE_METHODS), None)


def is_deep(data: bytes) -> bool:
    """Whether the picture of an AVIF has more than 8 bits per channel."""
    at = data.find(b"av1C", 0, 1 << 16)
    return at >= 0 and len(data) > at + 6 and bool(data[at + 6] & 0x40)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of the boxes that lie one behind the other."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        end = at + size if size else len(data)
        if kind != b"mdat":  # Which is large, and has no boxes.
            yield kind, data[at + head : end]
        at = max(end, at + head)


def _place(iloc: bytes, wanted: int) -> tuple[int, int]:
    """Where the first part of an item lies in the file, and how long it is."""
    version, sizes = iloc[0], struct.unpack_from(">H", iloc, 4)[0]
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    reader = _Reader(iloc, 6)
    for _ in range(reader.take(4 if version == 2 else 2)):
        item = reader.take(4 if version == 2 else 2)
        method = reader.take(2) & 15 if version else 0
        reader.take(2)
        base = reader.take(base_size)
        extents = []
        for _ in range(reader.take(2)):
            reader.take(index_size if version else 0)
            extents.append((base + reader.take(offset_size), reader.take(length_size)))
        if item == wanted and method == 0:
            return extents[0]
    raise LookupError(wanted)


class _Reader:
    """Numbers of some bytes each, one behind the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def take(self, count: int) -> int:
        self._at += count
        if self._at > len(self._data):
            raise LookupError("the box ends early")
        return int.from_bytes(self._data[self._at - count : self._at])


def _sequence_size(obus: bytes) -> tuple[int, int] | None:
    """The largest size of a frame, as the sequence header says it."""
    at = 0
    while at < len(obus):
        header = obus[at]
        at += 2 if header & 4 else 1
        size, shift = 0, 0
        if header & 2:
            while True:
                byte = obus[at]
                at += 1
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128 or shift > 35:
                    break
        else:
            size = len(obus) - at
        if header >> 3 & 15 == _SEQUENCE_HEADER:
            return _size_in_header(obus[at : at + size])
        at += size
    return None


def _size_in_header(header: bytes) -> tuple[int, int] | None:
    bits = _Bits(header)
    bits.take(4)  # Profile, whether it is a still picture.
    if bits.take(1):  # A reduced header, as still pictures have.
        bits.take(5)
    else:
        if bits.take(1):  # Times of frames, which pictures in a sequence have: not looked into.
            return None
        delays = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if delays and bits.take(1):
                bits.take(4)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    width = bits.take(across) + 1
    return width, bits.take(down) + 1


class _Bits:
    """Numbers of some bits each, one behind the other."""

    def __init__(self, data: bytes) -> None:
        self._text, self._at = f"{int.from_bytes(data):0{8 * len(data)}b}", 0

    def take(self, count: int) -> int:
        self._at += count
        if self._at > len(self._text):
            raise LookupError("the header ends early")
        return int(self._text[self._at - count : self._at], 2)
