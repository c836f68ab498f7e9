from __future__ import annotations

import os

import numpy as np
import pytest

import dreamer
from dreamer import images
from dreamer.ascent.parametrizations import spectrum_of
from dreamer.cli import run
from dreamer.errors import ImageExistsError, ImageReadError, SettingsError
from dreamer.visualizing import spectrum


@pytest.fixture
def folder(tmp_path, picture):
    photos = tmp_path / "photos"
    (photos / "more").mkdir(parents=True)
    images.write(photos / "a.png", images.Photo(picture), recipe=None)
    images.write(photos / "more" / "b.JPG", images.Photo(picture[::-1]), recipe=None)
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (photos / "notes.txt").write_text("no photo")
    return photos


def test_the_command_means_over_all_photos_and_names_broken_ones(folder, tmp_path, capfd):
    target = tmp_path / "mine.npz"
    assert run(["spectrum", str(folder), "-o", str(target), "--side", "32"]) == 0
    out, err = capfd.readouterr()
    assert out.strip() == str(target)
    assert "left out" in err
    assert "broken.jpg" in err
    assert "2 photos" in err
    found = spectrum.read(target)
    assert found.shape == (32, 17, 3)
    each = [one for _, one in spectrum.of_photos(spectrum.photos(folder), 32) if not isinstance(one, ImageReadError)]
    assert len(each) == 2
    assert found == pytest.approx((each[0] + each[1]) / 2, rel=1e-5)
    assert run(["spectrum", str(folder), "-o", str(target)]) == 1
    assert "exists" in capfd.readouterr().err
    assert run(["spectrum", str(folder), "-o", str(target), "--side", "16", "--overwrite", "-q"]) == 0
    assert spectrum.read(target).shape == (16, 9, 3)


def test_a_photo_is_cut_square_about_its_middle(tmp_path, picture):
    images.write(tmp_path / "a.png", images.Photo(picture), recipe=None)
    [(_, found)] = spectrum.of_photos([tmp_path / "a.png"], 37)
    stored = images.read(tmp_path / "a.png").pixels
    assert found == pytest.approx(spectrum_of(stored[:, 8:45]), rel=1e-4, abs=1e-3)


def test_a_spectrum_shapes_what_maco_draws(tmp_path):
    """Magnitudes of one frequency alone give pictures of that frequency."""
    magnitude = np.zeros((32, 17, 3), np.float32)
    magnitude[0, 4, 0] = 1
    spectrum.write(tmp_path / "one.npz", magnitude, count=1)
    found = dreamer.visualize(
        "block1a:3", parametrization="maco", spectrum=str(tmp_path / "one.npz"), size=32, steps=2, transforms="none"
    )
    waves = np.abs(np.fft.rfft2(found.pixels[..., 0] - found.pixels[..., 0].mean()))
    assert np.unravel_index(waves.argmax(), waves.shape)[1] == 4


@pytest.mark.parametrize("arguments", [["nowhere"], ["empty"], ["broken"]])
def test_folders_without_photos_are_said_in_a_line(tmp_path, monkeypatch, capfd, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_bytes(b"nothing")
    assert run(["spectrum", *arguments]) != 0
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith("Error: ")
    assert not (tmp_path / "spectrum.npz").exists()


@pytest.mark.parametrize("content", [b"", b"no spectrum", "npz without", "negative", "shape", "pickle"])
def test_a_file_that_is_no_spectrum_is_refused(tmp_path, content):
    path = tmp_path / "x.npz"
    good = np.ones((8, 5, 3), np.float32)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "npz without":
        np.savez(path, other=good)
    elif content == "pickle":
        np.savez(path, magnitude=np.array([{"a": 1}], dtype=object))
    else:
        np.savez(path, magnitude=-good if content == "negative" else good[:, :3])
    with pytest.raises(SettingsError, match="spectrum"):
        spectrum.read(path)


def test_nothing_is_replaced_unasked(tmp_path):
    path = tmp_path / "x.npz"
    good = np.ones((8, 5, 3), np.float32)
    spectrum.write(path, good, count=3)
    with pytest.raises(ImageExistsError, match="exists"):
        spectrum.write(path, 2 * good, count=3)
    assert spectrum.read(path) == pytest.approx(good)


@pytest.mark.parametrize("name", ["/dev/zero", "fifo", "."])
def test_a_spectrum_is_a_regular_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    with pytest.raises(SettingsError, match=f"cannot read {name}: is a .*; a regular file is expected"):
        spectrum.read(name)


def test_a_spectrum_beyond_float32_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", magnitude=np.full((8, 5, 3), 1e300))
    with pytest.raises(SettingsError, match="holds no spectrum"):
        spectrum.read(tmp_path / "x.npz")
