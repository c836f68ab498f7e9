"""What comes of a search for rows, as values.

Must not import Keras.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dreamer.errors import ImageWriteError
from dreamer.images import files
from dreamer.tabular.columns import Column

Value = float | int | str
Which = Literal["most", "least", "change", "median", "start", "real"]


@dataclass(frozen=True)
class Row:
    """A row of a table, and what the network gives for it.

    Attributes:
        which: ``"most"`` or ``"least"`` of a unit, a ``"change"``, or a row to compare with.
        values: By column.
        score: What the objective gives for the row as it stands.
        probability: What the network gives the class of the objective, where it is one; else None.
        plausible: Whether it was to lie near to real rows.
        distance: To the nearest real row, in deviations; None where there is none.
        changed: The columns that differ from the row that it is compared with, the median or the start.
        matters: By how much the score falls when a column goes back to what it was there.
        line: Of a real row the line of its file.
    """

    which: Which
    values: Mapping[str, Value]
    score: float
    probability: float | None = None
    plausible: bool = False
    distance: float | None = None
    changed: tuple[str, ...] = ()
    matters: Mapping[str, float] = field(default_factory=dict)
    line: int | None = None

    def __getitem__(self, column: str) -> Value:
        return self.values[column]

    def to_dict(self) -> dict[str, Any]:
        """It as JSON can hold it."""
        return {
            "which": self.which,
            "plausible": self.plausible,
            "score": self.score,
            "probability": self.probability,
            "distance": self.distance,
            "changed": list(self.changed),
            "matters": dict(self.matters),
            "line": self.line,
            "values": dict(self.values),
        }


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """The rows that a unit answers to, or the changes that flip an answer.

    Attributes:
        objective: Its name.
        columns: What a row is made of.
        found: The rows, the best first; those that are to be plausible after the others.
        compared: What they are compared with: the median row, or the one that is changed.
        nearest: For each of those found the nearest real row; empty where there are none.
        recipe: How they were found.

    Example:
        >>> import dreamer
        >>> rows = dreamer.row("logit:default", network="credit.keras", data="credit.csv")  # doctest: +SKIP
        >>> rows[0]["duration"], round(rows[0].score, 1)  # doctest: +SKIP
        (60, 9.3)
    """

    objective: str
    columns: tuple[Column, ...]
    found: tuple[Row, ...]
    compared: Row
    nearest: tuple[Row, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.found)

    def __getitem__(self, index: int) -> Row:
        return self.found[index]

    def __repr__(self) -> str:
        scores = ", ".join(f"{row.which} {row.score:.4g}" for row in self.found)
        return f"<Rows of {self.objective}: {scores}>"

    def text(self, column: str, row: Row) -> str:
        """A value as a person reads it."""
        own = next(one for one in self.columns if one.name == column)
        value = row.values[column]
        return value if isinstance(value, str) else own.text(float(value))

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {
            "objective": self.objective,
            "compared": self.compared.to_dict(),
            "rows": [row.to_dict() for row in self.found],
            "nearest": [row.to_dict() for row in self.nearest],
            "recipe": dict(self.recipe),
        }

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the rows as a table (``.csv``), or with all that is known of them (``.json``).

        Raises:
            ImageWriteError: They cannot be written there, or a file is there already.
        """
        place = Path(path)
        check_suffix(place)
        if place.suffix.lower() == ".json":
            text = json.dumps(self.to_dict(), indent=1)
        else:
            text = as_csv([self.compared, *self.found], [one.name for one in self.columns])
        files.check_place(place, overwrite=overwrite)
        files.put(place, text.encode(), overwrite=overwrite)


def check_suffix(path: Path) -> None:
    """Make sure that rows can be written to a file of a name.

    Raises:
        ImageWriteError: They cannot.
    """
    if path.suffix.lower() not in (".csv", ".json"):
        raise ImageWriteError(f"{path} has the suffix {path.suffix!r}; rows are written as .csv or .json")


def as_csv(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Rows as a table with their scores in front."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["which", "score", "probability", *names])
    for row in rows:
        probability = "" if row.probability is None else f"{row.probability:.6g}"
        which = f"{row.which}, plausible" if row.plausible else row.which
        writer.writerow([which, f"{row.score:.6g}", probability, *(row.values[name] for name in names)])
    return text.getvalue()
