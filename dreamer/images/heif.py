"""HEIC and HEIF, the photos of phones, read with pillow-heif, which the extra ``heic`` installs.

The one idea: it is asked for the pixels, and never made part of Pillow, which belongs to the program that calls us.
libheif turns a picture as its boxes say, and those alone: the orientation in its EXIF is a remark for other programs
(ISO/IEC 23008-12, annex A.2.4), so it is not applied a second time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import ImageReadError
from dreamer.images import isobmff

# Pictures of HEVC; and those of a kind left open, if no brand of AVIF says that Pillow knows it.
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_OPEN = frozenset({b"mif1", b"mif2", b"msf1"})
_AVIF = frozenset({b"avif", b"avis"})
MISSING = (
    "is a HEIC picture, which the extra 'heic' reads. Install it: python -m pip install 'deepdreamer[heic]', "
    "or convert the picture to JPEG first."
)


class HeifPicture(NamedTuple):
    """A picture that is open, not yet decoded.

    Attributes:
        size: ``(height, width)``.
        bits: Per channel, as they are stored.
        mode: Pillow's name for its channels.
        num_pictures: How many pictures the file holds.
        info: ``icc_profile``, ``exif`` and ``xmp`` among others.
        held: pillow-heif's own.
    """

    size: tuple[int, int]
    bits: int
    mode: str
    num_pictures: int
    info: dict[str, Any]
    held: Any


def is_heif(data: bytes) -> bool:
    """Whether these are the bytes of a picture that Pillow alone does not read."""
    found = isobmff.brands(data)
    return bool(found & _HEIC or (found & _OPEN and not found & _AVIF))


def opened(data: bytes) -> HeifPicture:
    """Open a picture; decodes nothing yet.

    Raises:
        ImageReadError: The extra is not installed.
        ValueError: The file is damaged.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise ImageReadError(MISSING) from error
    file = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)
    held = file[file.primary_index]
    bits = int(str(held.info.get("bit_depth") or 8))
    return HeifPicture(held.size[::-1], bits, held.mode.split(";")[0], len(file), held.info, held)


def decoded(picture: HeifPicture) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The pixels, turned as the file says.

    Returns:
        ``(height, width, 1 or 3)`` uint8 or uint16, and alpha ``(height, width)`` or None.
    """
    array = np.asarray(picture.held)
    array = array[..., None] if array.ndim == 2 else array
    if array.dtype == np.uint16:
        # libheif moves the bits that there are to the upper end; white is to become white.
        top = (1 << picture.bits) - 1
        array = ((array >> (16 - picture.bits)).astype(np.uint32) * 65535 // top).astype(np.uint16)
    if array.shape[2] in (2, 4):
        return array[..., :-1], array[..., -1]
    return array, None
