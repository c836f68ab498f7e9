"""Parts of photos, with what travels along as far as it is true of a part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dreamer.images import exif
from dreamer.images.photo import Photo

_SUBJECT_AREA, _SUBJECT_LOCATION = 0x9214, 0xA214  # In pixels of the whole.


def cropped(photo: Photo, rows: slice, columns: slice) -> Photo:
    """A part of a photo: pixels and alpha, and of its metadata what is still true.

    Args:
        photo: Any photo.
        rows: Which, all of them in the photo, one or more.
        columns: Which, likewise.

    Returns:
        A photo of that part, which keeps no memory of the rest; the same object when it is the whole.

    Example:
        >>> import numpy as np
        >>> cropped(Photo(np.zeros((4, 6, 3), np.float32)), slice(0, 4), slice(1, 3)).pixels.shape
        (4, 2, 3)
    """
    pixels = photo.pixels[rows, columns]
    if pixels.shape == photo.pixels.shape:
        return photo
    alpha = None if photo.alpha is None else photo.alpha[rows, columns].copy()
    if alpha is not None and (alpha == np.iinfo(alpha.dtype).max).all():
        alpha = None
    metadata = photo.metadata
    if metadata.exif is not None:
        metadata = replace(metadata, exif=_without_places(metadata.exif))
    return replace(photo, pixels=pixels.copy(), alpha=alpha, metadata=metadata)


def _without_places(data: bytes) -> bytes:
    """An EXIF block that does not say where in the picture something is; its size is made true when it is written."""
    block = exif.parse(data)
    detail = None if block is None else block.entries.get(exif.EXIF_IFD)
    if block is None or not isinstance(detail, dict) or detail.keys().isdisjoint({_SUBJECT_AREA, _SUBJECT_LOCATION}):
        return data
    kept = {tag: entry for tag, entry in detail.items() if tag not in (_SUBJECT_AREA, _SUBJECT_LOCATION)}
    return exif.serialised(exif.Block(block.order, {**block.entries, exif.EXIF_IFD: kept}))
