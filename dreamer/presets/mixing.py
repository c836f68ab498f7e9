"""Presets mixed into one dream, or each in a region of it.

The one idea: what is asked for is a name and a number, and becomes a look of a dream; what only the whole dream can
have, as the ratio of its octaves, is that of the first preset.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dreamer.dreaming.looks import Look
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.presets.looks import look_of, of_looks, parted
from dreamer.presets.preset import find
from dreamer.wording import shown


class Named(NamedTuple):
    """A preset that somebody named.

    Attributes:
        name: Its name, or its path.
        weight: How much it counts; None where nothing is said.
    """

    name: str
    weight: float | None

    @classmethod
    def parse(cls, text: str) -> Named:
        """Read ``NAME[:WEIGHT]``. A weight is only what follows the last colon and is a number, as paths have colons.

        Example:
            >>> Named.parse("lace:0.6"), Named.parse("looks:2/mine.toml")
            (Named(name='lace', weight=0.6), Named(name='looks:2/mine.toml', weight=None))
        """
        name, colon, number = text.rpartition(":")
        try:
            return cls(name, float(number)) if colon else cls(text, None)
        except ValueError:
            return cls(text, None)


def mixed(
    presets: Mapping[str, float],
    *,
    at: Sequence[tuple[str, str]] = (),
    trust: bool = False,
    **changes: Any,
) -> DreamSettings:
    """The settings of one dream with several presets.

    Args:
        presets: Names or paths, and how much each counts beside the others; they hold wherever no region is.
        at: Regions: a mask, as ``mask`` of :class:`DreamSettings` names one, and the preset that is there, perhaps with
            a weight behind a colon, which is the share of the region that it takes.
        trust: Whether presets from elsewhere may name any file.
        **changes: Fields of :class:`DreamSettings` on top; what each look has for itself is changed in all of them.

    Raises:
        UnknownPresetError: There is none of that name.
        UntrustedError: One names files that it may not.
        SettingsError: A weight or a setting is impossible.

    Example:
        >>> settings = mixed({"lace": 0.6, "eyes": 0.4}, seed=7)
        >>> [(look.preset["preset"], look.weight) for look in settings.looks], settings.seed
        ([('lace', 0.6), ('eyes', 0.4)], 7)
        >>> [look.settings.mask for look in mixed({"lace": 1}, at=[("sky.png", "rope")]).looks]
        [None, 'sky.png']
    """
    whole, each = parted(changes)
    grounds = [_look(name, weight, each, trust=trust) for name, weight in presets.items()]
    regions = []
    for mask, text in at:
        named = Named.parse(text)
        weight = 1.0 if named.weight is None else named.weight
        regions.append(_look(named.name, weight, each | {"mask": mask}, trust=trust))
    if not grounds and not regions:
        raise SettingsError("no look is named; expected presets, as lace and eyes")
    return of_looks([*grounds, *regions], whole)


def of_words(
    names: Sequence[str], at: Sequence[tuple[str, str]], changes: Mapping[str, Any], *, trust: bool = False
) -> tuple[DreamSettings, dict[str, str]]:
    """How to dream as presets say that somebody typed, and which one of them says so, as recipes have it.

    Args:
        names: Presets, each perhaps with a weight behind a colon, as ``"lace:0.6"``; one alone is a plain dream.
        at: As for :func:`mixed`.
        changes: Fields of :class:`DreamSettings` on top.
        trust: As for :func:`mixed`.

    Returns:
        The settings, and :attr:`Preset.origin` where one preset alone is named; of several each look tells its own.

    Raises:
        SettingsError: As for :func:`mixed`; or weights are missing, or one is there that has nothing to count beside.
    """
    named = [Named.parse(name) for name in names]
    if not named and not at:
        return DreamSettings.of(**changes), {}
    _check_weights(named)
    if len(named) == 1 and not at:
        found = find(named[0].name, trust=trust)
        return found.settings(**changes), found.origin
    weights = {one.name: 1.0 if one.weight is None else one.weight for one in named}
    return mixed(weights, at=at, trust=trust, **changes), {}


def _check_weights(named: Sequence[Named]) -> None:
    names = [one.name for one in named]
    if len(named) == 1 and named[0].weight is not None:
        raise SettingsError(
            f"the weight of {shown(names[0])} has nothing to count beside; expected another preset with a weight. "
            f"For a faint dream give --strength {named[0].weight:g}"
        )
    if len(set(names)) < len(names):
        raise SettingsError("a preset is given twice; expected each once")
    if len(named) > 1 and any(one.weight is None for one in named):
        examples = " ".join(f"--preset {one.name}:{1 if one.weight is None else one.weight:g}" for one in named)
        raise SettingsError(
            f"--preset is given {len(named)} times, and how much each counts is not said; expected a weight with "
            f"each, as in {examples}"
        )


def _look(name: str, weight: float, changes: Mapping[str, Any], *, trust: bool) -> Look:
    found = find(name, trust=trust)
    return look_of(found, found.settings(**changes), weight)
