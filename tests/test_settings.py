from __future__ import annotations

import json

import numpy as np
import pytest

from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.objectives import layer


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


@pytest.mark.parametrize("objective", [3, ["block5c"], b"block5c", ""])
def test_an_objective_of_another_kind_is_refused(objective):
    with pytest.raises(SettingsError, match="expected"):
        DreamSettings(objective=objective)


def test_a_mistyped_setting_gets_the_close_matches():
    with pytest.raises(SettingsError, match="no setting 'step_sise'.*step_size"):
        DreamSettings.of(step_sise=0.1)


def test_settings_survive_json():
    settings = DreamSettings(objective="block5c - 0.3*block4b:17", octaves=np.int64(3), seed=2**63, rotate=2)
    assert DreamSettings.of(**json.loads(json.dumps(settings.to_dict()))) == settings


def test_settings_are_values():
    assert DreamSettings(objective="block5c") == DreamSettings(objective=layer("block5c"))
    assert hash(DreamSettings()) == hash(DreamSettings())
