"""Gradient ascent on rows: Adam in units of each column's deviation, brought back to what a row can be after each step.

Must not import: files, pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dreamer.arrays import FloatArray
from dreamer.objectives import Objective
from dreamer.tabular.network import RowNetwork
from dreamer.tabular.tables import Codes

_RATE = 0.15  # Deviations that a step moves at most, at first.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.99, 1e-8


def climbed(
    rows: RowNetwork,
    starts: Codes,
    objectives: Sequence[Objective],
    free: Sequence[int],
    *,
    near: Codes,
    pull: float = 0.0,
    slack: float = 0.0,
    steps: int,
    on_step: Callable[[int], None] | None = None,
) -> Codes:
    """Rows with higher scores than some have, rounded to what there can be.

    Args:
        rows: The network.
        starts: Where it begins: ``(rows, columns)``.
        objectives: For each what is climbed, of the same forms.
        free: The places of columns that may change.
        near: What they are to lie near to: ``(others, columns)``.
        pull: What a distance of 1 costs.
        slack: A distance that costs nothing.
        steps: How many are taken.
        on_step: Told how many were.

    Returns:
        ``(rows, columns)``. The last vectors are rounded: what a network gives for shares of categories it gives for no
        row, so a climb only says where to look.
    """
    first = rows.mixed(starts)
    vectors, others = first.copy(), rows.mixed(near)
    mean, square = np.zeros_like(vectors), np.zeros_like(vectors)
    for step in range(1, steps + 1):
        _, gradients = rows.ascent(vectors, objectives, others, pull, slack)
        vectors = _stepped(vectors, np.nan_to_num(gradients), mean, square, step, steps)
        vectors = rows.projected(vectors, first, free)
        if on_step is not None:
            on_step(step)
    found = rows.unmixed(vectors)
    held = [place for place in range(len(rows.columns)) if place not in set(free)]
    found[:, held] = starts[:, held]
    return found


def _stepped(
    vectors: FloatArray, gradients: FloatArray, mean: FloatArray, square: FloatArray, step: int, steps: int
) -> FloatArray:
    """One step of Adam, upwards; its means are kept in place."""
    # Of any size, as scores are.
    gradients = gradients / (np.abs(gradients).max(1, keepdims=True) + 1e-30)
    mean += (1 - _BETA_1) * (gradients - mean)
    square += (1 - _BETA_2) * (gradients**2 - square)
    rate = _RATE * 0.5 * (1 + np.cos(np.pi * (step - 1) / steps))
    moved = mean / (1 - _BETA_1**step) / (np.sqrt(square / (1 - _BETA_2**step)) + _EPSILON)
    return np.asarray(vectors + rate * moved, np.float32)
