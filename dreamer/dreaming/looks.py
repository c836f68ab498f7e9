"""Looks of a dream: several in one, mixed or each in a region, and which settings each of them has for itself.

The one idea: a look is settings like any other, and says of itself what is climbed and how it is finished; what only
the whole dream can have, as its size or its seed, stays with the dream. Its mask says where it is.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

from dreamer.errors import SettingsError
from dreamer.wording import shown

if TYPE_CHECKING:
    from dreamer.dreaming.settings import DreamSettings

OF_BOTH = ("strength", "mask", "mask_invert")
"""Settings that the dream has and each look as well: those of a look hold within it, those of the dream over all."""

OF_A_LOOK = (
    *("model", "preprocessing", "objective", "guide"),
    *("steps", "step_size", "jitter", "rotate", "scale", "conditioning"),
    *("prior", "prior_weight", "prior_noise"),
    *("calm", "blend", "colors", "contrast", "saturation"),
    *OF_BOTH,
)
"""Settings that each look has for itself; all others are the dream's."""

MOST_LOOKS = 16
"""Of one dream: each takes a climb of its own."""

_HEAVIEST = 1e6
_KEYS = ("settings", "weight", "preset", "preset_sha256")


@dataclass(frozen=True)
class Look:
    """A look in a dream that has several.

    Attributes:
        settings: What is climbed, and how it is finished. ``mask`` says where the look is; None for everywhere that
            no look with a mask is.
        weight: How much it counts beside the others, above 0. Looks without a mask share their places by their
            weights, whatever these sum to. A look with a mask takes this much of its region, at most all of it; the
            rest is left to those without.
        preset: Which preset the settings come from, as recipes say it; see :attr:`dreamer.presets.Preset.origin`.

    Raises:
        SettingsError: The weight is impossible, or the look has looks itself.

    Example:
        >>> from dreamer.dreaming.settings import DreamSettings
        >>> eyes = Look(DreamSettings(objective="block5b", mask="sky.png"), 0.5)
        >>> eyes.to_dict()["weight"], eyes.settings.mask
        (0.5, 'sky.png')
    """

    settings: DreamSettings
    weight: float = 1.0
    preset: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        is_number = isinstance(self.weight, Real) and not isinstance(self.weight, bool)
        if not is_number or not 0 < self.weight <= _HEAVIEST or math.isnan(self.weight):
            raise SettingsError(
                f"the weight of a look is {shown(self.weight)}; expected a number above 0, as 0.6. A look of no weight "
                "is left out"
            )
        object.__setattr__(self, "weight", float(self.weight))
        object.__setattr__(self, "preset", dict(self.preset))
        if self.settings.looks:
            raise SettingsError("a look has looks itself; expected one look, since looks do not nest")

    def to_dict(self) -> dict[str, object]:
        """As JSON can hold it."""
        told = {name: value for name, value in self.settings.to_dict().items() if name in OF_A_LOOK}
        return {"settings": told, "weight": self.weight, **self.preset}


def looks_of(value: Any, kind: type[DreamSettings]) -> tuple[Look, ...]:
    """The looks of a dream from what somebody says.

    Args:
        value: A sequence of looks, each a :class:`Look`, settings, or a mapping as :meth:`Look.to_dict` gives it.
        kind: What settings are.

    Raises:
        SettingsError: It is something else, or one of them is impossible.
    """
    if not isinstance(value, list | tuple) or len(value) > MOST_LOOKS:
        raise SettingsError(f"looks is {shown(value)}; expected a list of looks, {MOST_LOOKS} at the most")
    return tuple(_look_of(one, kind) for one in value)


def _look_of(value: Any, kind: type[DreamSettings]) -> Look:
    if isinstance(value, Look):
        return value
    if isinstance(value, kind):
        return Look(value)
    if not isinstance(value, Mapping) or not isinstance(value.get("settings"), Mapping) or set(value) - set(_KEYS):
        raise SettingsError(f"a look is {shown(value)}; expected its settings and its weight")
    origin = {name: value[name] for name in _KEYS[2:] if name in value}
    if not all(isinstance(text, str) for text in origin.values()):
        raise SettingsError(f"the preset of a look is {shown(origin)}; expected its name and its digest as texts")
    return Look(kind.of(**value["settings"]), value.get("weight", 1.0), origin)
