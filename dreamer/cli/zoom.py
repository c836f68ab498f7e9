"""``dreamer dream PHOTO --frames N``: an endless zoom, as an animation or a folder of numbered frames."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.cli.interrupts import ignore_interrupts, until_interrupted
from dreamer.cli.order import Order
from dreamer.cli.outputs import (
    check_not_photo,
    check_picture_folder,
    frame_writer,
    free_name,
    noted,
    print_path,
    rescued,
)
from dreamer.cli.progress import import_keras, work_progress
from dreamer.cli.still import show

if TYPE_CHECKING:
    from dreamer.arrays import StoredArray

Recipe = Callable[[], dict[str, object]]


class _Animation:
    """Frames that become one file once there are no more.

    Attributes:
        path: Where it goes.
        count: How many there are.
    """

    def __init__(self, path: Path, order: Order) -> None:
        from dreamer import images

        self.path = path
        self._order = order
        self._frames: list[StoredArray] = []
        check_not_photo(path, order.photo)
        images.check_animation_target(path, overwrite=order.overwrite)

    @property
    def count(self) -> int:
        return len(self._frames)

    def add(self, frame: StoredArray, _recipe: Recipe) -> None:
        self._frames.append(frame)

    def rescued(self, recipe: Recipe) -> AbstractContextManager[None]:
        """Frames are kept elsewhere, whatever goes wrong in the body."""
        ways = {
            self.path.suffix: lambda refuge: self._write(refuge, recipe, overwrite=False),
            "": frame_writer(lambda: self._frames, recipe),
        }
        return rescued(self.path.stem, ways, when=lambda: self.count > 0)

    def close(self, recipe: Recipe) -> None:
        self._write(self.path, recipe, overwrite=self._order.overwrite)

    def _write(self, path: Path, recipe: Recipe, *, overwrite: bool) -> None:
        from dreamer import images

        seconds = 1 / self._order.frame_rate
        images.write_animation(
            path, self._frames, seconds_per_frame=seconds, last_seconds=0, recipe=recipe(), overwrite=overwrite
        )


class _Folder:
    """Frames that are written as they come: ``0001.png``, ...

    Attributes:
        path: Where they go.
        count: How many are written.
    """

    def __init__(self, path: Path, order: Order) -> None:
        self.path = path
        self.count = 0
        self._overwrite = order.overwrite
        check_picture_folder(path, "*", order.photo, overwrite=order.overwrite)

    def add(self, frame: StoredArray, recipe: Recipe) -> None:
        from dreamer import images

        number = self.count + 1
        target = self.path / f"{number:04d}.png"

        def write(path: Path, *, overwrite: bool = False) -> None:
            images.write(path, images.Photo(frame), recipe=recipe() | {"frame": number}, overwrite=overwrite)

        with rescued(f"{self.path.name}-{target.stem}", {".png": write}):
            self.path.mkdir(exist_ok=True)
            write(target, overwrite=self._overwrite)
        self.count = number

    def rescued(self, _recipe: Recipe) -> AbstractContextManager[None]:
        """Frames are where they belong; an error says so."""
        return noted(lambda: f"The {self.count} frames before are in {self.path}" if self.count else None)

    def close(self, _recipe: Recipe) -> None:
        """All is written."""


def make(order: Order) -> bool:
    """Zoom into the dream of a photo and write the frames.

    Returns:
        Whether it was interrupted, and there are fewer frames than asked for.
    """
    target = order.output or free_name(order.names(".gif"))
    sink = (_Animation if target.suffix else _Folder)(target, order)
    _zoom(order, sink)
    if not order.quiet:
        print_path(sink.path)
    order.finish()
    if sink.count == order.settings.frames:
        return False
    order.tell(f"interrupted after {sink.count} of {order.settings.frames} frames; {sink.path} ends there")
    return True


def _zoom(order: Order, sink: _Animation | _Folder) -> None:
    """Zoom until the end or an interrupt; from then on no other is taken."""
    with work_progress(quiet=order.quiet) as progress:
        import_keras()
        from dreamer.photos import PhotoDream

        dream = PhotoDream(order.take_photo(), order.settings, source=order.source, preview=order.preview)
        if dream.has_alpha:
            order.tell("the frames of a zoom are opaque; the transparency of the photo is left out")

        def recipe() -> dict[str, object]:
            partial = {"partial": {"frames": sink.count}} if sink.count < order.settings.frames else {}
            return dream.recipe() | partial

        with sink.rescued(recipe):
            try:
                for step in until_interrupted(dream.zoom(note=order.tell)):
                    show(step.dream, progress, step.progress, before=f"frame {step.frame + 1}/{step.num_frames} ")
                    if step.dream.is_last:
                        sink.add(step.dream.render("uint8"), dream.recipe)
                ignore_interrupts()
            except KeyboardInterrupt:
                if not sink.count:
                    raise
            sink.close(recipe)
