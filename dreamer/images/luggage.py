"""What a file says beside its pixels, as far as it stays true of a dream: EXIF, XMP, captions, texts, resolution."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from PIL import Image

from dreamer.images import exif, xmp
from dreamer.images.colours import Meant, is_srgb
from dreamer.images.photo import Metadata
from dreamer.images.recipes import KEYWORD, split_marked, without_recipe

_XMP_KEYWORD = "XML:com.adobe.xmp"
_IPTC_RESOURCE = 0x0404


def exif_block(image: Image.Image, *, is_stored: bool) -> exif.Block | None:
    """The EXIF block of what Pillow opened; of a picture that is no file, of the tags that a program set."""
    stored = image.info.get("exif")
    if not isinstance(stored, bytes):
        stored = _raw_profile(image)
    if stored is None and not is_stored:
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


def exif_travelling(block: exif.Block, said: Meant) -> bytes | None:
    """What of an EXIF block stays true, its words about colours those of sRGB where colours were converted."""
    kept = without_recipe(exif.travelling(block))
    if said.space is not None or not is_srgb(kept):
        kept = exif.as_srgb(kept)
    return exif.serialised(kept) if kept.entries else None


def xmp_packet(image: Image.Image, block: exif.Block | None) -> bytes | None:
    """The XMP packet as it is stored."""
    # Pillow deletes the orientation from a TIFF's packet; its place in the directory still has the whole.
    packet = block.data(exif.XMP) if block and image.format == "TIFF" else image.info.get("xmp")
    return packet.encode() if isinstance(packet, str) else packet


def metadata(image: Image.Image, block: exif.Block | None) -> Metadata:
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
        dpi=sane_dpi((None if image.format == "TIFF" else info.get("dpi")) or (block.dpi() if block else None)),
        comment=comment,
    )


def sane_dpi(dpi: Any) -> tuple[float, float] | None:
    """A resolution in pixels per inch, if it is one."""
    if not isinstance(dpi, tuple) or len(dpi) != 2:
        return None
    across, down = float(dpi[0]), float(dpi[1])
    return (across, down) if 1 <= across < 65535 and 1 <= down < 65535 else None


def orientation(block: exif.Block | None, packet: bytes | None) -> int:
    """EXIF's word, or else XMP's, as Pillow has it."""
    if block is not None and exif.ORIENTATION in block.entries:
        return block.number(exif.ORIENTATION, 1)
    return xmp.orientation(packet)
