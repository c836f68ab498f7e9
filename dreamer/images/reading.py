"""Files -> photos: `read` and `decode`, and what they make of all that can go wrong."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from dreamer.errors import ImageReadError
from dreamer.images.admitting import Terms
from dreamer.images.decoding import Raw, from_file, from_image, to_photo
from dreamer.images.opening import DAMAGE, EMPTY, explained, file_bytes, guarded, one_line
from dreamer.images.photo import Photo
from dreamer.images.whole import JPEG_2000

_MAX_PIXELS = 500_000_000


def read(
    path: Path,
    *,
    max_pixels: int = _MAX_PIXELS,
    max_side: int | None = None,
    short_side: int | None = None,
    damaged_ok: bool = False,
    work_bytes: int = 0,
    compact: bool = False,
) -> Photo:
    """Read a photo of any format in `formats.FORMATS`.

    Args:
        path: The file. Of an animation or a file of several pictures, the first is taken.
        max_pixels: Refuse larger pictures, before decoding them.
        max_side: Make a larger photo smaller as it is read, so that its longer side has this many pixels: the same
            as `resized` to `arrays.fitted` afterwards, for less memory and time. (A JPEG or JPEG 2000 is decoded
            smaller, to at least twice that, so its pixels may differ by a few levels.)
        short_side: The same for the shorter side; one of the two is enough.
        damaged_ok: Take a photo of which rows are missing, with a note, instead of refusing it.
        work_bytes: Refuse a photo if there is too little memory to read it, or these bytes for each of its pixels.
        compact: Leave the pixels uint8 or uint16, for large photos; those made smaller are float32 all the same.

    Returns:
        The photo: upright, in sRGB, float32 ``(height, width, 3)`` in [0, 1], with what must travel along.

    Raises:
        ImageReadError: It is missing, not a picture, damaged, not whole, too large, or needs more memory than there is.

    Example:
        >>> read(Path("photo.jpg"), max_side=1024).pixels.shape  # doctest: +SKIP
        (768, 1024, 3)
    """
    path = Path(path)
    terms = Terms(max_pixels, max_side, short_side, damaged_ok, work_bytes)
    return _read(file_bytes(path), str(path), terms, compact=compact)


def decode(
    data: bytes,
    name: str,
    *,
    max_pixels: int = _MAX_PIXELS,
    max_side: int | None = None,
    short_side: int | None = None,
    damaged_ok: bool = False,
    work_bytes: int = 0,
    compact: bool = False,
) -> Photo:
    """Decode the bytes of a picture file, wherever they come from.

    Args:
        data: All of the file.
        name: What errors call it.
        max_pixels: As `read` has it.
        max_side: As `read` has it.
        short_side: As `read` has it.
        damaged_ok: As `read` has it.
        work_bytes: As `read` has it.
        compact: As `read` has it.

    Returns:
        The photo, as `read` gives it.

    Raises:
        ImageReadError: It is empty, or as `read` says.

    Example:
        >>> from dreamer.images import encode
        >>> data, _ = encode(Photo(np.zeros((2, 3, 3), np.uint8)), ".png", recipe=None)
        >>> decode(data, "black.png").pixels.shape
        (2, 3, 3)
    """
    return _read(data, name, Terms(max_pixels, max_side, short_side, damaged_ok, work_bytes), compact=compact)


def _read(data: bytes, name: str, terms: Terms, *, compact: bool) -> Photo:
    if not data:
        raise ImageReadError(f"{name} {EMPTY}")
    try:
        return to_photo(_decoded(data, terms), terms, compact=compact)
    except (ImageReadError, *DAMAGE) as error:
        raise ImageReadError(f"{name} {explained(error, terms.max_pixels)}") from error


def from_pil(image: Image.Image, *, compact: bool = False) -> Photo:
    """Convert a Pillow picture as `read` converts a file.

    Args:
        image: Any picture of up to 8 bits per channel, or 16-bit grey; it is loaded, but not changed. Pillow itself
            reduces 16-bit colour to 8: `read` the file to keep it.
        compact: Leave the pixels uint8 or uint16 instead, for large photos.

    Returns:
        The photo: upright, in sRGB, float32 ``(height, width, 3)`` in [0, 1], with what must travel along.

    Raises:
        ImageReadError: Its mode is not supported, or its file is damaged.

    Example:
        >>> from_pil(Image.new("L", (3, 2), 255)).pixels.shape
        (2, 3, 3)
    """
    terms = Terms(_MAX_PIXELS)
    try:
        with guarded(_MAX_PIXELS):
            raw = from_image(image, None, None, None)
        return to_photo(raw, terms, compact=compact)
    except (ImageReadError, *DAMAGE) as error:
        raise ImageReadError(f"the picture {explained(error, _MAX_PIXELS)}") from error


def _decoded(data: bytes, terms: Terms) -> Raw:
    try:
        with guarded(terms.max_pixels):
            return from_file(data, terms)
    except OSError as error:
        # Of a JPEG 2000 that ends early Pillow gives nothing, and says nothing.
        if not terms.damaged_ok or data.startswith(JPEG_2000):
            raise
        with guarded(terms.max_pixels, truncated_ok=True):
            raw = from_file(data, terms)
        # What is missing may be known better by now.
        lack = () if raw.is_damaged else (terms.miss(f"cannot be decoded to the end: {one_line(error)}"),)
        return raw._replace(notes=lack + raw.notes, is_damaged=True)
