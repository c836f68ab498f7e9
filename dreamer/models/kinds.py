"""Which classes of ImageNet are near to what a noun means, as WordNet sorts things: sorrel, zebra and hog to "horse".

The one idea: a class is the nearer, the fewer classes there are of the narrowest kind that both are of.
``imagenet_kinds.tsv`` holds the kinds and the common nouns; ``scripts/make_kinds.py`` makes it.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

_MOST_OF_A_KIND = 60
"""With a kind of more classes, such as artifact, nothing is said that is not of the noun's own kind."""


class _Meaning(NamedTuple):
    """What a noun means: a kind of the table, or something beneath one or more of them."""

    kinds: tuple[str, ...]
    is_kind: bool


class _Kinds(NamedTuple):
    """The table: for each kind the next wider ones, and the classes that are of it; for each noun what it means."""

    wider: dict[str, tuple[str, ...]]
    classes: dict[str, frozenset[str]]
    meanings: dict[str, tuple[_Meaning, ...]]


def is_noun(word: str) -> bool:
    """Whether a word, or the last of several, is known as a noun for something that could be drawn.

    Example:
        >>> is_noun("red roses"), is_noun("xyzzy")
        (True, False)
    """
    return bool(_meanings(word))


def is_kind_of(synset: str, noun: str) -> bool:
    """Whether a class is of a kind that a noun means.

    Example:
        >>> is_kind_of("n02389026", "horse"), is_kind_of("n02398521", "horse")  # A sorrel; a hippopotamus.
        (True, False)
    """
    classes = _table().classes
    return any(meaning.is_kind and synset in classes[kind] for meaning in _meanings(noun) for kind in meaning.kinds)


def share_kind(synset: str, noun: str, steps: int = 2) -> bool:
    """Whether a class and what a noun means are of one narrow kind.

    Args:
        synset: Of the class.
        noun: In the singular or the plural; of several words the last counts.
        steps: How far up from each of them the kind may be, in steps of WordNet between kinds that the table holds.

    Returns:
        Whether there is such a kind, which has no more than 60 classes; so a thing is not near to every other thing.

    Example:
        >>> share_kind("n02391049", "horse"), share_kind("n02391049", "dog")  # A zebra.
        (True, False)
    """
    above = {kind for kind, up in _steps_up((synset,)).items() if up <= steps}
    classes = _table().classes
    for meaning in _meanings(noun):
        for kind, up in _steps_up(meaning.kinds).items():
            if up <= steps and kind in above and len(classes[kind]) <= _MOST_OF_A_KIND:
                return True
    return False


def near(noun: str, most: int) -> list[str]:
    """The classes that are near to what a noun means.

    Args:
        noun: In the singular or the plural; of several words the last counts.
        most: How many to give.

    Returns:
        Their synsets, nearest first; none where the noun is not known or nothing is near.

    Example:
        >>> near("horse", 2)  # A sorrel is a horse, a zebra is an equine too.
        ['n02389026', 'n02391049']
    """
    first, *others = [_near(meaning) for meaning in _meanings(noun)] or [[]]
    second = [one for found in others for one in found if one not in first[:most]][: most // 3 if first else most]
    return [*first[: most - len(second)], *second]


def _near(meaning: _Meaning) -> list[str]:
    table = _table()
    found: dict[str, tuple[int, int]] = {}
    for kind, up in _steps_up(meaning.kinds).items():
        number = len(table.classes[kind])
        if number > _MOST_OF_A_KIND and not (meaning.is_kind and kind in meaning.kinds):
            continue
        for one in table.classes[kind]:
            nearness = number, up + _steps_up((one,))[kind]
            found[one] = min(nearness, found.get(one, nearness))
    return sorted(found, key=lambda one: (*found[one], one))


@cache
def _steps_up(kinds: tuple[str, ...]) -> dict[str, int]:
    """Some kinds and all wider ones, with how many steps away each is."""
    found, level, steps = dict.fromkeys(kinds, 0), set(kinds), 0
    while level:
        steps += 1
        level = {kind for one in level for kind in _table().wider[one]} - found.keys()
        found |= dict.fromkeys(level, steps)
    return found


def _meanings(noun: str) -> tuple[_Meaning, ...]:
    words = noun.lower().split()
    known = _table().meanings
    return next((known[one] for one in singulars(words[-1]) if one in known), ()) if words else ()


def singulars(word: str) -> list[str]:
    """A word, or the last of several, and what it could be the plural of; the irregular plurals are in the table.

    Example:
        >>> singulars("sheep dogs")
        ['sheep dogs', 'sheep dog']
    """
    endings = (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"), ("ves", "fe"), ("men", "man"))
    return [word, *(word.removesuffix(old) + new for old, new in endings if word.endswith(old))]


@cache
def _table() -> _Kinds:
    text = resources.files("dreamer.models").joinpath("imagenet_kinds.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()]
    synsets = [row[0] for row in rows]
    wider = {synset: tuple(synsets[int(place)] for place in places.split()) for synset, places, *_ in rows}
    # The second meaning of a noun has a ~ after it, and comes after the first here.
    found: dict[str, tuple[list[str], bool]] = {}
    for synset, _, *columns in rows:
        for nouns, is_kind in zip(columns, (True, False), strict=True):
            for noun in nouns.split():
                found.setdefault(noun, ([], is_kind))[0].append(synset)
    meanings: dict[str, tuple[_Meaning, ...]] = {}
    for noun in sorted(found, key=lambda noun: noun.endswith("~")):
        kinds, is_kind = found[noun]
        bare = noun.removesuffix("~")
        meanings[bare] = (*meanings.get(bare, ()), _Meaning(tuple(kinds), is_kind))
    return _Kinds(wider, _classes(wider), meanings)


def _classes(wider: dict[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """For each kind the classes of ImageNet that are of it: those that nothing in the table is of."""
    found: dict[str, set[str]] = {synset: set() for synset in wider}
    for synset in wider.keys() - {kind for kinds in wider.values() for kind in kinds}:
        level = {synset}
        while level:
            for kind in level:
                found[kind].add(synset)
            level = {kind for one in level for kind in wider[one]}
    return {kind: frozenset(classes) for kind, classes in found.items()}
