"""Writers of moving pictures: each takes a frame at a time, and never holds all of them in memory.

The one idea: whoever makes frames does not know what becomes of them: a GIF, a WebP, an APNG, a folder of numbered
files, or whatever else registers in :data:`WRITERS`, as `dreamer.videos` does. A file is put in place whole, at the
end; until then its frames are kept on the disk, where they can still be written elsewhere if something goes wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from dreamer.arrays import StoredArray
from dreamer.errors import ImageWriteError
from dreamer.images.animation import ENCODERS, Animation, Timing, no_format
from dreamer.images.numbered import NumberedFiles
from dreamer.images.recipes import Recipe


class FrameWriter(Protocol):
    """Where frames go.

    Attributes:
        path: The file, or the folder.
    """

    path: Path

    @property
    def count(self) -> int:
        """How many frames there are."""

    def add(self, frame: StoredArray, recipe: Recipe = None) -> None:
        """Take the next frame; what is done with the array afterwards does not matter.

        Args:
            frame: ``(height, width, 3)`` RGB, float32 in [0, 1] or uint8, of the size of those before.
            recipe: How this frame was made, kept where each frame is a file of its own.

        Raises:
            ImageWriteError: It is no picture, of another size, or the disk is full.
        """

    def finish(self, recipe: Recipe) -> None:
        """Put everything in its place, with the recipe of all of it.

        Raises:
            ImageWriteError: There are no frames, or they cannot be written there.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


WRITERS: dict[str, Callable[..., FrameWriter]] = {**dict.fromkeys(ENCODERS, Animation), "": NumberedFiles}
"""Who takes frames, by the suffix of their file; ``""`` is for a folder. Others may be added: each is called with the
path, a :class:`Timing` and ``overwrite=``, and refuses at once what would fail at the end."""


def frame_writer(path: Path, timing: Timing, *, overwrite: bool = False) -> FrameWriter:
    """The writer of moving pictures that a path asks for.

    Args:
        path: A file whose suffix is in :data:`WRITERS`, or a folder, without suffix.
        timing: How long frames are shown.
        overwrite: Whether files that are there are replaced.

    Raises:
        ImageWriteError: The suffix is none of them, or nothing can be written there.

    Example:
        >>> with frame_writer(Path("dream.gif"), Timing(0.1)) as writer:  # doctest: +SKIP
        ...     for level in (0.0, 0.5, 1.0):
        ...         writer.add(np.full((4, 6, 3), level, np.float32))
        ...     writer.finish({"settings": {"seed": 7}})
    """
    maker = WRITERS.get(path.suffix.lower())
    if maker is None:
        raise ImageWriteError(f"{path} cannot be written: {no_format(path.suffix, filter(None, WRITERS))}")
    return maker(path, timing, overwrite=overwrite)
