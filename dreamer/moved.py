"""Modules under their earlier names: they still import, with a ``DeprecationWarning`` that says the new one.

Must not import anything of the package.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "dreamer.climbing": "dreamer.dreaming.ascent",
    "dreamer.dreaming.source": "dreamer.sources",
    "dreamer.drawing": "dreamer.visualizing.batch",
    "dreamer.finishing": "dreamer.dreaming.finish",
    "dreamer.grammar": "dreamer.objectives.grammar",
    "dreamer.manners": "dreamer.ascent.schedule",
    "dreamer.models.efficientnet_lite0": "dreamer.models.efficientnet_lite",
    "dreamer.photos": "dreamer.dreaming.photo",
    "dreamer.preset_text": "dreamer.presets.text",
    "dreamer.robustness": "dreamer.transforms",
    "dreamer.spectra": "dreamer.visualizing.spectrum",
    "dreamer.terms": "dreamer.objectives.terms",
    "dreamer.zooming": "dreamer.dreaming.zoom",
}
"""Earlier names of modules. (``dreamer.batch`` and ``dreamer.atlas`` are functions now: a module of that name would
hide them.)"""


class _Earlier(MetaPathFinder, Loader):
    """Finds a module by its earlier name, and gives the one that it is now."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for earlier, now in MOVED.items():
            if fullname == earlier or fullname.startswith(f"{earlier}."):
                return ModuleSpec(fullname, self, loader_state=now + fullname.removeprefix(earlier))
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        warnings.warn(f"{spec.name} is {spec.loader_state} now", DeprecationWarning, stacklevel=2)
        return import_module(spec.loader_state)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do: it is there already."""


def watch() -> None:
    """Have earlier names found, where no module has one."""
    if not any(isinstance(finder, _Earlier) for finder in sys.meta_path):
        sys.meta_path.append(_Earlier())
