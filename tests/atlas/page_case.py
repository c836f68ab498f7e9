"""An atlas of many units whose names are as bad as can be, for the tests of the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dreamer import images, objectives
from dreamer.atlases import page
from dreamer.atlases.catalog import Catalog, Example, ExamplePhoto, UnitEntry, UnitPicture
from dreamer.atlases.units import Unit
from dreamer.visualizing.settings import VisualizeSettings

EVIL = '</script><img src=x onerror="alert(1)">/__proto__ " \\ \x7f%2F'
"""A layer's name that no part of the page may take for anything but text."""

SIZE = (24, 32)


def make(
    folder: Path, *, layers: dict[str, int], classes: list[str] = (), model: str = "efficientnet_lite0_robust"
) -> Path:
    """Write an atlas with a few pictures that all units share; the page's address.

    Units of the first layer have opposites and two variants, and examples; every seventh unit is dead.
    """
    settings = VisualizeSettings(model=model, size=SIZE, diversity=2).to_dict()
    made = Catalog(model, f"{EVIL} network", "0" * 64, settings, {"classes": f"as {EVIL}", "others": "look texture"})
    for name, count in layers.items():
        for index in range(count):
            target = objectives.channel(name, index).name
            _add(made, Unit(name, index, target, target), first=name == next(iter(layers)))
    for index, name in enumerate(classes):
        _add(made, Unit("logits", index, objectives.logit(index).name, name), first=False)
    photo = np.linspace(0, 1, 40 * 60 * 3, dtype=np.float32).reshape(40, 60, 3)
    made.photos = [ExamplePhoto(f"{EVIL}.jpg", 40, 60, "f" * 64)]
    _write(folder / made.photos[0].path, photo)
    for path in {entry.path(one.negative, one.variant) for entry in made.entries.values() for one in entry.pictures}:
        shade = np.random.default_rng(len(path)).uniform(size=3)
        _write(folder / path, np.broadcast_to(shade.astype(np.float32), (*SIZE, 3)))
    page.save(folder, made)
    return page.install(folder)


class _Shared(UnitEntry):
    """All units of a layer share pictures, so that thousands of them take no thousands of files."""

    def path(self, negative: bool, variant: int) -> str:
        return UnitEntry(Unit("shared", self.unit.index % 3, "", "")).path(negative, variant)


def _add(made: Catalog, unit: Unit, *, first: bool) -> None:
    signs = [(False, 0), (False, 1), (True, 0), (True, 1)] if first else [(False, 0)]
    dead = unit.index % 7 == 4
    score = float(unit.index * 37 % 101) / 10
    pictures = [UnitPicture(negative, variant, score + variant, 0.5, dead, "0" * 64) for negative, variant in signs]
    examples = [Example(0, 9.0 - place, (0.25, 0.5, 0.5, 0.25)) for place in range(9)] if first else []
    made.entries[unit.layer, unit.index] = _Shared(unit, first, pictures, examples)


def _write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, images.Photo(picture), recipe=None, overwrite=True)
