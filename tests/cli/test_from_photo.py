"""``dreamer caricature``, ``invert`` and ``accentuate`` as a person uses them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.arrays import resize
from dreamer.cli import run
from dreamer.visualizing import run as visualizing

QUICK = ["--size", "56", "--steps", "3", "--model", "efficientnet_lite0"]
CALLS = {
    "caricature": ["caricature", "a.jpg", "--layers", "block2b"],
    "invert": ["invert", "a.jpg", "--layer", "block2b"],
    "accentuate": ["accentuate", "a.jpg", "block3b:3", "--anchor", "block2a"],
}


@pytest.fixture(autouse=True)
def here(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray((picture * 255).round().astype(np.uint8)).save("a.jpg", quality=95)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "word"), [("caricature",) * 2, ("invert", "inverted"), ("accentuate", "accentuated")]
)
def test_a_result_lies_beside_its_photo_and_nothing_is_replaced(here, capfd, command, word):
    for name in (f"a-{word}.png", f"a-{word}-2.png"):
        assert run([*CALLS[command], *QUICK]) == 0
        assert capfd.readouterr().out.strip() == name
    assert images.read(here / f"a-{word}.png").pixels.shape == (39, 56, 3)
    found = images.read_recipe(here / f"a-{word}.png")
    assert found["command"] == command
    assert found["files_sha256"].keys() == {"a.jpg"}
    assert (here / f"a-{word}.png").read_bytes() == (here / f"a-{word}-2.png").read_bytes()


def test_several_layers_make_a_sheet_with_the_photo_first(here, capfd):
    assert run(["caricature", "a.jpg", "--layers", "block2b, block3b", "-o", "sheet.png", "-q", *QUICK]) == 0
    assert capfd.readouterr() == ("", "")
    sheet = images.read(here / "sheet.png").pixels
    assert sheet.shape[1] > 2 * 56
    photo = resize(images.read(here / "a.jpg").pixels, (39, 56))
    places = [(y, x) for y in range(sheet.shape[0] - 38) for x in range(sheet.shape[1] - 55)]
    apart = [np.abs(sheet[y : y + 39, x : x + 56] - photo).mean() for y, x in places]
    assert min(apart) < 0.01
    y, x = places[int(np.argmin(apart))]
    assert (y < sheet.shape[0] / 4, x < sheet.shape[1] / 4) == (True, True)
    assert len(images.read_recipe(here / "sheet.png")["targets"]) == 2


def test_an_inversion_tells_its_cosine(capfd):
    assert run([*CALLS["invert"], *QUICK]) == 0
    assert "block2b finds the same as in the photo, with a cosine of 0." in capfd.readouterr().err
    assert run([*CALLS["invert"], *QUICK, "--json"]) == 0
    (item,) = json.loads(capfd.readouterr().out)["items"]
    assert item["cosine"] == item["recipe"]["cosine"]


def test_an_accentuation_tells_its_weight_and_can_be_opaque(here, capfd):
    assert run([*CALLS["accentuate"], *QUICK, "--json"]) == 0
    (item,) = json.loads(capfd.readouterr().out)["items"]
    assert item["targets"] == [f'block3b:3 + {item["weight"]:g}*near:block2a@"a.jpg"']
    assert images.read(here / "a-accentuated.png").alpha is not None
    assert run([*CALLS["accentuate"], *QUICK, "--no-alpha", "--anchor-weight", "2", "-o", "b.png"]) == 0
    assert images.read(here / "b.png").alpha is None


def test_ctrl_c_keeps_what_there_is(here, capfd, monkeypatch):
    steps = visualizing.planned_steps

    def some(*args, **keywords):
        for taken, step in enumerate(steps(*args, **keywords)):
            if taken == 2:
                raise KeyboardInterrupt
            yield step

    monkeypatch.setattr(visualizing, "planned_steps", some)
    assert run([*CALLS["invert"], *QUICK]) == 130
    assert "a-inverted.png is partial" in capfd.readouterr().err
    assert images.read_recipe(here / "a-inverted.png")["partial"] == {"step": 1, "pictures": 1}


@pytest.mark.parametrize("command", CALLS)
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["-o", "a.jpg", "--overwrite"], "the photo itself"),
        (["--overwrite"], "has nothing to do here"),
        (["--size", "8"], "--size"),
        (["--model", "nothing"], "nothing"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(capfd, command, more, said):
    assert run([*CALLS[command], *more]) != 0
    err = capfd.readouterr().err.strip()
    assert said in err
    assert err.count("\n") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["invert", "gone.jpg"], "gone.jpg"),
        (["invert", "a.jpg", "--layer", "nowhere"], "nowhere"),
        (["accentuate", "a.jpg", "block3b:3"], "--anchor"),
        (["accentuate", "a.jpg", "block3b:3", "--anchor", "block2a", "--anchor-weight", "0"], "--anchor-weight"),
        (["caricature", "a.jpg", "--power", "11"], "--power"),
        (["caricature", "narrow.png", "--layers", "block2b"], "Crop it"),
    ],
)
def test_so_is_what_only_one_of_them_cannot(capfd, arguments, said):
    Image.new("RGB", (200, 2)).save("narrow.png")
    assert run([*arguments, "--size", "56", "--steps", "1"]) != 0
    err = capfd.readouterr().err.strip()
    assert said in err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("Error: ")


def test_a_photo_of_one_pixel_has_a_result(here):
    Image.new("RGB", (1, 1), (200, 90, 10)).save("dot.png")
    assert run(["caricature", "dot.png", "--layers", "block2b", "-q", *QUICK]) == 0
    assert images.read(here / "dot-caricature.png").pixels.shape == (56, 56, 3)
