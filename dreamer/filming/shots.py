"""The dream of a shot, frame by frame: where climbs, looks, masks and motion meet.

The one idea: all that a frame needs of those before it is a :class:`State`, which can be kept and gone on from.

Must not import the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from dreamer import videos
from dreamer.arrays import FloatArray, Size, StoredArray, as_float, as_stored, resize, resize_stored
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import DreamStep
from dreamer.filming.carrying import Carried, Climb, shown
from dreamer.filming.flicker import warping_error
from dreamer.filming.masks import MaskVideo
from dreamer.filming.motion import Grey, Ground, Motion, small_grey
from dreamer.filming.scanning import Shot
from dreamer.filming.settings import VideoSettings
from dreamer.filming.timeline import Timeline
from dreamer.videos import Video

_MOST_GAIN = 2**0.5  # Of what two looks that have nothing in common lose where they are mixed.


@dataclass(frozen=True, eq=False)
class State:
    """What a frame leaves to the next.

    Attributes:
        index: Of the frame.
        ground: What the carried detail lies on.
        carried: The detail of each climb that is under way, by its place among the timeline's.
        small: The shown frame, small, in 8 bits, against which flicker is measured.
    """

    index: int
    ground: Grey
    carried: Mapping[int, Carried]
    small: StoredArray


@dataclass(frozen=True, eq=False)
class ShotStep:
    """A finished frame.

    Attributes:
        picture: ``(height, width, 3)`` in [0, 1].
        time: Seconds from the beginning of the video.
        flicker: How much it differs from the frame before, moved along; None for the first of a shot.
        state: What it leaves to the next.
    """

    picture: FloatArray
    time: float
    flicker: float | None
    state: State


class ShotDream:
    """Dreams the frames of shots.

    Args:
        video: The video.
        timeline: How frames are dreamt.
        plans: Of each of the timeline's climbs.
        settings: How they are carried on.
        note: Told in a line what is done otherwise than asked.
        on_step: Called after every step of a climb.
    """

    def __init__(
        self,
        video: Video,
        timeline: Timeline,
        plans: tuple[DreamPlan, ...],
        settings: VideoSettings,
        *,
        note: Callable[[str], None],
        on_step: Callable[[DreamStep], None] = lambda _step: None,
    ) -> None:
        self._video = video
        self._timeline = timeline
        self._climbs = [
            Climb(plan, settings.steps_of_next(plan.settings), settings.carry, note, on_step)
            for plan in map(_without_mask_video, plans)
        ]

    def frames(
        self, shot: Shot, driven: Mapping[int, Mapping[str, float]], state: State | None = None
    ) -> Iterator[ShotStep]:
        """Dream a shot.

        Args:
            shot: Which.
            driven: Settings of the finish that the sound drives, by the index of the frame.
            state: To go on behind a frame; None to begin.
        """
        done = 0 if state is None else state.index + 1 - shot.first
        if done == len(shot.pts):
            return
        with ExitStack() as stack:
            masks = _Masks(stack)
            for place, frame in zip(range(done, len(shot.pts)), self._video.frames(shot.pts[done]), strict=False):
                index, time = shot.first + place, shot.times[place]
                step = self._frame(frame.pixels, index, time, driven.get(index, {}), masks, state)
                state = step.state
                yield step

    def _frame(
        self,
        frame: StoredArray,
        index: int,
        time: float,
        driven: Mapping[str, float],
        masks: _Masks,
        before: State | None,
    ) -> ShotStep:
        grey = small_grey(frame)
        ground, motion = _moved_ground(before, grey)
        looks = self._timeline.at(time)
        carried: dict[int, Carried] = {}
        for look in {self._timeline.climb_of(look): look for _, look in looks}.values():
            climb = self._timeline.climb_of(look)
            finish = masks.finish(look.settings, time, frame)
            held = None if before is None else before.carried.get(climb)
            if held is None or motion is None:
                carried[climb] = self._climbs[climb].first(frame, finish)
            else:
                carried[climb] = self._climbs[climb].next(frame, finish, held, motion)
        layers = []
        for weight, look in looks:
            finish = masks.finish(DreamSettings.merged(look.settings, driven), time, frame)
            layers.append((weight, shown(frame, carried[self._timeline.climb_of(look)], finish)))
        picture = _mixed(layers, frame)
        small = _small(picture, (grey.shape[0], grey.shape[1]))
        flicker = None
        if before is not None and motion is not None:
            flicker = warping_error(small, before.small, motion.flow, motion.seen)
        return ShotStep(picture, time, flicker, State(index, ground.grey, carried, small))


class _Masks:
    """What makes the shown picture of frames, with the mask of their time; videos are opened once."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._videos: dict[str, MaskVideo] = {}
        self._still = lru_cache(maxsize=4)(Finish)  # Which has stretched its mask once for all frames.

    def finish(self, settings: DreamSettings, time: float, frame: StoredArray) -> Finish:
        mask = settings.mask
        if mask is None or not videos.is_video(mask):
            return Finish(settings, photo=frame) if settings.calm else self._still(settings)
        if mask not in self._videos:
            self._videos[mask] = self._stack.enter_context(MaskVideo(Path(mask)))
        shown = self._videos[mask].at(time)
        return Finish(settings, frame, masks=lambda told: None if told.mask is None else shown)


def _moved_ground(before: State | None, grey: Grey) -> tuple[Ground, Motion | None]:
    """The ground of a frame, and how it came there; no motion where the frame begins anew."""
    if before is None:
        return Ground(grey), None
    ground = Ground(before.ground)
    motion = ground.to_next(grey)
    return (Ground(grey), None) if motion.is_lost else (ground, motion)


def _mixed(layers: Sequence[tuple[float, FloatArray]], frame: StoredArray) -> FloatArray:
    """Finished frames mixed by their weights, no weaker than they are: details that differ cancel each other."""
    if len(layers) == 1:
        return layers[0][1]
    source = as_float(resize_stored(frame, (layers[0][1].shape[0], layers[0][1].shape[1])))
    details = [picture - source for _, picture in layers]
    mixed = sum((weight * detail for (weight, _), detail in zip(layers, details, strict=True)), np.zeros_like(source))
    wanted = sum(weight * float(detail.std()) for (weight, _), detail in zip(layers, details, strict=True))
    gain = min(max(1.0, wanted / max(float(mixed.std()), 1e-6)), _MOST_GAIN)
    return np.asarray(np.clip(source + np.float32(gain) * mixed, 0, 1), np.float32)


def _small(picture: FloatArray, size: Size) -> StoredArray:
    return as_stored(np.clip(resize(picture, size), 0, 1), np.uint8)


def _without_mask_video(plan: DreamPlan) -> DreamPlan:
    """The plan without a mask that is a video, since the mask of each frame is given with the frame."""
    mask = plan.settings.mask
    return plan.with_settings(mask=None, mask_invert=False) if mask is not None and videos.is_video(mask) else plan
