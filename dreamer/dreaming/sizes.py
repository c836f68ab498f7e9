"""How large a dream becomes, and whether there is room for it: said before anything is loaded.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import math

from dreamer import memory
from dreamer.arrays import Size, fitted, scaled
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError

MOST_PIXELS = 500_000_000
"""Of what is dreamt, as long as nobody says another limit: as of photos."""

_KEPT_BYTES = 12  # Of what is dreamt of, in float32, for each pixel.


def output_size(size: Size, settings: DreamSettings) -> Size:
    """The ``(height, width)`` of the dream of a picture of some size: as ``upscale`` says, or what ``max_size`` allows.

    Example:
        >>> output_size((300, 400), DreamSettings(upscale=2)), output_size((300, 400), DreamSettings(max_size=200))
        ((600, 800), (150, 200))
    """
    grown = size if settings.upscale == 1 else scaled(size, settings.upscale)
    return grown if settings.max_size is None else fitted(grown, settings.max_size)


def check_room(size: Size, settings: DreamSettings, *, max_pixels: int = MOST_PIXELS, preview: bool = False) -> None:
    """Refuse a dream that becomes larger than what it is made from, if it becomes too large.

    Args:
        size: ``(height, width)`` of the photo; of a dream of nothing its ``size``.
        settings: Of the dream.
        max_pixels: No larger one.
        preview: Whether only a small beginning of it is dreamt.

    Raises:
        SettingsError: It has more pixels, or needs more memory than there is.
    """
    height, width = output_size(size, settings)
    if settings.size is None and height * width <= math.prod(size):
        return  # Whoever read the photo has looked.
    smaller = f"a smaller {'upscale' if settings.size is None else 'size'}"
    if height * width > max_pixels:
        raise SettingsError(
            f"the dream would have {width} x {height} pixels, more than the limit of {max_pixels:,}. Choose {smaller}, "
            "or raise the limit"
        )
    needed, free = height * width * (_KEPT_BYTES + settings.work_bytes), memory.free()
    if needed > free and not preview:
        raise SettingsError(
            f"the dream would have {width} x {height} pixels and need about {needed / 1e9:.1f} GB of memory, and "
            f"{free / 1e9:.1f} GB are free. Choose {smaller}, or free some memory"
        )
