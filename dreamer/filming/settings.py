"""What the dream of a video is told besides how each frame is dreamt.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.settings import Range, Settings
from dreamer.wording import shown

CUTS = ("auto", "none")
"""How cuts may be found; or their times are given."""

DRIVEN = ("strength", "contrast", "saturation")
"""What sound may drive: settings of the finish. What the climb makes is carried on, and could not follow a sound."""

HEARD = ("loudness", "beats")
"""What is heard in a sound: how loud it is, or where something begins in it."""


@dataclass(frozen=True)
class Listen:
    """A setting that sound drives.

    Attributes:
        name: One of :data:`DRIVEN`.
        low: Its value in silence.
        high: Its value where the sound is loudest.
        heard: One of :data:`HEARD`.

    Example:
        >>> Listen.parse("strength=0.3..1")
        Listen(name='strength', low=0.3, high=1.0, heard='loudness')
        >>> str(Listen.parse("saturation=0..1.5 beats"))
        'saturation=0..1.5 beats'
    """

    name: str
    low: float
    high: float
    heard: str = HEARD[0]

    @classmethod
    def parse(cls, text: str) -> Listen:
        """Read ``NAME=FROM..TO``, perhaps with ``beats`` behind it.

        Raises:
            SettingsError: It is something else.
        """
        number = r"[-+]?\d*\.?\d+"
        found = re.fullmatch(rf"\s*(\w+)\s*=\s*({number})\s*\.\.\s*({number})\s*(\w+)?\s*", text)
        if found is None or (found[4] or HEARD[0]) not in HEARD:
            raise SettingsError(
                f"cannot listen for {shown(text)}; expected a setting and its values in silence and at the loudest, as "
                f"strength=0.3..1, and perhaps what is heard, {' or '.join(HEARD)}, behind it"
            )
        if found[1] not in DRIVEN:
            raise SettingsError(f"sound cannot drive {shown(found[1])}; expected one of {', '.join(DRIVEN)}")
        made = cls(found[1], float(found[2]), float(found[3]), found[4] or HEARD[0])
        for value in (made.low, made.high):
            DreamSettings.of(**{made.name: value})  # Which says what is wrong with it.
        return made

    def __str__(self) -> str:
        heard = "" if self.heard == HEARD[0] else f" {self.heard}"
        return f"{self.name}={self.low:g}..{self.high:g}{heard}"


@dataclass(frozen=True)
class VideoSettings(Settings):
    """All that a video's dream depends on besides the video and the settings of its frames.

    Attributes:
        carry: Which share of what was dreamt stays as it is carried to the next frame, where things move; the rest
            is dreamt anew from there. 0 dreams each frame alone.
        next_steps: Steps in each octave of a frame to which something is carried; None for a quarter of ``steps``.
        cuts: ``"auto"`` to find them, ``"none"`` for a video without, or their times in seconds. At a cut nothing
            is carried.
        start: Where the dream begins, in seconds of the video.
        end: Where it ends; None for at the video's end.
        listen: Settings that the sound drives, each as text, as ``"strength=0.3..1"``.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> VideoSettings(start=3, end=8, cuts=[4.5]).cuts
        (4.5,)
    """

    carry: float = 0.6
    next_steps: int | None = None
    cuts: str | tuple[float, ...] = CUTS[0]
    start: float = 0.0
    end: float | None = None
    listen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check(_RANGES, ("next_steps", "end"), {})
        if self.end is not None and self.end <= self.start:
            raise SettingsError(
                f"the piece is to end at {self.end:g} s, and starts at {self.start:g} s; expected a later end"
            )
        object.__setattr__(self, "cuts", _cuts(self.cuts))
        listen = [self.listen] if isinstance(self.listen, str) else self.listen
        heard = [Listen.parse(str(one)) for one in listen]
        if len({one.name for one in heard}) < len(heard):
            raise SettingsError("the sound drives one setting twice; expected each once")
        object.__setattr__(self, "listen", tuple(str(one) for one in heard))

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them."""
        cuts = self.cuts if isinstance(self.cuts, str) else list(self.cuts)
        return self.values() | {"cuts": cuts, "listen": list(self.listen)}

    def steps_of_next(self, settings: DreamSettings) -> int:
        """Steps in each octave of a frame to which something is carried.

        Example:
            >>> VideoSettings().steps_of_next(DreamSettings(steps=20))
            5
        """
        return self.next_steps or max(1, round(settings.steps / 4))


_RANGES: Mapping[str, Range] = {
    "carry": (Real, 0, 1, "a share from 0 to 1"),
    "next_steps": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "start": (Real, 0, 1e6, "seconds, 0 or more"),
    "end": (Real, 0, 1e6, "seconds, 0 or more"),
}


def _cuts(value: Any) -> str | tuple[float, ...]:
    if isinstance(value, str) and value in CUTS:
        return value
    if isinstance(value, str):
        value = [seconds(one) for one in value.split(",")]
    if not isinstance(value, Sequence) or not all(
        isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) and one >= 0 for one in value
    ):
        raise SettingsError(f"cuts is {shown(value)}; expected auto, none, or times, as 3.2s,7s")
    return tuple(sorted({float(one) for one in value}))


def seconds(text: str) -> float:
    """A time as a person writes it, in seconds.

    Raises:
        SettingsError: It is no time.

    Example:
        >>> seconds("3s"), seconds("1:02.5"), seconds("250ms"), seconds("1:00:00")
        (3.0, 62.5, 0.25, 3600.0)
    """
    written = text.strip().lower()
    if re.fullmatch(r"\d{1,7}(\.\d+)?(ms|s)?", written):
        return float(written[:-2]) / 1000 if written.endswith("ms") else float(written.removesuffix("s"))
    if re.fullmatch(r"(\d{1,3}:)?\d{1,3}:\d{1,2}(\.\d+)?", written):
        total = 0.0
        for part in written.split(":"):
            total = 60 * total + float(part)
        return total
    raise SettingsError(f"{shown(text)} is no time; expected seconds, as 3.5s, or minutes and seconds, as 1:02.5")
