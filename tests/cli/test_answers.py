"""``--json``: every command answers in the form that is documented."""

from __future__ import annotations

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from texts.text_case import LETTERS, remembering

from dreamer.cli import run
from dreamer.cli.answers import ITEMS
from dreamer.shapes import problem

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
QUICK = ["--octaves", "1", "--steps", "1"]
COMMANDS = {
    "dream": ["dream", "photo.png", *QUICK],
    "sheet": ["sheet", "photo.png", *QUICK, "--seed", "1,2"],
    "visualize": ["visualize", "block2b:3", "block2b:4", "--size", "32", "--steps", "2"],
    "caricature": ["caricature", "photo.png", "--layers", "block2b", "--size", "48", "--steps", "2"],
    "invert": ["invert", "photo.png", "--layer", "block2b", "--size", "48", "--steps", "2"],
    "accentuate": ["accentuate", "photo.png", "block2b:3", "--anchor", "block2a", "--size", "48", "--steps", "2"],
    "mask": ["mask", "photo.png", "edges"],
    "batch": ["batch", ".", "out", *QUICK, "--workers", "1"],
    "video": ["video", ".frames/%d.png", *QUICK, "--preview", "-o", "out.gif"],
    "atlas": ["atlas", "block2b", "--channels", "0-1", "--size", "32", "--steps", "2", "-o", "atlas"],
    "fool": ["fool", "photo.png", "--eps", "2", "--steps", "2", "--judge", "efficientnet_lite0"],
    "see": ["see", "photo.png", "--layer", "block2b", "--class", "281", "--top", "1", "--steps", "1"],
    "search": ["search", "block2b:3", ".", "--top", "1"],
    "map": ["map", "block2b", "--photos", ".", "--per-photo", "9", "--grid", "2", "--steps", "0", "-o", "map"],
    "row": ["row", "score:0", "--model", ".nets/score.keras", "--data", ".nets/real.csv", "--steps", "2"],
    "text": ["text", "lstm:0", ".nets/a.txt", "--model", ".nets/char.keras"],
    "text train": ["text", "train", ".nets/a.txt", "--steps", "1", "--units", "2"],
    "presets list": ["presets", "list"],
    "priors list": ["priors", "list"],
    "layers": ["layers", "efficientnet_lite0", "block4"],
    "labels": ["labels", "efficientnet_lite0", "tabby"],
    "models list": ["models", "list"],
    "doctor": ["doctor", "--no-rate"],
}


pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture(autouse=True)
def here(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".nets").mkdir()
    remembering().save(".nets/char.keras")
    (tmp_path / ".nets" / "char.toml").write_text('vocabulary = "chars.txt"\n')
    (tmp_path / ".nets" / "chars.txt").write_text(LETTERS.written())
    (tmp_path / ".nets" / "a.txt").write_text("abc#ed\nfg" * 200)
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="score")]).save(".nets/score.keras")
    (tmp_path / ".nets" / "real.csv").write_text("age,rate,job\n20,1.5,cook\n30,2.5,baker\n")
    Image.fromarray((picture * 255).round().astype(np.uint8)).save("photo.png")
    (tmp_path / ".frames").mkdir()
    for number in range(2):
        (tmp_path / ".frames" / f"{number}.png").write_bytes((tmp_path / "photo.png").read_bytes())
    return tmp_path


@pytest.mark.parametrize("command", ITEMS)
def test_an_answer_has_the_documented_form(command, capfd):
    assert run([*COMMANDS[command], "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert {name: answer[name] for name in ("format", "program", "command")} == {
        "format": 1, "program": "dreamer", "command": command,
    }  # fmt: skip
    assert answer["items"]
    for item in answer["items"]:
        assert problem(item, ITEMS[command]) is None
        assert set(item) <= set(ITEMS[command])


def test_a_dry_run_of_batch_answers_too(here, capfd):
    (here / "words.txt").write_text("no picture")
    assert run(["batch", ".", "out", "--dry-run", "--json"]) == 0
    items = json.loads(capfd.readouterr().out)["items"]
    assert sorted((item["status"], Path(item["input"]).name) for item in items) == [
        ("left out", "words.txt"), ("to do", "photo.png"),
    ]  # fmt: skip
    assert all(problem(item, ITEMS["batch"]) is None for item in items)
    assert not (here / "out").exists()


def test_two_answers_on_standard_output_are_refused(here, capfd):
    assert run(["batch", ".", "out", *QUICK, "--json", "--report", "/dev/stdout"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def words(shape):
    """A shape, as docs/json.md says it."""
    if isinstance(shape, tuple):
        return " or ".join(map(words, shape))
    if isinstance(shape, list):
        return f"list of {words(shape[0])}"
    if isinstance(shape, dict):
        if str in shape:
            return "table" if shape[str] is object else f"table of {words(shape[str])}"
        return f"table of {', '.join(f'`{name}`' for name in shape)}"
    return {str: "text", int: "whole number", float: "number", bool: "true or false", None: "null"}[shape]


def test_the_page_documents_every_field_with_its_type():
    documented: dict[str, dict[str, str]] = {}
    for line in PAGE.splitlines():
        if heading := re.fullmatch(r"## `(.+)`", line):
            fields = documented.setdefault(heading[1], {})
        elif row := re.fullmatch(r"\| `(\w+)` \| (.+?) \| .+ \|", line):
            fields[row[1]] = row[2]
    assert documented == {
        command: {name: words(shape) for name, shape in item.items()} for command, item in ITEMS.items()
    }
