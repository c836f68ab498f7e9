"""A map that was made: its cells with icons, labels and crops of photos, as values, and as a folder.

Must not import: the command line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dreamer import pages
from dreamer.arrays import FloatArray, StoredArray, as_float, resize
from dreamer.images import folders
from dreamer.mapping.cells import Cell
from dreamer.mapping.points import Points
from dreamer.mapping.settings import DATA, PAGE

COORDINATES = "layout.npy"
_CROP = 96  # Pixels: the side of a crop as it is kept.
_GREY = 0.5


@dataclass(frozen=True, eq=False)
class MapCell:
    """A cell of a map.

    Attributes:
        cell: Where it is, which points lie in it, and their mean.
        icon: What its direction looks like, ``(size, size, 3)`` uint8; None where none was drawn.
        labels: The classes that its points speak for most, with how much; none for a network without classes.
        alike: The cosine of what the layer finds in the middle of the icon with the cell's mean; None without an icon.
    """

    cell: Cell
    icon: StoredArray | None
    labels: tuple[tuple[int, float], ...]
    alike: float | None


@dataclass(frozen=True, eq=False)
class Placed:
    """A photo of one's own on the map.

    Attributes:
        name: Of its file.
        pixels: It, ``(height, width, 3)`` uint8.
        at: ``(points, 2)``: where its positions would lie.
        near: The points of the map that are nearest to them, nearest first.
    """

    name: str
    pixels: StoredArray
    at: FloatArray
    near: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class ActivationMap:
    """An activation atlas of photos.

    Attributes:
        layer: The layer.
        title: It and the network, as a person would put them.
        points: What the layer finds at some positions of the photos.
        positions: ``(points, 2)`` in [0, 1]: where each lies on the map, x to the right, y downwards.
        levels: By the number of cells per side, coarse to fine, the cells.
        crops: By point what of its photo was seen, for the points that are shown.
        classes: Names by index, of the classes that occur in labels.
        placed: Photos of one's own.
        recipe: How it was made, as JSON can hold it.

    Example:
        >>> import dreamer
        >>> made = dreamer.map_photos("block5c", "photos")  # doctest: +SKIP
        >>> made, made.where("fox")[0].cell.count  # doctest: +SKIP
        (<ActivationMap: block5c of efficientnet_lite0_robust, 1000 points, 6x6, 12x12, 20x20>, 14)
    """

    layer: str
    title: str
    points: Points
    positions: FloatArray
    levels: Mapping[int, tuple[MapCell, ...]]
    crops: Mapping[int, StoredArray]
    classes: Mapping[int, str]
    placed: tuple[Placed, ...]
    recipe: Mapping[str, Any]

    def __repr__(self) -> str:
        grids = ", ".join(f"{grid}x{grid}" for grid in self.levels)
        return f"<{type(self).__name__}: {self.title}, {len(self.points)} points, {grids}>"

    def where(self, name: str, grid: int | None = None) -> list[MapCell]:
        """The cells that have a class among their labels, the one that speaks most for it first.

        Args:
            name: A part of the class's name.
            grid: The level, by its cells per side; None for the finest.
        """
        wanted = {index for index, known in self.classes.items() if name.lower() in known.lower()}
        level = self.levels[max(self.levels) if grid is None else grid]
        said = [(max((much for one, much in cell.labels if one in wanted), default=None), cell) for cell in level]
        found = [(much, cell) for much, cell in said if much is not None]
        return [cell for _, cell in sorted(found, key=lambda one: -one[0])]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it, without pictures."""
        return self._shown(None) | {"layer": self.layer, "recipe": dict(self.recipe)}

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write it as a folder: a page, its pictures, the layout as a file, and all of it as JSON.

        Args:
            folder: Where; it is made where it is not there.
            overwrite: Whether an earlier map that is there is replaced.

        Returns:
            The page.

        Raises:
            ImageWriteError: It cannot be written.
        """
        folder = Path(folder)
        check(folder, overwrite=overwrite)
        if (folder / DATA).exists():
            for held, pattern in (("crops", "[0-9]*.webp"), ("placed", "[0-9]*.webp"), (".", "level-[0-9]*.webp")):
                folders.sweep(folder / held, pattern)
        shown = self._shown(folder)
        folders.put(folder, COORDINATES, _npy(self.positions))
        folders.put(folder, DATA, json.dumps(self.to_dict(), indent=1).encode())
        folders.put(folder, PAGE, pages.page("dreamer.mapping", "map", shown, pictures=True))
        return folder / PAGE

    def _shown(self, folder: Path | None) -> dict[str, Any]:
        """What the page shows; its pictures are written into the folder, where there is one."""
        crops = {}
        for point, pixels in self.crops.items():
            crops[point] = f"crops/{point:05}.webp"
            if folder is not None:
                folders.put_picture(folder, crops[point], _square(pixels))
        return {
            "title": self.title,
            "about": self._about(),
            "photos": len(self.points.names),
            "points": len(self.points),
            "per_photo": self.points.per_photo,
            "classes": {str(index): name for index, name in self.classes.items()},
            "levels": [self._shown_level(grid, some, crops, folder) for grid, some in self.levels.items()],
            "at": [
                [round(float(x), 4), round(float(y), 4), int(photo)]
                for (x, y), photo in zip(self.positions, self.points.photos, strict=True)
            ],
            "names": list(self.points.names),
            "placed": [self._shown_placed(number, one, crops, folder) for number, one in enumerate(self.placed)],
        }

    def _about(self) -> str:
        each = "one position" if self.points.per_photo == 1 else f"{self.points.per_photo} positions"
        return (
            f"{len(self.points.names)} photos, {each} of each: what lies together the layer takes for alike. An icon "
            "shows what the mean of a cell looks like when it is drawn"
        )

    def _shown_level(
        self, grid: int, some: Sequence[MapCell], crops: Mapping[int, str], folder: Path | None
    ) -> dict[str, Any]:
        drawn = [one for one in some if one.icon is not None]
        tile = drawn[0].icon.shape[0] if drawn and drawn[0].icon is not None else 0
        if folder is not None and drawn:
            folders.put_picture(folder, f"level-{grid}.webp", *_sheet(grid, tile, drawn))
        return {
            "grid": grid,
            "sheet": f"level-{grid}.webp" if drawn else None,
            "tile": tile,
            "cells": [
                {
                    "row": one.cell.row,
                    "column": one.cell.column,
                    "count": one.cell.count,
                    "alike": one.alike,
                    "labels": [[index, round(much, 4)] for index, much in one.labels],
                    "photos": [
                        {"photo": self.points.names[self.points.photos[point]], "crop": crops[int(point)]}
                        for point in one.cell.members
                        if int(point) in crops
                    ][:NEAREST],
                }
                for one in some
            ],
        }

    def _shown_placed(self, number: int, one: Placed, crops: Mapping[int, str], folder: Path | None) -> dict[str, Any]:
        path = f"placed/{number + 1:03}.webp"
        if folder is not None:
            folders.put_picture(folder, path, one.pixels)
        return {
            "photo": one.name,
            "crop": path,
            "at": [[round(float(x), 4), round(float(y), 4)] for x, y in one.at],
            "near": [
                {"photo": self.points.names[self.points.photos[point]], "crop": crops[point]}
                for point in one.near
                if point in crops
            ],
        }


NEAREST = 6
"""Crops that are shown of a cell."""


def check(folder: Path, *, overwrite: bool) -> None:
    """Find out whether a map can be written into a folder.

    Raises:
        ImageWriteError: It cannot, or one is there already.
    """
    folders.check(folder, (PAGE, DATA), overwrite=overwrite)


def _sheet(grid: int, tile: int, drawn: Sequence[MapCell]) -> tuple[StoredArray, FloatArray]:
    """All icons of a level as one picture, and how opaque it is: where there is no cell, not at all."""
    sheet = np.zeros((grid * tile, grid * tile, 3), np.uint8)
    alpha = np.zeros(sheet.shape[:2], np.float32)
    for one in drawn:
        if one.icon is None:
            continue
        top, left = one.cell.row * tile, one.cell.column * tile
        sheet[top : top + tile, left : left + tile] = one.icon
        alpha[top : top + tile, left : left + tile] = 1
    return sheet, alpha


def _square(pixels: StoredArray) -> FloatArray:
    """A crop as it is kept: in the middle of a square."""
    share = _CROP / max(pixels.shape[:2])
    size = max(1, round(pixels.shape[0] * share)), max(1, round(pixels.shape[1] * share))
    tile = np.full((_CROP, _CROP, 3), _GREY, np.float32)
    top, left = ((_CROP - side) // 2 for side in size)
    tile[top : top + size[0], left : left + size[1]] = np.clip(resize(as_float(pixels), size), 0, 1)
    return tile


def _npy(array: FloatArray) -> bytes:
    from io import BytesIO

    data = BytesIO()
    np.save(data, array, allow_pickle=False)
    return data.getvalue()
