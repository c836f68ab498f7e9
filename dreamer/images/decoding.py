"""Files -> photos: formats, bit depths, orientation and alpha are settled here, once."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dreamer.arrays import as_float
from dreamer.errors import ImageReadError
from dreamer.images import exif, sixteen, unbounded, xmp
from dreamer.images.coding import Coding
from dreamer.images.colours import Meant, is_srgb, meant
from dreamer.images.opening import DAMAGE, EMPTY, explained, file_bytes, guarded, opened, too_large
from dreamer.images.photo import Metadata, Photo
from dreamer.images.profiles import to_srgb, to_srgb_16
from dreamer.images.recipes import KEYWORD, split_marked, without_recipe

_MAX_PIXELS = 500_000_000
_XMP_KEYWORD = "XML:com.adobe.xmp"
_IPTC_RESOURCE = 0x0404


class _Raw(NamedTuple):
    """A decoded file, its pixels not yet upright: ``(height, width, 1 or 3)`` uint8 or uint16."""

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None
    bits: int
    orientation: int
    metadata: Metadata
    notes: tuple[str, ...]


def read(path: Path, *, max_pixels: int = _MAX_PIXELS, compact: bool = False) -> Photo:
    """Read a JPEG, PNG, WebP, TIFF, BMP or GIF.

    Args:
        path: The file. Of an animation or a TIFF of several pages, the first picture is taken.
        max_pixels: Refuse larger pictures, before decoding them.
        compact: Leave the pixels uint8 or uint16 instead, for large photos.

    Returns:
        The photo: upright, in sRGB, float32 ``(height, width, 3)`` in [0, 1], with what must travel along.

    Raises:
        ImageReadError: It is missing, not a picture, damaged, truncated or too large.

    Example:
        >>> read(Path("photo.jpg")).pixels.shape  # doctest: +SKIP
        (3000, 4000, 3)
    """
    path = Path(path)
    return decode(file_bytes(path), str(path), max_pixels=max_pixels, compact=compact)


def decode(data: bytes, name: str, *, max_pixels: int = _MAX_PIXELS, compact: bool = False) -> Photo:
    """Decode the bytes of a picture file, wherever they come from.

    Args:
        data: All of the file.
        name: What errors call it.
        max_pixels: Refuse larger pictures, before decoding them.
        compact: Leave the pixels uint8 or uint16 instead, for large photos.

    Returns:
        The photo, as `read` gives it.

    Raises:
        ImageReadError: It is empty, not a picture, damaged, truncated or too large.

    Example:
        >>> from dreamer.images import encode
        >>> data, _ = encode(Photo(np.zeros((2, 3, 3), np.uint8)), ".png", recipe=None)
        >>> decode(data, "black.png").pixels.shape
        (2, 3, 3)
    """
    if not data:
        raise ImageReadError(f"{name} {EMPTY}")
    try:
        with guarded(max_pixels):
            raw = _decoded(data, max_pixels)
        return _photo(raw, compact=compact)
    except (ImageReadError, *DAMAGE) as error:
        raise ImageReadError(f"{name} {explained(error, max_pixels)}") from error


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
    try:
        with guarded(_MAX_PIXELS):
            raw = _from_image(image, None, None)
        return _photo(raw, compact=compact)
    except (ImageReadError, *DAMAGE) as error:
        raise ImageReadError(f"the picture {explained(error, _MAX_PIXELS)}") from error


def _decoded(data: bytes, max_pixels: int) -> _Raw:
    block = exif.parse(data)
    if block is not None:
        unbounded.check_tiff(block)
        if sixteen.is_tiff(block):
            return _from_tiff_16(data, block, max_pixels)
    with opened(data) as image:
        if math.prod(image.size) > max_pixels:
            raise ImageReadError(too_large(max_pixels))
        return _from_image(image, data, block)


def _from_tiff_16(data: bytes, block: exif.Block, max_pixels: int) -> _Raw:
    if math.prod(sixteen.tiff_size(block)) > max_pixels:
        raise ImageReadError(too_large(max_pixels))
    # The decoder sees two to eight times as many "pixels", all of them single bytes.
    with guarded(8 * max_pixels):
        samples = sixteen.from_tiff(data, block)
    said = meant({"icc_profile": block.data(exif.ICC)}, None, block)
    pixels, note = to_srgb_16(samples.colour, said.space)
    packet, dropped = xmp.travelling(block.data(exif.XMP))
    metadata = Metadata(
        exif=_travelling(block, said),
        xmp=packet,
        iptc=block.data(exif.IPTC),
        dpi=_sane_dpi(block.dpi()),
    )
    notes = (*_frame_notes("TIFF", block.num_pages), *said.notes, *((note,) if note else ()), *dropped)
    return _Raw(pixels, samples.alpha, 16, block.number(exif.ORIENTATION, 1), metadata, notes)


def _from_image(image: Image.Image, data: bytes | None, block: exif.Block | None) -> _Raw:
    """Convert what Pillow opened; `data` and `block` are the file and its TIFF directory, where there are any."""
    is_tiff = image.format == "TIFF"
    frames = block.num_pages if block else 1 if is_tiff else getattr(image, "n_frames", 1)
    notes = _frame_notes(image.format, frames)
    stored_bits = getattr(image, "tag_v2", {}).get(258, (8,))
    deep = data is not None and sixteen.is_png(data)
    if data is not None and deep:
        samples = sixteen.from_png(image, data)  # type: ignore[arg-type]
    elif image.mode.startswith("I;16"):
        samples = sixteen.Samples(_grey_16(image, stored_bits), None)
        deep = True
    elif max(stored_bits) > 8:
        notes += (f"this kind of {max(stored_bits)}-bit TIFF is read at 8 bits per channel",)
    image.load()  # a PNG's EXIF may follow the pixels
    block = block or _exif_block(image, is_stored=data is not None)
    said = meant(image.info, data, block)
    if deep:
        pixels, note = to_srgb_16(samples.colour, said.space)
        alpha = samples.alpha
    else:
        pixels, alpha, note = _eight_bits(image, said.space)
    packet = _packet(image, block)
    kept, dropped = xmp.travelling(packet)
    metadata = replace(_metadata(image, block), exif=_travelling(block, said) if block else None, xmp=kept)
    # Pillow has turned a TIFF upright already.
    orientation = 1 if is_tiff else _orientation(block, packet)
    notes += (*said.notes, *((note,) if note else ()), *dropped)
    return _Raw(pixels, alpha, 16 if deep else 8, orientation, metadata, notes)


def _frame_notes(name: str | None, frames: int) -> tuple[str, ...]:
    # The further pictures of an MPO are previews and depth maps, not an animation.
    if frames <= 1 or name == "MPO":
        return ()
    return (f"{'several pages' if name == 'TIFF' else 'animation'}: only the first of {frames} pictures is used",)


def _grey_16(image: Image.Image, stored_bits: tuple[int, ...]) -> NDArray[Any]:
    array = np.asarray(image).astype(np.uint16)[..., None]
    if max(stored_bits) == 12:
        array = (array.astype(np.uint32) * 65535 // 4095).astype(np.uint16)
    return array


def _eight_bits(
    image: Image.Image, space: bytes | Coding | None
) -> tuple[NDArray[Any], NDArray[Any] | None, str | None]:
    """``(height, width, 3)`` uint8 in sRGB, alpha or None, and a note or None."""
    if image.mode in ("I", "F"):
        raise unbounded.refusal("floating-point" if image.mode == "F" else "32-bit integer")
    image.load()
    if image.mode in ("RGBa", "La"):
        image = image.convert(f"{image.mode[:-1]}A")
    elif image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("1", "L", "RGB") and "transparency" in image.info:
        image = image.convert("RGBA" if image.mode == "RGB" else "LA")
    alpha = None
    if image.mode in ("RGBA", "LA"):
        alpha = np.asarray(image.getchannel("A"))
        image = image.convert(image.mode[:-1])
    image, note = to_srgb(image, space)
    return np.asarray(image), alpha, note


def _exif_block(image: Image.Image, *, is_stored: bool) -> exif.Block | None:
    stored = image.info.get("exif")
    if not isinstance(stored, bytes):
        stored = _raw_profile(image)
    if stored is None and not is_stored:
        # A program that made a picture may have set tags.
        tags = image.getexif()
        stored = tags.tobytes() if len(tags) else b""
    return exif.parse(re.sub(rb"^(Exif\0\0)+", b"", stored or b""))


def _raw_profile(image: Image.Image) -> bytes | None:
    """EXIF as ImageMagick used to store it in a PNG: a text of three lines, then hexadecimal ones."""
    text = image.info.get("Raw profile type exif", image.info.get("Raw profile type APP1"))
    if not isinstance(text, str):
        return None
    with suppress(ValueError):
        return bytes.fromhex("".join(text.split("\n")[3:]))
    return b""


def _travelling(block: exif.Block, said: Meant) -> bytes | None:
    kept = without_recipe(exif.travelling(block))
    if said.space is not None or not is_srgb(kept):
        kept = exif.as_srgb(kept)
    return exif.serialised(kept) if kept.entries else None


def _packet(image: Image.Image, block: exif.Block | None) -> bytes | None:
    # Pillow deletes the orientation from a TIFF's packet; its place in the directory still has the whole.
    packet = block.data(exif.XMP) if block and image.format == "TIFF" else image.info.get("xmp")
    return packet.encode() if isinstance(packet, str) else packet


def _metadata(image: Image.Image, block: exif.Block | None) -> Metadata:
    """All that travels along but EXIF and XMP, whose words about the colours depend on the colours."""
    info = image.info
    iptc = info.get("photoshop")
    iptc = iptc.get(_IPTC_RESOURCE) if isinstance(iptc, dict) else block.data(exif.IPTC) if block else None
    texts = getattr(image, "text", None) or {}
    comment = info.get("comment")
    comment = comment.encode() if isinstance(comment, str) else comment
    if isinstance(comment, bytes):
        comment = split_marked(comment)[0] or None
    return Metadata(
        iptc=iptc if isinstance(iptc, bytes) else None,
        text=tuple(
            (key, value)
            for key, value in texts.items()
            if key not in (_XMP_KEYWORD, KEYWORD) and not key.startswith("Raw profile type")
        ),
        # For a TIFF without resolution Pillow makes one up.
        dpi=_sane_dpi((None if image.format == "TIFF" else info.get("dpi")) or (block.dpi() if block else None)),
        comment=comment,
    )


def _sane_dpi(dpi: Any) -> tuple[float, float] | None:
    if not isinstance(dpi, tuple) or len(dpi) != 2:
        return None
    across, down = float(dpi[0]), float(dpi[1])
    return (across, down) if 1 <= across < 65535 and 1 <= down < 65535 else None


def _orientation(block: exif.Block | None, packet: bytes | None) -> int:
    """EXIF's word, or else XMP's, as Pillow has it."""
    if block is not None and exif.ORIENTATION in block.entries:
        return block.number(exif.ORIENTATION, 1)
    return xmp.orientation(packet)


def _photo(raw: _Raw, *, compact: bool) -> Photo:
    stored = _upright(raw.pixels, raw.orientation)
    stored = np.broadcast_to(stored, (*stored.shape[:2], 3))
    pixels = np.ascontiguousarray(stored) if compact else as_float(stored)
    alpha = None if raw.alpha is None else np.ascontiguousarray(_upright(raw.alpha, raw.orientation))
    return Photo(pixels, alpha, raw.bits, raw.metadata, raw.notes)


def _upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A view of an array as EXIF's orientation (1 to 8; others count as 1) wants it seen."""
    flipped = {
        2: array[:, ::-1],
        3: array[::-1, ::-1],
        4: array[::-1],
        5: array.swapaxes(0, 1),
        6: np.rot90(array, -1),
        7: array.swapaxes(0, 1)[::-1, ::-1],
        8: np.rot90(array, 1),
    }
    return flipped.get(orientation, array)
