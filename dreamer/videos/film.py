"""Films: frames of a constant rate as a video file, as zooms give them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from dreamer.arrays import Size
from dreamer.images.animation import Timing
from dreamer.images.frames import WRITERS
from dreamer.images.recipes import Recipe
from dreamer.images.spooled import Spooled
from dreamer.videos.formats import written
from dreamer.videos.frame import Frame
from dreamer.videos.writing import check_size, check_video_target, write_video


class Film(Spooled):
    """A video file of frames that are shown equally long.

    Args:
        path: Where it goes; the suffix is one that is written. A symbolic link is written through.
        timing: How long frames are shown; their rate is kept exactly. The last is repeated for as long as it is shown.
        overwrite: Whether a file that is there is replaced, keeping its permissions.

    Raises:
        ImageWriteError: Nothing can be written there.
        MissingExtraError: PyAV is not installed.

    Example:
        >>> with Film(Path("zoom.mp4"), Timing(1 / 24)) as film:  # doctest: +SKIP
        ...     film.add(np.zeros((4, 6, 3), np.uint8))
        ...     film.finish({"settings": {"seed": 7}})
    """

    def __init__(self, path: Path, timing: Timing, *, overwrite: bool = False) -> None:
        check_video_target(path, codec=None, overwrite=overwrite)
        super().__init__(path, "video", overwrite=overwrite)
        self._timing = timing

    def check_first(self, size: Size) -> None:
        """Refuse frames that a video has no room for."""
        check_size(self.path, size)

    def write_to(self, path: Path, recipe: Recipe, *, overwrite: bool = False) -> None:
        """Encode what there is into a place, as where the first one failed."""
        self.check_frames(path)
        rate = self._timing.rate
        write_video(
            path,
            self._shown(rate),
            size=(self.shape[0], self.shape[1]),
            source=None,
            time_base=1 / rate,
            rate=rate,
            recipe=recipe,
            overwrite=overwrite,
        )

    def _shown(self, rate: Fraction) -> Iterator[Frame]:
        for number, levels in enumerate(self.frames()):
            yield Frame(number, 1, levels)
        repeats = max(1, round(self._timing.last_seconds * rate))
        for number in range(self.count, self.count - 1 + repeats):
            yield Frame(number, 1, levels)


WRITERS.update(dict.fromkeys(written(), Film))
