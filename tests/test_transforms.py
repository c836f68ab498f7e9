from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dreamer.errors import SettingsError
from dreamer.transforms import SETS, Transforms


def test_sets_go_by_name():
    assert Transforms.of("standard") is SETS["standard"]
    assert SETS["standard"].pad == 12
    assert Transforms.of("none") == Transforms()
    assert Transforms.of(SETS["maco"]) is SETS["maco"]


def test_a_file_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("jitter = [8, 4]\nscale = [0.9, 1.1]\nrotate = 5\nviews = 2\n", encoding="utf-8")
    assert Transforms.of(str(path)) == Transforms(jitter=(8, 4), scale=(0.9, 1.1), rotate=5, views=2)


def test_transforms_survive_json():
    for one in SETS.values():
        assert Transforms.of(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jiter = 3", "unknown key 'jiter'.*Close matches: jitter"),
        ("jitter = [", "cannot read"),
        ("jitter = -3", "jitter of the transforms is -3; expected numbers from 0"),
        ("scale = [1]", "scale of the transforms is .*expected 2 numbers"),
        ("scale = 1", "scale of the transforms is 1; expected 2 numbers"),
        ("rotate = 'far'", "rotate of the transforms"),
        ("rotate = true", "rotate of the transforms"),
        ("rotate = nan", "rotate of the transforms"),
        ("views = 1.5", "whole number"),
        ("crop = [0, 1]", "crop of the transforms"),
    ],
)
def test_a_wrong_file_is_said_in_a_line(tmp_path, text, expected):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=expected) as refused:
        Transforms.of(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", ["standart", "missing.toml", 3])
def test_what_is_neither_a_set_nor_a_file_is_refused(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="transforms"):
        Transforms.of(value)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_transforms_are_a_regular_file(tmp_path, make):
    path = tmp_path / "mine.toml"
    make(path)
    with pytest.raises(SettingsError, match="cannot read the transforms in .*: is a .*; a regular file is expected"):
        Transforms.of(path)


def test_transforms_that_are_huge_or_nested_deeply_are_refused(tmp_path):
    path = tmp_path / "mine.toml"
    for text, words in (("#" * 5_000_000, "5,000,000 bytes"), ("a = " + "[" * 5000, "nested too deeply")):
        path.write_text(text)
        with pytest.raises(SettingsError, match=words):
            Transforms.of(path)
