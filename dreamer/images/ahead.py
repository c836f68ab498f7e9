"""Reading several photos, the next one while the last is worked on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dreamer.errors import ImageReadError
from dreamer.images.photo import Photo
from dreamer.images.reading import read


def read_ahead(
    paths: Iterable[Path], *, short_side: int | None = None
) -> Iterator[tuple[Path, Photo | ImageReadError]]:
    """Read photos in order, in a thread of its own that is one photo ahead.

    Decoding leaves Python's lock alone most of the time, so it costs the work on the photo before
    next to nothing. Two photos are in memory, three for a moment.

    Args:
        paths: The files.
        short_side: Makes larger photos smaller as they are read, as `read` says.

    Yields:
        Each path with its photo, its pixels as they are stored; or with the error that says why it
        could not be read, so that one broken file does not end the rest.

    Example:
        >>> [path.name for path, _ in read_ahead([Path("missing.jpg")])]
        ['missing.jpg']
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="dreamer-reading") as reader:
        waiting = iter(paths)
        current = next(waiting, None)
        reading = reader.submit(_read, current, short_side) if current else None
        while current and reading:
            found = reading.result()
            following = next(waiting, None)
            reading = reader.submit(_read, following, short_side) if following else None
            yield current, found
            del found
            current = following


def _read(path: Path, short_side: int | None) -> Photo | ImageReadError:
    try:
        return read(path, short_side=short_side, compact=True)
    except ImageReadError as error:
        return error
