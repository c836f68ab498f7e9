"""What an objective can hold: how many terms, which weights, powers, indices and names. Refuses all else.

The one idea: a number is refused where an objective is made, if float32 could not reckon with it; later it would be
infinite or nothing, and the network would seem to be wrong.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import math
import os
from numbers import Real
from pathlib import Path

from dreamer.errors import SettingsError
from dreamer.objectives.terms import Term
from dreamer.wording import number, shown

MOST_TERMS = 1000
"""Terms of an objective. More channels than that are weighed at once by a direction."""

LARGEST_WEIGHT = 1e12
"""A gradient is squared in float32; with larger weights nothing would be left but infinities."""

LEAST_WEIGHT = 1 / LARGEST_WEIGHT
"""Where nothing weighs more than this, the squares are zero."""

LARGEST_POWER = 10.0
"""Of a direction's cosine, which begins at 0.1: with a larger one nothing would be left of the score."""

_LARGEST_INDEX, _LARGEST_SEED = 2**31 - 1, 2**64 - 1
_LONGEST_NAME = 4096  # As paths may be long.


def check_count(terms: int) -> None:
    """Refuse an objective of too many terms."""
    if terms > MOST_TERMS:
        raise SettingsError(
            f"an objective has more than {MOST_TERMS} terms; expected fewer. "
            'A direction weighs all channels of a layer at once: direction:block4b@"weights.npy"'
        )


def weight(value: float, term: Term | None = None) -> float:
    """A weight as Python's own number and without the sign of a zero."""
    try:
        known = float(value) if isinstance(value, Real) else math.nan  # NumPy's small kinds end before the largest.
    except OverflowError:
        known = math.inf
    if not abs(known) <= LARGEST_WEIGHT:
        whose = "" if term is None else f" of {term.label}"
        largest = number(LARGEST_WEIGHT)
        raise SettingsError(
            f"the weight{whose} is {shown(value)}; expected a finite number from -{largest} to {largest}"
        )
    return known + 0.0


def power(value: float, layer: str) -> float:
    """The power of a direction's cosine."""
    if not isinstance(value, Real) or not 0 <= value <= LARGEST_POWER:
        raise SettingsError(
            f"the power of a direction in {layer} is {shown(value)}; expected 0 to {number(LARGEST_POWER)}"
        )
    return float(value)


def index(value: int) -> int:
    """The number of a channel or a class, or a position, of Python or NumPy."""
    return _whole(value, "an index", _LARGEST_INDEX)


def seed(value: int) -> int:
    """The seed of a direction, of Python or NumPy."""
    return _whole(value, "a seed", _LARGEST_SEED)


def _whole(value: int, what: str, largest: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or not 0 <= int(value) <= largest:
        raise SettingsError(f"{what} is {shown(value)}; expected a whole number, 0 or more, at most {largest}")
    return int(value)


def class_name(typed: str) -> int | str:
    """A class as it was typed: by its index, if it is one, or by its name."""
    if typed.isascii() and typed.isdigit():
        return index(int(typed[:100]))
    return text(typed, "a class", "tabby cat")


def text(value: str, what: str, example: str) -> str:
    """A name of something, which must not be empty or endless."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        raise SettingsError(
            f"the name of {what} is {shown(value)}; expected text such as {example!r}, at most {_LONGEST_NAME} long"
        )
    return value


def file(path: str | Path) -> str:
    """The path of a file, as text."""
    name = text(str(path), "a file", "cats.npy")
    try:
        is_name = b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        is_name = False
    if not is_name:
        raise SettingsError(f"the name of a file is {shown(name)}; expected one that a file can have")
    return name
