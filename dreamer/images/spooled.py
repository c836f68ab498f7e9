"""Moving pictures whose file is written at the end: until then their frames are kept on the disk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from dreamer.arrays import Size, StoredArray
from dreamer.errors import ImageWriteError
from dreamer.images.opening import one_line
from dreamer.images.photo import Photo
from dreamer.images.recipes import Recipe
from dreamer.images.spool import Levels, Spool
from dreamer.images.writers import Encoding, rounded


class Spooled(ABC):
    """A file of frames, which are kept beside it until it is whole, where they can still be written elsewhere.

    Args:
        path: Where it goes.
        name: Of its format, for messages.
        overwrite: Whether a file that is there is replaced.
    """

    def __init__(self, path: Path, name: str, *, overwrite: bool) -> None:
        self.path = path
        self._name = name
        self._overwrite = overwrite
        self._spool = Spool(path.parent)

    @property
    def count(self) -> int:
        """How many frames there are."""
        return len(self._spool)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of each frame."""
        return self._spool.shape

    def add(self, frame: StoredArray, _recipe: Recipe = None) -> None:
        """Take the next frame, as :meth:`FrameWriter.add` says."""
        try:
            self._spool.append(self._levels(frame))
        except ImageWriteError as error:
            raise ImageWriteError(f"{self.path} cannot be written: {error}") from error
        except OSError as error:
            raise ImageWriteError(f"{self.path} cannot be written: {one_line(error)}.") from error

    def finish(self, recipe: Recipe) -> None:
        """Encode what there is and put it in its place."""
        self.write_to(self.path, recipe, overwrite=self._overwrite)

    @abstractmethod
    def write_to(self, path: Path, recipe: Recipe, *, overwrite: bool = False) -> None:
        """The same into another place, as where the first one failed."""

    def frames(self) -> Iterator[Levels]:
        """What was taken so far, in 8 bits."""
        return iter(self._spool)

    def check_frames(self, path: Path) -> None:
        """Make sure that there are frames.

        Raises:
            ImageWriteError: There are none; the message is about the path.
        """
        if not self.count:
            raise ImageWriteError(f"{path} cannot be written: it has no frames; one or more are expected.")

    @abstractmethod
    def check_first(self, size: Size) -> None:
        """Refuse frames of ``(height, width)`` that the format has no room for.

        Raises:
            ImageWriteError: They are too large.
        """

    def _levels(self, frame: StoredArray) -> Levels:
        """A frame as uint8."""
        if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape or frame.dtype not in (np.float32, np.uint8):
            raise ImageWriteError(
                f"frame {self.count} is {frame.dtype} of shape {frame.shape}; float32 or uint8 of shape (height, "
                "width, 3) is expected."
            )
        if not self.count:
            self.check_first((frame.shape[0], frame.shape[1]))
        elif frame.shape != self.shape:
            raise ImageWriteError(
                f"frame {self.count} has the shape {frame.shape}; that of the first, {self.shape}, is expected. "
                "Resize it first."
            )
        try:
            return rounded(Encoding(Photo(frame), self._name, None))
        except ValueError as error:
            raise ImageWriteError(f"frame {self.count} is no picture: {one_line(error)}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()
