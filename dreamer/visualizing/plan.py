"""Plans of visualizations: settings as a person gives them, made complete once, with the network at hand.

The one idea: whatever runs, is recorded, hashed or sent elsewhere takes the plan, so nothing is left open, and nothing
is asked twice.

Must not import: the command line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from dreamer import images, plugins
from dreamer.arrays import FloatArray, Size, as_batch, as_float, resize
from dreamer.ascent import parametrizations
from dreamer.ascent.parametrizations import Kind, Parametrization
from dreamer.ascent.schedule import Schedule
from dreamer.backends import precision
from dreamer.errors import SettingsError
from dreamer.models import registry
from dreamer.models.network import Network
from dreamer.objectives.terms import Numbers
from dreamer.recipes import recipe_of
from dreamer.transforms import SETS, Transforms
from dreamer.visualizing import spectrum
from dreamer.visualizing.settings import PARAMETRIZATIONS, VisualizeSettings


@dataclasses.dataclass(frozen=True, eq=False)
class VisualizePlan:
    """All that visualizations depend on besides their targets.

    Attributes:
        network: Whose units are drawn.
        settings: Every one of them decided: transforms, optimizer, learning rate, the type of number.
        transforms: How each step sees the pictures.
        parametrization: What the pictures are made from.
        schedule: How a run proceeds.
        start: ``(height, width, 3)`` in [0, 1], where the pictures begin; None for noise.
        files: The SHA-256 of each file that the settings name, as it was read.

    Example:
        >>> plan = VisualizePlan.of(VisualizeSettings(parametrization="maco"))  # doctest: +SKIP
        >>> plan.settings.optimizer, plan.settings.learning_rate  # doctest: +SKIP
        ('nadam', 1.0)
    """

    network: Network
    settings: VisualizeSettings
    transforms: Transforms
    parametrization: Parametrization
    schedule: Schedule
    start: FloatArray | None
    files: Mapping[str, str]

    @classmethod
    def of(cls, settings: VisualizeSettings, network: Network | str | None = None, start: Any = None) -> Self:
        """Decide what settings leave to the network, the machine and the parametrization. Loads the network.

        Args:
            settings: As a person gives them.
            network: Whose units are drawn, in place of the one that the settings name.
            start: A picture to begin with, in place of the file that the settings name: an array ``(height, width,
                3)``, float in [0, 1] or uint8, or whatever NumPy makes one of.

        Raises:
            ModelError: There is no such network, or its weights cannot be had.
            SettingsError: A file that the settings name cannot be read.
            ImageReadError: The picture to begin with is none.
        """
        loaded = registry.load(settings.model if network is None else network, settings.preprocessing)
        if network is not None:
            settings = dataclasses.replace(settings, model=loaded.spec.name)
        kind = _kind(settings.parametrization)
        transforms = settings.transforms or SETS[kind.transforms]
        complete = dataclasses.replace(
            settings,
            transforms=transforms,
            optimizer=settings.optimizer or kind.optimizer,
            learning_rate=settings.learning_rate or kind.learning_rate,
            precision=precision.choose(settings.precision, loaded.spec.low_precisions, settings.model).name,
        )
        files = settings.file_digests()
        begins = _begins(settings, start)
        # Haze would hide what is begun with, small views would lose it, and decay would fade it to grey.
        schedule = kind.schedule if begins is None else Schedule()
        return cls(loaded, complete, transforms, _made(settings, kind), schedule, begins, files)

    def to_dict(self) -> dict[str, object]:
        """The settings, all of them decided, as JSON can hold them."""
        return self.settings.to_dict()

    def recipe(self, files: Mapping[str, str]) -> dict[str, object]:
        """What the recipe of each of its pictures says, as JSON can hold it.

        Args:
            files: The SHA-256 of each file that the targets name.
        """
        return recipe_of(self.network, self.to_dict(), {**files, **self.files})

    def digest(self) -> str:
        """A digest of all of it: with equal ones and equal versions, pictures of a target are equal."""
        known = {"settings": self.to_dict(), "files": dict(self.files), "weights": self.network.weights_sha256}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _kind(name: str) -> Kind:
    """A kind of parametrization, of this package or of a plug-in."""
    if name in PARAMETRIZATIONS:
        return parametrizations.KINDS[name]
    found: Kind | None = plugins.load("dreamer.parametrizations", name, _check_kind)
    if found is None:
        raise SettingsError(f"the plug-in {name!r} for a parametrization cannot be used; the warning before says why")
    return found


def _check_kind(value: Any) -> None:
    if not isinstance(value, Kind):
        raise TypeError(f"it is {type(value).__name__}; a dreamer.ascent.parametrizations.Kind is expected")


def _made(settings: VisualizeSettings, kind: Kind) -> Parametrization:
    magnitudes = None if settings.spectrum is None else Numbers.of(spectrum.read(settings.spectrum))
    return _kept(settings.parametrization, settings.size, magnitudes, kind)


@lru_cache(maxsize=8)
def _kept(_name: str, size: Size, magnitudes: Numbers | None, kind: Kind) -> Parametrization:
    """Kept, so that plans that are alike share compiled programs."""
    return kind.make(size, None if magnitudes is None else magnitudes.array)


def _begins(settings: VisualizeSettings, start: Any) -> FloatArray | None:
    """The picture to begin with, as large as the pictures are to be."""
    if start is None and settings.start is None:
        return None
    if start is None and settings.start is not None:
        pixels = as_float(images.read(Path(settings.start), max_side=2 * max(settings.size)).pixels)
    else:
        pixels = as_batch(start)[0][0]
    begins: FloatArray = np.clip(resize(pixels, settings.size), 0, 1)
    return begins
