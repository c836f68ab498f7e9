"""How ``dreamer atlas`` draws: in this process or in a pool, its progress shown, an interrupt taken well."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.cli.interrupts import ignore_interrupts, interrupt_once
from dreamer.cli.pools import Place
from dreamer.cli.progress import WorkProgress
from dreamer.errors import AtlasError
from dreamer.visualizing.settings import VisualizeSettings

if TYPE_CHECKING:
    from dreamer.atlases.catalog import Catalog
    from dreamer.atlases.jobs import Drawn, Execute, Job
    from dreamer.models.network import Network
    from dreamer.visualizing.steps import VisualizeStep


class Run:
    """One run of the command, once the network is there; the folder is locked meanwhile."""

    def __init__(
        self,
        folder: Path,
        network: Network,
        settings: VisualizeSettings,
        progress: WorkProgress,
        tell: Callable[[str], None],
        place: Place,
    ) -> None:
        from dreamer.visualizing.plan import VisualizePlan

        self._folder = folder
        self._plan = VisualizePlan.of(settings, network)
        self._settings = self._plan.settings
        self._progress = progress
        self._tell = tell
        self._place = place
        self._failures: list[str] = []

    def empty(self, title: str) -> Catalog:
        """An atlas without units, to be drawn with these settings."""
        from dreamer.atlases.catalog import Catalog

        settings = self._settings
        return Catalog(settings.model, title, self._plan.network.weights_sha256, settings.to_dict())

    def make(self, catalog: Catalog, photos: list[Path]) -> tuple[Path, bool]:
        """Draw what is missing, look through the photos, write the page; where it is, and whether all is done."""
        from dreamer.atlases import making

        wanted = making.missing(self._folder, catalog)
        is_whole = True
        with interrupt_once():
            try:
                self._draw(catalog, wanted)
                self._look(catalog, photos)
            except KeyboardInterrupt:
                is_whole = False
            ignore_interrupts()
            page = making.finish(self._folder, catalog, wanted)
        if self._failures:
            others = f", and {len(self._failures) - 1} more" if len(self._failures) > 1 else ""
            raise AtlasError(f"not all could be drawn: {self._failures[0]}{others}. The same command again tries them")
        return page, is_whole

    def _draw(self, catalog: Catalog, wanted: dict[str, Any]) -> None:
        from dreamer.atlases import making

        recipe = self._plan.recipe({}) | {"command": "atlas"}
        how = self._in_pool if self._is_pooled(len(wanted)) else self._here
        execute, most = how(wanted)
        for _ in making.draw(self._folder, catalog, wanted, self._settings, recipe=recipe, execute=execute, most=most):
            pass
        dead = sum(entry.is_dead for entry in catalog.entries.values())
        if dead:
            self._tell(f"{dead} of {len(catalog.entries)} units answered to nothing, and are marked so")

    def _is_pooled(self, targets: int) -> bool:
        """Whether processes of their own draw, which take some seconds to start."""
        from dreamer.atlases import jobs
        from dreamer.workers import resources

        gpus = len(resources.gpus())
        if self._place.is_named or gpus > 1:
            return True
        return not gpus and targets > 2 * jobs.MOST_TARGETS_OF_A_POOL and resources.default_workers() > 1

    def _here(self, wanted: dict[str, Any]) -> tuple[Execute, int]:
        """Draw in this process, one job after the other."""
        from dreamer.atlases import jobs

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
            for batch in jobs.in_turn(some, on_step=on_step, note=self._tell, on_late=self._failed):
                yield batch
                done += len({drawn.target for drawn in batch})

        return execute, jobs.MOST_TARGETS

    def _in_pool(self, wanted: dict[str, Any]) -> tuple[Execute, int]:
        """Draw in processes of their own, here or on a cluster."""
        from dreamer.atlases import jobs
        from dreamer.workers import pools

        total = len(wanted)

        def execute(some: Sequence[Job]) -> Iterator[list[Drawn]]:
            pool, done = self._place.pool(), 0
            some = [dataclasses.replace(job, timeout=self._place.timeout) for job in some]
            try:
                for outcome in pools.run(some, jobs.draw_job, pool, retries=self._place.retries):
                    if outcome.failure is not None or outcome.result is None:
                        self._failed(outcome.job, outcome.failure.message if outcome.failure else "nothing came back")
                        continue
                    drawn, notes = outcome.result
                    for remark in notes:
                        self._tell(remark)
                    done += len(outcome.job.targets)
                    self._progress.show(f"{done} of {total}", done / total, f"{done} of {total} drawn")
                    yield drawn
            finally:
                pool.close()

        return execute, jobs.MOST_TARGETS_OF_A_POOL

    def _failed(self, job: Job, why: object) -> None:
        self._failures.append(f"{job.targets[0]} and others of its layer: {why}")

    def _look(self, catalog: Catalog, photos: list[Path]) -> None:
        from dreamer.atlases import examples, looking, page
        from dreamer.workers import limits, pools, resources

        if not photos:
            return
        digest = examples.digest(photos, catalog)
        if digest == catalog.photos_digest:
            return

        def on_photo(number: int) -> None:
            text = f"{number} of {len(photos)} photos"
            is_milestone = number % 100 == 0 or number == len(photos)
            self._progress.show(text, number / len(photos), f"{text} looked at" if is_milestone else None)

        with closing(pools.Processes([resources.ONE_THREAD] * 2, limit=limits.START_UP)) as pool:
            examples.find(
                self._folder,
                catalog,
                self._plan.network,
                photos,
                read=lambda paths: looking.in_pool(paths, pool, self._place.timeout),
                on_photo=on_photo,
                note=self._tell,
            )
        catalog.photos_digest = digest
        page.save(self._folder, catalog)
        examples.sweep(self._folder, catalog)
