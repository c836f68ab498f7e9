"""Pictures that are not whole, or claim more than they hold: of each format read, made here by hand."""

from __future__ import annotations

import base64
import os
import re
import resource
import struct
import subprocess
import sys
import time
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from dreamer import images, memory
from dreamer.errors import ImageReadError
from dreamer.images import exif, isobmff, jpeg

HEIGHT, WIDTH = 120, 160
CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"
y, x = np.mgrid[:HEIGHT, :WIDTH]
GRAIN = np.random.default_rng(0).normal(0, 12, (HEIGHT, WIDTH, 3))
RGB = np.clip(np.stack([x * 1.5 + 20, y * 2 + 10, 255 - x - y * 0.3], -1) + GRAIN, 1, 255).astype(np.uint8)
GREY = RGB[..., 0].copy()
BITS = Image.fromarray(GREY).convert("1")


def encoded(picture: np.ndarray | Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, bits: int, colour: int, data: bytes, *, interlaced: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def refused(data: bytes, words: str) -> None:
    with pytest.raises(ImageReadError, match=words) as caught:
        images.decode(data, "x")
    assert "\n" not in str(caught.value)


def taken(data: bytes) -> images.Photo:
    photo = images.decode(data, "x", compact=True, damaged_ok=True)
    assert photo.is_damaged
    assert "not whole" in photo.notes[0]
    return photo


# Bits, colour type, bytes of a row of 10 pixels.
@pytest.mark.parametrize(
    ("bits", "colour", "length"), [(1, 0, 2), (4, 0, 5), (8, 0, 10), (8, 2, 30), (8, 6, 40), (16, 2, 60), (16, 4, 40)]
)
def test_a_png_whose_data_end_early_but_properly_is_not_whole(bits, colour, length):
    rows = [b"\0" + bytes([200 + row]) * length for row in range(8)]
    whole = images.decode(png(10, 8, bits, colour, b"".join(rows)), "x", compact=True)
    assert not whole.notes
    short = png(10, 8, bits, colour, b"".join(rows[:5]) + b"\0")
    refused(short, "after 5 of 8 rows")
    photo = taken(short)
    assert np.array_equal(photo.pixels[:5], whole.pixels[:5])


def test_an_interlaced_png_is_counted_pass_by_pass():
    # Of 9x9 pixels of 8 bits the seven passes have these rows and columns (PNG, 8.2).
    passes = [(2, 2), (2, 1), (1, 3), (3, 2), (2, 5), (5, 4), (4, 9)]
    data = b"".join(b"\0" + bytes([40]) * columns for rows, columns in passes for _ in range(rows))
    images.decode(png(9, 9, 8, 0, data, interlaced=1), "x")
    refused(png(9, 9, 8, 0, data[:-1], interlaced=1), "of 100 bytes")


def test_an_animated_png_is_whole_if_its_first_picture_is():
    data = encoded(RGB, "PNG", save_all=True, append_images=[Image.fromarray(255 - RGB)])
    images.decode(data[: len(data) * 3 // 4], "x")
    refused(data[: len(data) // 4], "truncated")


JPEGS = {
    "baseline": {"quality": 90},
    "progressive": {"quality": 90, "progressive": True},
    "optimized": {"optimize": True},
    "restarts": {"restart_marker_rows": 1},
    "grey": {},
    "cmyk": {},
}


def jpeg_of(kind: str) -> bytes:
    picture = {"grey": GREY, "cmyk": Image.fromarray(RGB).convert("CMYK")}.get(kind, RGB)
    return encoded(picture, "JPEG", **JPEGS[kind])


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_that_lacks_only_its_end_mark_is_read_with_a_note(kind):
    data = jpeg_of(kind)
    whole = images.decode(data, "x")
    assert not whole.notes
    photo = images.decode(data[:-2], "x")
    assert "end mark is missing" in photo.notes[0]
    assert not photo.is_damaged
    assert np.array_equal(photo.pixels, whole.pixels)


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("ends", [b"", jpeg.END_OF_JPEG], ids=["cut", "ended"])
def test_a_jpeg_with_rows_missing_is_refused_and_taken_where_damaged_ones_are(kind, ends):
    data = jpeg_of(kind)
    whole = images.decode(data, "x", compact=True)
    for share in (0.5, 0.75, 0.9, 0.98):
        short = data[: int(len(data) * share)] + ends
        refused(short, "truncated.*--damaged-ok")
        photo = taken(short)
        assert photo.pixels.shape == whole.pixels.shape
    if kind != "progressive":
        assert np.array_equal(photo.pixels[:64], whole.pixels[:64])


def test_a_jpeg_with_a_hole_between_two_restarts_is_not_whole():
    data = jpeg_of("restarts")
    at = data.index(b"\xff\xd2")
    refused(data[: at - 200] + data[at:], "truncated")


@pytest.mark.parametrize("is_renumbered", [False, True])
@pytest.mark.parametrize("dropped", [1, 3, 7])
def test_a_jpeg_without_a_run_between_two_restarts_is_not_whole(dropped, is_renumbered):
    data = jpeg_of("restarts")
    start, end = jpeg.scans(data).parts[0][:2]
    runs = re.split(rb"\xff[\xd0-\xd7]", data[start:end])
    assert len(runs) == 8
    kept = [run for run in range(8) if run != dropped]
    body = runs[0]
    for place, run in enumerate(kept[1:]):
        body += b"\xff" + bytes([0xD0 + (place if is_renumbered else run - 1) % 8]) + runs[run]
    short = data[:start] + body + data[end:]
    refused(short, "7 of 8 runs between restarts")
    taken(short)


def test_a_progressive_jpeg_is_whole_with_its_last_scan_only():
    data = jpeg_of("progressive")
    parts = jpeg.scans(data).parts
    for scan in parts[:-1]:
        for ends in (b"", jpeg.END_OF_JPEG):
            refused(data[: scan.end] + ends, "not all of its scans.*--damaged-ok")
    assert len(taken(data[: parts[1].end]).notes) == 1
    assert not images.decode(data[: parts[-1].end] + jpeg.END_OF_JPEG, "x").notes


def test_a_jpeg_of_one_scan_for_each_colour_is_whole_with_all_of_them():
    greys = [encoded(RGB[..., channel], "JPEG") for channel in range(3)]
    frame = greys[0].index(b"\xff\xc0")
    length = 2 + struct.unpack_from(">H", greys[0], frame + 2)[0]
    colours = struct.pack(">HBHHB", 17, 8, HEIGHT, WIDTH, 3) + b"".join(bytes([name, 0x11, 0]) for name in (1, 2, 3))
    scans = []
    for name, grey in enumerate(greys, 1):
        start, end = jpeg.scans(grey).parts[0][:2]
        scans.append(b"\xff\xda" + struct.pack(">HB", 8, 1) + bytes([name, 0, 0, 63, 0]) + grey[start:end])
    head = greys[0][:frame] + b"\xff\xc0" + colours + greys[0][frame + length : greys[0].index(b"\xff\xda")]
    assert not images.decode(head + b"".join(scans) + jpeg.END_OF_JPEG, "x").notes
    for count in (1, 2):
        refused(head + b"".join(scans[:count]) + jpeg.END_OF_JPEG, "not all of its scans")


# 64x48 pixels in arithmetic coding, which Pillow does not write; by libjpeg-turbo 2.1.5.
ARITHMETIC = base64.b85decode(
    b"|JeWF01!$>Nk#wx0RR9200961|JwjV01XKW3knDg3knMk4h;_zAQcl55)&sJ9v2`kDKRiEDJ?8BI!Zn>HbyrrEkIX6ModmpQ&KWM"
    b"T47pHU`kO^PygEhLjevB4iga*CKVMXPc<zyPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPf!2J"
    b"01*fPFaSUU0U`hb5di}c0sqVZ3IGrg1pyEd1^?Or3<CiG0ucid06zf#0HMtDu5S8p6FFvt6;=D3X*NOU1#chXkxI)TxiXp)lfH+>"
    b")$rGWj!qLM(F^xWF~c)zOrvb-=D-"
    b"$#k!eRng)|Pu2U;OIv8&4qkc9ML*2dnQ7rlcTP=ADBgNp;9kzu4I3a8{Tu6*PP<Hpor#*LbwO4IF5o(p@k-"
    b"W8La?KfurT*Vs6kDCs_|Je"
)
# One whose last bytes are noughts, which its encoder has left out.
NOUGHTS_LEFT_OUT = base64.b85decode(
    b"|JeWF01!$>Nk#wx0RR9200961|JwjV01OBT3ke7e3knMk4Gazv9uyK05fUXE92OodCoV24Co3v3H%2=#G(t2gD?L*_LP$zZPfjm8"
    b"R$Ns~TSiSzOaI#dLjesA4iXR&Boq`ROEN1mOG`^jOG`^jOG`^jOG`^jOG`^jOG`^jOG`^jOG`^jOG`^jOG`^jOG`^jOG`^jOH2RB"
    b"01*fP7yu9h0TBQK5di}c0sqVZ3IGrg1pyEd1^?Or3<CiG0ucid06zfz0rzIec$nPu=(-!qESAz&lKk6LbffhD*#"
)


def test_a_jpeg_in_arithmetic_coding_is_whole_or_not_as_any_other():
    assert jpeg.scans(ARITHMETIC).is_arithmetic
    assert not jpeg.scans(jpeg_of("baseline")).is_arithmetic
    whole = images.decode(ARITHMETIC, "x", compact=True)
    assert whole.pixels.shape == (48, 64, 3)
    assert not whole.notes
    assert not images.decode(NOUGHTS_LEFT_OUT, "x").notes
    for share in (0.6, 0.8, 0.95):
        for ends in (b"", jpeg.END_OF_JPEG):
            short = ARITHMETIC[: int(len(ARITHMETIC) * share)] + ends
            refused(short, "truncated")
            taken(short)


def test_a_jpeg_of_scans_without_end_is_refused():
    data = jpeg_of("progressive")
    found = jpeg.scans(data)
    start, end = found.parts[-2][1], found.parts[-1][1]
    refused(data[:end] + data[start:end] * 300 + data[end:], "scans")


def test_a_jpeg_of_nothing_but_markers_takes_no_time():
    data = jpeg_of("baseline")
    end = jpeg.scans(data).parts[0][1]
    for filling in (b"\xff", b"\xff" * 999 + b"\0", b"\0", b"\xff\xd0", b"\xff\x01"):
        padded = data[:2] + filling * (1_000_000 // len(filling)) + data[2:]
        assert jpeg.scans(padded).is_ended
        padded = data[:end] + filling * (1_000_000 // len(filling)) + data[end:]
        assert len(jpeg.with_foreign_bits(padded, jpeg.scans(padded))) < 10 * len(padded)


def strips_changed(data: bytes, change) -> bytes:
    """The same TIFF, each strip changed."""
    block = exif.parse(data)
    places = zip(block.numbers(273), block.numbers(279), strict=True)
    parts = [change(data[int(at) : int(at + count)]) for at, count in places]
    starts = np.cumsum([8, *map(len, parts[:-1])]).tolist()
    body = b"".join(parts) + b"\0" * (sum(map(len, parts)) % 2)
    entries = block.entries | {
        273: exif.integers(block.order, exif.LONG, *starts),
        279: exif.integers(block.order, exif.LONG, *map(len, parts)),
    }
    return exif.header(block.order, 8 + len(body)) + body + exif.directory_bytes(entries, block.order, 8 + len(body))


TIFFS = ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "lzma", "zstd"]
FAXES = ["group3", "group4", "tiff_ccitt"]


@pytest.mark.parametrize("rows", [16, 120])
@pytest.mark.parametrize("compression", [None, *TIFFS, *FAXES])
def test_a_tiff_with_strips_cut_short_is_refused_and_libtiff_keeps_quiet(compression, rows, capfd):
    picture = BITS if compression in FAXES else RGB
    data = encoded(picture, "TIFF", compression=compression, tiffinfo={278: rows})
    whole = images.decode(strips_changed(data, lambda part: part), "x")
    assert not whole.notes
    refused(strips_changed(data, lambda part: part[: len(part) // 2]), "truncated|damaged|more than its")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("is_deep", [False, True])
@pytest.mark.parametrize("compression", [None, "tiff_adobe_deflate"])
@pytest.mark.parametrize("change", ["fewer", "no place", "no length"])
def test_a_tiff_without_some_of_its_strips_is_not_whole(change, compression, is_deep, capfd):
    picture = (GREY.astype(np.uint16) * 257) if is_deep else RGB
    data = encoded(picture, "TIFF", compression=compression, tiffinfo={278: 16})
    block = exif.parse(data)
    places, lengths = ([int(value) for value in block.numbers(tag)] for tag in (273, 279))
    assert len(places) == 8
    images.decode(with_places(data, block, places, lengths), "x")
    if change == "fewer":
        places, lengths = places[:6], lengths[:6]
    else:
        places[5:7] = [0, 0] if change == "no place" else places[5:7]
        lengths[5:7] = [0, 0]
    short = with_places(data, block, places, lengths)
    refused(short, "6 of 8 strips or tiles")
    photo = taken(short)
    assert (photo.pixels.shape, len(photo.notes)) == (RGB.shape, 1)
    assert capfd.readouterr() == ("", "")


def with_places(data: bytes, block: exif.Block, places: list[int], lengths: list[int]) -> bytes:
    """The same TIFF with a directory that says otherwise where strips lie."""
    changed = {
        273: exif.integers(block.order, exif.LONG, *places),
        279: exif.integers(block.order, exif.LONG, *lengths),
    }
    return with_entries(data, block, changed)


def with_entries(data: bytes, block: exif.Block, changed: exif.Directory) -> bytes:
    body = data + b"\0" * (len(data) % 2)
    directory = exif.directory_bytes({**block.entries, **changed}, block.order, len(body))
    return exif.header(block.order, len(body)) + body[8:] + directory


def test_a_deflated_strip_that_ends_early_but_properly_is_not_whole():
    data = encoded(RGB, "TIFF", compression="tiff_adobe_deflate", tiffinfo={278: 120})
    refused(strips_changed(data, lambda part: zlib.compress(zlib.decompress(part)[:20_000])), "damaged")


def test_a_fax_that_ends_early_but_properly_is_not_whole():
    short = encoded(BITS.crop((0, 0, WIDTH, 60)), "TIFF", compression="group4", tiffinfo={278: 60})
    block = exif.parse(short)
    (start,), (count,) = block.numbers(273), block.numbers(279)
    entries = block.entries | {tag: exif.integers(block.order, exif.LONG, 1200) for tag in (257, 278)}
    body = short[int(start) : int(start + count)]
    body += b"\0" * (len(body) % 2)
    entries[273] = exif.integers(block.order, exif.LONG, 8)
    data = exif.header(block.order, 8 + len(body)) + body + exif.directory_bytes(entries, block.order, 8 + len(body))
    refused(data, "bytes that its rows take")


@pytest.mark.parametrize("compression", [None, "tiff_adobe_deflate", "tiff_lzw", "lzma"])
def test_a_tiff_of_16_bits_that_is_cut_is_refused_with_the_reason_and_taken_where_damaged_ones_are(compression, capfd):
    data = encoded(GREY.astype(np.uint16) * 257, "TIFF", compression=compression, tiffinfo={278: 16})
    whole = images.decode(data, "x", compact=True)
    block = exif.parse(data)
    places, lengths = ([int(value) for value in block.numbers(tag)] for tag in (273, 279))
    places[-1] = len(data) - 20 if compression is None else places[-1]
    short = with_places(data, block, places, [*lengths[:-1], lengths[-1] // 2])
    refused(short, "truncated" if compression is None else "[A-Z]+Decode: ")
    photo = taken(short)
    assert photo.bits == 16
    assert np.array_equal(photo.pixels[:96], whole.pixels[:96])
    assert capfd.readouterr() == ("", "")


def test_a_large_fax_is_looked_at_in_no_more_time_than_it_takes_to_write_it():
    data = encoded(Image.new("1", (4000, 4000), 1), "TIFF", compression="group4", tiffinfo={262: 1})
    block = exif.parse(data)
    faxes = data, with_entries(data, block, {262: exif.integers(block.order, exif.SHORT, 0)})
    before = time.process_time()
    for fax, level in zip(faxes, (1, 0), strict=True):
        assert images.decode(fax, "x", max_side=16).pixels.min() == level
    assert time.process_time() - before < 3


def test_a_damaged_tiff_is_taken_where_damaged_ones_are():
    data = encoded(RGB, "TIFF", compression="packbits", tiffinfo={278: 16})
    short = data[: len(data) - 8000]
    block = exif.parse(data)
    if exif.parse(short) is None or not exif.parse(short).entries:  # The directory is at the end.
        cut = strips_changed(data, lambda part: part)
        at = int(block.numbers(279)[0])
        short = cut[: 8 + at // 2] + bytes(at // 2) + cut[8 + at :]
    taken(short)


def runs(codes: bytes, width: int = 100, height: int = 100, *, bits: int = 8) -> bytes:
    """A BMP of run-length codes."""
    palette = (bytes(range(256)) * 4)[: 4 << bits]
    start = 54 + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(codes), 0, 0, start)
    compression = 1 if bits == 8 else 2
    return (
        head
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(codes), *(0,) * 4)
        + palette
        + codes
    )


@pytest.mark.parametrize("bits", [4, 8])
def test_a_bmp_that_leaves_pixels_out_is_not_whole(bits):
    row, end = b"\x64\x07\0\0", b"\0\1"
    images.decode(runs(row * 100 + end, bits=bits), "x")
    images.decode(runs(row * 100, bits=bits), "x")
    absolute = b"\0\x06" + bytes(3 if bits == 4 else 6) + bytes(1 if bits == 4 else 0) + b"\x5e\x07\0\0"
    images.decode(runs(absolute * 100 + end, bits=bits), "x")
    for codes in (row * 50 + end, row * 50, b"\x32\x07\0\0" * 100 + end, row * 50 + b"\0\2\0\x31" + row + end):
        refused(runs(codes, bits=bits), "of 10,000 pixels")


def test_a_gif_whose_data_end_early_is_not_whole():
    data = encoded(Image.fromarray(RGB).quantize(256), "GIF")
    refused(data[: len(data) // 2], "truncated")
    assert taken(data[: len(data) // 2]).pixels.shape == RGB.shape
    at_once = b"GIF89a" + struct.pack("<HH", 50, 50) + b"\x80\0\0" + bytes(6) + b"," + struct.pack("<4H", 0, 0, 50, 50)
    refused(at_once + b"\0\x02\x01\x2c\0;", "truncated")


def parts_of_jpeg_2000(data: bytes) -> tuple[bytes, list[bytes]]:
    at = 2
    while data[at : at + 2] != b"\xff\x90":
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    head, parts = data[:at], []
    while data[at : at + 2] == b"\xff\x90":
        (size,) = struct.unpack_from(">I", data, at + 6)
        parts.append(data[at : at + size])
        at += size
    return head, parts


def test_a_jpeg_2000_without_some_of_its_tiles_is_not_whole():
    data = encoded(RGB, "JPEG2000", tile_size=(64, 64), no_jp2=True)
    whole = images.decode(data, "x", compact=True)
    head, parts = parts_of_jpeg_2000(data)
    assert len(parts) == 6
    short = head + b"".join(parts[:4]) + b"\xff\xd9"
    refused(short, "4 of 6 tiles")
    assert np.array_equal(taken(short).pixels[:64], whole.pixels[:64])


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "JPEG2000"])
def test_what_cannot_be_decoded_in_part_is_refused_even_where_damaged_ones_are_taken(kind):
    data = encoded(RGB, kind)
    for share in (0.3, 0.7, 0.95):
        with pytest.raises(ImageReadError):
            images.decode(data[: int(len(data) * share)], "x", damaged_ok=True)


def test_an_avif_is_not_enlarged_to_the_size_that_it_claims():
    data = bytearray(encoded(RGB, "AVIF"))
    assert isobmff.coded_size(bytes(data)) == (WIDTH, HEIGHT)
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", 1600, 1200)
    refused(bytes(data), "160 x 120 pixels, not 1600 x 1200")


SIDE = 20_000


def claims() -> dict[str, bytes]:
    """Small files of each format that claim 400 megapixels."""
    found = {"png": png(SIDE, SIDE, 1, 0, bytes(100)), "png16": png(SIDE, SIDE, 16, 6, bytes(100))}
    for kind in ("baseline", "progressive", "grey"):
        data = bytearray(jpeg_of(kind))
        at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
        data[at + 5 : at + 9] = struct.pack(">HH", SIDE, SIDE)
        found[kind] = bytes(data)
    screen = b"GIF89a" + struct.pack("<HH", SIDE, SIDE) + b"\x80\0\0" + bytes(6) + b","
    found["gif screen"] = screen + struct.pack("<4H", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0;"
    found["gif frame"] = screen + struct.pack("<4H", 0, 0, SIDE, SIDE) + b"\0\x02\x02\x44\x01\0;"
    found["bmp"] = runs(b"\0\2\xff\xff" * 80 + b"\0\1", SIDE, SIDE)
    for compression, bits in ((1, 8), (5, 8), (8, 8), (8, 16), (1, 16), (32773, 8), (34925, 8), (50000, 8), (7, 8)):
        found[f"tiff {compression} {bits}"] = tiff(compression, (bits,) * 3)
    for compression in (2, 3, 4):
        found[f"fax {compression}"] = tiff(compression, (1,))
    data = bytearray(encoded(RGB[:40, :40], "JPEG2000", no_jp2=True, quality_layers=[50]))
    for at in (8, 24):
        data[at : at + 8] = struct.pack(">II", SIDE, SIDE)
    found["jpeg 2000"] = bytes(data)
    data = bytearray(encoded(RGB, "AVIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", 16_000, 16_000)
    found["avif"] = bytes(data)
    return found


def tiff(compression: int, bits: tuple[int, ...]) -> bytes:
    body, order = bytes(1000), "<"
    shorts = {258: bits, 259: (compression,), 262: (2 if len(bits) == 3 else 0,), 277: (len(bits),), 284: (1,)}
    longs = {256: SIDE, 257: SIDE, 273: 8, 278: SIDE, 279: len(body)}
    entries = {tag: exif.integers(order, exif.SHORT, *values) for tag, values in shorts.items()}
    entries |= {tag: exif.integers(order, exif.LONG, value) for tag, value in longs.items()}
    return exif.header(order, 8 + len(body)) + body + exif.directory_bytes(entries, order, 8 + len(body))


@pytest.mark.parametrize("name", claims())
def test_what_claims_more_than_its_bytes_can_fill_is_refused_before_memory_is_taken(name, capfd):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(claims()[name], "more than its|not 16000|tiles")
    with pytest.raises(ImageReadError):
        images.decode(claims()[name], "x", damaged_ok=name != "avif")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # KB
    assert capfd.readouterr() == ("", "")


def test_bytes_that_can_fill_a_picture_may():
    # All of one colour: the most that each format makes of a byte.
    for kind, options in (
        ("PNG", {}), ("GIF", {}), ("JPEG", {"progressive": True, "optimize": True}), ("JPEG2000", {}),
        ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "zstd"}), ("TIFF", {"compression": "lzma"}), ("TIFF", {"compression": "packbits"}),
    ):  # fmt: skip
        images.decode(encoded(Image.new("L", (3000, 2000), 255), kind, **options), "x")
    for compression in FAXES:
        images.decode(encoded(Image.new("1", (3000, 2000), 1), "TIFF", compression=compression), "x")


def test_a_picture_that_needs_more_memory_than_is_free_is_refused_with_the_way_out(monkeypatch):
    data = encoded(np.zeros((2000, 3000, 3), np.uint8), "PNG")
    monkeypatch.setattr(memory, "free", lambda: 130e6)
    images.decode(data, "x")
    with pytest.raises(ImageReadError, match=r"about 162 MB .*3000 x 2000.* 130 MB are free.*--max-size"):
        images.decode(data, "x", work_bytes=24)
    assert images.decode(data, "x", work_bytes=24, max_side=300).pixels.shape == (200, 300, 3)
    monkeypatch.setattr(memory, "free", lambda: 20e6)
    with pytest.raises(ImageReadError, match=r"66 MB .*reduce it first"):
        images.decode(data, "x")


def test_pillows_settings_are_left_as_they_were(monkeypatch):
    for setting in (False, True):
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", setting)
        refused(jpeg_of("baseline")[:4000], "truncated")
        taken(jpeg_of("baseline")[:4000])
        assert ImageFile.LOAD_TRUNCATED_IMAGES is setting


@pytest.mark.skipif(not CASES.exists(), reason="the inputs that once failed are not here")
def test_inputs_that_once_failed(capfd):
    for name, words in (
        ("png-short-idat.png", "whole"),
        ("tiny-484mp.png", "143 bytes"),
        ("short-deflate.tif", "damag"),
    ):
        with pytest.raises(ImageReadError, match=words):
            images.read(CASES / name)
    assert "end mark" in images.read(CASES / "short_eoi.jpg").notes[0]
    assert capfd.readouterr() == ("", "")


def test_what_others_say_on_standard_error_while_libtiff_is_caught_is_not_lost():
    program = (
        "import os, sys, threading\n"
        "from dreamer.images import chatter\n"
        "said = []\n"
        "with chatter.caught(said):\n"
        "    os.write(2, b'ZIPDecode: Not enough data at scanline 0.\\nfrom C of another thread\\n')\n"
        "    thread = threading.Thread(target=print, args=('from Python',), kwargs={'file': sys.stderr})\n"
        "    thread.start(); thread.join()\n"
        "print(said, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert done.stderr == "from Python\nfrom C of another thread\n['ZIPDecode: Not enough data at scanline 0.']\n"
