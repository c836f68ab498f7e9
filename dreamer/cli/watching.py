"""What keeps the way of a visualization, not only its end: pictures in a folder, and the frames of an animation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dreamer.errors import ImageWriteError, SettingsError
from dreamer.files.refuge import rescued

if TYPE_CHECKING:
    from dreamer.arrays import StoredArray
    from dreamer.images import LabelledPicture
    from dreamer.visualizing.run import VisualizeRun
    from dreamer.visualizing.steps import VisualizeStep

_SNAPSHOTS = 16
_FRAMES = 48
_FRAME_SECONDS, _LAST_SECONDS = 0.08, 1.5  # The last for who wants to look at the finished picture.


class Snapshots:
    """Pictures of the way, each in a file of its own.

    Args:
        folder: Where they go; it is made when the first is written.
        stem: What their names begin with.
        steps: How many there are.
        pictures: How many are drawn.
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
        overwrite: bool,
    ) -> None:
        self.every = max(1, steps // _SNAPSHOTS)
        self._folder = folder
        self._stem = stem
        self._steps = steps
        self._pictures = pictures
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

    def saw(self, step: VisualizeStep, run: VisualizeRun) -> None:
        """Write the pictures of a step, if it is time for them."""
        if not (step.is_pictured and self._is_due(step.step)):
            return
        from dreamer import images

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImageWriteError(f"the folder {self._folder} cannot be made: {error.strerror}") from error
        for index, picture in zip(step.indices, step.pictures(), strict=True):
            path, recipe = self._path(index, step.step), run.recipe_on_way(index, step.step)
            # A batch that ran out of memory begins again, and comes by here again.
            overwrite = self._overwrite or path in self._written
            images.write(path, images.Photo(picture), recipe=recipe, overwrite=overwrite)
            self._written.add(path)

    def _is_due(self, step: int) -> bool:
        return (step + 1) % self.every == 0 or step + 1 == self._steps

    def _path(self, index: int, step: int) -> Path:
        number = str(step + 1).zfill(len(str(self._steps)))
        return self._folder / f"{self._stem}-{index + 1}-step-{number}.png"


class Film:
    """The way of each picture, shown as one animation.

    The pictures of a batch come together, one batch after the other, and a frame shows those of all batches; so they
    are kept on the disk until the end.

    Args:
        path: Where it goes.
        steps: How many steps there are.

    Attributes:
        every: After how many steps there is a frame.
    """

    def __init__(self, path: Path, steps: int) -> None:
        from dreamer import images

        self.every = max(1, steps // _FRAMES)
        self._path = path
        self._spool = images.Spool()
        self._places: dict[int, dict[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def saw(self, step: VisualizeStep, _run: VisualizeRun) -> None:
        """Keep the pictures of a step, if it is time for them."""
        if not step.is_pictured or (step.step + 1) % self.every or step.step + 1 == step.num_steps:
            return
        for index, picture in zip(step.indices, step.pictures(), strict=True):
            self._places.setdefault(index, {})[step.step] = len(self._spool)
            self._spool.append((picture * 255).round().astype("uint8"))

    def frames(self, run: VisualizeRun) -> Iterator[StoredArray]:
        """The frames, each with all pictures; the last is what was drawn."""
        last = run.labelled()
        ways = [list(self._places.get(index, {}).values()) for index in last]
        for frame in range(max(map(len, ways)) + 1):
            yield run.arranged([self._at(frame, way, one) for way, one in zip(ways, last.values(), strict=True)])

    def _at(self, frame: int, way: Sequence[int], last: LabelledPicture) -> LabelledPicture:
        # One that was interrupted stays as it was last.
        picture = self._spool[way[frame]] if frame < len(way) else last.picture
        return replace(last, picture=picture, alpha=None)

    def close(self) -> None:
        """Let go of the pictures."""
        self._spool.close()

    def rescued(self, run: VisualizeRun) -> AbstractContextManager[None]:
        """It is kept elsewhere, as far as it is, whatever goes wrong in the body."""
        ways = {self._path.suffix: lambda path: self.write(run, path), "": lambda path: self.write(run, path)}
        return rescued(self._path.stem, ways, when=run.has_begun)

    def write(self, run: VisualizeRun, path: Path | None = None, *, overwrite: bool = False) -> None:
        """Write it.

        Args:
            run: What is shown at its end.
            path: Where, if not where it belongs.
            overwrite: Whether a file that is there is replaced.
        """
        import dreamer.videos  # noqa: F401  Its films register there.
        from dreamer import images

        timing = images.Timing(_FRAME_SECONDS, _LAST_SECONDS)
        with images.frame_writer(path or self._path, timing, overwrite=overwrite) as writer:
            for frame in self.frames(run):
                writer.add(frame, run.recipe())
            writer.finish(run.recipe())
