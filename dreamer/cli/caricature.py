"""``dreamer caricature PHOTO``: exaggerates what layers find in a photo."""

from __future__ import annotations

from typing import Any

import click

from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_target
from dreamer.cli.from_photo import Asked, draw, photo_options
from dreamer.cli.help_page import DRAW, option
from dreamer.cli.mistyping import NumberRange
from dreamer.objectives.bounds import LARGEST_POWER


def _names(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> list[str]:
    """Layers with commas between them."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


@click.command(cls=Command)
@photo_options("caricature", "caricature")
@option(
    DRAW, "--layers", metavar="LAYER[,LAYER]...", callback=_names, shell_complete=complete_target,
    help="Whose findings are exaggerated; several make a sheet.  [default: three that dream well]",
)  # fmt: skip
@option(
    DRAW, "--power", type=NumberRange(min=0, max=LARGEST_POWER), default=0.0, metavar="F",
    help="How much the result is held to what was found: 0 exaggerates most.  [default: 0]",
)  # fmt: skip
def caricature(ctx: click.Context, /, photo: str, layers: list[str], power: float, **chosen: Any) -> None:
    """Exaggerate what layers of a network find in PHOTO.

    Several layers make a labelled sheet, the photo first. Ctrl-C keeps what there is.

    \b
    dreamer caricature cat.jpg
    dreamer caricature cat.jpg --layers block2b,block4b,block5c -o sheet.png
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    asked = Asked.of("caricature", "caricature", photo, chosen)

    def begun() -> Any:
        from dreamer.visualizing.photos import caricature_run

        return caricature_run(asked.photo, layers, power=power, **asked.settings)

    draw(ctx, asked, begun, lambda run, _result: {"layers": run.titles})
