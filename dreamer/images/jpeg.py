"""JPEG, where no pixels can be counted without decoding them: its scans, its end, and whether it is whole.

The one idea: of a whole picture no pixel depends on what follows the data. So it is decoded twice, other bits behind
each run of data the second time; where pixels are missing, the decoder makes them of what it finds there.

References:
    ITU-T T.81, annex B (markers) and D (arithmetic coding).
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from PIL import Image

from dreamer.errors import ImageReadError

END_OF_JPEG = b"\xff\xd9"
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
# Of those that have a length, and the end.
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]", re.DOTALL)
_RESTART = re.compile(rb"(?=\xff[\xd0-\xd7])")
_MOST_SCANS = 200
# Bits that no picture goes on with. In arithmetic coding noughts may be left out at the end, and are read on demand.
_FOREIGN = bytes(range(1, 250, 3)) * 2
_NOUGHTS = bytes(16)
_LEAST_FOREIGN = 8
_BAND = 16


class Scans(NamedTuple):
    """Where a JPEG keeps its pixels.

    Attributes:
        parts: Begin and end of the data of each scan.
        is_ended: Whether there is an end mark.
        is_arithmetic: Whether it is in arithmetic coding.
    """

    parts: tuple[tuple[int, int], ...]
    is_ended: bool
    is_arithmetic: bool


def scans(data: bytes, start: int = 0) -> Scans:
    """Take a JPEG apart.

    Args:
        data: Bytes with a JPEG in them.
        start: Where it begins.

    Raises:
        ImageReadError: It has more scans than any picture, each of which takes time.
    """
    parts: list[tuple[int, int]] = []
    arithmetic, at = False, start + 2
    while (mark := _MARKER.search(data, at)) is not None:
        marker, at = data[mark.end() - 1], mark.end()
        if marker == 0xD9:
            return Scans(tuple(parts), True, arithmetic)
        if at + 2 > len(data):
            break
        arithmetic |= marker in _FRAMES and marker >= 0xC9
        at += struct.unpack_from(">H", data, at)[0]
        if marker == 0xDA:
            found = _MARKER.search(data, at)
            end = found.start() if found else len(data)
            end = at + len(data[at:end].rstrip(b"\xff"))  # Any number of these may stand before a marker.
            parts.append((at, end))
            at = end
            if len(parts) > _MOST_SCANS:
                raise ImageReadError(f"has more than {_MOST_SCANS} scans; no picture needs them. Save it anew.")
    return Scans(tuple(parts), False, arithmetic)


def with_foreign_bits(data: bytes, found: Scans) -> bytes:
    """The same JPEG, other bits behind each run of its data: between them and the next marker."""
    # Of a picture that is nothing but restarts the other bits should not make a large one.
    runs = sum(data.count(b"\xff" + bytes([restart])) for restart in range(0xD0, 0xD8)) + 1
    most = max(_LEAST_FOREIGN, 8 * len(data) // runs)
    foreign = (_NOUGHTS if found.is_arithmetic else b"") + _FOREIGN[:most]
    pieces, at = [], 0
    for start, end in found.parts:
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
