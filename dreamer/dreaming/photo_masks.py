"""The masks of a photo: those of files belong to the whole of it, and are cut as it is.

Must not import: networks, Keras.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size
from dreamer.dreaming.finish import feathered, mask_of_file
from dreamer.dreaming.framing import Box
from dreamer.dreaming.settings import DreamSettings


class PhotoMasks:
    """Gives the mask that settings name for a photo of which a part is dreamt; each is found once.

    Args:
        size: ``(height, width)`` of the whole photo, to which masks are stretched.
        box: The part.
    """

    def __init__(self, size: Size, box: Box) -> None:
        self._size = size
        self._box = box
        self._found: dict[str, NDArray[np.uint8]] = {}

    def __call__(self, settings: DreamSettings) -> NDArray[np.uint8] | None:
        """The mask of the part, of any size; None where the settings name none.

        Raises:
            ImageReadError: It cannot be read.
        """
        if settings.mask is None:
            return None
        if settings.mask not in self._found:
            mask = mask_of_file(settings)
            if mask is not None and self._box.size != self._size:
                mask = np.ascontiguousarray(feathered(mask, self._size, 0)[self._box.rows, self._box.columns])
            if mask is not None:
                self._found[settings.mask] = mask
        return self._found[settings.mask]
