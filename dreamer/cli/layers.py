"""``dreamer layers MODEL [PATTERN]``: what there is to look at in a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_layer, complete_model, either, remember_layers
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.options import debug_option
from dreamer.cli.outputs import print_text
from dreamer.cli.progress import import_keras, note
from dreamer.cli.tables import table
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import UnknownLayerError, UnknownModelError, close_matches
from dreamer.models import registry, specs

if TYPE_CHECKING:
    from dreamer.models.layered import Layered
    from dreamer.models.network import Network
    from dreamer.models.receptive_field import Field

_USUAL_SIZE = (224, 224)
_DREAMS_WELL = "dreams well"


def _read_size(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text.strip().lower())
    height, width = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not height or not width:
        raise click.BadParameter(f"{text!r} is no size; expected HEIGHTxWIDTH or one number, as in 480x640 or 512")
    return height, width


@click.command(cls=Command)
@click.argument("model", shell_complete=either(complete_model, complete_layer))
@click.argument("pattern", default="", shell_complete=complete_layer)
@click.option(
    "--size", metavar="HxW|N", callback=_read_size,
    help="Show shapes for pictures of this size.  [default: the network's own, or 224]",
)  # fmt: skip
@click.option("--good", is_flag=True, help="Only the layers that dream well.")
@fetch_options
@json_option
@debug_option
def layers(
    model: str,
    pattern: str,
    size: tuple[int, int] | None,
    good: bool,
    offline: bool | None,
    mirror: str | None,
    as_json: bool,
) -> None:
    """List the layers of MODEL whose names contain PATTERN, or match it if it has a * or ?.

    For each its kind, the shape of its output, its channels, the side of the square of the picture
    that one unit sees (a + where a summary of the whole picture reaches it besides), the pixels from
    one unit to the next, and whether it dreams well.

    \b
    dreamer layers efficientnet_lite0 block5
    dreamer layers keras:VGG16 '*conv3' --size 480x640
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    model, pattern = _meant(model, pattern)
    spec = registry.spec(model)
    if spec.application is None:
        ensure_weights(spec, offline=offline, mirror=mirror)
    import_keras()
    from dreamer.models.network import Network

    network = registry.sketch(model)
    remember_layers(network)
    good_ones = network.dreams_well if isinstance(network, Network) else ()
    names = [name for name in network.layers if _matches(name, pattern) and (not good or name in good_ones)]
    if not names:
        raise UnknownLayerError(
            f"{model} has no layer that matches {pattern!r}.{close_matches(pattern, network.layers)} "
            f"See all: dreamer layers {model}"
        )
    if not isinstance(network, Network):
        print_answer("layers", _plain_items(network, names)) if as_json else print_text(_plain_listing(network, names))
        return
    seen = size or network.graph.own_size or _USUAL_SIZE
    if as_json:
        print_answer("layers", _items(network, names, seen))
    else:
        print_text(_listing(network, names, seen))


def _meant(model: str, pattern: str) -> tuple[str, str]:
    """The network and the pattern that were meant where a single word is the name of no network."""
    try:
        registry.spec(model)
    except UnknownModelError:
        if pattern or close_matches(model, specs.known()):
            raise
        usual = DreamSettings.model
        import_keras()
        known = registry.sketch(usual).layers
        if any(_matches(name, model) for name in known):
            note(
                f"no network is called {model!r}, so {usual}, the default, was searched: dreamer layers {usual} {model}"
            )
        elif not close_matches(model, known):
            raise
        return usual, model
    return model, pattern


def _items(network: Network, names: list[str], size: tuple[int, int]) -> Iterator[dict[str, object]]:
    shapes = network.shapes(size, names)
    for name in names:
        field = network.fields[name]
        yield {
            "name": name,
            "kind": network.node(name).kind,
            "shape": list(shapes[name]),
            "channels": network.channels(name),
            "sees": field.size,
            "context": field.context,
            "stride": None if field.stride is None else float(field.stride),
            "classes": name == network.logits,
            "dreams_well": name in network.dreams_well,
            "grows": network.spec.grows_with(name),
            "default": name == network.default_layer,
        }


def _plain_items(network: Layered, names: list[str]) -> Iterator[dict[str, object]]:
    """Of a network of rows or sequences, which has no pictures to see."""
    for name in names:
        yield {
            "name": name,
            "kind": network.node(name).kind,
            "shape": list(network.node(name).shape),
            "channels": network.channels(name),
            "sees": None,
            "context": False,
            "stride": None,
            "classes": name == network.logits,
            "dreams_well": False,
            "grows": None,
            "default": False,
        }


def _plain_listing(network: Layered, names: list[str]) -> str:
    rows = [
        [
            name,
            network.node(name).kind,
            "x".join("any" if side is None else str(side) for side in network.node(name).shape),
            network.channels(name),
            "scores the classes" if name == network.logits else "",
        ]
        for name in names
    ]
    return table(["layer", "kind", "output", "units", ""], rows)


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) if any(sign in pattern for sign in "*?[") else pattern in name


def _listing(network: Network, names: list[str], size: tuple[int, int]) -> str:
    shapes = network.shapes(size, names)
    rows = [
        [
            name,
            network.node(name).kind,
            "x".join(map(str, shapes[name])),
            network.channels(name),
            _seen(network.fields[name]),
            _stride(network.fields[name]),
            _remark(network, name),
        ]
        for name in names
    ]
    return table(["layer", "kind", "output", "channels", "sees", "stride", ""], rows)


def _seen(field: Field) -> str:
    return "all" if field.size is None else f"{field.size}{'+' if field.context else ''}"


def _stride(field: Field) -> str:
    return "-" if field.stride is None else str(field.stride)


def _remark(network: Network, name: str) -> str:
    if name == network.logits:
        return "scores the classes"
    if name not in network.dreams_well:
        return ""
    grows = network.spec.grows_with(name)
    default = ", the default" if name == network.default_layer else ""
    return f"{_DREAMS_WELL}{f': {grows}' if grows else ''}{default}"
