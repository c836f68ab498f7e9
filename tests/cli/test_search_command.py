"""``dreamer search``, in this process where it can be and in one of its own where it must be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from searching import search_case

from dreamer.cli import run
from dreamer.searching import filling

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

OWN = ["--model", "own.keras", "--preprocessing", "0..1"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with photos, of which one has a red spot, and a network that answers to it."""
    monkeypatch.chdir(tmp_path)
    search_case.folder(tmp_path / "photos", 7)
    search_case.model().save("own.keras")
    return tmp_path


def test_photos_are_listed_with_their_scores_and_places(here, capfd):
    (here / "photos" / "broken.png").write_bytes(b"no photo")
    search_case.save(here / "photos" / "copy.jpg", search_case.planted(search_case.scene(4), 90, 200), quality=60)
    assert run(["search", "first:0", "photos", *OWN, "--top", "2"]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert lines[0].endswith("most of 8 photos:")
    assert lines[1].split() == ["score", "photo", "at", "row,", "column"]
    assert "(and 1 nearly the same)" in lines[2]
    assert "2" in lines[2].split()[-2]
    assert any(line.endswith("least of 8 photos:") for line in lines)
    assert "agrees" not in out
    assert "9 of 9 photos looked at" in err
    assert "left out:" in err
    assert sorted(path.name for path in here.iterdir()) == ["own.keras", "photos"]
    # The next question needs no photo but those that are shown.
    assert run(["search", "first:1", "photos", *OWN, "--top", "1", "-q"]) == 0
    assert capfd.readouterr() == ("", "")


def test_a_page_is_written_and_its_place_printed(here, capfd):
    command = ["search", "first:0", "photos", *OWN, "-o", "found", "--top", "2", "--seed", "3", "--steps"]
    assert run([*command, "2"]) == 0
    out, _ = capfd.readouterr()
    assert out.splitlines()[-1] == "found/index.html"
    assert "agrees" in out
    found = json.loads((here / "found/found.json").read_text())
    assert (found["most"][0]["photo"], found["objective"]) == ("04.png", "first:0")
    assert (found["recipe"]["settings"]["steps"], found["recipe"]["settings"]["seed"]) == (2, 3)
    assert (here / "found/drawn-most.png").is_file()
    assert run([*command, "2"]) == 1
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "exists already" in err
    assert run([*command, "0", "--overwrite", "-q"]) == 0
    assert capfd.readouterr() == ("", "")
    assert not (here / "found/drawn-most.png").exists()


def test_the_answer_in_json_is_that_of_the_folder(here, capfd):
    assert run(["search", "first:0 - 0.5*logit:0", "photos", *OWN, "--top", "2", "--json"]) == 0
    items = json.loads(capfd.readouterr().out)["items"]
    assert [(one["end"], one["rank"]) for one in items] == [("most", 1), ("most", 2), ("least", 1), ("least", 2)]
    assert (items[0]["photo"], items[0]["page"], items[0]["agrees"]) == ("04.png", None, None)
    assert len(items[0]["at"]) == 2
    command = ["search", "logit:0", "photos", *OWN, "--top", "1", "--json", "-o", "x", "--steps", "0"]
    assert run(command) == 0
    items = json.loads(capfd.readouterr().out)["items"]
    assert [(one["at"], one["box"], one["page"]) for one in items] == [(None, [0, 0, 1, 1], "x/index.html")] * 2


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["first:0"], 2, "Missing argument 'FOLDER|URL'"),
        (["first:0 - l2", "photos"], 2, "photos cannot be searched for l2"),
        (["frist:0", "photos"], 2, "no layer 'frist'. Close matches: first"),
        (["first:3", "photos"], 2, "has no channel 3; expected 0 to 2"),
        (["first:0@99,0", "photos"], 2, "first:0@99,0 lies outside 'first', which has 56x83 positions for a photo"),
        (["first:", "photos"], 2, "expected"),
        (["first:0", "nowhere"], 1, "nowhere does not exist; a folder of photos is expected"),
        (["first:0", "empty"], 2, "there are no photos in"),
        (["first:0", "photos", "--top", "0"], 2, "'--top'"),
        (["first:0", "photos", "--overwrite"], 2, "give -o DIR, or leave them out"),
        (["first:0", "photos", "--steps", "5"], 2, "give -o DIR, or leave them out"),
        (["first:0", "photos", "-o", "photos"], 2, "photos is the folder of the photos; choose another one"),
        (["first:0", "photos", "-o", "empty/../photos/"], 2, "is the folder of the photos"),
        (["first:0", "photos", "-o", "no/where"], 1, "does not exist"),
        (["first:0", "photos", "--index", "own.keras/index"], 1, "cannot be written"),
        (["first:0", "photos", "--gpus-per-task", "1"], 2, "ray"),
    ],
)
def test_wrong_usage_is_said_in_one_line(arguments, status, expected, here, capfd):
    (here / "empty").mkdir()
    assert run(["search", *arguments, *OWN, "-q"]) == status
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert expected in err
    assert sorted(path.name for path in here.iterdir()) == ["empty", "own.keras", "photos"]
    assert len(list((here / "photos").iterdir())) == 7


def test_an_interrupt_keeps_what_was_looked_at_and_the_next_run_goes_on(here, capfd, monkeypatch):
    monkeypatch.setattr(filling, "_AT_ONCE", 2)
    put = filling.LayerIndex.add

    def interrupted(self, entries):
        put(self, entries)
        if len(self.entries) == 4:
            signal.raise_signal(signal.SIGINT)

    command = ["search", "first:0", "photos", *OWN, "--index", "index", "-o", "found", "--steps", "0", "--top", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(filling.LayerIndex, "add", interrupted)
        assert run(command) == 130
    out, err = capfd.readouterr()
    assert out == ""
    assert "Note: interrupted; what was looked at is kept, and the same command goes on from there" in err
    assert not (here / "found").exists()
    assert run(command) == 0
    assert "3 of 3 photos looked at" in capfd.readouterr().err


def kept(here):
    """How many photos the index tells of."""
    return sum(max(0, path.read_bytes().count(b"\n") - 1) for path in here.glob("index/*.jsonl"))


@pytest.mark.skipif(os.name != "posix", reason="signals are sent to a process")
def test_a_process_that_is_interrupted_says_that_it_goes_on(here, capfd):
    for number in range(7, 200):
        os.link(here / "photos" / f"{number % 7:02}.png", here / "photos" / f"{number}.png")
    command = ["search", "first:2", "photos", *OWN, "--index", "index", "--top", "1"]
    working = subprocess.Popen(
        [sys.executable, "-m", "dreamer", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and working.poll() is None:
            if kept(here):
                break
            time.sleep(0.01)
        working.send_signal(signal.SIGINT)
        out, err = working.communicate(timeout=60)
    finally:
        working.kill()
    assert (working.returncode, out) == (130, ""), err
    assert "interrupted; what was looked at is kept, and the same command goes on from there" in err
    assert "Traceback" not in err
    left = 200 - kept(here)
    assert 0 < left < 200
    assert run(command) == 0
    out, err = capfd.readouterr()
    assert "most of 200 photos" in out
    assert f"{left} of {left} photos looked at" in err


def test_help_says_what_can_be_asked(capfd):
    assert run(["search", "--help"]) == 0
    out, _ = capfd.readouterr()
    for option in ("--top", "--steps", "--index", "--workers", "--overwrite", "--json"):
        assert option in out
