"""NumPy's files from elsewhere: numbers and nothing else, and no more of them than the file holds.

The one idea: a header says how much memory to take, and may say anything. So it is read first and held against what
follows it; objects, which would have to be unpickled, are refused.

Must not import anything of the package but :mod:`dreamer.files.regular`, nor Keras.
"""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dreamer.files.regular import open_regular, read_bytes

# Bytes that the length of the header has, by the version of the format.
_WIDTHS = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}
_LONGEST_HEADER = 10_000
_HEADER = re.compile(
    rb"\{\s*'descr':\s*'([<>|=]?(?:b1|[iu][1248]|f[248]))',\s*'fortran_order':\s*(True|False),"
    rb"\s*'shape':\s*\((\s*(?:\d{1,12}\s*,\s*){0,8}(?:\d{1,12}\s*)?)\)\s*,?\s*\}\s*"
)
# DEFLATE makes a thousandth of zeros, no less.
_MOST_DEFLATED = 1100


def read(path: Path, *, most: int) -> NDArray[Any]:
    """Read a ``.npy`` file.

    Args:
        path: A regular file.
        most: Refuse a larger one, in bytes.

    Raises:
        OSError: It cannot be read, or is anything but a regular file.
        ValueError: It is damaged, or holds something else than numbers.
    """
    data = read_bytes(path, most=most)
    return _array(BytesIO(data), len(data))


def read_member(path: Path, name: str, *, most: int) -> NDArray[Any]:
    """Read one array of a ``.npz`` file.

    Args:
        path: A regular file.
        name: Of the array.
        most: Refuse a larger one, in bytes, once it is unpacked.

    Raises:
        OSError: The file cannot be read, or is anything but a regular file.
        ValueError: It is damaged, has no such array, or that holds something else than numbers.
    """
    with open_regular(path) as file:
        try:
            return _of_archive(file, name, most)
        # What a damaged archive raises besides; it leads to places that the file does not have.
        except (OSError, zipfile.BadZipFile, zlib.error, LookupError, EOFError, RuntimeError) as error:
            raise ValueError(str(error)) from error


def _of_archive(file: IO[bytes], name: str, most: int) -> NDArray[Any]:
    with zipfile.ZipFile(file) as archive:
        held = archive.getinfo(f"{name}.npy")
        if held.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("it is packed in a way that NumPy does not")
        packed = held.compress_size * (1 if held.compress_type == zipfile.ZIP_STORED else _MOST_DEFLATED)
        if held.file_size > min(most, packed):
            raise ValueError(f"it claims {held.file_size:,} bytes for an array")
        with archive.open(held) as stream:
            return _array(stream, held.file_size)


def _array(stream: IO[bytes], size: int) -> NDArray[Any]:
    kind, is_fortran, shape = _header(stream)
    needed = math.prod(shape) * kind.itemsize
    if needed > size:
        raise ValueError(f"it claims the shape {shape}, more than it holds")
    data = stream.read(needed)
    if len(data) < needed:
        raise ValueError("it ends early")
    return np.frombuffer(data, kind).reshape(shape, order="F" if is_fortran else "C")


def _header(stream: IO[bytes]) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    """Kind of number, whether columns come first, and shape. NumPy's own reader trips over damaged ones."""
    magic = stream.read(8)
    width = _WIDTHS.get(magic[6:])
    if magic[:6] != b"\x93NUMPY" or width is None:
        raise ValueError("it does not begin as NumPy's files do")
    length = int.from_bytes(stream.read(width), "little")
    found = _HEADER.fullmatch(stream.read(length)) if length <= _LONGEST_HEADER else None
    if found is None:
        raise ValueError("its header is damaged, or it holds something else than numbers")
    kind, order, sides = (group.decode("ascii") for group in found.groups())
    return np.dtype(kind), order == "True", tuple(int(side) for side in sides.split(",") if side.strip())
