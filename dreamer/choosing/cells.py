"""The cells of a sheet: each combination of the values that somebody wants to compare, as settings of a dream.

Must not import NumPy, Keras or anything heavy: what is wrong with a value is said before anything is loaded.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from dreamer import presets
from dreamer.choosing.ranges import MOST_CELLS
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import DreamerError, SettingsError
from dreamer.models import registry
from dreamer.models.fetching import Described
from dreamer.presets import Preset
from dreamer.priors import specs as priors
from dreamer.settings import digests_of
from dreamer.wording import number as in_digits

_PATHS = ("guide", "mask")
_PAIRS = ("prior_noise",)
"""Settings whose value is a pair of numbers."""

_WIDEST = 12
"""Cells in a row, at the most, that nobody asked for."""

_OF_OTHERS = ("frames", "zoom", "focus", "turn", "ease", "loop", "aspect", "size", "ground", "upscale")
"""Settings in which single pictures of one shape do not differ."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One picture of a sheet, before it is dreamt.

    Attributes:
        number: Which it is, from 1.
        settings: How it is dreamt.
        varied: What of it is otherwise than in other cells, by option; ``preset`` is the name of one.
        preset: Which preset the settings come from, as recipes say it; nothing for none.
    """

    number: int
    settings: DreamSettings
    varied: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    preset: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def label(self) -> str:
        """What is written under it.

        Example:
            >>> Cell(7, DreamSettings(), {"preset": "lace", "strength": 0.3}).label
            '7: lace, strength 0.3'
        """
        words = [_in_words(name, value) for name, value in self.varied.items()]
        return f"{self.number}: {', '.join(words)}" if words else str(self.number)


def _in_words(name: str, value: Any) -> str:
    if name == "preset":
        return Path(str(value)).stem if str(value).endswith(".toml") else str(value)
    if name == "objective":
        return str(value)
    if name in _PATHS:
        return f"{name} {Path(value).name}"
    numbers = value if isinstance(value, tuple) else (value,)
    parts = [in_digits(one) if isinstance(one, float) else str(one) for one in numbers]
    return f"{name.replace('_', '-')} {'..'.join(parts)}"


def cells_of(told: Mapping[str, Any], *, settings: DreamSettings | None = None, trust: bool = False) -> list[Cell]:
    """All combinations of what was told, the first that varies slowest.

    Args:
        told: Fields of :class:`DreamSettings`, and ``preset``, by name: each a value, or several as a list, a tuple or
            a range (of ``prior_noise``, whose value may be a tuple, a list only).
        settings: What they go on top of, where there is no preset.
        trust: Whether presets from elsewhere may name any file.

    Raises:
        SettingsError: A value is impossible, a name unknown, there are no values, or too many combinations.
        UntrustedError: A preset names files that it may not.

    Example:
        >>> [cell.label for cell in cells_of({"strength": [0.3, 1], "seed": range(1, 3), "steps": 4})]
        ['1: strength 0.3, seed 1', '2: strength 0.3, seed 2', '3: strength 1, seed 1', '4: strength 1, seed 2']
    """
    if settings is not None and "preset" in told:
        raise SettingsError("settings and preset are two looks to begin with; expected one, and keywords on top of it")
    ranges = {name: _several(name, value) for name, value in told.items()}
    count = math.prod(map(len, ranges.values()))
    if count > MOST_CELLS:
        factors = " x ".join(f"{len(values)} of {_option(name)}" for name, values in ranges.items() if len(values) > 1)
        raise SettingsError(f"{factors} are {count} pictures; a sheet has at most {MOST_CELLS}. Give fewer values")
    varying = [name for name, values in ranges.items() if len(values) > 1]
    unseen = next((name for name in varying if name in _OF_OTHERS), None)
    if unseen is not None:
        raise SettingsError(f"a sheet shows single pictures of one shape, all with the same {unseen}; give one value")
    found = {name: presets.find(name, trust=trust) for name in ranges.get("preset", [])}
    cells = []
    for number, values in enumerate(product(*ranges.values()), start=1):
        combined = dict(zip(ranges, values, strict=True))
        preset = found.get(combined.get("preset", ""))
        changes = {name: value for name, value in combined.items() if name != "preset"}
        chosen = DreamSettings.merged(settings, changes) if preset is None else preset.settings(**changes)
        varied = {name: getattr(chosen, name, combined[name]) for name in varying}
        cells.append(Cell(number, chosen, varied, {} if preset is None else preset.origin))
    return cells


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _several(name: str, value: Any) -> Sequence[Any]:
    """The values of what may be one or several."""
    if (isinstance(value, tuple) and name in _PAIRS) or not isinstance(value, list | tuple | range):
        return [value]
    if not value:
        raise SettingsError(f"{name} has no values; expected one or more")
    if value[MOST_CELLS:]:  # A range may be longer than Python can say.
        raise SettingsError(f"{name} has too many values; a sheet has at most {MOST_CELLS} pictures. Give fewer")
    return value


def preset_cells(
    tags: Iterable[str], changes: Mapping[str, Any], *, note: Callable[[str], None] = lambda _: None
) -> list[Cell]:
    """A cell for each preset.

    Args:
        tags: Only those that have all of these.
        changes: Fields of :class:`DreamSettings` on top of each.
        note: Told in a line which preset cannot be used, and why; it is left out.

    Raises:
        SettingsError: None is left.
    """
    cells: list[Cell] = []
    for name in presets.names():
        try:
            preset: Preset = presets.find(name)
            settings = preset.settings(**changes)
            settings.file_digests()  # A file that is not there is said now.
        except DreamerError as error:
            note(f"left out: {error}")
        else:
            if set(tags) <= set(preset.tags):
                cells.append(Cell(len(cells) + 1, settings, {"preset": name}, preset.origin))
    if not cells:
        raise SettingsError("no preset is left for the sheet. See them and their tags: dreamer presets list")
    return cells


def needed(cells: Iterable[Cell]) -> list[Described]:
    """The networks that cells are dreamt with, priors among them, each once.

    Raises:
        UnknownModelError, PriorError: There is none of a name.
        SettingsError: A file that the settings name cannot be read.
    """
    found: dict[Described, None] = {}
    files: dict[str, None] = {}
    for cell in cells:
        for part in cell.settings.parts:
            found[registry.spec(part.model, part.preprocessing)] = None
            found |= dict.fromkeys(priors.needed(priors.check_use(part.prior, dreams=True)))
        files |= dict.fromkeys(cell.settings.files)
    digests_of(files)
    return list(found)


def columns_of(cells: Sequence[Cell]) -> int | None:
    """How many cells stand in a row by themselves: all values of what varies fastest; None for about a square."""
    names = list(cells[0].varied)
    if len(names) < 2:
        return None
    count = len({str(cell.varied[names[-1]]) for cell in cells})
    return count if count <= _WIDEST else None
