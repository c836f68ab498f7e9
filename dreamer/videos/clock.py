"""Frames in order: each with a time of its own, and how long it is shown. Nothing about files.

The one idea: a decoder gives pictures with times that may be missing or repeated; what comes out here is strictly later
from one frame to the next, and is shown until the next appears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

Picture = TypeVar("Picture")


class Timed(NamedTuple):
    """When a frame appears and how long it is shown, in ticks."""

    pts: int
    duration: int


def in_order(
    pictures: Iterable[tuple[int | None, int, Picture]], usual: int, repaired: Callable[[], None]
) -> Iterator[tuple[Timed, Picture]]:
    """Pictures with times that can be relied on.

    The gap to the next frame is how long a frame is shown: what a container says beside that is counted in the order of
    decoding, which is another. Only of the last it is asked.

    Args:
        pictures: What a decoder gives: a time or None, a duration or 0, the picture.
        usual: Ticks between two frames, where nothing is said.
        repaired: Called for each time that had to be mended.

    Example:
        >>> given = [(0, 0, "a"), (None, 0, "b"), (5, 0, "c"), (5, 7, "d")]
        >>> [tuple(timed) for timed, _ in in_order(given, 4, lambda: None)]
        [(0, 4), (4, 1), (5, 4), (9, 7)]
    """
    waiting: tuple[int, int, Picture] | None = None
    for told, said, picture in pictures:
        pts = told
        if waiting is not None and (pts is None or pts <= waiting[0]):
            pts = waiting[0] + usual
            repaired()
        elif pts is None:
            pts = 0
            repaired()
        if waiting is not None:
            yield Timed(waiting[0], pts - waiting[0]), waiting[2]
        waiting = pts, said, picture
        del picture  # While the next is decoded, this one alone is kept.
    if waiting is not None:
        yield Timed(waiting[0], waiting[1] if waiting[1] > 0 else usual), waiting[2]
