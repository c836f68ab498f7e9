"""Looks within a preset: the tables ``[[looks]]`` of its file, and looks as one dream.

The one idea: a look names another preset, or says all itself; what its table says is on top of what the preset says for
all looks, and that on top of the one that is named.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dreamer.dreaming.looks import OF_A_LOOK, OF_BOTH, Look
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError

if TYPE_CHECKING:
    from dreamer.presets.preset import Preset

KEYS = ("preset", "weight", *OF_A_LOOK)
"""What a table ``[[looks]]`` may say."""


@dataclass(frozen=True)
class LookTable:
    """A look of a preset.

    Attributes:
        preset: What it begins with; None for a look that says all itself.
        weight: How much it counts, as :attr:`Look.weight`.
        own: What it says on top.
    """

    preset: Preset | None
    weight: Any
    own: Mapping[str, Any] = field(default_factory=dict)

    def look(self, base: Mapping[str, Any], changes: Mapping[str, Any]) -> Look:
        """The look.

        Args:
            base: What is said for all looks of the preset.
            changes: What is on top of everything.

        Raises:
            SettingsError: A setting or the weight is impossible.
        """
        told = {**base, **self.own, **changes}
        if self.preset is None:
            return Look(DreamSettings.of(**told), self.weight)
        return look_of(self.preset, self.preset.unchecked(told), self.weight)


def look_of(preset: Preset, settings: DreamSettings, weight: float) -> Look:
    """A preset as a look.

    Args:
        preset: Which it is.
        settings: What it stands for.
        weight: How much it counts.

    Raises:
        SettingsError: It has looks itself, or the weight is impossible.
    """
    if settings.looks:
        raise SettingsError(
            f"the preset {preset.name} has several looks itself, and looks do not nest; expected one of a single look"
        )
    return Look(settings, weight, preset.origin)


def of_looks(looks: Sequence[Look], whole: Mapping[str, Any]) -> DreamSettings:
    """A dream of looks; what they say that only the whole dream can have is that of the first.

    Args:
        looks: The looks.
        whole: Fields of :class:`DreamSettings` of the whole dream on top.

    Raises:
        SettingsError: A setting is impossible.
    """
    usual = DreamSettings().values()
    shared = [name for name in usual if name not in (*OF_A_LOOK, "looks")]
    plain = {name: usual[name] for name in shared}
    own = [replace(look, settings=replace(look.settings, **plain)) for look in looks]
    first = {name: getattr(looks[0].settings, name) for name in shared}
    return DreamSettings.of(**{**first, **whole, "looks": own})


def parted(changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings that are the whole dream's, and those that each look has for itself.

    Example:
        >>> parted({"seed": 7, "steps": 3, "mask": "sky.png"})
        ({'seed': 7, 'mask': 'sky.png'}, {'steps': 3})
    """
    each = {name: value for name, value in changes.items() if name in OF_A_LOOK and name not in OF_BOTH}
    return {name: value for name, value in changes.items() if name not in each}, each
