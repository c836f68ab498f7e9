"""What commands that draw share: a run with its progress shown, and what a script is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.cli.interrupts import ignore_interrupts, until_interrupted
from dreamer.cli.progress import WorkProgress
from dreamer.files.refuge import rescued

if TYPE_CHECKING:
    from dreamer.cli.watching import Film, Snapshots
    from dreamer.visualizing.run import VisualizeRun
    from dreamer.visualizing.steps import VisualizeStep


def answer_of(run: VisualizeRun, recipe: Mapping[str, Any], target: Path) -> dict[str, Any]:
    """What came of a run, for a script, as ``answers.ITEMS["visualize"]`` says.

    Args:
        run: The run.
        recipe: Of what was written.
        target: Where it is.
    """
    return {
        "path": str(target),
        "targets": recipe["targets"],
        "scores": recipe["scores"],
        "partial": run.reached is not None,
        "recipe": dict(recipe),
    }


def climb(
    run: VisualizeRun,
    watchers: Sequence[Snapshots | Film],
    progress: WorkProgress,
    tell: Callable[[str], None],
    *,
    stem: str,
) -> None:
    """Draw until the end or an interrupt; from then on no other is taken.

    Args:
        run: What is drawn.
        watchers: Who keeps its way.
        progress: Where it shows.
        tell: Told in a line what is done otherwise than asked.
        stem: What the name of the picture begins with, where it has to be kept elsewhere.
    """

    def write_unfinished(path: Path) -> None:
        run.interrupted()
        run.result().save(path)

    # All watchers find the pictures at their own steps.
    pause_every = gcd(*(watcher.every for watcher in watchers)) or None
    with rescued(stem, {".png": write_unfinished}, when=run.has_begun):
        try:
            for step in until_interrupted(run.steps(note=tell, pause_every=pause_every)):
                _show(step, progress)
                for watcher in watchers:
                    watcher.saw(step, run)
            ignore_interrupts()
        except KeyboardInterrupt:
            if not run.interrupted():
                raise


def _show(step: VisualizeStep, progress: WorkProgress) -> None:
    pictures = f"{len(step.indices)} picture{'s' if len(step.indices) > 1 else ''}"
    batch = f"batch {step.batch + 1}/{step.num_batches}: {pictures}" if step.num_batches > 1 else pictures
    is_over = step.step + 1 == step.num_steps
    done = f"{batch} done: {step.num_steps} steps, score {step.scores.mean():.4g} in the mean" if is_over else None
    progress.show(f"{batch}, step {step.step + 1}/{step.num_steps}", step.progress, done)
