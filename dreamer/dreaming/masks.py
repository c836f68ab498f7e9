"""Masks of dreams: what a file says about where to dream, or what is made from the photo, brought to a size.

The one idea: whoever finishes a dream asks for the mask that settings name, and gets it as it was found; inverting and
softening come later, at the size at hand. Masks of files belong to the whole of a photo and are cut as it is.

Must not import: Keras. (What networks answer to makes some masks; ``masking`` asks one only for these.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer import images, wrapping
from dreamer.arrays import LUMA, Size, StoredArray, as_float, as_stored, resize, scaled, strips
from dreamer.dreaming.framing import Box
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import ImageReadError
from dreamer.files.digests import stamp_of
from dreamer.mask_kinds import is_kind

_BLURRED_AT = 8.0  # Pixels of deviation: a softer mask is blurred at a smaller size, which looks the same.
_SEEN = 4  # Deviations, beyond which a blur sees nothing.

Masks = Callable[[DreamSettings], NDArray[np.uint8] | None]
"""The mask that settings name, as :func:`mask_of` gives it; None where they name none."""


class PhotoMasks:
    """Gives the mask that settings name for a photo, or for a part of one; each is found once.

    Args:
        photo: ``(height, width, 3)`` RGB as it is stored: what is dreamt of.
        size: ``(height, width)`` of the whole photo, to which masks of files are stretched.
        box: Which part of the whole is dreamt of; None for all of it.
    """

    def __init__(self, photo: StoredArray, size: Size | None = None, box: Box | None = None) -> None:
        self._photo = photo
        self._size = size
        self._box = box
        self._found: dict[str, NDArray[np.uint8] | None] = {}

    def __call__(self, settings: DreamSettings) -> NDArray[np.uint8] | None:
        """The mask of the part, of any size, not inverted; None where the settings name none.

        Raises:
            ImageReadError: It cannot be read.
            SettingsError: Nothing of its kind is found in the photo.
        """
        if settings.mask is None:
            return None
        if settings.mask not in self._found:
            self._found[settings.mask] = self._find(settings)
        return self._found[settings.mask]

    def _find(self, settings: DreamSettings) -> NDArray[np.uint8] | None:
        if settings.mask is not None and is_kind(settings.mask):
            from dreamer.masking.calls import levels_of

            return levels_of(self._photo, settings.mask)
        mask = mask_of_file(settings)
        if mask is None or self._box is None or self._size is None or self._box.size == self._size:
            return mask
        return np.ascontiguousarray(feathered(mask, self._size, 0)[self._box.rows, self._box.columns])


def mask_of_file(settings: DreamSettings) -> NDArray[np.uint8] | None:
    """The mask of the file that settings name, which is read once for all photos and frames of a process.

    Returns:
        ``(height, width)``: 255 where to dream; None where they name none, or a kind that is made from a photo.

    Raises:
        ImageReadError: It cannot be read.
    """
    if settings.mask is None or is_kind(settings.mask):
        return None
    path = Path(settings.mask)
    try:
        return _read_mask(path, stamp_of(path))
    except OSError as error:
        raise ImageReadError(f"cannot read the mask {path}: {error.strerror}") from error


@lru_cache(maxsize=8)
def _read_mask(path: Path, _stamp: str) -> NDArray[np.uint8]:
    return mask_of(images.read(path, compact=True))


def mask_of(picture: images.Photo) -> NDArray[np.uint8]:
    """What a picture says about where to dream.

    Args:
        picture: Its transparency counts if it has any, its brightness otherwise.

    Returns:
        ``(height, width)``: 255 where to dream.

    Example:
        >>> mask_of(images.Photo(np.ones((2, 3, 3), np.float32))).tolist()
        [[255, 255, 255], [255, 255, 255]]
    """
    if picture.alpha is not None:
        return np.asarray(as_stored(as_float(picture.alpha), np.uint8))
    brightness = np.empty(picture.pixels.shape[:2], np.uint8)
    for rows in strips(len(brightness)):
        brightness[rows] = as_stored(np.clip(as_float(picture.pixels[rows]) @ LUMA, 0, 1), np.uint8)
    return brightness


def feathered(mask: NDArray[np.uint8], size: Size, share: float, *, wraps: bool = False) -> NDArray[np.uint8]:
    """Bring a mask to a size and soften its edges.

    Args:
        mask: ``(height, width)``.
        size: The wanted ``(height, width)``.
        share: Deviation of the blur, of the longer side.
        wraps: Whether opposite edges meet, so that what ends at one ends softly at the other.

    Returns:
        uint8 of that size.
    """
    deviation = share * max(size)
    shrink = min(1.0, _BLURRED_AT / deviation) if deviation > 0 else 1.0
    small = resize(as_float(mask), scaled(size, shrink))
    if deviation * shrink > 0:
        margin = math.ceil(_SEEN * deviation * shrink) if wraps else 0
        wide = cv2.GaussianBlur(
            wrapping.margined(small, margin), (0, 0), deviation * shrink, borderType=cv2.BORDER_REPLICATE
        )
        small = wide[margin : margin + small.shape[0], margin : margin + small.shape[1]]
    # Straight lines between pixels, since cubic ones would leave a rim beside a sharp edge.
    full = cv2.resize(small, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(as_stored(np.clip(full, 0, 1), np.uint8))
