"""Decoded files -> photos: formats, bit depths, orientation and alpha are settled here, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from dreamer.arrays import Size, as_float, resize, resize_stored
from dreamer.images import (
    admitting,
    exif,
    heif,
    isobmff,
    jpeg,
    limits,
    luggage,
    reducing,
    sixteen,
    tiff,
    unbounded,
    xmp,
)
from dreamer.images.admitting import Terms
from dreamer.images.coding import Coding
from dreamer.images.colours import meant
from dreamer.images.formats import by_plugin
from dreamer.images.opening import guarded, opened
from dreamer.images.photo import Metadata, Photo
from dreamer.images.profiles import to_srgb, to_srgb_16

Space = bytes | Coding | None
"""The colours of a file: an ICC profile, code points, or those of sRGB."""


class Raw(NamedTuple):
    """A decoded file, its pixels not yet upright: ``(height, width, 1 or 3)`` uint8 or uint16, float32 if reduced."""

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None
    bits: int
    orientation: int
    metadata: Metadata
    notes: tuple[str, ...]
    is_damaged: bool = False


def from_file(data: bytes, terms: Terms) -> Raw:
    """Decode a file.

    Raises:
        ImageReadError, *opening.DAMAGE: It cannot be read on these terms.
    """
    block = exif.parse(data)
    if block is not None:
        unbounded.check_tiff(block)
        if sixteen.is_tiff(block):
            return _from_tiff_16(data, block, terms)
    if heif.is_heif(data):
        return _from_heif(heif.opened(data), terms)
    notes: tuple[str, ...] = ()
    if data.startswith(b"\xff\xd8") and not jpeg.scans(data).is_ended:
        data, notes = data + jpeg.END_OF_JPEG, (admitting.END_MARK,)
    with opened(data) as image:
        size = terms.final((image.height, image.width))
        found = admitting.loaded(image, data, block, terms)
        raw = from_image(image, data, block, size)
        return raw._replace(notes=(found or notes) + raw.notes, is_damaged=bool(found))


def _from_heif(picture: heif.HeifPicture, terms: Terms) -> Raw:
    admitting.check_size(picture.size, terms)
    plan = limits.MemoryPlan(picture.size, picture.size, terms.final(picture.size), picture.mode, deep=picture.bits > 8)
    limits.check_memory(by_plugin(""), plan, terms.work_bytes)
    colour, alpha = heif.decoded(picture)
    block = exif.parse((picture.info.get("exif") or b"").removeprefix(b"Exif\0\0"))
    said = meant(picture.info, None, block)
    if colour.dtype == np.uint16:
        pixels, note = to_srgb_16(colour, said.space)
    else:
        image, note = to_srgb(Image.fromarray(colour[..., 0] if colour.shape[2] == 1 else colour), said.space)
        pixels = np.asarray(image)
    packet, dropped = xmp.travelling(picture.info.get("xmp") or None)
    metadata = Metadata(
        exif=luggage.exif_travelling(block, said) if block else None,
        xmp=packet,
        dpi=luggage.sane_dpi(block.dpi()) if block else None,
    )
    notes = (*_frame_notes("HEIC", picture.num_pictures), *said.notes, *((note,) if note else ()), *dropped)
    return Raw(pixels, alpha, 16 if colour.dtype == np.uint16 else 8, 1, metadata, notes)


def _from_tiff_16(data: bytes, block: exif.Block, terms: Terms) -> Raw:
    size = sixteen.tiff_size(block)
    admitting.check_size(size, terms)
    limits.check_tiff_claim(block.numbers, size, len(data))
    limits.check_memory(
        by_plugin("TIFF"), limits.MemoryPlan(size, size, terms.final(size), "RGB", deep=True), terms.work_bytes
    )
    lacks = [*admitting.missed(tiff.missing_parts(block), terms)]
    # The decoder sees two to eight times as many "pixels", all of them single bytes.
    with guarded(8 * terms.max_pixels, truncated_ok=ImageFile.LOAD_TRUNCATED_IMAGES):
        samples = sixteen.from_tiff(data, block, lambda image: lacks.extend(admitting.load_tiff(image, terms)))
    said = meant({"icc_profile": block.data(exif.ICC)}, None, block)
    pixels, note = to_srgb_16(samples.colour, said.space)
    packet, dropped = xmp.travelling(block.data(exif.XMP))
    metadata = Metadata(
        exif=luggage.exif_travelling(block, said),
        xmp=packet,
        iptc=block.data(exif.IPTC),
        dpi=luggage.sane_dpi(block.dpi()),
    )
    notes = (*lacks[:1], *_frame_notes("TIFF", block.num_pages), *said.notes, *((note,) if note else ()), *dropped)
    return Raw(pixels, samples.alpha, 16, block.number(exif.ORIENTATION, 1), metadata, notes, bool(lacks))


def from_image(image: Image.Image, data: bytes | None, block: exif.Block | None, size: Size | None) -> Raw:
    """Convert what Pillow opened.

    Args:
        image: The picture.
        data: The file, where there is one.
        block: Its directory, if it is a TIFF.
        size: The ``(height, width)`` that is wanted; None for its own.
    """
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
    elif image.format == "AVIF" and data is not None and isobmff.is_deep(data):
        notes += ("this AVIF has more than 8 bits per channel and is read at 8",)
    image.load()  # The EXIF of a PNG may follow the pixels.
    block = block or luggage.exif_block(image, is_stored=data is not None)
    said = meant(image.info, data, block)
    if deep:
        pixels, note = to_srgb_16(samples.colour, said.space)
        alpha = samples.alpha
    else:
        pixels, alpha, note = _eight_bits_of_size(image, said.space, size)
    packet = luggage.xmp_packet(image, block)
    kept, dropped = xmp.travelling(packet)
    metadata = replace(
        luggage.metadata(image, block), exif=luggage.exif_travelling(block, said) if block else None, xmp=kept
    )
    # Pillow has turned a TIFF upright already.
    orientation = 1 if is_tiff else luggage.orientation(block, packet)
    notes += (*said.notes, *((note,) if note else ()), *dropped)
    return Raw(pixels, alpha, 16 if deep else 8, orientation, metadata, notes)


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


def _eight_bits(image: Image.Image, space: Space) -> tuple[NDArray[Any], NDArray[Any] | None, str | None]:
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


def _eight_bits_of_size(
    image: Image.Image, space: Space, size: Size | None
) -> tuple[NDArray[Any], NDArray[Any] | None, str | None]:
    """The same of a picture made smaller on the way, float32 then."""
    image.load()
    if size is None or size == (image.height, image.width):
        return _eight_bits(image, space)
    said: list[str | None] = []

    def convert(rows: Image.Image) -> reducing.Band:
        colour, alpha, note = _eight_bits(rows, space)
        said.append(note)
        return colour, alpha

    colour, alpha = reducing.in_bands(image, convert, size)
    return colour, alpha, said[0]


def to_photo(raw: Raw, terms: Terms, *, compact: bool) -> Photo:
    """Turn a decoded file upright, and make it as small as the terms say, where that was not done on the way."""
    stored = _upright(raw.pixels, raw.orientation)
    stored = np.broadcast_to(stored, (*stored.shape[:2], 3))
    alpha = None if raw.alpha is None else np.ascontiguousarray(_upright(raw.alpha, raw.orientation))
    if stored.dtype != np.float32 and (size := terms.final(stored.shape[:2])) != stored.shape[:2]:
        stored = np.clip(as_float(resize_stored(stored, size)), 0, 1)
        alpha = None if alpha is None else resize(alpha, size)
    pixels = np.ascontiguousarray(stored) if compact else as_float(stored)
    return Photo(pixels, alpha, raw.bits, raw.metadata, raw.notes, raw.is_damaged)


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
