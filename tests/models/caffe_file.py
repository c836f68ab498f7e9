"""Writes files as Caffe does, of protocol buffers by hand."""

from __future__ import annotations

import numpy as np


def varint(value: int) -> bytes:
    """A number in sevens of bits."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    """A field of bytes, or a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(array: np.ndarray, *, old: bool = False) -> bytes:
    """Numbers and their shape, which of old is four numbers."""
    if old:
        sides = (1,) * (4 - array.ndim) + array.shape
        shape = b"".join(varint(number << 3) + varint(side) for number, side in enumerate(sides, 1))
    else:
        shape = field(7, field(1, b"".join(map(varint, array.shape))))
    return shape + field(5, array.astype("<f4").tobytes())


def model(layers: dict[str, list[np.ndarray]], *, old: bool = False) -> bytes:
    """A whole file; as it was before 2014 with other numbers for the same."""
    number, name, blobs = (2, 4, 6) if old else (100, 1, 7)
    return field(1, b"a network") + b"".join(
        field(number, field(name, one.encode()) + b"".join(field(blobs, blob(array, old=old)) for array in arrays))
        for one, arrays in layers.items()
    )
