"""What keeps the way of a visualization, not only its end: pictures in a folder, and the frames of an animation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.errors import ImageWriteError, SettingsError

if TYPE_CHECKING:
    from dreamer.images import LabelledPicture
    from dreamer.visualizing.steps import VisualizeStep

_SNAPSHOTS = 16
_FRAMES = 48


class Snapshots:
    """Pictures of the way, each in a file of its own.

    Args:
        folder: Where they go; it is made when the first is written.
        stem: What their names begin with.
        steps: How many there are.
        pictures: How many are drawn.
        recipe: ``(picture, step)`` -> how that picture was made, both from 0.
        overwrite: Whether files that are there may be replaced.

    Attributes:
        every: After how many steps there is one.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        *,
        steps: int,
        pictures: int,
        recipe: Callable[[int, int], Mapping[str, object]],
        overwrite: bool,
    ) -> None:
        self.every = max(1, steps // _SNAPSHOTS)
        self._folder = folder
        self._stem = stem
        self._steps = steps
        self._pictures = pictures
        self._recipe = recipe
        self._overwrite = overwrite
        self._written: set[Path] = set()

    def check(self, others: Iterable[Path]) -> None:
        """Find out now, not on the way, that they could not be written.

        Args:
            others: Files that the same run writes.

        Raises:
            ImageWriteError: A file is there already, or the folder cannot be made or written in.
            SettingsError: One of the others is one of them.
        """
        from dreamer import images
        from dreamer.images import files

        due = [step for step in range(self._steps) if self._is_due(step)]
        paths = [self._path(index, step) for index in range(self._pictures) for step in due]
        taken = {path.absolute() for path in paths}.intersection(other.absolute() for other in others)
        if taken:
            raise SettingsError(f"{taken.pop()} is to be a picture of the way and something else; choose another name")
        missing = [folder for folder in (self._folder, *self._folder.parents) if not folder.exists()]
        if missing:
            files.check_place(missing[-1], overwrite=False)
            return
        images.check_target(next((path for path in paths if path.exists()), paths[0]), overwrite=self._overwrite)

    def saw(self, step: VisualizeStep) -> None:
        """Write the pictures of a step, if it is time for them."""
        if not (step.is_pictured and self._is_due(step.step)):
            return
        from dreamer import images

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImageWriteError(f"the folder {self._folder} cannot be made: {error.strerror}") from error
        for index, picture in zip(step.indices, step.pictures(), strict=True):
            path, recipe = self._path(index, step.step), self._recipe(index, step.step)
            # A batch that ran out of memory begins again, and comes by here again.
            overwrite = self._overwrite or path in self._written
            images.write(path, images.Photo(picture), recipe=recipe, overwrite=overwrite)
            self._written.add(path)

    def _is_due(self, step: int) -> bool:
        return (step + 1) % self.every == 0 or step + 1 == self._steps

    def _path(self, index: int, step: int) -> Path:
        number = str(step + 1).zfill(len(str(self._steps)))
        return self._folder / f"{self._stem}-{index + 1}-step-{number}.png"


class Frames:
    """The way of each picture, to be shown as one animation.

    Args:
        steps: How many there are.

    Attributes:
        every: After how many steps there is a frame.
    """

    def __init__(self, steps: int) -> None:
        self.every = max(1, steps // _FRAMES)
        self._kept: dict[int, dict[int, Any]] = {}

    def saw(self, step: VisualizeStep) -> None:
        """Keep the pictures of a step, if it is time for them, as levels, which take a quarter of the memory."""
        if not step.is_pictured or (step.step + 1) % self.every or step.step + 1 == step.num_steps:
            return
        for index, picture in zip(step.indices, step.pictures(), strict=True):
            self._kept.setdefault(index, {})[step.step] = (picture * 255).round().astype("uint8")

    def until(self, last: Mapping[int, LabelledPicture]) -> Iterator[list[LabelledPicture]]:
        """The frames, each with all pictures.

        Args:
            last: What the animation ends with: by its index each picture that was drawn, one or more.
        """
        ways = [[*self._kept.get(index, {}).values(), one.picture] for index, one in last.items()]
        for frame in range(max(map(len, ways))):
            # One that was interrupted stays as it was last.
            yield [
                replace(one, picture=way[min(frame, len(way) - 1)], alpha=None)
                for one, way in zip(last.values(), ways, strict=True)
            ]
