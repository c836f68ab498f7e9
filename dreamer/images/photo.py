"""What a file holds: the picture, and what must travel along."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size, StoredArray, as_float, resize, resize_stored


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its pixels. Orientation is already 1 in all of it.

    Attributes:
        exif: A TIFF block without the ``Exif`` prefix and without thumbnail.
        xmp: The XMP packet.
        iptc: The IPTC-IIM record (captions of press photos).
        text: PNG text chunks as (keyword, text).
        dpi: Horizontal and vertical resolution in pixels per inch.
        comment: The comment of a JPEG or GIF.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    text: tuple[tuple[str, str], ...] = ()
    dpi: tuple[float, float] | None = None
    comment: bytes | None = None


@dataclass(frozen=True, eq=False)
class Photo:
    """What a file holds: picture plus what must travel along.

    Attributes:
        pixels: ``(height, width, 3)`` RGB, sRGB, upright: float32 in [0, 1], or uint8 or uint16 levels, which take
            a quarter or a half of the memory.
        alpha: ``(height, width)`` uint8 or uint16 as stored, or None when every pixel is opaque.
        bits: 8 or 16 per channel in the input.
        metadata: EXIF and the like.
        notes: One-line remarks for the user.
        is_damaged: Whether parts of the picture were missing in the file.
        is_exact: Whether a file is to hold these very levels where its format can: WebP is written without loss.
        is_grey: Whether its channels are equal, and a PNG of 8 bits is to hold one of them, as masks do.

    Example:
        >>> import numpy as np
        >>> from dataclasses import replace
        >>> photo = Photo(np.zeros((4, 6, 3), np.float32))
        >>> replace(photo, pixels=photo.pixels + 0.5).pixels.shape
        (4, 6, 3)
    """

    pixels: StoredArray
    alpha: NDArray[Any] | None = None
    bits: int = 8
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()
    is_damaged: bool = False
    is_exact: bool = False
    is_grey: bool = False


def resized(photo: Photo, size: Size) -> Photo:
    """Resize a photo: pixels and alpha.

    Args:
        photo: Any photo.
        size: The wanted ``(height, width)``, both positive.

    Returns:
        A photo of that size, its pixels float32 in [0, 1]; the same object when the size is already right.

    Example:
        >>> import numpy as np
        >>> resized(Photo(np.zeros((4, 6, 3), np.float32)), (2, 3)).pixels.shape
        (2, 3, 3)
    """
    if photo.pixels.shape[:2] == tuple(size):
        return photo
    pixels = as_float(resize_stored(photo.pixels, size))
    np.clip(pixels, 0.0, 1.0, out=pixels)
    return replace(photo, pixels=pixels, alpha=None if photo.alpha is None else resize(photo.alpha, size))
