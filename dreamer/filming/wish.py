"""What is asked of a video's dream, sorted: looks by their times, how they are carried on, and where the result goes.

Must not import Keras or anything that needs it: what is wrong with it is said at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamer import presets, videos
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.files.names import free_name
from dreamer.filming.settings import VideoSettings, seconds
from dreamer.filming.timeline import Look, Timeline
from dreamer.sources import result_names

At = Mapping[float, str | DreamSettings] | Mapping[str, str | DreamSettings]
"""Looks by the time from when they hold, in seconds or as ``"1:02.5"``: presets by name, as ``"lace"`` or
``"lace:0.5"``, a strength alone, as ``"0.5"``, or settings."""


_OF_ZOOMS = ("focus", "turn", "ease", "loop")


def wish_of(
    settings: DreamSettings | None, keywords: Mapping[str, Any], *, preset: str | None, at: At, trust: bool = False
) -> tuple[Timeline, VideoSettings]:
    """What is asked of a video's dream, sorted: looks by their times, and how they are carried on.

    Args:
        settings: Of frames; None for the defaults.
        keywords: Fields of either settings, on top.
        preset: A look to begin with, in place of settings.
        at: Looks by their times.
        trust: Whether presets from elsewhere may name any file.

    Raises:
        SettingsError: A value is impossible, a name unknown, or there are two looks to begin with.

    Example:
        >>> timeline, settings = wish_of(None, {"steps": 4, "carry": 0.5}, preset="lace", at={3: "0.2"})
        >>> [(look.time, look.settings.strength) for look in timeline.looks], settings.carry
        ([(0.0, 1.0), (3.0, 0.2)], 0.5)
    """
    if preset is not None and settings is not None:
        raise SettingsError("settings and preset are two looks to begin with; expected one, and keywords on top of it")
    own = {field.name for field in dataclasses.fields(VideoSettings)}
    changes = {name: value for name, value in keywords.items() if name not in own}
    for name in _OF_ZOOMS:
        if name in changes:
            raise SettingsError(f"{name} is of an endless zoom into a photo, and a video moves by itself; leave it out")
    first = _look(0.0, preset or settings or DreamSettings(), changes, trust=trust)
    looks = [
        _look(seconds(time) if isinstance(time, str) else float(time), look, changes, first, trust=trust)
        for time, look in at.items()
    ]
    timeline = Timeline((*([] if any(one.time == 0 for one in looks) else [first]), *looks))
    return timeline, VideoSettings.of(**{name: value for name, value in keywords.items() if name in own})


def _look(
    time: float, told: str | DreamSettings, changes: Mapping[str, Any], first: Look | None = None, *, trust: bool
) -> Look:
    """A look from a preset's name, perhaps with a strength behind a colon; a strength alone is of the first look."""
    if isinstance(told, DreamSettings):
        return Look(time, DreamSettings.merged(told, changes))
    name, strength = _strength_of(told)
    given = dict(changes) | ({} if strength is None else {"strength": strength})
    if not name:
        if first is None or strength is None:
            raise SettingsError(f"{told!r} names no look; expected a preset, as lace or lace:0.5")
        return dataclasses.replace(first, time=time, settings=dataclasses.replace(first.settings, strength=strength))
    found = presets.find(name, trust=trust)
    return Look(time, found.settings(**given), found.origin)


def _strength_of(told: str) -> tuple[str, float | None]:
    """``lace:0.5`` as a name and a strength; ``0.5`` as a strength alone."""
    name, _, number = told.rpartition(":")
    try:
        return name, float(number)
    except ValueError:
        return told, None


def result_of(source: Path, what: str = "dream") -> Path:
    """A free name for the dream of a video: the first whose video is not written yet, begun or not.

    Args:
        source: The video, or the pattern of a sequence.
        what: A word for what is made.

    Example:
        >>> result_of(Path("/nowhere/clip.mp4")).name
        'clip-dream.mp4'
    """
    if "%" in source.name:  # A sequence goes by its folder's name.
        folder = source.absolute().parent
        return free_name(result_names(folder.with_name(f"{folder.name}.png"), what, ".mp4"))
    return free_name(result_names(source, what, videos.video_suffix(source.suffix)))
