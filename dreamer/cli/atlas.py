"""``dreamer atlas LAYER...``: a picture of every channel, and a page to explore them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command, check_settings
from dreamer.cli.completing import complete_label, complete_layer, remember_layers
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.help_page import DRAW, RESULT, option
from dreamer.cli.interrupts import exit_status, ignore_interrupts, interrupt_once
from dreamer.cli.options import (
    backend_option,
    debug_option,
    given_options,
    quiet_option,
    trust_option,
)
from dreamer.cli.outputs import print_path
from dreamer.cli.pools import place_of, pool_options
from dreamer.cli.progress import import_keras, note, silent, work_progress
from dreamer.cli.setting_options import visualize_options
from dreamer.errors import SettingsError
from dreamer.visualizing.settings import VisualizeSettings

if TYPE_CHECKING:
    from dreamer.atlases.catalog import Catalog


@click.command(cls=Command)
@click.argument("layers", nargs=-1, metavar="[LAYER...]", shell_complete=complete_layer)
@option(
    RESULT, "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
    help="The folder of the atlas, a new one or one to go on with.",
)  # fmt: skip
@option(DRAW, "--channels", metavar="N-N,N", help="Draw only these channels of each layer, as in 0-63,80.")
@option(DRAW, "--all-layers", is_flag=True, help="Draw every layer that ends a block of the network.")
@option(
    DRAW, "--logits", is_flag=False, flag_value="", metavar="[SEARCH]", shell_complete=complete_label,
    help="Draw the classes that are called SEARCH, or all of them.",
)  # fmt: skip
@option(DRAW, "--negative", is_flag=True, help="Also draw what each unit answers to least.")
@option(
    DRAW, "--examples", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Also show the nine photos of FOLDER that excite each unit most, as small copies in DIR.",
)  # fmt: skip
@option(
    RESULT, "--resume", is_flag=True, help="Go on with what DIR was asked for, with the settings it was begun with."
)
@trust_option
@option(RESULT, "--overwrite", is_flag=True, help="Draw all anew if DIR is an atlas already.")
@visualize_options(jointly=False)
@pool_options("How many processes draw at a time.  [default: one per GPU, or per core if there is much to draw]")
@backend_option
@fetch_options
@json_option
@quiet_option
@debug_option
@click.pass_context
def atlas(
    ctx: click.Context,
    /,
    layers: tuple[str, ...],
    output: Path,
    channels: str | None,
    all_layers: bool,
    logits: str | None,
    negative: bool,
    examples: Path | None,
    resume: bool,
    trust: bool,
    overwrite: bool,
    offline: bool | None,
    mirror: str | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Draw what every channel of each LAYER looks for, with a page to explore them: DIR/index.html.

    A run that was interrupted is gone on with by the same command; other layers and channels extend the atlas.

    \b
    dreamer atlas block4b -o atlas
    dreamer atlas block5c --channels 0-63 --negative -o atlas
    dreamer atlas --logits dog --examples ~/photos -o dogs
    dreamer atlas --all-layers --size 128 -o everything
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    from dreamer.atlases import folder, units
    from dreamer.models import registry
    from dreamer.models.fetching import Described
    from dreamer.priors import specs as priors
    from dreamer.workers import resources

    place = place_of(chosen)
    asked = bool(layers or all_layers or logits is not None)
    wanted = None if channels is None else units.channels(channels)
    folder.check(output)
    given = given_options(chosen)
    if resume:
        settings = folder.resumed(output, given, overwrite=overwrite, trust=trust)
    else:
        settings = VisualizeSettings.of(**given)
    check_settings(settings, given)
    if not asked and not resume:
        raise SettingsError("no layer is named; name some, as in block4b, or give --all-layers, --logits or --resume")
    spec = registry.spec(settings.model, settings.preprocessing)  # An unknown one is said before anything is loaded.
    needed: list[Described] = [spec, *priors.needed(priors.check_use(settings.prior, dreams=False))]
    tell = silent if quiet else note
    for one in needed:
        ensure_weights(one, offline=offline, mirror=mirror, quiet=quiet)
    if place.is_named or len(resources.gpus()) > 1:
        os.environ.update(resources.SHARED_GPU)  # This process looks at the network, workers draw with it.
    with work_progress(quiet=quiet) as progress:
        import_keras()
        from dreamer.atlases import making
        from dreamer.atlases.run import AtlasRun
        from dreamer.searching import looking
        from dreamer.visualizing import spectrum

        photos = [] if examples is None else spectrum.photos(examples)
        others = "" if examples is None else looking.left_out(examples)
        if others:
            tell(f"of the photos in {examples} {others}")
        network = registry.load(settings.model, settings.preprocessing)
        found = units.chosen(network, layers, wanted=wanted, all_layers=all_layers, classes=logits) if asked else []
        with folder.locked(output):
            run = AtlasRun(output, network, settings, place, progress, tell)
            catalog = folder.begun(output, run.empty(spec.title), overwrite=overwrite)
            making.extend(catalog, found, negative=negative)
            page, is_whole = run.make(catalog, photos, interruptible=interrupt_once(), settle=ignore_interrupts)
    remember_layers(network)
    if as_json:
        print_answer("atlas", _items(catalog, output, page))
    elif not quiet:
        print_path(page)
    if not is_whole:
        tell(f"interrupted; the same command, or --resume -o {output}, goes on")
        ctx.exit(exit_status())


def _items(catalog: Catalog, folder: Path, page: Path) -> Iterator[dict[str, object]]:
    """The units of an atlas, for a script, as ``answers.ITEMS["atlas"]`` says."""
    for entry in catalog.entries.values():
        first = next((one for one in entry.pictures if not one.negative), None)
        yield {
            "layer": entry.unit.layer,
            "index": entry.unit.index,
            "name": entry.unit.name,
            "picture": None if first is None else str(folder / entry.path(first.negative, first.variant)),
            "score": None if first is None else first.score,
            "dead": entry.is_dead,
            "page": str(page),
        }
