"""How a video is dreamt in the course of time: looks at their times, and what lies between two of them.

The one idea: between two looks both are dreamt, each carried along on its own, and shown mixed. Looks that differ in
nothing but how they are finished, as in strength, share one climb.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.mask_kinds import is_kind

FINISH = ("strength", "blend", "colors", "contrast", "saturation")
"""Settings that say how a dream is shown; looks that differ in no others share one climb."""

_OF_PICTURES = {
    "tileable": "is for single pictures, and a video has edges; leave it out",
    "size": "is for a dream of nothing, and a video is dreamt of its frames; leave it out",
    "aspect": "cuts photos, and no videos; leave it out",
    "upscale": "is for single photos; dream the video at its own size, and let an editor enlarge it",
}
"""Settings that no video has, and what is said of each."""

_SHARED = ("max_size", "seed", "tile", "frames")


@dataclass(frozen=True)
class Look:
    """A look, and from when it is as it is.

    Attributes:
        time: Seconds from the beginning of the video.
        settings: How frames are dreamt then.
        preset: Which preset says so, as recipes have it.
    """

    time: float
    settings: DreamSettings
    preset: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """As recipes have it."""
        return {"time": self.time, "settings": self.settings.to_dict(), **self.preset}


@dataclass(frozen=True)
class Timeline:
    """The looks of a video, by time.

    Attributes:
        looks: The first holds from the beginning, the last to the end; between two of them one becomes the other.

    Raises:
        SettingsError: There is none, a time is none or another's, or they cannot be of one video.

    Example:
        >>> strong, weak = DreamSettings(), DreamSettings(strength=0.2)
        >>> line = Timeline((Look(0, strong), Look(4, weak)))
        >>> line.climbs == (strong,), [round(weight, 2) for weight, _ in line.at(1)]
        (True, [0.75, 0.25])
    """

    looks: tuple[Look, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.looks, key=lambda look: look.time))
        if not ordered:
            raise SettingsError("a video needs one look; expected settings")
        for look in ordered:
            if not 0 <= look.time < math.inf:
                raise SettingsError(f"a look is to hold at {look.time:g} s; expected seconds, 0 or more")
        for before, after in pairwise(ordered):
            if before.time == after.time:
                raise SettingsError(f"two looks are to hold at {after.time:g} s; expected one at a time")
        if any(look.settings.looks for look in ordered):
            raise SettingsError(
                "a dream of several looks, mixed or in regions, is for photos, and a video has one look at a time; "
                "expected one preset, and others from a time on, as in --at 4s eyes"
            )
        first = ordered[0].settings
        for name in _SHARED:
            if any(getattr(look.settings, name) != getattr(first, name) for look in ordered):
                raise SettingsError(f"the looks of a video have different values of {name}; expected the same in all")
        if first.frames > 1:
            raise SettingsError("frames is for an endless zoom into a photo; expected 1 for a video")
        for name, problem in _OF_PICTURES.items():
            if any(getattr(look.settings, name) != getattr(_PLAIN, name) for look in ordered):
                raise SettingsError(f"{name} {problem}")
        for look in ordered:
            if is_kind(look.settings.mask):
                raise SettingsError(
                    f"the mask {look.settings.mask} is made from a single photo, and would flicker between frames. "
                    "Expected a mask that is a video or a still; `dreamer mask` makes one from a frame"
                )
        object.__setattr__(self, "looks", ordered)

    @cached_property
    def climbs(self) -> tuple[DreamSettings, ...]:
        """How frames are climbed: the settings without those of the finish, each once."""
        return tuple(dict.fromkeys(_climbed(look.settings) for look in self.looks))

    def at(self, time: float) -> list[tuple[float, Look]]:
        """The looks of a moment, each with its weight; the weights sum to 1.

        Args:
            time: Seconds from the beginning of the video.
        """
        times = [look.time for look in self.looks]
        after = bisect_right(times, time)
        if after in (0, len(times)):
            return [(1.0, self.looks[min(after, len(times) - 1)])]
        before, then = self.looks[after - 1], self.looks[after]
        share = (time - before.time) / (then.time - before.time)
        return [(1.0, before)] if share == 0 else [(1 - share, before), (share, then)]

    def climb_of(self, look: Look) -> int:
        """Which of :attr:`climbs` a look has."""
        return self.climbs.index(_climbed(look.settings))


def _climbed(settings: DreamSettings) -> DreamSettings:
    return dataclasses.replace(settings, **{name: getattr(_PLAIN, name) for name in FINISH})


_PLAIN = DreamSettings()
