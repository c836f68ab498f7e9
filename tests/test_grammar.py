# ruff: noqa: RUF001
"""Objectives as text: whatever is typed is read or refused, quickly, and a name gives back what it names."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.objectives import (
    Objective,
    channel,
    custom,
    direction,
    diversity,
    guided,
    interpolated,
    layer,
    logit,
    neuron,
    penalty,
    style,
)
from dreamer.objectives.bounds import MOST_TERMS
from dreamer.objectives.terms import PENALTIES

_quick = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])

_texts = st.text(min_size=1, max_size=12) | st.text("ab\"'#@:^*+-() ,\n", min_size=1, max_size=8)
_files = _texts.filter(lambda text: "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text))
_indices = st.integers(0, 2**31 - 1)
_powers = st.floats(0, 10)
_singles = st.one_of(
    st.builds(layer, _texts),
    st.builds(channel, _texts, _indices),
    st.builds(neuron, _texts, _indices),
    st.builds(lambda name, index, y, x: neuron(name, index, y=y, x=x), _texts, _indices, _indices, _indices),
    st.builds(logit, _indices | _texts),
    st.builds(lambda name, seed, power: direction(name, seed=seed, power=power), _texts, _indices, _powers),
    st.builds(lambda name, file, power: direction(name, file, power=power), _texts, _files, _powers),
    st.builds(guided, _texts, _files),
    st.builds(style, _texts, _files),
    st.builds(diversity, _texts),
    st.builds(penalty, st.sampled_from(PENALTIES)),
)
_weights = st.floats(-1e12, 1e12)
_sums = st.lists(st.tuples(_weights, _singles), min_size=1, max_size=5).map(
    lambda terms: Objective(tuple((weight, one.terms[0][1]) for weight, one in terms))
)


@_quick
@given(_sums)
def test_the_name_of_any_objective_that_can_be_typed_gives_it_back(objective):
    assert Objective.parse(objective.name) == objective
    assert Objective.parse(objective.name).name == objective.name


@_quick
@given(st.text(max_size=80) | st.text("ab01\"'#@:^*+-(). e,<>“−", max_size=40))
@example("−")
@example("“")
@example("logit:\n-\n")
@example("“\n”")
@example('custom:""<function ')
@example("direction:a@<array sha256:>")
def test_any_text_is_read_or_refused_in_a_line(text):
    found = refused = None
    try:
        found = Objective.parse(text)
    except SettingsError as error:
        refused = str(error)
    if found is not None:
        assert Objective.parse(found.name) == found
    else:
        assert "expected" in refused or "cannot give back" in refused
        assert "\n" not in refused


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "a" + ")" * 10_000,
        "(" * 100_000,
        "-(" * 10_000,
        "2*" * 50_000 + "a",
        " + ".join(["a"] * 20_000),
        "1" * 5_000 + "*a",
        "a:" + "1" * 5_000,
        "logit:" + "1" * 5_000,
        "direction:a#" + "1" * 5_000,
        "a:1@" + "1" * 5_000 + ",1",
        "direction:a#1^" + "9" * 5_000,
        "0." + "0" * 5_000 + "1*a",
        "a" + " " * 400_000 + "b",
        '"' * 200_001,
        "'" + "''" * 100_000,
        "x" * 1_000_000,
        "guided:a@" + "x" * 1_000_000,
        "logit:a" + " b" * 200_000,
        "logit:" + "a   -" * 100_000,
    ],
    ids=lambda text: f"{text[:12]}... {len(text)}",
)
def test_text_without_end_is_refused_at_once_in_a_short_line(text):
    began = time.process_time()
    with pytest.raises(SettingsError, match="expected|more than") as refused:
        Objective.parse(text)
    assert time.process_time() - began < 1
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "text",
    [
        "a" + " " * 400_000,
        " " * 400_000 + "a",
        "a" + " " * 200_000 + "+" + " " * 200_000 + "b",
        "(" * 90 + "a" + ")" * 90,
    ],
    ids=len,
)
def test_spaces_and_brackets_of_which_there_are_many_are_read_in_linear_time(text):
    began = time.process_time()
    assert Objective.parse(text).layers <= {"a", "b"}
    assert time.process_time() - began < 1


def test_as_many_terms_as_there_may_be_are_read_named_hashed_and_added_quickly():
    began = time.process_time()
    most = Objective.parse(" - ".join(f"{index}.5*a:{index}" for index in range(MOST_TERMS)))
    assert Objective.parse(most.name) == most
    assert hash(most) == hash(Objective.parse(most.name))
    assert len((2 * -most).terms) == MOST_TERMS
    with pytest.raises(SettingsError, match=f"more than {MOST_TERMS} terms"):
        most + layer("b")
    with pytest.raises(SettingsError, match="more than"):
        sum((layer("a") for _ in range(20_000)), start=layer("b"))
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "text",
    ["a:٣", "٣*a", "a:३", "a:-0", "a:-1", "nan*a", "inf*a", "1e999*a", "-1e999*a", "1e13*a", "0*1e308*1e308*a",
     "a:2147483648",     "direction:a#18446744073709551616", "direction:a#1^11", "a:1e3", "a:0x1", "a:1_0"],
)  # fmt: skip
def test_numbers_that_are_none_of_an_objective_s_are_refused(text):
    with pytest.raises(SettingsError):
        Objective.parse(text)


def test_a_zero_has_no_sign_and_numbers_keep_all_their_digits():
    assert Objective.parse("-0*a") == Objective.parse("0*a")
    assert Objective.parse("-0*a").name == Objective.parse("0*a").name == "0*a"
    assert direction("a", seed=1, power=0.12345678901).name == "direction:a#1^0.12345678901"


@pytest.mark.parametrize(
    "make",
    [
        lambda: 1e300 * layer("a"),
        lambda: 10**5000 * layer("a"),
        lambda: layer("a") * "2",
        lambda: layer("a") * layer("b"),
        lambda: channel("a", 10**5000),
        lambda: neuron("a", 1, y=2**31, x=0),
        lambda: direction("a", seed=2**64),
        lambda: direction("a", seed=1, power=1e300),
        lambda: direction("a", seed=1, power="2"),
        lambda: direction("a", ["x"]),
        lambda: direction("a", [1j]),
        lambda: direction("a", [[1], [1, 2]]),
        lambda: direction("a", ""),
        lambda: guided("a", ""),
        lambda: guided("a", "a\0b"),
        lambda: guided("a", "\ud800"),
        lambda: guided("a", {}),
        lambda: logit(""),
        lambda: layer("x" * 5000),
        lambda: custom("mine", ["a"], 3),
        lambda: custom("", ["a"], len),
        lambda: custom("mine", [""], len),
        lambda: Objective(((1.0, layer("a").terms[0][1]),) * 20_000),
    ],
)
def test_what_float32_or_a_file_cannot_be_is_refused_where_it_is_made(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SettingsError) as refused:
            make()
    assert len(str(refused.value)) < 400


def _digest(objective):
    return DreamSettings(objective=objective).digest()


def test_functions_and_arrays_have_digests_of_their_own_and_names_that_say_that_they_are_not_text():
    one, other = (lambda found: found["a"]), (lambda found: found["a"])
    goals = [
        custom("mine", ["a"], one),
        custom("mine", ["a"], other),
        custom("mine", ["a", "b"], one),
        custom("a", ["a"], one),
        layer("a"),
        direction("a", [1, 2]),
        direction("a", [1, 3]),
        guided("a", np.zeros((2, 2, 3))),
    ]
    assert len({_digest(goal) for goal in goals}) == len(goals)
    assert _digest(custom("mine", ["a"], one)) == _digest(custom("mine", ["a"], one))
    for goal in goals:
        if goal != layer("a"):
            with pytest.raises(SettingsError, match="cannot give back"):
                Objective.parse((2 * goal - layer("b")).name)


def test_a_label_stays_short_where_a_name_needs_many_digits():
    assert (2 * custom("mine", ["a"], len) - layer("b")).label == "2*mine - b"
    assert len(direction("a", [1, 2]).label) == len("direction:a@<12345678>")
    assert layer("a").label == "a"
    assert direction("b", "<12345678>").name == 'direction:b@"<12345678>"'


def test_what_is_done_to_an_array_later_does_not_reach_the_objective():
    values = np.array([1, 2], np.float32)
    goal = direction("a", values)
    values[0] = 9
    assert goal == direction("a", [1, 2])
    with pytest.raises(ValueError, match="read-only"):
        goal.terms[0][1].values.array[0] = 9


def test_files_called_like_arrays_are_files():
    for file in ("<array sha256:12>", "<12>", "a\"b'c", "it''s"):
        assert Objective.parse(guided("a", file).name).files == (file,)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("conv 1", """type '"conv 1"'; of a class: 'logit:conv 1'"""),
        ("conv 1:3", """type '"conv 1":3'"""),
        ("block4b   Conv2D  14x14x80", "type the name alone: block4b"),
        ("block4b\tConv2D", "type the name alone: block4b"),
        ("“logit:tabby cat”", "type 'logit:tabby cat'"),
        ("a – b", "type 'a - b'"),
        ("−block4b:17", "type '-block4b:17'"),
        ("2×a", "type '2*a'"),
    ],
)
def test_what_to_type_instead_is_said(text, advice):
    with pytest.raises(SettingsError) as refused:
        Objective.parse(text)
    assert advice in str(refused.value)


def test_on_the_way_from_one_to_another_nothing_is_lost():
    for goal in interpolated(channel("a", 1), -1 * logit("b"), 7):
        assert Objective.parse(goal.name) == goal


def test_a_name_with_an_accent_is_asked_for_in_quotes():
    with pytest.raises(SettingsError, match=r"""Then type '"für"'; of a class: 'logit:für'"""):
        Objective.parse("für")
