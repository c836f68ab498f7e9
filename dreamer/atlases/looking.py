"""Photos read as small as an atlas keeps them: in this process, or in some of their own, which can be ended.

The one idea: whoever looks at photos wants them one after the other, small, and one ahead of the work on the last.
Reading is what may block for ever, on a file that is odd or a disk that is gone, so it can be done elsewhere.

Must not import: networks, Keras.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from dreamer import images
from dreamer.arrays import StoredArray, as_float, as_stored, resize_stored, scaled
from dreamer.batching.left_out import LeftOut, suffix_of, told, why_not
from dreamer.batching.local import LocalFolder
from dreamer.errors import ImageReadError
from dreamer.workers import limits, pools, process
from dreamer.workers.outcomes import Attempt

SIDE = 224
"""Pixels: the shorter side of a photo as the network sees it."""

_LONGEST = 2.0  # As many times the shorter side; more is cut off at both ends.
_KEPT = 2  # Times as large is a photo kept as it is seen, for sharp screens.
_SPARE = 2  # Times as large as it is kept is a photo read.


def left_out(folder: Path) -> str:
    """What of a folder is not looked at, in words; ``""`` for nothing."""
    held = LocalFolder(str(folder.absolute()))
    others = [entry for entry in held.walk() if not images.is_read(suffix_of(entry.name)) and not entry.is_folder]
    return told([LeftOut(held, entry.name, why_not(entry, None)) for entry in others])


def here(paths: Sequence[Path]) -> Iterator[StoredArray | str]:
    """Read photos in this process.

    Yields:
        Each as :func:`small` gives it, or in a line why it cannot be read.
    """
    for _, photo in images.read_ahead(paths, short_side=_SPARE * _KEPT * SIDE):
        yield str(photo) if isinstance(photo, ImageReadError) else small(photo.pixels)


def in_pool(paths: Sequence[Path], pool: pools.Pool, timeout: float | None) -> Iterator[StoredArray | str]:
    """The same in processes of their own, in which none takes longer than it may.

    Args:
        paths: The photos.
        pool: With two processes one is a photo ahead.
        timeout: Seconds for each; None for what is usual.
    """
    under_way: deque[tuple[Path, Future[Attempt[Any]]]] = deque()
    for path in paths:
        if len(under_way) == pool.capacity():
            yield _found(*under_way.popleft(), pool)
        under_way.append((path, pool.submit(read, (path, timeout or limits.READING), 0.0)))
    while under_way:
        yield _found(*under_way.popleft(), pool)


def _found(path: Path, future: Future[Attempt[Any]], pool: pools.Pool) -> StoredArray | str:
    attempt = pools.awaited(future, pool)
    if attempt.failure is None:
        return np.asarray(attempt.result)
    message = attempt.failure.message
    return message if attempt.failure.kind == "ImageReadError" else f"{path}: {message}"


def read(job: tuple[Path, float]) -> StoredArray:
    """Read a photo, as a worker of a pool does; with it come the seconds that it may take.

    Raises:
        ImageReadError: It cannot be read.
    """
    path, seconds = job
    process.allow(seconds)
    return small(images.read(path, short_side=_SPARE * _KEPT * SIDE, compact=True).pixels)


def small(pixels: StoredArray) -> StoredArray:
    """A photo without what is too far from its middle, as large as it is kept."""
    height, width = pixels.shape[:2]
    longest = int(_LONGEST * min(height, width))
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    part = pixels[top : top + longest, left : left + longest]
    share = min(1.0, _KEPT * SIDE / min(part.shape[:2]))
    return as_stored(np.clip(as_float(resize_stored(part, scaled(part.shape[:2], share))), 0, 1), np.uint8)
