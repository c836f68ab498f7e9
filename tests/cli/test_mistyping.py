# ruff: noqa: RUF001
"""What people type instead of what was meant gets one line that says what to type, and nothing is written."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from dreamer.cli import run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with some photos."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "sub").mkdir()
    for name in ("a.jpg", "b.jpg", "my photo.jpg"):
        Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / name)
    return tmp_path


def refused(capfd, *arguments):
    """What is said; it is one line, and nothing else happens."""
    before = sorted(os.listdir())  # noqa: PTH208
    status = run(arguments)
    out, err = capfd.readouterr()
    assert status in (1, 2)
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert sorted(os.listdir()) == before  # noqa: PTH208
    return err


@pytest.mark.parametrize(
    ("arguments", "instead"),
    [
        (["dream", "a.jpg", "b.jpg", "-o", "new.png"], "expected a folder for their dreams"),
        (["dream", "a.jpg", "b.jpg", "-o", "a.jpg"], "expected a folder for their dreams"),
        (["dream", "a.jpg", "b.jpg", "-o", "no/where"], "does not exist. Create it first"),
        (["dream", "a.jpg", "b.jpg", "--save-octaves", "octaves"], "--save-octaves is for one photo"),
        (["dream", "a.jpg", "-"], "cannot be one of several photos"),
        (["dream", "a.jpg", "b.jpg", "-o", "-"], "expected a folder for their dreams"),
        (["dream", "-"], "say where to write with -o NAME.png, or -o -"),
        (["dream", "a.jpg", "-o", "-", "--json"], "both write to standard output"),
        (["dream", "a.jpg", "-o", "-", "--frames", "2"], "name a file"),
        (["dream", "my", "photo.jpg"], "dreamer dream 'my photo.jpg'"),
        (["dream", "a.jpg", "new.jpg"], "dreamer dream a.jpg -o new.jpg"),
        (["dream", "sub"], "dreamer batch sub OUTPUT_DIR"),
        (["dream", "https://x.org/a.jpg"], "Download it first: curl -LO https://x.org/a.jpg"),
        (["dream", "s3://bucket/a.jpg"], "dreamer batch ADDRESS"),
        (["dream", "file:///a.jpg"], "type /a.jpg"),
        (["dream", "*.gif"], "no file matches; name one photo, or dream a folder with: dreamer batch ."),
        (["dream", "a*.jpg"], "name one photo, as a.jpg, or dream all with: dreamer batch . OUTPUT_DIR --glob 'a*"),
        (["dream", "a**b[.jpg"], "no file matches"),
        (["dream", "nowhere/*.jpg"], "no file matches"),
        (["dream", "x" * 300], "too long"),
        (["x" * 300], "there is no command"),
        (["dream", "~/a.jpg"], "home/a.jpg"),
        (["dream", "help"], "dreamer dream --help"),
        (["dream", "a.jpg", "-o", "sub"], "is a directory; the name of a file is expected, as sub/dream.png"),
        (["dream", "a.jpg", "-o", "~/new.png"], "home/new.png"),
        (["dream", "a.jpg", "-o", "s3://bucket/new.png"], "files of this machine"),
        (["dream", "a.jpg", "--mask", "https://x.org/m.png"], "Download it first"),
        (["dream", "a.jpg", "--guide", "~/m.png"], "home/m.png"),
        (["visualize", "block4b:1", "-o", "sub"], "as sub/dream.png"),
        (["visualize", "block4b:1", "--animation", "sub"], "as sub/dream.gif"),
        (["presets", "sheet", "a.jpg", "-o", "sub"], "as sub/dream.png"),
        (["presets", "sheet", "sub", "-o", "x.png"], "dreamer batch sub OUTPUT_DIR"),
        (["recipe", "https://x.org/a.jpg"], "Download it first"),
        (["a.jpg"], "dreamer dream a.jpg"),
        (["missing.png"], "dreamer dream missing.png"),
        (["my photo.jpg"], "dreamer dream 'my photo.jpg'"),
        (["sub"], "dreamer batch sub OUTPUT_DIR"),
        (["net.keras"], "dreamer layers net.keras"),
        (["draem", "a.jpg"], "Close matches: dream. See all: dreamer --help"),
        (["list"], "dreamer presets list or dreamer models list"),
        (["presets", "lst"], "Close matches: list. See all: dreamer presets --help"),
        (["models", "fetsh"], "Close matches: fetch"),
        (["help", "presets", "nw"], "Close matches: new. See all: dreamer presets --help"),
        (["dream", "a.jpg", "--ocatves", "3"], "--octaves"),
        (["dream", "a.jpg", "–-seed", "7"], "type --seed"),
        (["dream", "a.jpg", "—seed", "7"], "type --seed"),
        (["dream", "a.jpg", "–seed=7"], "type --seed=7"),
        (["dream", "a.jpg", "–o", "x.png"], "type -o"),
        (["visualize", "“logit:tabby", "cat”", "block4b"], "type 'logit:tabby cat'"),
        (["visualize", "«block4b:17»"], "type block4b:17"),
        (["visualize", "--model=‘x’", "block4b"], "type x"),
        (["dream", "a.jpg", "--strength", "0,5"], "Type 0.5."),
        (["dream", "a.jpg", "--strength", "50%"], "Type 0.5."),
        (["dream", "a.jpg", "--strength", "12,5 %"], "Type 0.125."),
        (["dream", "a.jpg", "--steps", "20.0"], "Type 20."),
        (["dream", "a.jpg", "--steps", "1,000"], "Type 1000."),
        (["dream", "a.jpg", "--steps", "2.5"], "'2.5' is not a valid integer.\n"),
        (["dream", "a.jpg", "--steps", "many"], "'many' is not a valid integer.\n"),
        (["dream", "a.jpg", "--max-size", "512px"], "Type 512."),
        (["dream", "a.jpg", "--seed", "1" * 5000], "is no number that can be used"),
        (["dream", "a.jpg", "--frames", "2", "--frame-rate", "12,5"], "Type 12.5."),
        (["dream", "a.jpg", "--frames", "2", "--frame-rate", "nan"], "is no finite number"),
        (["dream", "a.jpg", "--rotate", "−5"], "type -5"),
        (["dream", "a.jpg", "--layer", "block4b=0,5"], "expected block4b=0.5"),
        (["dream", "a.jpg", "--layer", "block4b=50%"], "expected block4b=0.5"),
        (["dream", "a.jpg", "--layer", "conv 1"], "Is it the name of a layer?"),
        (["visualize", "block4b", "--size", "1" * 5000], "is no size"),
        (["layers", "xyzzyx"], "there is no network 'xyzzyx'"),
        (["layers", "blok4b"], "Close matches: block4b"),
        (["layers", "block4b", "block5c"], "there is no network 'block4b'"),
        (["labels", "xyzzyx"], "there is no network 'xyzzyx'"),
        (["labels", "efficientnet_lite", "cat"], "Close matches: efficientnet_lite"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)  # fmt: skip
def test_what_to_type_instead(folder, capfd, arguments, instead):
    assert instead in refused(capfd, *arguments)


def test_files_with_odd_names_are_files(folder, capfd):
    (folder / "a.jpg").rename("“a*.jpg")
    assert run(["dream", "“a*.jpg", "b.jpg", "--octaves", "1", "--steps", "1", "-q"]) == 0
    assert (folder / "“a*-dream.jpg").exists()


@pytest.mark.parametrize(
    ("arguments", "same"),
    [
        (["help"], ["--help"]),
        (["help", "dream"], ["dream", "--help"]),
        (["help", "presets", "new"], ["presets", "new", "--help"]),
        (["presets", "help"], ["presets", "--help"]),
        (["presets", "help", "new"], ["presets", "new", "--help"]),
    ],
)
def test_help_can_be_asked_for_in_words(capfd, arguments, same):
    assert run(same) == 0
    expected = capfd.readouterr().out
    assert run(arguments) == 0
    assert capfd.readouterr().out == expected


@pytest.mark.parametrize(
    ("words", "index", "noted"),
    [
        (["tabby"], "281", "no network is called 'tabby', so efficientnet_lite0_robust, the default, was searched"),
        (["tabby", "cat"], "281", "dreamer labels efficientnet_lite0_robust tabby cat"),
        (["horse"], "339", "never learnt 'horse'"),
        (["efficientnet_lite0", "horse"], "339", "never learnt 'horse'"),
        (["brocoli"], "937", "these resemble it"),
        (["281"], "281", "no network is called '281'"),
    ],
)
def test_classes_are_found_without_a_network_s_name_and_by_what_they_are_near_to(capfd, words, index, noted):
    assert run(["labels", *words]) == 0
    out, err = capfd.readouterr()
    assert out.splitlines()[1].split()[0] == index
    assert noted in err


def test_whole_words_are_listed_first(capfd):
    assert run(["labels", "efficientnet_lite0", "cat"]) == 0
    out, err = capfd.readouterr()
    assert [line.split()[0] for line in out.splitlines()[1:6]] == ["281", "282", "283", "284", "285"]
    assert "catamaran" in out
    assert err == ""


def test_a_preset_that_is_there_is_not_begun_again(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("DREAMER_CONFIG", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert run(["presets", "new", "mine"]) == 0
    path = capfd.readouterr().out.strip()
    before = (tmp_path / "presets" / "mine.toml").read_text()
    said = refused(capfd, "presets", "new", "mine")
    assert path in said
    assert "--preset mine" in said
    assert (tmp_path / "presets" / "mine.toml").read_text() == before
