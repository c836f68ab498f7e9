"""Nouns that no class is called, and the classes that WordNet sorts beside them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dreamer.errors import UnknownClassError
from dreamer.models import classes, kinds, labels
from dreamer.models.labels import Label


@pytest.mark.parametrize(
    ("shown", "said", "counts"),
    [
        ("zebra", "horse", True), ("zebra", "zebra", True), ("zebra", "dog", False),
        ("tabby", "cat", True), ("tabby", "tiger", False), ("tabby", "sofa", False),
        ("school bus", "bus", True), ("school bus", "trolleybus", False), ("school bus", "banana", False),
        ("volcano", "mountain", True), ("volcano", "lava", False), ("teapot", "kettle", True),
        ("broccoli", "xyzzy", False),
    ],
)  # fmt: skip
def test_an_answer_may_be_of_the_same_narrow_kind(shown, said, counts):
    [label] = [one for one in labels.imagenet() if one.name.split(", ")[0] == shown]
    assert kinds.share_kind(str(label.synset), said) is counts


def near(noun):
    return [label.name.split(", ")[0] for label in labels.near(labels.imagenet(), noun)]


@pytest.mark.parametrize(
    ("noun", "first", "among"),
    [
        ("horse", "sorrel", {"zebra", "hog"}),
        ("horses", "sorrel", {"zebra", "hog"}),
        ("arabian horse", "sorrel", {"zebra", "hog"}),
        ("cow", "ox", {"bison", "water buffalo"}),
        ("giraffe", "bison", {"gazelle", "ox"}),
        ("duck", "drake", {"red-breasted merganser", "goose"}),
        ("car", "ambulance", {"convertible", "jeep", "limousine"}),
        ("house", "palace", {"yurt", "cliff dwelling"}),
        ("person", "ballplayer", {"scuba diver", "groom"}),
        ("people", "ballplayer", {"scuba diver", "groom"}),
        ("Women", "ballplayer", {"scuba diver", "groom"}),
        ("rose", "daisy", {"yellow lady's slipper"}),
        ("mice", "hamster", {"beaver"}),
        ("wolves", "timber wolf", {"coyote"}),
        ("seal", "sea lion", {"dugong"}),
        ("dolphin", "rock beauty", {"killer whale"}),  # There is a fish of that name too.
        ("dog", "dalmatian", {"pug"}),
        ("truck", "fire engine", {"pickup"}),
    ],
)
def test_kinds_near_to_a_noun_come_nearest_first(noun, first, among):
    found = near(noun)
    assert found[0] == first
    assert among <= set(found)
    assert len(found) == len(set(found)) <= 8


@pytest.mark.parametrize("noun", ["sky", "hand", "cloud"])
def test_a_noun_can_have_nothing_near(noun):
    assert kinds.is_noun(noun)
    assert near(noun) == []


@pytest.mark.parametrize("word", ["", " ", "xyzzyx", "block4b", "democracy", "é", "~", "horse~"])
def test_what_is_no_noun_for_a_thing_has_no_kinds(word):
    assert not kinds.is_noun(word)
    assert near(word) == []


def test_every_class_of_imagenet_is_in_the_table_and_nearest_to_itself():
    for label in labels.imagenet():
        kind = kinds._Meaning((label.synset,), is_kind=True)
        assert kinds._near(kind)[0] == label.synset


def found(wanted, known=None):
    return classes.find(wanted, known or labels.imagenet(), "mine")


@pytest.mark.parametrize("wanted", ["horse", "house", "rose", "coffee", "duck"])
def test_a_noun_in_the_name_of_something_else_is_no_class(wanted):
    # A river horse and a horse cart are no horses, and to draw a rose hip for a rose would be a surprise.
    with pytest.raises(UnknownClassError, match=f"mine never learnt '{wanted}'.*near to it.*Others have the word"):
        found(wanted)


def test_what_ends_the_first_name_or_is_no_noun_still_names_a_class():
    assert found("dragon") == 48
    assert found("siberian") == 250
    assert found("tabby") == 281


def test_of_several_classes_those_that_are_meant_come_first():
    with pytest.raises(UnknownClassError, match=r"'car': logit:436 \(beach wagon\).*logit:479 \(car wheel\)"):
        found("car")


@pytest.mark.parametrize("wanted", ["giraffe", "sky"])
def test_it_is_said_plainly_that_a_thing_was_never_learnt(wanted):
    with pytest.raises(UnknownClassError, match=f"mine never learnt '{wanted}': none of its 1000 classes") as refused:
        found(wanted)
    assert "\n" not in str(refused.value)


def test_classes_without_synsets_are_found_by_spelling():
    known = (Label(0, "giraff"), Label(1, "horse cart"))
    with pytest.raises(UnknownClassError, match=r"mine has no class 'giraffe'. Close matches: logit:0 \(giraff\)"):
        found("giraffe", known)


def test_whole_words_come_before_parts_of_words():
    names = [label.name for label in labels.find(labels.imagenet(), "cat")]
    assert names.index("lesser panda, red panda, panda, bear cat, cat bear, Ailurus fulgens") < names.index("catamaran")


def test_the_table_is_not_read_before_it_is_needed():
    code = (
        "import dreamer.cli, dreamer.models.kinds as kinds; dreamer.cli.run(['--help'])\n"
        "assert kinds._table.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
