"""``dreamer mask``, and ``--mask`` with a name, as a person uses them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.cli import run
from dreamer.masking.calls import levels_of

QUICK = ["--objective", "block2b", "--octaves", "1", "--steps", "1"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with two photos that have a sky, at different heights, and one that has none."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for name, line in (("low", 30), ("high", 60)):
        photo = rng.integers(10, 110, (90, 130, 3)).astype(np.uint8)
        photo[:line] = (120, 160, 230)
        Image.fromarray(photo).save(f"photos/{name}.png")
    Image.fromarray(rng.integers(0, 255, (90, 130, 3)).astype(np.uint8)).save("photos/none.png")
    return tmp_path


def pixels(path):
    return images.read(path).pixels


def test_a_mask_lies_beside_its_photo_and_is_called_a_start(here, capfd):
    assert run(["mask", "photos/low.png", "sky"]) == 0
    out, err = capfd.readouterr()
    assert out == "photos/low-sky.png\n"
    assert "the mask is a start" in err
    with Image.open("photos/low-sky.png") as read:
        assert (read.mode, read.size) == ("L", (130, 90))
        first = np.asarray(read)
    assert first[:25].min() == 255
    assert first[40:].max() == 0
    assert run(["mask", "photos/low.png", "sky", "--invert", "-q"]) == 0
    assert capfd.readouterr() == ("", "")
    with Image.open("photos/low-sky-2.png") as read:
        assert np.array_equal(np.asarray(read), 255 - first)


def test_a_mask_goes_where_it_is_sent_and_takes_nothings_place_unasked(here, capfd):
    (here / "mask.png").write_text("precious")
    assert run(["mask", "photos/low.png", "sky", "-o", "mask.png"]) == 1
    assert (here / "mask.png").read_text() == "precious"
    assert run(["mask", "photos/low.png", "sky", "-o", "photos/low.png", "--overwrite"]) == 1
    assert run(["mask", "photos/low.png", "sky", "--overwrite"]) == 2
    capfd.readouterr()
    assert run(["mask", "photos/low.png", "sky", "-o", "mask.png", "--overwrite", "--json"]) == 0
    [item] = json.loads(capfd.readouterr().out)["items"]
    assert (item["path"], item["kind"], item["width"], item["height"]) == ("mask.png", "sky", 130, 90)
    assert 0.3 < item["share"] < 0.37


def test_what_is_not_found_is_one_line(here, capfd):
    assert run(["mask", "photos/none.png", "sky"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "there is no sky to be found in the photo" in err.splitlines()[-1]
    assert sorted(path.name for path in (here / "photos").iterdir()) == ["high.png", "low.png", "none.png"]
    assert run(["mask", "photos/none.png", "moon"]) == 2


def test_a_dream_is_confined_to_what_is_found(here, lite0):
    given = ["dream", "photos/low.png", "--mask", "sky", "--feather", "0", *QUICK]
    assert run([*given, "-o", "sky.png"]) == 0
    assert run([*given, "--mask-invert", "-o", "ground.png"]) == 0
    photo = pixels(here / "photos/low.png")
    sky, ground = (np.abs(pixels(here / f"{name}.png") - photo).max(axis=2) for name in ("sky", "ground"))
    assert sky[:20].mean() > 0.002 > sky[45:].max()
    assert ground[45:].mean() > 0.002 > ground[:20].max()


def test_an_inversion_without_a_mask_is_refused(here, capfd):
    assert run(["dream", "photos/low.png", "--mask-invert", *QUICK]) == 2
    assert "there is none; give a mask" in capfd.readouterr().err


def test_a_batch_has_for_each_photo_its_own_mask(here, lite0, capfd):
    assert run(["batch", "photos", "out", "--mask", "sky", "--feather", "0", *QUICK, "--workers", "1", "--json"]) == 1
    items = {item["input"]: item for item in json.loads(capfd.readouterr().out)["items"]}
    failed = [item for item in items.values() if item["status"] == "failed"]
    assert len(failed) == 1
    assert "there is no sky" in failed[0]["error"]["message"]
    for name in ("low", "high"):
        photo = images.read(here / f"photos/{name}.png", compact=True).pixels
        changed = np.abs(pixels(here / f"out/{name}.png") - photo / np.float32(255)).max(axis=2)
        mask = levels_of(photo, "sky")
        assert changed[mask == 0].max() < 1e-6
        assert changed[mask == 255].mean() > 0.002


def test_a_preset_may_name_a_kind(here, lite0):
    (here / "mine.toml").write_text('title = "t"\ndescription = "d"\nobjective = "block2b"\nmask = "sky"\n')
    assert run(["dream", "photos/low.png", "--preset", "mine.toml", *QUICK[2:], "-o", "out.png"]) == 0
    assert images.read_recipe(here / "out.png")["settings"]["mask"] == "sky"


def test_a_video_is_refused_by_a_sentence(here, capfd):
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(
        "clip.gif", save_all=True, append_images=[Image.fromarray(np.full((40, 60, 3), 200, np.uint8))]
    )
    assert run(["video", "clip.gif", "--mask", "subject", *QUICK, "-o", "out.gif"]) == 2
    assert "would flicker between frames" in capfd.readouterr().err
