"""Photos read as small as they are looked at: in this process, or in some of their own, which can be ended.

The one idea: whoever looks at photos wants them one after the other, small, and one ahead of the work on the last.
Reading is what may block for ever, on a file that is odd or a disk that is gone, so it can be done elsewhere.

Must not import: networks, Keras.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dreamer import images
from dreamer.arrays import FloatArray, Size, StoredArray, as_float, as_stored, resize, resize_stored, scaled
from dreamer.batching.folder import Folder
from dreamer.batching.folders import folder as folder_of
from dreamer.batching.left_out import LeftOut, instead, suffix_of, told, why_not
from dreamer.batching.local import LocalFolder
from dreamer.errors import ImageReadError, SettingsError
from dreamer.files.digests import stamp_of
from dreamer.sides import Seen
from dreamer.workers import limits, pools, process
from dreamer.workers.outcomes import Attempt

SIDE = 224
"""Pixels: the shorter side of a photo as networks see it that have none of their own, and as an atlas shows it."""

_LONGEST = 2.0  # As many times the shorter side; more is cut off at both ends.
_KEPT = 2  # Times as large is a photo kept as it is seen, for sharp screens.
_SPARE = 2  # Times as large as it is kept is a photo read.


@dataclass(frozen=True)
class Stored:
    """A photo of a store.

    Attributes:
        folder: The store's folder.
        name: Of the photo in it.
    """

    folder: Folder
    name: str

    def __str__(self) -> str:
        return self.folder.show(self.name)


Place = Path | Stored
"""Where a photo is."""


@dataclass(frozen=True)
class Photos:
    """The photos of a folder or a store.

    Attributes:
        folder: Its path or URL, in full.
        names: Of the photos, relative to it, in order.
        places: Where they are.
        stamps: What changes when a photo does, without reading it.
        left_out: What else lies there, in words; ``""`` for nothing.
    """

    folder: str
    names: tuple[str, ...]
    places: tuple[Place, ...]
    stamps: tuple[str, ...]
    left_out: str

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(cls, text: str) -> Photos:
        """List a folder.

        Args:
            text: Its path or URL.

        Raises:
            FolderError: There is no such folder.
            SettingsError: It has no photos.
        """
        held = folder_of(text)
        entries, others = [], []
        for entry in held.walk():
            usable = images.is_read(suffix_of(entry.name)) and not (entry.flaw or entry.problem or entry.is_folder)
            if usable:
                entries.append(entry)
            elif not entry.is_folder:
                others.append(LeftOut(held, entry.name, why_not(entry, None)))
        if not entries:
            raise SettingsError(f"there are no photos in {held.show()}{instead(others)}")
        names = tuple(entry.name for entry in entries)
        if isinstance(held, LocalFolder):
            places: tuple[Place, ...] = tuple(held.path(name) for name in names)
            return cls(held.show(), names, places, tuple(map(_stamp, places)), told(others))
        stamps = tuple(entry.stamp or "" for entry in entries)
        return cls(held.show(), names, tuple(Stored(held, name) for name in names), stamps, told(others))


def _stamp(path: Any) -> str:
    try:
        return stamp_of(path)
    except OSError:  # It went away since it was listed; reading it says so.
        return ""


def left_out(folder: Path) -> str:
    """What of a folder is not looked at, in words; ``""`` for nothing."""
    held = LocalFolder(str(folder.absolute()))
    others = [entry for entry in held.walk() if not images.is_read(suffix_of(entry.name)) and not entry.is_folder]
    return told([LeftOut(held, entry.name, why_not(entry, None)) for entry in others])


def here(places: Sequence[Place]) -> Iterator[StoredArray | str]:
    """Read photos in this process, in a thread of its own that is one photo ahead.

    Yields:
        Each as :func:`small` gives it, or in a line why it cannot be read.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="dreamer-reading") as reader:
        ahead: deque[Future[StoredArray | str]] = deque()
        for place in places:
            ahead.append(reader.submit(told_or_loaded, place))
            if len(ahead) > 1:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def told_or_loaded(place: Place) -> StoredArray | str:
    """A photo as :func:`small` gives it, or in a line why it cannot be read."""
    try:
        return load(place)
    except ImageReadError as error:
        return str(error)


def in_pool(places: Sequence[Place], pool: pools.Pool, timeout: float | None) -> Iterator[StoredArray | str]:
    """The same in processes of their own, in which none takes longer than it may.

    Args:
        places: Where the photos are.
        pool: With two processes one is a photo ahead.
        timeout: Seconds for each; None for what is usual.
    """
    under_way: deque[tuple[Place, Future[Attempt[Any]]]] = deque()
    for place in places:
        if len(under_way) == pool.capacity():
            yield _found(*under_way.popleft(), pool)
        under_way.append((place, pool.submit(read, (place, timeout or limits.READING), 0.0)))
    while under_way:
        yield _found(*under_way.popleft(), pool)


def _found(place: Place, future: Future[Attempt[Any]], pool: pools.Pool) -> StoredArray | str:
    attempt = pools.awaited(future, pool)
    if attempt.failure is None:
        return np.asarray(attempt.result)
    message = attempt.failure.message
    return message if attempt.failure.kind == "ImageReadError" else f"{place}: {message}"


def read(job: tuple[Place, float]) -> StoredArray:
    """Read a photo, as a worker of a pool does; with it come the seconds that it may take.

    Raises:
        ImageReadError: It cannot be read.
    """
    place, seconds = job
    process.allow(seconds)
    return load(place)


def load(place: Place) -> StoredArray:
    """Read a photo as :func:`small` gives it.

    Raises:
        ImageReadError: It cannot be read.
    """
    if isinstance(place, Path):
        return small(images.read(place, short_side=_SPARE * _KEPT * SIDE, compact=True).pixels)
    try:
        data = place.folder.read(place.name)
    except OSError as error:
        raise ImageReadError(f"{place} cannot be read: {error.strerror or error}") from error
    return small(images.decode(data, str(place), short_side=_SPARE * _KEPT * SIDE, compact=True).pixels)


def small(pixels: StoredArray) -> StoredArray:
    """A photo without what is too far from its middle, as large as it is kept."""
    height, width = pixels.shape[:2]
    longest = int(_LONGEST * min(height, width))
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    part = pixels[top : top + longest, left : left + longest]
    share = min(1.0, _KEPT * SIDE / min(part.shape[:2]))
    return as_stored(np.clip(as_float(resize_stored(part, scaled(part.shape[:2], share))), 0, 1), np.uint8)


def side_of(own_size: Size) -> int:
    """The shorter side at which a network looks at photos: its own, but no more pixels than are kept.

    Args:
        own_size: ``(height, width)`` that the network was built for.
    """
    return min(*own_size, _KEPT * SIDE)


def seen(shown: StoredArray, sides: Seen, side: int = SIDE) -> FloatArray:
    """A photo as the network sees it: of a size that it can see.

    Args:
        shown: As :func:`small` gives it.
        sides: Which pictures the network can see.
        side: The shorter side that is wanted.
    """
    wanted = scaled(shown.shape[:2], side / min(shown.shape[:2]))
    return np.asarray(np.clip(resize(as_float(shown), sides.nearest(*wanted)), 0, 1), np.float32)
