"""What is carried from frame to frame: the detail that a dream laid over its frame, moved as the things below it move.

The one idea: a frame is its source, plus the detail of the frame before moved along, plus a short climb from there. How
much of the climb is taken is told place by place: all of it where something has come into sight, until it is as ripe
as the first frame was; a little where things have moved, which keeps the detail sharp; nothing where all is still. And
what has moved is held, place by place, at the mean and the strength that it had when it became ripe. So a still picture
stays as it is to the bit, and nothing adds up.

Must not import: files, the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size, StoredArray, as_float, resize, resize_stored, scaled
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import DreamStep, planned_steps
from dreamer.filming.motion import Motion, moved

Half = NDArray[np.float16]

_PLAIN = DreamSettings()  # Shows a dream as it was climbed.
_AREA = 8  # Pixels, of either side of what strength and mean are measured over; softened over twice as many more.
_SOFT = 2.0
_MOST_GAIN = 1.05  # Moving blurs a little, which this makes up for; more would bring out noise.
_RIPE = 0.999
_LEAST_STRENGTH = 1e-3


@dataclass(frozen=True, eq=False)
class Carried:
    """What is handed on from a frame to the next, in half precision, as it is kept on the disk.

    Attributes:
        detail: ``(height, width, 3)``: the dream less its frame.
        ripe: ``(height, width)`` in [0, 1]: which share of a whole dream's steps each place has had.
        mean: ``(rows, columns, 3)``: the mean of the detail around each place, when the place became ripe.
        strength: ``(rows, columns)``: its deviation around each place then.
    """

    detail: Half
    ripe: Half
    mean: Half
    strength: Half

    def arrays(self) -> dict[str, Half]:
        """All of it by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @property
    def size(self) -> Size:
        """``(height, width)`` of the dream."""
        return self.ripe.shape[0], self.ripe.shape[1]


@dataclass(frozen=True)
class Climb:
    """How frames are climbed.

    Attributes:
        plan: Of a whole dream.
        next_steps: Steps in each octave of a frame to which something is carried.
        carry: Which share of the detail stays as it was carried, where things have moved.
        note: Told in a line what is done otherwise than asked.
        on_step: Called after every step.
    """

    plan: DreamPlan
    next_steps: int
    carry: float
    note: Callable[[str], None]
    on_step: Callable[[DreamStep], None] = lambda _step: None

    def first(self, frame: StoredArray, finish: Finish) -> Carried:
        """The dream of a frame to which nothing is carried.

        Args:
            frame: ``(height, width, 3)`` RGB as it is stored.
            finish: Of the frame, whose mask confines the climb.
        """
        dream = self._climbed(self.plan, frame, finish)
        size = dream.shape[0], dream.shape[1]
        detail = dream - as_float(resize_stored(frame, size))
        mean, strength = _levels(detail)
        return Carried(
            detail.astype(np.float16),
            np.ones(size, np.float16),
            mean.astype(np.float16),
            strength.astype(np.float16),
        )

    def next(self, frame: StoredArray, finish: Finish, before: Carried, motion: Motion) -> Carried:
        """The dream of a frame to which that of the frame before is carried.

        Args:
            frame: ``(height, width, 3)`` RGB as it is stored.
            finish: Of the frame.
            before: What the frame before hands on.
            motion: From the frame before, of the source, at any size.
        """
        size = before.size
        motion = motion.at(size)
        if motion.still.all() and (before.ripe >= _RIPE).all():
            return before
        source = as_float(resize_stored(frame, size))
        detail, ripe = _moved_along(before, motion)
        base = np.clip(source + detail, 0, 1)
        plan = self.plan.with_settings(steps=self.next_steps, max_size=None)
        climbed = self._climbed(plan, base, finish) - base
        taken = 1 - ripe + (1 - self.carry) * ripe * ~motion.still
        dreamt = np.clip(source + detail + taken[..., None] * climbed, 0, 1) - source
        # What rests is not clipped anew either: noise below it would eat it away where it is near white or black.
        detail = np.where((motion.still & (taken == 0))[..., None], detail, dreamt)
        riper = np.minimum(1, ripe + self.next_steps / self.plan.settings.steps)
        return _held(detail, ripe, riper, before, motion)

    def _climbed(self, plan: DreamPlan, picture: StoredArray, finish: Finish) -> FloatArray:
        for step in planned_steps(plan, picture, note=self.note, finish=finish):
            self.on_step(step)
        return step.finished(_PLAIN)


def shown(frame: StoredArray, carried: Carried, finish: Finish) -> FloatArray:
    """A finished frame, ``(height, width, 3)`` in [0, 1].

    Args:
        frame: As it is stored, of any size.
        carried: What was dreamt.
        finish: How it is shown.
    """
    source = resize_stored(frame, carried.size)
    dream = np.clip(as_float(source) + carried.detail.astype(np.float32), 0, 1)
    return np.asarray(finish(dream, source), np.float32)


def _moved_along(before: Carried, motion: Motion) -> tuple[FloatArray, FloatArray]:
    """Detail and ripeness where the things are by now; nothing where they have come into sight."""
    detail, ripe = before.detail.astype(np.float32), before.ripe.astype(np.float32)
    still = motion.still
    if not still.all():
        detail = np.where(still[..., None], detail, moved(detail, motion.flow, sharp=True) * motion.seen[..., None])
        ripe = np.where(still, ripe, moved(ripe, motion.flow) * motion.seen)
    return detail, np.clip(ripe, 0, 1)


def _held(detail: FloatArray, ripe: FloatArray, riper: FloatArray, before: Carried, motion: Motion) -> Carried:
    """A frame's detail at the mean and the strength that its things had."""
    mean, strength = _levels(detail)
    rows = mean.shape[:2]
    along = motion.at((rows[0], rows[1]))
    known_mean = moved(before.mean.astype(np.float32), along.flow)
    known_strength = moved(before.strength.astype(np.float32), along.flow)
    # What is not ripe yet has no strength to be held at; once it is, it has that of then.
    is_ripe = resize(ripe, (rows[0], rows[1])) >= _RIPE
    wanted_mean = np.where(is_ripe[..., None], known_mean, mean)
    wanted = np.where(is_ripe, known_strength, strength)
    gain = np.minimum(wanted / np.maximum(strength, _LEAST_STRENGTH), _MOST_GAIN)
    size = before.size
    held = (detail - _spread(mean, size)) * _spread(gain, size)[..., None] + _spread(wanted_mean, size)
    held = np.where(motion.still[..., None], detail, held)
    return Carried(
        held.astype(np.float16), riper.astype(np.float16), wanted_mean.astype(np.float16), wanted.astype(np.float16)
    )


def _levels(detail: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation of a detail around each place, coarsely."""
    size = scaled((detail.shape[0], detail.shape[1]), 1 / _AREA)
    mean = _soft(resize(detail, size))
    square = _soft(resize((detail**2).sum(-1), size))
    return mean, np.sqrt(np.maximum(square - (mean**2).sum(-1), 0))


def _soft(coarse: FloatArray) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(coarse, (0, 0), _SOFT, borderType=cv2.BORDER_REPLICATE))


def _spread(coarse: FloatArray, size: Size) -> FloatArray:
    """What is known coarsely, at each place."""
    return np.asarray(cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_LINEAR))
