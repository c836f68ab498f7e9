"""What the recipe of a sheet says of its cells: what all share once, and of each what it has of its own.

The one idea: the recipe of each cell is folded before it is written, and unfolded when one is picked, into the very
recipe that the dream of that cell has. So four hundred cells find room where a JPEG keeps a recipe.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dreamer.choosing.ranges import MOST_CELLS
from dreamer.errors import SettingsError
from dreamer.wording import shown

Recipe = Mapping[str, Any]

_TABLES = ("settings", "files_sha256")
"""Of a dream's recipe, what is itself a table, and is shared item by item."""

_OWN = ("number", "group", "failed")
"""What is said of a cell, not of its dream."""


def folded(recipes: Mapping[int, Recipe]) -> dict[str, Any]:
    """What the recipe of a sheet says of its cells.

    Args:
        recipes: Of each cell by its number, as of a dream: one or more.

    Returns:
        ``common``, what all of them have; ``groups``, what those of the same preset and network have besides; and
        ``cells``, a list with ``number``, the index of its ``group``, and what is left.

    Example:
        >>> folded({1: {"settings": {"steps": 9, "seed": 1}}, 2: {"settings": {"steps": 9, "seed": 2}}})["common"]
        {'settings': {'steps': 9}}
    """
    common = _shared(list(recipes.values()))
    rest = {number: _without(recipe, common) for number, recipe in recipes.items()}
    alike: dict[str, list[int]] = {}
    for number, recipe in recipes.items():
        settings = recipe.get("settings", {})
        key = [recipe.get("preset_sha256"), settings.get("model"), settings.get("objective")]
        alike.setdefault(repr(key), []).append(number)
    groups, cells = [], {}
    for index, numbers in enumerate(alike.values()):
        groups.append(_shared([rest[number] for number in numbers]))
        for number in numbers:
            cells[number] = {"number": number, "group": index, **_without(rest[number], groups[-1])}
    return {"common": common, "groups": groups, "cells": [cells[number] for number in sorted(cells)]}


def picked(recipe: Recipe, pick: int | str, file: Path) -> dict[str, Any]:
    """The recipe of the dream that a cell of a sheet is a preview of.

    Args:
        recipe: Of the sheet, of the shape that :mod:`dreamer.recipes` says.
        pick: The number of the cell, or the name of the preset that only this one has.
        file: The sheet.

    Raises:
        SettingsError: It is no sheet, or has no such cell.
    """
    if "cells" not in recipe or "source" not in recipe:
        what = f"was made by `dreamer {recipe['command']}`" if "command" in recipe else "shows a single picture"
        raise SettingsError(f"{file} is no sheet to pick from: it {what}; expected one that `dreamer sheet` made")
    _check(recipe, file)
    unfolded = {cell["number"]: _unfolded(recipe, cell) for cell in recipe["cells"]}
    found = unfolded.get(pick) if isinstance(pick, int) else _named(unfolded, pick, file)
    if found is None:
        raise SettingsError(f"{file} has no cell {pick}: {_numbers(sorted(unfolded))}")
    return found | {"source": recipe["source"]}


def is_sheet(recipe: Recipe) -> bool:
    """Whether it is the recipe of a sheet to pick from."""
    return "cells" in recipe


def _numbers(numbers: Sequence[int]) -> str:
    """Which cells there are, in words."""
    if numbers == list(range(1, len(numbers) + 1)):
        return f"it has {len(numbers)}, numbered from 1"
    return f"it was interrupted, and has {len(numbers)}: {', '.join(map(str, numbers[:20]))}"


def _named(unfolded: Mapping[int, dict[str, Any]], name: str, file: Path) -> dict[str, Any]:
    found = [number for number, recipe in unfolded.items() if recipe.get("preset") == name]
    if not found:
        known = sorted({str(recipe["preset"]) for recipe in unfolded.values() if "preset" in recipe})
        presets = f", or one of its presets: {', '.join(known)}" if known else ""
        raise SettingsError(f"{file} has no cell {shown(name)}; expected a number from 1 to {max(unfolded)}{presets}")
    if len(found) > 1:
        raise SettingsError(
            f"several cells of {file} are of the preset {name}: {', '.join(map(str, found[:20]))}; give a number"
        )
    return unfolded[found[0]]


def _check(recipe: Recipe, file: Path) -> None:
    """Make sure that cells can be told apart, and that what they point to is there."""
    cells, groups = recipe["cells"], recipe.get("groups", [])
    numbers = {cell.get("number") for cell in cells}
    problem = None
    if not 1 <= len(cells) <= MOST_CELLS or len(groups) > MOST_CELLS:
        problem = f"it has {len(cells)} cells; expected 1 to {MOST_CELLS}"
    elif None in numbers or len(numbers) < len(cells) or min(numbers) < 1:
        problem = "its cells are not numbered; expected a number above 0 for each"
    elif not all(0 <= cell.get("group", -1) < len(groups) for cell in cells):
        problem = "a cell has no group; expected the index of one"
    if problem is not None:
        raise SettingsError(f"the recipe in {file} cannot be used: {problem}")


def _unfolded(recipe: Recipe, cell: Recipe) -> dict[str, Any]:
    parts: list[Recipe] = [recipe.get("common", {}), recipe["groups"][cell["group"]], cell]
    whole: dict[str, Any] = {}
    for part in parts:
        whole |= part
    for table in _TABLES:
        if any(table in part for part in parts):
            whole[table] = {name: value for part in parts for name, value in part.get(table, {}).items()}
    return {name: value for name, value in whole.items() if name not in _OWN}


def _shared(recipes: Sequence[Recipe]) -> dict[str, Any]:
    """What all of them have."""
    first = recipes[0]
    found = {
        name: value
        for name, value in first.items()
        if name not in (*_TABLES, *_OWN) and all(name in one and one[name] == value for one in recipes)
    }
    for table in _TABLES:
        if all(table in one for one in recipes):
            found[table] = {
                name: value
                for name, value in first[table].items()
                if all(name in one[table] and one[table][name] == value for one in recipes)
            }
    return {name: value for name, value in found.items() if name not in _TABLES or value}


def _without(recipe: Recipe, shared: Recipe) -> dict[str, Any]:
    """What it has besides."""
    rest: dict[str, Any] = {}
    for name, value in recipe.items():
        if name in _TABLES:
            own = {key: one for key, one in value.items() if key not in shared.get(name, {})}
            rest |= {name: own} if own else {}
        elif name not in shared:
            rest[name] = value
    return rest
