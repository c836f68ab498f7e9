"""``dreamer recipe FILE``: prints how a picture was made."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dreamer.cli.commands import Command
from dreamer.cli.options import debug_option


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@debug_option
def recipe(file: Path) -> None:
    """Print, as JSON, the recipe that dreamer wrote into FILE."""
    from dreamer import images

    click.echo(json.dumps(images.read_recipe(file), indent=2))
