"""Ranges of numbers, as people type them: ``0.3,0.6,1``, ``1..4``, ``0.2..1/5``.

The one idea: a range is only spread out into the numbers that a person would have typed one by one, as texts. What
reads a single one says what is wrong with it, in the words that it always has.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from dreamer.errors import SettingsError
from dreamer.wording import shown

MOST_CELLS = 400
"""How many pictures a sheet has at the most: more than eyes can compare."""

_NUMBER = r"[+-]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?:/([0-9]{{1,9}}))?")


def spread(text: str, *, whole: bool) -> tuple[str, ...]:
    """The values that a range of numbers stands for, each as it would be typed alone.

    Args:
        text: Values and ranges with commas between them. ``a..b`` are the whole numbers from *a* to *b*, with both;
            ``a..b/n`` are *n* numbers in even distances, with both ends.
        whole: Whether only whole numbers will do; those in even distances are rounded then.

    Raises:
        SettingsError: A range is none, says the same value twice, or more than :data:`MOST_CELLS`.

    Example:
        >>> spread("0.3,0.6,1", whole=False), spread("1..4", whole=True), spread("0.2..1/5", whole=False)
        (('0.3', '0.6', '1'), ('1', '2', '3', '4'), ('0.2', '0.4', '0.6', '0.8', '1'))
    """
    found: list[str] = []
    for part in listed(text):
        found += _between(part, whole=whole) if ".." in part else [part]
    return _once(text, found)


def listed(text: str) -> tuple[str, ...]:
    """The values of a list with commas, each as it would be typed alone.

    Raises:
        SettingsError: There is nothing between two commas, or the same twice, or more than :data:`MOST_CELLS`.

    Example:
        >>> listed("lace, eyes")
        ('lace', 'eyes')
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise SettingsError(f"{shown(text)} has nothing beside a comma; expected values as in 0.3,0.6")
    return _once(text, parts)


def _once(text: str, found: list[str]) -> tuple[str, ...]:
    if len(found) > MOST_CELLS:
        raise SettingsError(_too_many(text, len(found)))
    twice = next((one for index, one in enumerate(found) if one in found[:index]), None)
    if twice is not None:
        raise SettingsError(f"{shown(text)} has {shown(twice)} twice, which would be dreamt twice; leave one out")
    return tuple(found)


def _too_many(text: str, count: int) -> str:
    return f"{shown(text)} stands for {count} values; a sheet has at most {MOST_CELLS} pictures. Give fewer"


def _between(text: str, *, whole: bool) -> list[str]:
    """The values of ``a..b`` or ``a..b/n``."""
    range_ = _RANGE.fullmatch(text)
    if range_ is None:
        raise SettingsError(f"{shown(text)} is no range; expected one as 1..4, or as 0.2..1/5 for five numbers")
    first, last = Fraction(range_[1]), Fraction(range_[2])
    if range_[3] is not None:
        return _even(text, first, last, int(range_[3]), whole=whole)
    if first.denominator != 1 or last.denominator != 1:
        raise SettingsError(f"{shown(text)} does not say how many numbers; for four of them type {text}/4")
    count = abs(last - first) + 1
    if count > MOST_CELLS:
        raise SettingsError(_too_many(text, int(count)))
    step = 1 if last >= first else -1
    return [str(int(first) + step * index) for index in range(int(count))]


def _even(text: str, first: Fraction, last: Fraction, count: int, *, whole: bool) -> list[str]:
    if count < 2 or first == last:
        raise SettingsError(f"{shown(text)} is no range; expected two ends, and two numbers or more, as in 0.2..1/5")
    if count > MOST_CELLS:
        raise SettingsError(_too_many(text, count))
    if whole and count > abs(last - first) + 1:
        raise SettingsError(f"there are no {count} whole numbers in {shown(text)}; expected fewer")
    written: Callable[[Fraction], str] = _rounded if whole else _decimal
    return [written(first + (last - first) * index / (count - 1)) for index in range(count)]


def _rounded(value: Fraction) -> str:
    return str(round(value))


def _decimal(value: Fraction) -> str:
    return str(int(value)) if value.denominator == 1 else repr(float(value))
