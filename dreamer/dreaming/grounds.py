"""Grounds: what is dreamt of where there is no photo, drawn from the seed.

The one idea: a ground is drawn in shares of its sides, never in pixels. So the same seed gives the same composition at
any size, and a larger one has only finer detail besides. And it has no edges: each continues at the opposite one.

Must not import: networks, Keras, files, the command line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np

from dreamer import wrapping
from dreamer.arrays import FloatArray, Size, strips
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.sizes import MOST_PIXELS, check_room
from dreamer.errors import SettingsError
from dreamer.images import Photo
from dreamer.sources import opened

_COARSEST = 2  # Cells of the coarsest noise along the shorter side.
_FINEST = 4.0  # Pixels of a cell of the finest.
_LOUDNESS = 0.05  # Deviation of each noise, as loud at every scale: the 1/f spectrum of photos.
_COLOURFUL = 0.5  # Of colours, beside the brightness.
_SPOTS = 7  # Colours of a gradient.
_SPREAD = 0.15  # How far one of them reaches, as a share of the shorter side.
_SWAY = 0.08  # Of borders between them, as a share of a side.
_LEAST = 1e-4  # Of each colour, everywhere.
_GOLDEN = 0.618034  # Of a turn: hues so far apart never crowd.


def photo_for(
    picture: Any, settings: DreamSettings, *, preview: bool = False, damaged_ok: bool = False
) -> tuple[Photo, dict[str, object]]:
    """What is dreamt of, a photo or a ground, and what recipes say of where it comes from.

    Args:
        picture: As ``sources.opened`` takes it; None for a ground.
        settings: Of the dream.
        preview: Whether only a small beginning is dreamt.
        damaged_ok: Whether a file is taken that is not whole.

    Raises:
        ImageReadError: It cannot be read.
        SettingsError: There is no size for a ground, or one beside a picture, or there is no room for the dream.
    """
    if picture is None:
        return photo_of(settings, preview=preview), {}
    check_photo(settings)
    photo, source = opened(picture, **settings.reading, damaged_ok=damaged_ok)
    check_room((photo.pixels.shape[0], photo.pixels.shape[1]), settings, preview=preview)
    return photo, source


def check_photo(settings: DreamSettings) -> None:
    """Make sure that settings are of the dream of a photo.

    Raises:
        SettingsError: They are of a dream of nothing.
    """
    if settings.size is not None:
        raise SettingsError(
            "size is that of a dream of nothing, and there is a photo; give one of them. max_size makes a dream "
            "smaller, and upscale larger"
        )


def photo_of(settings: DreamSettings, *, max_pixels: int = MOST_PIXELS, preview: bool = False) -> Photo:
    """What a dream of nothing is made from.

    Args:
        settings: Their ``size``, ``ground`` and ``seed`` say how it is drawn.
        max_pixels: No larger one.
        preview: Whether only a small beginning is dreamt.

    Returns:
        A photo of that size, without anything besides.

    Raises:
        SettingsError: There is no size, or it is too large.

    Example:
        >>> photo_of(DreamSettings(size=(90, 160), ground="gradient")).pixels.shape
        (90, 160, 3)
    """
    if settings.size is None:
        raise SettingsError("there is no photo to dream of; give one, or a size to dream of nothing, as (1080, 1920)")
    check_room(settings.size, settings, max_pixels=max_pixels, preview=preview)
    return Photo(drawn(settings.ground, settings.size, settings.seed))


def drawn(ground: str, size: Size, seed: int) -> FloatArray:
    """Draw a ground.

    Args:
        ground: One of ``dreaming.settings.GROUNDS``.
        size: ``(height, width)``.
        seed: The same gives the same.

    Returns:
        ``(height, width, 3)`` in [0, 1]; opposite edges meet.

    Example:
        >>> drawn("grey", (2, 3), 0).max()
        np.float32(0.5)
    """
    return _GROUNDS[ground](size, seed)


def _grey(size: Size, _seed: int) -> FloatArray:
    return np.full((*size, 3), 0.5, np.float32)


def _noise(size: Size, seed: int) -> FloatArray:
    """Noise at every scale: random values on a lattice, each next one twice as fine, with smooth ways between them."""
    short = min(size)
    found: FloatArray = np.zeros((1, 1, 3), np.float32)
    for octave in range(max(1, math.floor(math.log2(max(short / _FINEST / _COARSEST, 1))) + 1)):
        cells = _COARSEST * 2**octave
        lattice = max(1, round(cells * size[0] / short)), max(1, round(cells * size[1] / short))
        values = np.random.default_rng((seed, octave)).standard_normal((*lattice, 4), np.float32)
        loud = np.asarray(_LOUDNESS * (values[..., :1] + _COLOURFUL * values[..., 1:]), np.float32)
        found = wrapping.resized(found, lattice) + loud
    whole = wrapping.resized(found, size)
    whole += np.float32(0.5)
    return np.clip(whole, 0, 1, out=whole)


def _gradient(size: Size, seed: int) -> FloatArray:
    """Soft spots of colours that flow into each other, as far around the edges as across the middle."""
    chance = np.random.default_rng(seed)
    places = chance.random((_SPOTS, 2))
    hues = (chance.random() + _GOLDEN * np.arange(_SPOTS)) % 1
    looks = np.stack([hues * 360, chance.uniform(0.5, 0.9, _SPOTS), chance.uniform(0.3, 1, _SPOTS)], axis=-1)
    colours = cv2.cvtColor(looks[None].astype(np.float32), cv2.COLOR_HSV2RGB)[0]
    bend, sway = chance.random(2)
    y, x = ((np.arange(side) + 0.5) / side for side in size)
    # Each axis sways along the other one, or borders between colours would be straight.
    swayed_y, swayed_x = _SWAY * np.sin(2 * np.pi * (x + bend)), _SWAY * np.sin(2 * np.pi * (y + sway))
    reach = [side / min(size) / np.pi / _SPREAD for side in size]
    found = np.empty((*size, 3), np.float32)
    for rows in strips(size[0]):
        # Of the sine of a difference, so that the way around the edges is as good as the direct one.
        down = np.sin(np.pi * ((y[rows, None] + swayed_y)[..., None] - places[:, 0])) * reach[0]
        across = np.sin(np.pi * ((x + swayed_x[rows, None])[..., None] - places[:, 1])) * reach[1]
        weights = np.exp(-(down**2 + across**2) / 2) + _LEAST
        found[rows] = (weights @ colours) / weights.sum(axis=-1, keepdims=True)
    return np.clip(found, 0, 1, out=found)


_GROUNDS: Mapping[str, Callable[[Size, int], FloatArray]] = {"noise": _noise, "gradient": _gradient, "grey": _grey}
"""By name; the names stand in ``dreaming.settings`` too, which must not load this."""
