"""Steps of visualizations: targets are drawn in batches, many at once.

The one idea: targets that are computed alike (all channels of a layer, say) share one compiled program and go through
the network together; all start from the same noise and are seen alike, so a target does not depend on which others are
drawn with it. It prints and writes nothing.

Must not import: files, the command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from dreamer import targets
from dreamer.arrays import FloatArray
from dreamer.ascent.optimizing import State
from dreamer.errors import DeviceMemoryError
from dreamer.objectives import Objective
from dreamer.priors.codes import Code
from dreamer.visualizing.batch import Batch, Target, TargetPicture, batches
from dreamer.visualizing.plan import VisualizePlan


@dataclasses.dataclass(frozen=True, eq=False)
class VisualizeStep:
    """One finished step of a batch of targets.

    Attributes:
        batch: Index of the batch, from 0.
        num_batches: How many batches there are.
        step: Index of the step, from 0.
        num_steps: How many steps each batch has.
        indices: Which pictures are in the batch: places in the list of all targets, each as often as its diversity.
        scores: ``(pictures,)`` as they were before this step, in its view.
        progress: Share of all the work that is done, in (0, 1].
        is_pictured: Whether the pictures to be had are those right after this step, not some steps later.
    """

    batch: int
    num_batches: int
    step: int
    num_steps: int
    indices: Sequence[int]
    scores: FloatArray
    progress: float
    is_pictured: bool
    _batch: Batch = dataclasses.field(repr=False)
    _state: State = dataclasses.field(repr=False)

    def render(self) -> list[TargetPicture]:
        """The pictures of this batch as they are, with their scores, for which they go through the network."""
        return self._batch.render(self._state)

    def pictures(self) -> list[FloatArray]:
        """The pictures alone, each ``(height, width, 3)`` float32 in [0, 1]: quicker than :meth:`render`."""
        return self._batch.pictures(self._state)


def planned_steps(
    plan: VisualizePlan,
    objectives: Sequence[Objective],
    *,
    note: Callable[[str], None],
    pause_every: int | None = None,
) -> Iterator[VisualizeStep]:
    """Draw what units of a network look for, step by step.

    Args:
        plan: How.
        objectives: The targets.
        note: Told in a line what is done otherwise than asked, as when memory runs out.
        pause_every: Every so many steps the pictures can be had as they are right then.

    Yields:
        Each step of each batch once it is finished.

    Raises:
        SettingsError, ModelError: As for :func:`dreamer.visualize`, when the first step is asked for.
    """
    if isinstance(plan.prior, Code) and plan.prior.made(plan.settings.size) != plan.settings.size:
        (height, width), (made_high, made_wide) = plan.settings.size, plan.prior.made(plan.settings.size)
        note(f"{plan.prior.spec.name} makes pictures of {made_high}x{made_wide}, which are resized to {height}x{width}")
    variants, num_steps = plan.settings.diversity, plan.settings.steps
    units = [
        Target(index * variants + variant, variant, resolved[0], resolved[1:])
        for index, resolved in enumerate(
            tuple(targets.resolve(objective, network) for network in plan.networks) for objective in objectives
        )
        for variant in range(variants)
    ]
    waiting = list(batches(units, plan))
    done = 0
    while waiting:
        batch = waiting.pop(0)
        number = done
        try:
            for step in batch.steps(pause_every):
                yield VisualizeStep(
                    batch=number,
                    num_batches=done + 1 + len(waiting),
                    step=step.index,
                    num_steps=num_steps,
                    indices=[unit.place for unit in batch.units],
                    scores=step.scores,
                    progress=(number + (step.index + 1) / num_steps) / (done + 1 + len(waiting)),
                    is_pictured=step.is_last,
                    _batch=batch,
                    _state=step.state,
                )
        except DeviceMemoryError as error:
            smaller = batch.smaller()
            if not smaller:
                raise DeviceMemoryError(
                    f"out of memory, even with {batch.size} pictures at once. Try a smaller --size or --diversity"
                ) from error
            waiting = smaller + waiting
            note(f"memory ran out; going on with {smaller[0].size} pictures at once")
        else:
            done += 1
