"""A sheet that was made: the picture of all cells, and each of them as a value.

Must not import Keras, or anything that makes pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

from dreamer.arrays import StoredArray
from dreamer.choosing.cells import Cell
from dreamer.dreaming.settings import DreamSettings
from dreamer.results import Result


@dataclass(frozen=True, eq=False)
class SheetCell:
    """One picture of a sheet.

    Attributes:
        cell: Which it is, and how it was dreamt.
        settings: How it was dreamt, all of it decided; as they were told where it failed.
        picture: ``(height, width, 3)``, as it is on the sheet; None where it failed.
        error: Why it failed; None where it did not.

    Example:
        >>> import dreamer
        >>> seventh = dreamer.dream_sheet("photo.jpg", seed=range(1, 9)).cells[6]  # doctest: +SKIP
        >>> dreamer.dream("photo.jpg", seventh.settings).save("seventh.png")  # doctest: +SKIP
    """

    cell: Cell
    settings: DreamSettings
    picture: StoredArray | None
    error: str | None = None

    @property
    def number(self) -> int:
        """Which it is, from 1."""
        return self.cell.number

    @property
    def label(self) -> str:
        """What is written under it."""
        return self.cell.label if self.error is None else f"{self.cell.label} (failed)"


@dataclass(frozen=True, eq=False, repr=False)
class DreamSheet(Result):
    """One photo dreamt in many ways, on one picture.

    Attributes:
        cells: Those that are done, in the order of their numbers.
        planned: How many there were to be.

    Example:
        >>> import dreamer
        >>> sheet = dreamer.dream_sheet("photo.jpg", strength=[0.3, 1], seed=range(1, 5))  # doctest: +SKIP
        >>> sheet.save("sheet.png"), sheet.cells[6].settings.seed  # doctest: +SKIP
        ([], 3)
    """

    cells: tuple[SheetCell, ...] = ()
    planned: int = 0

    @property
    def is_partial(self) -> bool:
        """Whether there was more to come."""
        return len(self.cells) < self.planned

    def _title(self) -> str:
        done = f"{len(self.cells)} of {self.planned}" if self.is_partial else str(self.planned)
        return f"{done} dreams, "
