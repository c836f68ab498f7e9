"""Files <-> arrays. Written files are checked with Pillow, OpenCV or by hand, not with the module's own reader."""

from __future__ import annotations

import json
import os
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin, TiffImagePlugin

from dreamer import images
from dreamer.errors import ImageReadError, ImageWriteError
from dreamer.images import exif as exif_module
from dreamer.images import files, profiles

HEIGHT, WIDTH = 21, 34
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
RECIPE = {"dreamer": "1.0", "seed": 7, "note": "a \u2192 b"}
OLD_RECIPE = {"dreamer": "0.1", "seed": 1}
ROOT = Path(__file__).resolve().parents[1]
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def noise(channels: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    shape = (HEIGHT, WIDTH, channels) if channels > 1 else (HEIGHT, WIDTH)
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def smooth() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 7, y * 12, 255 - x * 3 - y * 5], axis=-1).clip(0, 255).astype(np.uint8)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png16(array: np.ndarray, extra: bytes = b"") -> bytes:
    """A 16-bit PNG written by hand; its samples are grey, grey+alpha, RGB or RGBA."""
    height, width = array.shape[:2]
    samples = array.reshape(height, -1).astype(">u2")
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[samples.shape[1] // width]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff16(array: np.ndarray, order: str = "<", *, planar: bool = False, predictor: bool = False, **tags: int) -> bytes:
    """A deflated 16-bit TIFF of two strips (per plane), written with Pillow's directory and by hand."""
    height, width = array.shape[:2]
    samples = array.reshape(height, width, -1)
    count = samples.shape[2]
    planes = [samples[..., i : i + 1] for i in range(count)] if planar else [samples]
    strips = []
    for plane in planes:
        stored = plane.copy()
        if predictor:
            stored[:, 1:] -= plane[:, :-1]
        half = height // 2 + 1
        strips += [zlib.compress(part.astype(order + "u2").tobytes()) for part in (stored[:half], stored[half:])]
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II" if order == "<" else b"MM")
    values = {256: width, 257: height, 258: (16,) * count, 259: 8, 262: 2 if count > 2 else 1, 277: count, 278: half}
    values |= {284: 2 if planar else 1, 317: 2 if predictor else 1, 279: tuple(map(len, strips))}
    values[273] = tuple(np.cumsum([0] + [len(s) for s in strips[:-1]]).tolist())
    if count in (2, 4):
        values[338] = (2,)
    for tag, value in (values | {int(tag[1:]): value for tag, value in tags.items()}).items():
        directory[tag] = value
    directory.tagtype[279] = directory.tagtype[273] = 4
    out = BytesIO()
    directory.save(out)
    return out.getvalue() + b"".join(strips)


def stored(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def saved(array: np.ndarray | Image.Image, path: Path, **options: object) -> Path:
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(path, **options)
    return path


def levels(photo: images.Photo, top: int = 255) -> np.ndarray:
    assert photo.pixels.dtype == np.float32
    assert photo.pixels.min() >= 0
    assert photo.pixels.max() <= 1
    return np.rint(photo.pixels * top).astype(np.int64)


def camera_exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.Software] = "Firmware 1"
    exif[ExifTags.Base.Artist] = "J\u00fcrgen".encode()
    exif._ifds[ExifTags.IFD.Exif] = {
        ExifTags.Base.ISOSpeedRatings: 200,
        ExifTags.Base.ExposureTime: TiffImagePlugin.IFDRational(1, 125),
        ExifTags.Base.MakerNote: b"private\0note",
        ExifTags.Base.ExifImageWidth: 4000,
        ExifTags.Base.ExifImageHeight: 3000,
    }
    exif._ifds[ExifTags.IFD.GPSInfo] = {1: "N", 2: (52.0, 31.0, 12.0)}
    for tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):  # without the keys, Pillow's TIFF writer leaves them out
        exif[tag] = exif._ifds[tag]
    return exif


def with_thumbnail(exif: Image.Exif) -> bytes:
    """EXIF bytes with a second directory, as cameras write it."""
    block = exif.tobytes()[6:]
    order = "<" if block[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, first)
    link = first + 2 + 12 * count
    block += b"\0" * (len(block) % 2)
    second = struct.pack(order + "HHHIIHHIII", 2, 0x201, 4, 1, len(block) + 30, 0x202, 4, 1, 10, 0)
    block = block[:link] + struct.pack(order + "I", len(block)) + block[link + 4 :] + second + b"THUMBNAIL!"
    return b"Exif\0\0" + block


def opened(data: bytes | Path) -> Image.Image:
    image = Image.open(BytesIO(data.read_bytes() if isinstance(data, Path) else data))
    image.load()
    return image


# ---------------------------------------------------------------- reading pixels


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_rgb_values_arrive_exactly(tmp_path: Path, suffix: str) -> None:
    array = noise(3)
    photo = images.read(saved(array, tmp_path / f"a{suffix}"))
    assert np.array_equal(levels(photo), array)
    assert (photo.alpha, photo.bits, photo.notes) == (None, 8, ())


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_formats_arrive_as_pillow_decodes_them(tmp_path: Path, suffix: str) -> None:
    path = saved(smooth(), tmp_path / f"a{suffix}", quality=95)
    assert np.array_equal(levels(images.read(path)), np.asarray(opened(path)))


def test_animations_give_their_first_frame_and_say_so(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "lime", "blue")]
    for suffix in (".gif", ".webp", ".png", ".tif"):
        path = tmp_path / f"a{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        photo = images.read(path)
        assert np.abs(levels(photo) - [255, 0, 0]).max() <= 2, suffix
        assert "first of 3" in " ".join(photo.notes), suffix


def test_phone_jpegs_with_several_pictures_are_jpegs(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    other = Image.new("RGB", (8, 8), "blue")
    Image.fromarray(smooth()).save(path, "MPO", save_all=True, append_images=[other], quality=95)
    assert opened(path).format == "MPO"
    photo = images.read(path)
    assert photo.pixels.shape == (HEIGHT, WIDTH, 3)
    assert photo.notes == ()


def test_grey_and_palette(tmp_path: Path) -> None:
    grey = noise(1)
    for image, suffix in ((Image.fromarray(grey), ".png"), (Image.fromarray(grey), ".tif")):
        photo = images.read(saved(image, tmp_path / f"a{suffix}"))
        assert np.array_equal(levels(photo), np.repeat(grey[..., None], 3, axis=-1))
    bilevel = Image.fromarray(grey > 127)
    photo = images.read(saved(bilevel, tmp_path / "b.png"))
    assert np.array_equal(levels(photo)[..., 1], (grey > 127) * 255)
    palette = Image.fromarray(smooth()).quantize(17)
    photo = images.read(saved(palette, tmp_path / "c.png"))
    assert np.array_equal(levels(photo), np.asarray(palette.convert("RGB")))
    assert photo.alpha is None


def test_cmyk_jpegs_also_adobes_inverted_ones(tmp_path: Path) -> None:
    # Pillow writes CMYK JPEGs inverted and with Adobe's marker, as Photoshop does.
    cmyk = Image.new("CMYK", (WIDTH, HEIGHT), (0, 255, 255, 0))
    path = saved(cmyk, tmp_path / "a.jpg", quality=95)
    assert b"Adobe" in path.read_bytes()
    red = levels(images.read(path))[5, 5]
    assert red[0] > 230
    assert red[1:].max() < 30
    plain = stored(tmp_path / "b.tif", b"")
    cmyk.save(plain)
    assert np.array_equal(levels(images.read(plain))[5, 5], [255, 0, 0])


def test_ycbcr_and_lab_tiffs(tmp_path: Path) -> None:
    rgb = Image.fromarray(smooth())
    photo = images.read(saved(rgb.convert("YCbCr"), tmp_path / "a.tif"))
    assert np.abs(levels(photo) - smooth()).max() <= 3
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    muted = Image.fromarray((smooth() // 2 + 60).astype(np.uint8))
    lab = ImageCms.applyTransform(muted, to_lab)
    assert lab is not None
    photo = images.read(saved(lab, tmp_path / "b.tif"))
    assert np.abs(levels(photo) - np.asarray(muted)).max() <= 8


def test_float_and_32_bit_pictures_are_refused_clearly(tmp_path: Path) -> None:
    for array, word in ((noise(1).astype(np.float32), "floating"), (noise(1).astype(np.int32), "32-bit")):
        with pytest.raises(ImageReadError, match=rf"a\.tif holds {word}"):
            images.read(saved(array, tmp_path / "a.tif"))


# ---------------------------------------------------------------- 16 bits


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_png_keeps_its_precision(tmp_path: Path, channels: int) -> None:
    array = noise(channels, np.uint16)
    photo = images.read(stored(tmp_path / "a.png", png16(array)))
    check_16(photo, array)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("planar", "predictor"), [(False, False), (False, True), (True, True)])
def test_16_bit_tiff_keeps_its_precision(
    tmp_path: Path, channels: int, order: str, planar: bool, predictor: bool
) -> None:
    array = noise(channels, np.uint16)
    data = tiff16(array, order, planar=planar, predictor=predictor)
    check_16(images.read(stored(tmp_path / "a.tif", data)), array)


def check_16(photo: images.Photo, array: np.ndarray) -> None:
    samples = array.reshape(HEIGHT, WIDTH, -1)
    colours = 3 if samples.shape[2] > 2 else 1
    assert photo.bits == 16
    assert np.array_equal(levels(photo, 65535), np.broadcast_to(samples[..., :colours], (HEIGHT, WIDTH, 3)))
    if samples.shape[2] > colours:
        assert photo.alpha is not None
        assert photo.alpha.dtype == np.uint16
        assert np.array_equal(photo.alpha, samples[..., colours])
    else:
        assert photo.alpha is None


def test_16_bit_tiff_with_white_as_zero_and_premultiplied_alpha(tmp_path: Path) -> None:
    grey = noise(1, np.uint16)
    photo = images.read(stored(tmp_path / "a.tif", tiff16(grey, t262=0)))
    assert np.array_equal(levels(photo, 65535)[..., 0], 65535 - grey.astype(np.int64))
    colour = noise(4, np.uint16) | np.uint16(0x8000)
    premultiplied = colour.copy()
    premultiplied[..., :3] = np.rint(colour[..., :3] / 65535.0 * colour[..., 3:])
    photo = images.read(stored(tmp_path / "b.tif", tiff16(premultiplied, t338=1)))
    assert np.abs(levels(photo, 65535) - colour[..., :3]).max() <= 2


def test_16_bit_png_with_a_transparent_colour(tmp_path: Path) -> None:
    for channels in (1, 3):
        array = noise(channels, np.uint16)
        key = np.atleast_1d(array[3, 4]).astype(">u2").tobytes()
        photo = images.read(stored(tmp_path / "a.png", png16(array, chunk(b"tRNS", key))))
        assert photo.alpha is not None
        assert photo.alpha[3, 4] == 0
        assert (photo.alpha == 65535).sum() == HEIGHT * WIDTH - 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bits_are_written_with_everything_in_the_file(tmp_path: Path, suffix: str, channels: int) -> None:
    array = noise(channels, np.uint16)
    photo = images.read(stored(tmp_path / "a.png", png16(array)))
    photo = replace(photo, metadata=replace(photo.metadata, exif=camera_exif().tobytes()[6:], dpi=(300.0, 300.0)))
    path = tmp_path / f"b{suffix}"
    assert images.write(path, photo, recipe=RECIPE) == ()
    decoded = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded.dtype == np.uint16
    assert np.array_equal(decoded[..., [2, 1, 0, 3][:channels]], array)
    image = opened(path)
    assert "sRGB" in ImageCms.getProfileName(ImageCms.ImageCmsProfile(BytesIO(image.info["icc_profile"])))
    assert image.getexif()[ExifTags.Base.Make] == "Maker"
    assert image.getexif().get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert images.read_recipe(path) == RECIPE
    again = images.read(path)
    assert np.array_equal(again.pixels, photo.pixels)


def test_16_bits_are_rounded_not_truncated_for_8_bit_formats(tmp_path: Path) -> None:
    array = noise(3, np.uint16)
    photo = images.read(stored(tmp_path / "a.png", png16(array)))
    data, notes = images.encode(photo, ".bmp", recipe=None)
    assert np.array_equal(np.asarray(opened(data)), np.rint(array / 257.0))
    assert "8 bits" in " ".join(notes)


# ---------------------------------------------------------------- round trips


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_an_undreamt_picture_keeps_its_values(tmp_path: Path, channels: int, suffix: str) -> None:
    array = noise(channels)
    path = tmp_path / f"b{suffix}"
    images.write(path, images.read(saved(array, tmp_path / "a.png")), recipe=RECIPE)
    assert np.array_equal(np.asarray(opened(path)), array)
    # A second time: now the file carries our own sRGB profile.
    images.write(path, images.read(path), recipe=RECIPE, overwrite=True)
    assert np.array_equal(np.asarray(opened(path)), array)


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1), (200, 3)])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_odd_shapes_in_every_format(shape: tuple[int, int], suffix: str) -> None:
    pixels = np.linspace(0, 1, shape[0] * shape[1] * 3, dtype=np.float32).reshape(*shape, 3)
    for bits in (8, 16):
        data, _ = images.encode(images.Photo(pixels, bits=bits), suffix, recipe=RECIPE)
        assert opened(data).size == shape[::-1]


def test_pixels_beyond_the_range_are_clipped_and_nan_is_refused() -> None:
    pixels = np.full((3, 5, 3), 1.7, np.float32)
    pixels[0] = -3
    assert np.asarray(opened(images.encode(images.Photo(pixels), ".png", recipe=None)[0]))[:, 0, 0].tolist() == [
        0,
        255,
        255,
    ]
    pixels[1, 1, 1] = np.nan
    with pytest.raises(ImageWriteError, match="NaN"):
        images.encode(images.Photo(pixels), ".png", recipe=None)


def test_equal_photos_give_equal_bytes() -> None:
    photo = images.from_pil(Image.fromarray(smooth()))
    profiles.srgb_bytes.cache_clear()
    first = images.encode(photo, ".jpg", recipe=RECIPE)
    profiles.srgb_bytes.cache_clear()
    assert first == images.encode(photo, ".jpg", recipe=RECIPE)
    assert profiles.srgb_bytes()[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)


# ---------------------------------------------------------------- orientation and metadata


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_every_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    path = saved(smooth(), tmp_path / f"a{suffix}", exif=camera_exif(orientation))
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    photo = images.read(path)
    assert np.array_equal(levels(photo), upright)
    data, _ = images.encode(photo, suffix, recipe=None)
    assert Image.open(BytesIO(data)).getexif()[ExifTags.Base.Orientation] == 1


@pytest.mark.parametrize("orientation", [3, 6])
def test_16_bit_pictures_and_their_alpha_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    array = noise(4, np.uint16)
    turned = np.rot90(array, {3: 2, 6: -1}[orientation])
    tags = camera_exif(orientation).tobytes()[6:]
    for data in (tiff16(array, t274=orientation), png16(array, chunk(b"eXIf", tags))):
        photo = images.read(stored(tmp_path / "a", data))
        assert np.array_equal(levels(photo, 65535), turned[..., :3])
        assert np.array_equal(photo.alpha, turned[..., 3])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("source", [".jpg", ".png", ".webp", ".tif"])
def test_exif_and_xmp_travel(tmp_path: Path, source: str, suffix: str) -> None:
    options: dict[str, object] = {"exif": with_thumbnail(camera_exif(6))}
    if source == ".png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = info
    elif source == ".tif":
        tags = camera_exif(6)
        tags[700] = XMP
        options = {"exif": tags}
    else:
        options["xmp"] = XMP
    photo = images.read(saved(smooth(), tmp_path / f"a{source}", **options))
    path = tmp_path / f"b{suffix}"
    notes = images.write(path, photo, recipe=RECIPE)
    assert notes == ()
    with Image.open(path) as image:
        found = image.getexif()
        assert found[ExifTags.Base.Orientation] == 1
        assert found[ExifTags.Base.Make] == "Maker"
        assert found[ExifTags.Base.Software] == "Firmware 1"
        assert found[ExifTags.Base.Artist].encode("latin-1").decode() == "J\u00fcrgen"
        assert found.get_ifd(ExifTags.IFD.GPSInfo)[2] == (52.0, 31.0, 12.0)
        detail = found.get_ifd(ExifTags.IFD.Exif)
        assert detail[ExifTags.Base.ISOSpeedRatings] == 200
        assert detail[ExifTags.Base.ExposureTime] == pytest.approx(1 / 125)
        assert detail[ExifTags.Base.MakerNote] == b"private\0note"
        assert (detail[ExifTags.Base.ExifImageWidth], detail[ExifTags.Base.ExifImageHeight]) == (HEIGHT, WIDTH)
        assert found.get_ifd(ExifTags.IFD.IFD1) == {}
        packet = image.info["xmp"]
    assert b"THUMBNAIL!" not in path.read_bytes()
    assert packet == XMP.replace(b'Orientation="6"', b'Orientation="1"')


def test_iptc_comment_and_dpi_travel_from_jpeg_to_jpeg(tmp_path: Path) -> None:
    iptc = b"\x1c\x02\x78\x00\x07Caption"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc
    segment = b"Photoshop 3.0\0" + resource
    extra = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
    path = saved(smooth(), tmp_path / "a.jpg", extra=extra, comment="hello", dpi=(300, 300))
    data, notes = images.encode(images.read(path), ".jpg", recipe=RECIPE)
    image = opened(data)
    assert image.info["photoshop"][0x0404] == iptc
    assert (image.info["comment"], image.info["dpi"], notes) == (b"hello", (300, 300), ())
    assert "IPTC, comment" in " ".join(images.encode(images.read(path), ".png", recipe=None)[1])


def test_png_text_travels_from_png_to_png(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "A day")
    info.add_itxt("Author", "J\u00fcrgen \u2192", "de", "Autor")
    photo = images.read(saved(noise(3), tmp_path / "a.png", pnginfo=info, dpi=(150, 150)))
    data, _ = images.encode(photo, ".png", recipe=RECIPE)
    image = opened(data)
    assert image.text["Title"] == "A day"
    assert (image.text["Author"], image.text["Author"].lang) == ("J\u00fcrgen \u2192", "de")
    assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)


def test_too_much_exif_for_a_jpeg_costs_the_maker_note_only(tmp_path: Path) -> None:
    tags = camera_exif()
    tags._ifds[ExifTags.IFD.Exif][ExifTags.Base.MakerNote] = bytes(70_000)
    photo = images.read(saved(smooth(), tmp_path / "a.png", exif=tags))
    data, notes = images.encode(photo, ".jpg", recipe=RECIPE)
    found = opened(data).getexif()
    assert "maker" in " ".join(notes)
    assert found.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] == 200
    assert ExifTags.Base.MakerNote not in found.get_ifd(ExifTags.IFD.Exif)
    large = replace(photo, metadata=replace(photo.metadata, xmp=bytes(70_000), comment=bytes(70_000)))
    assert len(images.encode(large, ".jpg", recipe={"long": "x" * 70_000})[1]) == 3


def test_damaged_exif_does_not_stop_a_picture(tmp_path: Path) -> None:
    block = bytearray(camera_exif().tobytes())
    rng = np.random.default_rng(3)
    for _ in range(60):
        damaged = bytearray(block)
        damaged[int(rng.integers(6, len(block)))] = int(rng.integers(256))
        photo = images.read(saved(smooth(), tmp_path / "a.webp", exif=bytes(damaged[6:])))
        for suffix in (".jpg", ".tif"):
            opened(images.encode(photo, suffix, recipe=RECIPE)[0])


def test_overlapping_exif_values_do_not_unfold() -> None:
    count = 5000
    entries = b"".join(struct.pack("<HHII", tag, 7, 50_000, 8) for tag in range(count))
    block = exif_module.parse(b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4))
    assert block is not None
    assert len(block.entries) <= 3


def test_exif_directories_that_contain_themselves_end() -> None:
    itself = struct.pack("<IHHHIII", 8, 1, exif_module.EXIF_IFD, 4, 1, 8, 8)
    block = exif_module.parse(b"II*\0" + itself)
    assert block is not None
    assert block.num_pages == 1
    assert len(exif_module.serialised(block)) < 100


# ---------------------------------------------------------------- alpha


def transparent(kind: str) -> Image.Image:
    if kind == "RGBA":
        return Image.fromarray(noise(4))
    if kind == "LA":
        return Image.fromarray(noise(2), "LA")
    if kind == "palette":
        image = Image.fromarray(smooth()).quantize(200)
        image.info["transparency"] = bytes(range(200))
        return image
    image = Image.fromarray(smooth())
    image.info["transparency"] = tuple(smooth()[4, 7].tolist())
    return image


@pytest.mark.filterwarnings("ignore:'mode' parameter:DeprecationWarning")
@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette", "tRNS"])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_alpha_is_unchanged(tmp_path: Path, kind: str, suffix: str) -> None:
    path = saved(transparent(kind), tmp_path / "a.png")
    expected = np.asarray(opened(path).convert("RGBA"))
    photo = images.read(path)
    assert photo.alpha is not None
    assert photo.alpha.dtype == np.uint8
    assert np.array_equal(photo.alpha, expected[..., 3])
    assert np.array_equal(levels(photo), expected[..., :3])
    data, notes = images.encode(photo, suffix, recipe=None)
    assert np.array_equal(np.asarray(opened(data))[..., 3], expected[..., 3])
    assert notes == ()


def test_webp_keeps_colours_under_transparent_pixels() -> None:
    alpha = np.zeros((64, 48), np.uint8)
    alpha[:, 24:] = 255
    pixels = np.zeros((64, 48, 3), np.float32)
    pixels[:, :24] = np.linspace(0, 1, 24)[:, None]
    array = np.asarray(opened(images.encode(images.Photo(pixels, alpha), ".webp", recipe=None)[0]))
    assert np.abs(array[:, :16, :3] - pixels[:, :16] * 255).max() < 16


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lost_alpha_is_composited_on_white_and_noted(suffix: str, dtype: type) -> None:
    alpha = np.zeros((HEIGHT, WIDTH), dtype)
    alpha[:, WIDTH // 2 :] = np.iinfo(dtype).max
    photo = images.Photo(np.zeros((HEIGHT, WIDTH, 3), np.float32), alpha, bits=8 * alpha.itemsize)
    data, notes = images.encode(photo, suffix, recipe=None)
    array = np.asarray(opened(data)).astype(int)
    assert array[:, :8].min() > 250
    assert array[:, -8:].max() < 5
    assert "composited on white" in notes[0]


def test_gif_has_one_bit_of_alpha() -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[5:] = 255
    photo = images.Photo(smooth() / np.float32(255), alpha)
    data, notes = images.encode(photo, ".gif", recipe=RECIPE)
    assert np.array_equal(np.asarray(opened(data).convert("RGBA"))[..., 3], alpha)
    assert notes == ()
    alpha[7] = 90
    data, notes = images.encode(photo, ".gif", recipe=None)
    assert "nothing between" in notes[0]
    assert np.asarray(opened(data).convert("RGBA"))[7, :, 3].max() == 0


def test_alpha_of_the_other_depth_is_rescaled() -> None:
    alpha = noise(1)
    data, _ = images.encode(images.Photo(noise(3) / np.float32(255), alpha, bits=16), ".png", recipe=None)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(decoded[..., 3], alpha.astype(np.uint16) * 257)


def test_resized() -> None:
    alpha = np.full((HEIGHT, WIDTH), 200, np.uint8)
    photo = images.Photo(noise(3) / np.float32(255), alpha, notes=("x",))
    for size in ((10, 17), (50, 71), (10, 90)):
        result = images.resized(photo, size)
        assert result.pixels.shape == (*size, 3)
        assert result.pixels.dtype == np.float32
        assert 0 <= result.pixels.min() <= result.pixels.max() <= 1
        assert result.alpha is not None
        assert result.alpha.shape == size
        assert (result.alpha == 200).all()
        assert result.notes == ("x",)
    assert images.resized(photo, (HEIGHT, WIDTH)) is photo
    halved = images.resized(images.Photo(photo.pixels[:20]), (10, 17))
    assert np.allclose(halved.pixels, photo.pixels[:20].reshape(10, 2, 17, 2, 3).mean((1, 3)), atol=1e-5)
    with pytest.raises(ImageWriteError, match="does not fit"):
        images.encode(replace(photo, pixels=photo.pixels[:-1]), ".png", recipe=None)


# ---------------------------------------------------------------- colour


def matrix_profile(gamma: float, *, parametric: bool = False) -> bytes:
    """Adobe RGB's primaries with a gamma, as a profile written by hand."""
    columns = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
    elements = [b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in column)) for column in columns]
    elements.append(b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061))
    if parametric:  # Display P3's and sRGB's curve
        values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        elements.append(b"para\0\0\0\0\0\3\0\0" + struct.pack(">5i", *(round(v * 65536) for v in values)))
    else:
        elements.append(b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0")
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"rTRC", b"gTRC", b"bTRC")
    return profile(b"RGB ", names, [*elements, elements[-1], elements[-1]])


def rounded_srgb_profile() -> bytes:
    """sRGB but for rounding: its curve as a table and a trifle too steep, its primaries to four digits."""
    columns = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
    elements = [b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in column)) for column in columns]
    level = np.linspace(0, 1, 256)
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4) ** 1.008
    curve = b"curv\0\0\0\0" + struct.pack(">I", 256) + np.rint(linear * 65535).astype(">u2").tobytes()
    elements.append(b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061))
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"rTRC", b"gTRC", b"bTRC")
    return profile(b"RGB ", names, [*elements, curve, curve, curve])


def grey_profile(gamma: float) -> bytes:
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    table = np.rint(np.linspace(0, 1, 1024) ** gamma * 65535).astype(">u2").tobytes()
    return profile(b"GRAY", (b"wtpt", b"kTRC"), [white, b"curv\0\0\0\0" + struct.pack(">I", 1024) + table])


def profile(space: bytes, names: tuple[bytes, ...], elements: list[bytes]) -> bytes:
    offset = 128 + 4 + 12 * len(names)
    table, body = struct.pack(">I", len(names)), b""
    for name, element in zip(names, elements, strict=True):
        table += struct.pack(">4sII", name, offset + len(body), len(element))
        body += element
    head = struct.pack(
        ">I4sI4s4s4s12s4s", offset + len(body), b"lcms", 0x02400000, b"mntr", space, b"XYZ ", b"", b"acsp"
    )
    return head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061).ljust(60, b"\0") + table + body


def grey_in_srgb(level: np.ndarray, gamma: float) -> np.ndarray:
    linear = level**gamma
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def littlecms(image: Image.Image, icc: bytes) -> np.ndarray:
    result = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert result is not None
    return np.asarray(result).astype(int)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_a_foreign_profile_becomes_srgb(tmp_path: Path, suffix: str) -> None:
    icc = matrix_profile(1.8)
    path = saved(smooth(), tmp_path / f"a{suffix}", icc_profile=icc)
    expected = littlecms(opened(path), icc)
    assert np.abs(expected - np.asarray(opened(path))).max() > 40
    photo = images.read(path)
    assert np.array_equal(levels(photo), expected)
    tag = opened(images.encode(photo, suffix, recipe=None)[0]).info["icc_profile"]
    assert "sRGB" in ImageCms.getProfileName(ImageCms.ImageCmsProfile(BytesIO(tag)))


def test_grey_and_alpha_pictures_with_profiles(tmp_path: Path) -> None:
    icc, grey = grey_profile(1.2), noise(1)
    expected = grey_in_srgb(grey / 255, 1.2) * 255
    for image in (Image.fromarray(grey), Image.merge("LA", [Image.fromarray(grey)] * 2)):
        photo = images.read(saved(image, tmp_path / "a.png", icc_profile=icc))
        assert np.abs(levels(photo) - expected[..., None]).max() < 0.6
    rgba = Image.fromarray(noise(4))
    photo = images.read(saved(rgba, tmp_path / "a.png", icc_profile=matrix_profile(1.8)))
    assert np.array_equal(levels(photo), littlecms(rgba.convert("RGB"), matrix_profile(1.8)))
    assert np.array_equal(photo.alpha, noise(4)[..., 3])


def test_any_variant_of_srgb_leaves_the_values_alone(tmp_path: Path) -> None:
    icc, array = rounded_srgb_profile(), noise(3)
    assert not np.array_equal(littlecms(Image.fromarray(array), icc), array)
    photo = images.read(saved(array, tmp_path / "a.png", icc_profile=icc))
    assert np.array_equal(levels(photo), array)
    deep = noise(3, np.uint16)
    photo = images.read(stored(tmp_path / "b.png", png16(deep, chunk(b"iCCP", b"x\0\0" + zlib.compress(icc)))))
    assert np.array_equal(levels(photo, 65535), deep)


@pytest.mark.parametrize("parametric", [False, True])
def test_16_bit_pictures_keep_their_precision_through_a_profile(tmp_path: Path, parametric: bool) -> None:
    icc = matrix_profile(1.8, parametric=parametric)
    ramp = np.linspace(0, 65535, HEIGHT * WIDTH * 3).round().astype(np.uint16).reshape(HEIGHT, WIDTH, 3)
    eight = noise(3)
    chunk_ = chunk(b"iCCP", b"x\0\0" + zlib.compress(icc))
    photo = images.read(stored(tmp_path / "a.png", png16(eight.astype(np.uint16) * 257, chunk_)))
    # LittleCMS at 8 bits is right to half a level, and another half for its own shortcuts.
    assert np.abs(photo.pixels * 255 - littlecms(Image.fromarray(eight), icc)).max() < 1.01
    photo = images.read(stored(tmp_path / "a.png", png16(ramp, chunk_)))
    assert len(np.unique(photo.pixels)) > 1500
    # A neutral ramp stays neutral, so its exact value is known: the curve alone decides.
    level = np.linspace(0, 1, HEIGHT * WIDTH)
    grey = np.repeat((level * 65535).round().astype(np.uint16), 3).reshape(HEIGHT, WIDTH, 3)
    photo = images.read(stored(tmp_path / "a.png", png16(grey, chunk_)))
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4) if parametric else level**1.8
    exact = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(photo.pixels.reshape(-1, 3) - exact[:, None]).max() < 1e-3


def test_16_bit_grey_profiles_and_srgb_itself(tmp_path: Path) -> None:
    grey = noise(1).astype(np.uint16) * 257
    icc = grey_profile(1.2)
    photo = images.read(stored(tmp_path / "a.png", png16(grey, chunk(b"iCCP", b"x\0\0" + zlib.compress(icc)))))
    assert np.abs(photo.pixels - grey_in_srgb(noise(1) / 255, 1.2)[..., None]).max() < 1e-3
    array = noise(3, np.uint16)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = images.read(stored(tmp_path / "b.png", png16(array, chunk(b"iCCP", b"x\0\0" + zlib.compress(srgb)))))
    assert np.array_equal(levels(photo, 65535), array)


def test_broken_and_unfitting_profiles_are_ignored_with_a_note(tmp_path: Path) -> None:
    for icc, word in ((b"junk" * 50, "damaged"), (grey_profile(1.2), "not for this picture")):
        photo = images.read(saved(noise(3), tmp_path / "a.png", icc_profile=icc))
        assert np.array_equal(levels(photo), noise(3))
        assert word in photo.notes[0]
    data = png16(noise(3, np.uint16), chunk(b"iCCP", b"x\0\0" + zlib.compress(b"junk" * 50)))
    photo = images.read(stored(tmp_path / "b.png", data))
    assert "damaged" in photo.notes[0]
    assert np.array_equal(levels(photo, 65535), noise(3, np.uint16))


# ---------------------------------------------------------------- recipes


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_recipe_is_in_every_format_and_never_doubled(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    images.write(first, images.from_pil(Image.fromarray(smooth())), recipe=OLD_RECIPE)
    assert images.read_recipe(first) == OLD_RECIPE
    images.write(second, images.read(first), recipe=RECIPE)
    assert images.read_recipe(second) == RECIPE
    written = second.read_bytes()
    assert b'"seed": 1' not in written
    assert written.count(b'"seed": 7') == 1
    images.write(second, images.read(first), recipe=None, overwrite=True)
    with pytest.raises(ImageReadError, match="holds no recipe"):
        images.read_recipe(second)


def test_the_recipe_changes_format_without_traces(tmp_path: Path) -> None:
    source = tmp_path / "a.jpg"
    images.write(source, images.from_pil(Image.fromarray(smooth())), recipe=OLD_RECIPE)
    data, _ = images.encode(images.read(source), ".png", recipe=RECIPE)
    assert b'"seed": 1' not in data
    assert json.loads(opened(data).text["dreamer"]) == RECIPE


def test_where_the_recipe_lies(tmp_path: Path) -> None:
    photo = images.from_pil(Image.fromarray(smooth()))
    for suffix in (".jpg", ".webp", ".tif"):
        history = Image.open(BytesIO(images.encode(photo, suffix, recipe=RECIPE)[0])).getexif()[0x9213]
        assert json.loads(history) == RECIPE
    kept = replace(photo, metadata=images.Metadata(comment=b"mine"))
    comment = opened(images.encode(kept, ".gif", recipe=RECIPE)[0]).info["comment"]
    assert comment.startswith(b"mine")
    again = images.read(stored(tmp_path / "a.gif", images.encode(kept, ".gif", recipe=RECIPE)[0]))
    assert again.metadata.comment == b"mine"


# ---------------------------------------------------------------- reading what is not a good picture


def test_read_errors_name_the_path_and_fit_one_line(tmp_path: Path) -> None:
    whole = saved(noise(3), tmp_path / "whole.png").read_bytes()
    (tmp_path / "dir.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    cases = {
        "missing.png": "does not exist",
        "dir.png": "is a directory",
        "pipe.png": "is a pipe; a regular file",
        "empty.png": "is empty",
        "text.png": "not a picture",
        "cut.png": "truncated",
        "bad.png": "damaged",
    }
    stored(tmp_path / "empty.png", b"")
    stored(tmp_path / "text.png", b"hello world, " * 30)
    stored(tmp_path / "cut.png", whole[: len(whole) // 2])
    stored(tmp_path / "bad.png", whole[:300] + bytes(50) + whole[350:])
    for name, words in cases.items():
        for action in (images.read, images.read_recipe) if name not in ("cut.png", "bad.png") else (images.read,):
            with pytest.raises(ImageReadError, match=words) as caught:
                action(tmp_path / name)
            assert str(tmp_path / name) in str(caught.value)
            assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = saved(noise(3), tmp_path / "a.png")
    path.chmod(0)
    with pytest.raises(ImageReadError, match="permission"):
        images.read(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp", ".gif"])
def test_every_truncation_is_an_error(tmp_path: Path, suffix: str) -> None:
    data, _ = images.encode(images.Photo(noise(3) / np.float32(255)), suffix, recipe=None)
    for part in (0.1, 0.5, 0.8):
        with pytest.raises(ImageReadError):
            images.read(stored(tmp_path / f"a{suffix}", data[: int(len(data) * part)]))


def test_other_formats_are_not_even_tried(tmp_path: Path) -> None:
    for suffix in (".ppm", ".ico", ".tga", ".eps"):
        path = tmp_path / f"a{suffix}"
        Image.fromarray(noise(3)).save(path)
        with pytest.raises(ImageReadError, match="not a picture that can be read"):
            images.read(path)


def bomb(pixels: int) -> bytes:
    side = int(pixels**0.5)
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_bombs_are_refused_from_their_header(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    tracemalloc.start()
    for data in (bomb(501_000_000), bomb(3_000_000_000), tiff16(noise(3, np.uint16), t256=30_000, t257=30_000)):
        with pytest.raises(ImageReadError, match="more pixels than the limit of 500,000,000"):
            images.read(stored(tmp_path / "a.png", data))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    path = saved(noise(3), tmp_path / "b.png")
    with pytest.raises(ImageReadError, match="limit of 713"):
        images.read(path, max_pixels=HEIGHT * WIDTH - 1)
    assert images.read(path, max_pixels=HEIGHT * WIDTH).pixels.shape == (HEIGHT, WIDTH, 3)
    for channels in (1, 4):
        path = stored(tmp_path / "c.tif", tiff16(noise(channels, np.uint16)))
        with pytest.raises(ImageReadError, match="limit of 713"):
            images.read(path, max_pixels=HEIGHT * WIDTH - 1)
        assert images.read(path, max_pixels=HEIGHT * WIDTH).bits == 16
    assert before == Image.MAX_IMAGE_PIXELS


def test_pillows_limit_does_not_get_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As 200 megapixels are to Pillow's limit, so is this picture to a smaller one.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for suffix in (".png", ".tif", ".webp", ".gif"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(images.encode(images.Photo(noise(3) / np.float32(255)), suffix, recipe=None)[0])
        assert images.read(path).pixels.shape == (HEIGHT, WIDTH, 3)
    assert images.read(stored(tmp_path / "c.tif", tiff16(noise(4, np.uint16)))).bits == 16
    assert Image.MAX_IMAGE_PIXELS == 100


def fuzz_seeds() -> list[bytes]:
    """One small file of each kind."""
    photo = images.Photo(smooth() / np.float32(255), noise(1))
    photo = replace(photo, metadata=images.Metadata(exif=camera_exif().tobytes()[6:], xmp=XMP))
    seeds = [
        images.encode(photo, suffix, recipe=RECIPE)[0] for suffix in (".jpg", ".png", ".webp", ".tif", ".bmp", ".gif")
    ]
    seeds += [png16(noise(count, np.uint16)) for count in (1, 2, 3)]
    seeds += [tiff16(noise(2, np.uint16), predictor=True), tiff16(noise(3, np.uint16), ">", planar=True)]
    animation = BytesIO()
    frame = Image.fromarray(smooth())
    frame.save(animation, "GIF", save_all=True, append_images=[frame.rotate(180)])
    return [*seeds, animation.getvalue()]


def test_hostile_bytes_give_a_photo_or_one_kind_of_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "a"
    read, refused = 0, []
    for seed in fuzz_seeds():
        for trial in range(120):
            data = bytearray(seed)
            # Half of the damage goes into the headers, where it does more.
            reach = len(data) if trial % 2 else min(len(data), 200)
            for _ in range(int(rng.integers(1, 6))):
                data[int(rng.integers(4, reach))] = int(rng.integers(256))
            if trial % 5 == 0:
                del data[int(rng.integers(1, len(data))) :]
            path.write_bytes(data)
            try:
                photo = images.read(path, max_pixels=1_000_000)
            except ImageReadError as error:
                refused.append(str(error))
                continue
            finally:
                # Of damaged TIFFs, libtiff itself speaks on stderr, from C.
                if seed[:2] not in (b"II", b"MM"):
                    assert capfd.readouterr() == ("", "")
                capfd.readouterr()
            read += 1
            assert photo.pixels.ndim == 3
            assert photo.pixels.dtype == np.float32
            assert np.isfinite(photo.pixels).all()
            assert photo.alpha is None or photo.alpha.shape == photo.pixels.shape[:2]
    assert read > 100
    assert len(refused) > 100
    assert "\n" not in "".join(refused)


def test_no_warning_reaches_the_user(tmp_path: Path) -> None:
    damaged = bytearray(saved(smooth(), tmp_path / "a.jpg", exif=camera_exif()).read_bytes())
    at = damaged.index(b"MM\0*") + 14
    damaged[at : at + 4] = b"\xff\xff\xff\xff"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images.read(stored(tmp_path / "b.jpg", bytes(damaged)))


# ---------------------------------------------------------------- in-memory pictures


def test_from_pil_is_like_read_and_leaves_the_picture_alone(tmp_path: Path) -> None:
    path = saved(smooth(), tmp_path / "a.jpg", exif=camera_exif(6), icc_profile=matrix_profile(1.8), quality=95)
    with Image.open(path) as image:
        photo = images.from_pil(image)
        assert image.size == (WIDTH, HEIGHT)
        assert np.array_equal(np.asarray(image), np.asarray(opened(path)))
    expected = images.read(path)
    assert np.array_equal(photo.pixels, expected.pixels)
    assert photo.metadata == expected.metadata
    grey = noise(1, np.uint16)
    photo = images.from_pil(Image.fromarray(grey))
    assert photo.bits == 16
    assert np.array_equal(levels(photo, 65535)[..., 2], grey)
    with pytest.raises(ImageReadError, match="the picture holds floating-point"):
        images.from_pil(Image.new("F", (3, 2)))
    tagged = Image.fromarray(smooth())
    tagged.getexif()[ExifTags.Base.Orientation] = 8
    assert images.from_pil(tagged).pixels.shape == (WIDTH, HEIGHT, 3)


# ---------------------------------------------------------------- writing in place


def test_check_target(tmp_path: Path) -> None:
    there = stored(tmp_path / "a.png", b"old")
    (tmp_path / "dir.png").mkdir()
    cases = {
        "a.xyz": r"'\.xyz'.*Known: \.jpg, \.jpeg, \.jpe",
        "a": "Known",
        "none/a.png": "does not exist",
        "a.png/b.png": "not a directory",
        "dir.png": "is a directory",
        "a.png": "exists already",
        f"{'x' * 300}.png": "cannot be written",
    }
    for name, words in cases.items():
        for action in (
            lambda path: images.check_target(path, overwrite=False),
            lambda path: images.write(path, images.Photo(np.zeros((2, 3, 3), np.float32)), recipe=None),
        ):
            with pytest.raises(ImageWriteError, match=words) as caught:
                action(tmp_path / name)
            assert "\n" not in str(caught.value)
    images.check_target(there, overwrite=True)
    images.check_target(tmp_path / "new.JPG", overwrite=False)
    assert there.read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_check_target_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ImageWriteError, match="no permission"):
        images.check_target(tmp_path / "a.png", overwrite=False)
    tmp_path.chmod(0o700)


def test_permissions_links_and_leftovers(tmp_path: Path) -> None:
    photo = images.Photo(np.zeros((2, 3, 3), np.float32))
    umask = os.umask(0o027)
    try:
        images.write(tmp_path / "a.png", photo, recipe=None)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640
    (tmp_path / "a.png").chmod(0o604)
    link = tmp_path / "link.png"
    link.symlink_to("a.png")
    images.write(link, replace(photo, pixels=photo.pixels + 1), recipe=None, overwrite=True)
    assert link.is_symlink()
    assert np.asarray(opened(tmp_path / "a.png")).min() == 255
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o604
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "link.png"]


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    settle = files._settle

    def slow(file: BinaryIO, real: Path) -> None:
        settle(file, real)
        path.write_bytes(b"somebody else's")

    monkeypatch.setattr(files, "_settle", slow)
    photo = images.Photo(np.zeros((2, 3, 3), np.float32))
    with pytest.raises(ImageWriteError, match="exists already"):
        images.write(path, photo, recipe=None)

    def no_links(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    path.unlink()
    with pytest.raises(ImageWriteError, match="exists already"):
        images.write(path, photo, recipe=None)
    assert path.read_bytes() == b"somebody else's"
    monkeypatch.setattr(files, "_settle", settle)
    images.write(tmp_path / "b.png", photo, recipe=None)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(5, "Input/output error")])
def test_failures_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    def fail(_: int) -> None:
        raise failure

    path = stored(tmp_path / "a.png", b"old")
    monkeypatch.setattr(os, "fsync", fail)
    expected = KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else ImageWriteError
    with pytest.raises(expected):
        images.write(path, images.Photo(np.zeros((2, 3, 3), np.float32)), recipe=None, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes() == b"old"


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_full_disk(tmp_path: Path) -> None:
    """The kernel refuses to let the file grow, as it does when the disk is full."""
    stored(tmp_path / "a.bmp", b"old")
    code = """
import resource, signal, sys
from pathlib import Path
from typing import BinaryIO
import numpy as np
from dreamer import images
from dreamer.errors import ImageWriteError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    images.write(Path(sys.argv[1]), images.Photo(np.zeros((200, 300, 3), np.float32)), recipe=None, overwrite=True)
except ImageWriteError as error:
    print(error)
"""
    with run(code, tmp_path / "a.bmp") as process:
        out, err = process.communicate(timeout=60)
    assert "a.bmp cannot be written: " in out, err
    assert out.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.bmp"]
    assert (tmp_path / "a.bmp").read_bytes() == b"old"


def test_no_space_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ImageWriteError, match="no space is left on the disk"):
        images.write(tmp_path / "a.png", images.Photo(np.zeros((2, 3, 3), np.float32)), recipe=None)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_process_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    code = """
import sys
import threading
from pathlib import Path
from typing import BinaryIO
import numpy as np
from dreamer import images
path, value = Path(sys.argv[1]), 0
while True:
    value = (value + 1) % 256
    photo = images.Photo(np.full((301, 400, 3), value / 255, np.float32))
    images.write(path, photo, recipe={"value": value}, overwrite=True)
    print(value, flush=True)
"""
    for attempt in range(4):
        with run(code, path) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.011 * (attempt + 1))
            process.kill()
        array = np.asarray(opened(path))
        assert array.shape == (301, 400, 3)
        assert array.min() == array.max() == images.read_recipe(path)["value"]


# ---------------------------------------------------------------- memory


def test_reading_and_writing_make_no_second_float_picture(tmp_path: Path) -> None:
    height, width = 1500, 2001
    small = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(small).resize((width, height)).save(tmp_path / "a.jpg")
    bytes_8, bytes_float = height * width * 3, height * width * 12
    tracemalloc.start()
    photo = images.read(tmp_path / "a.jpg")
    peak = tracemalloc.get_traced_memory()[1]
    assert peak < bytes_float + 1.5 * bytes_8
    tracemalloc.reset_peak()
    start = tracemalloc.get_traced_memory()[0]
    images.encode(photo, ".jpg", recipe=RECIPE)
    images.encode(replace(photo, bits=16), ".tif", recipe=RECIPE)
    peak = tracemalloc.get_traced_memory()[1] - start
    tracemalloc.stop()
    assert peak < 1.2 * bytes_float


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(
    ("name", "dtype"),
    [("a.jpg", np.uint8), ("a.png", np.uint8), ("grey.png", np.uint8), ("16.png", np.uint16), ("16.tif", np.uint16)],
)
def test_compact_pixels_are_the_same_as_levels(tmp_path: Path, name: str, dtype: type, orientation: int) -> None:
    if name == "16.png":
        exif = camera_exif(orientation).tobytes()[6:]
        stored(tmp_path / name, png16(noise(4, np.uint16), chunk(b"eXIf", exif)))
    elif name == "16.tif":
        stored(tmp_path / name, tiff16(noise(3, np.uint16), t274=orientation))
    else:
        saved(noise(1 if name == "grey.png" else 3), tmp_path / name, exif=camera_exif(orientation))
    whole, compact = images.read(tmp_path / name), images.read(tmp_path / name, compact=True)
    assert whole.pixels.dtype == np.float32
    assert compact.pixels.dtype == dtype
    assert compact.pixels.flags.c_contiguous
    assert compact.pixels.shape == ((HEIGHT, WIDTH, 3) if orientation == 1 else (WIDTH, HEIGHT, 3))
    assert np.array_equal(compact.pixels, levels(whole, np.iinfo(dtype).max))


def test_16_bit_pixels_converted_from_a_profile_are_compact_as_well(tmp_path: Path) -> None:
    icc = chunk(b"iCCP", b"x\0\0" + zlib.compress(matrix_profile(1.8)))
    path = stored(tmp_path / "a.png", png16(noise(3, np.uint16), icc))
    compact = images.read(path, compact=True).pixels
    assert compact.dtype == np.uint16
    assert np.array_equal(compact, levels(images.read(path), 65535))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_levels_are_written_as_their_float_values_are(suffix: str, dtype: type) -> None:
    top, alpha = np.iinfo(dtype).max, noise(1, dtype, seed=1)
    compact = images.Photo(noise(3, dtype), alpha, bits=top.bit_length())
    whole = replace(compact, pixels=(compact.pixels / np.float64(top)).astype(np.float32))
    assert images.encode(compact, suffix, recipe=RECIPE) == images.encode(whole, suffix, recipe=RECIPE)


def test_levels_are_resized_without_rounding() -> None:
    photo = images.Photo(noise(3), noise(1))
    small = images.resized(photo, (10, 17))
    whole = images.resized(replace(photo, pixels=(noise(3) / 255).astype(np.float32)), (10, 17))
    assert small.pixels.dtype == np.float32
    assert np.abs(small.pixels - whole.pixels).max() < 1e-6


def test_compact_reading_makes_no_float_picture(tmp_path: Path) -> None:
    height, width = 1500, 2001
    Image.fromarray(noise(3)).resize((width, height)).save(tmp_path / "a.jpg", exif=camera_exif(6))
    tracemalloc.start()
    images.read(tmp_path / "a.jpg", compact=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.5 * height * width * 3


def test_the_module_imports_no_network_framework() -> None:
    code = "import sys, dreamer.images; print([m for m in ('tensorflow', 'keras', 'torch') if m in sys.modules])"
    with run(code) as process:
        out, err = process.communicate(timeout=60)
    assert out.strip() == "[]", err


def test_photos_are_read_ahead_in_order_and_a_broken_one_stops_nothing(tmp_path, monkeypatch):
    from dreamer.images import ahead

    paths = []
    for number in range(4):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (5, 3), (number, 0, 0)).save(path)
        paths.append(path)
    paths[2].write_bytes(b"nothing")
    started = []
    read = ahead.read

    def watched(path, **keywords):
        started.append(path)
        return read(path, **keywords)

    monkeypatch.setattr(ahead, "read", watched)
    found = []
    for path, photo in images.read_ahead(paths):
        deadline = time.monotonic() + 20
        while len(started) < min(len(found) + 2, 4) and time.monotonic() < deadline:
            time.sleep(0.001)
        assert started == paths[: len(found) + 2]  # The next one is being read, and no more than that.
        found.append((path, photo))
    assert [path for path, _ in found] == paths
    assert isinstance(found[2][1], ImageReadError)
    assert [photo.pixels[0, 0, 0] for _, photo in found[:2]] == [0, 1]
    assert found[3][1].pixels.dtype == np.uint8


def test_reading_ahead_can_be_left_early(tmp_path):
    Image.new("RGB", (5, 3)).save(tmp_path / "a.png")
    for _ in images.read_ahead([tmp_path / "a.png"] * 5):
        break
    assert list(images.read_ahead([])) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dreamer-reading")]


def test_a_file_of_holes_that_no_memory_holds_is_refused_with_both_figures(tmp_path: Path) -> None:
    with (tmp_path / "holes.png").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ImageReadError, match=r"holes.png has 1,099,511,627,776 bytes; at most [0-9,]+ are expected"):
        images.read(tmp_path / "holes.png")
