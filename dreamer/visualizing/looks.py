"""Looks: how pictures of units are drawn, by names that say what one gets.

The one idea: what pictures are made from, how they are seen and how a run proceeds only work in certain
combinations, so each combination that was looked at and found good is a row with a name. A kind of target has a look
that goes with it; whatever a person sets besides overrides a look's own.

Must not import NumPy, Keras or anything heavy: the command line reads the names from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from dreamer.ascent.schedule import GROWING, Schedule


class Look(NamedTuple):
    """A way to draw.

    Attributes:
        shows: What a person sees, in a phrase.
        parametrization: What pictures are made from.
        transforms: The name of a set of transforms.
        optimizer: What takes the steps.
        learning_rate: How far a step goes.
        schedule: How a run proceeds.
    """

    shows: str
    parametrization: str
    transforms: str
    optimizer: str
    learning_rate: float
    schedule: Schedule


LOOKS: Mapping[str, Look] = {
    "clear": Look(
        "the thing, whole and in the middle", "cosine", "framed", "momentum", 0.05, Schedule(0.8, 5.0, GROWING)
    ),
    "scene": Look(
        "the thing where it lives, over all of the picture",
        "cosine", "inside", "momentum", 0.05, Schedule(0.8, 5.0, GROWING),
    ),
    "texture": Look(
        "what it is made of, again and again", "cosine", "robust", "momentum", 0.05, Schedule(0.6, 5.0, GROWING)
    ),
    "activation": Look(
        "whatever excites the unit most, as Lucid draws it", "fourier", "standard", "adam", 0.05, Schedule()
    ),
}  # fmt: skip
"""The looks by name."""

OF_CLASSES = "clear"
"""The look of a class where none is named."""

OF_OTHERS = "texture"
"""The look of a layer, a channel, a neuron and a direction where none is named."""

FROM_PHOTOS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "caricature": {
            "parametrization": "cosine", "optimizer": "momentum", "learning_rate": 0.05, "steps": 64,
            "transforms": {"jitter": (8,), "scale": (0.9, 1.15), "rotate": 5},
        },
        "invert": {
            "parametrization": "cosine", "optimizer": "momentum", "learning_rate": 0.05, "steps": 160,
            "transforms": {"jitter": (4,), "scale": (0.97, 1.06)},
        },
        "accentuate": {
            "parametrization": "cosine", "optimizer": "momentum", "learning_rate": 0.05, "steps": 64,
            "transforms": "boxes", "alpha": True,
        },
    }
)  # fmt: skip
"""How pictures are made from a photo, by command: settings of a visualization where nobody says otherwise."""

PHOTO_SIDE = 320
"""Pixels of the longer side of what is made from a photo."""
