from __future__ import annotations

import json

import numpy as np
import pytest

from dreamer.errors import SettingsError
from dreamer.settings import DreamSettings, Target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("block5c", Target("block5c")),
        ("block5c=2", Target("block5c", weight=2.0)),
        ("block5c:17", Target("block5c", 17)),
        (" block5c:17=-0.25", Target("block5c", 17, -0.25)),
    ],
)
def test_a_target_is_read_and_written_alike(text, target):
    assert Target.parse(text) == target
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize("text", ["", "=1", ":3", "a:x", "a:", "a=", "a=x", "a:-1", "a=0", "a=nan", "a=inf"])
def test_a_target_of_another_form_is_refused(text):
    with pytest.raises(SettingsError, match=r"expected|needs"):
        Target.parse(text)


def test_a_weight_keeps_its_last_digit():
    target = Target("a", weight=0.1 + 0.2)
    assert Target.parse(str(target)).weight == target.weight


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("octaves", 0),
        ("octave_scale", 1.0),
        ("octave_scale", float("nan")),
        ("steps", 0),
        ("steps", 1.5),
        ("steps", True),
        ("steps", None),
        ("tile", None),
        ("step_size", "0.1"),
        ("strength", True),
        ("step_size", 0.0),
        ("step_size", float("inf")),
        ("jitter", -1),
        ("rotate", 181),
        ("scale", 0.6),
        ("strength", 1.1),
        ("max_size", 0),
        ("tile", 31),
        ("seed", -1),
        ("conditioning", "magic"),
    ],
)
def test_an_impossible_value_is_refused_by_name(field, value):
    with pytest.raises(SettingsError, match=rf"{field} is .*; expected "):
        DreamSettings(**{field: value})


@pytest.mark.parametrize("targets", [None, 3, [3], [None]])
def test_targets_of_another_kind_are_refused(targets):
    with pytest.raises(SettingsError, match="expected"):
        DreamSettings(targets=targets)


def test_a_mistyped_setting_gets_the_close_matches():
    with pytest.raises(SettingsError, match="no setting 'step_sise'.*step_size"):
        DreamSettings.of(step_sise=0.1)


def test_settings_survive_json():
    settings = DreamSettings(targets=("block5c", "block4b:17=-0.3"), octaves=np.int64(3), seed=2**63, rotate=2)
    assert DreamSettings.of(**json.loads(json.dumps(settings.to_dict()))) == settings


def test_settings_are_values():
    assert DreamSettings(targets="block5c") == DreamSettings(targets=[Target("block5c")])
    assert hash(DreamSettings()) == hash(DreamSettings())
