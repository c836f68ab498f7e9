"""The recipe: noise -> the picture that a unit answers to.

The one idea: many targets are drawn at once. Those that are computed alike (all channels of a layer, say) share
one compiled program and go through the network together; all start from the same noise and are seen alike, so
a target does not depend on which others are drawn with it. It prints and writes nothing.

(The module is not called ``visualize``, because importing it would then hide the function.)
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dreamer import targets
from dreamer.arrays import FloatArray
from dreamer.ascent.optimizing import State
from dreamer.backends import precision
from dreamer.errors import DeviceMemoryError
from dreamer.models import registry
from dreamer.objectives import Objective
from dreamer.visualizing.batch import Batch, Unit, Visualization, batches
from dreamer.visualizing.schedule import manner_of, transforms_of
from dreamer.visualizing.settings import VisualizeSettings


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

    def render(self) -> list[Visualization]:
        """The pictures of this batch as they are, with their scores, for which they go through the network."""
        return self._batch.render(self._state)

    def pictures(self) -> list[FloatArray]:
        """The pictures alone, each ``(height, width, 3)`` float32 in [0, 1]: quicker than :meth:`render`."""
        return self._batch.pictures(self._state)


def visualize(
    wanted: Objective | str | Iterable[Objective | str],
    settings: VisualizeSettings | None = None,
    *,
    on_step: Callable[[VisualizeStep], None] | None = None,
    **keywords: Any,
) -> list[Visualization]:
    """Draw what units of a network look for.

    Args:
        wanted: One target or several, as :class:`Objective` values or as text for :meth:`Objective.parse`.
        settings: How; by default the defaults of :class:`VisualizeSettings`.
        on_step: Called after every step. What it raises ends the run.
        **keywords: Fields of :class:`VisualizeSettings`, in place of ``settings`` or on top of them.

    Returns:
        A picture for each target in order, or as many as ``diversity`` says.

    Raises:
        SettingsError: A target cannot be read, or a setting is impossible or unknown.
        ModelError: The network, a layer, a class or the weights are not there.

    Example:
        >>> import dreamer
        >>> [found] = dreamer.visualize("block4b:17", steps=64)  # doctest: +SKIP
        >>> found.picture.shape, found.score > found.start  # doctest: +SKIP
        ((224, 224, 3), True)
    """
    given = [wanted] if isinstance(wanted, Objective | str) else list(wanted)
    chosen = VisualizeSettings.merged(settings, keywords)
    found: dict[int, Visualization] = {}
    for step in visualize_steps([Objective.of(one) for one in given], chosen):
        if on_step is not None:
            on_step(step)
        if step.step + 1 == step.num_steps:
            found |= zip(step.indices, step.render(), strict=True)
    return [found[index] for index in sorted(found)]


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=2)


def visualize_steps(
    objectives: Sequence[Objective],
    settings: VisualizeSettings,
    *,
    note: Callable[[str], None] = _warn,
    pause_every: int | None = None,
) -> Iterator[VisualizeStep]:
    """Draw what units of a network look for, step by step.

    Args:
        objectives: The targets.
        settings: How.
        note: Told in a line what is done otherwise than asked, as when memory runs out; by default a warning.
        pause_every: Every so many steps the pictures can be had as they are right then.

    Yields:
        Each step of each batch once it is finished.

    Raises:
        SettingsError, ModelError: As for :func:`visualize`, when the first step is asked for.
    """
    network = registry.load(settings.model, settings.preprocessing)
    settings = resolved(settings)
    units = [
        Unit(index * settings.diversity + variant, variant, targets.resolve(objective, network))
        for index, objective in enumerate(objectives)
        for variant in range(settings.diversity)
    ]
    waiting = list(batches(units, network, settings))
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
                    num_steps=settings.steps,
                    indices=[unit.place for unit in batch.units],
                    scores=step.scores,
                    progress=(number + (step.index + 1) / settings.steps) / (done + 1 + len(waiting)),
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


def resolved(settings: VisualizeSettings) -> VisualizeSettings:
    """Fill in what settings leave to the network, the hardware and the parametrization. Loads the network."""
    network = registry.load(settings.model, settings.preprocessing)
    manner = manner_of(settings)
    return dataclasses.replace(
        settings,
        transforms=transforms_of(settings),
        optimizer=settings.optimizer or manner.optimizer,
        learning_rate=settings.learning_rate or manner.learning_rate,
        precision=precision.choose(settings.precision, network.spec.low_precisions, settings.model).name,
    )
