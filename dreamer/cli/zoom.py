"""``dreamer dream PHOTO --frames N``: an endless zoom, as an animation or a folder of numbered frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.cli.interrupts import ignore_interrupts, interrupt_once
from dreamer.cli.order import Order
from dreamer.cli.outputs import check_not_photo, check_picture_folder, free_name, keep_elsewhere, print_path
from dreamer.cli.progress import import_keras, work_progress
from dreamer.cli.still import show
from dreamer.errors import ImageWriteError

if TYPE_CHECKING:
    from dreamer.arrays import StoredArray
    from dreamer.photos import PhotoDream

Recipe = Callable[[], dict[str, object]]


class _Animation:
    """Frames that become one file once there are no more."""

    def __init__(self, path: Path, order: Order) -> None:
        from dreamer import images

        self.path = path
        self._order = order
        self._frames: list[StoredArray] = []
        check_not_photo(path, order.photo)
        images.check_animation_target(path, overwrite=order.overwrite)

    def add(self, frame: StoredArray, _recipe: Recipe) -> None:
        self._frames.append(frame)

    def close(self, recipe: Recipe) -> None:
        from dreamer import images

        def write(path: Path, *, overwrite: bool = False) -> None:
            seconds = 1 / self._order.frame_rate
            images.write_animation(
                path, self._frames, seconds_per_frame=seconds, last_seconds=0, recipe=recipe(), overwrite=overwrite
            )

        try:
            write(self.path, overwrite=self._order.overwrite)
        except ImageWriteError as error:
            kept = keep_elsewhere(self.path.stem, self.path.suffix, write)
            raise ImageWriteError(f"{error} {kept}") from error


class _Folder:
    """Frames that are written as they come: ``0001.png``, ..."""

    def __init__(self, path: Path, order: Order) -> None:
        self.path = path
        self._overwrite = order.overwrite
        self._count = 0
        check_picture_folder(path, "*", order.photo, overwrite=order.overwrite)

    def add(self, frame: StoredArray, recipe: Recipe) -> None:
        from dreamer import images

        self.path.mkdir(exist_ok=True)
        self._count += 1
        target = self.path / f"{self._count:04d}.png"
        images.write(target, images.Photo(frame), recipe=recipe() | {"frame": self._count}, overwrite=self._overwrite)

    def close(self, _recipe: Recipe) -> None:
        """All is written."""


def make(order: Order) -> bool:
    """Zoom into the dream of a photo and write the frames.

    Returns:
        Whether it was interrupted, and there are fewer frames than asked for.
    """
    target = order.output or free_name(order.names(".gif"))
    sink = (_Animation if target.suffix else _Folder)(target, order)
    with interrupt_once():
        done = _zoomed(order, sink)
        ignore_interrupts()
        if not order.quiet:
            print_path(sink.path)
    order.finish()
    if done == order.settings.frames:
        return False
    order.tell(f"interrupted after {done} of {order.settings.frames} frames; {sink.path} ends there")
    return True


def _zoomed(order: Order, sink: _Animation | _Folder) -> int:
    """Zoom until the end or Ctrl-C; gives the number of finished frames, all of them written."""
    done = 0
    with work_progress(quiet=order.quiet) as progress:
        import_keras()

        dream = order.dream()
        if dream.has_alpha:
            order.tell("the frames of a zoom are opaque; the transparency of the photo is left out")
        try:
            for step in dream.zoom(note=order.tell):
                show(step.dream, progress, step.progress, before=f"frame {step.frame + 1}/{step.num_frames} ")
                if step.dream.is_last:
                    sink.add(step.dream.render("uint8"), dream.recipe)
                    done += 1
        except KeyboardInterrupt:
            if not done:
                raise
        ignore_interrupts()
        sink.close(_partial(dream, done, order.settings.frames))
    return done


def _partial(dream: PhotoDream, done: int, asked: int) -> Recipe:
    return lambda: dream.recipe() | ({"partial": {"frames": done}} if done < asked else {})
