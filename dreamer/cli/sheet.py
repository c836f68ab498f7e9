"""``dreamer sheet PHOTO``: one photo in many ways, small and numbered, to choose by eye."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.choosing.cells import cells_of, needed
from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command, check_settings
from dreamer.cli.completing import complete_preset, complete_target
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.help_page import DREAM, LOOK, RESULT, option
from dreamer.cli.interrupts import exit_status
from dreamer.cli.mistyping import OutputFile, PhotoFile, WholeRange
from dreamer.cli.options import (
    backend_option,
    damaged_option,
    debug_option,
    max_pixels_option,
    no_single_terms,
    quiet_option,
    trust_option,
)
from dreamer.cli.outputs import print_path
from dreamer.cli.progress import note, silent
from dreamer.cli.ranging import Several
from dreamer.cli.setting_options import range_options, ranges_of
from dreamer.cli.sheet_wish import SheetWish, sheet_of

if TYPE_CHECKING:
    from dreamer.choosing.made import DreamSheet

columns_option = option(
    RESULT, "--columns", type=WholeRange(min=1), metavar="N", help="How many pictures stand side by side."
)


@click.command(cls=Command)
@click.argument("photo", type=PhotoFile())
@option(
    RESULT, "-o", "--output", type=OutputFile(),
    help="Where to write, in the format of the suffix.  [default: PHOTO with -sheet, a PNG]",
)  # fmt: skip
@option(RESULT, "--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@columns_option
@option(
    LOOK, "--preset", type=Several(str), metavar="NAME|FILE,...", shell_complete=complete_preset,
    help="A look to begin with, one of `dreamer presets list`, or several; other options change it.",
)  # fmt: skip
@trust_option
@option(
    DREAM, "--objective", multiple=True, metavar="OBJECTIVE", shell_complete=complete_target,
    help="What to enhance, as in 'block4b:17 - 0.5*block2a' and docs/targets.md; repeat it for several.",
)  # fmt: skip
@no_single_terms
@range_options
@backend_option
@fetch_options
@max_pixels_option
@damaged_option
@json_option
@quiet_option
@debug_option
@click.pass_context
def sheet(
    ctx: click.Context,
    /,
    photo: Path,
    output: Path | None,
    overwrite: bool,
    columns: int | None,
    trust: bool,
    max_pixels: int,
    damaged_ok: bool,
    offline: bool | None,
    mirror: str | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Dream PHOTO small in many ways, on one numbered sheet, to choose by eye.

    Any option takes several values: a list 0.3,0.6,1, whole numbers 1..4, numbers in even distances 0.2..1/5. The sheet
    has all combinations, the first option varying slowest. Each picture is composed like the whole dream would be, and
    `dreamer dream --pick` makes the whole of one. Ctrl-C keeps those that are done.

    \b
    dreamer sheet photo.jpg --preset lace --strength 0.3,0.6,1 --seed 1..4
    dreamer sheet photo.jpg --objective block4b:17 --objective block5c --smooth --laplacian
    dreamer dream --pick 7 photo-sheet.png
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    told = ranges_of(chosen)
    cells = cells_of(told, trust=trust)
    for cell in cells:
        check_settings(cell.settings, told)
    networks = needed(cells)
    wish = SheetWish(
        command="sheet",
        photo=photo,
        cells=cells,
        output=output,
        overwrite=overwrite,
        columns=columns,
        with_photo=False,
        fetch=lambda: [ensure_weights(one, offline=offline, mirror=mirror, quiet=quiet) for one in networks],
        quiet=quiet,
        tell=silent if quiet else note,
    )
    wish.check()

    from dreamer.sources import read_photo

    sides = [cell.settings.max_size for cell in cells]
    longest = None if None in sides else max(side for side in sides if side is not None)
    found, source = read_photo(photo, max_side=longest, max_pixels=max_pixels, damaged_ok=damaged_ok)
    for remark in found.notes:
        wish.tell(remark)
    made, target = sheet_of(wish, [found], source)
    if as_json:
        print_answer("sheet", [_answer(photo, target, made)])
    elif not quiet:
        print_path(target)
    if made.is_partial:
        ctx.exit(exit_status())


def _answer(photo: Path, target: Path, made: DreamSheet) -> dict[str, Any]:
    height, width = made.photo.pixels.shape[:2]
    return {
        "photo": str(photo),
        "path": str(target),
        "width": width,
        "height": height,
        "cells": [
            {
                "number": one.number,
                "label": one.label,
                "preset": one.cell.preset.get("preset"),
                "settings": one.settings.to_dict(),
                "error": one.error,
            }
            for one in made.cells
        ],
        "planned": made.planned,
        "partial": made.is_partial,
        "recipe": dict(made.recipe),
    }
