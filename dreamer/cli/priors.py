"""``dreamer priors``: which networks there are that keep pictures likely."""

from __future__ import annotations

from contextlib import suppress

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Group
from dreamer.cli.completing import complete_prior
from dreamer.cli.models import bytes_of, size_of, state_of
from dreamer.cli.options import debug_option
from dreamer.cli.outputs import print_text
from dreamer.cli.tables import table
from dreamer.errors import MissingWeightsError
from dreamer.models.weights import PublishedWeights
from dreamer.priors import specs
from dreamer.priors.specs import PriorSpec
from dreamer.wording import one_line

_KINDS = {
    "pull": "pulls a picture to a likelier one after each step",
    "code": "makes pictures from a code, which visualize climbs",
    "encoder": "finds the code of a picture",
    None: "a pull or a code, as the shapes of the network say when it is loaded",
}


@click.group(cls=Group)
def priors() -> None:
    """List the learned priors, which keep pictures among those that exist."""


@priors.command("list")
@json_option
@debug_option
def list_priors(as_json: bool) -> None:
    """List the priors that go by a name.

    Besides, any network in a .keras file from pictures to pictures can be used by its path.
    """
    found = specs.known().values()
    if as_json:
        print_answer("priors list", map(_item, found))
        return
    rows = [[one.name, one.kind, state_of(one), size_of(one), one.weights.license, one.title] for one in found]
    print_text(table(["name", "kind", "weights", "size", "licence", ""], rows))


def _item(one: PriorSpec) -> dict[str, object]:
    return {
        "name": one.name,
        "title": one.title,
        "kind": one.kind,
        "weights": state_of(one),
        "bytes": bytes_of(one),
        "licence": one.weights.license,
        "good_for": one.good_for,
    }


@priors.command()
@click.argument("name", shell_complete=complete_prior)
@debug_option
def info(name: str) -> None:
    """Tell what is known of a prior and its weights."""
    found = specs.spec(name)
    facts = {
        "name": found.name,
        "what": found.title,
        "kind": _KINDS[found.kind],
        "good for": found.good_for or "nobody has looked",
        "weights": state_of(found),
        "licence": found.weights.license,
        "made by": found.weights.made_by,
    }
    if isinstance(found.weights, PublishedWeights):
        facts |= {"from": found.weights.url, "digest": found.weights.digest or "none published"}
    if found.encoder is not None:
        facts["encoder"] = f"{found.encoder}, {state_of(specs.spec(found.encoder))}"
    with suppress(MissingWeightsError):
        facts["sha256"] = found.weights.locate().sha256
    if found.kind != "encoder":
        command = "dream photo.jpg" if found.kind == "pull" else "visualize logit:volcano"
        facts["use it"] = f"dreamer {command} --prior {found.name}"
    width = max(map(len, facts))
    print_text("\n".join(f"{key:<{width}}  {one_line(value)}" for key, value in facts.items()))
