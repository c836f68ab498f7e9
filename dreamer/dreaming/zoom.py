"""Endless zooms into a dream, frame by frame.

The one idea: each frame begins as a part of the one before, magnified about the focus, and is dreamt a little further.
A shape grows by ``zoom`` from frame to frame, so after some frames it has grown by an octave; about the steps of a
whole dream are spread over these frames, and a frame costs a fraction of a dream.

It prints and writes nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, StoredArray
from dreamer.dreaming.framing import Point
from dreamer.dreaming.looping import ENOUGH, Returning
from dreamer.dreaming.masks import Masks, PhotoMasks
from dreamer.dreaming.moving import magnified
from dreamer.dreaming.paths import Move, moves, whole
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import DreamStep, planned_steps
from dreamer.settings import TINY

_SEED_STRIDE = 0x9E3779B97F4A7C15  # Of the golden ratio: frames of neighbouring seeds share no views.
_SHARPENED = 1.5  # Magnifying blurs, which takes steps to make up for; with 1 frames grow soft, looked at.


@dataclasses.dataclass(frozen=True, eq=False)
class ZoomStep:
    """One finished step of a frame.

    Attributes:
        frame: Index of the frame, from 0.
        num_frames: How many there are.
        dream: The step of the frame's dream; renders the frame as it is.
        progress: Share of all the work that is done, in (0, 1].
    """

    frame: int
    num_frames: int
    dream: DreamStep
    progress: float


def planned_frames(
    plan: DreamPlan,
    picture: StoredArray,
    *,
    note: Callable[[str], None],
    preview: bool = False,
    focus: Point | None = None,
    masks: Masks | None = None,
) -> Iterator[ZoomStep]:
    """Zoom into a dream step by step.

    Mask and strength hold in each frame, as on a window that the dream moves behind. Blending, contrast and
    saturation are of the shown frame only: taken along, they would grow with every frame.

    Args:
        plan: What to do; ``frames`` and ``zoom`` of its settings say how far, ``turn``, ``ease`` and ``loop`` how.
        picture: ``(height, width, 3)`` RGB: float32 in [0, 1], or uint8 or uint16 levels.
        note: Told in a line what is done otherwise than it was told.
        preview: Frames of the first octaves only.
        focus: The point of this picture that the zoom goes to; None for what the settings say.
        masks: As for :func:`planned_steps`; they are those of the photo in all frames.

    Yields:
        Each step once it is finished; a frame is finished when ``dream.is_last``.

    Raises:
        SettingsError, ModelError: As for :func:`dreamer.dream`.
    """
    settings = plan.settings
    carried = DreamSettings.merged(settings, {"blend": "normal", "contrast": 1, "saturation": 1})
    focus = focus or settings.focus
    way = moves(settings)
    if settings.loop:
        _check_loop(settings, way, note)
    plans = [plan, *(_of_frame(plan, frame, way[frame - 1]) for frame in range(1, settings.frames))]
    work, done = sum(map(_num_steps, plans)), 0
    first: FloatArray | None = None
    masks = masks or PhotoMasks(picture)
    held: NDArray[np.uint8] | None = None
    for frame, of_frame in enumerate(plans):
        taken = _num_steps(of_frame)
        for step in planned_steps(of_frame, picture, note=note, preview=preview and frame == 0, masks=masks, held=held):
            yield ZoomStep(frame, settings.frames, step, (done + taken * step.progress) / work)
        done += taken
        shown = step.finished(carried)
        del step
        if frame + 1 == settings.frames:
            return
        first = shown if first is None else first
        picture = magnified(_toned_as(shown, first), way[frame].zoom, way[frame].turn, focus)
        if settings.loop:
            picture, held = Returning(first, way, focus).laid(picture, frame + 1)


def frame_steps(settings: DreamSettings, pace: float = 1.0) -> int:
    """Steps of each octave in a frame that is not the first.

    Args:
        settings: Of the zoom.
        pace: How fast the zoom is there, as a multiple of the mean.

    Example:
        >>> settings = DreamSettings(steps=20, zoom=1.05, octave_scale=1.4)
        >>> frame_steps(settings), frame_steps(settings, 1.5), frame_steps(settings, 0.1)
        (4, 7, 1)
    """
    return max(1, round(_wanted_steps(settings, pace)))


def _wanted_steps(settings: DreamSettings, pace: float) -> float:
    octaves = math.log(settings.zoom) / math.log(settings.octave_scale)
    return pace * max(1.0, _SHARPENED * settings.steps * octaves)


def _check_loop(settings: DreamSettings, way: list[Move], note: Callable[[str], None]) -> None:
    """Say that a zoom is short for what it is to do."""
    total = whole(way).zoom
    if settings.frames > 1 and 1 < total < ENOUGH:
        enough = math.ceil(math.log(ENOUGH) / math.log(settings.zoom))
        note(
            f"the zoom magnifies {total:.3g} times in all, so that it fades over into its first frame; with "
            f"--frames {enough} it would fall into it"
        )


def _of_frame(plan: DreamPlan, frame: int, move: Move) -> DreamPlan:
    """The plan of a frame that is not the first; *move* leads to it."""
    seed = (plan.settings.seed + frame * _SEED_STRIDE) % 2**64
    # What it starts from has the size of the result already.
    return _paced(plan, move.pace).with_settings(seed=seed, max_size=None, upscale=1.0)


def _paced(plan: DreamPlan, pace: float) -> DreamPlan:
    """A plan with the steps of a frame, each look with its own."""
    changes = [_steps_of(part, pace) for part in plan.settings.parts]
    if not plan.looks:
        return plan.with_settings(**changes[0])
    looks = [
        dataclasses.replace(look, settings=dataclasses.replace(look.settings, **change))
        for look, change in zip(plan.settings.looks, changes, strict=True)
    ]
    return plan.with_settings(looks=looks)


def _steps_of(settings: DreamSettings, pace: float) -> dict[str, Any]:
    # Where a zoom rests, whole steps of frame after frame would go on dreaming in one place.
    size = max(TINY, settings.step_size * min(1.0, _wanted_steps(settings, pace)))
    return {"steps": frame_steps(settings, pace), "step_size": size}


def _num_steps(plan: DreamPlan) -> int:
    """Steps of each octave."""
    return max(part.steps for part in plan.settings.parts)


def _toned_as(picture: FloatArray, first: FloatArray) -> FloatArray:
    """A frame with the brightness and contrast of the first one: a dream of a dream would only get louder."""
    axes = (0, 1)
    deviation = picture.std(axis=axes)
    toned = (picture - picture.mean(axis=axes)) * (first.std(axis=axes) / np.maximum(deviation, 1e-3))
    return np.asarray(np.clip(toned + first.mean(axis=axes), 0, 1), np.float32)
