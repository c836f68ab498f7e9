"""EXIF blocks that nobody honest writes, each of 64 kB at the most, and files that carry them."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

SIZE = 65_000
POINTERS = (0x8769, 0x8825, 0xA005)
_ENTRY = struct.Struct("<HHII")


def _directory(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    return struct.pack("<H", len(entries)) + b"".join(_ENTRY.pack(*e) for e in entries) + struct.pack("<I", following)


def _block(entries: list[tuple[int, int, int, int]], following: int = 0, rest: bytes = b"") -> bytes:
    return b"II*\0" + struct.pack("<I", 8) + _directory(entries, following) + rest


def nasty_blocks(size: int = SIZE) -> dict[str, bytes]:
    """Every kind of trouble by name."""
    most = (size - 14) // 12
    blocks = {
        "points to itself": _block([(POINTERS[i % 3], 4, 1, 8) for i in range(most)]),
        "overlapping directories": _block([(0x8769, 4, 1, 10 + i % (size - 20)) for i in range(most)]),
        "two directories point at each other": _two(size),
        "overlapping values": _block([(i, 7, size - 100, 8) for i in range(most)]),
        "overlapping rationals": _block([(i, 5, (size - 100) // 8, 8) for i in range(most)]),
        "overlapping texts": _block([(i, 2, size - 100, 8) for i in range(most)]),
        "one tag again and again": _block([(0x9286, 7, size - 100, 8)] * most),
        "more entries than bytes": b"II*\0" + struct.pack("<IH", 8, 65535) + _ENTRY.pack(0x8769, 4, 1, 8) * most,
        "many small values": _block([(i, 3, 1, i) for i in range(most)]),
        "rationals": _block(
            [(0x8769, 4, 1, 100), *[(i, 5, 1000, 200 + i * 8) for i in range(6)]],
            0,
            bytes(range(256)) * (size // 256 - 1),
        ),
        "sub-directory arrays": _block([(0x014A, 4, most, 8), *[(0x014A, 13, 1, 8)] * (most // 2)]),
        "thumbnails": _block([(513, 4, 1, 8), (514, 4, 1, size), *[(0x8769, 4, 1, 8)] * (most - 2)], 8),
        "a chain of next directories": b"II*\0"
        + struct.pack("<I", 8)
        + b"".join(struct.pack("<HI", 0, at + 6) for at in range(8, size - 12, 6)),
        "a maker note that is a directory": _block(
            [(0x8769, 4, 1, 30)],
            0,
            bytes(4)
            + _directory([(0x927C, 7, size - 200, 48), *[(0xA005, 4, 1, 30)] * 20])
            + _directory([(0x8769, 4, 1, 8)] * ((size - 500) // 12)),
        ),
        "noise": b"II*\0\x08\0\0\0" + np.random.default_rng(0).bytes(size - 8),
        "BigTIFF that points to itself": b"II+\0"
        + struct.pack("<HHQQ", 8, 0, 16, (size - 30) // 20)
        + struct.pack("<HHQQ", 0x8769, 18, 1, 16) * ((size - 30) // 20),
    }
    return {name: block[:size] for name, block in blocks.items()}


def _two(size: int) -> bytes:
    half = (size // 2 - 20) // 12
    first = _block([(0x8769, 4, 1, 8 + 6 + 12 * half)] * half)
    return first + _directory([(0xA005, 4, 1, 8), (0x8825, 4, 1, 8)] * (half // 2))


def carriers(block: bytes) -> dict[str, bytes]:
    """Files of 3x2 pixels with a block as their EXIF (the raw profile: as ImageMagick stores it), by suffix."""
    picture, files = Image.new("RGB", (3, 2), (200, 100, 50)), {}
    for suffix, name in ((".jpg", "JPEG"), (".png", "PNG"), (".webp", "WEBP")):
        out = BytesIO()
        picture.save(out, name, exif=b"Exif\0\0" + block if name != "PNG" else block)
        files[suffix] = out.getvalue()
    plain = BytesIO()
    picture.save(plain, "PNG")
    stored = f"\nexif\n{len(block) + 6:8d}\n" + (b"Exif\0\0" + block).hex()
    text = b"Raw profile type exif\0\0" + zlib.compress(stored.encode())
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    files["raw.png"] = plain.getvalue()[:33] + chunk + plain.getvalue()[33:]
    return files


def tiff(block: bytes) -> bytes:
    """A TIFF of 3x2 grey pixels whose own directory holds all that there is room for of a block's first directory."""
    picture = [
        (256, 3, 1, 3),
        (257, 3, 1, 2),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 3, 1, 2),
        (279, 4, 1, 6),
    ]
    (count,) = struct.unpack_from("<H", block, 8)
    extra = [_ENTRY.unpack_from(block, at) for at in range(10, min(10 + 12 * count, len(block) - 120), 12)]
    return _block([*picture, *extra])
