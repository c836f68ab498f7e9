"""From a climbed picture to the one that is shown: colours, blending, contrast, and where it is laid over the photo.

The one idea: a dream is a layer over its photo. It is made quiet where the photo is calm, coloured, blended with the
photo, given saturation and contrast, in this order; then it is laid over the photo, as opaque as strength and mask say.
So where a mask is black, or with a strength of 0, the photo stays as it is, to the bit.

Works on strips, so a large photo is never copied whole. Must not import: networks, Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dreamer.arrays import LUMA, FloatArray, Size, StoredArray, as_float, as_stored, strips
from dreamer.dreaming.masks import Masks, feathered, mask_of_file
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.masking.calming import busy

_SAMPLED = 512  # Rows and columns, at the most, that colours are measured on.

Strip = FloatArray
"""``(rows, width, 3)`` in [0, 1]."""


class Finish:
    """What makes the shown picture of a dream.

    Args:
        settings: Of the dream.
        photo: ``(height, width, 3)`` RGB as it is stored: what is dreamt of, in which calm places are looked for.
        masks: Gives the mask that settings name; that of the file where nothing else is said.
        held: ``(height, width)`` of any size: how much is kept of what is dreamt in each place; None for all of it.

    Raises:
        ImageReadError: The mask cannot be read.
    """

    def __init__(
        self,
        settings: DreamSettings,
        photo: StoredArray | None = None,
        *,
        masks: Masks | None = None,
        held: NDArray[np.uint8] | None = None,
    ) -> None:
        self._strength = np.float32(settings.strength)
        self._blend = settings.blend
        self._colors = settings.colors
        self._contrast = np.float32(settings.contrast)
        self._saturation = np.float32(settings.saturation)
        self._feather = settings.feather
        self._mask_path = settings.mask
        self._masks = masks or mask_of_file
        self._mask = self._masks(settings)
        self._is_inverted = settings.mask_invert
        self._fitted: NDArray[np.uint8] | None = None
        self._kept: NDArray[np.uint8] | None = None
        self._calm = np.float32(0 if photo is None else settings.calm)
        self._photo = photo
        self._held = held
        self._wraps = settings.tileable

    def told(self, settings: DreamSettings) -> Finish:
        """The same as other settings say it: of the same photo, with the same masks where they have some."""
        return Finish(settings, self._photo, masks=self._masks, held=self._held)

    @property
    def is_masked(self) -> bool:
        """Whether the dream is held back in some places, as by a mask, or where calm places are kept calm."""
        return self._mask is not None or self._held is not None or bool(self._calm > 0)

    def check_mask(self, size: Size) -> None:
        """Make sure that a mask leaves something to see.

        Args:
            size: ``(height, width)`` of the shown picture.

        Raises:
            SettingsError: It leaves nothing.
        """
        mask = self.mask_at(size)
        if mask is not None and not mask.any():
            what = "inverted wholly black" if self._is_inverted else "wholly black or transparent"
            raise SettingsError(
                f"the mask {self._mask_path} is {what} at {size[1]}x{size[0]}, so nothing would "
                "change. A dream is seen where its mask is white or opaque"
            )

    def __call__(self, dream: FloatArray, photo: StoredArray, dtype: DTypeLike = np.float32) -> StoredArray:
        """Finish a picture.

        Args:
            dream: ``(height, width, 3)`` in [0, 1]; left as it is.
            photo: Of the same size, as it is stored.
            dtype: float32 for values in [0, 1]; uint8 or uint16 for rounded levels.

        Returns:
            A new array ``(height, width, 3)``.
        """
        out = np.empty(dream.shape, dtype)
        size = dream.shape[0], dream.shape[1]
        kept, mask = self.kept_at(size), self.mask_at(size)
        some, of_photo = _sampled(dream), _sampled(photo)
        layer = self._layer(some if kept is None else _laid(some, of_photo, _share(_sampled(kept))), of_photo)
        for rows in strips(len(dream)):
            below = photo[rows]
            strip = layer(dream[rows] if kept is None else _laid(dream[rows], below, _share(kept[rows])), below)
            opacity = self._opacity(mask, rows)
            out[rows] = as_stored(strip if opacity is None else _laid(strip, below, opacity), dtype)
        return out

    def confine(self, dream: FloatArray, photo: StoredArray) -> None:
        """Undo in place what was dreamt where it is held back, so that the next octave does not build on it.

        Args:
            dream: ``(height, width, 3)`` in [0, 1].
            photo: Of the same size.
        """
        size = dream.shape[0], dream.shape[1]
        for held in (self.mask_at(size), self.kept_at(size)):
            if held is not None:
                for rows in strips(len(dream)):
                    dream[rows] = _laid(dream[rows], photo[rows], _share(held[rows]))

    def _layer(self, dream: FloatArray, photo: StoredArray) -> Callable[[Strip, StoredArray], Strip]:
        """What makes a strip of the layer, by some of the pixels of all of it."""
        colored = _COLORS[self._colors](dream, photo)
        blend = BLEND_FUNCTIONS[self._blend]
        grey = np.float32(0)
        if self._contrast != 1:
            # Contrast turns about the mean brightness, so that a dark picture stays a dark one.
            blended = blend(as_float(photo), colored(dream, photo))
            grey = np.float32((blended @ LUMA).mean())

        def layer(strip: Strip, below: StoredArray) -> Strip:
            strip = colored(strip, below)
            if self._blend != "normal":
                strip = blend(as_float(below), strip)
            if self._saturation != 1:
                brightness = (strip @ LUMA)[..., None]
                strip = np.asarray(brightness + self._saturation * (strip - brightness), np.float32)
            if self._contrast != 1:
                strip = np.asarray(grey + self._contrast * (strip - grey), np.float32)
            return np.clip(strip, 0, 1)

        return layer

    def _opacity(self, mask: NDArray[np.uint8] | None, rows: slice) -> FloatArray | None:
        """How much of a strip of the layer is seen; None for all of it."""
        if mask is None:
            return None if self._strength == 1 else np.asarray(self._strength)
        return self._strength * _share(mask[rows])

    def mask_at(self, size: Size) -> NDArray[np.uint8] | None:
        """The mask stretched to a size, its edges softened, 255 where to dream; None without one.

        Args:
            size: ``(height, width)``; what was found for the last one is kept.
        """
        if self._mask is not None and (self._fitted is None or self._fitted.shape != size):
            fitted = feathered(self._mask, size, self._feather, wraps=self._wraps)
            self._fitted = 255 - fitted if self._is_inverted else fitted
        return self._fitted

    def kept_at(self, size: Size) -> NDArray[np.uint8] | None:
        """How much is kept of what was dreamt in each place, 255 for all of it; None for all everywhere.

        Args:
            size: ``(height, width)``; what was found for the last one is kept.
        """
        if self._kept is not None and self._kept.shape == size:
            return self._kept
        if self._photo is not None and self._calm > 0:
            kept = 1 - self._calm * (1 - busy(self._photo, size, wraps=self._wraps))
            if self._held is not None:
                kept = kept * as_float(feathered(self._held, size, 0))
            self._kept = as_stored(kept, np.uint8)
        elif self._held is not None:
            self._kept = feathered(self._held, size, 0)
        return self._kept


def _share(mask: NDArray[np.uint8]) -> FloatArray:
    return as_float(mask)[..., None]


def _laid(above: FloatArray, below: StoredArray, opacity: FloatArray) -> FloatArray:
    """A picture laid over another, as opaque as is said."""
    ground = as_float(below)
    return np.asarray(ground + opacity * (above - ground), np.float32)


def _free(_dream: FloatArray, _photo: StoredArray) -> Callable[[Strip, StoredArray], Strip]:
    return lambda strip, _below: strip


def _keep(dream: FloatArray, photo: StoredArray) -> Callable[[Strip, StoredArray], Strip]:
    """Give the dream the photo's palette: mean and covariance of its colours.

    References:
        Gatys, Bethge, Hertzmann and Shechtman, arXiv:1606.05897, section 3.1 (the symmetric root).
    """
    center, spread = _palette(as_float(photo))
    own_center, own_spread = _palette(dream)
    turn = np.asarray(_root(spread) @ np.linalg.inv(_root(own_spread)), np.float32)
    return lambda strip, _below: np.clip((strip - own_center) @ turn.T + center, 0, 1)


def _luminance(_dream: FloatArray, _photo: StoredArray) -> Callable[[Strip, StoredArray], Strip]:
    """Give the photo the dream's brightness.

    References:
        Gatys, Bethge, Hertzmann and Shechtman, arXiv:1606.05897, section 3.2.
    """

    def colored(strip: Strip, below: StoredArray) -> Strip:
        photo = as_float(below)
        return np.clip(photo + ((strip - photo) @ LUMA)[..., None], 0, 1)

    return colored


_COLORS: Mapping[str, Callable[[FloatArray, StoredArray], Callable[[Strip, StoredArray], Strip]]] = {
    "free": _free,
    "keep": _keep,
    "luminance": _luminance,
}


def _palette(pixels: FloatArray) -> tuple[FloatArray, NDArray[np.float64]]:
    """Mean and covariance of colours; a little is added to it, since a grey picture has no inverse."""
    flat = pixels.reshape(-1, 3).astype(np.float64)
    center = flat.mean(axis=0)
    spread = (flat - center).T @ (flat - center) / len(flat)
    return center.astype(np.float32), spread + 1e-6 * np.eye(3)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric square root of a symmetric matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T)


def _sampled(picture: StoredArray) -> StoredArray:
    """Every so many rows and columns: averages would take away the spread of fine detail."""
    return picture[:: -(-picture.shape[0] // _SAMPLED), :: -(-picture.shape[1] // _SAMPLED)]


def _soft_light(below: Strip, layer: Strip) -> Strip:
    bent = np.where(below <= 0.25, ((16 * below - 12) * below + 4) * below, np.sqrt(below))
    darker = below - (1 - 2 * layer) * below * (1 - below)
    return np.where(layer <= 0.5, darker, below + (2 * layer - 1) * (bent - below))


def _hard_light(below: Strip, layer: Strip) -> Strip:
    return np.where(layer <= 0.5, 2 * below * layer, 1 - 2 * (1 - below) * (1 - layer))


BLEND_FUNCTIONS: Mapping[str, Callable[[Strip, Strip], Strip]] = {
    "normal": lambda _below, layer: layer,
    "multiply": lambda below, layer: below * layer,
    "screen": lambda below, layer: 1 - (1 - below) * (1 - layer),
    "overlay": lambda below, layer: _hard_light(layer, below),
    "soft-light": _soft_light,
    "hard-light": _hard_light,
    "darken": np.minimum,
    "lighten": np.maximum,
    "difference": lambda below, layer: np.abs(below - layer),
}
"""(photo, dream) -> the layer, each in [0, 1], as W3C's "Compositing and Blending Level 1", section 10, says."""
