"""Photos made smaller while they are read: the same picture as if that had been done afterwards, for less memory."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from dreamer import images
from dreamer.arrays import fitted
from dreamer.images import reducing

HEIGHT, WIDTH = 210, 330
y, x = np.mgrid[:HEIGHT, :WIDTH]
RGB = np.stack([x * 7 // 10 % 256, y * 11 // 10 % 256, (x + y) // 2 % 256], -1).astype(np.uint8)
ALPHA = (x * 255 // WIDTH).astype(np.uint8)
PICTURE = Image.fromarray(RGB)
RGBA = Image.fromarray(np.dstack([RGB, ALPHA]))


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


EXACT = {
    "1": lambda: encoded(PICTURE.convert("1"), "PNG"),
    "L": lambda: encoded(PICTURE.convert("L"), "PNG"),
    "LA": lambda: encoded(RGBA.convert("LA"), "PNG"),
    "P": lambda: encoded(PICTURE.quantize(64), "PNG"),
    "P transparent": lambda: encoded(PICTURE.quantize(64), "PNG", transparency=3),
    "RGB": lambda: encoded(PICTURE, "PNG"),
    "RGB transparent": lambda: encoded(PICTURE, "PNG", transparency=(0, 0, 0)),
    "RGBA": lambda: encoded(RGBA, "PNG"),
    "CMYK": lambda: encoded(PICTURE.convert("CMYK"), "TIFF"),
    "TIFF": lambda: encoded(PICTURE, "TIFF", compression="tiff_lzw"),
    "TIFF turned": lambda: encoded(PICTURE, "TIFF", exif=turned(6)),
    "WebP": lambda: encoded(RGBA, "WEBP", lossless=True),
    "AVIF": lambda: encoded(PICTURE, "AVIF"),
    "BMP": lambda: encoded(PICTURE, "BMP"),
    "GIF": lambda: encoded(PICTURE.quantize(64), "GIF"),
    "16 bits": lambda: images.encode(images.Photo(RGB.astype(np.uint16) * 257, bits=16), ".png", recipe=None)[0],
    "16 bits, TIFF": lambda: images.encode(images.Photo(RGB.astype(np.uint16) * 257, bits=16), ".tif", recipe=None)[0],
}


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


@pytest.fixture
def narrow_bands(monkeypatch):
    """Bands of a few rows, so that a small picture has many."""
    monkeypatch.setattr(reducing, "_BAND_PIXELS", 10 * WIDTH)


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.usefixtures("narrow_bands")
def test_what_is_made_smaller_while_it_is_read_is_what_it_would_be_afterwards(kind):
    data = EXACT[kind]()
    whole = images.decode(data, "x", compact=True)
    for side in (40, 101, 329):
        afterwards = images.resized(whole, fitted(whole.pixels.shape[:2], side))
        found = images.decode(data, "x", compact=True, max_side=side)
        assert np.array_equal(found.pixels, afterwards.pixels)
        assert (found.alpha is None) == (whole.alpha is None)
        assert whole.alpha is None or np.array_equal(found.alpha, afterwards.alpha)
        assert (found.bits, found.metadata, found.notes) == (whole.bits, whole.metadata, whole.notes)


@pytest.mark.parametrize("kind", EXACT)
def test_what_is_small_enough_stays_as_it_is(kind):
    data = EXACT[kind]()
    whole = images.decode(data, "x", compact=True)
    for options in ({"max_side": WIDTH}, {"short_side": HEIGHT}, {"max_side": 5000}):
        found = images.decode(data, "x", compact=True, **options)
        assert found.pixels.dtype == whole.pixels.dtype
        assert np.array_equal(found.pixels, whole.pixels)


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
@pytest.mark.parametrize("side", [20, 41, 82, 164, 200])
@pytest.mark.parametrize("rows", [4 * HEIGHT, 4 * HEIGHT - 1])
def test_a_format_that_can_be_decoded_smaller_is_and_looks_the_same(kind, side, rows):
    data = encoded(PICTURE.resize((4 * WIDTH, rows)), kind)
    whole = images.decode(data, "x")
    afterwards = images.resized(whole, fitted(whole.pixels.shape[:2], side)).pixels
    found = images.decode(data, "x", max_side=side).pixels
    assert found.shape == afterwards.shape
    assert np.abs(found - afterwards).mean() < 2 / 255


def test_a_decoder_is_asked_for_twice_the_wanted_size_or_more():
    data = encoded(PICTURE.resize((4 * WIDTH, 4 * HEIGHT)), "JPEG")
    for wanted in range(10, 700, 7):
        with Image.open(BytesIO(data)) as image:
            size = fitted((4 * HEIGHT, 4 * WIDTH), wanted)
            decoded = reducing.ask_for_less(image, size)
            assert decoded == (image.height, image.width)
            assert decoded == (4 * HEIGHT, 4 * WIDTH) or min(np.divide(decoded, size)) >= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_turned_photos_are_made_smaller_to_the_size_that_they_have_upright(kind, orientation):
    data = encoded(PICTURE, kind, exif=turned(orientation))
    whole = images.decode(data, "x")
    size = fitted(whole.pixels.shape[:2], 77)
    found = images.decode(data, "x", max_side=77).pixels
    assert found.shape[:2] == size
    assert np.abs(found - images.resized(whole, size).pixels).mean() < 2 / 255


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 450), st.sampled_from(["PNG", "JPEG"]))
@settings(deadline=None, max_examples=100, database=None)
def test_the_size_is_that_of_one_rule(width, height, side, kind):
    data = encoded(Image.new("RGB", (width, height), (9, 90, 200)), kind)
    found = images.decode(data, "x", max_side=side).pixels
    assert found.shape[:2] == fitted((height, width), side)
    assert np.abs(found - np.array([9, 90, 200]) / 255).max() < 4 / 255


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 450))
@settings(deadline=None, max_examples=50, database=None)
def test_the_shorter_side_can_be_said_instead(width, height, side):
    data = encoded(Image.new("L", (width, height)), "PNG")
    found = images.decode(data, "x", short_side=side).pixels
    assert min(found.shape[:2]) == min(side, width, height)


def test_a_picture_of_bits_is_never_unfolded_whole(tmp_path):
    side = 8000
    rows = zlib.compress((b"\0" + b"\x5a" * (side // 8)) * side, 1)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    data = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    path = tmp_path / "bits.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    program = (
        "import sys; from pathlib import Path; from dreamer import images\n"
        "peak = lambda name: int(Path('/proc/self/status').read_text().split(name)[1].split()[0])\n"
        "before = peak('VmRSS:'); Path('/proc/self/clear_refs').write_text('5')\n"
        "photo = images.read(Path(sys.argv[1]), max_side=64, compact=True)\n"
        "assert photo.pixels.shape == (64, 64, 3) and abs(photo.pixels.mean() - 0.5) < 0.01\n"
        "print((peak('VmHWM:') - before) // 1024)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(images.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, env=environment
    )
    assert int(done.stdout) < 250  # Megabytes: 64 are the picture as Pillow has it; unfolded it takes 450 and more.
