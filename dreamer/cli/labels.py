"""``dreamer labels MODEL [SEARCH]``: the classes that a network tells apart."""

from __future__ import annotations

import click

from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_label, complete_model
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.options import debug_option
from dreamer.cli.progress import say
from dreamer.cli.tables import table
from dreamer.errors import UnknownClassError
from dreamer.models import labels as class_labels
from dreamer.models import registry


@click.command(cls=Command)
@click.argument("model", shell_complete=complete_model)
@click.argument("search", nargs=-1, shell_complete=complete_label)
@fetch_options
@debug_option
def labels(model: str, search: tuple[str, ...], offline: bool | None, mirror: str | None) -> None:
    """List the classes of MODEL whose names contain SEARCH, or come close to it.

    For each its index among the logits, its WordNet synset where known, and its names.

    \b
    dreamer labels efficientnet_lite0 tabby cat
    dreamer labels inception_v1 281
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    spec = registry.spec(model)
    if spec.labels == "archive":
        ensure_weights(spec, offline=offline, mirror=mirror)
    found = class_labels.of(spec)
    if search:
        wanted = " ".join(search)
        found = tuple(class_labels.find(found, wanted))
        if not found:
            raise UnknownClassError(
                f"{model} has no class whose name contains or resembles {wanted!r}. See all: dreamer labels {model}"
            )
        if not any(class_labels.is_called(label, wanted) for label in found):
            say(f"Note: no class is called {wanted!r}; these resemble it")
    click.echo(table(["index", "synset", "name"], [[label.index, label.synset or "-", label.name] for label in found]))
