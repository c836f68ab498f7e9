"""Shapes: what data from outside has to look like."""

from __future__ import annotations

import re

import pytest

from dreamer.shapes import problem

SHAPE = {"seed": int, "score": (float, None), "names": [str], "digests": {str: re.compile("[0-9a-f]+")}, "ok": bool}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"seed": 3, "other": object()},
        {"score": None, "names": [], "digests": {}},
        {"score": 2, "names": ["a\n", "caf\udce9"], "digests": {"a": "0f"}, "ok": True},
    ],
)
def test_what_fits_has_no_problem(value):
    assert problem(value, SHAPE) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "it is null; expected a table"),
        ([], "it is []; expected a table"),
        ({"seed": None}, "seed is null; expected a whole number"),
        ({"seed": True}, "seed is true; expected a whole number"),
        ({"seed": 1.5}, "seed is 1.5; expected a whole number"),
        ({"ok": 1}, "ok is 1; expected true or false"),
        ({"score": "x"}, "score is 'x'; expected a number or nothing"),
        ({"names": "abc"}, "names is 'abc'; expected a list"),
        ({"names": ["a", 3]}, "names[1] is 3; expected text"),
        ({"names": ["a\0b"]}, "names[0] is 'a\\x00b'; expected text"),
        ({"names": ["\ud800"]}, "names[0] is '\\ud800'; expected text"),
        ({"digests": {"a": "x"}}, "digests.a is 'x'; expected text of another form"),
        ({"digests": {"a\n": 3}}, "digests.a\\n is 3; expected text of another form"),
        ({"digests": {"a\0": "0"}}, "a name in digests is 'a\\x00'; expected text"),
    ],
)
def test_what_differs_is_said_with_its_place(value, words):
    assert problem(value, SHAPE) == words


def test_a_huge_text_is_refused_and_not_repeated():
    said = problem({"names": ["x" * 1_000_000]}, SHAPE)
    assert said is not None
    assert len(said) < 300


def test_of_several_shapes_the_nearest_is_told():
    assert problem({"mean": ["a"]}, ({"mean": [float]}, None)) == "mean[0] is 'a'; expected a number"
