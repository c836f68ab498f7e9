"""What ``dreamer sheet`` and ``dreamer presets sheet`` share: cells are dreamt with progress shown, and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.choosing.cells import Cell
from dreamer.cli.interrupts import ignore_interrupts, until_interrupted
from dreamer.cli.outputs import check_not_photo, write_result
from dreamer.cli.progress import import_keras, work_progress
from dreamer.files.names import free_name
from dreamer.files.refuge import rescued

if TYPE_CHECKING:
    from dreamer.choosing.made import DreamSheet
    from dreamer.choosing.run import SheetDream
    from dreamer.images import Photo


@dataclass(frozen=True)
class SheetWish:
    """What is to be on a sheet.

    Attributes:
        command: What the recipe calls it.
        photo: The photo.
        cells: What is dreamt of it.
        output: Where the sheet goes; None for a free name beside the photo.
        overwrite: Whether a file may be replaced.
        columns: How many pictures stand side by side; None for as many as fit.
        with_photo: Whether the photo stands first.
        fetch: Makes sure that the weights are there.
        quiet: Whether nothing is said but errors.
        tell: Says a remark.
    """

    command: str
    photo: Path
    cells: Sequence[Cell]
    output: Path | None
    overwrite: bool
    columns: int | None
    with_photo: bool
    fetch: Callable[[], object]
    quiet: bool
    tell: Callable[[str], None]

    def names(self) -> Iterator[Path]:
        """Names for the sheet, the first one best."""
        from dreamer.sources import result_names

        return result_names(self.photo, "sheet", ".png")

    def check(self) -> None:
        """Find out before anything is read that the sheet could not be written.

        Raises:
            ImageWriteError: It could not.
        """
        from dreamer import images

        target = self.output or free_name(self.names())
        images.check_target(target, overwrite=self.overwrite)
        check_not_photo(target, self.photo)


def sheet_of(wish: SheetWish, found: list[Photo], source: dict[str, object]) -> tuple[DreamSheet, Path]:
    """Dream the cells of a sheet until the end or an interrupt, and write what there is.

    Args:
        wish: What is to be on it.
        found: Holds the photo, and no longer afterwards.
        source: What recipes say of it.

    Returns:
        The sheet, and where it is.

    Raises:
        DreamerError: All cells failed, or it cannot be written.
        KeyboardInterrupt: No cell was done by then.
    """
    wish.fetch()
    with work_progress(quiet=wish.quiet) as progress:
        import_keras()
        from dreamer import images
        from dreamer.choosing.run import SheetDream

        run = SheetDream(
            found.pop(), wish.cells, source=source, columns=wish.columns, command=wish.command,
            with_photo=wish.with_photo,
        )  # fmt: skip
        images.check_target(wish.output or free_name(wish.names()), overwrite=True, size=run.size)
        stem = (wish.output or wish.photo).stem
        with rescued(stem, {".png": lambda path: run.result().save(path)}, when=lambda: run.has_pictures):
            try:
                for step in until_interrupted(run.steps(note=wish.tell)):
                    where = f"picture {min(step.done + 1, len(wish.cells))}/{len(wish.cells)}"
                    finished = f"{step.done} of {len(wish.cells)} pictures done" if step.finished else None
                    progress.show(where, step.progress, finished)
                ignore_interrupts()
            except KeyboardInterrupt:
                if not run.has_pictures:
                    raise
    return _written(run, wish)


def _written(run: SheetDream, wish: SheetWish) -> tuple[DreamSheet, Path]:
    result = run.result()
    target = write_result(result, wish.output, wish.names(), overwrite=wish.overwrite, note=wish.tell)
    if result.is_partial:
        wish.tell(f"interrupted after {len(result.cells)} of {result.planned} pictures; {target} ends there")
    return result, target
