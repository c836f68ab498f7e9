"""``dreamer labels MODEL [SEARCH]``: the classes that a network tells apart."""

from __future__ import annotations

from dataclasses import asdict

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_label, complete_model, either
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.options import debug_option
from dreamer.cli.outputs import print_text
from dreamer.cli.progress import note
from dreamer.cli.tables import table
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import UnknownClassError, UnknownModelError, close_matches
from dreamer.models import labels as class_labels
from dreamer.models import registry, specs
from dreamer.models.labels import Label


@click.command(cls=Command)
@click.argument("model", shell_complete=either(complete_model, complete_label))
@click.argument("search", nargs=-1, shell_complete=complete_label)
@fetch_options
@json_option
@debug_option
def labels(model: str, search: tuple[str, ...], offline: bool | None, mirror: str | None, as_json: bool) -> None:
    """List the classes of MODEL whose names contain SEARCH, or come close to it.

    For each its index among the logits, its WordNet synset where known, and its names.

    \b
    dreamer labels efficientnet_lite0 tabby cat
    dreamer labels inception_v1 281
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    model, search = _meant(model, search)
    spec = registry.spec(model)
    if spec.labels == "archive":
        ensure_weights(spec, offline=offline, mirror=mirror)
    found = class_labels.of(spec)
    if search:
        wanted = " ".join(search)
        found = _matching(found, wanted, model)
        if not found:
            raise UnknownClassError(
                f"{model} has no class whose name contains or resembles {wanted!r}. See all: dreamer labels {model}"
            )
    if as_json:
        print_answer("labels", map(asdict, found))
        return
    print_text(table(["index", "synset", "name"], [[label.index, label.synset or "-", label.name] for label in found]))


def _meant(model: str, search: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The network and the words that were meant where the first of them is the name of no network."""
    try:
        registry.spec(model)
    except UnknownModelError:
        usual = DreamSettings.model
        words = (model, *search)
        wanted = " ".join(words)
        known = class_labels.of(registry.spec(usual))
        is_word = class_labels.learnt(known, model) or class_labels.near(known, model)
        is_like_a_network = close_matches(model, specs.known()) and not is_word
        if is_like_a_network or not (class_labels.find(known, wanted) or class_labels.near(known, wanted)):
            raise
        note(f"no network is called {model!r}, so {usual}, the default, was searched: dreamer labels {usual} {wanted}")
        return usual, words
    return model, search


def _matching(known: tuple[Label, ...], wanted: str, model: str) -> tuple[Label, ...]:
    """The classes that match what was typed, with a word about those that only come near."""
    found = class_labels.find(known, wanted)
    exact = any(wanted.strip().lower() in (str(label.index), label.synset) for label in found)
    if exact or class_labels.learnt(known, wanted):
        return tuple(found)
    nearby = class_labels.near(known, wanted)
    if nearby:
        note(f"{model} never learnt {wanted!r}; near to it, as WordNet sorts things, come {len(nearby)} classes")
        called = [label for label in found if class_labels.is_called(label, wanted) and label not in nearby]
        return (*nearby, *called)
    if found and not any(class_labels.is_called(label, wanted) for label in found):
        note(f"no class is called {wanted!r}; these resemble it")
    return tuple(found)
