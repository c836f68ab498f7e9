"""Makes ``dreamer/models/imagenet_kinds.tsv``: where common English nouns stand among the classes of ImageNet.

    apt-get download wordnet-base wamerican wamerican-small && for deb in *.deb; do dpkg -x "$deb" debian; done
    python scripts/make_kinds.py debian/usr/share/wordnet debian/usr/share/dict > dreamer/models/imagenet_kinds.tsv

The classes of ImageNet are synsets of WordNet 3.0, so the kinds that they are of ("hypernyms") are known. The table
holds these, a line each: the synset; the lines, from 0, of the next wider kinds; the common nouns that mean it; and
those that mean something of the kind that no line is about. A noun that means two things has a ~ after it where it
stands for the second. Which nouns are common, two word lists for spell checkers say; they only choose.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

LABELS = Path(__file__).parents[1] / "dreamer" / "models" / "imagenet_labels.tsv"
PHYSICAL = "n00001930"  # Nobody draws an abstraction.
# Causal agent, natural object, matter, thing, substance, solid, food: that two things are such says nothing.
TOO_WIDE = ("n00007347", "n00019128", "n00020827", "n00002452", "n00019613", "n15046900", "n00021265")
LIVING = (5, 13, 20)  # WordNet's lexicographer files of animals, food and plants,
PERSON = 18  # and of persons.
PEOPLE = {"person": ["people"]}  # To WordNet a group, not a plural.


class Synset(NamedTuple):
    """What words of one meaning stand for: in which of WordNet's files, the words, and the next wider synsets."""

    file: int
    words: list[str]
    parents: list[str]


def read_synsets(wordnet: Path) -> dict[str, Synset]:
    """All nouns of WordNet, by synset."""
    found = {}
    for line in (wordnet / "data.noun").read_text(encoding="ascii").splitlines():
        if line.startswith("  "):  # The licence.
            continue
        fields = line.partition("|")[0].split()
        count = int(fields[3], 16)
        pointers = fields[5 + 2 * count :]
        parents = {
            PHYSICAL if f"n{pointers[place + 1]}" in TOO_WIDE else f"n{pointers[place + 1]}"
            for place in range(0, len(pointers), 4)
            if pointers[place] in ("@", "@i") and pointers[place + 2] == "n"
        }
        found[f"n{fields[0]}"] = Synset(int(fields[1]), fields[4 : 4 + 2 * count : 2], sorted(parents))
    return found


def read_senses(wordnet: Path) -> dict[str, list[tuple[str, int]]]:
    """For each noun what it means, with how often it was found to mean that, as WordNet orders it."""
    counts: dict[tuple[str, int], int] = {}
    for line in (wordnet / "cntlist.rev").read_text(encoding="ascii").splitlines():
        key, sense, count = line.split()
        lemma, _, rest = key.partition("%")
        if rest.startswith("1:"):
            counts[lemma, int(sense)] = int(count)
    found = {}
    for line in (wordnet / "index.noun").read_text(encoding="ascii").splitlines():
        if not line.startswith("  "):
            fields = line.split()
            offsets = fields[-int(fields[2]) :]
            found[fields[0]] = [
                (f"n{offset}", counts.get((fields[0], number), 0)) for number, offset in enumerate(offsets, 1)
            ]
    return found


def chosen(senses: list[tuple[str, int]], synsets: dict[str, Synset]) -> list[str]:
    """One or two of the things that a noun means: the usual one, and what is alive or eaten where there is such a one.

    The latter is the more likely to be drawn, so it is the first unless hardly anybody means it.
    """
    usual = max(senses, key=lambda sense: sense[1])  # The first of several.
    living = (sense for file in LIVING for sense in senses if synsets[sense[0]].file == file)
    drawn = next(living, usual)
    if drawn == usual:
        others = [sense for sense in senses if sense != usual and sense[1] * 10 >= usual[1]]
        often = [sense for sense in others if sense[1] or synsets[sense[0]].file in LIVING]
        pair = [usual, *often[:1]]
    else:
        pair = [drawn, usual] if usual[1] < 5 * (drawn[1] + 1) else [usual, drawn]
    return [synset for place, (synset, _) in enumerate(pair) if not place or synsets[synset].file != PERSON]


def main() -> None:
    """Print the table."""
    wordnet, dictionaries = map(Path, sys.argv[1:])
    synsets, senses = read_synsets(wordnet), read_senses(wordnet)
    common, known = (
        set((dictionaries / name).read_text(encoding="utf-8").split())
        for name in ("american-english-small", "american-english")
    )

    @cache
    def kinds(synset: str) -> frozenset[str]:
        return frozenset([synset]).union(*map(kinds, synsets[synset].parents))

    def nearest(synset: str) -> set[str]:
        """The line or lines that a synset belongs to."""
        return {synset} if synset in lines else set().union(*map(nearest, synsets[synset].parents))

    def is_wanted(word: str, synset: str) -> bool:
        file, words, _ = synsets[synset]
        wide = known if file in LIVING else common
        return PHYSICAL in kinds(synset) and word in words and word.isalpha() and word in wide

    classes = [line.split("\t")[0] for line in LABELS.read_text(encoding="utf-8").splitlines()]
    lines = sorted(frozenset().union(*map(kinds, classes)))
    plurals = defaultdict(list, PEOPLE)
    for line in (wordnet / "noun.exc").read_text(encoding="ascii").splitlines():
        plural, *singulars = line.split()
        if plural in common and not any(is_wanted(plural, synset) for synset, _ in senses.get(plural, ())):
            for singular in singulars:
                plurals[singular].append(plural)
    meaning, beneath = defaultdict(set), defaultdict(set)
    for word, meant in senses.items():
        meant = [sense for sense in meant if is_wanted(word, sense[0])]
        for rank, synset in enumerate(chosen(meant, synsets) if meant else []):
            for line in nearest(synset):
                nouns = (meaning if line == synset else beneath)[line]
                nouns |= {one + "~" * rank for one in (word, *plurals[word])}
    places = {synset: str(place) for place, synset in enumerate(lines)}
    for synset in lines:
        parents = " ".join(places[parent] for parent in synsets[synset].parents)
        print(synset, parents, *(" ".join(sorted(nouns[synset])) for nouns in (meaning, beneath)), sep="\t")


if __name__ == "__main__":
    main()
