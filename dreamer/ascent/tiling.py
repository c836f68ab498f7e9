"""A gradient over a picture of any size, from tiles of one size.

The one idea: at each step the grid of tiles is laid over the picture with a fresh shift, so the
borders between tiles, where the network sees less of the picture, never fall on the same place
twice. The grid is just large enough for the picture: shifted, it hangs over one edge, where the
picture is continued by its mirror image, and leaves a strip along the opposite edge unseen. What is
seen is weighted by the inverse of its chance to be seen, so over the steps every pixel moves alike.
(Rolling the picture around instead, as the 2015 notebook does, glues its opposite edges together,
and creatures from the foreground grow into the sky.)

Where a picture's edges are to meet, that is what is wanted: the grid *wraps*. It begins anywhere, goes on at the
opposite edge, and shows every pixel in every step.

Must not import: networks, files.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size
from dreamer.ascent.tile_view import View
from dreamer.backends import backend
from dreamer.backends.backend import TileGradient
from dreamer.errors import DeviceMemoryError
from dreamer.sides import ALL, Sides

PictureGradient = Callable[[FloatArray, View, FloatArray], float]
"""(picture ``(height, width, 3)``, view, where the gradient is written) -> score."""

IntArray = NDArray[np.int32]

_LEAST_BATCH, _LARGEST_BATCH = 4, 16  # Tiles; on 2 cores, 4 beside each other take 0.7 of the time of one by one.

_RUNGS = (4, 2, 1)  # A tile of a ladder has a quarter of the side that was asked for, half of it, or all.


@dataclass(frozen=True)
class Tiling:
    """How pictures are cut into tiles.

    Attributes:
        tile: Largest side of a tile in pixels. A larger picture is cut into equal tiles.
        jitter: How far a picture of a single tile is shifted at most, in pixels.
        heights: Which heights of tiles the network can see. Where the picture is smaller than the least, its
            mirror image fills the tile.
        widths: Which widths.
        ladder: Whether all tiles should have one of few sides, for a backend that compiles anew for
            each; what a tile is too large for the picture, its mirror image fills.
        wraps: Whether the picture goes on at its opposite edges, in place of its mirror image.
    """

    tile: int
    jitter: int
    heights: Sides = ALL
    widths: Sides = ALL
    ladder: bool = False
    wraps: bool = False

    def grid(self, size: Size) -> Grid:
        """The grid of tiles for pictures of a size."""
        height, width = size
        return Grid(self._axis(height, self.heights), self._axis(width, self.widths))

    def smaller(self, size: Size) -> Tiling | None:
        """The same with smaller tiles for pictures of a size; None where the network can see no smaller ones."""
        now = self.grid(size).size
        tile = max(now) // 2
        if tile < max(self.heights.least, self.widths.least):
            return None
        halved = replace(self, tile=tile)
        return halved if halved.grid(size).size != now else None

    def _axis(self, length: int, sides: Sides) -> Axis:
        """The fewest equal tiles that cover a length, of sides that the network can see.

        A single tile is shifted by the jitter; several over a whole tile, to spread their borders evenly.
        A quarter of a short axis is the most it is shifted: the network must see most of the picture.
        """
        largest = sides.at_most(self.tile) or sides.least
        if self.ladder:
            rungs = [sides.at_least(largest / rung) for rung in _RUNGS]
            side = next((rung for rung in rungs if rung >= length), rungs[-1])
        else:
            side = sides.at_least(length / math.ceil(length / largest))
        count = math.ceil(length / side)  # Larger sides can do with fewer; one too many could miss the picture.
        # Under half a tile: with more, a tile of a grid that is a little too long could miss the picture.
        reach = (side - 1) // 2 if count > 1 else min(self.jitter, length // 4)
        return Axis(length, count, side, reach, self.wraps)


@dataclass(frozen=True)
class Axis:
    """How one axis of a picture is covered: by ``count`` tiles of ``side`` pixels, shifted by up to ``reach``.

    One that ``wraps`` is shifted over its whole length instead.
    """

    length: int
    count: int
    side: int
    reach: int
    wraps: bool = False

    @property
    def first(self) -> int:
        """Where the unshifted grid begins; the pixels it is too long hang over both edges."""
        return -((self.count * self.side - self.length) // 2)

    def begin(self, fraction: float) -> int:
        """Where the grid begins, for a shift drawn from [-1, 1]; each whole pixel is as likely."""
        if self.wraps:
            return min(math.floor((fraction + 1) / 2 * self.length), self.length - 1)
        return self.first + min(math.floor((fraction + 1) / 2 * (2 * self.reach + 1)) - self.reach, self.reach)

    def laid(self, fraction: float) -> Laid:
        """The tiles as they lie for a shift drawn from [-1, 1]."""
        begin = self.begin(fraction)
        shown = np.arange(begin, begin + self.count * self.side)
        return Laid(self.continued(shown).reshape(self.count, self.side), begin, self.length, self.wraps)

    def continued(self, positions: NDArray[Any]) -> IntArray:
        """Which pixel is shown at positions that may lie beyond the edges."""
        return (positions % self.length).astype(np.int32) if self.wraps else mirrored(positions, self.length)

    def chances(self) -> FloatArray:
        """For each pixel the share of shifts under which some tile covers it, in (0, 1]."""
        if self.wraps:
            return np.ones(self.length, np.float32)
        pixels = np.arange(self.length)
        lowest = np.maximum(pixels - self.first - self.count * self.side + 1, -self.reach)
        highest = np.minimum(pixels - self.first, self.reach)
        return ((highest - lowest + 1) / (2 * self.reach + 1)).astype(np.float32)


@dataclass(frozen=True)
class Grid:
    """The tiles of a picture: how its rows and its columns are covered."""

    rows: Axis
    columns: Axis

    @property
    def size(self) -> Size:
        """``(height, width)`` of a tile."""
        return self.rows.side, self.columns.side

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return self.rows.count * self.columns.count


class Laid(NamedTuple):
    """One axis of a picture under one shift of its tiles: the one place where this geometry is computed.

    Attributes:
        source: ``(tiles, side)``: the pixel of the picture that each pixel of the tiles shows, also beyond the edges.
        begin: Where the first tile begins; below 0 where it hangs over.
        length: Of the picture, in pixels.
        wraps: Whether it goes on at its opposite edge.
    """

    source: IntArray
    begin: int
    length: int
    wraps: bool = False

    def spans(self) -> list[tuple[IntArray, slice]]:
        """For each tile which pixels of the picture it shows where they are, and which of its own those are.

        No pixel is shown by two of them so.
        """
        count, side = self.source.shape
        starts = [(0 if self.wraps else self.begin) + index * side for index in range(count)]
        inside = [slice(max(-start, 0), side - max(start + side - self.length, 0)) for start in starts]
        return [(tile[one], one) for tile, one in zip(self.source, inside, strict=True)]

    def back(self, canvas_length: int) -> tuple[IntArray, NDArray[np.bool_]]:
        """For each pixel of a canvas which of all tiles' pixels shows it, and whether any does."""
        places = np.arange(canvas_length)
        back = (places - self.begin) % self.length if self.wraps else places - self.begin
        seen = (back >= 0) & (back < self.source.size) & (places < self.length)
        return np.where(seen, back, 0).astype(np.int32), seen


def mirrored(positions: NDArray[Any], length: int) -> IntArray:
    """Where positions beyond the edges of a picture lie in it, the edge itself not repeated.

    Example:
        >>> mirrored(np.arange(-2, 5), 3).tolist()
        [2, 1, 0, 1, 2, 1, 0]
    """
    if length == 1:
        return np.zeros(positions.shape, np.int32)
    around = np.abs(positions) % (2 * length - 2)
    found: IntArray = np.minimum(around, 2 * length - 2 - around).astype(np.int32)
    return found


def batch_for(bytes_per_tile: float) -> int:
    """How many tiles to hand over at once: as many as help, and fit into half of the memory that is free."""
    devices = len(backend.current().devices())
    most = devices * min(max(_LEAST_BATCH, (os.cpu_count() or 1) // 2), _LARGEST_BATCH)
    fit = fitting(bytes_per_tile / devices)
    return most if fit is None else max(1, min(most, fit))


def fitting(bytes_each: float) -> int | None:
    """How many of something fit into half of the memory that is free; None where nobody can say."""
    free = backend.free_memory()
    return None if free is None else int(free / 2 / max(bytes_each, 1))


def tiled(
    gradient: TileGradient, tiling: Tiling, *, batch: int = 4, note: Callable[[str], None] = lambda _line: None
) -> Callable[..., float]:
    """Turn a gradient of tiles into one of pictures of any size.

    Where memory runs out, fewer tiles are handed over at once, then smaller ones, from there on.

    Args:
        gradient: Scores and gradients of a batch of equal tiles.
        tiling: How pictures are cut.
        batch: How many tiles are handed over at once. The result does not depend on it.
        note: Told in a line when memory ran out.

    Returns:
        A gradient of a whole picture: zero where the view does not reach. Its score is the mean
        over the tiles. It takes pictures that are seen beside it as ``beside``, ``(height, width, channels)``: they
        are cut as the picture is, and laid behind its channels.

    Raises:
        DeviceMemoryError: From the gradient it returns, where no smaller tile can be tried.

    Example:
        >>> def square(tiles, matrix):
        ...     return (tiles**2).sum(axis=(1, 2, 3)), 2 * tiles
        >>> picture, out = np.ones((5, 7, 3), np.float32), np.empty((5, 7, 3), np.float32)
        >>> _ = tiled(square, Tiling(tile=8, jitter=0))(picture, View((0.3, -0.8)), out)
        >>> bool((out == 2).all())
        True
    """

    def apply(picture: FloatArray, view: View, out: FloatArray, beside: FloatArray | None = None) -> float:
        nonlocal batch, tiling
        while True:
            size = (picture.shape[0], picture.shape[1])
            grid = tiling.grid(size)
            try:
                return _over_tiles(gradient, grid, min(batch, grid.count), picture, view, out, beside)
            except DeviceMemoryError as error:
                if min(batch, grid.count) > 1:
                    batch = min(batch, grid.count) // 2
                    note(f"memory ran out; going on with {batch} tiles at once" if batch > 1 else _ONE_AT_A_TIME)
                    continue
                smaller = tiling.smaller(size)
                if smaller is None:
                    raise DeviceMemoryError(
                        f"out of memory, even one tile of {grid.size[0]}x{grid.size[1]} pixels at a time. Try a "
                        "smaller --tile, or --max-size to make the photo smaller"
                    ) from error
                tiling = smaller
                note(f"memory ran out; going on with tiles of {tiling.tile} pixels, which changes the picture a little")

    return apply


_ONE_AT_A_TIME = "memory ran out; going on with one tile at a time"


def _over_tiles(
    gradient: TileGradient,
    grid: Grid,
    batch: int,
    picture: FloatArray,
    view: View,
    out: FloatArray,
    beside: FloatArray | None,
) -> float:
    matrix = view.matrix(grid.size)
    rows, columns = grid.rows.laid(view.shift[0]), grid.columns.laid(view.shift[1])
    tiles = list(product(range(grid.rows.count), range(grid.columns.count)))
    spans = rows.spans(), columns.spans()
    shown = [picture] if beside is None else [picture, beside]
    out.fill(0)
    score = 0.0
    for first in range(0, len(tiles), batch):
        some = tiles[first : first + batch]
        cut = [
            np.stack([whole[rows.source[down][:, None], columns.source[across]] for down, across in some])
            for whole in shown
        ]
        scores, gradients = gradient(cut[0] if beside is None else np.concatenate(cut, axis=-1), matrix)
        for (down, across), one in zip(some, gradients, strict=True):
            (place_down, own_down), (place_across, own_across) = spans[0][down], spans[1][across]
            out[place_down[:, None], place_across] = one[own_down, own_across]
        score += math.fsum(scores)
    out /= grid.rows.chances()[:, None, None]
    out /= grid.columns.chances()[:, None]
    return score / len(tiles)
