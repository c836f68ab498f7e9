"""Ranges, the cells that they make, and what a recipe tells of those."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer import presets
from dreamer.choosing.cells import cells_of, columns_of
from dreamer.choosing.ranges import MOST_CELLS, spread
from dreamer.choosing.told import folded, picked
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError

SHEET = Path("sheet.png")


@pytest.mark.parametrize(
    ("text", "whole", "values"),
    [
        ("0.3,0.6,1", False, "0.3 0.6 1"),
        ("7", True, "7"),
        ("1..4", True, "1 2 3 4"),
        ("1..4", False, "1 2 3 4"),
        ("4..1", True, "4 3 2 1"),
        ("-1..1", False, "-1 0 1"),
        ("0.1..0.3/3", False, "0.1 0.2 0.3"),
        ("1..0/5", False, "1 0.75 0.5 0.25 0"),
        ("5..40/4", True, "5 17 28 40"),
        ("1, 3..5 ,.5..1/2", False, "1 3 4 5 0.5 1"),
        ("abc,2", False, "abc 2"),  # What reads a single value refuses it, in its own words.
    ],
)
def test_a_range_is_spread_out_into_what_would_be_typed(text, whole, values):
    if text == "1, 3..5 ,.5..1/2":
        with pytest.raises(SettingsError, match="'1' twice"):
            spread(text, whole=whole)
        text, values = "3..5 ,.5..1/2", "3 4 5 0.5 1"
    assert spread(text, whole=whole) == tuple(values.split())


@pytest.mark.parametrize(
    ("text", "whole", "words"),
    [
        ("0.3..1", False, "for four of them type 0.3..1/4"),
        ("1..4..9", True, "is no range"),
        ("1..", True, "is no range"),
        ("1..b", True, "is no range"),
        ("1..2/", False, "is no range"),
        ("1..2/1", False, "two numbers or more"),
        ("2..2/3", False, "expected two ends"),
        ("1..4/9", True, "no 9 whole numbers"),
        ("1,,2", True, "nothing beside a comma"),
        ("", True, "nothing beside a comma"),
        ("1,1", True, "'1' twice"),
        ("1..3,2", True, "'2' twice"),
        (f"1..{10**29}", True, f"at most {MOST_CELLS}"),
        ("0..1/999999999", False, f"at most {MOST_CELLS}"),
        (",".join(map(str, range(MOST_CELLS + 1))), True, f"at most {MOST_CELLS}"),
    ],
)
def test_what_is_no_range_is_refused_with_what_to_type(text, whole, words):
    with pytest.raises(SettingsError) as found:
        spread(text, whole=whole)
    assert words in str(found.value)


def test_cells_are_all_combinations_and_the_first_varies_slowest():
    cells = cells_of({"strength": [0.3, 1.0], "steps": 4, "seed": range(1, 4)})
    assert [cell.number for cell in cells] == [1, 2, 3, 4, 5, 6]
    told = [(cell.settings.strength, cell.settings.seed, cell.settings.steps) for cell in cells]
    assert told == [(0.3, 1, 4), (0.3, 2, 4), (0.3, 3, 4), (1.0, 1, 4), (1.0, 2, 4), (1.0, 3, 4)]
    assert cells[3].label == "4: strength 1, seed 1"  # Only what varies.
    assert columns_of(cells) == 3
    other = cells_of({"seed": range(1, 4), "strength": [0.3, 1.0]})
    assert [cell.settings.seed for cell in other] == [1, 1, 2, 2, 3, 3]
    assert columns_of(other) == 2
    assert columns_of(cells_of({"seed": [1, 2, 3]})) is None
    assert columns_of(cells_of({"strength": [0.3, 1], "seed": range(20)})) is None


def test_a_single_cell_has_its_number_alone():
    [cell] = cells_of({"steps": 3})
    assert (cell.label, cell.varied, cell.settings) == ("1", {}, DreamSettings(steps=3))


def test_labels_say_values_as_they_are_typed():
    cells = cells_of(
        {"octave_scale": [1.3, 2.0], "mask": ["far/away.png", "b.png"], "prior_noise": [(0.2, 0.1), 0.3],
         "objective": ["block5c", "2*block4b:1"]}
    )  # fmt: skip
    assert cells[0].label == "1: octave-scale 1.3, mask away.png, prior-noise 0.2..0.1, block5c"
    assert cells[-1].label == "16: octave-scale 2, mask b.png, prior-noise 0.3..0.3, 2*block4b:1"


def test_a_pair_of_numbers_is_one_value():
    [cell] = cells_of({"prior": "denoiser", "prior_noise": (0.2, 0.1)})
    assert cell.settings.prior_noise == (0.2, 0.1)


def test_presets_vary_like_any_option():
    cells = cells_of({"preset": ["lace", "eyes"], "strength": [0.5, 1]})
    assert [cell.label for cell in cells][1:3] == ["2: lace, strength 1", "3: eyes, strength 0.5"]
    assert cells[2].settings == presets.find("eyes").settings(strength=0.5)
    assert cells[2].preset == presets.find("eyes").origin
    with pytest.raises(SettingsError, match="two looks to begin with"):
        cells_of({"preset": "lace"}, settings=DreamSettings())


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"strength": [0.5, 2]}, "strength is 2; expected 0 to 1"),
        ({"strenght": [0.5, 1]}, "Close matches: strength"),
        ({"seed": []}, "seed has no values"),
        ({"seed": range(500)}, "seed has too many values; a sheet has at most 400"),
        ({"seed": range(10**30)}, "at most 400"),
        ({"seed": range(30), "octave_scale": [1.3, 1.4], "steps": range(1, 9)}, "30 of --seed x 2 of --octave-scale x"),
        ({"frames": [1, 2]}, "all with the same frames"),
        ({"preset": ["lace", "lase"]}, "no preset 'lase'"),
    ],
)  # fmt: skip
def test_impossible_cells_are_refused(told, words):
    with pytest.raises(SettingsError) as found:
        cells_of(told)
    assert words in str(found.value)


def recipes_of(told):
    return {cell.number: {"settings": cell.settings.to_dict(), **cell.preset} for cell in cells_of(told)}


WIDEST = {"preset": presets.names()[:32], "seed": list(range(12))}
FINEST = {
    "strength": [0.1, 0.2, 0.3, 0.4],
    "seed": range(5),
    "steps": range(3, 8),
    "octave_scale": [1.3, 1.4, 1.5, 1.6],
}


@pytest.mark.parametrize(
    "told", [WIDEST, FINEST, {"steps": 3}, {"prior": ["denoiser"], "calm": [0, 0.5], "seed": [1, 2]}]
)
def test_a_recipe_is_folded_without_a_loss_and_small(told):
    recipes = recipes_of(told)
    whole = {"source": {"name": "photo.jpg"}, **json.loads(json.dumps(folded(recipes)))}
    assert len(json.dumps(whole)) < 60_000  # What a JPEG has room for.
    for number, recipe in recipes.items():
        assert picked(whole, number, SHEET) == {"source": {"name": "photo.jpg"}, **json.loads(json.dumps(recipe))}


tables = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2))
told_recipes = st.fixed_dictionaries(
    {"settings": tables.filter(bool)}, optional={"files_sha256": tables.filter(bool), "preset": st.sampled_from("xy")}
)


@given(st.dictionaries(st.integers(1, 30), told_recipes, min_size=1, max_size=6))
def test_any_recipes_come_back_as_they_were(recipes):
    whole = {"source": {}, **folded(recipes)}
    for number, recipe in recipes.items():
        assert picked(whole, number, SHEET) == {"source": {}, **recipe}


def test_a_cell_is_named_by_a_preset_that_only_it_has():
    one = {"source": {}, **folded(recipes_of({"preset": ["lace", "eyes"]}))}
    assert picked(one, "eyes", SHEET)["preset"] == "eyes"
    many = {"source": {}, **folded(recipes_of({"preset": ["lace", "eyes"], "seed": [1, 2]}))}
    with pytest.raises(SettingsError, match="several cells of sheet.png are of the preset eyes: 3, 4; give a number"):
        picked(many, "eyes", SHEET)
    with pytest.raises(SettingsError, match="no cell 'waves'; expected a number from 1 to 4, or .* eyes, lace"):
        picked(many, "waves", SHEET)
    with pytest.raises(SettingsError, match="no cell 99: it has 4, numbered from 1"):
        picked(many, 99, SHEET)
    with pytest.raises(SettingsError, match="it was interrupted, and has 2: 1, 3"):
        picked({**many, "cells": many["cells"][::2]}, 2, SHEET)
