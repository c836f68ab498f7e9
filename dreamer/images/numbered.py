"""Numbered files: frames in a folder, each a picture of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np

from dreamer.arrays import StoredArray
from dreamer.errors import ImageExistsError, ImageWriteError
from dreamer.images.animation import Timing
from dreamer.images.files import check_place, write
from dreamer.images.photo import Photo
from dreamer.images.recipes import Recipe


class NumberedFiles:
    """A folder of pictures, ``0001.png`` and on, each written as it comes.

    Args:
        path: The folder, which is made with the first.
        timing: Left to whoever plays them.
        overwrite: Whether files that are there are replaced.
    """

    def __init__(self, path: Path, timing: Timing | None = None, *, overwrite: bool = False) -> None:
        del timing
        check_picture_folder(path, overwrite=overwrite)
        self.path = path
        self.count = 0
        self._overwrite = overwrite

    def add(self, frame: StoredArray, recipe: Recipe = None) -> None:
        """Write the next frame, as :meth:`FrameWriter.add` says."""
        self.path.mkdir(exist_ok=True)
        photo = Photo(frame, bits=16 if frame.dtype == np.uint16 else 8)
        write(self.next_path(), photo, recipe=self.numbered(recipe), overwrite=self._overwrite)
        self.count += 1

    def next_path(self) -> Path:
        """Where the next frame goes."""
        return self.path / f"{self.count + 1:04d}.png"

    def numbered(self, recipe: Recipe) -> Recipe:
        """The recipe of the next frame, with its number."""
        return None if recipe is None else {**recipe, "frame": self.count + 1}

    def finish(self, recipe: Recipe) -> None:
        """Nothing is left to do: all is written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""


def check_picture_folder(folder: Path, *, overwrite: bool, pattern: str = "*") -> None:
    """Find out now that numbered pictures could not be written into a folder, which may have to be made.

    Args:
        folder: Where they go.
        overwrite: Whether files of the pattern may be replaced.
        pattern: Which files are in their way.

    Raises:
        ImageWriteError: They could not.
    """
    if folder.exists() and not folder.is_dir():
        raise ImageWriteError(f"{folder} is no folder; expected one for the pictures, or a new name")
    check_place(folder / "picture.png" if folder.exists() else folder, overwrite=True)
    there = min(folder.glob(pattern), default=None) if folder.exists() else None
    if there is not None and not overwrite:
        raise ImageExistsError(f"{there} exists; give another folder, or --overwrite")
