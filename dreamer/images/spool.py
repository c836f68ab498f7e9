"""Spools: pictures kept on the disk, one after the other, so that memory holds one of them at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint8]


class Spool:
    """Pictures of one size in 8 bits, in a file without a name, which is gone with the process, however that ends.

    Args:
        folder: On whose disk they are kept; None for that of temporary files.

    Example:
        >>> with Spool() as spool:
        ...     spool.append(np.zeros((2, 3, 3), np.uint8))
        ...     len(spool), spool[0].shape
        (1, (2, 3, 3))
    """

    def __init__(self, folder: Path | None = None) -> None:
        # It lives as long as the spool, which closes it.
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._count = 0
        self.shape: tuple[int, ...] = ()

    def append(self, picture: Levels) -> None:
        """Keep one more picture; what is done with the array afterwards does not matter.

        Args:
            picture: ``(height, width, 3)`` uint8, of the same size as those before.

        Raises:
            OSError: The disk is full.
        """
        self.shape = picture.shape
        self._file.seek(self._count * picture.size)
        self._file.write(np.ascontiguousarray(picture).data)
        self._file.flush()
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Levels:
        if not 0 <= index < self._count:
            raise IndexError(index)
        picture = np.empty(self.shape, np.uint8)
        self._file.seek(index * picture.size)
        self._file.readinto(picture.data)
        return picture

    def __iter__(self) -> Iterator[Levels]:
        return (self[index] for index in range(self._count))

    def close(self) -> None:
        """Let go of them."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()
