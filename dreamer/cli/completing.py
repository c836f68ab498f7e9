"""What a shell completes: networks, layers, class names, and words of which one is chosen.

The one idea: a shell must not wait for TensorFlow, so the layers of a network are noted in the cache
when it is loaded, and read from there. Before that, those that dream well are offered.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from dreamer import presets
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import DreamerError
from dreamer.files.documents import parse_json
from dreamer.files.regular import read_text
from dreamer.models import labels, registry, store
from dreamer.models.specs import ModelSpec, known
from dreamer.models.weights import FileWeights, PublishedWeights
from dreamer.objectives.terms import PENALTIES, quoted_layer
from dreamer.priors import specs as priors
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.wording import one_line

if TYPE_CHECKING:
    from dreamer.models.layered import Layered


def complete_model(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The networks of a name that begins so, and the shell's own completion for paths."""
    return complete_known_model(_ctx, _parameter, incomplete) or [CompletionItem(incomplete, type="file")]


def complete_weights(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The networks and priors that go by a name, whose weights can be fetched, imported or removed."""
    found = complete_known_model(_ctx, _parameter, incomplete)
    fetched = (one for one in priors.known().values() if isinstance(one.weights, PublishedWeights))
    return [*found, *(CompletionItem(one.name, help=one.title) for one in fetched if one.name.startswith(incomplete))]


def complete_prior(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The priors of a name that begins so, and the shell's own completion for paths."""
    known = (one for one in priors.known().values() if one.kind != "encoder")
    found = [CompletionItem(one.name, help=one.title) for one in known if one.name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


def complete_known_model(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The networks that go by a name, not by a path."""
    return [CompletionItem(name, help=spec.title) for name, spec in known().items() if name.startswith(incomplete)]


def complete_layer(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The layers of the network that was named, or of the usual one, those that dream well first."""
    return [_item(name, name, spec) for spec, name in _layers(ctx) if name.startswith(incomplete)]


def complete_layer_term(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The same as an objective has them: with quotes where a name needs them."""
    return _layer_terms(ctx, incomplete)


def complete_channel(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Layers of which a channel is to follow."""
    return _layer_terms(ctx, incomplete, after=":")


def complete_target(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The last term of an objective: a layer of the network, a class after ``logit:``, or another kind of term."""
    before, term = _split(_SPACED, incomplete)
    if term.startswith(_LOGIT):
        return _class_terms(ctx, term.removeprefix(_LOGIT), f"{before}{_LOGIT}")
    before, term = _split(_TIGHT, incomplete)
    kind = next((kind for kind in _OF_LAYERS if term.startswith(kind)), "")
    found = _layer_terms(ctx, term.removeprefix(kind), before=f"{before}{kind}")
    kinds = [name for name in (_LOGIT, *_OF_LAYERS, *PENALTIES) if name.startswith(term)] if term else []
    return [*found, *(CompletionItem(f"{before}{name}") for name in kinds)]


_LOGIT = "logit:"
_OF_LAYERS = ("direction:", "guided:", "like:", "near:", "style:", "diversity:")
# What a term follows. The name of a class may have a hyphen, but not one with spaces around it; that of a layer, none.
_SPACED = re.compile(r"(?:.*(?:\s[+-]\s|[(*])\s*)?-?", re.DOTALL)
_TIGHT = re.compile(r"(?:.*[-+(*]\s*)?", re.DOTALL)


def _split(head: re.Pattern[str], text: str) -> tuple[str, str]:
    """What comes before the last term of a text, and that term."""
    found = head.match(text)
    end = found.end() if found else 0
    return text[:end], text[end:]


def _layers(ctx: click.Context) -> Iterator[tuple[ModelSpec, str]]:
    with suppress(DreamerError):
        spec = _spec(ctx)
        for name in _well_first(spec, _recall_layers(spec)):
            if _can_be_offered(name):
                yield spec, name


def _item(text: str, layer: str, spec: ModelSpec) -> CompletionItem:
    return CompletionItem(text, help=spec.grows_with(layer))


def _layer_terms(ctx: click.Context, incomplete: str, *, before: str = "", after: str = "") -> list[CompletionItem]:
    named = ((quoted_layer(name), name, spec) for spec, name in _layers(ctx))
    return [_item(f"{before}{term}{after}", name, spec) for term, name, spec in named if term.startswith(incomplete)]


def _class_terms(ctx: click.Context, incomplete: str, before: str) -> list[CompletionItem]:
    """The classes whose names begin so, each by the shortest of its names that does, in quotes if those were begun."""
    mark = incomplete[:1] if incomplete[:1] in ("'", '"') else ""
    begun = incomplete.removeprefix(mark)
    with suppress(DreamerError):
        return [
            CompletionItem(f"{before}{mark}{min(names, key=len)}{mark}", help=str(label.index))
            for label in labels.of(_spec(ctx))
            if (names := [name for name in label.name.split(", ") if _begins(name, begun) and _can_be_offered(name)])
        ]
    return []


Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def either(one: Completer, other: Completer) -> Completer:
    """What completes one of two things, files only where neither is meant."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = [*one(ctx, parameter, incomplete), *other(ctx, parameter, incomplete)]
        return [item for item in found if item.type == "plain"] or found

    return complete


def complete_choice(choices: Callable[[], Iterable[str]], *, files: bool = False) -> Completer:
    """What completes one of some words.

    Args:
        choices: Gives the words; asked only when a shell completes.
        files: Whether a path may stand there, too.
    """

    def complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = [CompletionItem(word) for word in choices() if word.startswith(incomplete)]
        return found or ([CompletionItem(incomplete, type="file")] if files else [])

    return complete


def tags() -> list[str]:
    """The tags of all presets, those that cannot be read left out."""
    found: set[str] = set()
    for name in presets.names():
        with suppress(DreamerError):
            found.update(presets.find(name).tags)
    return sorted(found)


def complete_preset(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The presets of a name that begins so, and the shell's own completion for paths."""
    found = []
    for name in presets.names():
        if name.startswith(incomplete) and _can_be_offered(name):
            with suppress(DreamerError):
                found.append(CompletionItem(name, help=one_line(presets.find(name).title)))
    return found or [CompletionItem(incomplete, type="file")]


def complete_label(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The class names of the network that was named."""
    with suppress(DreamerError):
        names = [name for label in labels.of(_spec(ctx)) for name in label.name.split(", ")]
        return [CompletionItem(name) for name in names if _begins(name, incomplete) and _can_be_offered(name)]
    return []


def _begins(name: str, incomplete: str) -> bool:
    return name.lower().startswith(incomplete.lower())


def _can_be_offered(name: str) -> bool:
    """Whether a shell can be given a name out of a file: one that its terminal does not obey."""
    return one_line(name) == name


def remember_layers(network: Layered) -> None:
    """Note a network's layers in the cache. What goes wrong with that costs completion, no more."""
    path = _noted(network.spec)
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}.part")
    with suppress(OSError, DreamerError):
        note = {"stamp": _stamp(network.spec), "layers": network.layers}
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(note), encoding="utf-8")
        part.replace(path)


def _recall_layers(spec: ModelSpec) -> list[str]:
    """The layers of a network, as they were noted, or else those that dream well."""
    with suppress(OSError, ValueError, TypeError, LookupError, DreamerError):
        note = parse_json(read_text(_noted(spec)))
        if note["stamp"] == _stamp(spec):
            return [str(name) for name in note["layers"]]
    return [name for name, _ in spec.dreams_well] or ([spec.default_layer] if spec.default_layer else [])


def _well_first(spec: ModelSpec, layers: list[str]) -> list[str]:
    """Layers, those that dream well first."""
    well = [name for name, _ in spec.dreams_well if name in layers]
    return [*well, *(name for name in layers if name not in well)]


def _spec(ctx: click.Context) -> ModelSpec:
    """The network whose layers or classes are completed: the one that is named, the first of several, or the usual."""
    named = ctx.params.get("model")
    if isinstance(named, tuple):
        named = next(iter(named), None)
    draws = ctx.command.name in ("visualize", "atlas")
    return registry.spec(named or (VisualizeSettings.model if draws else DreamSettings.model))


def _noted(spec: ModelSpec) -> Path:
    name = spec.name.replace(":", "-")
    if isinstance(spec.weights, FileWeights):
        name = hashlib.sha256(os.fsencode(spec.weights.path)).hexdigest()
    return store.home() / "layers" / f"{name}.json"


def _stamp(spec: ModelSpec) -> str:
    """Of a user's own file, whether it is still the same; the layers of a known network do not change."""
    return spec.weights.stamp() if isinstance(spec.weights, FileWeights) else ""
