"""How the things of a video move from one frame to the next, and where that can be told.

The one idea: the motion is that of the source, never of the dream, and it is measured from what the carried detail
lies on (:class:`Ground`), not from the frame before. So a place that has not moved by a visible amount keeps its
detail to the bit, however long the video is, and a motion too slow to be seen from frame to frame is still followed
once it adds up.

Works on small grey frames. Must not import: networks, Keras, files.

References:
    Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow using Dense Inverse Search", arXiv:1603.03590 (the flow).
    Sundaram, Brox and Keutzer, "Dense Point Trajectories by GPU-Accelerated Large Displacement Optical Flow", 2010
    (where the flow there and the flow back disagree, something is hidden).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size, StoredArray, as_float, as_stored, fitted, resize, resize_stored

MOST_SIDE = 640
"""Pixels: the motion is measured on frames no larger, and is as fine as that."""

_STILL = 0.25  # Pixels of the small frame: a smaller motion is not followed until it has become larger.
_STILL_OVER = 15  # Pixels: noise moves every patch somewhere; over so many it does not.
_FADED = 0.04  # Of [0, 1]: a place that has become so much brighter or darker is looked at anew.
_OTHER = 0.2  # Of [0, 1]: a place that differs so much from what it is said to come from comes from elsewhere.
_AGREE, _AGREE_LEAST = 0.01, 0.5  # Sundaram's: a share of the squared motions, and squared pixels.
_SMALLEST = 16  # Pixels: no patch of the method fits into less.
_MOST_HIDDEN = 0.65  # Of a frame: with more it is another shot.
_RIM = 2.0  # Pixels of deviation: how softly a hidden place ends.

Grey = NDArray[np.uint8]


def small_grey(frame: StoredArray) -> Grey:
    """A frame as its motion is measured on it: grey, in 8 bits, its longer side 640 pixels at the most.

    Args:
        frame: ``(height, width, 3)`` RGB as it is stored.
    """
    small = as_float(resize_stored(frame, fitted((frame.shape[0], frame.shape[1]), MOST_SIDE)))
    return np.asarray(as_stored(np.clip(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), 0, 1), np.uint8))


@dataclass(frozen=True, eq=False)
class Motion:
    """Where each place of a frame comes from.

    Attributes:
        flow: ``(height, width, 2)`` in pixels, x before y: what is at a place now was at the place plus this.
            Zero where it is still.
        seen: ``(height, width)`` in [0, 1]: how surely it was there to be seen.
        still: ``(height, width)``: what has neither moved nor changed.
    """

    flow: FloatArray
    seen: FloatArray
    still: NDArray[np.bool_]

    @property
    def is_lost(self) -> bool:
        """Whether so little was there before that the frame begins anew, as after a cut that nobody noticed."""
        return float(self.seen.mean()) < 1 - _MOST_HIDDEN

    def at(self, size: Size) -> Motion:
        """The same for frames of another size."""
        height, width = self.seen.shape
        if (height, width) == size:
            return self
        flow = resize(self.flow, size) * np.array([size[1] / width, size[0] / height], np.float32)
        still = cv2.resize(self.still.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST).astype(np.bool_)
        return Motion(np.where(still[..., None], np.float32(0), flow), np.clip(resize(self.seen, size), 0, 1), still)


class Ground:
    """What the carried detail lies on: a small grey frame, each place of it as it was when the detail last moved.

    Args:
        grey: As :func:`small_grey` gives it; for the first frame, that frame.
    """

    def __init__(self, grey: Grey) -> None:
        self.grey = grey

    def to_next(self, to: Grey) -> Motion:
        """The motion from here to the next frame, whose ground this is from then on.

        Args:
            to: The next frame, as :func:`small_grey` gives it.
        """
        motion = _motion(self.grey, to)
        self.grey = np.where(motion.still, self.grey, to)
        return motion


def _motion(here: Grey, there: Grey) -> Motion:
    if np.array_equal(here, there):
        return Motion(
            np.zeros((*there.shape, 2), np.float32), np.ones(there.shape, np.float32), np.ones_like(there, bool)
        )
    back, forth = flow(there, here), flow(here, there)
    still = (_mean_length(back) < _STILL) & (_apart(here, there) < _FADED)
    back = np.where(still[..., None], np.float32(0), back)
    seen = ~hidden(back, forth) & (_apart(moved(here, back), there) < _OTHER) | still
    return Motion(back, _softened(seen), still)


def flow(of: Grey, to: Grey) -> FloatArray:
    """The optical flow: where what is at each place of one frame is in another.

    Args:
        of: ``(height, width)`` uint8.
        to: The same of the other frame.

    Returns:
        ``(height, width, 2)`` in pixels, x before y; for equal frames exactly zero.

    Example:
        >>> grey = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
        >>> flow(grey, grey).any()
        np.False_
    """
    if min(of.shape) < _SMALLEST:
        return _nowhere(of)
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(method.calc(of, to, _nowhere(of)), np.float32)


def _nowhere(frame: Grey) -> FloatArray:
    return np.zeros((*frame.shape, 2), np.float32)


def moved(picture: NDArray[np.generic], by: FloatArray, *, sharp: bool = False) -> FloatArray:
    """A picture moved: each place takes what is at the place plus the flow.

    Args:
        picture: ``(height, width)`` or ``(height, width, channels)``.
        by: ``(height, width, 2)``, as :attr:`Motion.flow`.
        sharp: Keep fine detail, which many movements would blur.

    Example:
        >>> row = np.array([[1, 2, 3, 4]], np.float32)
        >>> moved(row, np.full((1, 4, 2), (1, 0), np.float32)).tolist()
        [[2.0, 3.0, 4.0, 4.0]]
    """
    height, width = by.shape[:2]
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    how = cv2.INTER_LANCZOS4 if sharp else cv2.INTER_LINEAR
    where = across + by[..., 0], down + by[..., 1]
    given: Any = picture
    return np.asarray(cv2.remap(given, *where, how, borderMode=cv2.BORDER_REPLICATE), np.float32)


def hidden(back: FloatArray, forth: FloatArray) -> NDArray[np.bool_]:
    """Places of a frame that were not to be seen in the one before.

    Args:
        back: From this frame to the one before, ``(height, width, 2)`` in pixels.
        forth: From the one before to this.

    Returns:
        ``(height, width)``: where the way back and the way forth do not lead to where they began, or out of the
        picture.

    Example:
        >>> back = np.full((1, 4, 2), (-1, 0), np.float32)  # All has moved to the right.
        >>> hidden(back, -back).tolist()
        [[True, False, False, False]]
    """
    height, width = back.shape[:2]
    there = moved(forth, back)
    apart = ((back + there) ** 2).sum(-1)
    long = (back**2).sum(-1) + (there**2).sum(-1)
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    x, y = across + back[..., 0], down + back[..., 1]
    outside = (x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)
    return np.asarray((apart > _AGREE * long + _AGREE_LEAST) | outside)


def _mean_length(by: FloatArray) -> FloatArray:
    mean = cv2.blur(by, (_STILL_OVER, _STILL_OVER), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.hypot(mean[..., 0], mean[..., 1]), np.float32)


def _apart(one: NDArray[np.generic], other: Grey) -> FloatArray:
    """How much two frames differ around each place, in [0, 1]."""
    return cv2.blur(np.abs(one.astype(np.float32) - other.astype(np.float32)), (5, 5)) / np.float32(255)


def _softened(seen: NDArray[np.bool_]) -> FloatArray:
    """The same with soft edges, and a little less of it: beside an edge the flow is that of the other side."""
    if seen.all():
        return np.ones(seen.shape, np.float32)
    kept = cv2.erode(seen.astype(np.uint8), np.ones((5, 5), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(kept.astype(np.float32), (0, 0), _RIM, borderType=cv2.BORDER_REPLICATE))
