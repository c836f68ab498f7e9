"""What a person asks for -> units."""

from __future__ import annotations

import pytest

from dreamer.atlases import units
from dreamer.errors import SettingsError, UnknownClassError, UnknownLayerError
from dreamer.objectives import Objective


def test_channels_are_numbers_and_ranges_with_both_ends():
    assert units.channels("0-2, 7,5") == (range(3), range(7, 8), range(5, 6))
    for wrong in ("", "a", "3-", "-3", "5-2", "1,,2", "1.5", "0-1-2"):
        with pytest.raises(SettingsError, match="expected numbers and ranges, as in 0-63,80"):
            units.channels(wrong)


def test_units_come_layer_by_layer_each_once_in_order(tiny_network):
    found = units.chosen(tiny_network, ["second", "first", "second"], wanted=units.channels("3-9,0,3"))
    assert [(unit.layer, unit.index) for unit in found] == [
        ("second", 0), ("second", 3), ("first", 0), ("first", 3), ("first", 4)
    ]  # fmt: skip
    assert Objective.parse(found[-1].objective).terms[0][1].unit == 4
    assert len(units.chosen(tiny_network, ["first", "pool"])) == 5 + 4


def test_a_range_is_cut_to_a_layer_but_what_none_has_is_refused(tiny_network):
    with pytest.raises(
        UnknownLayerError, match="layer 'first' of efficientnet_lite0 has no channel 5; expected 0 to 4"
    ):
        units.chosen(tiny_network, ["first"], wanted=units.channels("0,5-7"))
    assert len(units.chosen(tiny_network, ["first", "second"], wanted=units.channels("4"))) == 1
    with pytest.raises(UnknownLayerError, match="none of these layers"):
        units.chosen(tiny_network, ["first", "second"], wanted=units.channels("5"))
    with pytest.raises(UnknownLayerError, match="no layer 'frist'"):
        units.chosen(tiny_network, ["frist"])
    with pytest.raises(SettingsError, match="no layer is named"):
        units.chosen(tiny_network, [], wanted=units.channels("5"))


def test_classes_go_by_name_and_as_logits(lite0):
    found = units.chosen(lite0, ["block2b"], wanted=units.channels("0"), classes="tabby")
    assert [(unit.objective, unit.name) for unit in found] == [
        ("block2b:0", "block2b:0"),
        ("logit:281", "tabby, tabby cat"),
    ]
    assert len(units.chosen(lite0, classes="")) == 1000
    cats = [unit.name for unit in units.chosen(lite0, classes="cat")]
    assert "tiger cat" in cats
    assert not any("catamaran" in name or "cacatua" in name.lower() for name in cats)
    assert [unit.index for unit in units.chosen(lite0, classes="catamar")] == [484]
    # A class is a class, however it is asked for.
    assert units.chosen(lite0, ["logits"], wanted=units.channels("281")) == found[1:]
    with pytest.raises(UnknownClassError, match="no class 'tabbby'. Close matches: tabby, tabby cat"):
        units.chosen(lite0, classes="tabbby")
    with pytest.raises(UnknownClassError, match="See all: dreamer labels"):
        units.chosen(lite0, classes="qqqqqq")


def test_all_layers_are_those_that_end_blocks(lite0, tiny_network):
    names = {unit.layer for unit in units.chosen(lite0, all_layers=True)}
    assert {"block1a", "block2b", "block4c", "block7a", "head"} <= names
    assert not {"block2b_expand", "stage4", "logits", "pool"} & names
    # Without branches, every convolution.
    assert {unit.layer for unit in units.chosen(tiny_network, all_layers=True)} == {"first", "second"}
