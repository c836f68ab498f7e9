"""What was made: a picture as a value, with its recipe.

The one idea: whoever makes a picture hands over a :class:`Result`; whoever asked for it looks at it, takes its numbers,
or saves it. Nothing is written before that.

Must not import Keras, or anything that makes pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamer import images
from dreamer.arrays import FloatArray, as_float, as_stored, fitted
from dreamer.images import Photo

if TYPE_CHECKING:
    from PIL import Image


_SHOWN_SIDE = 1024
"""Pixels; the longest side of what a notebook shows."""


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A picture that was made.

    Attributes:
        photo: The picture as it is written, with all that travels along: alpha, bit depth, metadata.
        recipe: How it was made, as JSON can hold it.
        score: What the objective gave for it.

    Example:
        >>> made = Result(Photo(np.zeros((4, 6, 3), np.float32)), {"settings": {"seed": 7}}, 0.5)
        >>> made.pixels.shape, np.asarray(made).dtype, made.image.size, made
        ((4, 6, 3), dtype('float32'), (6, 4), <Result: 4x6 pixels, score 0.5>)
    """

    photo: Photo
    recipe: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None

    @property
    def pixels(self) -> FloatArray:
        """``(height, width, 3)`` float32 RGB in [0, 1]."""
        return as_float(self.photo.pixels)

    @property
    def image(self) -> Image.Image:
        """The picture in 8 bits, as Pillow has it: RGB, or RGBA where parts of it are transparent."""
        from PIL import Image

        picture = Image.fromarray(as_stored(self.pixels, np.uint8))
        if self.photo.alpha is not None:
            top = np.iinfo(self.photo.alpha.dtype).max
            picture.putalpha(Image.fromarray((self.photo.alpha * (255 / top)).round().astype(np.uint8)))
        return picture

    def save(self, path: str | Path, *, overwrite: bool = False) -> list[str]:
        """Write the picture with its recipe inside, in one move; the suffix gives the format.

        Args:
            path: Where it goes.
            overwrite: Whether a file that is there is replaced.

        Returns:
            One-line notes on what the format could not hold.

        Raises:
            ImageWriteError: It cannot be written there, or a file is there already.
        """
        return list(images.write(Path(path), self.photo, recipe=self.recipe, overwrite=overwrite))

    def encoded(self, suffix: str) -> tuple[bytes, tuple[str, ...]]:
        """The bytes of a picture file with the recipe inside, and notes on what the format could not hold.

        Args:
            suffix: Of the format, as ``".png"``.

        Raises:
            ImageWriteError: The format cannot hold it.
        """
        return images.encode(self.photo, suffix, recipe=self.recipe)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        pixels = np.asarray(self.pixels, dtype)
        return pixels.copy() if copy else pixels

    def _repr_png_(self) -> bytes:
        """What a notebook shows: 8 bits, and smaller where a page would not hold it."""
        height, width = self.photo.pixels.shape[:2]
        shown = images.resized(self.photo, fitted((height, width), _SHOWN_SIDE))
        return images.encode(replace(shown, bits=8), ".png", recipe=self.recipe)[0]

    def __repr__(self) -> str:
        height, width = self.photo.pixels.shape[:2]
        score = "" if self.score is None else f", score {self.score:.4g}"
        return f"<{type(self).__name__}: {self._title()}{height}x{width} pixels{score}>"

    def _title(self) -> str:
        """What stands before the size, where there is something to say."""
        return ""


class Interrupted(KeyboardInterrupt):
    """An interrupt, as by Ctrl-C or a notebook's stop button, that costs nothing of what was made by then.

    Attributes:
        partial: What there is: a dream, or the visualizations; each recipe says how far it came.

    Example:
        >>> try:  # doctest: +SKIP
        ...     made = dreamer.dream("photo.jpg")
        ... except dreamer.Interrupted as stopped:
        ...     made = stopped.partial
    """

    def __init__(self, partial: Any) -> None:
        super().__init__(f"what there is, is kept as .partial of this: {partial!r}")
        self.partial = partial
