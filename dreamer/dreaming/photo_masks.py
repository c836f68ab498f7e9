"""The masks of a photo: those of files, which belong to the whole of it and are cut as it is, and those made from it.

Must not import: Keras. (What networks answer to makes some of them; ``masking`` asks one only for these.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size, StoredArray
from dreamer.dreaming.finish import feathered, mask_of_file
from dreamer.dreaming.framing import Box
from dreamer.dreaming.settings import DreamSettings
from dreamer.mask_kinds import is_kind


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
