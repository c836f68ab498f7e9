"""``dreamer see`` as a person uses it."""

from __future__ import annotations

import json
import re

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from dreamer import images
from dreamer.cli import run

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
MINE = ["--model", "mine.keras", "--layer", "lines", "--layer", "spots"]
STILL = [*MINE, "--steps", "0"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a photo, dark to the left, and a network that finds edges and tells dark from bright."""
    monkeypatch.chdir(tmp_path)
    picture = keras.Input((16, 16, 3))
    lines = layers.Conv2D(2, 3, use_bias=False, activation="relu", name="lines")
    spots = layers.Conv2D(3, 4, strides=4, activation="relu", name="spots")
    scores = layers.Dense(2, name="scores")
    network = keras.Model(picture, scores(layers.GlobalAveragePooling2D(name="pool")(spots(lines(picture)))))
    edge = np.zeros((3, 3, 3, 2), np.float32)
    edge[:, 0], edge[:, 2] = [-1, 1], [1, -1]  # Channel 0 finds what becomes brighter to the right.
    lines.set_weights([edge / 9])
    spots.set_weights([np.full((4, 4, 2, 3), [0.1, 0.2, -0.1], np.float32), np.zeros(3, np.float32)])
    scores.set_weights([np.array([[1.0, -1], [0.5, 0.2], [0, 0]], np.float32), np.zeros(2, np.float32)])
    network.save("mine.keras")
    (tmp_path / "mine.toml").write_text('preprocessing = "0..1"\nlabels = "names.txt"\n')
    (tmp_path / "names.txt").write_text("edge\nplain\n")
    levels = np.full((23, 37, 3), 30, np.uint8)
    levels[:, 20:] = 220
    Image.fromarray(levels).save("a.png")
    return tmp_path


def test_a_photo_gets_a_sheet_beside_it_and_says_what_was_seen(here, capfd):
    assert run(["see", "a.png", *MINE, "--steps", "1"]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("seen at 26x16: edge ")
    assert lines[-1] == "a-seen.png"
    assert "Traceback" not in err
    assert "nobody knows" in err
    for layer in ("lines", "spots"):
        assert layer in lines
    assert re.search(r"lines:0 +\d", out)
    sheet = images.read(here / "a-seen.png").pixels
    assert sheet.shape[0] > 2 * 23
    assert sheet.std() > 0.01
    recipe = images.read_recipe(here / "a-seen.png")
    assert (recipe["command"], recipe["settings"]["model"]) == ("see", "mine.keras")
    assert recipe["settings"]["layers"] == ["lines", "spots"]
    assert recipe["source"]["name"] == "a.png"


def test_names_that_are_taken_are_left_and_nothing_is_replaced(here, capfd):
    (here / "a-seen.png").write_bytes(b"mine")
    for name in ("a-seen-2.png", "a-seen-3.png"):
        assert run(["see", "a.png", *STILL]) == 0
        assert capfd.readouterr().out.splitlines()[-1] == name
    assert (here / "a-seen.png").read_bytes() == b"mine"
    assert run(["see", "a.png", *STILL, "-o", "a-seen.png"]) == 1
    assert "a-seen.png" in capfd.readouterr().err
    assert run(["see", "a.png", *STILL, "-o", "a.png", "--overwrite"]) == 1
    assert run(["see", "a.png", *STILL, "--overwrite"]) == 2
    assert "-o" in capfd.readouterr().err
    assert (here / "a-seen.png").read_bytes() == b"mine"
    assert run(["see", "a.png", *STILL, "-o", "a-seen.png", "--overwrite"]) == 0
    assert images.read(here / "a-seen.png").pixels.ndim == 3


def test_a_folder_gets_a_page(here, capfd):
    asked = ["see", "a.png", *STILL, "--class", "edge", "--against", "1", "--groups", "2", "-o", "page"]
    assert run(asked) == 0
    out = capfd.readouterr().out
    assert out.splitlines()[-1] == "page/index.html"
    assert "for edge rather than plain, of +" in out
    assert "lines:0 +" in out
    assert re.search(r"group 1 [+-]\d.*mostly lines:0", out)
    said = json.loads((here / "page" / "see.json").read_text(), parse_constant=pytest.fail)
    assert (said["question"]["for"], said["question"]["against"]) == ("edge", "plain")
    assert all(unit["picture"] is None for layer in said["layers"] for unit in layer["units"])
    assert (here / "page" / "sheet-lines.png").is_file()
    assert not (here / "page" / "units").exists()
    assert run(asked) == 1
    assert "exists already" in capfd.readouterr().err
    assert run([*asked, "--overwrite"]) == 0


def test_the_edge_is_told_where_it_is(here, capfd):
    assert run(["see", "a.png", *STILL, "--json"]) == 0
    out, _ = capfd.readouterr()
    (item,) = json.loads(out)["items"]
    assert (item["photo"], item["path"], item["seen"]) == ("a.png", "a-seen.png", [16, 26])
    assert item["predictions"][0]["name"] == "edge"
    lines, spots = item["layers"]
    assert lines["units"][0]["channel"] == 0
    row, column = lines["units"][0]["at"]
    assert 0 <= row < 14
    assert abs(column + 1.5 - 20 / 37 * 26) <= 1  # A window begins a pixel before its middle.
    assert all(unit["beats"] is None and unit["attribution"] is None for unit in lines["units"])
    assert lines["total"] is None
    assert spots["units"][0]["unusual"] == pytest.approx(1)


def test_photos_say_what_is_usual(here, capfd):
    (here / "photos").mkdir()
    for number in range(3):
        Image.new("RGB", (30, 20), (60 * number, 90, 90)).save(here / "photos" / f"{number}.png")
    assert run(["see", "a.png", *STILL, "--photos", "photos", "--json", "-q"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    (item,) = json.loads(out)["items"]
    assert item["layers"][0]["units"][0]["beats"] == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layer", "line"], r"mine\.keras has no layer 'line'.*lines"),
        (["--class", "elk"], "elk"),
        (["--class", "7"], "0 to 1"),
        (["--class", "edge", "--against", "0"], "same class"),
        (["--against", "edge"], "name that one too"),
        (["--groups", "2"], "name one"),
        (["--atlas", "nowhere"], "nowhere"),
        (["--atlas", "."], "there is no atlas"),
        (["--photos", "nowhere"], "nowhere"),
        (["--top", "0"], "--top.*1"),
        (["-o", "no/where.png"], "no"),
        (["-o", "names.txt"], "is a file; a folder is expected"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_what_is_wrong_is_told_in_a_line_and_nothing_is_written(here, capfd, options, message):
    before = {path.name for path in here.iterdir()}
    assert run(["see", "a.png", *STILL, *options]) in (1, 2)
    out, err = capfd.readouterr()
    assert out == ""
    assert re.search(message, err)
    assert "Traceback" not in err
    assert {path.name for path in here.iterdir()} == before
    assert (here / "names.txt").read_text() == "edge\nplain\n"


def test_no_photo_no_answer(here, capfd):
    (here / "b.png").write_bytes(b"no picture")
    assert run(["see", "b.png", *STILL, "--json"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "b.png" in err
