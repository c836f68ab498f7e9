"""Endless zooms into a dream, frame by frame.

The one idea: each frame begins as the middle of the one before, magnified, and is dreamt a little further. A shape
grows by ``zoom`` from frame to frame, so after some frames it has grown by an octave; about the steps of a whole
dream are spread over these frames, and a frame costs a fraction of a dream.

It prints and writes nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, StoredArray
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import DreamStep, made_mask, planned_steps

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
    mask: NDArray[np.uint8] | None = None,
) -> Iterator[ZoomStep]:
    """Zoom into a dream step by step.

    Mask and strength hold in each frame, as on a window that the dream moves behind. Blending, contrast and
    saturation are of the shown frame only: taken along, they would grow with every frame.

    Args:
        plan: What to do; ``frames`` and ``zoom`` of its settings say how far.
        picture: ``(height, width, 3)`` RGB: float32 in [0, 1], or uint8 or uint16 levels.
        note: Told in a line what is done otherwise than it was told.
        preview: Frames of the first octaves only.
        mask: As :func:`made_mask` gives it, where it is known already; it is that of the photo in all frames.

    Yields:
        Each step once it is finished; a frame is finished when ``dream.is_last``.

    Raises:
        SettingsError, ModelError: As for :func:`dreamer.dream`.
    """
    settings = plan.settings
    carried = dataclasses.replace(settings, blend="normal", contrast=1, saturation=1)
    shares = _shares(settings)
    first: FloatArray | None = None
    mask = made_mask(settings, picture) if mask is None else mask
    for frame in range(settings.frames):
        begins = preview and frame == 0
        for step in planned_steps(_of_frame(plan, frame), picture, note=note, preview=begins, mask=mask):
            within = step.progress
            yield ZoomStep(frame, settings.frames, step, sum(shares[:frame]) + shares[frame] * within)
        shown = step.finished(carried)
        del step
        first = shown if first is None else first
        picture = magnified(_toned_as(shown, first), settings.zoom)


def frame_steps(settings: DreamSettings) -> int:
    """Steps of each octave in every frame but the first.

    Example:
        >>> frame_steps(DreamSettings(steps=20, zoom=1.05, octave_scale=1.4))
        4
    """
    octaves = math.log(settings.zoom) / math.log(settings.octave_scale)
    return max(1, round(_SHARPENED * settings.steps * octaves))


def magnified(picture: FloatArray, zoom: float) -> FloatArray:
    """The middle of a picture, as large as the whole.

    Args:
        picture: ``(height, width, 3)`` in [0, 1].
        zoom: How much larger things become, 1 or more.
    """
    height, width = picture.shape[:2]
    # Where the pixels of the result come from, to a fraction of a pixel: whole ones would make it jump.
    shrink, rest = 1 / zoom, (1 - 1 / zoom) / 2
    matrix = np.array([[shrink, 0, (width - 1) * rest], [0, shrink, (height - 1) * rest]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    found = cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(found, 0, 1)


def _of_frame(plan: DreamPlan, frame: int) -> DreamPlan:
    if frame == 0:
        return plan
    seed = (plan.settings.seed + frame * _SEED_STRIDE) % 2**64
    # What it starts from has the size of the result already.
    return plan.with_settings(steps=frame_steps(plan.settings), seed=seed, max_size=None)


def _shares(settings: DreamSettings) -> list[float]:
    """What each frame takes of all the work."""
    steps = [settings.steps] + [frame_steps(settings)] * (settings.frames - 1)
    return [one / sum(steps) for one in steps]


def _toned_as(picture: FloatArray, first: FloatArray) -> FloatArray:
    """A frame with the brightness and contrast of the first one: a dream of a dream would only get louder."""
    axes = (0, 1)
    deviation = picture.std(axis=axes)
    toned = (picture - picture.mean(axis=axes)) * (first.std(axis=axes) / np.maximum(deviation, 1e-3))
    return np.asarray(np.clip(toned + first.mean(axis=axes), 0, 1), np.float32)
