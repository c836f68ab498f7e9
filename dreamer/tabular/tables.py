"""Tables of somebody's: CSV files read as text, the columns learnt from them, their rows as codes.

The one idea: what a table says is taken as text first, so that a person can be told what stands where. What cannot be
known from it (whether 0, 1, 2 are amounts or kinds) is said, with the line to write for the other.

Must not import Keras, nor pandas.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import SettingsError, close_matches
from dreamer.files.regular import read_text
from dreamer.tabular import columns as kinds
from dreamer.tabular.columns import Column
from dreamer.wording import shown

_MOST_BYTES = 500_000_000
_MOST_CATEGORIES = 200
_FEW = 12  # A column of whole numbers with no more different ones may be kinds and not amounts.
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
_DELIMITERS = ",;\t|"

Codes = NDArray[np.float64]
"""Rows as codes: ``(rows, columns)``."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was written.

    Attributes:
        path: Where it was read.
        names: Of its columns.
        cells: By column its cells as text, one for each row.
        lines: For each row the line of the file that it stands in.
        is_file: Whether it was read from a file.
    """

    path: Path
    names: tuple[str, ...]
    cells: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]
    is_file: bool = True

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> tuple[str, ...]:
        """The cells of a column.

        Raises:
            SettingsError: There is no such column.
        """
        if name not in self.cells:
            raise SettingsError(
                f"{self.path} has no column {shown(name)}.{close_matches(name, self.names)} "
                f"It has {', '.join(self.names[:30])}"
            )
        return self.cells[name]


def read(path: Path) -> Table:
    """Read a CSV file: the first line names the columns; commas, semicolons, tabs or bars lie between them.

    Raises:
        SettingsError: It cannot be read, or is no table.
    """
    try:
        text = read_text(path, most=_MOST_BYTES)
    except UnicodeDecodeError as error:
        raise SettingsError(f"cannot read {path}: it is no UTF-8 ({error}); save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror or error}") from error
    head = next((line for line in text.splitlines() if line.strip()), "")
    if not head:
        raise SettingsError(f"{path} is empty; expected a line with the names of the columns, and rows")
    if "\0" in text:
        raise SettingsError(f"{path} is no table of text; expected a CSV file")
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        names = tuple(name.strip() for name in next(reader))
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SettingsError(f"cannot read {path}: line {reader.line_num}: {error}") from error
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SettingsError(f"{path} has {len(twice)} columns of the same name: {', '.join(map(shown, twice[:5]))}")
    for line, row in rows:
        if len(row) != len(names):
            raise SettingsError(f"{path} has {len(row)} cells in line {line}, and {len(names)} columns")
    if not rows:
        raise SettingsError(f"{path} has the names of columns, but no row")
    columns = zip(*([cell.strip() for cell in row] for _, row in rows), strict=True)
    cells = {name: tuple(column) for name, column in zip(names, columns, strict=True) if name}
    return Table(path, tuple(cells), cells, tuple(line for line, _ in rows))


def is_missing(cell: str) -> bool:
    """Whether a cell holds nothing.

    Example:
        >>> is_missing(" NA "), is_missing("0")
        (True, False)
    """
    return cell.strip().lower() in _MISSING


@dataclass(frozen=True, eq=False)
class Learnt:
    """What was learnt from a table.

    Attributes:
        columns: In the order of the table.
        notes: What a person should know of it, a line each.
    """

    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def learnt(table: Table, ignore: Sequence[str] = ()) -> Learnt:
    """What the columns of a table hold, by its cells.

    Numbers become numbers, or whole numbers; two texts such as no and yes, or 0 and 1, become ``yes/no``; other texts
    become categories, sorted as most programs sort them before they number them. Columns of 0 and 1 that begin alike,
    and of which each row has a single 1, are one category.

    Raises:
        SettingsError: A column has nothing but texts that all differ, or nothing at all.
    """
    for name in ignore:
        table.column(name)
    found = [_column(name, table) for name in table.names if name not in ignore]
    columns, merged = _with_blocks(found, table)
    notes = [
        f"{one.name} = {one.values[0]}, {one.values[1]}, ... are the columns {', '.join(one.blocks)}" for one in merged
    ]
    notes += [
        f"{one.name} is taken for whole numbers, {one.low:g} to {one.high:g}; if they stand for kinds, say so in a "
        f'file of columns: [{one.name}] kind = "one of"'
        for one in columns
        if one.kind == "integer" and one.high - one.low < _FEW
    ]
    return Learnt(columns, tuple(notes))


def _column(name: str, table: Table) -> Column:
    cells = [cell for cell in table.column(name) if not is_missing(cell)]
    if not cells:
        raise SettingsError(f"the column {shown(name)} of {table.path} holds nothing; leave it out with --ignore")
    counts = Counter(cells)
    try:
        numbers = np.array([float(cell) for cell in cells])
    except ValueError:
        return _of_texts(name, table, counts)
    if not np.isfinite(numbers).all():
        raise SettingsError(f"the column {shown(name)} of {table.path} holds numbers that are not finite")
    if kinds.is_yes_no(counts) or set(numbers) == {0.0, 1.0}:
        names = sorted(counts, key=float)
        if len(names) == 2:
            return Column(name, "yes/no", values=tuple(names), median=float(np.round(numbers.mean())))
    decimals = kinds.decimals_of(list(counts))
    low, high, std = float(numbers.min()), float(numbers.max()), float(numbers.std())
    return Column(
        name,
        "number" if decimals else "integer",
        low,
        high,
        float(numbers.mean()),
        std if std > 0 else 1.0,
        round(float(np.median(numbers)), decimals),
        decimals,
        # As amounts are in hundreds.
        0.0 if decimals else float(np.gcd.reduce((numbers - low).astype(np.int64)) or 1),
    )


def _of_texts(name: str, table: Table, counts: Counter[str]) -> Column:
    if len(counts) > min(_MOST_CATEGORIES, max(_FEW, len(table) // 2)):
        raise SettingsError(
            f"the column {shown(name)} of {table.path} holds {len(counts)} different texts, too many for a category; "
            f"leave it out with --ignore {name}, or describe it in a file of columns"
        )
    most = counts.most_common(1)[0][0]
    if kinds.is_yes_no(counts):
        values = tuple(sorted(counts, key=lambda one: one.lower() in kinds.YES))
        return Column(name, "yes/no", values=values, median=float(values.index(most)))
    values = tuple(sorted(counts))
    return Column(name, "one of", values=values, median=float(values.index(most)))


def _with_blocks(found: list[Column], table: Table) -> tuple[tuple[Column, ...], list[Column]]:
    """Columns of 0 and 1 that belong together made one each."""
    groups: dict[str, list[Column]] = {}
    for one in found:
        for sign in ("=", "_"):
            start, is_there, _ = one.name.rpartition(sign)
            if is_there and start and one.kind == "yes/no":
                groups.setdefault(start + sign, []).append(one)
                break
    merged: dict[str, Column] = {}
    for start, group in groups.items():
        held = np.array([[_as_flag(cell) for cell in table.column(one.name)] for one in group])
        if len(group) > 1 and (held.sum(0) == 1).all():
            values = tuple(one.name.removeprefix(start) for one in group)
            blocks = tuple(one.name for one in group)
            whole = Column(start[:-1], "one of", values=values, median=float(held.sum(1).argmax()),
                           encoding="one-hot", blocks=blocks)  # fmt: skip
            merged |= dict.fromkeys(blocks, whole)
    columns = tuple(dict.fromkeys(merged.get(one.name, one) for one in found))
    return columns, list(dict.fromkeys(merged.values()))


def _as_flag(cell: str) -> float:
    return 0.0 if is_missing(cell) else float(cell.lower() in kinds.YES)


@dataclass(frozen=True, eq=False)
class Real:
    """Rows that exist.

    Attributes:
        codes: ``(rows, columns)``.
        lines: For each the line of the file that it stands in.
        left_out: How many rows have cells that hold nothing.
    """

    codes: Codes
    lines: tuple[int, ...]
    left_out: int = 0


def real(table: Table, columns: Sequence[Column]) -> Real:
    """The rows of a table as codes; those with a cell that holds nothing are left out.

    Raises:
        SettingsError: A column is not there, or a cell holds what its column cannot.
    """
    names = [name for one in columns for name in (one.blocks or (one.name,)) if one.kind != "fixed"]
    held = [table.column(name) for name in names]
    whole = [row for row in range(len(table)) if not any(is_missing(cells[row]) for cells in held)]
    codes = np.zeros((len(whole), len(columns)))
    for place, column in enumerate(columns):
        if column.kind == "fixed":
            codes[:, place] = column.median
        elif column.blocks:
            codes[:, place] = _codes_of_block(table, column, whole)
        else:
            cells = table.column(column.name)
            known = {cell: column.code(cell, f"{table.path}") for cell in {cells[row] for row in whole}}
            codes[:, place] = [known[cells[row]] for row in whole]
    return Real(codes, tuple(table.lines[row] for row in whole), len(table) - len(whole))


def _codes_of_block(table: Table, column: Column, rows: Sequence[int]) -> Codes:
    held = np.array([[_as_flag(table.column(name)[row]) for name in column.blocks] for row in rows])
    wrong = np.flatnonzero(held.sum(1) != 1)
    if len(wrong):
        raise SettingsError(
            f"{table.path} has {held[wrong[0]].sum():g} of {', '.join(column.blocks)} in line "
            f"{table.lines[rows[wrong[0]]]}; expected a single 1"
        )
    return np.asarray(held.argmax(1), np.float64)


def described(columns: Sequence[Column], table: Table) -> tuple[Column, ...]:
    """Columns of a file, with what only a table knows where the file leaves it open: deviation, median, category.

    Raises:
        SettingsError: A column is not in the table.
    """
    return tuple(one if one.kind == "fixed" else _described(one, table) for one in columns)


def _described(column: Column, table: Table) -> Column:
    if column.blocks:
        return column
    codes = [column.code(cell, str(table.path)) for cell in table.column(column.name) if not is_missing(cell)]
    if not codes:
        return column
    if column.is_category:
        return replace(column, median=float(Counter(codes).most_common(1)[0][0]))
    std = float(np.std(codes))
    centre = round(float(np.median(codes)), column.decimals)
    found = replace(column, median=min(max(centre, column.low), column.high), std=std if std > 0 else column.std)
    # What the network is given is scaled by what the file says, and not by this table.
    return column if column.scaled == "standard" or not math.isfinite(std) else found
