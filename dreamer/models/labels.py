"""Class names: index <-> name, search, suggestions. Must not import Keras or anything heavy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib import resources
from pathlib import Path

from dreamer.errors import MissingWeightsError, UnknownClassError
from dreamer.files.regular import read_text
from dreamer.models import kinds, store
from dreamer.models.specs import ModelSpec

_CLOSE = 0.7
_MOST_CLOSE = 8
_MOST_BYTES = 10_000_000  # Of a list of classes: many times that of ImageNet's 21,000.


@dataclass(frozen=True)
class Label:
    """A class that a network tells from others.

    Attributes:
        index: Its place among the logits, from 0.
        name: Its names, separated by commas where there are several.
        synset: Its WordNet 3.0 identifier, where known.
    """

    index: int
    name: str
    synset: str | None = None


@cache
def imagenet() -> tuple[Label, ...]:
    """The 1000 classes of ImageNet 2012, in the order of every network trained on them.

    Example:
        >>> imagenet()[285]
        Label(index=285, name='Egyptian cat', synset='n02124075')
    """
    table = resources.files("dreamer.models").joinpath("imagenet_labels.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines())
    return tuple(Label(index, name, synset) for index, (synset, name) in enumerate(rows))


def of(spec: ModelSpec) -> tuple[Label, ...]:
    """The classes of a network, in the order of its logits.

    Raises:
        UnknownClassError: The network has none, or nobody has said their names.
        MissingWeightsError: The names come with weights that are not installed.
    """
    if spec.labels is None:
        raise UnknownClassError(
            f"the class names of {spec.name} are not known. Name a text file with a class a line in the .toml "
            'beside the network: labels = "names.txt"'
        )
    if spec.labels == "imagenet":
        return imagenet()
    if isinstance(spec.labels, tuple):
        return _with_synsets(list(spec.labels))
    return _with_synsets(_lines(_archived(spec) if spec.labels == "archive" else Path(spec.labels)))


def find(labels: tuple[Label, ...], search: str) -> list[Label]:
    """The classes that match what a person typed.

    Args:
        labels: Where to look.
        search: A part of a name, an index or a synset; capitals do not count.

    Returns:
        Those that contain it, as a word of its own before as a part of one; or where there are none, those that
        resemble it, closest first.

    Example:
        >>> [label.name for label in find(imagenet(), "tabbby")]
        ['tabby, tabby cat']
    """
    search = _as_in_names(labels, search)
    called = [label for label in labels if is_called(label, search)]
    exact = [label for label in called if search.strip().lower() in (str(label.index), label.synset)]
    return exact or _whole_words_first(called, search) or _resembling(labels, search.strip().lower())


def is_called(label: Label, search: str) -> bool:
    """Whether a class has this index or synset, or a name that contains it; capitals do not count."""
    wanted = search.strip().lower()
    return wanted in (str(label.index), label.synset) or wanted in label.name.lower()


def with_words(labels: Iterable[Label], words: str) -> list[Label]:
    """The classes with these words in a name, as "cat" is one of "tiger cat" but not of "catamaran".

    Example:
        >>> [label.name for label in with_words(imagenet(), "tabby")]
        ['tabby, tabby cat']
    """
    pattern = re.compile(rf"\b{re.escape(words.strip())}\b", re.IGNORECASE)
    return [label for label in labels if pattern.search(label.name)]


def learnt(labels: Iterable[Label], words: str) -> list[Label]:
    """The classes with these words in a name, as far as they are classes of what the words mean; those first.

    A known noun in front of another word means something else: a horse cart is no horse. At the end of the first
    name it counts, as "dragon" in "Komodo dragon", and anywhere where WordNet agrees.
    """
    labels = tuple(labels)
    words = _as_in_names(labels, words)
    found = with_words(labels, words)
    if not kinds.is_noun(words):
        return found
    end = words.strip().lower()
    meant = [
        label
        for label in found
        if kinds.is_kind_of(str(label.synset), words) or label.name.lower().split(", ")[0].endswith(end)
    ]
    return [*meant, *(label for label in found if label not in meant)] if meant else []


def near(labels: Iterable[Label], noun: str) -> list[Label]:
    """The classes nearest to what a noun means, as WordNet sorts things; none where it is not known.

    Example:
        >>> [label.name for label in near(imagenet(), "giraffes")][0]
        'bison'
    """
    known = {label.synset: label for label in labels}
    return [known[synset] for synset in kinds.near(noun, _MOST_CLOSE) if synset in known]


def _as_in_names(labels: tuple[Label, ...], words: str) -> str:
    """Words in the number in which a name has them: "dog" for "dogs"; as they are where none has."""
    return next((one for one in kinds.singulars(words.strip().lower()) if with_words(labels, one)), words)


def _whole_words_first(labels: list[Label], words: str) -> list[Label]:
    whole = with_words(labels, words)
    return [*whole, *(label for label in labels if label not in whole)]


def _resembling(labels: tuple[Label, ...], wanted: str) -> list[Label]:
    likeness = [(_likeness(wanted, label), label) for label in labels]
    close = sorted((pair for pair in likeness if pair[0] >= _CLOSE), key=lambda pair: -pair[0])
    return [label for _, label in close[:_MOST_CLOSE]]


def _likeness(wanted: str, label: Label) -> float:
    """How much a class resembles what was typed: as its most similar name, or word of one."""
    names = label.name.lower().split(", ")
    return max(SequenceMatcher(None, wanted, part).ratio() for name in names for part in {name, *name.split()})


def _archived(spec: ModelSpec) -> Path:
    installed = store.find(spec.name)
    if installed is None:
        raise MissingWeightsError(
            f"the class names of {spec.name} come with its weights, which are not installed. "
            f"Get them with: dreamer models fetch {spec.name}"
        )
    path = installed.folder / "labels.txt"
    if not path.exists():
        raise UnknownClassError(
            f"{spec.name} was imported without its class names. They come with the archive: "
            f"dreamer models import {spec.name} inception5h.zip"
        )
    return path


def _lines(path: Path) -> list[str]:
    try:
        return read_text(path, most=_MOST_BYTES).splitlines()
    except FileNotFoundError:
        raise UnknownClassError(f"there is no file {path} with the class names") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnknownClassError(f"cannot read the class names in {path}: {reason}") from error


def _with_synsets(names: list[str]) -> tuple[Label, ...]:
    """Classes by bare name, with the synset of the one class of ImageNet that has the same first name."""
    known: dict[str, list[str | None]] = {}
    for label in imagenet():
        known.setdefault(label.name.split(", ")[0].lower(), []).append(label.synset)
    synsets = (known.get(name.lower(), []) for name in names)
    return tuple(
        Label(index, name, same[0] if len(same) == 1 else None)
        for index, (name, same) in enumerate(zip(names, synsets, strict=True))
    )
