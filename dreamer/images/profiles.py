"""Colour profiles and codings: whatever a file was made in becomes sRGB.

8-bit pictures go through LittleCMS as Pillow wraps it. For 16 bits Pillow offers no RGB transform, and the
library that does (imagecodecs) would add 45 MB of codecs for it. 16-bit photos carry matrix profiles (Adobe RGB,
Display P3, ProPhoto, grey gammas), whose arithmetic is three curves and a matrix: that is done here, in float.
The rare table-based profile on a 16-bit picture is applied at 8 bits, with a note. A coding becomes a profile, unless
it is HDR, whose curves no profile holds: that goes through the same arithmetic, at 8 bits as well.

References:
    ICC.1:2022, sections 9.2 (tags), 10.6 (curveType), 10.18 (parametricCurveType).
"""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from dreamer.arrays import FloatArray, as_stored, strips
from dreamer.images import hdr, icc
from dreamer.images.coding import SRGB, SRGB_PRIMARIES, Coding, to_xyz

_BROKEN = "the embedded colour profile is damaged and is ignored: colours are taken as sRGB"
_LEVELS = 65536
# Up to one 8-bit level a profile is sRGB but for rounding, and the pixels are left exactly as they are.
_SAME_8, _SAME_16 = 1, 257


@cache
def srgb_bytes() -> bytes:
    """The sRGB profile that output is tagged with; always the same bytes."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # LittleCMS stamps the time of day on it (bytes 24 to 35); equal runs must give equal files.
    return data[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + data[36:]


def to_srgb(image: Image.Image, space: bytes | Coding | None) -> tuple[Image.Image, str | None]:
    """Convert an 8-bit picture without alpha to sRGB.

    Args:
        image: Mode 1, L, RGB, CMYK, LAB, or anything that Pillow turns into RGB.
        space: An embedded profile, or the coding of RGB or grey; None for sRGB.

    Returns:
        A picture of mode RGB (the same object when nothing had to change), and a note or None.
    """
    if image.mode == "LAB":
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _transformed(image, lab), None
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    note = None
    if isinstance(space, Coding):
        if image.mode in ("L", "RGB"):
            return _from_coding(image, space)
    elif space:
        try:
            return _from_profile(image, space)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
            note = _BROKEN
    return (image if image.mode == "RGB" else image.convert("RGB")), note


def _from_coding(image: Image.Image, coding: Coding) -> tuple[Image.Image, str | None]:
    if isinstance(coding.curve, str):
        levels = np.asarray(image)
        converted, note = _from_hdr(levels.reshape(*levels.shape[:2], -1), coding)
        return Image.fromarray(converted), note
    if coding.narrow:
        image = Image.fromarray(_full_range(np.asarray(image)))
    return _from_profile(image, icc.matrix_profile(_of(coding, image.mode == "L")))


def _of(coding: Coding, grey: bool) -> Coding:
    """The coding; grey has a curve only, and stays grey by means of the primaries of sRGB."""
    return replace(coding, primaries=SRGB_PRIMARIES) if grey else coding


def _full_range(levels: NDArray[Any]) -> NDArray[Any]:
    """Stretch the range of video to all levels."""
    top = int(np.iinfo(levels.dtype).max)
    return np.asarray(np.rint(_stretched(top) * top).astype(levels.dtype)[levels])


def _stretched(top: int) -> NDArray[np.float64]:
    """``(top + 1,)``: video levels in [0, 1]; of 8 bits, black is 16 and white 235."""
    unit = (top + 1) // 256
    return np.clip((np.arange(top + 1) - 16 * unit) / (219 * unit), 0, 1)


def _from_hdr(levels: NDArray[Any], coding: Coding) -> tuple[NDArray[Any], str]:
    top = int(np.iinfo(levels.dtype).max)
    x = _stretched(top) if coding.narrow else np.linspace(0, 1, top + 1)
    curve = (hdr.pq_light(x) if coding.curve == "PQ" else hdr.hlg_scene(x)).astype(np.float32)
    luminance = to_xyz(coding.primaries)[1].astype(np.float32) if coding.curve == "HLG" else None
    is_grey = levels.shape[2] == 1
    matrix = np.eye(3) if is_grey else np.linalg.inv(icc.to_d50(SRGB)) @ icc.to_d50(coding)
    levels = np.broadcast_to(levels, (*levels.shape[:2], 3))
    note = (
        f"its light is HDR ({coding.curve}): {hdr.WHITE:.0f} cd/m2 became white, as in BT.2408, "
        "and what is brighter is cut off"
    )
    return _shaped(levels, [curve] * 3, matrix, luminance), note


def _from_profile(image: Image.Image, embedded: bytes) -> tuple[Image.Image, str | None]:
    profile = ImageCms.ImageCmsProfile(BytesIO(embedded))
    space = profile.profile.xcolor_space.strip()
    mode = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}.get(space)
    if mode == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    if mode != image.mode:
        return image.convert("RGB"), f"the embedded colour profile is for {space}, not for this picture: ignored"
    if mode == "RGB" and _is_srgb(profile):
        return image, None
    return _transformed(image, profile), None


def _transformed(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if image.mode == "L":
        # LittleCMS's shortcut for grey is off by up to three levels in the shadows, against half a level without.
        flags |= ImageCms.Flags.NOOPTIMIZE
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        image.mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=flags,
    )
    result = ImageCms.applyTransform(image, transform)
    if result is None:
        raise ValueError("no picture came out of the colour transform")
    return result


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whether a profile changes nothing: its name cannot be trusted, a lattice of colours can."""
    lattice = _lattice(np.uint8)
    changed = np.asarray(_transformed(Image.fromarray(lattice), profile))
    return int(np.abs(changed.astype(np.int16) - lattice).max()) <= _SAME_8


def _lattice(dtype: Any) -> NDArray[Any]:
    """``(81, 9, 3)``: all mixtures of nine levels per channel."""
    levels = np.linspace(0, np.iinfo(dtype).max, 9).astype(dtype)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(81, 9, 3)


def to_srgb_16(pixels: NDArray[Any], space: bytes | Coding | None) -> tuple[NDArray[Any], str | None]:
    """Convert a 16-bit picture to sRGB, computing in float.

    Args:
        pixels: ``(height, width, 1 or 3)`` uint16.
        space: An embedded profile, or a coding; None for sRGB.

    Returns:
        ``(height, width, 3)`` uint16, or the pixels as they came when nothing had to change; and a note or None.
    """
    if not space:
        return pixels, None
    if isinstance(space, Coding):
        if isinstance(space.curve, str):
            return _from_hdr(pixels, space)
        if space.narrow:
            pixels = _full_range(pixels)
        space = icc.matrix_profile(_of(space, pixels.shape[2] == 1))
    try:
        return _from_profile_16(pixels, space)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError, struct.error, ArithmeticError):
        return pixels, _BROKEN


def _from_profile_16(pixels: NDArray[Any], embedded: bytes) -> tuple[NDArray[Any], str | None]:
    tags = _tags(embedded)
    space = embedded[16:20]
    if space == b"GRAY" and pixels.shape[2] == 1 and b"kTRC" in tags:
        return _shaped(pixels, [_curve(tags[b"kTRC"])], np.ones((3, 1))), None
    if space == b"RGB " and b"rXYZ" in tags and b"A2B0" not in tags:
        matrix = np.linalg.inv(_to_xyz(_tags(srgb_bytes()))) @ _to_xyz(tags)
        curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
        lattice = _lattice(np.uint16)
        if int(np.abs(_shaped(lattice, curves, matrix).astype(np.int32) - lattice).max()) < _SAME_16:
            return pixels, None
        return _shaped(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), curves, matrix), None
    eight = np.ascontiguousarray((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    image, note = to_srgb(Image.fromarray(eight[..., 0] if eight.shape[2] == 1 else eight), embedded)
    if note:
        return pixels, note
    return np.asarray(image) * np.uint16(257), "the embedded colour profile is table-based: applied at 8 bits"


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """The tagged elements of a profile, each from its type signature on."""
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for index in range(min(count, 100)):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        tags[name] = profile[offset : offset + size]
    return tags


def _to_xyz(tags: dict[bytes, bytes]) -> NDArray[np.float64]:
    """The matrix from a profile's linear RGB to XYZ."""
    return np.stack([_fixed(tags[name][8:20]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)


def _fixed(data: bytes) -> NDArray[np.float64]:
    """s15Fixed16 numbers."""
    return np.frombuffer(data, ">i4").astype(np.float64) / 65536


def _curve(tag: bytes) -> FloatArray:
    """``(65536,)``: the linear light of every 16-bit level."""
    x = np.linspace(0, 1, _LEVELS)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            y = x
        elif count == 1:
            y = x ** (struct.unpack_from(">H", tag, 12)[0] / 256)
        else:
            table = np.frombuffer(tag, ">u2", count, 12) / 65535
            y = np.interp(x, np.linspace(0, 1, count), table)
    elif tag[:4] == b"para":
        y = _parametric(struct.unpack_from(">H", tag, 8)[0], _fixed(tag[12 : 12 + (len(tag) - 12) // 4 * 4]), x)
    else:
        raise ValueError("unknown kind of tone curve")
    return np.clip(y, 0, 1).astype(np.float32)


def _parametric(kind: int, p: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The five parametric curves of the ICC, in its own letters: g a b c d e f."""
    g = float(p[0])
    if kind == 0:
        return np.asarray(x**g)
    a, b = float(p[1]), float(p[2])
    c = float(p[3]) if kind >= 2 else 0.0
    power = np.maximum(a * x + b, 0) ** g
    if kind in (1, 2):
        return np.where(x >= -b / a, power + c, c)
    d = float(p[4])
    e, f = (float(p[5]), float(p[6])) if kind == 4 else (0.0, 0.0)
    return np.where(x >= d, power + e, c * x + f)


def _shaped(
    pixels: NDArray[Any], curves: list[FloatArray], matrix: NDArray[np.float64], luminance: FloatArray | None = None
) -> NDArray[Any]:
    """Tone curves, then the matrix, then sRGB's own curve backwards; ``(height, width, 3)`` of the same levels.

    With the luminance of each primary, the light is a scene's, and HLG's display makes it brighter between.
    """
    out = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    to_rgb = matrix.T.astype(np.float32)
    for rows in strips(len(pixels)):
        band = pixels[rows]
        linear = np.stack([curve[band[..., channel]] for channel, curve in enumerate(curves)], axis=-1)
        if luminance is not None:
            linear = hdr.hlg_display(linear, luminance)
        light = np.clip(linear @ to_rgb, 0, 1)
        srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** np.float32(1 / 2.4) - 0.055)
        out[rows] = as_stored(srgb, pixels.dtype)
    return out
