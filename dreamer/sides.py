"""Sides of pictures that a network can see, as a value: the one way to choose among them.

The one idea: windows, strides and joins make a pattern that repeats from some side on, and below that there is a
handful of exceptions. So a set of sides without end is kept as a few numbers, and whoever needs a side asks for
the next one up, down or nearest.

Must not import anything of the package, nor anything heavy.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Sides:
    """The sides of pictures, in pixels, that can be seen along one axis.

    Attributes:
        few: The sides below ``first``, in order.
        first: Where the pattern begins.
        period: Pixels after which it repeats.
        offsets: Which of ``first`` to ``first + period - 1`` are in it, less ``first``; none where only ``few`` are.

    Example:
        >>> multiples = Sides(first=32, period=32)
        >>> 96 in multiples, 97 in multiples, multiples.least, multiples.nearest(100)
        (True, False, 32, 96)
    """

    few: tuple[int, ...] = ()
    first: int = 1
    period: int = 1
    offsets: tuple[int, ...] = (0,)

    @classmethod
    def found(cls, seen: Sequence[bool], period: int) -> Sides:
        """The set of which a beginning is known.

        Args:
            seen: Whether each side from 1 on is in it; at least two periods of the pattern.
            period: Of the pattern that the end of the beginning shows; 0 where there is none.

        Example:
            >>> Sides.found([True, False, False, True, False, True, False, True], 2).least
            1
        """
        sides = [side for side, is_seen in enumerate(seen, 1) if is_seen]
        if not period:
            return cls(tuple(sides), offsets=())
        first = len(seen) - period + 1
        while first > 1 and seen[first - 2] == seen[first - 2 + period]:
            first -= 1
        first = next(side for side in sides if side >= first)
        few = tuple(side for side in sides if side < first)
        return cls(few, first, period, tuple(side - first for side in sides if first <= side < first + period))

    def __contains__(self, side: int) -> bool:
        if side < self.first:
            return side in self.few
        return (side - self.first) % self.period in self.offsets

    def __bool__(self) -> bool:
        return bool(self.few or self.offsets)

    @property
    def least(self) -> int:
        """The smallest."""
        return self.at_least(1)

    def at_least(self, side: float) -> int:
        """The smallest that is no smaller than this; the largest of all where there is none."""
        beginning = next((one for one in self.few if one >= side), None)
        if beginning is not None:
            return beginning
        if not self.offsets:
            return self.few[-1]
        periods = max(0, int(side - self.first) // self.period)
        start = self.first + periods * self.period
        return next(one for one in (*self._from(start), *self._from(start + self.period)) if one >= side)

    def at_most(self, side: float) -> int | None:
        """The largest that is no larger than this; None where there is none."""
        if self.offsets and side >= self.first:
            start = self.first + int(side - self.first) // self.period * self.period
            return max(one for one in self._from(start) if one <= side)
        place = bisect_left(self.few, int(side) + 1)
        return self.few[place - 1] if place else None

    def nearest(self, side: float) -> int:
        """The one that is closest to this, in whole pixels; of two as close, the larger."""
        side = round(side)
        above, below = self.at_least(side), self.at_most(side)
        return above if below is None or abs(above - side) <= side - below else below

    def _from(self, start: int) -> list[int]:
        return [start + offset for offset in self.offsets]

    def __str__(self) -> str:
        few = ", ".join(map(str, self.few))
        if not self.offsets:
            return f"sides of {few} pixels"
        rule = f"{'sides of ' + few + ', and ' if few else 'sides '}from {self.first} pixels"
        if self.period == 1:
            return rule
        if len(self.offsets) == 1 and self.first % self.period == 0:
            return f"{rule}, multiples of {self.period}"
        some = ", ".join(map(str, (*self._from(self.first), *self._from(self.first + self.period))[:4]))
        return f"{rule}: {some} and so on, repeating every {self.period}"


ALL = Sides()
"""Any side at all."""


class Seen(NamedTuple):
    """Which pictures some layers can see.

    Attributes:
        height: Which heights.
        width: Which widths.
    """

    height: Sides
    width: Sides

    def nearest(self, height: float, width: float) -> tuple[int, int]:
        """The size of picture closest to this that can be seen."""
        return self.height.nearest(height), self.width.nearest(width)

    def includes(self, size: tuple[int, int]) -> bool:
        """Whether a picture of this size can be seen."""
        return size[0] in self.height and size[1] in self.width

    def __str__(self) -> str:
        return str(self.height) if self.height == self.width else f"heights: {self.height}; widths: {self.width}"
