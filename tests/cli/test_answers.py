"""``--json``: every command answers in the form that is documented."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer.cli import run
from dreamer.cli.answers import ITEMS
from dreamer.shapes import problem

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
QUICK = ["--octaves", "1", "--steps", "1"]
COMMANDS = {
    "dream": ["dream", "photo.png", *QUICK],
    "visualize": ["visualize", "block2b:3", "block2b:4", "--size", "32", "--steps", "2"],
    "batch": ["batch", ".", "out", *QUICK, "--workers", "1"],
    "atlas": ["atlas", "block2b", "--channels", "0-1", "--size", "32", "--steps", "2", "-o", "atlas"],
    "presets list": ["presets", "list"],
    "layers": ["layers", "efficientnet_lite0", "block4"],
    "labels": ["labels", "efficientnet_lite0", "tabby"],
    "models list": ["models", "list"],
    "doctor": ["doctor", "--no-rate"],
}


@pytest.fixture(autouse=True)
def here(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray((picture * 255).round().astype(np.uint8)).save("photo.png")
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


@pytest.mark.parametrize("command", ITEMS)
def test_every_field_is_documented(command):
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{command}` |")]
    assert all(f"`{field}`" in row for field in ITEMS[command])
