"""One small function per format: an `Encoding` in, the bytes of a file out, remarks added to the job's notes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from dreamer.arrays import FloatArray, as_float, as_stored, strips
from dreamer.images import exif
from dreamer.images.photo import Photo
from dreamer.images.profiles import srgb_bytes
from dreamer.images.recipes import KEYWORD, marked

HAS_ALPHA = ("PNG", "WebP", "TIFF", "GIF", "AVIF")
_HAS_16_BITS = ("PNG", "TIFF")
_SEGMENT = 65533  # the most that one JPEG segment holds
_XMP_HEADER = 29
_STRIP_BYTES = 1 << 20


@dataclass(frozen=True)
class Encoding:
    """One picture on its way into one format."""

    photo: Photo
    name: str
    recipe: bytes | None
    notes: list[str] = field(default_factory=list)

    @property
    def bits(self) -> int:
        """Bits per channel of the file."""
        return self.photo.bits if self.name in _HAS_16_BITS else 8


def rounded(job: Encoding, *, reverse: bool = False) -> NDArray[Any]:
    """``(height, width, 3 or 4)`` uint8 or uint16: rounded RGB or RGBA (or BGR, BGRA); white shines through lost alpha.

    Works in strips of rows, so that no second float picture is made.
    """
    photo, dtype = job.photo, np.uint16 if job.bits == 16 else np.uint8
    top = np.iinfo(dtype).max
    keeps_alpha = photo.alpha is not None and job.name in HAS_ALPHA
    out = np.empty((*photo.pixels.shape[:2], 4 if keeps_alpha else 3), dtype)
    for rows in strips(len(out)):
        band: FloatArray = np.clip(as_float(photo.pixels[rows]), 0.0, 1.0)
        if not np.isfinite(band).all():
            raise ValueError("it holds pixels that are not numbers (NaN)")
        if photo.alpha is not None and not keeps_alpha:
            cover = _rescaled(photo.alpha[rows], 65535).astype(np.float32)[..., None] / np.float32(65535)
            band = band * cover + (np.float32(1) - cover)
        levels = as_stored(band, dtype)
        out[rows, :, :3] = levels[..., ::-1] if reverse else levels
        if photo.alpha is not None and keeps_alpha:
            out[rows, :, 3] = _rescaled(photo.alpha[rows], top)
    return out


def _rescaled(alpha: NDArray[Any], top: int) -> NDArray[Any]:
    stored = int(np.iinfo(alpha.dtype).max)
    return alpha if stored == top else (alpha.astype(np.uint32) * top + stored // 2) // stored


def _exif(job: Encoding, *, with_recipe: bool, limit: int | None = None) -> bytes:
    """The carried EXIF with the recipe, made to fit; empty when there is neither."""
    stored = job.photo.metadata.exif
    block = exif.parse(stored) if stored else None
    block = exif.with_size(block or exif.Block("<", {}), *job.photo.pixels.shape[:2])
    recipe: exif.Directory = {}
    if with_recipe and job.recipe is not None:
        recipe = {exif.IMAGE_HISTORY: exif.ascii_entry(job.recipe)}
    block = exif.Block(block.order, {**block.entries, **recipe})
    attempts = (
        (block, None),
        (exif.without_maker_note(block), "the camera maker's notes are"),
        (exif.Block(block.order, recipe), "all of it but the recipe is"),
        (exif.Block(block.order, {}), "all of it, and the recipe, is"),
    )
    for attempt, dropped in attempts:
        data = exif.serialised(attempt) if attempt.entries else b""
        if limit is None or len(data) <= limit:
            if dropped:
                job.notes.append(f"the EXIF is too large for {job.name} ({limit} bytes): {dropped} left out")
            break
    return data


def _dpi(job: Encoding) -> dict[str, Any]:
    return {"dpi": job.photo.metadata.dpi} if job.photo.metadata.dpi else {}


def _jpeg(job: Encoding) -> bytes:
    metadata, extra = job.photo.metadata, b""
    options: dict[str, Any] = _dpi(job)
    for key, value, room in (("xmp", metadata.xmp, _SEGMENT - _XMP_HEADER), ("comment", metadata.comment, _SEGMENT)):
        if value and len(value) <= room:
            options[key] = value
        elif value:
            job.notes.append(f"the {key} is too large for JPEG ({room} bytes): left out")
    if metadata.iptc:
        resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(metadata.iptc)) + metadata.iptc
        segment = b"Photoshop 3.0\0" + resource + b"\0" * (len(metadata.iptc) % 2)
        if len(segment) <= _SEGMENT:
            extra = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
        else:
            job.notes.append(f"the IPTC record is too large for JPEG ({_SEGMENT} bytes): left out")
    data = _exif(job, with_recipe=True, limit=_SEGMENT - 6)
    out = BytesIO()
    # 95 and full colour resolution: a dream's fine coloured detail is what 4:2:0 would smear.
    options |= {"quality": 95, "subsampling": 0, "optimize": True, "icc_profile": srgb_bytes(), "extra": extra}
    Image.fromarray(rounded(job)).save(out, "JPEG", exif=b"Exif\0\0" + data if data else b"", **options)
    return out.getvalue()


def _webp(job: Encoding) -> bytes:
    out = BytesIO()
    Image.fromarray(rounded(job)).save(
        out,
        "WEBP",
        quality=95,
        lossless=job.photo.is_exact,
        exact=True,  # the colours under transparent pixels stay
        icc_profile=srgb_bytes(),
        exif=_exif(job, with_recipe=True),
        xmp=job.photo.metadata.xmp or b"",
    )
    return out.getvalue()


def _avif(job: Encoding) -> bytes:
    out = BytesIO()
    Image.fromarray(rounded(job)).save(
        out,
        "AVIF",
        quality=90,  # Of JPEG's and WebP's 95 the mean error is smaller and larger.
        subsampling="4:4:4",
        max_threads=1,  # Equal runs give equal files, whatever the machine.
        icc_profile=srgb_bytes(),
        exif=_exif(job, with_recipe=True),
        xmp=job.photo.metadata.xmp or b"",
    )
    return out.getvalue()


def _png(job: Encoding) -> bytes:
    info = PngImagePlugin.PngInfo()
    if job.recipe is not None:
        info.add_text(KEYWORD, job.recipe.decode("ascii"))
    if job.photo.metadata.xmp:
        info.add_itxt("XML:com.adobe.xmp", job.photo.metadata.xmp.decode("utf-8", "replace"))
    for key, value in job.photo.metadata.text:
        info.add_text(key, value)
    options: dict[str, Any] = {"pnginfo": info, "icc_profile": srgb_bytes(), **_dpi(job)}
    data = _exif(job, with_recipe=False)
    if data:
        options["exif"] = data
    out = BytesIO()
    if job.bits == 8:
        levels = rounded(job)
        if job.photo.is_grey and levels.shape[2] == 3:
            levels = np.ascontiguousarray(levels[..., 0])
            del options["icc_profile"]  # It is one of colours, and a PNG without colours may not have it.
        Image.fromarray(levels).save(out, "PNG", **options)
        return out.getvalue()
    # Pillow writes no 16-bit colour, OpenCV no text: take the pixels of one and the other chunks of the other.
    Image.new("RGB", (1, 1)).save(out, "PNG", **options)
    done, buffer = cv2.imencode(".png", rounded(job, reverse=True))
    if not done:
        raise ValueError("the PNG encoder gave up")
    return _with_chunks(buffer.data, out.getvalue())


def _with_chunks(pixels: memoryview, luggage: bytes) -> bytes:
    """The first PNG, with all chunks of the second that do not describe pixels put after its header."""
    start = 8 + 25  # signature, IHDR
    kept, at = [], start
    while at < len(luggage):
        (size,) = struct.unpack_from(">I", luggage, at)
        end = at + 12 + size
        if luggage[at + 4 : at + 8] not in (b"IDAT", b"IEND"):
            kept.append(luggage[at:end])
        at = end
    return b"".join((pixels[:start], *kept, pixels[start:]))


def _tiff(job: Encoding) -> bytes:
    """A TIFF with deflated strips. By hand, since Pillow writes no 16-bit colour and retypes the tags."""
    metadata, levels = job.photo.metadata, rounded(job)
    height, width, channels = levels.shape
    block = exif.parse(_exif(job, with_recipe=True)) or exif.Block("<", {})
    order = block.order
    rows = max(1, _STRIP_BYTES // (width * channels * levels.itemsize))
    strips = [_strip(levels[row : row + rows], order) for row in range(0, height, rows)]
    counts = [len(strip) for strip in strips]
    shorts = {258: (job.bits,) * channels, 259: (8,), 262: (2,), 274: (1,), 277: (channels,), 284: (1,), 317: (2,)}
    if channels == 4:
        shorts[338] = (2,)
    entries = {**(exif.resolution_entries(order, metadata.dpi) if metadata.dpi else {}), **block.entries}
    entries |= {tag: exif.integers(order, exif.SHORT, *values) for tag, values in shorts.items()}
    for tag, values in {256: [width], 257: [height], 273: counts, 278: [rows], 279: counts}.items():
        entries[tag] = exif.integers(order, exif.LONG, *values)
    entries[exif.ICC] = exif.raw_bytes(srgb_bytes())
    if metadata.xmp:
        entries[exif.XMP] = exif.raw_bytes(metadata.xmp, exif.BYTE)
    if metadata.iptc:
        entries[exif.IPTC] = exif.raw_bytes(metadata.iptc)
    # The directory goes first, so that a truncated file misses pixels, which every reader notices. Its length does
    # not depend on the offsets in it.
    start = 8 + len(exif.directory_bytes(entries, order, 8))
    entries[273] = exif.integers(order, exif.LONG, *np.cumsum([start, *counts[:-1]]).tolist())
    return exif.header(order, 8) + exif.directory_bytes(entries, order, 8) + b"".join(strips)


def _strip(levels: NDArray[Any], order: exif.Order) -> bytes:
    """Some rows, each pixel but the first as its difference to the one on the left (predictor 2), deflated."""
    deltas = levels.copy()
    deltas[:, 1:] -= levels[:, :-1]
    data = zlib.compress(deltas.astype(deltas.dtype.newbyteorder(order)).tobytes(), 6)
    return data + b"\0" * (len(data) % 2)


def _bmp(job: Encoding) -> bytes:
    out = BytesIO()
    Image.fromarray(rounded(job)).save(out, "BMP", **_dpi(job))
    return out.getvalue() if job.recipe is None else marked(out.getvalue(), job.recipe)


def _gif(job: Encoding) -> bytes:
    levels = rounded(job)
    options: dict[str, Any] = {}
    picture = Image.fromarray(np.ascontiguousarray(levels[..., :3]))
    if levels.shape[2] == 4:
        alpha = levels[..., 3]
        if ((alpha > 0) & (alpha < 255)).any():
            job.notes.append("GIF pixels are opaque or transparent, nothing between: alpha rounded")
        indexed = picture.quantize(255)
        indexed.paste(255, mask=Image.fromarray(alpha < 128))
        options["transparency"] = 255
    else:
        indexed = picture.quantize(256)
    comment = job.photo.metadata.comment or b""
    out = BytesIO()
    indexed.save(out, "GIF", comment=comment if job.recipe is None else marked(comment, job.recipe), **options)
    return out.getvalue()


WRITERS: dict[str, Callable[[Encoding], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WebP": _webp,
    "TIFF": _tiff,
    "BMP": _bmp,
    "GIF": _gif,
    "AVIF": _avif,
}
