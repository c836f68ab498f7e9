"""The dreams of a sheet, from the first to the last.

The one idea: cells that differ only in how a dream is laid over its photo, as in their strength, are one climb that is
finished in several ways. Whoever stops it early keeps the cells that are done.

Must not import the command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from dreamer import images
from dreamer.arrays import Size, StoredArray, as_stored, fitted
from dreamer.choosing.cells import Cell, columns_of
from dreamer.choosing.made import DreamSheet, SheetCell
from dreamer.choosing.told import folded
from dreamer.dreaming.photo import PhotoDream
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import octave_sizes
from dreamer.errors import DreamerError
from dreamer.images import LabelledPicture, Photo
from dreamer.models.network import Network
from dreamer.recipes import head

_SIDE, _SMALL_SIDE = 320, 240
"""Longer side of a picture of a sheet in pixels, and where there are many."""

_MANY = 100

_PHOTO = "the photo"
_FAILED = np.uint8(36)

_FINISHED = ("strength", "blend", "colors", "contrast", "saturation")
"""Settings that do nothing until a dream is laid over its photo."""


@dataclasses.dataclass(frozen=True)
class SheetStep:
    """A finished step of a sheet.

    Attributes:
        cells: The cells that are being dreamt.
        progress: Share of all the work that is done, in (0, 1].
        done: How many cells are done.
        finished: Whether these are done with it.
    """

    cells: tuple[Cell, ...]
    progress: float
    done: int
    finished: bool


class SheetDream:
    """The dreams of a sheet, all of one photo and all of one size.

    Args:
        photo: As ``images.read`` gives it; ``compact`` saves memory.
        cells: What to dream, as :func:`dreamer.choosing.cells.cells_of` gives it.
        source: What `images.recipes.source_of` says of the photo's file.
        columns: How many stand in a row; None for all values of what varies fastest, or about a square.
        network: What to dream with, in place of those that the settings name.
        command: What the recipe calls it.
        with_photo: Whether the photo itself stands first.

    Attributes:
        done: The cells that are done, by their numbers.

    Example:
        >>> photo, source = read_photo(Path("photo.jpg"))  # doctest: +SKIP
        >>> run = SheetDream(photo, cells_of({"seed": range(1, 5)}), source=source)  # doctest: +SKIP
        >>> for step in run.steps(note=print):  # doctest: +SKIP
        ...     print(step.progress)
        >>> run.result().save("sheet.png")  # doctest: +SKIP
    """

    def __init__(
        self,
        photo: Photo,
        cells: Sequence[Cell],
        *,
        source: Mapping[str, object],
        columns: int | None = None,
        network: Network | str | None = None,
        command: str = "sheet",
        with_photo: bool = False,
    ) -> None:
        self.done: dict[int, SheetCell] = {}
        self._photo = photo
        self._cells = cells
        self._source = source
        self._columns = columns or (None if with_photo else columns_of(cells))
        self._network = network
        self._command = command
        self._with_photo = with_photo
        self._head = head()
        self._recipes: dict[int, dict[str, object]] = {}
        self._errors: list[DreamerError] = []
        # A dream has a size of its own, whose proportions are rounded otherwise.
        side = _SIDE if len(cells) <= _MANY else _SMALL_SIDE
        self._each = fitted(photo.pixels.shape[:2], side, enlarge=True)

    @property
    def has_pictures(self) -> bool:
        """Whether there is anything to see yet."""
        return any(one.picture is not None for one in self.done.values())

    @property
    def size(self) -> Size:
        """``(height, width)`` of the whole sheet."""
        labels = [_PHOTO] * self._with_photo + [cell.label for cell in self._cells]
        return images.sheet_size(self._each, labels, columns=self._columns)

    def steps(self, *, note: Callable[[str], None]) -> Iterator[SheetStep]:
        """Dream all cells; one that fails is told and does not cost the others.

        Args:
            note: Told in a line what failed, and what is done otherwise than it was told.

        Raises:
            DreamerError: All of them failed; it is the first of their errors.
        """
        climbs = self._climbs()
        works = [self._work(cells[0].settings) for cells in climbs]
        total, before = sum(works), 0
        for cells, work in zip(climbs, works, strict=True):
            told = tuple(cells)
            try:
                for share in self._climb(cells, note):
                    yield SheetStep(told, (before + share * work) / total, len(self.done), finished=False)
            except DreamerError as error:
                self._errors.append(error)
                if len(self._errors) == len(climbs):
                    raise self._errors[0] from error
                self._fail(cells, error, note)
            before += work
            yield SheetStep(told, before / total, len(self.done), finished=True)

    def _climbs(self) -> list[list[Cell]]:
        """The cells that are one climb each, in the order of the first of them."""
        usual = {name: getattr(DreamSettings, name) for name in _FINISHED}
        found: dict[str, list[Cell]] = {}
        for cell in self._cells:
            # Which preset it comes from is only told, so it makes no other climb.
            key = repr(sorted(dataclasses.replace(cell.settings, **usual).to_dict().items(), key=lambda one: one[0]))
            found.setdefault(key, []).append(cell)
        return list(found.values())

    def _work(self, settings: DreamSettings) -> int:
        sizes = octave_sizes(self._photo.pixels, settings, preview=True)
        return settings.steps * sum(height * width for height, width in sizes)

    def _climb(self, cells: Sequence[Cell], note: Callable[[str], None]) -> Iterator[float]:
        """Dream cells that are one climb; gives the share that is done after each step."""
        plan = DreamPlan.of(cells[0].settings, self._network)
        dream = PhotoDream(self._photo, plan, source=self._source, preview=True)
        for step in dream.steps(note=note):
            yield step.progress
        for cell in cells:
            own = plan.with_settings(**{name: getattr(cell.settings, name) for name in _FINISHED})
            picture = self._shrunk(Photo(as_stored(step.finished(own.settings), np.uint8)))
            self.done[cell.number] = SheetCell(cell, own.settings, picture)
            recipe = {name: value for name, value in own.recipe().items() if name not in self._head}
            self._recipes[cell.number] = {**recipe, **cell.preset}

    def _fail(self, cells: Sequence[Cell], error: DreamerError, note: Callable[[str], None]) -> None:
        more = "" if len(cells) == 1 else f" and {len(cells) - 1} more"
        note(f"failed: {cells[0].label}{more}: {error}")
        for cell in cells:
            self.done[cell.number] = SheetCell(cell, cell.settings, None, str(error))
            self._recipes[cell.number] = {"settings": cell.settings.to_dict(), **cell.preset, "failed": True}

    def result(self) -> DreamSheet:
        """The sheet as far as it is done, with its recipe.

        Raises:
            ValueError: No cell is done.
        """
        if not self.done:
            raise ValueError("no cell is done yet; take more steps first")
        cells = tuple(self.done[number] for number in sorted(self.done))
        first = [LabelledPicture(self._shrunk(self._photo), _PHOTO)] if self._with_photo else []
        failed = np.full((*self._each, 3), _FAILED)
        pictures = [LabelledPicture(failed if one.picture is None else one.picture, one.label) for one in cells]
        whole = Photo(images.sheet([*first, *pictures], columns=self._columns))
        return DreamSheet(whole, self._recipe(), cells=cells, planned=len(self._cells))

    def _recipe(self) -> dict[str, object]:
        recipe: dict[str, object] = {
            **self._head,
            "command": self._command,
            "varies": list(self._cells[0].varied),
            "source": dict(self._source),
            **folded(self._recipes),
        }
        return recipe | ({"partial": {"cells": len(self.done)}} if len(self.done) < len(self._cells) else {})

    def _shrunk(self, photo: Photo) -> StoredArray:
        return images.resized(dataclasses.replace(photo, alpha=None), self._each).pixels
