"""PNG animations (APNG), a frame at a time: nothing is lost.

References:
    Portable Network Graphics, third edition, 2025, section 11.3.6, "Animation information".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from typing import BinaryIO

import numpy as np
from PIL import Image

from dreamer.images.profiles import srgb_bytes
from dreamer.images.recipes import KEYWORD
from dreamer.images.spool import Levels, Spool

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LONGEST = 65535  # hundredths or thousandths of a second that a frame is shown


def write(file: BinaryIO, frames: Spool, milliseconds: list[int], recipe: bytes | None) -> None:
    """Write an animation that plays over and over.

    Args:
        file: Where it goes.
        frames: One or more.
        milliseconds: How long each is shown.
        recipe: Kept as text; None for none.
    """
    height, width = frames.shape[:2]
    different = list(_different(frames, milliseconds))
    file.write(_SIGNATURE)
    file.write(_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
    file.write(_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(srgb_bytes())))
    file.write(_chunk(b"acTL", struct.pack(">II", len(different), 0)))
    if recipe is not None:
        file.write(_chunk(b"tEXt", KEYWORD.encode() + b"\0" + recipe))
    number = count()
    for index, time in different:
        if time > 10 * _LONGEST:
            raise ValueError(f"a frame is shown for {time / 1000:g} seconds, and {_LONGEST / 100:g} are the most")
        shown = (time, 1000) if time % 10 and time <= _LONGEST else (time // 10, 100)
        control = struct.pack(">IIIIIHHBB", next(number), width, height, 0, 0, *shown, 0, 0)
        file.write(_chunk(b"fcTL", control))
        for data in _compressed(frames[index]):
            if index == 0:
                file.write(_chunk(b"IDAT", data))
            else:
                file.write(_chunk(b"fdAT", struct.pack(">I", next(number)) + data))
    file.write(_chunk(b"IEND", b""))


def _different(frames: Spool, milliseconds: list[int]) -> Iterator[tuple[int, int]]:
    """The frames that are not as the one before, by their index, each with its time and that of those like it."""
    first, total = 0, milliseconds[0]
    for index in range(1, len(frames)):
        if not np.array_equal(frames[index], frames[index - 1]):
            yield first, total
            first, total = index, 0
        total += milliseconds[index]
    yield first, total


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _compressed(frame: Levels) -> Iterator[bytes]:
    """The data of a picture, as Pillow writes it into a PNG of its own."""
    out = BytesIO()
    Image.fromarray(frame).save(out, "PNG")
    data, at = out.getvalue(), len(_SIGNATURE)
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            yield data[at + 8 : at + 8 + size]
        at += 12 + size
