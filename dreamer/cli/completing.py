"""What a shell completes: networks, layers, class names.

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
from collections.abc import Callable, Iterable
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
from dreamer.models.weights import FileWeights
from dreamer.wording import one_line

if TYPE_CHECKING:
    from dreamer.models.network import Network


def complete_model(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The networks of a name that begins so, and the shell's own completion for paths."""
    return complete_known_model(_ctx, _parameter, incomplete) or [CompletionItem(incomplete, type="file")]


def complete_known_model(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The networks that go by a name, not by a path."""
    return [CompletionItem(name, help=spec.title) for name, spec in known().items() if name.startswith(incomplete)]


def complete_layer(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The layers of the network that was named, or of the usual one."""
    with suppress(DreamerError):
        spec = _spec(ctx)
        return [
            CompletionItem(name, help=spec.grows_with(name))
            for name in _well_first(spec, recall_layers(spec))
            if name.startswith(incomplete) and _can_be_offered(name)
        ]
    return []


def complete_target(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The last term of an objective: a layer of the network, or a class after ``logit:``."""
    spoken, word = _LAST_TERM.fullmatch(incomplete).groups()  # type: ignore[union-attr]  # It matches any text.
    if word.startswith("logit:"):
        return _classes(ctx, word.removeprefix("logit:"), f"{spoken}logit:")
    if _follows_logit(ctx, parameter):  # As bash has it, to which a colon ends a word.
        return _classes(ctx, word.removeprefix(":"), "")
    items = complete_layer(ctx, parameter, word)
    return [CompletionItem(f"{spoken}{item.value}", help=item.help) for item in items]


_LAST_TERM = re.compile(r"((?:.*[-+*(]\s*)?)(.*)", re.DOTALL)


def _follows_logit(ctx: click.Context, parameter: click.Parameter) -> bool:
    before = ctx.params.get(parameter.name or "") or ()
    words = [str(word) for word in before] if isinstance(before, tuple) else [str(before)]
    return words[-1:] == ["logit"] or words[-2:] == ["logit", ":"]


def _classes(ctx: click.Context, incomplete: str, before: str) -> list[CompletionItem]:
    """The classes whose names begin so, each by the shortest of its names that does."""
    with suppress(DreamerError):
        called = [
            (label, min(names, key=len))
            for label in labels.of(_spec(ctx))
            if (names := [name for name in label.name.split(", ") if _begins(name, incomplete)])
        ]
        return [
            CompletionItem(_quoted(f"{before}{name}"), help=str(label.index))
            for label, name in called
            if _can_be_offered(name)
        ]
    return []


def _quoted(text: str) -> str:
    """A word with spaces as bash needs it; other shells quote for themselves."""
    is_bash = os.environ.get("_DREAMER_COMPLETE", "").startswith("bash")
    return re.sub(r"([\s'\"()])", r"\\\1", text) if is_bash else text


Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


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


def remember_layers(network: Network) -> None:
    """Note a network's layers in the cache. What goes wrong with that costs completion, no more."""
    path = _noted(network.spec)
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}.part")
    with suppress(OSError, DreamerError):
        note = {"stamp": _stamp(network.spec), "layers": network.layers}
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(note), encoding="utf-8")
        part.replace(path)


def recall_layers(spec: ModelSpec) -> list[str]:
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
    return registry.spec(ctx.params.get("model") or DreamSettings.model)


def _noted(spec: ModelSpec) -> Path:
    name = spec.name.replace(":", "-")
    if isinstance(spec.weights, FileWeights):
        name = hashlib.sha256(os.fsencode(spec.weights.path)).hexdigest()
    return store.home() / "layers" / f"{name}.json"


def _stamp(spec: ModelSpec) -> str:
    """Of a user's own file, whether it is still the same; the layers of a known network do not change."""
    return spec.weights.stamp() if isinstance(spec.weights, FileWeights) else ""
