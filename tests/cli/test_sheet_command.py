"""``dreamer sheet`` and ``dreamer dream --pick``."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.choosing.told import picked
from dreamer.cli import run

QUICK = ["--octaves", "1", "--steps", "1"]


@pytest.fixture(autouse=True)
def here(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray((picture * 255).round().astype(np.uint8)).save("photo.png")
    return tmp_path


def cells_in(path):
    recipe = images.read_recipe(path)
    return [picked(recipe, cell["number"], path)["settings"] for cell in recipe["cells"]]


def test_the_first_option_varies_slowest_and_cells_are_numbered(here, asleep, capfd):
    assert (
        run(["sheet", "photo.png", "--seed", "1..2", "--strength", "0.5..1/2", "--laplacian", *QUICK, "--plain"]) == 0
    )
    out, err = capfd.readouterr()
    assert out == "photo-sheet.png\n"
    assert "8 of 8 pictures done" in err
    told = [(one["seed"], one["strength"], one["conditioning"]) for one in cells_in(here / "photo-sheet.png")]
    assert told == [
        (seed, strength, how) for seed in (1, 2) for strength in (0.5, 1.0) for how in ("laplacian", "none")
    ]
    assert images.read_recipe(here / "photo-sheet.png")["varies"] == ["seed", "strength", "conditioning"]
    assert run(["sheet", "photo.png", "--strength", "0.5,1", "--seed", "1,2", *QUICK, "-q"]) == 0
    assert [one["seed"] for one in cells_in(here / "photo-sheet-2.png")] == [1, 2, 1, 2]


@pytest.mark.parametrize(
    ("given", "name", "values"),
    [
        (["--blend", "screen,normal"], "blend", ["screen", "normal"]),
        (["--keep-colors", "--free-colors"], "colors", ["keep", "free"]),
        (["--objective", "logit:tabby, tabby cat", "--objective", "block5c"], "objective",
         ['logit:"tabby, tabby cat"', "block5c"]),
        (["--octave-scale", "1.25,1.5"], "octave_scale", [1.25, 1.5]),
        (["--mask", "a,b.png", "--mask", "photo.png"], "mask", ["a,b.png", "photo.png"]),
        (["--prior", "denoiser", "--prior-noise", "0.2..0.1,0.3"], "prior_noise", [[0.2, 0.1], [0.3, 0.3]]),
        (["--calm", "0,0.5"], "calm", [None, 0.5]),
        (["--max-size", "32,48"], "max_size", [32, 48]),
    ],
)  # fmt: skip
def test_any_option_takes_several_values(here, asleep, given, name, values):
    (here / "a,b.png").write_bytes((here / "photo.png").read_bytes())
    assert run(["sheet", "photo.png", *given, *QUICK, "-q", "-o", "sheet.png"]) == 0
    assert [one.get(name) for one in cells_in(here / "sheet.png")] == values


def test_columns_are_those_that_are_asked_for(here, asleep):
    for columns, name in (("1", "high.png"), ("4", "wide.png")):
        assert run(["sheet", "photo.png", "--seed", "1..4", "--columns", columns, *QUICK, "-q", "-o", name]) == 0
    height, width = images.read(here / "wide.png").pixels.shape[:2]
    assert width > 4 * 320 > height
    height, width = images.read(here / "high.png").pixels.shape[:2]
    assert height > 4 * 223 > width


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_what_is_picked_has_the_bytes_of_what_is_typed(here, suffix):
    sheet = f"sheet{suffix}"
    given = ["--preset", "lace", *QUICK]
    assert run(["sheet", "photo.png", *given, "--strength", "0.4,1", "--seed", "1..2", "-q", "-o", sheet]) == 0
    assert run(["dream", "--pick", "2", sheet, "-q", "-o", "picked.png"]) == 0
    assert run(["dream", "photo.png", *given, "--strength", "0.4", "--seed", "2", "-q", "-o", "typed.png"]) == 0
    assert (here / "picked.png").read_bytes() == (here / "typed.png").read_bytes()
    assert images.read_recipe(here / "picked.png")["preset"] == "lace"
    # Other options change it, and another photo is dreamt the same way.
    (here / "other.png").write_bytes((here / "typed.png").read_bytes())
    assert run(["dream", "other.png", "--recipe", sheet, "--pick", "2", "--seed", "9", "-q"]) == 0
    told = images.read_recipe(here / "other-dream.png")
    assert told["settings"] == images.read_recipe(here / "typed.png")["settings"] | {"seed": 9}
    assert told["source"]["name"] == "other.png"


def test_a_sheet_of_presets_is_picked_from_by_name(here, asleep):
    assert run(["presets", "sheet", "photo.png", "-o", "sheet.png", "--seed", "5", "-q"]) == 0
    assert run(["dream", "--pick", "lace", "sheet.png", "-q", "-o", "picked.png"]) == 0
    assert run(["dream", "photo.png", "--preset", "lace", "--seed", "5", "-q", "-o", "typed.png"]) == 0
    assert (here / "picked.png").read_bytes() == (here / "typed.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--strength", "0.5..1"], "Invalid value for '--strength': '0.5..1' does not say how many"),
        (["--strength", "0.5,one"], "Invalid value for '--strength': 'one' is not a valid float"),
        (["--seed", "1,2.5"], "Invalid value for '--seed': '2.5' is not a valid integer"),
        (["--strength", "0.5,2"], "strength is 2.0; expected 0 to 1"),
        (["--blend", "normal,burn"], "blend is 'burn'; expected one of normal"),
        (["--seed", "1..40", "--strength", "0..1/11"], "40 of --seed x 11 of --strength are 440 pictures"),
        (["--seed", "1..999999999"], "at most 400 pictures"),
        (["--seed", "1", "--seed", "2"], "--seed is given twice"),
        (["--preset", "lace,lase"], "no preset 'lase'"),
        (["--model", "efficientnet_lite0,nope"], "no network 'nope'"),
        (["--prior", "nope"], "nope"),
        (["--mask", "photo.png", "--mask", "none.png"], "cannot read none.png"),
        (["--feather", "0.1,0.2"], "give a --mask, or leave it out"),
        (["--layer", "block3b"], "Type instead: --objective 'block3b'"),
        (["--overwrite"], "--overwrite has nothing to do here"),
        (["--preset", "lace", "--model", "efficientnet_lite0,keras:VGG16"], "is made for efficientnet_lite0"),
    ],
)
def test_what_cannot_be_is_said_before_keras_is_loaded(here, monkeypatch, capfd, arguments, words):
    monkeypatch.setattr("dreamer.cli.sheet_wish.import_keras", lambda: pytest.fail("was loaded"))
    assert run(["sheet", "photo.png", *arguments]) == 2
    err = capfd.readouterr().err
    assert words in err
    assert err.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["photo.png"]


@pytest.mark.parametrize("output", ["photo.png", "no/where.png", "sheet.txt", "there.png"])
def test_a_sheet_that_cannot_be_written_is_refused_before_the_work(here, monkeypatch, capfd, output):
    monkeypatch.setattr("dreamer.cli.sheet_wish.import_keras", lambda: pytest.fail("was loaded"))
    (here / "there.png").write_bytes(b"mine")
    assert run(["sheet", "photo.png", "--seed", "1,2", "-o", output]) == 1
    assert run(["sheet", "photo.png", "--seed", "1,2", "-o", "photo.png", "--overwrite"]) == 1
    assert (here / "there.png").read_bytes() == b"mine"


def test_a_file_is_replaced_if_it_is_told(here, asleep):
    (here / "there.png").write_bytes(b"mine")
    assert run(["sheet", "photo.png", "--seed", "1,2", *QUICK, "-q", "-o", "there.png", "--overwrite"]) == 0
    assert len(cells_in(here / "there.png")) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_is_done(here, asleep, number, capfd):
    asleep.before_step = lambda taken: signal.raise_signal(number) if taken == 3 else None
    assert run(["sheet", "photo.png", "--seed", "1..5", *QUICK]) == 128 + number
    out, err = capfd.readouterr()
    assert out == "photo-sheet.png\n"
    assert "interrupted after 2 of 5 pictures" in err
    assert [one["seed"] for one in cells_in(here / "photo-sheet.png")] == [1, 2]
    assert run(["dream", "--pick", "3", "photo-sheet.png"]) == 2
    assert "has no cell 3" in capfd.readouterr().err


def test_an_interrupt_before_anything_is_done_writes_nothing(here, asleep, capfd):
    asleep.before_step = lambda taken: signal.raise_signal(signal.SIGINT)
    assert run(["sheet", "photo.png", "--seed", "1..5", *QUICK]) == 130
    assert "nothing was written" in capfd.readouterr().err
    assert [path.name for path in here.iterdir()] == ["photo.png"]


def test_where_nothing_works_nothing_is_kept(here, capfd):
    assert run(["sheet", "photo.png", "--objective", "nowhere", "--strength", "0.5,1", *QUICK]) == 2
    assert next(line for line in capfd.readouterr().err.splitlines() if "nowhere" in line).startswith("Error: ")
    assert [path.name for path in here.iterdir()] == ["photo.png"]


def test_the_answer_tells_each_cell(here, asleep, capfd):
    assert run(["sheet", "photo.png", "--preset", "lace", "--seed", "1,2", *QUICK, "--json"]) == 0
    [item] = json.loads(capfd.readouterr().out)["items"]
    assert (item["path"], item["planned"], item["partial"]) == ("photo-sheet.png", 2, False)
    assert [(one["number"], one["label"], one["preset"]) for one in item["cells"]] == [
        (1, "1: seed 1", "lace"), (2, "2: seed 2", "lace"),
    ]  # fmt: skip
    assert item["cells"][1]["settings"]["seed"] == 2
    assert item["recipe"] == images.read_recipe(here / "photo-sheet.png")
    assert [item["height"], item["width"]] == list(images.read(here / "photo-sheet.png").pixels.shape[:2])


@pytest.fixture
def sheet(here, asleep):
    assert run(["sheet", "photo.png", "--seed", "1..3", *QUICK, "-q", "-o", "sheet.png"]) == 0
    return here / "sheet.png"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--pick", "99", "sheet.png"], 2, "has no cell 99: it has 3, numbered from 1"),
        (["--pick", "0", "sheet.png"], 2, "has no cell 0"),
        (["--pick", "lace", "sheet.png"], 2, "no cell 'lace'; expected a number from 1 to 3"),
        (["--pick", "2"], 2, "--pick takes one sheet, and none is given"),
        (["--pick", "2", "sheet.png", "photo.png"], 2, "dreamer dream PHOTO --recipe SHEET --pick 2"),
        (["--pick", "2", "sheet.png", "--preset", "lace"], 2, "--preset and --pick exclude each other"),
        (["--pick", "2", "photo.png"], 1, "holds no recipe"),
        (["--recipe", "sheet.png"], 2, "dreamer dream --pick 7 sheet.png"),
        (["--pick", "2", "none.png"], 1, "none.png"),
    ],
)
def test_what_cannot_be_picked_is_said(sheet, capfd, arguments, status, words):
    assert run(["dream", *arguments]) == status
    err = capfd.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_the_photo_is_looked_for_beside_the_sheet(sheet, capfd):
    sheet.with_name("photo.png").rename(sheet.with_name("moved.png"))
    assert run(["dream", "--pick", "2", "sheet.png"]) == 1
    assert "Say where it is: dreamer dream PHOTO --recipe sheet.png --pick 2" in capfd.readouterr().err
    assert run(["dream", "moved.png", "--recipe", "sheet.png", "--pick", "2", "-q"]) == 0


def test_a_picture_of_another_command_is_no_sheet(here, capfd):
    images.write(here / "other.png", images.read(here / "photo.png"), recipe={"command": "visualize"})
    assert run(["dream", "--pick", "1", "other.png"]) == 2
    assert "was made by `dreamer visualize`; expected one that `dreamer sheet` made" in capfd.readouterr().err


SOURCE = {"source": {"name": "photo.png"}}
CELL = {"number": 1, "group": 0, "settings": {"steps": 1, "octaves": 1}}


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"cells": [], "groups": [{}]}, "expected 1 to 400"),
        ({"cells": [CELL] * 5000, "groups": [{}]}, "expected 1 to 400"),
        ({"cells": [CELL], "groups": [{}] * 5000}, "expected 1 to 400"),
        ({"cells": [CELL, CELL], "groups": [{}]}, "not numbered"),
        ({"cells": [{"group": 0}], "groups": [{}]}, "not numbered"),
        ({"cells": [{**CELL, "number": -1}], "groups": [{}]}, "not numbered"),
        ({"cells": [{**CELL, "group": 1}], "groups": [{}]}, "no group"),
        ({"cells": [{**CELL, "group": -1}], "groups": [{}]}, "no group"),
        ({"cells": [CELL]}, "no group"),
        ({"cells": 5, "groups": []}, "expected a list"),
        ({"cells": [{**CELL, "settings": 5}], "groups": [{}]}, "expected a table"),
        ({"cells": [CELL], "groups": [{"settings": []}]}, "expected a table"),
        ({"cells": [CELL], "groups": [{}], "common": {"settings": "x"}}, "expected a table"),
        ({"cells": [CELL], "groups": [{"weights_sha256": 5}]}, "weights_sha256 is 5"),
        ({"cells": [CELL], "groups": [{}], "common": {"settings": {"steps": 10**9}}}, None),  # The cell's own wins.
        ({"cells": [{**CELL, "settings": {"steps": 10**9}}], "groups": [{}]}, "steps is 1000000000"),
        ({"cells": [{**CELL, "settings": {"gain": 1}}], "groups": [{}]}, "which this dreamer does not know"),
        ({"cells": [{**CELL, "settings": {"mask": "/etc/passwd"}}], "groups": [{}]}, "give --trust"),
        ({"cells": [CELL], "groups": [{}], "common": {"settings": {"guide": "../secret.png"}}}, "give --trust"),
        ({"cells": [CELL], "groups": [{"settings": {"model": "/tmp/evil.keras"}}]}, "give --trust"),
        ({"cells": [CELL], "groups": [{}], "source": {"name": "/etc/passwd"}}, "is not beside it"),
        ({"cells": [CELL], "groups": [{"source": {"name": "/etc/passwd"}}]}, None),  # The sheet's own wins.
    ],
)
def test_a_recipe_from_somebody_else_harms_nobody(here, asleep, capfd, recipe, words):
    images.write(here / "sheet.png", images.read(here / "photo.png"), recipe={**SOURCE, **recipe})
    status = run(["dream", "--pick", "1", "sheet.png", "-q"])
    err = capfd.readouterr().err
    assert (status == 0) == (words is None)
    assert "fault in dreamer" not in err
    assert words is None or words in err
    assert err.count("\n") == (words is not None)
