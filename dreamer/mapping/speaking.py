"""What the points of a map say for every class.

The one idea: cells are labelled by a few of their points, those nearest to the mean; a photo is looked at once for all
points of it that count.

Must not import: the command line.

References:
    Carter et al., "Activation Atlas", Distill 2019: "linear approximation of the effect on the logits".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from dreamer.arrays import FloatArray, resize
from dreamer.mapping.cells import Cell
from dreamer.mapping.points import Points
from dreamer.models.network import Network
from dreamer.models.opened import Opened
from dreamer.models.positions import Positions
from dreamer.searching import looking
from dreamer.searching.filling import Index

_OF_A_CELL = 8  # Points by which a cell is labelled.


def asked(cells: Sequence[Cell]) -> list[int]:
    """The points by which cells are labelled."""
    return sorted({int(one) for cell in cells for one in cell.members[:_OF_A_CELL]})


def attributions(
    network: Network, layer: str, index: Index, points: Points, which: Sequence[int], on_photo: Callable[[float], None]
) -> dict[int, FloatArray]:
    """What some points say for every class, ``(classes,)`` each.

    Args:
        network: One with classes.
        layer: The layer.
        index: Of the photos.
        points: All points.
        which: Those that are asked for.
        on_photo: Told which share of the photos is done.
    """
    of_photo: defaultdict[int, list[int]] = defaultdict(list)
    for one in which:
        of_photo[int(points.photos[one])].append(one)
    opened = Opened(network, layer)
    together = [layer, str(network.logits)]
    found: dict[int, FloatArray] = {}
    for done, (photo, some) in enumerate(of_photo.items(), start=1):
        name = points.names[photo]
        seen = looking.seen(looking.load(index.place_of(name)), network.sides(together), index.side)
        picture = np.asarray(np.clip(resize(seen, opened.seen((seen.shape[0], seen.shape[1]))), 0, 1), np.float32)
        there, own = index.where(name)[layer], network.positions(together, (picture.shape[0], picture.shape[1]))[layer]
        if there is not None and own is not None:
            parts = [_part(there, own, points, one) for one in some]
            found |= dict(zip(some, opened.attributions(picture, parts), strict=True))
        on_photo(done / len(of_photo))
    return found


def _part(there: Positions, own: Positions, points: Points, one: int) -> FloatArray:
    """What a layer finds at a point alone, where the same part of the photo lies as the classes see it."""
    part = np.zeros((*own.grid, points.activations.shape[1]), np.float32)
    row, column = points.at[one]
    part[own.nearest(*there.on(own.size).middle(int(row), int(column)))] = points.activations[one]
    return part
