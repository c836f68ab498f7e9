"""Runs that draw an atlas: in this process or in a pool, with what is missing of it at any moment.

Must not import the command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any, Protocol

from dreamer.atlases import examples, jobs, making, page
from dreamer.atlases.catalog import Catalog
from dreamer.atlases.jobs import Drawn, Execute, UnitJob
from dreamer.errors import AtlasError
from dreamer.models.network import Network
from dreamer.models.weights import HeldWeights
from dreamer.objectives import Objective
from dreamer.searching import looking
from dreamer.visualizing.plan import VisualizePlan
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.visualizing.steps import VisualizeStep
from dreamer.workers import limits, pools, resources
from dreamer.workers.places import Place


class Watcher(Protocol):
    """Who is shown how far a run is."""

    def show(self, text: str, progress: float, milestone: str | None = None) -> None:
        """Show where the work is, the share of it that is done, and perhaps a line that is to stay."""


class AtlasRun:
    """One run, once the network is there; the folder is locked meanwhile.

    Args:
        folder: Of the atlas.
        network: Whose units are drawn.
        settings: How.
        place: Where the work is done.
        watcher: Is shown how far it is.
        tell: Told in a line what is done otherwise than asked.
    """

    def __init__(
        self,
        folder: Path,
        network: Network,
        settings: VisualizeSettings,
        place: Place,
        watcher: Watcher,
        tell: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._plan = VisualizePlan.of(settings, network)
        self._settings = self._plan.settings
        self._watcher = watcher
        self._tell = tell
        self._place = place
        self._failures: list[str] = []

    def empty(self, title: str) -> Catalog:
        """An atlas without units, to be drawn with these settings."""
        settings = self._settings
        drawn = {"classes": self._plan.of_classes.summary, "others": self._plan.of_others.summary}
        prior = "" if self._plan.prior is None else self._plan.prior.sha256
        weights = self._plan.network.weights_sha256
        return Catalog(settings.model, title, weights, settings.to_dict(), drawn, prior_sha256=prior)

    def make(
        self,
        catalog: Catalog,
        photos: list[Path],
        *,
        interruptible: AbstractContextManager[object] | None = None,
        settle: Callable[[], None] = lambda: None,
    ) -> tuple[Path, bool]:
        """Draw what is missing, look through the photos, write the page.

        Args:
            catalog: What is wanted.
            photos: Of which examples are shown.
            interruptible: Held while an interrupt may end the work early; what is drawn by then is kept.
            settle: Called once the page is to be written, whatever happens.

        Returns:
            Where the page is, and whether all is done.

        Raises:
            AtlasError: Not all could be drawn.
        """
        wanted = making.missing(self._folder, catalog)
        is_whole = True
        with interruptible or nullcontext():
            try:
                self._draw(catalog, wanted)
                self._look(catalog, photos)
            except KeyboardInterrupt:
                is_whole = False
            settle()
            written = making.finish(self._folder, catalog, wanted)
        if self._failures:
            others = f", and {len(self._failures) - 1} more" if len(self._failures) > 1 else ""
            raise AtlasError(f"not all could be drawn: {self._failures[0]}{others}. The same command again tries them")
        return written, is_whole

    def _draw(self, catalog: Catalog, wanted: dict[str, Any]) -> None:
        def recipe(target: str) -> dict[str, object]:
            return self._plan.recipe({}, [Objective.parse(target)]) | {"command": "atlas"}

        how = self._in_pool if self._is_pooled(len(wanted)) else self._here
        execute, most = how(wanted)
        for _ in making.draw(self._folder, catalog, wanted, self._settings, recipe=recipe, execute=execute, most=most):
            pass
        dead = sum(entry.is_dead for entry in catalog.entries.values())
        if dead:
            self._tell(f"{dead} of {len(catalog.entries)} units answered to nothing, and are marked so")

    def _is_pooled(self, targets: int) -> bool:
        """Whether processes of their own draw, which take some seconds to start."""
        if isinstance(self._plan.network.spec.weights, HeldWeights):  # Which no other process has.
            return False
        gpus = len(resources.gpus())
        if self._place.is_named or gpus > 1:
            return True
        return not gpus and targets > 2 * jobs.MOST_TARGETS_OF_A_POOL and resources.default_workers() > 1

    def _here(self, wanted: dict[str, Any]) -> tuple[Execute, int]:
        """Draw in this process, one job after the other."""
        total, done = len(wanted), 0

        def on_step(job: UnitJob, step: VisualizeStep) -> None:
            [layer] = {wanted[target][0].unit.layer for target in job.targets}
            share = (step.step + 1) / step.num_steps
            targets = len(step.indices) / self._settings.diversity
            text = f"{layer}: {done} of {total}, step {step.step + 1}/{step.num_steps}"
            is_over = step.step + 1 == step.num_steps
            milestone = f"{layer}: {done + round(targets)} of {total} drawn" if is_over else None
            self._watcher.show(text, min(1.0, (done + share * targets) / total), milestone)

        def execute(some: Sequence[UnitJob]) -> Iterator[list[Drawn]]:
            nonlocal done
            for batch in jobs.in_turn(
                some, network=self._plan.network, on_step=on_step, note=self._tell, on_late=self._failed
            ):
                yield batch
                done += len({drawn.target for drawn in batch})

        return execute, jobs.MOST_TARGETS

    def _in_pool(self, wanted: dict[str, Any]) -> tuple[Execute, int]:
        """Draw in processes of their own, here or on a cluster."""
        total = len(wanted)

        def execute(some: Sequence[UnitJob]) -> Iterator[list[Drawn]]:
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
                    self._watcher.show(f"{done} of {total}", done / total, f"{done} of {total} drawn")
                    yield drawn
            finally:
                pool.close()

        return execute, jobs.MOST_TARGETS_OF_A_POOL

    def _failed(self, job: UnitJob, why: object) -> None:
        self._failures.append(f"{job.targets[0]} and others of its layer: {why}")

    def _look(self, catalog: Catalog, photos: list[Path]) -> None:
        if not photos:
            return
        digest = examples.digest(photos, catalog)
        if digest == catalog.photos_digest:
            return

        def on_photo(number: int) -> None:
            text = f"{number} of {len(photos)} photos"
            is_milestone = number % 100 == 0 or number == len(photos)
            self._watcher.show(text, number / len(photos), f"{text} looked at" if is_milestone else None)

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
