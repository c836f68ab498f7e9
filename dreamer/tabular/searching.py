"""Rows made better by single steps and other categories, each asked of the network as it is.

Must not import Keras, files or pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dreamer.tabular.columns import Column
from dreamer.tabular.tables import Codes

Scores = Callable[[Codes], NDArray[np.float64]]
"""What rows ``(rows, columns)`` are worth: ``(rows,)``."""

_MOST_ROUNDS = 200
_LEAST_GAIN = 1e-6
_SHARES = (0.25, 0.05, 0.01)  # Of a range, that a number jumps.


def moves(column: Column, code: float) -> list[float]:
    """Other codes of a column near to one: a step either way, jumps, the ends of the range; every other category."""
    if column.is_category:
        return [float(other) for other in range(len(column.values)) if other != round(code)]
    span = column.high - column.low
    jumps = [column.step, *(span * share for share in _SHARES)]
    wished = [code + sign * jump for jump in jumps for sign in (-1, 1)] + [column.low, column.high]
    return sorted({column.rounded(one) for one in wished} - {code})


def improved(
    scores: Scores, codes: Codes, columns: Sequence[Column], free: Sequence[int]
) -> tuple[Codes, NDArray[np.float64]]:
    """Rows of which no single step makes a better one.

    Args:
        scores: What is asked of each row.
        codes: Where it begins.
        columns: What rows are made of.
        free: The places of columns that may change.

    Returns:
        The rows and what they are worth.
    """
    codes = codes.copy()
    worth = scores(codes)
    waiting = list(range(len(codes)))
    for _ in range(_MOST_ROUNDS):
        if not waiting:
            break
        tried: list[Codes] = []
        owners: list[int] = []
        for row in waiting:
            for place in free:
                for code in moves(columns[place], codes[row, place]):
                    other = codes[row].copy()
                    other[place] = code
                    tried.append(other)
                    owners.append(row)
        if not tried:
            break
        found, owned = scores(np.array(tried)), np.array(owners)
        still = []
        for row in waiting:
            mine = np.flatnonzero(owned == row)
            if not len(mine):
                continue
            best = mine[found[mine].argmax()]
            if found[best] > worth[row] + _LEAST_GAIN * max(1.0, abs(worth[row])):
                codes[row], worth[row] = tried[best], found[best]
                still.append(row)
        waiting = still
    return codes, worth
