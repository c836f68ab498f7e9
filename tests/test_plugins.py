"""The example plug-in, from its wheel: found, used, and left out where it is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the plug-in as pip would install it: its wheel, unpacked."""
    folder = tmp_path_factory.mktemp("plugin")
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=SAMPLE, capture_output=True, text=True, check=True
    )
    with zipfile.ZipFile(folder / done.stdout.split()[-1]) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def dreamer(site, folder, *arguments):
    path = os.pathsep.join([str(site), str(SAMPLE.parents[1])])
    return subprocess.run(
        [sys.executable, "-m", "dreamer", *arguments],
        cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_everything_that_it_adds_is_used(installed, tmp_path, samples):
    drawn = dreamer(
        installed, tmp_path, "visualize", "loudest:second", "--model", "tiny", "--parametrization", "dots",
        "--size", "32", "--steps", "8", "-o", "x.png", "--json",
    )  # fmt: skip
    assert drawn.returncode == 0, drawn.stderr
    [item] = json.loads(drawn.stdout)["items"]
    assert item["targets"] == ["loudest:second"]
    assert item["recipe"]["settings"]["parametrization"] == "dots"
    assert item["scores"][0]["end"] > item["scores"][0]["start"]
    dreamt = dreamer(
        installed, tmp_path, "dream", str(samples / "cat.png"), "--preset", "grain", "--max-size", "64", "-o", "y.png"
    )
    assert (dreamt.returncode, dreamt.stdout) == (0, "y.png\n"), dreamt.stderr
    listed = dreamer(installed, tmp_path, "models", "list", "--json")
    assert "tiny" in [one["name"] for one in json.loads(listed.stdout)["items"]]


def test_one_that_is_broken_is_named_and_the_rest_works_on(installed, tmp_path):
    broken = tmp_path / "broken_plugin-1.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1\n")
    (broken / "entry_points.txt").write_text(
        "[dreamer.networks]\nbad = there_is_none:SPEC\n[dreamer.presets]\nodd = json:dumps\n"
    )
    listed = dreamer(os.pathsep.join([str(installed), str(tmp_path)]), tmp_path, "models", "list")
    assert listed.returncode == 0
    assert "tiny" in listed.stdout
    assert "the plug-in 'bad' of broken-plugin (dreamer.networks) is left out: ModuleNotFoundError" in listed.stderr
    presets = dreamer(os.pathsep.join([str(installed), str(tmp_path)]), tmp_path, "presets", "list")
    assert "grain" in presets.stdout
    assert "the plug-in 'odd' of broken-plugin (dreamer.presets) is left out" in presets.stderr
