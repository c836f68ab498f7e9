"""Which sides of pictures each layer of a network can see, and which layers need the network's own size.

The one idea: each axis is tried alone, the other as the network was built: all small sides, and a stretch of large
ones. A layer that can be computed nowhere among the large ones is tied to the own size along this axis; for the
others the stretch shows the pattern that repeats for ever.

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size
from dreamer.models.shape_rules import Seen
from dreamer.models.visible import Measure, Shapes
from dreamer.sides import Sides

Tied = tuple[bool, bool]
"""Whether the height, and the width, must be the network's own."""

_USUAL_SIDE = 224  # Pixels; taken as a network's own where it was built for any.
_STRETCHES = (512, 4096)  # Sides in a row that are tried: the second where a pattern is longer than half the first.
_NEIGHBOURS = 32  # Heights, and widths, that are tried with each other where no square can be seen.
_FAR = 8  # Stretches from the first pixel to the large sides.


class Survey:
    """What the layers of a network can see.

    Attributes:
        own_size: ``(height, width)`` that the network was built for, or where it takes any, one at which most of
            its layers can be computed.

    Args:
        measure: Gives the shapes of its layers.
        declared: ``(height, width)`` that it was built for; None for any.
    """

    def __init__(self, measure: Measure, declared: tuple[int | None, int | None]) -> None:
        self._measure = measure
        self.own_size = self._own(declared)
        for stretch in _STRETCHES:
            self._look(stretch)
            if all(_period(far) is not None and _settles(near, far) for near, far in self._patterns()):
                break
        self._joint = self._look_at_both()

    def tied(self, indices: Iterable[int]) -> Tied:
        """Along which axes some layers need the own size."""
        indices = list(indices)
        if not all(self._joint[index] for index in indices):
            return True, True
        height, width = (
            any(not self._far[axis][index].any() or _period(self._far[axis][index]) is None for index in indices)
            for axis in (0, 1)
        )
        return height, width

    def makes_features(self, index: int) -> Tied:
        """Along which axes the number of a layer's features grows with the picture, as where it is flattened."""
        return self._features[index]

    def sides(self, indices: Iterable[int]) -> tuple[Sides, Sides]:
        """The sides that some layers can all see, as heights and as widths; with none of them where there are none."""
        indices = list(indices)
        height, width = (
            _sides(self._together(self._near[axis], indices), self._together(self._far[axis], indices))
            for axis in (0, 1)
        )
        return height, width

    def _together(self, seen: dict[int, Seen], indices: list[int]) -> Seen:
        return np.asarray(np.all([seen[index] for index in indices], axis=0))

    def _own(self, declared: tuple[int | None, int | None]) -> Size:
        if declared[0] and declared[1]:
            return declared[0], declared[1]
        for stretch in _STRETCHES:
            sides = np.arange(1, stretch + 1)
            axes = [np.full_like(sides, side) if side else sides for side in declared]
            size, is_complete = self._best(np.stack(axes, axis=1))
            if is_complete:
                return size
        if any(declared):
            return size
        # No square will do, as where the one side must be even and the other odd.
        rows, columns = np.indices((_NEIGHBOURS, _NEIGHBOURS)).reshape(2, -1)
        return self._best(np.array([size, *np.stack([size[0] + rows, size[1] + columns], axis=1)]))[0]

    def _best(self, sizes: NDArray[np.int64]) -> tuple[Size, bool]:
        """Of some sizes the one at which most layers can be computed, near the usual; and whether all can."""
        found = self._measure.shapes(sizes)
        counts = np.sum([one.seen for one in found.values()], axis=0)
        best = min(np.flatnonzero(counts == counts.max()), key=lambda place: np.abs(sizes[place] - _USUAL_SIDE).sum())
        return (int(sizes[best, 0]), int(sizes[best, 1])), bool(counts.max() == len(found))

    def _look(self, stretch: int) -> None:
        near = np.arange(1, stretch + 1)
        sides = np.concatenate([near, near + _FAR * stretch])
        height, width = (np.full_like(sides, side) for side in self.own_size)
        sizes = np.concatenate([np.stack([sides, width], axis=1), np.stack([height, sides], axis=1)])
        found = self._measure.shapes(sizes)
        self._features = {index: (_varies(one, 0), _varies(one, 1)) for index, one in found.items()}
        parts = {index: np.split(one.seen, 4) for index, one in found.items()}
        self._near = tuple({index: part[2 * axis] for index, part in parts.items()} for axis in (0, 1))
        self._far = tuple({index: part[2 * axis + 1] for index, part in parts.items()} for axis in (0, 1))

    def _patterns(self) -> Iterable[tuple[Seen, Seen]]:
        different = {
            (self._near[axis][index].tobytes(), far.tobytes()): (self._near[axis][index], far)
            for axis in (0, 1)
            for index, far in self._far[axis].items()
        }
        return different.values()

    def _look_at_both(self) -> dict[int, bool]:
        """Whether each layer sees what its heights and widths let expect; not where these depend on each other."""
        pairs = _pairs(self._near[0][0].size)
        found = self._measure.shapes(pairs)
        rows, columns = pairs.T - 1
        return {
            index: bool((one.seen == (self._near[0][index][rows] & self._near[1][index][columns])).all())
            for index, one in found.items()
        }


def _varies(shapes: Shapes, axis: int) -> bool:
    """Whether the last dimension of a layer's first output follows the sides of one axis."""
    column, seen = (np.split(part, 2)[axis] for part in (shapes.columns[0], shapes.seen))
    return bool(column.shape[1] and seen.any() and np.ptp(column[seen, -1]))


def _pairs(most: int) -> NDArray[np.int64]:
    """Sizes of different sides, half of them whole strides of usual networks."""
    drawn = np.random.default_rng(0).integers(1, most + 1, (64, 2))
    return np.concatenate([drawn, drawn[:32] // 64 * 64, drawn[:32] // 32 * 32]).clip(64, most)


@lru_cache(maxsize=256)
def _shortest(pattern: bytes) -> int | None:
    seen = np.frombuffer(pattern, bool)
    if not seen.any():
        return 0
    return next((n for n in range(1, seen.size // 2 + 1) if (seen[n:] == seen[:-n]).all()), None)


def _period(far: Seen) -> int | None:
    """After how many pixels a pattern repeats; 0 where there is nothing, None where it is longer than can be told."""
    return _shortest(far.tobytes())


def _settles(near: Seen, far: Seen) -> bool:
    """Whether the small sides end as the large ones go on."""
    period = _period(far) or 1
    places = np.arange(near.size - period, near.size)
    return bool((near[places] == far[(places - _FAR * near.size) % period]).all())


def _sides(near: Seen, far: Seen) -> Sides:
    period = _period(far)
    return Sides.found(near.tolist(), period if period and _settles(near, far) else 0)
