"""ICC profiles for codings, so that LittleCMS can convert from them.

Must not import anything of the package but `coding`.

References:
    ICC.1:2022, sections 7 (header, tags), 8.3 (required tags), 10.18 (parametricCurveType), annex E (adaptation).
"""

from __future__ import annotations

import struct
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dreamer.images.coding import Coding, to_xyz

_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@cache
def matrix_profile(coding: Coding) -> bytes:
    """The profile of a coding with a parametric curve and the full range of levels."""
    if isinstance(coding.curve, str):
        raise ValueError(f"{coding.curve} has no parametric curve")
    curve = b"para" + struct.pack(">IHH", 0, 3, 0) + _fixed(np.array(coding.curve))
    colorants = to_d50(coding)
    tags = {b"desc": _text("coding"), b"cprt": _text("none"), b"wtpt": _xyz(_D50)}
    for name, column in zip((b"r", b"g", b"b"), colorants.T, strict=True):
        tags |= {name + b"XYZ": _xyz(column), name + b"TRC": curve}
    return _profile(tags)


def to_d50(coding: Coding) -> NDArray[np.float64]:
    """The matrix from linear RGB to XYZ as profiles mean it: white is that of D50."""
    matrix = to_xyz(coding.primaries)
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ matrix.sum(axis=1))
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD @ matrix)


def _profile(tags: dict[bytes, bytes]) -> bytes:
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, element in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(element))
        body += element + b"\0" * (-len(element) % 4)
    header = struct.pack(">I4xI4s4s4s", start + len(body), 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2000, 1, 1, 0, 0, 0, b"acsp")
    header = header.ljust(68, b"\0") + _fixed(_D50)
    return header.ljust(128, b"\0") + table + body


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(data), 28) + data


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _fixed(values: NDArray[np.float64]) -> bytes:
    """s15Fixed16 numbers."""
    return np.rint(np.clip(values, -32767, 32767) * 65536).astype(">i4").tobytes()
