"""Which class is meant by what a person types, and what to say where none is.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

from collections.abc import Sequence

from dreamer.errors import UnknownClassError
from dreamer.models import kinds, labels
from dreamer.models.labels import Label
from dreamer.wording import shown

_MOST_LISTED = 8


def find(wanted: str, known: tuple[Label, ...], model: str) -> int:
    """The index of a class by its name: the one that is called so, or the only one with such words in its name.

    Args:
        wanted: A name, a part of one, or a synset.
        known: The classes of the network.
        model: Its name.

    Raises:
        UnknownClassError: There is none, or more than one; the message lists those, or what comes near.

    Example:
        >>> find("broccoli", labels.imagenet(), "mine")
        937
    """
    exact = [label for label in known if wanted.strip().lower() in _names(label)]
    found = exact or labels.learnt(known, wanted)
    if not found:
        raise UnknownClassError(_not_found(wanted, known, model))
    if len(found) > 1:
        raise UnknownClassError(
            f"{len(found)} classes of {model} are called {shown(wanted)}: {_listed(found)}. Take one by its number"
        )
    return found[0].index


def instead_of_layer(name: str, known: tuple[Label, ...], model: str) -> str:
    """What to add to the message that a network has no layer of a name, if a class was meant; else nothing."""
    found = labels.learnt(known, name)
    if found:
        return f". For a class, type logit: before it: {_listed(found)}"
    if not kinds.is_noun(name):
        return ""
    return f". A class is typed with logit: before it, but {_not_found(name, known, model)}"


def _not_found(wanted: str, known: tuple[Label, ...], model: str) -> str:
    """That there is no such class, and what comes near by meaning, by word or by spelling."""
    if kinds.is_noun(wanted) and any(label.synset for label in known):
        nearby = labels.near(known, wanted)
        others = [label for label in labels.with_words(known, wanted) if label not in nearby]
        near = f"but these are near to it, as WordNet sorts things: {_listed(nearby)}" if nearby else "or near to it"
        also = f". Others have the word in their names: {_listed(others)}" if others else ""
        return f"{model} never learnt {shown(wanted)}: none of its {len(known)} classes is called so, {near}{also}"
    close = labels.find(known, wanted)
    hint = f"Close matches: {_listed(close)}" if close else f"See all: dreamer labels {model}"
    return f"{model} has no class {shown(wanted)}. {hint}"


def _names(label: Label) -> list[str]:
    return [str(label.synset), *(name.strip() for name in label.name.lower().split(","))]


def _listed(found: Sequence[Label]) -> str:
    shown_ones = ", ".join(f"logit:{label.index} ({label.name.split(', ')[0]})" for label in found[:_MOST_LISTED])
    return f"{shown_ones}, ..." if len(found) > _MOST_LISTED else shown_ones
