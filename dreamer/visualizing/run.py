"""Runs of visualizations: what is drawn so far, and its recipe.

The one idea: a :class:`VisualizeRun` can be asked for its results after any step, so whoever stops it early keeps what
there is. It writes nothing.

Must not import the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dreamer import images
from dreamer.arrays import StoredArray
from dreamer.images import LabelledPicture
from dreamer.objectives import Objective
from dreamer.results import Result
from dreamer.settings import digests_of
from dreamer.visualizing.batch import TargetPicture
from dreamer.visualizing.plan import VisualizePlan
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.visualizing.steps import VisualizeStep, planned_steps
from dreamer.visualizing.visualization import Visualization, columns_of, photo_of, sheet

if TYPE_CHECKING:
    from dreamer.models.network import Network


class VisualizeRun:
    """Pictures of some targets, from the first step to the last.

    Args:
        objectives: The targets.
        settings: How they are drawn.
        network: Whose units they are, in place of the network that the settings name.
        start: A picture to begin with.
        columns: How many pictures of a sheet stand in a row; None for about a square.
        command: What recipes say that it is made by.
        titles: What is written under the pictures of each target, in place of its name.
        first: What stands first on a sheet of several, as the photo that they are made from.

    Raises:
        SettingsError: A file that the targets name cannot be read.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        settings: VisualizeSettings,
        *,
        network: Network | str | None = None,
        start: Any = None,
        columns: int | None = None,
        command: str = "visualize",
        titles: Sequence[str] | None = None,
        first: LabelledPicture | None = None,
    ) -> None:
        self.objectives = objectives
        self.settings = settings
        self.count = len(objectives) * settings.diversity
        self.reached: int | None = None
        self._network = network
        self._start = start
        self._columns = columns_of(settings, columns)
        self._command = command
        self.titles = titles or [objective.label for objective in objectives]
        self._has_titles = titles is not None
        self._first = first
        self._drawn: dict[int, TargetPicture] = {}
        self._last: VisualizeStep | None = None
        self._files = digests_of([file for objective in objectives for file in objective.files])

    @cached_property
    def plan(self) -> VisualizePlan:
        """What is done. Loads the network.

        Raises:
            SettingsError, ModelError: As for :meth:`VisualizePlan.of`.
        """
        return VisualizePlan.of(self.settings, self._network, self._start)

    def steps(self, *, note: Callable[[str], None], pause_every: int | None = None) -> Iterator[VisualizeStep]:
        """Draw, as :func:`steps.planned_steps` says; the pictures of a batch are kept when it is done."""
        for step in planned_steps(self.plan, self.objectives, note=note, pause_every=pause_every):
            self._last = step
            if step.step + 1 == step.num_steps:
                self._keep(step)
                self._last = None
            yield step

    def interrupted(self) -> bool:
        """Keep the pictures of the batch that was going on; whether there are any at all."""
        if self._last is not None:
            self.reached = self._last.step
            self._keep(self._last)
            self._last = None
        elif self._drawn and len(self._drawn) < self.count:
            self.reached = self.settings.steps - 1
        return bool(self._drawn)

    def has_begun(self) -> bool:
        """Whether there is any picture, finished or not."""
        return bool(self._drawn or self._last)

    def _keep(self, step: VisualizeStep) -> None:
        drawn = self._drawn | dict(zip(step.indices, step.render(), strict=True))
        self._drawn = {index: drawn[index] for index in sorted(drawn)}  # In the order of their targets.

    def results(self) -> list[Visualization]:
        """What was drawn, in the order of the targets."""
        return [self._result(index, picture) for index, picture in self._drawn.items()]

    def _result(self, index: int, picture: TargetPicture) -> Visualization:
        place = index // self.settings.diversity
        objective = self.objectives[place]
        recipe = {
            **self._made_with(objective),
            "targets": [objective.name],
            "scores": [_scores(picture)],
        }
        if self.settings.diversity > 1:
            recipe["variant"] = picture.variant
        return Visualization(
            photo=photo_of(picture.pixels, picture.alpha),
            recipe=recipe | self._partial(),
            score=picture.score,
            objective=picture.objective,
            title=self.titles[place] if self._has_titles else picture.title,
            variant=picture.variant,
            num_variants=self.settings.diversity,
            alpha=picture.alpha,
            first_score=picture.first_score,
        )

    def result(self) -> Result:
        """All that was drawn: the only picture of the run as it is, several as a sheet, with the recipe of all."""
        results = self.results()
        if self.count > 1:
            return sheet(results, columns=self._columns, recipe=self.recipe(), first=self._first)
        return results[0]

    def labelled(self) -> dict[int, LabelledPicture]:
        """The pictures by their index, in order, with what is written under them."""
        results = zip(self._drawn, self.results(), strict=True)
        return {index: LabelledPicture(one.pixels, one.label, one.alpha) for index, one in results}

    def arranged(self, pictures: Sequence[LabelledPicture]) -> StoredArray:
        """The only picture of a run as it is, some of several as a sheet."""
        return images.sheet(pictures, columns=self._columns) if self.count > 1 else pictures[0].picture

    def _made_with(self, *objectives: Objective) -> dict[str, object]:
        """What the recipe of some targets says of how they were made."""
        return self.plan.recipe(self._files, objectives) | {"command": self._command}

    def recipe(self) -> dict[str, object]:
        """All that is needed to draw it again, as JSON can hold it."""
        return {
            **self._made_with(*self.objectives),
            "targets": [objective.name for objective in self.objectives],
            "scores": [_scores(picture) for picture in self._drawn.values()],
        } | self._partial()

    def _partial(self) -> dict[str, object]:
        return {} if self.reached is None else {"partial": {"step": self.reached, "pictures": len(self._drawn)}}

    def recipe_on_way(self, index: int, step: int) -> dict[str, object]:
        """The same for one picture, after a step."""
        target, variant = divmod(index, self.settings.diversity)
        objective = self.objectives[target]
        return {**self._made_with(objective), "targets": [objective.name], "variant": variant, "step": step}


def _scores(picture: TargetPicture) -> dict[str, object]:
    return {"target": picture.title, "start": picture.first_score, "end": picture.score}
