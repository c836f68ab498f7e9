"""What is missing -> jobs that know nothing of each other, and the drawing of them.

The one idea: a job is a value that says all there is to know, so it can be drawn in this process, in another, or on
another machine. Whatever takes jobs and gives what they draw, in any order, can stand in for :func:`in_turn`.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dreamer.arrays import FloatArray, StoredArray, as_stored
from dreamer.errors import TimeLimitError
from dreamer.models import registry
from dreamer.models.network import Network
from dreamer.objectives import Objective
from dreamer.visualizing.plan import VisualizePlan
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.visualizing.steps import VisualizeStep, planned_steps
from dreamer.workers import limits, process

MOST_TARGETS = 60
"""Targets of a job at the most, since their noise is held at once."""

MOST_TARGETS_OF_A_POOL = 10
"""The same where several jobs are drawn at a time: more of them keep all busy to the end, and are seen earlier."""


@dataclass(frozen=True)
class UnitJob:
    """Targets of one layer, which are computed alike.

    Attributes:
        targets: As text, which any process can read.
        settings: How they are drawn, with nothing left open.
        timeout: Seconds that it may take once the network is there; None for what goes with its size.
    """

    targets: tuple[str, ...]
    settings: VisualizeSettings
    timeout: float | None = None

    @property
    def seconds(self) -> float:
        """How long it may take."""
        height, width = self.settings.size
        pixels = len(self.targets) * self.settings.diversity * height * width
        return self.timeout or limits.of_steps(pixels, self.settings.steps)


class Drawn(NamedTuple):
    """A picture of a target.

    Attributes:
        target: As its job has it.
        variant: Which of several, from 0.
        picture: ``(height, width, 3)`` uint8 RGB.
        alpha: ``(height, width)`` uint8; None where not asked for.
        score: What the target gives for it.
        start: What it gave for the noise that it started from.
    """

    target: str
    variant: int
    picture: StoredArray
    alpha: StoredArray | None
    score: float
    start: float


Execute = Callable[[Sequence[UnitJob]], Iterable[list[Drawn]]]
"""Draws jobs, in any order; all variants of a target come together."""


def of_layer(targets: Sequence[str], settings: VisualizeSettings, *, most: int = MOST_TARGETS) -> list[UnitJob]:
    """Jobs for targets of one layer, each about as large as the others, with *most* pictures at the most.

    Example:
        >>> [len(job.targets) for job in of_layer([f"block5c:{index}" for index in range(112)], VisualizeSettings())]
        [56, 56]
    """
    most = max(1, most // settings.diversity)
    size = math.ceil(len(targets) / math.ceil(len(targets) / most)) if targets else 1
    return [UnitJob(tuple(targets[first : first + size]), settings) for first in range(0, len(targets), size)]


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=2)


def in_turn(
    jobs: Sequence[UnitJob],
    *,
    network: Network | None = None,
    on_step: Callable[[UnitJob, VisualizeStep], None] | None = None,
    note: Callable[[str], None] = _warn,
    on_late: Callable[[UnitJob, TimeLimitError], None] | None = None,
) -> Iterator[list[Drawn]]:
    """Draw jobs in this process, one after the other.

    This process cannot end itself, so how long a job takes is looked at after every step. What blocks within a step
    takes a process of its own to be ended, see ``batch.pools``.

    Args:
        jobs: What is to be drawn.
        network: Whose units they are, if it is there already.
        on_step: Called after every step. What it raises ends the work.
        note: Told in a line what is done otherwise than asked; by default a warning.
        on_late: Told which job took longer than it may; the others go on. None to let that end the work.

    Yields:
        What each batch has drawn, as soon as it is finished.

    Raises:
        TimeLimitError: A job took longer than it may, and nobody is told.
    """
    for job in jobs:
        plan = VisualizePlan.of(job.settings, network)  # Loading the network is not in the job's time.
        until = time.monotonic() + job.seconds
        for step in planned_steps(plan, [Objective.parse(target) for target in job.targets], note=note):
            if on_step is not None:
                on_step(job, step)
            if step.step + 1 == step.num_steps:
                yield list(_drawn(job, step))
            if time.monotonic() > until and step.progress < 1:
                words = f"it was ended after {job.seconds:.6g} seconds, which is all the time that it had"
                late = TimeLimitError(words)
                if on_late is None:
                    raise late
                on_late(job, late)
                break


def draw_job(job: UnitJob) -> tuple[list[Drawn], list[str]]:
    """Draw a job, as a worker of a pool does; gives remarks, too, since nobody reads a worker's own."""
    registry.load(job.settings.model, job.settings.preprocessing)
    process.allow(job.seconds)
    notes: list[str] = []
    return [drawn for batch in in_turn([job], note=notes.append) for drawn in batch], notes


def _drawn(job: UnitJob, step: VisualizeStep) -> Iterator[Drawn]:
    for place, one in zip(step.indices, step.render(), strict=True):
        target = job.targets[place // job.settings.diversity]
        # What overflowed in few bits is no picture; it counts as one that went nowhere.
        picture = as_stored(np.nan_to_num(one.pixels), np.uint8)
        score = one.score if math.isfinite(one.score) else one.first_score
        yield Drawn(target, one.variant, picture, _levels(one.alpha), score, one.first_score)


def _levels(alpha: FloatArray | None) -> StoredArray | None:
    return None if alpha is None else as_stored(alpha, np.uint8)
