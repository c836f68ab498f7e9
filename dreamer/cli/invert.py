"""``dreamer invert PHOTO``: draws what is left of a photo in a layer."""

from __future__ import annotations

from typing import Any

import click

from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_target
from dreamer.cli.from_photo import Asked, draw, photo_options
from dreamer.cli.help_page import DRAW, option


@click.command(cls=Command)
@photo_options("invert", "inverted")
@option(
    DRAW, "--layer", metavar="LAYER", shell_complete=complete_target,
    help="In which the result is to be as the photo.  [default: the network's usual one]",
)  # fmt: skip
def invert(ctx: click.Context, /, photo: str, layer: str | None, **chosen: Any) -> None:
    """Draw, from noise, a picture in which a layer finds the same as in PHOTO.

    What it shows is what is left of the photo in that layer. How near it came is told as a cosine. Ctrl-C keeps what
    there is.

    \b
    dreamer invert cat.jpg --layer block5c
    dreamer invert cat.jpg --layer block2b --size 480 -o early.png
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    asked = Asked.of("invert", "inverted", photo, chosen)

    def begun() -> Any:
        from dreamer.visualizing.photos import inversion_run

        return inversion_run(asked.photo, layer, **asked.settings)

    draw(
        ctx,
        asked,
        begun,
        lambda run, result: {"layer": run.titles[0], "cosine": result.recipe["cosine"]},
        say=lambda run, result: [
            f"{run.titles[0]} finds the same as in the photo, with a cosine of {result.recipe['cosine']:.3f}"
        ],
    )
