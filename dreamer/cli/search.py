"""``dreamer search OBJECTIVE PHOTOS``: the photos, and the crops of them, that an objective answers to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.answers import print_answer
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_target, remember_layers
from dreamer.cli.help_page import CLIMB, RESULT, option
from dreamer.cli.looking import (
    check_apart,
    ensure_network,
    index_option,
    kept_on_interrupt,
    looking_options,
    shown_photos,
    shown_share,
)
from dreamer.cli.mistyping import WholeRange
from dreamer.cli.options import given_options
from dreamer.cli.outputs import print_path, print_text
from dreamer.cli.pools import place_of, pool_options
from dreamer.cli.progress import import_keras, note, silent, work_progress
from dreamer.cli.tables import table
from dreamer.searching.settings import DATA, PAGE, SearchSettings

if TYPE_CHECKING:
    from dreamer.searching.found import Found


@click.command(cls=Command)
@click.argument("objective", shell_complete=complete_target)
@click.argument("photos", metavar="FOLDER|URL")
@option(
    RESULT, "-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Also write the crops, the photos and a page there.",
)  # fmt: skip
@option(RESULT, "--overwrite", is_flag=True, help="Replace an earlier search that is in DIR.")
@option(RESULT, "--top", type=WholeRange(min=1, max=1000), metavar="N",
        help=f"How many photos are found at either end.  [default: {SearchSettings.top}]")  # fmt: skip
@option(
    CLIMB, "--steps", type=WholeRange(min=0), metavar="N",
    help="In how many steps the objective is drawn, to be seen beside the photos; 0 for not at all.  "
    f"[default: {SearchSettings.steps} with -o]",
)  # fmt: skip
@index_option
@pool_options("How many processes look at photos at a time.  [default: this one]")
@looking_options
def search(
    ctx: click.Context,
    /,
    objective: str,
    photos: str,
    output: Path | None,
    overwrite: bool,
    index: str | None,
    offline: bool | None,
    mirror: str | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Search photos for those that OBJECTIVE answers to most and least, and for the part of them that was seen.

    What the layers find is kept, so that the next question to them takes seconds. Photos alone do not say which part
    of them is meant: with -o the objective is drawn, too, and each crop is compared with the drawn picture.

    \b
    dreamer search block4b:17 ~/photos -o found/
    dreamer search 'logit:tabby cat' ~/photos --top 4
    dreamer search 'block4b:17 - 0.5*block2a' s3://bucket/photos -o found/ --workers 8
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    from dreamer.errors import SettingsError
    from dreamer.objectives import Objective

    place = place_of(chosen)
    given = given_options(chosen)
    if output is None:
        if overwrite or given.get("steps"):
            raise SettingsError("--overwrite and --steps are for what is written; give -o DIR, or leave them out")
        given["steps"] = 0
    settings = SearchSettings.of(**given)
    asked = Objective.parse(objective)
    if output is not None:
        from dreamer.images import folders

        folders.check(output, (PAGE, DATA), overwrite=overwrite)
        check_apart(output, photos)
    ensure_network(settings.model, settings.preprocessing, offline=offline, mirror=mirror, quiet=quiet)
    tell = silent if quiet else note
    with work_progress(quiet=quiet) as progress, kept_on_interrupt(ctx, tell):
        import_keras()
        from dreamer.models import registry
        from dreamer.searching.calls import search as searched

        network = registry.load(settings.model, settings.preprocessing)  # Kept, so that it is not loaded twice.
        found = searched(
            asked, photos, settings, index=index, place=place, note=silent if quiet else progress.say,
            on_photo=shown_photos(progress), on_step=shown_share(progress, "drawing"),
        )  # fmt: skip
    remember_layers(network)
    page = None if output is None else found.save(output, overwrite=overwrite)
    if as_json:
        print_answer("search", _items(found, page))
    elif not quiet:
        _tell(found)
    if page is not None and not as_json and not quiet:
        print_path(page)


def _tell(found: Found) -> None:
    for end, some in (("most", found.most), ("least", found.least)):
        print_text(f"{found.title}, {end} of {found.looked_at} photos:")
        heads = ["score", "photo", "at row, column", *(["agrees"] if found.drawn else [])]
        rows = [
            [
                f"{one.score:.4g}",
                one.photo + (f" (and {len(one.alike)} nearly the same)" if one.alike else ""),
                "-" if one.at is None else f"{one.at[0]}, {one.at[1]}",
                *([] if one.agrees is None else [f"{one.agrees:.2f}"]),
            ]
            for one in some
        ]
        print_text(table(heads, rows))


def _items(found: Found, page: Path | None) -> list[dict[str, Any]]:
    """The photos, for a script, as ``answers.ITEMS["search"]`` says."""
    return [
        {"end": end, "rank": rank, **one.to_dict(), "page": None if page is None else str(page)}
        for end, some in (("most", found.most), ("least", found.least))
        for rank, one in enumerate(some, start=1)
    ]
