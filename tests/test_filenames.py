"""Names that a folder can hold."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.files.names import LONGEST, joined

BYTES = st.binary(min_size=1, max_size=400).map(os.fsdecode)
stems = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=300) | BYTES


@settings(max_examples=300, deadline=None, database=None)
@given(stem=stems, ending=st.sampled_from([".png", "-dream.png", "-preview-12.jpeg"]))
def test_a_name_fits_keeps_its_ending_and_is_whole_where_there_is_room(stem, ending):
    name = joined(stem, ending)
    assert len(os.fsencode(name)) <= LONGEST
    assert name.endswith(ending)
    assert joined(stem, ending) == name
    if len(os.fsencode(stem + ending)) <= LONGEST:
        assert name == stem + ending


@settings(max_examples=100, deadline=None, database=None)
@given(stem=stems, other=stems)
def test_two_stems_never_become_one(stem, other):
    long = 200 * "a"
    assert (joined(long + stem, "-dream.png") == joined(long + other, "-dream.png")) == (stem == other)


@pytest.mark.parametrize(
    "character",
    ["夢", "e\N{COMBINING ACUTE ACCENT}", "か\N{COMBINING KATAKANA-HIRAGANA VOICED SOUND MARK}",
     "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}", "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}", "a"],
)  # fmt: skip
def test_no_character_is_cut(character):
    for before in range(8):
        begin = joined(before * "x" + 200 * character, "-dream.png").removesuffix("-dream.png")[:-9]
        assert begin == before * "x" + (len(begin) - before) // len(character) * character
        assert not unicodedata.combining(begin[0])
