"""Making a picture smaller while it is read, so that a large one never takes the memory of its full size.

The one idea: an average over rows and columns is one over columns, which can be taken of some rows at a time, and then
one over rows. So a picture is converted in bands of rows, each made narrow at once, and what comes out is the same as
if it had been made smaller afterwards. Where a decoder can itself give less (JPEG, JPEG 2000), it is asked for twice as
much as is wanted in the end, or more.

Must not know of formats but by what Pillow says of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from dreamer.arrays import FloatArray, Size, as_float, resize

_BAND_PIXELS = 1 << 22
_SPARE = 2  # Times the wanted size is the least that a decoder is asked for: what it drops would have been dropped.

Band = tuple[NDArray[Any], NDArray[Any] | None]
"""Rows of a picture: colour ``(rows, width, channels)`` and alpha ``(rows, width)`` or None, as they are stored."""


def ask_for_less(image: ImageFile.ImageFile, wanted: Size, levels: int = 0) -> Size:
    """Have a decoder that can do so decode a picture at less than its size.

    Args:
        image: The picture, not yet decoded; its size changes.
        wanted: ``(height, width)`` in the end.
        levels: How often a JPEG 2000 can be halved.

    Returns:
        The ``(height, width)`` that will be decoded.
    """
    width, height = image.size
    spare = min(width // (_SPARE * wanted[1]), height // (_SPARE * wanted[0]))
    if spare >= 2 and image.format in ("JPEG", "MPO"):
        image.draft(None, (_SPARE * wanted[1], _SPARE * wanted[0]))
    elif spare >= 2 and image.format == "JPEG2000":
        levels = _levels(image.size, min(spare.bit_length() - 1, levels))
        image.reduce = levels  # type: ignore[assignment, method-assign]
        return -(-height >> levels), -(-width >> levels)
    return image.size[1], image.size[0]


def _levels(size: tuple[int, int], most: int) -> int:
    """How often Pillow can halve a JPEG 2000: it rounds the size, where the standard rounds up, and fails at others."""
    fits = (all(-(-side >> n) == (side + (1 << n >> 1)) >> n for side in size) for n in range(most + 1))
    return max(n for n, fit in enumerate(fits) if fit)


def in_bands(image: Image.Image, convert: Callable[[Image.Image], Band], wanted: Size) -> Band:
    """Convert a picture and make it smaller, band by band.

    Args:
        image: A decoded picture of any mode.
        convert: Turns rows of it into colour and alpha.
        wanted: ``(height, width)``, no side longer than the picture's.

    Returns:
        Colour ``(*wanted, channels)``, float32 in [0, 1], and alpha as it is stored, or None.
    """
    width, height = image.size
    rows = max(1, _BAND_PIXELS // width)
    narrow: list[FloatArray] = []
    alphas: list[NDArray[Any]] = []
    for top in range(0, height, rows):
        colour, alpha = convert(image.crop((0, top, width, min(top + rows, height))))
        narrow.append(resize(as_float(colour), (len(colour), wanted[1])))
        if alpha is not None:
            alphas.append(alpha)
    colour = np.clip(resize(np.concatenate(narrow), wanted), 0, 1)
    return colour, resize(np.concatenate(alphas), wanted) if alphas else None
