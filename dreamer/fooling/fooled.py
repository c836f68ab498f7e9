"""A photo after an attack: what was changed, and what networks say of it before and after.

Must not import Keras.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dreamer import images
from dreamer.arrays import FloatArray, Size
from dreamer.errors import ImageWriteError
from dreamer.images import LabelledPicture, Photo
from dreamer.results import Result

if TYPE_CHECKING:
    from dreamer.models.network import Prediction

EXACT_FORMATS = ("PNG", "WebP", "TIFF")
"""Formats of which a file holds every level as it is, under transparent parts too."""

_MIDDLE = np.float32(0.5)


@dataclass(frozen=True)
class Said:
    """What a network says of a photo before and after an attack.

    Attributes:
        model: Its name.
        seen: ``(height, width)`` at which it saw the photo.
        fooled: Whether the attack reached its goal with it.
        before, after: The likeliest classes, and the two that matter, each list with the likeliest first.
    """

    model: str
    seen: Size
    fooled: bool
    before: tuple[Prediction, ...]
    after: tuple[Prediction, ...]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Fooled(Result):
    """A photo after an attack.

    Example:
        >>> import dreamer
        >>> found = dreamer.fool("cat.jpg", to="broccoli")  # doctest: +SKIP
        >>> found.success, found.linf, round(found.l2, 2)  # doctest: +SKIP
        (True, 2, 0.41)

    Attributes:
        original: ``(height, width, 3)`` uint8: the photo before it.
        said: What the network says that was attacked.
        judged: What another says that had no part in it; None where none was asked.
        steps: How often the gradient was asked for.
        survives_jpeg: Whether it was made to outlast a JPEG, so that it may be written as one.
    """

    original: np.ndarray
    said: Said
    judged: Said | None = None
    steps: int = 0
    survives_jpeg: bool = False

    @property
    def picture(self) -> np.ndarray:
        """``(height, width, 3)`` uint8: the photo after it."""
        return np.asarray(self.photo.pixels, np.uint8)

    @property
    def success(self) -> bool:
        """Whether the network is fooled."""
        return self.said.fooled

    @property
    def before(self) -> tuple[Prediction, ...]:
        """What the network took the photo for, the likeliest first."""
        return self.said.before

    @property
    def after(self) -> tuple[Prediction, ...]:
        """What it takes the result for."""
        return self.said.after

    @property
    def l2(self) -> float:
        """The root of the sum of squared differences, black to white being 1."""
        return float(np.sqrt(np.square(self._difference(), dtype=np.float64).sum())) / 255

    @property
    def linf(self) -> int:
        """By how many levels of 255 a pixel differs at most."""
        return int(np.abs(self._difference()).max())

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was changed, as where the network sees what is wanted from the first."""
        return self.linf == 0

    def save(self, path: str | Path, *, overwrite: bool = False) -> list[str]:
        """Write the picture as :meth:`Result.save` does, in a format that keeps every level.

        Raises:
            ImageWriteError: It cannot be written there, or the format would lose what fools the network.
        """
        check_format(Path(path), self.photo, survives_jpeg=self.survives_jpeg)
        return super().save(path, overwrite=overwrite)

    def _difference(self) -> FloatArray:
        return np.asarray(self.picture.astype(np.float32) - self.original, np.float32)

    def sheet(self) -> Result:
        """Photo, result and difference side by side, with what the network says; the factor stands below."""
        factor = max(1, 127 // max(1, self.linf))
        difference = np.clip(_MIDDLE + factor * self._difference() / np.float32(255), 0, 1)
        tiles = [
            LabelledPicture(self.original, f"before: {_in_words(self.before)}"),
            LabelledPicture(self.picture, f"after: {_in_words(self.after)}"),
            LabelledPicture(difference, f"difference, times {factor}: at most {self.linf} of 255 levels"),
        ]
        return Result(images.Photo(images.sheet(tiles, columns=3)), self.recipe)

    def _title(self) -> str:
        return f"{'fooled' if self.success else 'not fooled'}, l2 {self.l2:.3g}, linf {self.linf}, "


def _in_words(found: tuple[Prediction, ...]) -> str:
    best = found[0]
    return f"{best.name.split(', ')[0] or best.index} {best.probability:.0%}"


def suffix_of(path: Path, *, survives_jpeg: bool) -> str:
    """The suffix of what is made of a photo: its own where such a file keeps what fools a network, else ``.png``.

    Example:
        >>> suffix_of(Path("a.webp"), survives_jpeg=False), suffix_of(Path("a.jpg"), survives_jpeg=False)
        ('.webp', '.png')
    """
    kept = (*EXACT_FORMATS, "JPEG") if survives_jpeg else EXACT_FORMATS
    return path.suffix if images.SUFFIXES.get(path.suffix.lower()) in kept else ".png"


def check_format(path: Path, photo: Photo, *, survives_jpeg: bool) -> None:
    """Make sure that a file keeps what fools a network.

    Args:
        path: Where it goes.
        photo: What is to be written.
        survives_jpeg: Whether the change was made to outlast a JPEG.

    Raises:
        ImageWriteError: It would not.
    """
    name = images.SUFFIXES.get(path.suffix.lower())
    if name is None or name in EXACT_FORMATS:
        return  # An unknown suffix is said where it is written.
    if name == "JPEG" and survives_jpeg:
        if photo.alpha is None:
            return
        raise ImageWriteError(f"{path} is JPEG, which has no transparency, and the photo has; expected .png or .webp")
    mend = "; for a JPEG, say --survive-jpeg 90" if name == "JPEG" else ""
    raise ImageWriteError(
        f"{path} is {name}, which does not keep every level, and so what fools the network may be lost; expected .png, "
        f".webp or .tif{mend}"
    )
