"""What a search came to: photos, what of each was seen, and the drawn picture beside them, as values.

Must not import Keras.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dreamer import images, pages
from dreamer.arrays import FloatArray, StoredArray, as_float, fitted, resize
from dreamer.images import LabelledPicture, folders
from dreamer.models.positions import Box, cut
from dreamer.results import Result
from dreamer.searching.settings import DATA, PAGE

_TILE = 160  # Pixels: the side of a crop on a sheet.
_GREY = 0.5


@dataclass(frozen=True, eq=False)
class FoundPhoto:
    """A photo that answers.

    Attributes:
        photo: Its name in its folder.
        score: What the objective gives for it at its best place.
        at: The position of that place, ``(row, column)``; None where the objective has none.
        box: ``(top, left, height, width)`` as shares of the photo: what was seen from there.
        pixels: The photo as it was looked at, ``(height, width, 3)`` uint8.
        agrees: How alike the layer finds the place and the picture that was drawn, a cosine; None where none was.
        alike: The names of other photos that are nearly the same.
    """

    photo: str
    score: float
    at: tuple[int, int] | None
    box: Box
    pixels: StoredArray
    agrees: float | None = None
    alike: tuple[str, ...] = ()

    @property
    def crop(self) -> StoredArray:
        """The part of the photo that was seen, ``(height, width, 3)`` uint8."""
        height, width = self.pixels.shape[:2]
        top, left, tall, wide = self.box
        return cut(self.pixels, (top * height, left * width, tall * height, wide * width))

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it, without the pixels."""
        return {
            "photo": self.photo,
            "score": self.score,
            "at": None if self.at is None else list(self.at),
            "box": [round(float(share), 5) for share in self.box],
            "agrees": self.agrees,
            "alike": list(self.alike),
        }


@dataclass(frozen=True, eq=False)
class Found:
    """What a search came to.

    Attributes:
        objective: What was asked for.
        title: It as a person would put it.
        most: The photos that answer most, best first.
        least: Those that answer least, the least first.
        drawn: What was drawn for the objective and for its opposite, ``(height, width, 3)`` each; none where nothing
            was.
        looked_at: How many photos were.
        left_out: Why others were not, a line each.
        recipe: How it was found, as JSON can hold it.

    Example:
        >>> import dreamer
        >>> found = dreamer.search("block4b:17", "photos")  # doctest: +SKIP
        >>> found.most[0].photo, found.most[0].crop.shape  # doctest: +SKIP
        ('bees.jpg', (115, 115, 3))
    """

    objective: str
    title: str
    most: tuple[FoundPhoto, ...]
    least: tuple[FoundPhoto, ...]
    drawn: tuple[FloatArray, ...]
    looked_at: int
    left_out: tuple[str, ...]
    recipe: Mapping[str, Any]

    def __repr__(self) -> str:
        best = f"{self.most[0].photo} with {self.most[0].score:.4g}" if self.most else "none"
        return f"<{type(self).__name__}: {self.objective} in {self.looked_at} photos, most in {best}>"

    def sheet(self, *, least: bool = False) -> Result:
        """The crops side by side with their scores, the drawn picture first.

        Args:
            least: Those that answer least.
        """
        end = self.least if least else self.most
        cells = [LabelledPicture(_tile(one.crop), f"{one.score:.3g}  {Path(one.photo).name}") for one in end]
        if self.drawn:
            cells.insert(0, LabelledPicture(_tile(self.drawn[int(least)]), "drawn"))
        return Result(images.Photo(images.sheet(cells)), self.recipe)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it, without the pixels."""
        return {
            "objective": self.objective,
            "title": self.title,
            "looked_at": self.looked_at,
            "left_out": list(self.left_out),
            "most": [one.to_dict() for one in self.most],
            "least": [one.to_dict() for one in self.least],
            "recipe": dict(self.recipe),
        }

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write it as a folder: a page, the crops and the photos, two sheets, and all of it as JSON.

        Args:
            folder: Where; it is made where it is not there.
            overwrite: Whether an earlier search that is there is replaced.

        Returns:
            The page.

        Raises:
            ImageWriteError: It cannot be written.
        """
        folder = Path(folder)
        check(folder, overwrite=overwrite)
        if (folder / DATA).exists():
            for end in ("most", "least"):
                folders.sweep(folder / end, "[0-9][0-9][0-9]*.webp")
                folders.sweep(folder, f"drawn-{end}.png")
        shown = self._shown(folder)
        for end, is_least in (("most", False), ("least", True)):
            folders.put(folder, f"{end}.png", self.sheet(least=is_least).encoded(".png")[0])
        folders.put(folder, DATA, json.dumps(self.to_dict(), indent=1).encode())
        folders.put(folder, PAGE, pages.page("dreamer.searching", "search", shown, pictures=True))
        return folder / PAGE

    def _shown(self, folder: Path) -> dict[str, Any]:
        """What the page shows; its pictures are written."""
        names = ("most", "least")
        drawn = dict.fromkeys(names) | {
            name: folders.put_picture(folder, f"drawn-{name}.png", pixels)
            for name, pixels in zip(names, self.drawn, strict=False)
        }
        return {
            "title": self.title,
            "model": self.recipe.get("settings", {}).get("model", ""),
            "about": f"{self.looked_at} photos, each with its shorter side at {self.recipe.get('side')} pixels",
            "looked_at": self.looked_at,
            "left_out": len(self.left_out),
            "drawn": drawn,
            "most": self._cards(folder, "most", self.most),
            "least": self._cards(folder, "least", self.least),
        }

    def _cards(self, folder: Path, end: str, photos: Sequence[FoundPhoto]) -> list[dict[str, Any]]:
        return [
            one.to_dict()
            | {
                "rank": rank,
                "crop": folders.put_picture(folder, f"{end}/{rank:03}-crop.webp", one.crop),
                "whole": folders.put_picture(folder, f"{end}/{rank:03}.webp", one.pixels),
                "height": one.pixels.shape[0],
                "width": one.pixels.shape[1],
            }
            for rank, one in enumerate(photos, start=1)
        ]


def check(folder: Path, *, overwrite: bool) -> None:
    """Find out whether a search can be written into a folder.

    Raises:
        ImageWriteError: It cannot, or one is there already.
    """
    folders.check(folder, (PAGE, DATA), overwrite=overwrite)


def _tile(picture: StoredArray) -> FloatArray:
    """A picture in the middle of a square."""
    size = fitted(picture.shape[:2], _TILE, enlarge=True)
    tile = np.full((_TILE, _TILE, 3), _GREY, np.float32)
    top, left = ((_TILE - side) // 2 for side in size)
    tile[top : top + size[0], left : left + size[1]] = np.clip(resize(as_float(picture), size), 0, 1)
    return tile
