"""Photos for training: found in folders, some held out, cut and coloured at random in a way that can be repeated.

Must not import Keras: batches are made beside the training, in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np

from dreamer import images
from dreamer.arrays import FloatArray, as_float
from dreamer.errors import DreamerError

HELD_OUT_EVERY, HELD_OUT_FROM = 10, 7
_LARGEST_SIDE = 340  # Of a photo that is kept in memory; crops are much smaller.
_AHEAD = 4  # Batches that are made while the training works.

Made = TypeVar("Made")

LEAST_CROP = 0.5
COLOR_GAIN = 0.25
BRIGHTNESS = 0.05


class Split(NamedTuple):
    """Photos by what they are for.

    Attributes:
        training: Those to learn from; a folder that is named several times counts so often.
        held_out: Every tenth of each folder, which training never sees.
    """

    training: list[Path]
    held_out: list[Path]


class Batch(NamedTuple):
    """Photos as a step is given them.

    Attributes:
        seen: ``(batch, side, side, 3)`` float32 in [0, 1], for the student.
        larger: The same crops, ``(batch, larger side, larger side, 3)``, for the teacher.
    """

    seen: FloatArray
    larger: FloatArray


def find(folders: Sequence[Path]) -> Split:
    """All photos below some folders, every tenth of each held out.

    Raises:
        DreamerError: A folder has no photos.
    """
    training: list[Path] = []
    held_out: dict[Path, None] = {}
    for folder in folders:
        for index, path in enumerate(every([folder])):
            if index % HELD_OUT_EVERY == HELD_OUT_FROM:
                held_out[path] = None
            else:
                training.append(path)
    return Split(training, list(held_out))


def every(folders: Sequence[Path]) -> list[Path]:
    """All photos below some folders, in order.

    Raises:
        DreamerError: A folder has no photos.
    """
    found: list[Path] = []
    for folder in folders:
        here = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
        if not here:
            raise DreamerError(f"there are no photos in {folder}; expected .jpg, .png or .webp, in folders or not")
        found += here
    return found


class Batches:
    """Batches of photos, one for each step of a training; the same seed and step give the same batch.

    Args:
        paths: The photos.
        size: How many make a batch.
        side: Pixels of the sides of what the student sees.
        larger: The same for the teacher.
        mixtures: Share of the photos that are laid over another of the batch, faintly or half and half.
        seed: Everything random comes from it.
    """

    def __init__(
        self, paths: Sequence[Path], *, size: int, side: int, larger: int, mixtures: float = 0.0, seed: int = 0
    ) -> None:
        self._paths = paths
        self._size, self._side, self._larger = size, side, larger
        self._mixtures = mixtures
        self._seed = seed
        self._kept: dict[Path, np.ndarray] = {}

    def following(self, first: int) -> Iterator[Batch]:
        """The batches from one step on, made ahead."""
        return made_ahead(self.batch, first)

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 0."""
        rng = np.random.default_rng((self._seed, 1, step))
        crops = [_crop(self._photo(place), rng) for place in range(step * self._size, (step + 1) * self._size)]
        colors = [_colors(rng) for _ in crops]
        seen, larger = (
            np.stack([_seen(crop, side, *color) for crop, color in zip(crops, colors, strict=True)])
            for side in (self._side, self._larger)
        )
        shares = (rng.random(self._size) < self._mixtures) * rng.uniform(0, 0.5, self._size)
        return Batch(_mixed(seen, shares), _mixed(larger, shares))

    def _photo(self, place: int) -> np.ndarray:
        """The photo at a place of an endless list, in which each stands once before any stands twice."""
        epoch, index = divmod(place, len(self._paths))
        return self._read(self._paths[self._order(epoch)[index]])

    def _order(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((self._seed, 0, epoch)).permutation(len(self._paths))

    def _read(self, path: Path) -> np.ndarray:
        if path not in self._kept:
            self._kept[path] = small(path)
        return self._kept[path]


def made_ahead(batch: Callable[[int], Made], first: int) -> Iterator[Made]:
    """What each step is given, from one step on: made beside the training, some steps ahead."""
    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(batch, step) for step in range(first, first + _AHEAD)]
        step = first + _AHEAD
        while True:
            yield waiting.pop(0).result()
            waiting.append(pool.submit(batch, step))
            step += 1


def small(path: Path) -> np.ndarray:
    """A photo as ``(height, width, 3)`` uint8, its longer side no more than crops have a use for."""
    pixels = as_float(images.read(path, max_side=_LARGEST_SIDE).pixels)
    return np.rint(pixels * 255).astype(np.uint8)


def centre(path: Path, side: int) -> FloatArray:
    """The square in the middle of a photo, ``(side, side, 3)`` float32 in [0, 1]."""
    pixels = as_float(images.read(path).pixels)
    shorter = min(pixels.shape[:2])
    top, left = ((length - shorter) // 2 for length in pixels.shape[:2])
    return cv2.resize(pixels[top : top + shorter, left : left + shorter], (side, side), interpolation=cv2.INTER_AREA)


def _crop(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = photo.shape[:2]
    side = max(2, round(min(height, width) * rng.uniform(LEAST_CROP, 1)))
    top, left = (int(rng.integers(length - side + 1)) for length in (height, width))
    crop = photo[top : top + side, left : left + side]
    return crop[:, ::-1] if rng.random() < 0.5 else crop


def _colors(rng: np.random.Generator) -> tuple[FloatArray, float]:
    gains = rng.uniform(1 - COLOR_GAIN, 1 + COLOR_GAIN, 3).astype(np.float32)
    return gains, float(rng.uniform(-BRIGHTNESS, BRIGHTNESS))


def _seen(crop: np.ndarray, side: int, gains: FloatArray, brightness: float) -> FloatArray:
    how = cv2.INTER_AREA if crop.shape[0] > side else cv2.INTER_LINEAR
    pixels = cv2.resize(crop, (side, side), interpolation=how).astype(np.float32) / 255
    return np.clip(pixels * gains + brightness, 0, 1)


def _mixed(pictures: FloatArray, shares: FloatArray) -> FloatArray:
    others = np.roll(pictures, 1, axis=0)
    weights = shares.astype(np.float32)[:, None, None, None]
    return (1 - weights) * pictures + weights * others
