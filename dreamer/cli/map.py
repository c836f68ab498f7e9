"""``dreamer map LAYER --photos FOLDER``: an activation atlas of one's own photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.answers import print_answer
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_layer, remember_layers
from dreamer.cli.help_page import CLIMB, DRAW, LOOK, RESULT, option
from dreamer.cli.looking import check_apart, ensure_network, index_option, kept_on_interrupt, looking_options
from dreamer.cli.mistyping import InputFile, WholeRange
from dreamer.cli.options import given_options
from dreamer.cli.outputs import print_path
from dreamer.cli.pools import place_of, pool_options
from dreamer.cli.progress import WorkProgress, import_keras, note, silent, work_progress
from dreamer.mapping.settings import DATA, PAGE, MapSettings
from dreamer.wording import shown

if TYPE_CHECKING:
    from dreamer.mapping.atlas import ActivationMap


def _grids(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """Numbers of cells with commas between them."""
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{shown(text)}; expected cells along a side, as in 8 or 6,12,20") from None


@click.command("map", cls=Command)
@click.argument("layer", shell_complete=complete_layer)
@option(DRAW, "--photos", required=True, metavar="FOLDER|URL", help="The photos of which the map is made.")
@option(
    RESULT, "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
    help="The folder of the map: DIR/index.html.",
)  # fmt: skip
@option(RESULT, "--overwrite", is_flag=True, help="Replace an earlier map that is in DIR.")
@option(
    DRAW, "--place", "place_photos", type=InputFile(), multiple=True, metavar="PHOTO",
    help="A photo of your own to be found on the map; may be given several times.",
)  # fmt: skip
@option(
    LOOK, "--grid", "grids", callback=_grids, metavar="N[,N]...",
    help="Cells along each side, for each level of zoom.  [default: by the number of photos, as 6,12,20 for 1000]",
)  # fmt: skip
@option(
    LOOK, "--layout", metavar="NAME|FILE",
    help="What lays the points out: tsne or umap, or a .npy file of places.  [default: tsne]",
)  # fmt: skip
@option(
    LOOK, "--per-photo", type=WholeRange(min=1, max=1000), metavar="N",
    help="Positions that are taken of each photo.  [default: one, or more where photos are few]",
)  # fmt: skip
@option(LOOK, "--size", type=WholeRange(min=32, max=512), metavar="PX",
        help=f"Side of an icon.  [default: {MapSettings.size}]")  # fmt: skip
@option(
    CLIMB, "--steps", type=WholeRange(min=0), metavar="N",
    help=f"In how many steps icons are drawn; 0 for crops of photos alone.  [default: {MapSettings.steps}]",
)  # fmt: skip
@index_option
@pool_options("How many processes look at photos at a time.  [default: this one]")
@looking_options
def map_(
    ctx: click.Context,
    /,
    layer: str,
    photos: str,
    output: Path,
    overwrite: bool,
    place_photos: tuple[str, ...],
    index: str | None,
    offline: bool | None,
    mirror: str | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Make a map of what LAYER tells apart in your photos: an activation atlas, with a page to explore it.

    What lies together the layer takes for alike. Each cell shows what the mean of its photos looks like when it is
    drawn, what the network takes it for, and the crops that are nearest. It needs the extra [embedding].

    \b
    dreamer map block4b --photos ~/photos -o map
    dreamer map block5c --photos ~/photos -o map --place me.jpg
    dreamer map block5c --photos ~/photos -o map --layout umap --grid 8,16
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    place = place_of(chosen)
    settings = MapSettings.of(**given_options(chosen))
    from dreamer.images import folders
    from dreamer.mapping import layout

    layout.check(settings.layout)
    folders.check(output, (PAGE, DATA), overwrite=overwrite)
    check_apart(output, photos)
    ensure_network(settings.model, settings.preprocessing, offline=offline, mirror=mirror, quiet=quiet)
    tell = silent if quiet else note
    with work_progress(quiet=quiet) as progress, kept_on_interrupt(ctx, tell):
        import_keras()
        from dreamer.mapping.calls import map_photos
        from dreamer.models import registry

        network = registry.load(settings.model, settings.preprocessing)  # Kept, so that it is not loaded twice.
        made = map_photos(
            layer, photos, settings, place_photos=place_photos, index=index, place=place,
            note=silent if quiet else progress.say, on_progress=_shown(progress),
        )  # fmt: skip
    remember_layers(network)
    page = made.save(output, overwrite=overwrite)
    if as_json:
        print_answer("map", _items(made, page))
    elif not quiet:
        print_path(page)


def _shown(progress: WorkProgress) -> Any:
    """What shows how far it is; each part of the work leaves a line when it is done."""

    def show(what: str, share: float) -> None:
        progress.show(what, share, f"{what}: done" if share >= 1 else None)

    return show


def _items(made: ActivationMap, page: Path) -> list[dict[str, Any]]:
    """The cells, for a script, as ``answers.ITEMS["map"]`` says."""
    names = made.points.names
    return [
        {
            "grid": grid,
            "row": one.cell.row,
            "column": one.cell.column,
            "count": one.cell.count,
            "alike": one.alike,
            "labels": [
                {"index": index, "name": made.classes[index], "attribution": much} for index, much in one.labels
            ],
            "photos": [names[made.points.photos[point]] for point in one.cell.members],
            "page": str(page),
        }
        for grid, some in made.levels.items()
        for one in some
    ]
