"""``dreamer presets sheet PHOTO``: one photo through all presets, to choose by eye."""

from __future__ import annotations

from pathlib import Path

import click

from dreamer.choosing.cells import needed, preset_cells
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_choice, complete_model
from dreamer.cli.completing import tags as all_tags
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.interrupts import exit_status
from dreamer.cli.mistyping import OutputFile, PhotoFile, WholeRange
from dreamer.cli.options import backend_option, debug_option, quiet_option
from dreamer.cli.outputs import print_path
from dreamer.cli.progress import note, silent
from dreamer.cli.sheet import columns_option
from dreamer.cli.sheet_wish import SheetWish, sheet_of


@click.command(cls=Command)
@click.argument("photo", type=PhotoFile())
@click.option("-o", "--output", type=OutputFile(), required=True, help="Where to write the sheet.")
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    help="Only presets with this tag; repeatable.",
    shell_complete=complete_choice(all_tags),
)
@columns_option
@click.option(
    "--model", metavar="NAME", shell_complete=complete_model, help="With this network, not each preset's own."
)
@click.option("--seed", type=WholeRange(min=0), help="Of all dreams.  [default: each preset's own, or 0]")
@backend_option
@fetch_options
@quiet_option
@debug_option
@click.pass_context
def sheet(
    ctx: click.Context,
    /,
    photo: Path,
    output: Path,
    overwrite: bool,
    tags: tuple[str, ...],
    columns: int | None,
    model: str | None,
    seed: int | None,
    offline: bool | None,
    mirror: str | None,
    quiet: bool,
) -> None:
    """Dream PHOTO small in every preset, your own included, and lay the dreams out with numbers and names.

    Each is composed like the whole dream would be. An interrupt keeps those that are done.
    `dreamer dream --pick lace SHEET` makes the whole of one.
    """
    tell = silent if quiet else note
    changes = {name: value for name, value in (("seed", seed), ("model", model)) if value is not None}
    cells = preset_cells(tags, changes, note=tell)
    networks = needed(cells)
    wish = SheetWish(
        command="presets sheet",
        photo=photo,
        cells=cells,
        output=output,
        overwrite=overwrite,
        columns=columns,
        with_photo=True,
        fetch=lambda: [ensure_weights(one, offline=offline, mirror=mirror, quiet=quiet) for one in networks],
        quiet=quiet,
        tell=tell,
    )
    wish.check()

    from dreamer.sources import read_photo

    found, source = read_photo(photo)
    made, target = sheet_of(wish, [found], source)
    if not quiet:
        print_path(target)
    if made.is_partial:
        ctx.exit(exit_status())
