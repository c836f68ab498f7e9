"""``dreamer map``: a page of one's own photos, and what is refused before they are looked at."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest
from searching import search_case

from dreamer.cli import run
from dreamer.mapping import layout
from dreamer.searching import filling

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

OWN = ["--model", "own.keras", "--preprocessing", "0..1"]
FEW = [*OWN, "--index", "index"]
QUICK = [*FEW, "--layout", "places.npy", "--per-photo", "3", "--steps", "0"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with six photos, places for three points of each, and a network."""
    monkeypatch.chdir(tmp_path)
    search_case.folder(tmp_path / "photos", 6)
    search_case.model().save("own.keras")
    np.save("places.npy", np.random.default_rng(0).normal(size=(18, 2)))
    return tmp_path


def test_a_page_is_written_and_its_place_printed(here, capfd):
    command = ["map", "first", "--photos", "photos", "-o", "map", *FEW, "--grid", "3,2", "--place", "photos/04.png"]
    command += ["--layout", "places.npy", "--per-photo", "3", "--size", "32", "--steps"]
    assert run([*command, "2"]) == 0
    out, err = capfd.readouterr()
    assert out == "map/index.html\n"
    for line in ("6 of 6 photos: done", " icons, 0 s left: done", "cutting crops: done"):
        assert line in err
    held = json.loads((here / "map/map.json").read_text())
    assert ([level["grid"] for level in held["levels"]], held["levels"][0]["tile"]) == ([2, 3], 32)
    assert held["placed"][0]["photo"] == "04.png"
    assert (held["photos"], held["points"], held["per_photo"]) == (6, 18, 3)
    assert run([*command, "0"]) == 1
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "exists already" in err
    assert run([*command, "0", "--overwrite", "-q"]) == 0
    assert capfd.readouterr() == ("", "")
    assert not list((here / "map").glob("level-*"))


def test_the_answer_in_json_has_the_cells(here, capfd):
    assert run(["map", "second", "--photos", "photos", "-o", "map", *QUICK, "--grid", "2", "--json"]) == 0
    items = json.loads(capfd.readouterr().out)["items"]
    assert sum(one["count"] for one in items) == 18
    assert {(one["grid"], one["alike"], one["page"]) for one in items} == {(2, None, "map/index.html")}
    for one in items:
        assert len(one["photos"]) == one["count"]
        assert set(one["photos"]) <= {f"{number:02}.png" for number in range(6)}
        for label in one["labels"]:
            assert label["name"] == f"class {label['index']}"
            assert label["attribution"] > 0


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["first", "-o", "map"], 2, "Missing option '--photos'"),
        (["first", "--photos", "photos"], 2, "Missing option '-o'"),
        (["hidden", "--photos", "photos", "-o", "map"], 2, "'hidden' has no positions, so there is no map of it"),
        (["frist", "--photos", "photos", "-o", "map"], 2, "no layer 'frist'. Close matches: first"),
        (["first", "--photos", "nowhere", "-o", "map"], 1, "nowhere does not exist"),
        (["first", "--photos", "photos", "-o", "photos"], 2, "photos is the folder of the photos"),
        (["first", "--photos", "photos", "-o", "no/map"], 1, "does not exist"),
        (["first", "--photos", "photos", "-o", "map", "--grid", "6;12"], 2, "expected cells along a side"),
        (["first", "--photos", "photos", "-o", "map", "--grid", "0"], 2, "expected numbers of cells, each 1 to 100"),
        (["first", "--photos", "photos", "-o", "map", "--layout", "tsna"], 2, "is no layout"),
        (["first", "--photos", "photos", "-o", "map", "--layout", "no.npy"], 2, "is no file"),
        (["first", "--photos", "photos", "-o", "map", "--layout", "places.npy"], 2, "expected (96, 2)"),
        (["first", "--photos", "photos", "-o", "map", "--place", "no.jpg"], 1, "no.jpg does not exist"),
        (["first", "--photos", "photos", "-o", "map", "--size", "8"], 2, "'--size'"),
    ],
)
def test_wrong_usage_is_said_in_one_line(arguments, status, expected, here, capfd):
    usual = [] if {"--layout", "--per-photo"} & set(arguments) else ["--layout", "places.npy", "--per-photo", "3"]
    assert run(["map", *arguments, *FEW, *usual, "-q"]) == status
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert expected in err
    assert not (here / "map").exists()
    assert len(list((here / "photos").iterdir())) == 6


def test_what_is_not_installed_is_said_before_photos_are_looked_at(here, capfd, monkeypatch):
    monkeypatch.setattr(layout, "find_spec", lambda _name: None)
    assert run(["map", "first", "--photos", "photos", "-o", "map", *OWN]) == 1
    _, err = capfd.readouterr()
    assert err.count("\n") == 1
    assert "pip install 'deepdreamer[embedding]'" in err


def test_an_interrupt_keeps_what_was_looked_at_and_the_next_run_goes_on(here, capfd, monkeypatch):
    monkeypatch.setattr(filling, "_AT_ONCE", 2)
    put = filling.LayerIndex.add

    def interrupted(self, entries):
        put(self, entries)
        if len(self.entries) == 4:
            signal.raise_signal(signal.SIGINT)

    command = ["map", "first", "--photos", "photos", "-o", "map", *QUICK]
    with monkeypatch.context() as patch:
        patch.setattr(filling.LayerIndex, "add", interrupted)
        assert run(command) == 130
    out, err = capfd.readouterr()
    assert out == ""
    assert "Note: interrupted; what was looked at is kept, and the same command goes on from there" in err
    assert not (here / "map").exists()
    assert run(command) == 0
    out, err = capfd.readouterr()
    assert out == "map/index.html\n"
    assert "2 of 2 photos: done" in err
