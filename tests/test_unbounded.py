"""Floating-point and 32-bit pictures are told by their kind, whatever the layout of the file."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.errors import ImageReadError
from dreamer.images import exif

WORDS = {
    np.float16: "floating-point",
    np.float32: "floating-point",
    np.float64: "floating-point",
    np.uint32: "32-bit integer",
    np.int32: "32-bit integer",
    np.int16: "signed 16-bit integer",
    np.complex64: "complex",
}
FORMATS = {"u": 1, "i": 2, "f": 3, "c": 6}


def tiff(array: np.ndarray, order: str, *, planar: bool, tiled: bool, compression: int) -> bytes:
    """A TIFF of one strip or tile for each plane."""
    height, width, channels = array.shape
    dtype = array.dtype.newbyteorder(order)
    planes = [array[..., i : i + 1] for i in range(channels)] if planar else [array]
    parts = []
    for plane in planes:
        if tiled:
            padded = np.zeros((32, 32, plane.shape[2]), array.dtype)
            padded[:height, :width] = plane
            plane = padded
        data = plane.astype(dtype).tobytes()
        parts.append(zlib.compress(data) if compression == 8 else data)
    at = np.cumsum([8] + [len(part) for part in parts]).tolist()
    shorts = {256: [width], 257: [height], 258: [array.itemsize * 8] * channels, 259: [compression]}
    shorts |= {262: [2 if channels > 2 else 1], 277: [channels], 284: [2 if planar else 1]}
    shorts |= {339: [FORMATS[array.dtype.kind]] * channels}
    shorts |= {322: [32], 323: [32]} if tiled else {278: [height]}
    longs = {324 if tiled else 273: at[:-1], 325 if tiled else 279: [len(part) for part in parts]}
    entries: exif.Directory = {tag: exif.integers(order, exif.SHORT, *values) for tag, values in shorts.items()}
    entries |= {tag: exif.integers(order, exif.LONG, *values) for tag, values in longs.items()}
    return exif.header(order, at[-1]) + b"".join(parts) + exif.directory_bytes(entries, order, at[-1])


@pytest.mark.parametrize("dtype", WORDS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize(("planar", "tiled"), [(False, False), (True, False), (False, True), (True, True)])
def test_each_kind_is_told_by_its_name(dtype: type, channels: int, compression: int, planar: bool, tiled: bool) -> None:
    for order in "<>":
        data = tiff(np.zeros((9, 7, channels), dtype), order, planar=planar, tiled=tiled, compression=compression)
        with pytest.raises(ImageReadError, match=f"^a.tif holds {WORDS[dtype]} pixels, whose black and white") as error:
            images.decode(data, "a.tif")
        assert "damaged" not in str(error.value)
        # Told by the directory, so that a short file is no other kind.
        if dtype is np.float32:
            with pytest.raises(ImageReadError, match="floating-point"):
                images.decode(exif.header(order, 8) + _moved(data, order), "a.tif")


def _moved(data: bytes, order: str) -> bytes:
    """The directory alone, at the beginning of the file."""
    return exif.directory_bytes(exif.parse(data).entries, order, 8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_ordinary_ones_are_read(dtype: type, channels: int) -> None:
    array = np.arange(9 * 7 * channels, dtype=dtype).reshape(9, 7, channels)
    data = tiff(array, "<", planar=False, tiled=False, compression=8)
    photo = images.decode(data, "a.tif")
    np.testing.assert_array_equal(np.rint(photo.pixels * np.iinfo(dtype).max), np.broadcast_to(array, (9, 7, 3)))


def test_pictures_in_memory_are_told_as_well() -> None:
    for mode, word in (("F", "floating-point"), ("I", "32-bit integer")):
        with pytest.raises(ImageReadError, match=f"holds {word} pixels"):
            images.from_pil(Image.new(mode, (2, 2)))


def test_a_bigtiff_of_floats_is_told_as_well() -> None:
    values = {256: (3, 7), 257: (3, 9), 258: (3, 32), 259: (3, 1), 262: (3, 1), 277: (3, 1), 339: (3, 3)}
    table = b"".join(struct.pack("<HHQQ", tag, kind, 1, value) for tag, (kind, value) in values.items())
    data = b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, len(values)) + table + bytes(8)
    with pytest.raises(ImageReadError, match="floating-point"):
        images.decode(data, "a.tif")
