"""``--layer`` and ``--channel`` of ``dreamer dream``: single layers and channels, added to an objective."""

from __future__ import annotations

from functools import reduce
from operator import add

from dreamer.cli.mistyping import number_as_typed
from dreamer.errors import SettingsError
from dreamer.objectives import Objective


def objective_of(written: str | None, layers: tuple[str, ...], channels: tuple[str, ...]) -> Objective | None:
    """The sum of all that was asked for; None where nothing was."""
    parts = [] if written is None else [Objective.parse(written)]
    for texts, kind, example in ((layers, "layer", "--layer block5c"), (channels, "channel", "--channel block5c:17")):
        parts += [_weighted(text, kind, example) for text in texts]
    return reduce(add, parts) if parts else None


def _weighted(text: str, kind: str, example: str) -> Objective:
    """What ``NAME[=WEIGHT]`` means."""
    name, equals, weight = text.rpartition("=") if "=" in text else (text, "", "1")
    try:
        found = (float(weight) if equals else 1.0) * Objective.parse(name)
    except ValueError:
        hint = f"something like {example}=0.5" if not (typed := number_as_typed(weight)) else f"{name}={typed}"
        raise SettingsError(f"the weight in {text!r} is no number; expected {hint}") from None
    if [term.kind for _, term in found.terms] != [kind]:
        raise SettingsError(f"cannot use {text!r} here; expected something like {example}. Sums go to --objective")
    return found
