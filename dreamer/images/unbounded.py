"""Pixels whose black and white are not defined: floating-point and 32-bit numbers. They are refused, by their name.

Pillow opens a few kinds of such TIFFs, and calls the others no pictures at all; the directory tells them apart from
damaged ones whatever the layout of the file.

Must not import anything of the package but `errors` and `exif`.
"""

from __future__ import annotations

from dreamer.errors import ImageReadError
from dreamer.images import exif

_BITS, _SAMPLE_FORMAT = 258, 339
_MOST_CHANNELS = 100
_SIGNED, _FLOAT, _COMPLEX_INTEGER, _COMPLEX_FLOAT = 2, 3, 5, 6


def check_tiff(block: exif.Block) -> None:
    """Refuse a TIFF whose samples have no range.

    Raises:
        ImageReadError: They have none.
    """
    bits = int(max(block.numbers(_BITS, _MOST_CHANNELS), default=1))
    formats = set(block.numbers(_SAMPLE_FORMAT, _MOST_CHANNELS))
    if formats & {_COMPLEX_INTEGER, _COMPLEX_FLOAT}:
        raise refusal("complex")
    if _FLOAT in formats:
        raise refusal("floating-point")
    if bits > 16:
        raise refusal(f"{bits}-bit integer")
    if bits > 8 and _SIGNED in formats:
        raise refusal(f"signed {bits}-bit integer")


def refusal(kind: str) -> ImageReadError:
    """What is said of a kind of pixels that have no range."""
    return ImageReadError(
        f"holds {kind} pixels, whose black and white are not defined; 8 or 16 bits per channel "
        "are expected. Save it with 16 bits first."
    )
