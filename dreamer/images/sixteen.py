"""16-bit pixels, which Pillow truncates to 8 when a picture has more than one channel.

OpenCV keeps the 16 bits but loses others: it swaps planes of planar TIFF, reduces grey with alpha to 8 bits, and
prints on stderr. So Pillow's decoders, which check well and keep quiet, are asked for the plain *bytes*: of a PNG
in two passes, high bytes and low bytes; of a TIFF by describing its strips anew as an 8-bit grey picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from dreamer.images import exif
from dreamer.images.opening import opened

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_COUNTS = 273, 277, 278, 279
_PLANAR, _PREDICTOR, _EXTRA, _SAMPLE_FORMAT = 284, 317, 338, 339
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
# None, LZW, deflate (two numbers), PackBits, LZMA, Zstandard: those that know nothing of pixels.
_BYTEWISE = (1, 5, 8, 32946, 32773, 34925, 50000)
_GREY_ALPHA, _WHITE_IS_ZERO, _PREMULTIPLIED = 4, 0, 1

Load = Callable[[ImageFile.ImageFile], None]
"""Decodes what was opened."""


class Samples(NamedTuple):
    """A decoded 16-bit picture: colour ``(height, width, 1 or 3)``, alpha ``(height, width)`` or None; uint16."""

    colour: NDArray[Any]
    alpha: NDArray[Any] | None


def is_png(data: bytes) -> bool:
    """Whether these are the bytes of a 16-bit PNG."""
    return data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and data[24:25] == b"\x10"


def from_png(image: ImageFile.ImageFile, data: bytes) -> Samples:
    """Decode a 16-bit PNG.

    Args:
        image: The picture as Pillow opened it from `data`; it gets loaded.
        data: The file.
    """
    grey_alpha = data[25] == _GREY_ALPHA
    tiles = image.tile
    image.load()
    transparent = image.info.get("transparency")
    if image.mode == "I;16":
        colour = np.asarray(image)[..., None]
    else:
        with opened(data) as again:
            # Four 8-bit samples are as many bytes as grey and alpha. Else "16L" takes the second byte of each pair.
            raw = "RGBA" if grey_alpha else f"{image.mode};16L"
            again.tile = [tile._replace(args=raw) for tile in tiles]
            again.load()
            low = np.asarray(again)
        if grey_alpha:
            both = low.view(">u2").astype(np.uint16)
            return Samples(both[..., :1], both[..., 1])
        colour = np.asarray(image).astype(np.uint16)
        colour <<= 8
        colour |= low
    if colour.shape[2] == 4:
        return Samples(colour[..., :3], colour[..., 3])
    if transparent is None:
        return Samples(colour, None)
    opaque = (colour != np.asarray(transparent, np.uint16)).any(axis=-1)
    return Samples(colour, opaque.astype(np.uint16) * np.uint16(65535))


def is_tiff(block: exif.Block) -> bool:
    """Whether a TIFF holds 16-bit unsigned grey or RGB, perhaps with alpha, in a way that is understood here."""
    samples = block.number(_SAMPLES, 1)
    allowed = {0: (1, 2), 1: (1, 2), 2: (3, 4)}.get(block.number(_PHOTOMETRIC, -1), ())
    return (
        set(block.numbers(_BITS)) == {16}
        and set(block.numbers(_SAMPLE_FORMAT)) <= {1}
        and samples in allowed
        and block.number(_COMPRESSION, 1) in _BYTEWISE
        and block.number(_PREDICTOR, 1) in (1, 2)
    )


def tiff_size(block: exif.Block) -> tuple[int, int]:
    """``(height, width)`` of a TIFF before orientation."""
    return block.number(_HEIGHT, 0), block.number(_WIDTH, 0)


def from_tiff(data: bytes, block: exif.Block, load: Load) -> Samples:
    """Decode a TIFF for which `is_tiff` holds; what is opened for it is given to `load`."""
    count = block.number(_SAMPLES, 1)
    if block.number(_PLANAR, 1) == 2:
        array = np.concatenate([_samples(data, block, load, 1, plane, count) for plane in range(count)], axis=2)
    else:
        array = _samples(data, block, load, count, 0, 1)
    channels = 3 if count > 2 else 1
    colour = array[..., :channels]
    if block.number(_PHOTOMETRIC, 1) == _WHITE_IS_ZERO:
        colour = 65535 - colour
    extra = block.number(_EXTRA, 2)
    if count == channels or extra == 0:
        return Samples(colour, None)
    alpha = array[..., channels]
    if extra == _PREMULTIPLIED:
        scale = np.float32(65535) / np.maximum(alpha, 1)[..., None]
        colour = np.rint(np.minimum(colour * scale, 65535)).astype(np.uint16)
    return Samples(colour, alpha)


def _samples(data: bytes, block: exif.Block, load: Load, channels: int, plane: int, planes: int) -> NDArray[Any]:
    """``(height, width, channels)`` uint16: one plane of a TIFF, or all of it when it has one."""
    height, width = tiff_size(block)
    with opened(_as_bytes(data, block, channels, plane, planes)) as image:
        load(image)
        rows = np.asarray(image).reshape(height, width, 2 * channels)
    array = rows.view(f"{block.order}u2").astype(np.uint16)
    if block.number(_PREDICTOR, 1) == 2:
        step = block.number(_TILE_WIDTH, width) or width
        for left in range(0, width, step):
            part = array[:, left : left + step]
            np.cumsum(part, axis=1, dtype=np.uint16, out=part)
    return array


def _as_bytes(data: bytes, block: exif.Block, channels: int, plane: int, planes: int) -> bytes:
    """The same TIFF with a new directory that calls every byte a grey pixel."""
    order, wider = block.order, 2 * channels
    entries: exif.Directory = {
        _WIDTH: exif.integers(order, exif.LONG, block.number(_WIDTH, 0) * wider),
        _HEIGHT: exif.integers(order, exif.LONG, block.number(_HEIGHT, 0)),
        _BITS: exif.integers(order, exif.SHORT, 8),
        _COMPRESSION: exif.integers(order, exif.SHORT, block.number(_COMPRESSION, 1)),
        _PHOTOMETRIC: exif.integers(order, exif.SHORT, 1),
        _SAMPLES: exif.integers(order, exif.SHORT, 1),
    }
    if _TILE_WIDTH in block.entries:
        places = (_TILE_OFFSETS, _TILE_COUNTS)
        entries[_TILE_WIDTH] = exif.integers(order, exif.LONG, block.number(_TILE_WIDTH, 0) * wider)
        entries[_TILE_HEIGHT] = exif.integers(order, exif.LONG, block.number(_TILE_HEIGHT, 0))
    else:
        places = (_STRIP_OFFSETS, _STRIP_COUNTS)
        rows = min(block.number(_ROWS_PER_STRIP, 2**31), block.number(_HEIGHT, 0))
        entries[_ROWS_PER_STRIP] = exif.integers(order, exif.LONG, rows)
    for tag in places:
        values = [int(value) for value in block.numbers(tag)]
        share = len(values) // planes
        entries[tag] = exif.integers(order, exif.LONG, *values[plane * share : (plane + 1) * share])
    body = data + b"\0" * (len(data) % 2)
    directory = exif.directory_bytes(entries, order, len(body))
    # Joined, not added: of a large picture every further copy counts.
    return b"".join((exif.header(order, len(body)), memoryview(body)[8:], directory))
