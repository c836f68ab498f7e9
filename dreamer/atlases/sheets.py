"""A contact sheet of each layer: one small picture of every unit, with its number.

Must not import Keras.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from dreamer import images
from dreamer.arrays import FloatArray, Size, resize
from dreamer.atlases.catalog import UnitEntry
from dreamer.batching.names import inside
from dreamer.errors import ImageReadError
from dreamer.files.names import slug

_LONGEST = 4096  # Pixels: a sheet that every viewer opens.
_LEAST = 48  # Below this nothing is to be seen.
_NEUTRAL = np.float32(0.16)


def path(folder: Path, layer: str) -> Path:
    """Where the sheet of a layer lies."""
    return folder / _name(layer)


def _name(layer: str) -> str:
    return f"sheet-{slug(layer)}.png"


def write(folder: Path, layer: str, entries: list[UnitEntry], size: Size) -> None:
    """Write the sheet of a layer, one picture after the other, so that memory holds small ones only.

    Args:
        folder: Of the atlas.
        layer: Which.
        entries: Its units; those without a picture are left out.
        size: ``(height, width)`` of their pictures.

    Raises:
        ImageWriteError: It cannot be written.
    """
    drawn = [entry for entry in entries if entry.pictures]
    if not drawn:
        return
    columns = math.ceil(math.sqrt(len(drawn)))
    share = min(1.0, _LONGEST / columns / max(size) / 1.15)
    small = max(_LEAST, round(size[0] * share)), max(_LEAST, round(size[1] * share))
    pictures = [images.LabelledPicture(_thumbnail(folder, entry, small), _label(entry)) for entry in drawn]
    images.write(inside(folder, _name(layer)), images.Photo(images.sheet(pictures)), recipe=None, overwrite=True)


def _thumbnail(folder: Path, entry: UnitEntry, size: Size) -> FloatArray:
    """The first picture of a unit; a flat one for a unit that is dead, or whose file was taken away."""
    first = entry.pictures[0]
    if not entry.is_dead:
        try:
            photo = images.read(folder / entry.path(first.negative, first.variant))
            return np.asarray(np.clip(resize(photo.pixels, size), 0, 1), np.float32)
        except ImageReadError:
            pass
    return np.full((*size, 3), _NEUTRAL, np.float32)


def _label(entry: UnitEntry) -> str:
    return f"{entry.unit.index} (dead)" if entry.is_dead else str(entry.unit.index)
