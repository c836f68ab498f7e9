"""``--json``: what a command has to say, for a script, in one documented form.

The one idea: every command answers with the same envelope, ``{"format", "program", "version", "command", "items"}``,
and its items are of the shape that :data:`ITEMS` says; docs/json.md says the same in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from dreamer.cli.outputs import print_json
from dreamer.shapes import Shape
from dreamer.version import __version__

FORMAT = 1

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for a script; see docs/json.md.")

ITEMS: Mapping[str, Shape] = {}
"""What each item of a command's answer holds, as :mod:`dreamer.shapes` writes it, by command."""


def print_answer(command: str, items: Iterable[Mapping[str, Any]]) -> None:
    """Print what a command has to say.

    Args:
        command: Its name, as ``"presets list"``.
        items: Each of the shape that :data:`ITEMS` says.
    """
    print_json(
        {
            "format": FORMAT,
            "program": "dreamer",
            "version": __version__,
            "command": command,
            "items": [dict(item) for item in items],
        }
    )
