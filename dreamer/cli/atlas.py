"""``dreamer atlas LAYER...``: a picture of every channel, and a page to explore them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.completing import complete_layer, remember_layers
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.options import EXIT_INTERRUPTED, backend_option, debug_option, given_options, visualize_options
from dreamer.cli.outputs import print_path
from dreamer.cli.pools import Place, place_of, pool_options
from dreamer.cli.progress import WorkProgress, import_keras, note, silent, work_progress
from dreamer.errors import AtlasError, SettingsError
from dreamer.settings import VisualizeSettings, digests_of

if TYPE_CHECKING:
    from dreamer.atlas.catalog import Catalog
    from dreamer.atlas.jobs import Drawn, Execute, Job
    from dreamer.models.vision_model import VisionModel
    from dreamer.visualizing import VisualizeStep


@click.command()
@click.argument("layers", nargs=-1, metavar="[LAYER...]", shell_complete=complete_layer)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
    help="The folder of the atlas; one that is there is gone on with.",
)  # fmt: skip
@click.option("--channels", metavar="N-N,N", help="Only these channels of each layer, as in 0-63,80.")
@click.option("--all-layers", is_flag=True, help="Every layer that ends a block of the network.")
@click.option(
    "--logits", is_flag=False, flag_value="", metavar="[SEARCH]",
    help="The classes that are called SEARCH; without it, all of them.",
)  # fmt: skip
@click.option("--negative", is_flag=True, help="Draw what each unit answers to least as well.")
@click.option(
    "--examples", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Show the nine photos of FOLDER that excite each unit most; small copies go into DIR.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with what DIR was asked for, with the settings it was begun with.")
@click.option("--overwrite", is_flag=True, help="Draw all anew if DIR is an atlas already.")
@visualize_options
@pool_options("Processes that draw at a time.  [default: this one, or with several GPUs one for each]")
@backend_option
@fetch_options
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
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
    overwrite: bool,
    offline: bool | None,
    mirror: str | None,
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
    from dreamer.atlas import folder, units
    from dreamer.models import registry

    place = place_of(chosen)
    asked = bool(layers or all_layers or logits is not None)
    wanted = None if channels is None else units.channels(channels)
    folder.check(output)
    settings = VisualizeSettings.of(**(_begun_with(output, overwrite) if resume else {}) | given_options(chosen))
    if not asked and not resume:
        raise SettingsError("no layer is named; name some, as in block4b, or give --all-layers, --logits or --resume")
    spec = registry.spec(settings.model, settings.preprocessing)  # An unknown one is said before anything is loaded.
    tell = silent if quiet else note
    ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)
    with work_progress(quiet=quiet) as progress:
        import_keras()
        from dreamer import spectra
        from dreamer.atlas import making

        photos = [] if examples is None else spectra.photos(examples)
        network = registry.load(settings.model, settings.preprocessing)
        found = units.chosen(network, layers, wanted=wanted, all_layers=all_layers, classes=logits) if asked else []
        with folder.locked(output):
            run = _Run(output, network, settings, progress, tell, place)
            catalog = folder.begun(output, run.empty(spec.title), overwrite=overwrite)
            making.extend(catalog, found, negative=negative)
            page, is_whole = run.make(catalog, photos)
    remember_layers(network)
    if not quiet:
        print_path(page)
    if not is_whole:
        tell(f"interrupted; the same command, or --resume -o {output}, goes on")
        ctx.exit(EXIT_INTERRUPTED)


def _begun_with(output: Path, overwrite: bool) -> dict[str, Any]:
    """The settings of the atlas that is to be resumed."""
    from dreamer.atlas import catalog

    old = catalog.read(output)
    if old is None or overwrite:
        reason = "--overwrite throws it away" if old else f"{output} is none; leave it out to begin one"
        raise SettingsError(f"--resume goes on with an atlas, and {reason}")
    return old.settings


class _Run:
    """One run of the command, once the network is there."""

    def __init__(
        self,
        folder: Path,
        network: VisionModel,
        settings: VisualizeSettings,
        progress: WorkProgress,
        tell: Callable[[str], None],
        place: Place,
    ) -> None:
        from dreamer.visualizing import resolved

        self._folder = folder
        self._network = network
        self._settings = resolved(settings)
        self._progress = progress
        self._tell = tell
        self._place = place

    def empty(self, title: str) -> Catalog:
        """An atlas without units, to be drawn with these settings."""
        from dreamer.atlas.catalog import Catalog

        settings = self._settings
        return Catalog(settings.model, title, self._network.weights_sha256, settings.to_dict())

    def make(self, catalog: Catalog, photos: list[Path]) -> tuple[Path, bool]:
        """Draw what is missing, look through the photos, write the page; where it is, and whether all is done."""
        from dreamer.atlas import making

        wanted = making.missing(self._folder, catalog)
        is_whole = True
        handler = signal.getsignal(signal.SIGINT)
        try:
            self._draw(catalog, wanted)
            self._look(catalog, photos)
        except KeyboardInterrupt:
            is_whole = False
        try:
            # A second, nervous Ctrl-C must not leave sheets and page behind the pictures.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return making.finish(self._folder, catalog, wanted), is_whole
        finally:
            signal.signal(signal.SIGINT, handler)

    def _draw(self, catalog: Catalog, wanted: dict[str, Any]) -> None:
        from dreamer.atlas import making
        from dreamer.recipes import recipe_of

        files = digests_of([self._settings.spectrum] if self._settings.spectrum else [])
        recipe = recipe_of(self._network, self._settings.to_dict(), files) | {"command": "atlas"}
        how = self._in_pool if self._is_pooled() else self._here
        execute, most = how(wanted)
        for _ in making.draw(self._folder, catalog, wanted, self._settings, recipe=recipe, execute=execute, most=most):
            pass
        dead = sum(entry.is_dead for entry in catalog.entries.values())
        if dead:
            self._tell(f"{dead} of {len(catalog.entries)} units answered to nothing, and are marked so")

    def _is_pooled(self) -> bool:
        from dreamer.batch import resources

        return self._place.is_named or len(resources.gpus()) > 1

    def _here(self, wanted: dict[str, Any]) -> tuple[Execute, int]:
        """Draw in this process, one job after the other."""
        from dreamer.atlas import jobs

        total, done = len(wanted), 0

        def on_step(job: Job, step: VisualizeStep) -> None:
            [layer] = {wanted[target][0].unit.layer for target in job.targets}
            share = (step.step + 1) / step.num_steps
            targets = len(step.indices) / self._settings.diversity
            text = f"{layer}: {done} of {total}, step {step.step + 1}/{step.num_steps}"
            is_over = step.step + 1 == step.num_steps
            milestone = f"{layer}: {done + round(targets)} of {total} drawn" if is_over else None
            self._progress.show(text, min(1.0, (done + share * targets) / total), milestone)

        def execute(some: Sequence[Job]) -> Iterator[list[Drawn]]:
            nonlocal done
            for batch in jobs.in_turn(some, on_step=on_step, note=self._tell):
                yield batch
                done += len({drawn.target for drawn in batch})

        return execute, jobs.MOST_TARGETS

    def _in_pool(self, wanted: dict[str, Any]) -> tuple[Execute, int]:
        """Draw in processes of their own, here or on a cluster."""
        from dreamer.atlas import jobs
        from dreamer.batch import pools

        total = len(wanted)

        def execute(some: Sequence[Job]) -> Iterator[list[Drawn]]:
            pool, done = self._place.pool(), 0
            try:
                for outcome in pools.run(some, jobs.draw_job, pool, retries=self._place.retries):
                    if outcome.failure is not None:
                        raise AtlasError(f"{outcome.job.targets[0]} and others of its layer: {outcome.failure.message}")
                    done += len(outcome.job.targets)
                    self._progress.show(f"{done} of {total}", done / total, f"{done} of {total} drawn")
                    yield outcome.result or []
            finally:
                pool.close()

        return execute, jobs.MOST_TARGETS_OF_A_POOL

    def _look(self, catalog: Catalog, photos: list[Path]) -> None:
        from dreamer.atlas import examples, page

        if not photos:
            return
        digest = examples.digest(photos, catalog)
        if digest == catalog.photos_digest:
            return

        def on_photo(number: int) -> None:
            text = f"{number} of {len(photos)} photos"
            is_milestone = number % 100 == 0 or number == len(photos)
            self._progress.show(text, number / len(photos), f"{text} looked at" if is_milestone else None)

        examples.find(self._folder, catalog, self._network, photos, on_photo=on_photo, note=self._tell)
        catalog.photos_digest = digest
        page.save(self._folder, catalog)
        examples.sweep(self._folder, catalog)
