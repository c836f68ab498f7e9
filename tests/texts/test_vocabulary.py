"""What the numbers of a network stand for."""

from __future__ import annotations

import json

import pytest

from dreamer.errors import SettingsError
from dreamer.texts import Vocabulary, vocabulary


def test_a_vocabulary_is_read_back_as_it_was_written(tmp_path):
    held = Vocabulary(("[UNK]", "a", " ", "\n", "\t", "\\", "\u2028", "é"))
    path = tmp_path / "chars.txt"
    path.write_text(held.written(), encoding="utf-8", newline="")
    assert vocabulary.read(path) == held
    path = tmp_path / "chars.json"
    path.write_text(json.dumps(list(held.entries)))
    assert vocabulary.read(path) == held


def test_a_single_line_is_its_characters(tmp_path):
    path = tmp_path / "chars.txt"
    path.write_text("abc \\n\n")
    assert vocabulary.read(path).entries == ("a", "b", "c", " ", "\n")


def test_tokens_are_found_by_the_longest_that_fits():
    held = Vocabulary(("", "[UNK]", "the", "th", " ", "cat"))
    assert held.pieces("the cat th!") == ["the", " ", "cat", " ", "th", "!"]
    assert held.numbers("the cat!").tolist() == [2, 4, 5, 1]


def test_one_more_number_than_entries_is_padding():
    held = Vocabulary(("a", "b"))
    assert held.fitting(3, "net").entries == ("", "a", "b")
    assert held.fitting(2, "net") is held
    with pytest.raises(SettingsError, match="has 2 entries, and net takes 7 different numbers; expected 7, or 6"):
        held.fitting(7, "net")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("v.json", "{}", "is no list of texts"),
        ("v.json", "[1]", "is no list of texts"),
        ("v.json", "[", "cannot read"),
        ("v.txt", "a\na\n", "has 'a' twice"),
        ("v.txt", "", "has no entry"),
        ("none.txt", None, "No such file"),
    ],
)
def test_what_is_no_vocabulary_is_refused(tmp_path, name, text, said):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError, match=said):
        vocabulary.read(tmp_path / name)
