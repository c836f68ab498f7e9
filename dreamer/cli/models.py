"""``dreamer models``: which networks there are, and getting their weights."""

from __future__ import annotations

from pathlib import Path

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Group
from dreamer.cli.completing import complete_model, complete_weights
from dreamer.cli.fetching import ensure_weights, fetch_options, told
from dreamer.cli.options import debug_option
from dreamer.cli.outputs import print_line, print_text
from dreamer.cli.tables import table
from dreamer.errors import MissingWeightsError, WeightsError
from dreamer.models import fetching, registry, store
from dreamer.models.fetching import Described, megabytes
from dreamer.models.specs import ModelSpec, known
from dreamer.models.weights import BundledWeights, FileWeights, HeldWeights, PublishedWeights, has_classifier
from dreamer.priors import specs as priors
from dreamer.priors.specs import PriorSpec
from dreamer.wording import one_line

_CLASSES = {"imagenet": "1000 of ImageNet 2012", "archive": "1008, named in the archive with the weights"}
_PART = "part"  # Said only of weights that are not all of the network's.


@click.group(cls=Group)
def models() -> None:
    """List the networks, and fetch, import or remove their weights."""


@models.command("list")
@click.option("--installed", is_flag=True, help="Only those that work without fetching anything.")
@json_option
@debug_option
def list_models(installed: bool, as_json: bool) -> None:
    """List the networks that go by a name.

    Besides, any network in a .keras file can be used by its path.
    """
    specs = [spec for spec in known().values() if not installed or fetching.is_installed(spec)]
    if as_json:
        print_answer("models list", map(_item, specs))
        return
    rows = [
        [spec.name, state_of(spec), size_of(spec), spec.weights.license, spec.default_layer or "", spec.title]
        for spec in specs
    ]
    print_text(table(["name", "weights", "size", "licence", "layer", ""], rows))


def _item(spec: ModelSpec) -> dict[str, object]:
    return {
        "name": spec.name,
        "title": spec.title,
        "weights": state_of(spec),
        "bytes": bytes_of(spec),
        "licence": spec.weights.license,
        "layer": spec.default_layer,
    }


@models.command()
@click.argument("name", shell_complete=complete_model)
@debug_option
def info(name: str) -> None:
    """Tell what is known of a network and its weights."""
    spec = registry.spec(name)
    facts = {"name": spec.name, "what": spec.title} | _weights_facts(spec)
    prepared = spec.preprocessing
    facts |= {
        "pictures": "nobody has said how they are prepared; --preprocessing does"
        if prepared is None
        else f"less {_numbers(prepared.mean)}, divided by {_numbers(prepared.std)}, {prepared.order}",
        "classes": "none" if _PART in facts else _CLASSES.get(str(spec.labels or ""), str(spec.labels or "not known")),
        "layer": spec.default_layer or "chosen when it is loaded",
    }
    facts |= {f"  {layer}": grows for layer, grows in spec.dreams_well}
    facts["layers"] = f"dreamer layers {spec.name}"
    width = max(map(len, facts))
    print_text("\n".join(f"{key:<{width}}  {one_line(str(value))}" for key, value in facts.items()))


@models.command()
@click.argument("name", shell_complete=complete_weights)
@fetch_options
@debug_option
def fetch(name: str, offline: bool | None, mirror: str | None) -> None:
    """Fetch the weights of a network or a prior, so that it works offline from then on.

    \b
    dreamer models fetch inception_v1
    dreamer models fetch keras:VGG16 --mirror https://example.org/weights
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    spec = _described(name)
    encoders = priors.needed(spec)[1:] if isinstance(spec, PriorSpec) else []
    for one in (spec, *encoders):
        fetched = ensure_weights(one, offline=offline, mirror=mirror)
        print_line(f"{one.name} is installed" if fetched else f"{one.name} is there already")


@models.command("import")
@click.argument("name", shell_complete=complete_weights)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--unverified", is_flag=True, help="Take a file whose digest is not the published one, if it fits.")
@debug_option
def import_weights(name: str, file: Path, unverified: bool) -> None:
    """Put the weights of a network or a prior in place from FILE, in the stead of those that are there.

    FILE is told by its content: for inception_v1 the archive inception5h.zip or the .pb in it; for
    Keras's networks .h5 or .weights.h5, with or without the classifier; for deepsim_fc6 the archive
    release_deepsim_v0.zip or the .caffemodel in it.
    """
    spec = _described(name)
    with told(quiet=False) as report:
        verified = fetching.import_file(spec, file, unverified=unverified, report=report)
    how = "the published file" if verified else f"UNVERIFIED: {_unverified(spec)}"
    found = store.find(spec.name)
    headless = "" if found is None or has_classifier(found.network) else ", without the classifier"
    print_line(f"{spec.name} is installed from {file}{headless} ({how})")


@models.command()
@click.argument("name", shell_complete=complete_weights)
@debug_option
def remove(name: str) -> None:
    """Remove the weights of a network or a prior from the cache."""
    spec = _described(name)
    if not isinstance(spec.weights, PublishedWeights):
        raise WeightsError(f"{spec.name} is not kept in the cache; nothing was removed")
    if not store.remove(spec.weights.name):
        raise MissingWeightsError(f"the weights of {spec.name} are not installed; nothing was removed")
    print_line(f"{spec.name} is removed")


def _unverified(spec: Described) -> str:
    by_hand = isinstance(spec.weights, PublishedWeights) and spec.weights.by_hand
    return "it fits, and no digest of it is published" if by_hand else "it fits, but is not the published file"


def _described(name: str) -> Described:
    """A network, or a prior, whose weights lie in the same cache."""
    return priors.known().get(name) or registry.spec(name)


def state_of(spec: Described) -> str:
    """Where the weights of a network or a prior are, in a word."""
    if isinstance(spec.weights, BundledWeights) and not spec.weights.is_here():
        return "extra"
    if isinstance(spec.weights, FileWeights | HeldWeights):
        return "in the file"
    if not isinstance(spec.weights, PublishedWeights):
        return "bundled"
    try:
        found = store.find(spec.weights.name)
    except WeightsError:
        return "damaged"
    if found is None:
        return "by hand" if spec.weights.by_hand else "downloadable"
    return "installed" if found.verified else "unverified"


def size_of(spec: Described) -> str:
    """How large they are, in words."""
    size = bytes_of(spec)
    return "in memory" if size is None else megabytes(size)


def bytes_of(spec: Described) -> int | None:
    """How large the weights are; None of those that lie in no file."""
    match spec.weights:
        case FileWeights(path):
            return path.stat().st_size
        case HeldWeights():
            return None
        case weights:
            return weights.size


def _weights_facts(spec: ModelSpec) -> dict[str, str]:
    weights = spec.weights
    facts = {"weights": state_of(spec), "licence": weights.license, "made by": weights.made_by}
    match weights:
        case BundledWeights():
            origin = "dreamer itself" if weights.distribution is None else f"{weights.distribution}, through pip"
            missing = {} if weights.is_here() else {"get them": weights.install}
            return facts | {"from": origin} | missing | {"sha256": weights.sha256}
        case FileWeights() | HeldWeights():
            return facts | {"sha256": weights.locate().sha256}
    facts |= {"from": weights.url, "digest": weights.digest or "none published", "size": f"about {size_of(spec)}"}
    try:
        found = store.find(weights.name)
    except WeightsError as error:
        return facts | {"installed": str(error)}
    if found is None:
        return facts
    if not has_classifier(found.network):
        facts[_PART] = "all but the classifier"
    return facts | {
        "installed": f"{found.date} from {found.source}, {'verified' if found.verified else 'UNVERIFIED'}",
        "sha256": found.source_sha256,
        "folder": f"{found.folder} ({megabytes(found.size)})",
    }


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4g}" for value in (values[:1] if len(set(values)) == 1 else values))
