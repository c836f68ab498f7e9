"""The columns of a table: what each may hold, and as which numbers a network is given it.

The one idea: a row is an array of codes, one for each column: a number as it is, a category by its place among the
values, no and yes as 0 and 1. Everything that a person reads or writes goes through :meth:`Column.code` and
:meth:`Column.text`. A file of columns has a table for each, in the order in which the network is given them:

    [age]
    kind = "integer"                        # or "number"
    range = [18, 75]
    mean = 35.5                             # these four may be left out
    std = 11.4
    median = 33
    step = 1                                # the least by which it changes

    [housing]
    kind = "one of"
    values = ["own", "rent", "free"]
    encoding = "one-hot"                    # or "code", "dummies", "text"; found out where it is left out

    [foreign]
    kind = "yes/no"                         # values = ["no", "yes"] where they are called otherwise

    [branch]
    kind = "fixed"
    value = 3

Must not import Keras.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from dreamer.errors import SettingsError, close_matches
from dreamer.files.documents import read_toml
from dreamer.models import keras_file
from dreamer.wording import shown

Kind = Literal["number", "integer", "one of", "yes/no", "fixed"]
Encoding = Literal["one-hot", "dummies", "code", "text"]
"""How a network is given a category: a number for each value, one for each but the first, one for all, or the text."""
Scaled = Literal["standard", "0..1"]
"""What was done to a number before the network is given it: mean and deviation taken out, or brought into 0 to 1."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "number": ("range", "mean", "std", "median", "decimals", "step", "scaled", "input"),
    "integer": ("range", "mean", "std", "median", "step", "scaled", "input"),
    "one of": ("values", "encoding", "codes", "columns", "median", "input"),
    "yes/no": ("values", "median", "encoding", "input"),
    "fixed": ("value", "values", "encoding", "input"),
}
_PARTS_OF_RANGE = 4  # Where nobody said the deviation, it is so many times less than the range.
_DIGITS = 3  # That a number of unknown fineness has, compared with its range.
_MOST_DECIMALS = 12


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: What it is called.
        kind: What it holds.
        low, high: The range of a number.
        mean, std: Of a number; what is climbed is in units of the deviation.
        median: The code of a usual row: the median, or the most frequent category.
        step: The least by which a number changes; 0 for what its digits allow.
        decimals: How many digits after the point a number has.
        values: What the categories are called, in the order of their codes.
        encoding: How the network is given a category; None where it is to be found out.
        codes: With the encoding ``"code"`` the number of each category; empty for 0, 1, 2, ...
        scaled: What was done to a number before the network is given it.
        input: Of a network with several inputs the one that it belongs to; None for the one of its name, or the only.
        blocks: The columns of a table that hold a category as 0 and 1 each; empty for a single column.
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    median: float = 0.0
    decimals: int = 0
    step: float = 0.0
    values: tuple[str, ...] = ()
    encoding: Encoding | None = None
    codes: tuple[float, ...] = ()
    scaled: Scaled | None = None
    input: str | None = None
    blocks: tuple[str, ...] = field(default=())

    @property
    def is_category(self) -> bool:
        """Whether it holds one of several values, and not a number."""
        return bool(self.values)

    @property
    def is_fixed(self) -> bool:
        """Whether it can only be what it is."""
        return self.kind == "fixed" or (not self.is_category and self.low == self.high)

    def __post_init__(self) -> None:
        if self.step <= 0:
            object.__setattr__(self, "step", float(10.0**-self.decimals))

    def code(self, value: object, where: str) -> float:
        """The code of a value that a person wrote.

        Args:
            value: Text, or a number.
            where: What to say of its place.

        Raises:
            SettingsError: The column cannot hold it.
        """
        if self.is_category:
            return float(self._category(str(value).strip(), where))
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise SettingsError(f"{self.name} is {shown(value)} in {where}; expected a number")
        return number

    def _category(self, text: str, where: str) -> int:
        names = list(self.values)
        if text not in names and _as_number(text) is not None:  # As 1.0 stands for 1 in many a table.
            text = next((name for name in names if _as_number(name) == _as_number(text)), text)
        lowered = [name.lower() for name in names]
        if text in names:
            return names.index(text)
        if self.kind == "yes/no" and text.lower() in (*NO, *YES):
            return int(text.lower() in YES)
        if text.lower() in lowered:
            return lowered.index(text.lower())
        raise SettingsError(
            f"{self.name} is {shown(text)} in {where}, which the columns do not know.{close_matches(text, names)} "
            f"Expected one of {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}"
        )

    def value(self, code: float) -> float | int | str:
        """What a person reads of a code: a number or the name of a category."""
        if self.is_category:
            return self.values[round(code)]
        rounded = round(float(code), self.decimals)
        return int(rounded) if self.decimals == 0 and float(rounded).is_integer() else rounded

    def text(self, code: float) -> str:
        """The same as text."""
        value = self.value(code)
        if isinstance(value, str):
            return value
        return f"{value:,}" if isinstance(value, int) else f"{value:,.{self.decimals}f}"

    def rounded(self, code: float) -> float:
        """The nearest code that a row can have."""
        if self.is_category:
            return float(min(max(round(code), 0), len(self.values) - 1))
        inside = min(max(code, self.low), self.high)
        stepped = self.low + round((inside - self.low) / self.step) * self.step
        return float(min(max(round(stepped, self.decimals), self.low), self.high))

    def including(self, code: float) -> Column:
        """The same with a range in which a code lies; one by which numbers are scaled stays what it is."""
        return (
            self
            if self.is_category or self.scaled == "0..1"
            else replace(self, low=min(self.low, code), high=max(self.high, code))
        )


NO, YES = ("no", "n", "false", "0", "0.0"), ("yes", "y", "true", "1", "1.0")
"""What no and yes are called, in small letters, in pairs."""


def is_yes_no(values: Iterable[str]) -> bool:
    """Whether some different texts are no and yes.

    Example:
        >>> is_yes_no(["False", "True"]), is_yes_no(["own", "rent"])
        (True, False)
    """
    found = sorted(value.lower() for value in values)
    return len(found) == 2 and any(found == sorted(pair) for pair in zip(NO, YES, strict=True))


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def read(path: Path) -> tuple[Column, ...]:
    """The columns that a TOML file describes, in its order.

    Raises:
        SettingsError: It cannot be read, or describes none; a column is impossible.
    """
    try:
        said = read_toml(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SettingsError(f"cannot read {path}: {reason}") from error
    for name, value in said.items():
        if isinstance(value, Mapping) and "kind" not in value and name != "preprocessing":
            raise SettingsError(f"{path}: {name} has no kind; expected one of {', '.join(get_args(Kind))}")
    found = tuple(_column(name, one, f"{path}: {name}") for name, one in said.items() if keras_file.is_column(one))
    if not found:
        raise SettingsError(f'{path} describes no column; expected tables such as [age] with kind = "integer"')
    return found


def _column(name: str, said: Mapping[str, Any], where: str) -> Column:
    kind = said["kind"]
    if kind not in _KEYS:
        raise SettingsError(f"{where} has the kind {shown(kind)}; expected one of {', '.join(_KEYS)}")
    for key in said:
        if key != "kind" and key not in _KEYS[kind]:
            raise SettingsError(
                f"{where} has an unknown key {shown(key)}.{close_matches(key, _KEYS[kind])} "
                f"Known for {kind}: {', '.join(_KEYS[kind])}"
            )
    own = {"encoding": _one_of(said, "encoding", get_args(Encoding), where), "input": _text(said, "input", where)}
    if kind in ("number", "integer"):
        own["scaled"] = _one_of(said, "scaled", get_args(Scaled), where)
        return Column(name, kind, **own, **_range(said, kind, where))
    if kind == "fixed":
        return _fixed(name, said, own, where)
    values = _texts(said.get("values", ["no", "yes"] if kind == "yes/no" else None), "values", where)
    if kind == "yes/no" and len(values) != 2:
        raise SettingsError(f"{where} has {len(values)} values; expected two, that of no first")
    codes = tuple(_number(one, "codes", where) for one in said.get("codes", ()))
    if codes and len(codes) != len(values):
        raise SettingsError(f"{where} has {len(codes)} codes for {len(values)} values; expected one for each")
    blocks = _texts(said["columns"], "columns", where) if "columns" in said else ()
    if blocks and len(blocks) != len(values):
        raise SettingsError(f"{where} names {len(blocks)} columns for {len(values)} values; expected one for each")
    found = Column(name, kind, values=values, codes=codes, blocks=blocks, **own)
    return replace(found, median=found.code(said["median"], where)) if "median" in said else found


def _fixed(name: str, said: Mapping[str, Any], own: dict[str, Any], where: str) -> Column:
    if "value" not in said:
        raise SettingsError(f"{where} is fixed, but at nothing; expected value = 3 or the like")
    value = said["value"]
    if isinstance(value, str):
        values = _texts(said.get("values", [value]), "values", where)
        found = Column(name, "fixed", values=values, **own)
        return replace(found, median=found.code(value, where))
    number = _number(value, "value", where)
    return Column(name, "fixed", number, number, number, median=number, decimals=decimals_of([str(number)]), **own)


def _range(said: Mapping[str, Any], kind: str, where: str) -> dict[str, Any]:
    given = said.get("range")
    if not isinstance(given, list) or len(given) != 2:
        raise SettingsError(f"{where} has the range {shown(given)}; expected its least and its largest, as [18, 75]")
    low, high = (_number(one, "range", where) for one in given)
    if low > high:
        raise SettingsError(f"{where} has the range {shown(given)}, whose end is below its begin")
    mean = _number(said.get("mean", (low + high) / 2), "mean", where)
    std = _number(said.get("std", (high - low) / _PARTS_OF_RANGE or 1.0), "std", where)
    if std <= 0:
        raise SettingsError(f"{where} has the std {shown(said['std'])}; expected a number above 0")
    fine = 0 if kind == "integer" else fineness(low, high)
    decimals = int(_number(said.get("decimals", fine), "decimals", where))
    median = _number(said.get("median", round(min(max(mean, low), high), decimals)), "median", where)
    step = _number(said.get("step", 0.0), "step", where)
    if step < 0:
        raise SettingsError(f"{where} has the step {step:g}; expected a number above 0")
    return {
        "low": low, "high": high, "mean": mean, "std": std, "decimals": decimals, "median": median, "step": step,
    }  # fmt: skip


def fineness(low: float, high: float) -> int:
    """How many digits after the point a number of a range needs to have three that count.

    Example:
        >>> fineness(0, 1), fineness(0, 5000)
        (3, 0)
    """
    span = high - low
    return 0 if span <= 0 else min(max(_DIGITS - math.floor(math.log10(span)), 0), _MOST_DECIMALS)


def decimals_of(texts: Sequence[str]) -> int:
    """How many digits after the point the finest of some numbers has, as they are written.

    Example:
        >>> decimals_of(["1", "2.50", "3.125"])
        3
    """
    found = 0
    for text in texts:
        mantissa, _, exponent = text.lower().strip().partition("e")
        digits = len(mantissa.partition(".")[2].rstrip("0")) - int(exponent or 0)
        found = max(found, digits)
    return min(found, _MOST_DECIMALS)


def _one_of(said: Mapping[str, Any], key: str, known: Sequence[str], where: str) -> Any:
    value = said.get(key)
    if value is not None and value not in known:
        raise SettingsError(f"{where}: {key} is {shown(value)}; expected one of {', '.join(known)}")
    return value


def _text(said: Mapping[str, Any], key: str, where: str) -> str | None:
    value = said.get(key)
    if value is not None and not isinstance(value, str):
        raise SettingsError(f"{where}: {key} is {shown(value)}; expected text")
    return value


def _texts(value: Any, key: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str | int | float) for one in value):
        raise SettingsError(f'{where}: {key} is {shown(value)}; expected several, as ["own", "rent", "free"]')
    found = tuple(str(one) for one in value)
    if len(set(found)) != len(found):
        raise SettingsError(f"{where}: {key} names something twice; expected different ones")
    return found


def _number(value: Any, key: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SettingsError(f"{where}: {key} is {shown(value)}; expected a number")
    return float(value)
