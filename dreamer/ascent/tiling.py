"""A gradient over a picture of any size, from tiles of one size.

The one idea: at each step the grid of tiles is laid over the picture with a fresh shift, so the
borders between tiles, where the network sees less of the picture, never fall on the same place
twice. The grid is just large enough for the picture: shifted, it hangs over one edge, where the
picture is continued by its mirror image, and leaves a strip along the opposite edge unseen. What is
seen is weighted by the inverse of its chance to be seen, so over the steps every pixel moves alike.
(Rolling the picture around instead, as the 2015 notebook does, glues its opposite edges together,
and creatures from the foreground grow into the sky.)

Must not import: networks, files.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np

from dreamer.arrays import FloatArray
from dreamer.ascent.backend import TileGradient
from dreamer.ascent.transforms import View

PictureGradient = Callable[[FloatArray, View, FloatArray], float]
"""(picture ``(height, width, 3)``, view, where the gradient is written) -> score."""

TILE_BATCH = 4
"""Tiles given to the device at once. They run beside each other, each as if alone: no picture
depends on this number, only time and memory do."""


@dataclass(frozen=True)
class _Axis:
    """How one axis of a picture is covered: by ``count`` tiles of ``side`` pixels, shifted by up to ``reach``."""

    length: int
    count: int
    side: int
    reach: int

    @classmethod
    def cover(cls, length: int, *, tile: int, jitter: int, least: int = 1, multiple: int = 1) -> _Axis:
        """The fewest equal tiles that cover the length, of sides that the network can see.

        A single tile is shifted by the jitter; several over a whole tile, to spread their borders evenly.
        A quarter of a short axis is the most it is shifted: the network must see most of the picture.
        """
        count = math.ceil(length / max(tile - tile % multiple, least))
        side = max(math.ceil(math.ceil(length / count) / multiple) * multiple, least)
        count = math.ceil(length / side)  # Larger sides can do with fewer; one too many could miss the picture.
        # Under half a tile: with more, a tile of a grid that is a little too long could miss the picture.
        return cls(length, count, side, (side - 1) // 2 if count > 1 else min(jitter, length // 4))

    @property
    def first(self) -> int:
        """Where the unshifted grid begins; the pixels it is too long hang over both edges."""
        return -((self.count * self.side - self.length) // 2)

    def starts(self, fraction: float) -> list[int]:
        """Where the tiles begin, for a shift drawn from [-1, 1]; each whole pixel is as likely."""
        shift = min(math.floor((fraction + 1) / 2 * (2 * self.reach + 1)) - self.reach, self.reach)
        return [self.first + shift + index * self.side for index in range(self.count)]

    def chances(self) -> FloatArray:
        """For each pixel the share of shifts under which some tile covers it, in (0, 1]."""
        pixels = np.arange(self.length)
        lowest = np.maximum(pixels - self.first - self.count * self.side + 1, -self.reach)
        highest = np.minimum(pixels - self.first, self.reach)
        return ((highest - lowest + 1) / (2 * self.reach + 1)).astype(np.float32)


class _Place(NamedTuple):
    """Where a tile lies: its part on the picture, and how far it hangs over the four edges."""

    rows: slice
    columns: slice
    overhang: tuple[int, int, int, int]

    @classmethod
    def at(cls, y: int, x: int, axes: tuple[_Axis, _Axis]) -> _Place:
        (top, bottom), (left, right) = (
            (max(-start, 0), max(start + axis.side - axis.length, 0)) for start, axis in zip((y, x), axes, strict=True)
        )
        rows = slice(y + top, y + axes[0].side - bottom)
        columns = slice(x + left, x + axes[1].side - right)
        return cls(rows, columns, (top, bottom, left, right))

    def cut(self, picture: FloatArray) -> FloatArray:
        """The tile's pixels, mirrored where it hangs over."""
        piece = picture[self.rows, self.columns]
        return np.asarray(cv2.copyMakeBorder(piece, *self.overhang, cv2.BORDER_REFLECT_101), np.float32)

    def paste(self, tile: FloatArray, out: FloatArray) -> None:
        """Put the tile's part on the picture back where it came from."""
        top, bottom, left, right = self.overhang
        out[self.rows, self.columns] = tile[top : tile.shape[0] - bottom, left : tile.shape[1] - right]


def tiled(
    gradient: TileGradient, *, tile: int, jitter: int, least: int = 1, multiple: int = 1, tile_batch: int = TILE_BATCH
) -> PictureGradient:
    """Turn a gradient of tiles into one of pictures of any size.

    Args:
        gradient: Scores and gradients of a batch of equal tiles.
        tile: Largest side of a tile in pixels. A larger picture is cut into equal tiles.
        jitter: How far a picture of a single tile is shifted at most, in pixels.
        least: The smallest side that the network can see, in pixels. A tile is never smaller; where
            the picture is, its mirror image fills the tile.
        multiple: What a tile's sides must be multiples of, in pixels, at most ``least``.
        tile_batch: How many tiles are handed over at once. The result does not depend on it.

    Returns:
        A gradient of a whole picture: zero where the view does not reach. Its score is the mean
        over the tiles.

    Example:
        >>> def square(tiles, matrix):
        ...     return (tiles**2).sum(axis=(1, 2, 3)), 2 * tiles
        >>> picture, out = np.ones((5, 7, 3), np.float32), np.empty((5, 7, 3), np.float32)
        >>> _ = tiled(square, tile=8, jitter=0)(picture, View((0.3, -0.8)), out)
        >>> bool((out == 2).all())
        True
    """

    def apply(picture: FloatArray, view: View, out: FloatArray) -> float:
        height, width = (
            _Axis.cover(length, tile=tile, jitter=jitter, least=least, multiple=multiple)
            for length in picture.shape[:2]
        )
        axes = (height, width)
        matrix = view.matrix((axes[0].side, axes[1].side))
        starts = product(axes[0].starts(view.shift[0]), axes[1].starts(view.shift[1]))
        places = [_Place.at(y, x, axes) for y, x in starts]
        out.fill(0)
        score = 0.0
        for first in range(0, len(places), tile_batch):
            batch = places[first : first + tile_batch]
            scores, gradients = gradient(np.stack([place.cut(picture) for place in batch]), matrix)
            for place, one in zip(batch, gradients, strict=True):
                place.paste(one, out)
            score += math.fsum(scores)
        out /= axes[0].chances()[:, None, None]
        out /= axes[1].chances()[:, None]
        return score / len(places)

    return apply
