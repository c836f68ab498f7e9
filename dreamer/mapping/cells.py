"""The cells of a map: activations that lie together, their mean, and what the network takes them for.

The one idea: a grid is laid over the places of the points. A cell is what lies in one of its squares, and stands for
all of it by its mean, which may be no activation that exists; so it also keeps which points are nearest to that.

Must not import Keras.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray

_LEVELS = {50_000: (10, 20, 40), 5_000: (8, 16, 32), 500: (6, 12, 20), 60: (4, 8)}
_COARSEST = (2, 4)
_TRUSTED = 10  # Points from which a cell's mean is trusted, as in the notebook of Carter et al. (2019).
_SHARE = 4  # A cell with a quarter of what cells have in the mean is kept, where that is fewer.
_RIDGE = 1e-3


@dataclass(frozen=True, eq=False)
class Cell:
    """A square of the map that points lie in.

    Attributes:
        grid: Cells per side of the map.
        row: From the top, from 0.
        column: From the left, from 0.
        members: Indices of the points in it, the nearest to the mean first by cosine.
        mean: ``(channels,)``, the plain mean of their activations.
    """

    grid: int
    row: int
    column: int
    members: NDArray[np.intp]
    mean: FloatArray

    @property
    def count(self) -> int:
        """How many points lie in it."""
        return len(self.members)


def cells(positions: FloatArray, activations: FloatArray, grid: int, *, least: int) -> list[Cell]:
    """Lay a grid over a map.

    Args:
        positions: ``(points, 2)`` in [0, 1]: x to the right, y downwards.
        activations: ``(points, channels)``.
        grid: Cells per side.
        least: Leave out cells with fewer points.

    Returns:
        The cells, row by row.

    Example:
        >>> positions = np.array([[0.1, 0.9], [0.2, 0.6], [1, 0]], np.float32)
        >>> found = cells(positions, np.eye(3, dtype=np.float32), 2, least=1)
        >>> [(cell.row, cell.column, cell.count) for cell in found]
        [(0, 1, 1), (1, 0, 2)]
    """
    # What lies on the far edge belongs to the last cell.
    columns, rows = np.minimum((positions * grid).astype(np.intp), grid - 1).T
    squares = rows * grid + columns
    order = np.argsort(squares, kind="stable")
    found, starts = np.unique(squares[order], return_index=True)
    groups = np.split(order, starts[1:])
    return [
        _cell(grid, int(square), members, activations)
        for square, members in zip(found, groups, strict=False)
        if len(members) >= least
    ]


def grids(points: int) -> tuple[int, ...]:
    """The zoom levels that suit so many points, as cells per side, from coarse to fine.

    Example:
        >>> grids(1000), grids(100_000), grids(20)
        ((6, 12, 20), (10, 20, 40), (2, 4))
    """
    return next((levels for most, levels in _LEVELS.items() if points >= most), _COARSEST)


def least(points: int, grid: int) -> int:
    """From how many points on a cell is shown: ten, as in the notebook of Carter et al. (2019), where there are many.

    Where there are few, a quarter of the points that a cell has in the mean, so that the edges of what is there are
    not left out.

    Example:
        >>> least(100_000, 20), least(1000, 6), least(1000, 20)
        (10, 6, 1)
    """
    return max(1, min(_TRUSTED, points // (_SHARE * grid * grid)))


def whitening(activations: FloatArray, power: float = 1.0) -> FloatArray:
    """The matrix that a direction is multiplied by so that what all activations share counts for little.

    It is the inverse of their second moments, ``inv(X'X / N)``, not centred, as in the notebooks of Carter et al.
    (2019); a thousandth of the mean moment is added to the diagonal, without which few points have no inverse.

    Args:
        activations: ``(points, channels)``.
        power: Of the matrix: 1 takes all out that is shared, 0 nothing.

    Returns:
        ``(channels, channels)``.

    Example:
        >>> whitening(np.array([[2, 0], [0, 2]], np.float32)).round(2).tolist()
        [[0.5, 0.0], [0.0, 0.5]]
    """
    # In double precision: the moments of a layer span many orders of magnitude.
    held = activations.astype(np.float64)
    moments = held.T @ held / len(held)
    # A layer that is silent throughout has no moment; any ridge will do.
    ridge = _RIDGE * np.trace(moments) / len(moments) or 1.0
    values, vectors = np.linalg.eigh(moments + ridge * np.eye(len(moments)))
    return np.asarray((vectors * values**-power) @ vectors.T, np.float32)


def labels(attributions: FloatArray, cell: Cell, top: int = 5) -> list[tuple[int, float]]:
    """The classes that a cell speaks for most.

    Args:
        attributions: ``(points, classes)``: how much each point adds to each class.
        cell: Whose.
        top: How many classes.

    Returns:
        Classes with the mean attribution of the cell's points, best first.

    Example:
        >>> cell = Cell(1, 0, 0, np.array([0, 1]), np.zeros(2, np.float32))
        >>> labels(np.array([[1, 4, 0], [2, 1, 0], [9, 9, 9]], np.float32), cell, top=2)
        [(1, 2.5), (0, 1.5)]
    """
    means = attributions[cell.members].mean(axis=0, dtype=np.float64)
    best = np.argsort(-means, kind="stable")[:top]
    return [(int(index), float(means[index])) for index in best]


def _cell(grid: int, square: int, members: NDArray[np.intp], activations: FloatArray) -> Cell:
    held = activations[members]
    mean = held.mean(axis=0, dtype=np.float64)
    lengths = np.linalg.norm(held, axis=1)
    # Of the cosine, the mean's own length changes no order.
    nearness = held @ mean / np.where(lengths > 0, lengths, 1)
    nearest = members[np.argsort(-nearness, kind="stable")]
    return Cell(grid, *divmod(square, grid), nearest, mean.astype(np.float32))
