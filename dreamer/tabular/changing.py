"""The least change of a row that flips what a network says of it.

The one idea: the change may be any, but the fewer columns and the shorter the better, and that can be measured. So
candidates come from everywhere (one column through all its values, two at once, gradient ascent from the row), each is
thinned until nothing of it can be taken back, and the shortest that differ are given.

References:
    Wachter, Mittelstadt and Russell, "Counterfactual explanations without opening the black box", 2017, for the
    distance; Mothilal, Sharma and Tan, DiCE, 2020, for several answers and for taking back what is not needed.

Must not import Keras, files or pictures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dreamer.tabular.columns import Column
from dreamer.tabular.tables import Codes

Reaches = Callable[[Codes], NDArray[np.bool_]]
"""Whether rows are what is wanted: ``(rows,)``."""

_OF_A_COLUMN = 0.1  # What it costs that a column changes at all, in deviations.
_FINE, _COARSE = 200, 14  # Values of a number that are tried alone, and beside another's.
_MOST_PAIRS = 120
_OF_A_KIND = 3
_MOST_THINNED = 40
_AT_ONCE = 16


def costs(codes: Codes, start: NDArray[np.float64], columns: Sequence[Column]) -> NDArray[np.float64]:
    """How long changes are: for a number the deviations, for a category 1, and a little for each column."""
    total = np.zeros(len(codes))
    for place, column in enumerate(columns):
        differs = codes[:, place] != start[place]
        far = np.ones(len(codes)) if column.is_category else np.abs(codes[:, place] - start[place]) / column.std
        total += differs * (far + _OF_A_COLUMN)
    return total


def candidates(reaches: Reaches, start: NDArray[np.float64], columns: Sequence[Column], free: Sequence[int]) -> Codes:
    """Rows that are what is wanted and differ from a row in one column, or in two."""
    tried = [_with(start, {place: code}) for place in free for code in _values(columns[place], start[place], _FINE)]
    pairs = list(combinations(free, 2))[:_MOST_PAIRS]
    for one, other in pairs:
        for code in _values(columns[one], start[one], _COARSE):
            tried += [
                _with(start, {one: code, other: second}) for second in _values(columns[other], start[other], _COARSE)
            ]
    if not tried:
        return np.zeros((0, len(start)))
    every = np.array(tried)
    return every[reaches(every)]


def _values(column: Column, code: float, count: int) -> list[float]:
    if column.is_category:
        return [float(other) for other in range(len(column.values)) if other != code]
    if column.step * count >= column.high - column.low:
        spread = np.arange(column.low, column.high + column.step / 2, column.step)
    else:
        spread = np.linspace(column.low, column.high, count)
    return sorted({column.rounded(float(one)) for one in spread} - {code})


def _with(start: NDArray[np.float64], changed: dict[int, float]) -> NDArray[np.float64]:
    row = start.copy()
    for place, code in changed.items():
        row[place] = code
    return row


def thinned(reaches: Reaches, codes: Codes, start: NDArray[np.float64], columns: Sequence[Column]) -> Codes:
    """Changes of which nothing can be taken back: no column, and no step of a number.

    Args:
        reaches: Asked of each row.
        codes: Rows that are what is wanted.
        start: What they were made of.
        columns: What rows are made of.
    """
    order = np.argsort(costs(codes, start, columns), kind="stable")
    seen: Counter[bytes] = Counter()
    kept = []
    for row in order:  # Some of each kind of change, the shortest first.
        kind = (codes[row] != start).tobytes()
        seen[kind] += 1
        if seen[kind] <= _OF_A_KIND:
            kept.append(row)
    found = _with_fewer_columns(reaches, codes[kept[:_MOST_THINNED]].copy(), start, columns)
    for place, column in enumerate(columns):
        if not column.is_category:
            found = _nearer(reaches, found, start, column, place)
    return np.unique(found, axis=0)


def _with_fewer_columns(reaches: Reaches, codes: Codes, start: NDArray[np.float64], columns: Sequence[Column]) -> Codes:
    """Rows with each column taken back that is not needed, the dearest first."""
    waiting = list(range(len(codes)))
    while waiting:
        tried = [(row, place) for row in waiting for place in np.flatnonzero(codes[row] != start).tolist()]
        without = np.array([_with(codes[row], {place: start[place]}) for row, place in tried])
        saved = np.where(reaches(without), costs(codes[[row for row, _ in tried]], start, columns)
                         - costs(without, start, columns), -1)  # fmt: skip
        owners = np.array([row for row, _ in tried])
        waiting = []
        for row in np.unique(owners):
            mine = np.flatnonzero(owners == row)
            best = mine[saved[mine].argmax()]
            if saved[best] > 0:
                codes[row] = without[best]
                waiting.append(int(row))
    return codes


def _nearer(reaches: Reaches, codes: Codes, start: NDArray[np.float64], column: Column, place: int) -> Codes:
    """Rows with a number as near to what it was as does it; between the two it is asked at some places at once."""
    codes = codes.copy()
    close = np.full(len(codes), start[place])
    waiting = np.flatnonzero(codes[:, place] != start[place])
    while len(waiting):
        between = [
            sorted({column.rounded(float(one)) for one in np.linspace(close[row], codes[row, place], _AT_ONCE)}
                   - {float(close[row]), float(codes[row, place])}, key=lambda code: abs(code - start[place]))
            for row in waiting
        ]  # fmt: skip
        tried = [_with(codes[row], {place: code}) for row, some in zip(waiting, between, strict=True) for code in some]
        answers = iter(reaches(np.array(tried)).tolist() if tried else [])
        still = []
        for row, some in zip(waiting, between, strict=True):
            enough = [next(answers) for _ in some]
            first = enough.index(True) if True in enough else len(some)
            if not some:
                continue
            still.append(row)
            close[row] = some[first - 1] if first else close[row]
            codes[row, place] = some[first] if first < len(some) else codes[row, place]
        waiting = np.array(still, int)
    return codes


def shortest(codes: Codes, start: NDArray[np.float64], columns: Sequence[Column], count: int) -> Codes:
    """The shortest changes, each of other columns than the ones before."""
    found: list[NDArray[np.float64]] = []
    seen: set[tuple[int, ...]] = set()
    for row in np.argsort(costs(codes, start, columns), kind="stable"):
        which = tuple(int(place) for place in np.flatnonzero(codes[row] != start))
        # A change with more columns than a shorter one is none of another kind.
        if any(set(which) >= set(earlier) for earlier in seen):
            continue
        seen.add(which)
        found.append(codes[row])
        if len(found) == count:
            break
    return np.array(found).reshape(-1, len(start))
