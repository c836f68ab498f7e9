"""The rows of every unit of a layer as a page: one file that needs no other, and the same as JSON beside it.

The one idea: all that the page shows is JSON beside it too, so a script can have it.

Must not import Keras.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dreamer import pages
from dreamer.errors import ImageWriteError
from dreamer.images import files
from dreamer.tabular.rows import Row, Rows

PAGE, DATA = "index.html", "units.json"
_ALIKE = 1e-9  # A unit whose scores differ by less gives the same for every row.


def check(folder: Path, *, overwrite: bool) -> None:
    """Find out whether a page can be written into a folder.

    Raises:
        ImageWriteError: It cannot, or one is there that may not be replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise ImageWriteError(f"{folder} is a file; the page of a layer needs a folder")
    if not folder.parent.is_dir():
        raise ImageWriteError(f"{folder} cannot be written: the directory {folder.parent} does not exist")
    if folder.exists():
        for name in (PAGE, DATA):
            files.check_place(folder / name, overwrite=overwrite)


def save(folder: Path, layer: str, units: Sequence[Rows], *, overwrite: bool = False) -> Path:
    """Write the page of a layer.

    Args:
        folder: Where; it is made where it is not there.
        layer: Its name.
        units: The rows of each unit, in order.
        overwrite: Whether a page that is there is replaced.

    Returns:
        The page.

    Raises:
        ImageWriteError: It cannot be written.
    """
    check(folder, overwrite=overwrite)
    folder.mkdir(exist_ok=True)
    text = json.dumps({"layer": layer, "units": [unit.to_dict() for unit in units]}, indent=1)
    files.put(folder / DATA, text.encode(), overwrite=overwrite)
    files.put(folder / PAGE, page(layer, units), overwrite=overwrite)
    return folder / PAGE


def is_dead(unit: Rows) -> bool:
    """Whether a unit gives the same for every row that was found."""
    scores = [row.score for row in unit.found]
    return max(scores) - min(scores) < _ALIKE


def page(layer: str, units: Sequence[Rows]) -> bytes:
    """The page as the bytes of a file."""
    return pages.page("dreamer.tabular", "page", _shown(layer, units))


def _shown(layer: str, units: Sequence[Rows]) -> dict[str, Any]:
    first = units[0]
    settings = first.recipe.get("settings", {})
    return {
        "layer": layer,
        "about": f"{settings.get('model', '')}: for each unit the rows with the highest and the lowest score, beside a "
        "usual row. Values in bold differ from it; what matters most comes first.",
        "columns": [column.name for column in first.columns],
        "has_plausible": any(row.plausible for row in first.found),
        "units": [
            {
                "name": unit.objective,
                "dead": is_dead(unit),
                "span": max(row.score for row in unit.found) - min(row.score for row in unit.found),
                "usual": _row(unit, unit.compared),
                "rows": [_row(unit, row) for row in unit.found],
            }
            for unit in units
        ],
    }


def _row(unit: Rows, row: Row) -> dict[str, Any]:
    return {
        "which": row.which,
        "plausible": row.plausible,
        "score": f"{row.score:.4g}",
        "changed": list(row.changed),
        "matters": dict(row.matters),
        "values": {column.name: unit.text(column.name, row) for column in unit.columns},
    }
