"""``dreamer recipe FILE``: prints how a picture or a video was made."""

from __future__ import annotations

from pathlib import Path

import click

from dreamer.cli.commands import Command
from dreamer.cli.mistyping import InputFile
from dreamer.cli.options import debug_option
from dreamer.cli.outputs import print_json


@click.command(cls=Command)
@click.argument("file", type=InputFile(), callback=lambda _ctx, _parameter, file: Path(file))
@debug_option
def recipe(file: Path) -> None:
    """Print, as JSON, the recipe that dreamer wrote into FILE."""
    from dreamer.sources import read_recipe

    print_json(read_recipe(file))
