"""Plug-ins: what other packages add to dreamer, by their entry points.

The one idea: a package says in its metadata what it has, in a group for each kind of thing, and only what is asked for
is imported. One that cannot be imported is named in a warning and left out; the rest works on.

    [project.entry-points."dreamer.networks"]
    my_network = "my_package:spec"

Must not import anything heavy.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from dreamer.errors import in_one_line

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUPS = ("dreamer.networks", "dreamer.objectives", "dreamer.parametrizations", "dreamer.presets")
"""What can be added. What each entry point has to be, docs/plugins.md says."""


def names(group: str) -> tuple[str, ...]:
    """The names that plug-ins add to a group; nothing of theirs is imported."""
    return tuple(sorted(_entry_points(group)))


def load(group: str, name: str, check: Callable[[Any], None] = lambda _value: None) -> Any | None:
    """What a plug-in adds under a name.

    Args:
        group: One of :data:`GROUPS`.
        name: One of :func:`names`.
        check: Raises where what was found is nothing of the kind.

    Returns:
        What its entry point names; None, after a warning that says why, where it cannot be used.
    """
    return _loaded(group, name, check)


def load_all(group: str, check: Callable[[Any], None] = lambda _value: None) -> dict[str, Any]:
    """All that plug-ins add to a group, by name; broken ones are named in a warning and left out."""
    found = {name: load(group, name, check) for name in names(group)}
    return {name: value for name, value in found.items() if value is not None}


@cache
def _loaded(group: str, name: str, check: Callable[[Any], None]) -> Any | None:
    point = _entry_points(group)[name]
    try:
        value = point.load()
        check(value)
    except Exception as error:  # noqa: BLE001  Whatever a stranger's code raises.
        package = point.dist.name if point.dist else "?"
        warnings.warn(
            f"the plug-in {name!r} of {package} ({group}) is left out: {type(error).__name__}: {in_one_line(error)}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return value


@cache
def _entry_points(group: str) -> Mapping[str, EntryPoint]:
    from importlib.metadata import entry_points  # Which takes longer to import than help to print.

    return {point.name: point for point in entry_points(group=group)}
