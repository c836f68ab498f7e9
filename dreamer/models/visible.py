"""Which sizes of picture each layer of a network can see, and what it makes of them.

The one idea: shapes alone are computed, but for many sizes at once, layer by layer: by a rule where there is one
(``shape_rules``), by asking Keras where there is none (``asking``).

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.models.asking import Asked
from dreamer.models.shape_rules import Call, Column, Seen, rule_of


class Shapes(NamedTuple):
    """What a layer makes of pictures of many sizes.

    Attributes:
        columns: The shapes of its outputs, one after the other; 1 where it cannot be computed.
        seen: Where it, and all that it depends on, can be computed.
    """

    columns: tuple[Column, ...]
    seen: Seen


class Measure:
    """Finds out the shapes that a network's layers give."""

    def __init__(self, calls: Sequence[Call | None], num_colors: int) -> None:
        self._calls = calls
        self._num_colors = num_colors
        self._asked = Asked()

    def shapes(self, sizes: NDArray[np.int64], needed: Sequence[int] | None = None) -> dict[int, Shapes]:
        """The shapes of layers for pictures of many sizes.

        Args:
            sizes: ``(sizes, 2)``: heights and widths.
            needed: Indices of the calls, each after those that it depends on; None for all.

        Returns:
            By the index of the call.
        """
        picture = np.concatenate([sizes, np.full((len(sizes), 1), self._num_colors)], axis=1).astype(np.int64)
        found: dict[int, Shapes] = {}
        for index in range(len(self._calls)) if needed is None else needed:
            call = self._calls[index]
            if call is None:
                found[index] = Shapes((picture,), np.ones(len(sizes), bool))
                continue
            given = [found[source].columns[output] for source, output in call.sources]
            seen = np.ones(len(sizes), bool)
            for source, _ in call.sources:
                seen &= found[source].seen
            rule = rule_of(call)
            made = rule(call, given) if rule else None
            columns, fits = made or self._asked.ask(index, call, given, seen)
            seen = seen & fits & np.all([(column > 0).all(axis=1) for column in columns], axis=0)
            found[index] = Shapes(tuple(np.where(seen[:, None], column, 1) for column in columns), seen)
        return found
