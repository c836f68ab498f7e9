"""Points of a map: what a layer finds at some positions of each photo.

The one idea: a photo gives a position or a few, drawn from the seed and the photo's own name, so that it gives the
same ones whichever other photos there are.

Must not import: the command line.

References:
    Carter, Armstrong, Schubert, Johnson and Olah, "Activation Atlas", Distill 2019.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, StoredArray
from dreamer.errors import SettingsError
from dreamer.models.network import Network
from dreamer.models.positions import Positions, cut
from dreamer.searching.duplicates import Known
from dreamer.searching.filling import Index

_ENOUGH = 1000  # Points: below this a photo gives several.
_MOST_PER_PHOTO = 16  # More of a photo would be the photo, not the layer.
_LEAST_CROP = 48  # Pixels: less around what a unit saw is hard to recognise.


@dataclass(frozen=True, eq=False)
class Points:
    """What a layer finds at some positions of photos.

    Attributes:
        activations: ``(points, channels)``.
        photos: ``(points,)``: which photo each is of.
        at: ``(points, 2)``: the row and the column.
        names: Of the photos.
        per_photo: How many were taken of each.
        alike: How many photos were left out, as near-duplicates of others.
    """

    activations: FloatArray
    photos: NDArray[np.int64]
    at: NDArray[np.int64]
    names: tuple[str, ...]
    per_photo: int
    alike: int

    def __len__(self) -> int:
        return len(self.activations)


def check(network: Network, layer: str) -> None:
    """Make sure that there is a layer, and that there can be a map of it.

    Raises:
        UnknownLayerError: There is no such layer.
        SettingsError: It has no positions.
    """
    if len(network.node(layer).shape) != 3:
        raise SettingsError(f"{layer!r} has no positions, so there is no map of it; name a layer below the pooling")


def sample(index: Index, layer: str, *, per_photo: int | None, seed: int) -> Points:
    """Take positions of each photo of an index.

    Args:
        index: Filled for the layer.
        layer: Its name.
        per_photo: How many of each; None for one, or more where photos are few.
        seed: Of the draw.

    Raises:
        SettingsError: The layer has no positions.
    """
    check(index.network, layer)
    known = Known()
    names = [name for name in index.names if known.alike(index.entry(name).thumbnail) is None]
    count = per_photo or min(math.ceil(_ENOUGH / len(names)), _MOST_PER_PHOTO)
    activations, photos, places = [], [], []
    for number, name in enumerate(names):
        found = index.found(name)[layer]
        for row, column in drawn(found.shape[:2], name, count, seed):
            activations.append(np.asarray(found[row, column], np.float32))
            photos.append(number)
            places.append((row, column))
    return Points(
        np.stack(activations), np.array(photos), np.array(places), tuple(names), count, len(index.names) - len(names)
    )


def drawn(grid: tuple[int, int], name: str, count: int, seed: int) -> list[tuple[int, int]]:
    """Positions of a photo, those at its edges left out where there are others.

    Example:
        >>> drawn((5, 6), "cat.jpg", 2, 0) == drawn((5, 6), "cat.jpg", 3, 0)[:2]
        True
    """
    inner = [
        (row, column)
        for row in range(1, grid[0] - 1) or range(grid[0])
        for column in range(1, grid[1] - 1) or range(grid[1])
    ]
    own = int.from_bytes(hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:8], "big")
    order = np.random.default_rng((seed, own)).permutation(len(inner))
    return [inner[place] for place in order[:count]]


def crop(pixels: StoredArray, where: Positions, at: Sequence[int]) -> StoredArray:
    """The square of a photo that a position saw.

    Args:
        pixels: The photo.
        where: The positions, on the photo as the network saw it.
        at: ``(row, column)``.
    """
    down, across = (shown / seen for shown, seen in zip(pixels.shape, where.size, strict=False))
    top, left, height, width = where.square(int(at[0]), int(at[1]), least=_LEAST_CROP)
    return cut(pixels, (top * down, left * across, height * down, width * across))
