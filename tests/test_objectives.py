from __future__ import annotations

import math

import numpy as np
import pytest

from dreamer import objectives
from dreamer.errors import SettingsError
from dreamer.objectives import Objective, channel, direction, diversity, guided, layer, logit, neuron, penalty


@pytest.mark.parametrize(
    ("objective", "name"),
    [
        (0.8 * channel("mixed4d", 139) - layer("mixed3b"), "0.8*mixed4d:139 - mixed3b"),
        (-layer("a"), "-a"),
        (-1 * -layer("a"), "a"),
        (2 * (layer("a") + layer("b")), "2*a + 2*b"),
        (layer("a") - (layer("b") - layer("c")), "a - b + c"),
        (layer("a") + -2 * layer("b"), "a - 2*b"),
        (-2 * layer("a") + layer("b"), "-2*a + b"),
        (neuron("a", 3), "a:3@centre"),
        (neuron("a", 3, y=2, x=5), "a:3@2,5"),
        (logit(281), "logit:281"),
        (logit("tabby cat"), 'logit:"tabby cat"'),
        (direction("a", seed=7), "direction:a#7"),
        (direction("a", seed=7, power=2), "direction:a#7^2"),
        (direction("a", "cats.npy"), 'direction:a@"cats.npy"'),
        (guided("a", "my photo.jpg"), 'guided:a@"my photo.jpg"'),
        (layer("a") + 3 * diversity("b") - 0.25 * penalty("l1"), "a + 3*diversity:b - 0.25*l1"),
        (layer("conv/relu:0"), '"conv/relu:0"'),
        (channel("my layer", 2), '"my layer":2'),
        (layer("blur") - penalty("blur"), '"blur" - blur'),
        ((0.1 + 0.2) * layer("a"), "0.30000000000000004*a"),
        (1e-7 * layer("a"), "1e-07*a"),
    ],
)
def test_a_name_says_all_of_it_and_is_read_back(objective, name):
    assert objective.name == str(objective) == name
    assert Objective.parse(name) == objective


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" block4b:17+0.5*block5a:3-block2a ", "block4b:17 + 0.5*block5a:3 - block2a"),
        ("2*(a - 3*(b + c))", "2*a - 6*b - 6*c"),
        ("-(a - b)", "-a + b"),
        ("2 * 3 * a", "6*a"),
        ("+a", "a"),
        ("a:3@center", "a:3@centre"),
        ("a:3 @ 2 , 5", "a:3@2,5"),
        # As a shell hands it over, without its quotes.
        ("logit:tabby cat", 'logit:"tabby cat"'),
        ("logit:three-toed sloth - 2*logit:lady's slipper", 'logit:"three-toed sloth" - 2*logit:"lady\'s slipper"'),
        ("2*(logit:great white shark + a)", '2*logit:"great white shark" + 2*a'),
        ("guided:a@photo.jpg - b", 'guided:a@"photo.jpg" - b'),
        ("'odd name':3", '"odd name":3'),
        ("outer.inner:3", "outer.inner:3"),
        ("1e-3*a", "0.001*a"),
    ],
)  # fmt: skip
def test_what_a_person_types(text, name):
    assert Objective.parse(text).name == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "name of a layer"),
        ("a +", "name of a layer"),
        ("a b", "another term"),
        ("a:", "number of a channel"),
        ("a:x", "number of a channel"),
        ("a:-1", "number of a channel"),
        ("a:1@", "position"),
        ("a:1@3", "comma"),
        ("(a", "closing bracket"),
        ("a)", "another term"),
        ("logit:", "class"),
        ("direction:a", "seed"),
        ("direction:a#", "a seed"),
        ("direction:a#1^", "power"),
        ("guided:a", "picture"),
        ("a=0.5", "another term"),
        ("*a", "name of a layer"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text, expected):
    with pytest.raises(SettingsError, match=f"cannot read the objective .*expected .*{expected}") as refused:
        Objective.parse(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: math.nan * layer("a"),
        lambda: Objective(()),
        lambda: layer(""),
        lambda: channel("a", -1),
        lambda: channel("a", True),
        lambda: channel("a", 1.5),
        lambda: neuron("a", 1, y=3),
        lambda: direction("a"),
        lambda: direction("a", [1.0], seed=3),
        lambda: direction("a", seed=3, power=-1),
        lambda: penalty("ugliness"),
        lambda: Objective.parse(None),
        lambda: objectives.interpolated(layer("a"), layer("b"), 1),
    ],
)
def test_impossible_objectives_are_refused(make):
    with pytest.raises(SettingsError, match="expected|needs"):
        make()


def test_it_knows_the_layers_it_needs():
    goal = Objective.parse("2*a:3 - b + direction:c#1 + guided:d@x.jpg + diversity:e - blur + logit:3")
    assert goal.layers == {"a", "b", "c", "d", "e"}
    assert objectives.custom("mine", ["b", "a"], len).layers == {"a", "b"}


def test_it_knows_the_files_it_reads():
    goal = Objective.parse('2*a:3 - direction:b@"v.npy" + guided:c@x.jpg + guided:d@x.jpg - blur + direction:c#1')
    assert goal.files == ("v.npy", "x.jpg")
    assert guided("a", np.zeros((2, 3, 3))).files == ()


def test_operators_leave_their_operands_alone():
    a, b = layer("a"), channel("b", 1)
    before = a, b
    _ = -2 * a + b - a * 3
    assert (a, b) == before == (layer("a"), channel("b", 1))


def test_arrays_are_told_apart_by_their_numbers():
    one, same, other = (direction("a", values) for values in ([1, 2], np.array([1.0, 2.0]), [2, 1]))
    assert one == same != other
    assert hash(one) == hash(same)
    assert one.name == same.name != other.name
    assert guided("a", np.zeros((2, 3, 3))) != guided("a", np.zeros((3, 2, 3)))


def test_a_weight_of_a_small_kind_of_numpys_is_a_number():
    with np.errstate(all="raise"):
        assert (layer("a") * np.float16(0.5)).name == "0.5*a"


@pytest.mark.parametrize("layers", ["block4b", None, 5])
def test_a_score_of_ones_own_needs_a_list_of_layers(layers):
    with pytest.raises(SettingsError, match="expected several"):
        objectives.custom("mine", layers, lambda found: found)
