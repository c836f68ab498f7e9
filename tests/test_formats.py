"""The formats that came last: AVIF, JPEG 2000, MPO, HEIC; and what a dream of a photo is called."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms

from dreamer import images
from dreamer.cli import run
from dreamer.errors import ImageReadError
from dreamer.images import formats, heif, profiles
from dreamer.images.recipes import read_recipe

HEIGHT, WIDTH = 48, 64
y, x = np.mgrid[:HEIGHT, :WIDTH]
RGB = np.stack([x * 3, y * 5, 200 - x - y], -1).astype(np.uint8)
RECIPE = {"seed": 7, "note": "a → b"}


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def heic(picture: np.ndarray, **options: object) -> bytes:
    out = BytesIO()
    mode = {3: "RGB", 4: "RGBA"}[picture.shape[2]]
    file = pillow_heif.from_bytes(mode, (picture.shape[1], picture.shape[0]), picture.tobytes())
    file.save(out, **{"quality": 95, "chroma": 444, **options})
    return out.getvalue()


def far(one: np.ndarray, other: np.ndarray) -> float:
    """The mean distance of two pictures in levels of 255."""
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        *((suffix, "JPEG") for suffix in (".jpe", ".jfif")),
        (".mpo", "MPO"),
        (".avif", "AVIF"),
        *((suffix, "JPEG2000") for suffix in (".jp2", ".j2k", ".jpx", ".jpf", ".j2c", ".jpc")),
    ],
)
def test_formats_are_read_by_their_content(tmp_path, suffix, kind):
    options = {"quality": 95} if kind in ("JPEG", "AVIF") else {}
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(encoded(Image.fromarray(RGB), kind, **options))
    assert images.is_read(suffix.upper())
    assert far(images.read(path, compact=True).pixels, RGB) < 4


def test_a_photo_of_a_phone_with_several_pictures_is_its_first_one():
    data = encoded(Image.fromarray(RGB), "MPO", save_all=True, append_images=[Image.fromarray(255 - RGB)])
    photo = images.decode(data, "x", compact=True)
    assert far(photo.pixels, RGB) < 4
    assert photo.notes == ()


def test_an_avif_is_turned_upright_once_and_keeps_its_alpha():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    alpha = np.where(x < 32, 255, 0).astype(np.uint8)
    photo = images.decode(encoded(Image.fromarray(np.dstack([RGB, alpha])), "AVIF", exif=exif, quality=95), "x")
    assert photo.pixels.shape == (WIDTH, HEIGHT, 3)
    assert far(photo.pixels * 255, np.rot90(RGB, -1)) < 4
    assert far(photo.alpha, np.rot90(alpha, -1)) < 2


@pytest.mark.parametrize("suffix", sorted(images.SUFFIXES))
def test_the_recipe_is_in_every_format_that_is_written(tmp_path, suffix):
    path = tmp_path / f"dream{suffix}"
    images.write(path, images.Photo(RGB), recipe=RECIPE)
    assert read_recipe(path) == RECIPE
    photo = images.read(path, compact=True)
    assert far(photo.pixels, RGB) < (12 if suffix == ".gif" else 5)


def test_an_avif_holds_what_travels_along_and_is_the_same_each_time():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    photo = images.decode(encoded(Image.fromarray(RGB), "JPEG", exif=exif, xmp=b"<x/>"), "x")
    alpha = np.full((HEIGHT, WIDTH), 128, np.uint8)
    photo = images.Photo(photo.pixels, alpha, 8, photo.metadata)
    data, notes = images.encode(photo, ".avif", recipe=RECIPE)
    assert notes == ()
    assert images.encode(photo, ".avif", recipe=RECIPE)[0] == data
    with Image.open(BytesIO(data)) as image:
        assert image.getexif()[ExifTags.Base.Make] == "Maker"
        assert image.info["xmp"] == b"<x/>"
        assert image.info["icc_profile"] == profiles.srgb_bytes()
        assert image.mode == "RGBA"


def test_heic_is_read_and_pillow_is_left_as_it_was():
    photo = images.decode(heic(RGB), "x", compact=True)
    assert far(photo.pixels, RGB) < 3
    assert (photo.bits, photo.alpha, photo.notes) == (8, None, ())
    assert "HEIF" not in Image.registered_extensions().values()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_upright_exactly_once(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Maker"
    as_jpeg = images.decode(encoded(Image.fromarray(RGB), "JPEG", exif=exif, quality=95), "x", compact=True)
    photo = images.decode(heic(RGB, exif=exif.tobytes()), "x", compact=True)
    assert photo.pixels.shape == as_jpeg.pixels.shape
    assert far(photo.pixels, as_jpeg.pixels) < 5
    block = Image.Exif()
    block.load(b"Exif\0\0" + photo.metadata.exif)
    assert block[ExifTags.Base.Make] == "Maker"
    assert block.get(ExifTags.Base.Orientation, 1) == 1


def test_heic_without_a_turn_of_its_own_is_not_turned_by_its_exif():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = heic(RGB, exif=exif.tobytes())
    assert images.decode(data, "x").pixels.shape == (WIDTH, HEIGHT, 3)
    without = data.replace(b"irot", b"free")
    assert images.decode(without, "x").pixels.shape == (HEIGHT, WIDTH, 3)


def test_heic_with_alpha():
    alpha = np.where(x < 32, 255, 0).astype(np.uint8)
    photo = images.decode(heic(np.dstack([RGB, alpha])), "x", compact=True)
    assert far(photo.alpha, alpha) < 3
    assert far(photo.pixels[alpha > 0], RGB[alpha > 0]) < 4


def test_heic_of_ten_bits_keeps_them():
    levels = np.linspace(0, 65535, WIDTH).astype("<u2")
    ramp = np.broadcast_to(levels[None, :, None], (HEIGHT, WIDTH, 3))
    out = BytesIO()
    file = pillow_heif.from_bytes("RGB;16", (WIDTH, HEIGHT), np.ascontiguousarray(ramp).tobytes())
    file.save(out, quality=-1, chroma=444, matrix_coefficients=0)
    photo = images.decode(out.getvalue(), "x", compact=True)
    assert photo.bits == 16
    assert photo.pixels.dtype == np.uint16
    assert np.abs(photo.pixels.astype(int) - ramp).max() <= 65535 / 1023
    assert (photo.pixels.min(), photo.pixels.max()) == (0, 65535)


def test_the_profile_of_a_heic_counts():
    grey = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = images.decode(heic(RGB, icc_profile=grey), "x", compact=True)
    assert far(plain.pixels, RGB) < 3
    assert plain.notes == ()
    broken = images.decode(heic(RGB, icc_profile=b"junk" * 50), "x", compact=True)
    assert "profile is damaged" in broken.notes[0]


def test_heic_can_be_made_smaller_as_it_is_read():
    assert images.decode(heic(RGB), "x", max_side=32).pixels.shape == (24, 32, 3)


def test_cut_heic_is_refused():
    data = heic(RGB)
    for share in (0.2, 0.5, 0.9):
        with pytest.raises(ImageReadError, match="damaged|truncated"):
            images.decode(data[: int(len(data) * share)], "x", damaged_ok=True)


@pytest.mark.parametrize("name", ["photo.heic", "photo.jpg"])
def test_without_the_extra_heic_is_told_by_content_and_the_extra_is_named(tmp_path, monkeypatch, capfd, name):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / name
    path.write_bytes(heic(RGB))
    assert run(["dream", str(path)]) == 1
    said = capfd.readouterr().err
    assert "python -m pip install 'deepdreamer[heic]'" in said
    assert said.count("\n") == 1


def test_without_the_extra_heic_counts_as_no_photo(monkeypatch):
    assert images.is_read(".HEIC")
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    assert not images.is_read(".heic")
    assert images.is_read(".avif")


def test_avif_and_heic_are_told_apart_by_their_brands():
    assert heif.is_heif(heic(RGB))
    assert not heif.is_heif(encoded(Image.fromarray(RGB), "AVIF"))
    assert not heif.is_heif(b"")


def test_nothing_of_the_extra_is_loaded_before_it_is_needed():
    command = [sys.executable, "-c", "import sys; import dreamer.images; print('pillow_heif' in sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(images.__file__).parents[2])
    assert done.stdout == "False\n"
