"""Animated pictures as videos: GIF, WebP and APNG, through Pillow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dreamer.arrays import fitted
from dreamer.errors import ImageReadError
from dreamer.images import limits, profiles
from dreamer.images.admitting import Terms, check_size
from dreamer.images.formats import by_plugin
from dreamer.images.opening import DAMAGE, explained, file_bytes, guarded, opened
from dreamer.videos.frame import Frame

SUFFIXES = (".gif", ".webp", ".apng", ".png")
_UNSAID = 100  # Milliseconds that browsers show a frame of which nothing is said, or 0.


class AnimatedPicture:
    """A picture that moves, its clock in milliseconds.

    Args:
        path: The file.
        max_pixels: Of a frame, at the most.

    Raises:
        ImageReadError: It cannot be read, or is too large.

    Example:
        >>> AnimatedPicture(Path("dance.gif")).time_base  # doctest: +SKIP
        Fraction(1, 1000)
    """

    has_sound = False
    bits = 8

    def __init__(self, path: Path, *, max_pixels: int = 500_000_000) -> None:
        self.path = path
        self.time_base = Fraction(1, 1000)
        self._max_pixels = max_pixels
        self._data = file_bytes(path)
        self._notes: dict[str, None] = {}
        times = [duration for duration, _ in self._pictures(pixels=False)]
        if not times:
            raise ImageReadError(f"{path} has no frame; an animation is expected.")
        self.duration: float | None = sum(times) / 1000
        self.rate = Fraction(1000 * len(times), sum(times))

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks of one line each."""
        return tuple(self._notes)

    def frames(self, start: int | None = None, *, max_side: int | None = None) -> Iterator[Frame]:
        """The frames in order, as :class:`Video` says."""
        pts = 0
        for duration, picture in self._pictures(pixels=True):
            if start is None or pts >= start:
                height, width = self.size if max_side is None else fitted(self.size, max_side)
                # Averaging, as swscale's of video files.
                reduced = picture.resize((width, height), Image.Resampling.BOX)
                yield Frame(pts, duration, np.array(reduced))
            pts += duration

    def sound(self, rate: int = 22050) -> NDArray[np.float32] | None:
        """None: pictures have none."""
        del rate
        return None

    def sha256(self) -> str:
        """The digest of the file."""
        return hashlib.sha256(self._data).hexdigest()

    def close(self) -> None:
        """Let go of the file's bytes."""
        self._data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pictures(self, *, pixels: bool) -> Iterator[tuple[int, Image.Image]]:
        """How long each is shown, and the picture, opaque and in sRGB if its pixels are asked for."""
        with self._guarded():
            image = opened(self._data)
            self._check(image)
            # An APNG may begin with a picture for those who cannot play it.
            indices = range(1 if getattr(image, "default_image", False) else 0, getattr(image, "n_frames", 1))
        with image:
            for index in indices:
                with self._guarded():
                    image.seek(index)
                    image.load()
                    picture = self._opaque(image) if pixels else image
                    duration = round(image.info.get("duration") or 0)
                if duration <= 0:
                    duration = _UNSAID
                    self._notes[f"frames of which no time is said are shown for {_UNSAID / 1000:g} s"] = None
                yield duration, picture

    def _check(self, image: Any) -> None:
        self.size = image.height, image.width
        kind = by_plugin(image.format)
        check_size(self.size, Terms(self._max_pixels))
        limits.check_claim(kind, self.size, len(self._data))
        limits.check_memory(kind, limits.MemoryPlan(self.size, self.size, self.size, image.mode), 0)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Pillow's limits are borrowed for one frame at a time: whoever takes it may need them too."""
        try:
            with guarded(self._max_pixels):
                yield
        except (ImageReadError, *DAMAGE) as error:
            raise ImageReadError(f"{self.path} {explained(error, self._max_pixels)}") from error

    def _opaque(self, image: Image.Image) -> Image.Image:
        if image.has_transparency_data:
            layer = image.convert("RGBA")
            if layer.getchannel("A").getextrema() != (255, 255):
                self._notes["it is transparent in places, and was laid on white"] = None
            white = Image.new("RGBA", image.size, "white")
            picture = Image.alpha_composite(white, layer).convert("RGB")
        else:
            picture = image.convert("RGB")
        picture, note = profiles.to_srgb(picture, image.info.get("icc_profile"))
        if note:
            self._notes[note] = None
        return picture
