"""JPEG, where no pixels can be counted without decoding them: its scans, its end, and whether it is whole.

The one idea: scans, and runs of data between restarts, are counted. What is missing within them shows otherwise: of a
whole picture no pixel depends on what follows the data. So it is decoded twice, other bits behind each run of data the
second time; where pixels are missing, the decoder makes them of what it finds there.

References:
    ITU-T T.81, annex B (markers), D (arithmetic coding) and G (progressive).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from PIL import Image

from dreamer.errors import ImageReadError

END_OF_JPEG = b"\xff\xd9"
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_END, _SCAN, _INTERVAL = 0xD9, 0xDA, 0xDD
# Of those that have a length, and the end.
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]", re.DOTALL)
_RESTART = re.compile(rb"(?=\xff[\xd0-\xd7])")
_MOST_SCANS = 200
# Bits that no picture goes on with. In arithmetic coding noughts may be left out at the end, and are read on demand.
_FOREIGN = bytes(range(1, 250, 3)) * 2
_NOUGHTS = bytes(16)
_LEAST_FOREIGN = 8
_BAND = 16


class Scan(NamedTuple):
    """Where one scan lies.

    Attributes:
        start: Where its data begin.
        end: Where they end.
        head: What is written before them: its components, and which part of them.
        interval: How many units lie between two restarts; 0 for no restarts.
    """

    start: int
    end: int
    head: bytes
    interval: int


class Scans(NamedTuple):
    """Where a JPEG keeps its pixels.

    Attributes:
        parts: Its scans.
        is_ended: Whether there is an end mark.
        frame_marker: The marker of its frame, which names the coding; 0 if there is none.
        frame: What the frame says: size and components.
    """

    parts: tuple[Scan, ...]
    is_ended: bool
    frame_marker: int
    frame: bytes

    @property
    def is_arithmetic(self) -> bool:
        """Whether it is in arithmetic coding."""
        return self.frame_marker >= 0xC9


def scans(data: bytes, start: int = 0) -> Scans:
    """Take a JPEG apart.

    Args:
        data: Bytes with a JPEG in them.
        start: Where it begins.

    Raises:
        ImageReadError: It has more scans than any picture, each of which takes time.
    """
    parts: list[Scan] = []
    frame_marker, frame, interval, at = 0, b"", 0, start + 2
    while (mark := _MARKER.search(data, at)) is not None:
        marker, at = data[mark.end() - 1], mark.end()
        if marker == _END:
            return Scans(tuple(parts), True, frame_marker, frame)
        if at + 2 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, at)
        head = data[at + 2 : at + length]
        at += length
        if marker in _FRAMES:
            frame_marker, frame = marker, head
        elif marker == _INTERVAL:
            interval = int.from_bytes(head[:2])
        elif marker == _SCAN:
            found = _MARKER.search(data, at)
            end = found.start() if found else len(data)
            end = at + len(data[at:end].rstrip(b"\xff"))  # Any number of these may stand before a marker.
            parts.append(Scan(at, end, head, interval))
            at = end
            if len(parts) > _MOST_SCANS:
                raise ImageReadError(f"has more than {_MOST_SCANS} scans; no picture needs them. Save it anew.")
    return Scans(tuple(parts), False, frame_marker, frame)


def missing(data: bytes, found: Scans) -> str | None:
    """What can be counted of what a JPEG lacks: scans, and runs between restarts.

    Args:
        data: Bytes with a JPEG in them.
        found: What `scans` says of it.

    Returns:
        The end of a sentence that begins with "its data", or None.
    """
    try:
        components = _components(found.frame)
        if _lacks_scans(found, components):
            return "hold not all of its scans"
        for scan in found.parts:
            count, wanted = _runs(data, scan, found.frame, components)
            if count < wanted:
                return f"hold {count} of {wanted} runs between restarts"
    except (IndexError, KeyError, ValueError, struct.error, ZeroDivisionError):
        pass  # What is garbled the decoder tells.
    return None


def _components(frame: bytes) -> dict[int, tuple[int, int]]:
    """Name of each component -> how many blocks of it a unit has, across and down."""
    return {frame[at]: (frame[at + 1] >> 4, frame[at + 1] & 15) for at in range(6, 6 + 3 * frame[5], 3)}


def _lacks_scans(found: Scans, components: Iterable[int]) -> bool:
    """Whether a component is not told to the end: where scans make it finer, each coefficient to its last bit."""
    is_progressive = found.frame_marker in _PROGRESSIVE
    left = {(name, at) for name in components for at in range(64 if is_progressive else 1)}
    for scan in found.parts:
        names = scan.head[1 : 1 + 2 * scan.head[0] : 2]
        first, last, bits = scan.head[1 + 2 * scan.head[0] :][:3]
        if not is_progressive:
            left -= {(name, 0) for name in names}
        elif not bits & 15:
            left -= {(name, at) for name in names for at in range(first, last + 1)}
    return bool(left)


def _runs(data: bytes, scan: Scan, frame: bytes, components: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
    """How many runs of data a scan has, and how many it takes."""
    if not scan.interval:
        return 1, 1
    height, width = struct.unpack_from(">HH", frame, 1)
    most_across, most_down = (max(factors) for factors in zip(*components.values(), strict=True))
    # The units of a scan of several components hold blocks of each; of a single one each block is a unit.
    across, down = components[scan.head[1]] if scan.head[0] == 1 else (1, 1)
    columns, rows = -(-width * across // (8 * most_across)), -(-height * down // (8 * most_down))
    return len(_RESTART.findall(data, scan.start, scan.end)) + 1, -(-columns * rows // scan.interval)


def with_foreign_bits(data: bytes, found: Scans) -> bytes:
    """The same JPEG, other bits behind each run of its data: between them and the next marker."""
    # Of a picture that is nothing but restarts the other bits should not make a large one.
    runs = sum(data.count(b"\xff" + bytes([restart])) for restart in range(0xD0, 0xD8)) + 1
    most = max(_LEAST_FOREIGN, 8 * len(data) // runs)
    foreign = (_NOUGHTS if found.is_arithmetic else b"") + _FOREIGN[:most]
    pieces, at = [], 0
    for start, end, *_ in found.parts:
        pieces += [data[at:start], foreign.join(_RESTART.split(data[start:end])), foreign]
        at = end
    return b"".join((*pieces, data[at:]))


def first_difference(one: Image.Image, other: Image.Image) -> int | None:
    """The row from which on two pictures of a size are not the same, to some rows; None if they are."""
    width, height = one.size
    for top in range(0, height, _BAND):
        box = (0, top, width, min(top + _BAND, height))
        if one.crop(box).tobytes() != other.crop(box).tobytes():
            return top
    return None
