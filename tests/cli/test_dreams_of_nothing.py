"""``dreamer dream --size``: dreams without a photo; ``--tileable`` and ``--upscale`` beside them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from dreamer import images, wrapping
from dreamer.cli import run

QUICK = ["--octaves", "2", "--steps", "2", "--layer", "block2b", "-q"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo(here, picture):
    path = here / "photo.png"
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(path)
    return path


def test_a_dream_of_nothing_is_named_by_its_look(here):
    assert run(["dream", "--size", "53x37", *QUICK]) == 0
    assert run(["dream", "--size", "53×37", "--ground", "gradient", *QUICK]) == 0  # noqa: RUF001
    assert run(["dream", "--size", "53x37", "--preset", "lace", *QUICK]) == 0
    assert run(["dream", "--size", "53x37", *QUICK]) == 0
    names = sorted(path.name for path in here.iterdir())
    assert names == ["gradient-dream.png", "lace-dream.png", "noise-dream-2.png", "noise-dream.png"]
    assert images.read(here / "noise-dream.png").pixels.shape == (37, 53, 3)
    assert (here / "noise-dream.png").read_bytes() == (here / "noise-dream-2.png").read_bytes()


def test_it_is_dreamt_again_wherever_it_lies(here):
    told = ["--size", "61x40", "--ground", "gradient", "--tileable", "--seed", "5", *QUICK]
    assert run(["dream", *told, "-o", "desk.png"]) == 0
    assert run(["dream", "--recipe", "desk.png", "-o", "again.png", "-q"]) == 0
    assert (here / "again.png").read_bytes() == (here / "desk.png").read_bytes()
    recipe = images.read_recipe(here / "desk.png")
    assert recipe["settings"]["size"] == [40, 61]
    assert recipe["source"] == {}
    assert max(wrapping.seams(images.read(here / "desk.png").pixels)) < 1.6
    assert run(["dream", "--recipe", "desk.png", "--size", "30x20", "--no-tileable", "-o", "small.png", "-q"]) == 0
    assert images.read(here / "small.png").pixels.shape == (20, 30, 3)


def test_its_look_can_be_a_photos(photo, here):
    assert run(["dream", "--size", "61x40", *QUICK, "-o", "desk.png"]) == 0
    assert run(["dream", str(photo), "--recipe", "desk.png", "-o", "other.png", "-q"]) == 0
    assert images.read(here / "other.png").pixels.shape == (37, 53, 3)
    assert run(["dream", str(photo), *QUICK, "-o", "first.png"]) == 0
    assert run(["dream", "--recipe", "first.png", "--size", "61x40", "-o", "nothing.png", "-q"]) == 0
    assert (here / "nothing.png").read_bytes()[:8] == (here / "desk.png").read_bytes()[:8]
    np.testing.assert_array_equal(images.read(here / "nothing.png").pixels, images.read(here / "desk.png").pixels)


def test_a_script_is_told_that_there_was_no_photo(here, capfd):
    assert run(["dream", "--size", "53x37", "--json", *QUICK]) == 0
    (item,) = json.loads(capfd.readouterr().out)["items"]
    assert item["photo"] is None
    assert (item["width"], item["height"], item["path"]) == (53, 37, "noise-dream.png")


def test_it_goes_to_standard_output_and_into_frames(here, capfdbinary):
    assert run(["dream", "--size", "53x37", "-o", "-", *QUICK]) == 0
    assert capfdbinary.readouterr().out.startswith(b"\x89PNG")
    assert run(["dream", "--size", "53x37", "--frames", "2", "--save", *QUICK]) == 2
    assert run(["dream", "--size", "53x37", "--frames", "2", *QUICK]) == 0
    assert (here / "noise-dream.gif").is_file()
    assert run(["dream", "--size", "53x37", "--frames", "2", "-o", "frames", *QUICK]) == 0
    assert len(list((here / "frames").glob("*.png"))) == 2
    assert run(["dream", "--size", "53x37", "--save-octaves", "octaves", "-o", "x.png", *QUICK]) == 0
    assert (here / "octaves" / "octave-2.png").is_file()


def test_a_preview_is_the_beginning_of_it(here):
    told = ["--size", "900x500", "--seed", "2", "--steps", "1", "--layer", "block2b", "-q"]
    assert run(["dream", *told, "--preview"]) == 0
    assert max(images.read(here / "noise-preview.png").pixels.shape) <= 400


def test_a_photo_grows_and_its_edges_meet(photo, here):
    assert run(["dream", str(photo), "--upscale", "2", "--tileable", *QUICK, "-o", "out.png"]) == 0
    found = images.read(here / "out.png").pixels
    assert found.shape == (74, 106, 3)
    assert max(wrapping.seams(found)) < 1.5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--size", "53"], "'53' is no size; expected WIDTHxHEIGHT in pixels, as in 1920x1080"),
        (["--size", "0x50"], "size is (50, 0)"),
        (["--size", "-3x50"], "is no size"),
        (["--size", "50000x50000"], "50000 x 50000 pixels, more than the limit of 500,000,000"),
        (["--size", "200x200", "--max-megapixels", "0.03"], "more than the limit of 30,000"),
        (["--size", "5x5", "PHOTO"], "--size is for a dream of nothing; leave out PHOTO"),
        (["--size", "5x5", "--upscale", "2"], "give one"),
        (["--ground", "gradient", "PHOTO"], "--ground is what a dream of nothing begins with; say how large"),
        (["--ground", "sand", "--size", "5x5"], "ground is 'sand'; expected one of noise, gradient, grey"),
        (["--tileable", "--frames", "3", "PHOTO"], "frames or tileable"),
        (["--upscale", "9", "PHOTO"], "upscale is 9.0; expected how many times larger, 1 to 8"),
        (["--upscale", "8", "--max-megapixels", "0.05", "PHOTO"], "424 x 296 pixels, more than the limit of 50,000"),
        (["--tileable"], "or --size WxH to dream of nothing"),
    ],
)
def test_what_contradicts_itself_is_refused_at_once(photo, here, capfd, given, said):
    assert run(["dream", *[str(photo) if one == "PHOTO" else one for one in given]]) == 2
    told = " ".join(capfd.readouterr().err.split())
    assert said in told
    assert [path.name for path in here.iterdir()] == ["photo.png"]


def test_a_folder_has_photos(photo, here, capfd):
    (here / "photos").mkdir()
    photo.rename(here / "photos" / "photo.png")
    for more in (["--size", "50x40"], ["--ground", "grey"]):
        assert run(["batch", "photos", "dreams", *more]) == 2
    assert "a folder has photos" in " ".join(capfd.readouterr().err.split())


def test_a_recipe_of_somebody_else_names_no_file(here):
    """The name of a preset becomes that of a file only where it is a plain word."""
    from dreamer.cli.dream_wish import _nameable

    assert _nameable("stained-glass") == "stained-glass"
    assert _nameable("../../etc/x") is None
    assert _nameable("a\x1bb") is None
    assert _nameable(None) is None
