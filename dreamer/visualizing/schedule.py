"""What goes with each parametrization where the settings do not say otherwise; how a run proceeds.

Must not import: networks, the command line.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from dreamer.arrays import Size
from dreamer.ascent import parametrizations
from dreamer.ascent.parametrizations import Parametrization
from dreamer.objectives.terms import Numbers
from dreamer.transforms import SETS, Transforms
from dreamer.visualizing import spectrum as spectra
from dreamer.visualizing.settings import VisualizeSettings

_HAZE_UNTIL = 0.4  # Of the steps.
_LAST_RATE = 0.1  # Of the learning rate, which falls along half a cosine.


class Stage(NamedTuple):
    """A part of the run.

    Attributes:
        until: Its end, as a share of the steps.
        seen: At which share of its size the picture is seen.
    """

    until: float
    seen: float


class Manner(NamedTuple):
    """What goes with a parametrization.

    Attributes:
        transforms: The name of a set.
        optimizer: Its name.
        learning_rate: How far a step goes, at first.
        decay: Which share of what pictures are made from is taken off, per step and learning rate.
        haze: How thick it is, at first.
        stages: Parts of the run, coarse to fine.
    """

    transforms: str
    optimizer: str
    learning_rate: float
    decay: float
    haze: float
    stages: tuple[Stage, ...]

    def stage(self, progress: float) -> int:
        """The index of the stage that a run is in, from progress 0 to 1."""
        return next(index for index, stage in enumerate(self.stages) if progress <= stage.until)

    def thickness(self, progress: float) -> float:
        """Of the haze."""
        return self.haze * max(0.0, 1 - progress / _HAZE_UNTIL)


def share(progress: float) -> float:
    """Which share of the learning rate a step has, from progress 0 to 1."""
    return _LAST_RATE + (1 - _LAST_RATE) * (0.5 + 0.5 * math.cos(math.pi * progress))


ALL_AT_ONCE = (Stage(1, 1),)
_GROWING = (Stage(0.35, 0.57), Stage(0.6, 0.71), Stage(1, 1))

MANNERS = {
    "cosine": Manner("robust", "momentum", 0.05, 0.6, 5.0, _GROWING),
    "fourier": Manner("robust", "momentum", 0.05, 0.6, 5.0, _GROWING),
    "pixels": Manner("robust", "adam", 0.05, 0.0, 0.0, ALL_AT_ONCE),
    "maco": Manner("maco", "nadam", 1.0, 0.0, 0.0, ALL_AT_ONCE),
}


def manner_of(settings: VisualizeSettings) -> Manner:
    """What goes with the parametrization that settings ask for."""
    return MANNERS[settings.parametrization]


def transforms_of(settings: VisualizeSettings) -> Transforms:
    """The transforms that settings ask for, or that go with their parametrization."""
    return settings.transforms or SETS[manner_of(settings).transforms]


def parametrization_of(settings: VisualizeSettings) -> Parametrization:
    """What the pictures are made from.

    Raises:
        SettingsError: The file with the spectrum cannot be read.
    """
    spectrum = None if settings.spectrum is None else Numbers.of(spectra.read(settings.spectrum))
    return _made(settings.parametrization, settings.size, spectrum)


@lru_cache(maxsize=8)
def _made(name: str, size: Size, spectrum: Numbers | None) -> Parametrization:
    if name == "maco":
        return parametrizations.maco(size, None if spectrum is None else spectrum.array)
    makers = {
        "cosine": parametrizations.cosine,
        "fourier": parametrizations.fourier,
        "pixels": parametrizations.pixels,
    }
    return makers[name](size)
