"""TOML and JSON from outside: bounded, and written so that nothing breaks out."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.files.documents import parse_json, parse_toml, read_toml, toml_comment, toml_key, toml_line
from dreamer.wording import is_obeyed

property_test = settings(max_examples=200)
# What TOML can hold: all of Unicode but halves of pairs.
texts = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "{a=" * 5000 + "1" + "}" * 5000,
        ".".join(["a"] * 5000) + " = 1",
        "[" + ".".join(["a"] * 5000) + "]",
        "[[" + " . ".join(['"a"'] * 5000) + "]]",
        "a = {" + ".".join(["a"] * 5000) + " = 1}",
        "a = " + "[" * 100 + "]" * 100,
        "\n".join(f"[x{n}." + ".".join(["a"] * 90) + "]" for n in range(2000)),
    ],
    ids=["lists", "tables", "dots", "heads", "heads of lists", "dots within", "a hundred", "many long heads"],
)
def test_toml_that_is_nested_deeply_is_refused_at_once(text):
    began = time.monotonic()
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_toml(text)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("text", ["[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000, "[" * 100 + "]" * 100])
def test_json_that_is_nested_deeply_is_refused(text):
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(text)


def test_json_holds_no_numbers_that_json_has_not():
    assert parse_json('{"a": NaN, "b": [Infinity, -1e999], "c": 1.5}') == {"a": None, "b": [None, None], "c": 1.5}


def test_a_toml_file_is_a_regular_file_of_some_size(tmp_path):
    os.mkfifo(tmp_path / "fifo.toml")
    (tmp_path / "large.toml").write_text("#" * 2_000_000)
    for place, words in ((tmp_path / "fifo.toml", "a pipe"), (tmp_path / "large.toml", "2,000,000 bytes")):
        with pytest.raises(OSError, match=words):
            read_toml(place)
    with pytest.raises(OSError, match="a device"):
        read_toml(tmp_path / "../../../../../../../../dev/zero")


@property_test
@given(
    texts,
    st.one_of(texts, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.lists(texts)),
)
def test_any_key_and_value_read_back_from_one_harmless_line(key, value):
    line = toml_line(key, value)
    assert not any(map(is_obeyed, line))
    assert parse_toml(f"{line}\nlast = 1") == {"last": 1} | {key: value}


@property_test
@given(st.text())
def test_nothing_breaks_out_of_a_comment(text):
    comment = toml_comment(text)
    assert not any(map(is_obeyed, comment))
    assert parse_toml(f"{comment}\nlast = 1") == {"last": 1}


@property_test
@given(texts)
def test_any_name_is_the_head_of_a_table(name):
    assert parse_toml(f"[variants.{toml_key(name)}]\na = 1") == {"variants": {name: {"a": 1}}}


def test_what_is_no_unicode_cannot_be_a_value():
    with pytest.raises(ValueError, match=r"caf\\xe9.* is no Unicode"):
        toml_line("mask", "caf\udce9.png")
