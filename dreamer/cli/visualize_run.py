"""What a run of ``dreamer visualize`` has drawn so far, and how it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.cli.outputs import frame_writer, rescued
from dreamer.cli.watching import Frames
from dreamer.objectives import Objective
from dreamer.settings import digests_of
from dreamer.visualizing.settings import VisualizeSettings

if TYPE_CHECKING:
    from dreamer.arrays import Size, StoredArray
    from dreamer.images import LabelledPicture, Photo
    from dreamer.visualizing.batch import Visualization
    from dreamer.visualizing.steps import VisualizeStep

_FRAME_SECONDS, _LAST_SECONDS = 0.08, 1.5  # The last for who wants to look at the finished picture.


class Run:
    """What a run has drawn so far, and how."""

    def __init__(self, objectives: Sequence[Objective], settings: VisualizeSettings, *, columns: int | None) -> None:
        self.objectives = objectives
        self.settings = settings
        self.count = len(objectives) * settings.diversity
        self.reached: int | None = None
        self._columns = columns or (settings.diversity if settings.diversity > 1 else None)
        self._found: dict[int, Visualization] = {}
        self._last: VisualizeStep | None = None
        files = [file for objective in objectives for file in objective.files]
        self._files = digests_of(files if settings.spectrum is None else [*files, settings.spectrum])

    @property
    def least_size(self) -> Size:
        """The size of what is written; of a sheet without the lines of its labels, which only the network knows."""
        from dreamer import images

        if self.count == 1:
            return self.settings.size
        return images.sheet_size(self.settings.size, [""] * self.count, columns=self._columns)

    def saw(self, step: VisualizeStep) -> None:
        """Take note of a step; the pictures of a batch are kept when it is done."""
        self._last = step
        if step.step + 1 == step.num_steps:
            self._keep(step)
            self._last = None

    def interrupted(self) -> bool:
        """Keep the pictures of the batch that was going on; whether there are any at all."""
        if self._last is not None:
            self.reached = self._last.step
            self._keep(self._last)
        elif self._found and len(self._found) < self.count:
            self.reached = self.settings.steps - 1
        return bool(self._found)

    def has_begun(self) -> bool:
        """Whether there is any picture, finished or not."""
        return bool(self._found or self._last)

    def _keep(self, step: VisualizeStep) -> None:
        found = self._found | dict(zip(step.indices, step.render(), strict=True))
        self._found = {index: found[index] for index in sorted(found)}  # In the order of their targets.

    def labelled(self) -> dict[int, LabelledPicture]:
        """The pictures by their index, in order, with what is written under them."""
        from dreamer import images

        return {
            index: images.LabelledPicture(one.picture, self._label(one), one.alpha)
            for index, one in self._found.items()
        }

    def _label(self, one: Visualization) -> str:
        variants = self.settings.diversity
        return one.title if variants == 1 else f"{one.title} ({one.variant + 1} of {variants})"

    def arranged(self, pictures: Sequence[LabelledPicture]) -> StoredArray:
        """The only picture of a run as it is, some of several as a sheet."""
        from dreamer import images

        return images.sheet(pictures, columns=self._columns) if self.count > 1 else pictures[0].picture

    def photo(self) -> Photo:
        """All that was drawn, as it is written."""
        from dreamer import images

        pictures = list(self.labelled().values())
        alpha = pictures[0].alpha if self.count == 1 else None
        levels = None if alpha is None else (alpha * 255).round().astype("uint8")
        return images.Photo(self.arranged(pictures), alpha=levels)

    @cached_property
    def _made_with(self) -> Mapping[str, object]:
        """What every recipe of the run says. Loads the network."""
        from dreamer.models import registry
        from dreamer.recipes import recipe_of
        from dreamer.visualizing.steps import resolved

        network = registry.load(self.settings.model, self.settings.preprocessing)
        return recipe_of(network, resolved(self.settings).to_dict(), self._files) | {"command": "visualize"}

    def recipe(self) -> dict[str, object]:
        """All that is needed to draw it again, as JSON can hold it."""
        found = self._found.values()
        recipe = {
            **self._made_with,
            "targets": [objective.name for objective in self.objectives],
            "scores": [{"target": one.title, "start": one.start, "end": one.score} for one in found],
        }
        if self.reached is not None:
            recipe["partial"] = {"step": self.reached, "pictures": len(found)}
        return recipe

    def recipe_on_way(self, index: int, step: int) -> dict[str, object]:
        """The same for one picture, after a step."""
        target, variant = divmod(index, self.settings.diversity)
        return {**self._made_with, "targets": [self.objectives[target].name], "variant": variant, "step": step}

    def write_unfinished(self, path: Path) -> None:
        """Write what there is of a run that failed."""
        from dreamer import images

        self.interrupted()
        images.write(path, self.photo(), recipe=self.recipe())


class Film:
    """The animation of a run.

    Args:
        run: What is shown at its end.
        frames: How it came about.
        path: Where it goes.
    """

    def __init__(self, run: Run, frames: Frames, path: Path) -> None:
        self._run = run
        self._frames = frames
        self._path = path

    def rescued(self) -> AbstractContextManager[None]:
        """It is kept elsewhere, as far as it is, whatever goes wrong in the body."""
        ways = {self._path.suffix: self._write, "": frame_writer(self._arranged, self._run.recipe)}
        return rescued(self._path.stem, ways, when=self._run.has_begun)

    def write(self, *, overwrite: bool) -> None:
        """Write it."""
        self._write(self._path, overwrite=overwrite)

    def _write(self, path: Path, *, overwrite: bool = False) -> None:
        from dreamer import images

        with images.Animation(path, images.Timing(_FRAME_SECONDS, _LAST_SECONDS), overwrite=overwrite) as animation:
            for frame in self._arranged():
                animation.add(frame)
            animation.finish(self._run.recipe())

    def _arranged(self) -> Iterator[StoredArray]:
        return map(self._run.arranged, self._frames.until(self._run.labelled()))
