"""``dreamer dream PHOTO``, a single picture: dreamt with its progress shown, written, told."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.cli.interrupts import ignore_interrupts, until_interrupted
from dreamer.cli.order import Order
from dreamer.cli.outputs import check_not_photo, check_picture_folder, free_name, print_path, rescued, write_picture
from dreamer.cli.progress import WorkProgress, import_keras, work_progress
from dreamer.errors import ImageWriteError, SettingsError

if TYPE_CHECKING:
    from dreamer.dreaming.photo import PhotoDream
    from dreamer.dreaming.steps import DreamStep


def make(order: Order) -> bool:
    """Dream a photo and write the result.

    Returns:
        Whether it was interrupted, and the result is what there was by then.
    """
    _check(order)
    dream = _dreamt(order)
    result, recipe = dream.result()
    reached = dream.reached
    del dream  # Of a large photo these are gigabytes, which encoding the result can do with.
    target = write_picture(result, recipe, order.output, order.names(), overwrite=order.overwrite, note=order.tell)
    if not order.quiet:
        print_path(target)
    order.finish()
    if reached is None or not reached.is_partial:
        return False
    order.tell(
        f"interrupted in octave {reached.octave + 1} of {reached.num_octaves}, after step {reached.step + 1} of "
        f"{reached.num_steps}; {target} is partial"
    )
    return True


def _check(order: Order) -> None:
    """Find out now, not after the dream, that the result could not be written."""
    from dreamer import images

    target = order.output or free_name(order.names())
    if order.output is None and order.photo.suffix.lower() not in images.READ_SUFFIXES:
        raise ImageWriteError(f"{order.photo} has no suffix that names a format; say where to write with -o NAME.png")
    check_not_photo(target, order.photo)
    images.check_target(target, overwrite=order.overwrite)
    if order.octave_folder is not None:
        check_picture_folder(order.octave_folder, "octave-*.png", order.photo, overwrite=order.overwrite)
        if target.absolute().parent == order.octave_folder.absolute() and target.match("octave-*.png"):
            raise SettingsError(f"{target} is the name of an octave in {order.octave_folder}; choose another for -o")


def _dreamt(order: Order) -> PhotoDream:
    """Dream until the end or an interrupt; from then on no other is taken."""
    with work_progress(quiet=order.quiet) as progress:
        import_keras()
        from dreamer import images

        dream = order.dream()
        images.check_target(order.output or free_name(order.names()), overwrite=True, size=dream.size)
        try:
            with rescued(order.photo.stem, {".png": partial(_write, dream)}, when=lambda: dream.reached is not None):
                for step in until_interrupted(dream.steps(note=order.tell)):
                    show(step, progress, step.progress)
                    if order.octave_folder is not None and step.ends_octave:
                        _save_octave(order.octave_folder, step, dream, overwrite=order.overwrite)
            ignore_interrupts()
        except KeyboardInterrupt:
            if dream.reached is None:
                raise
    return dream


def _write(dream: PhotoDream, path: Path) -> None:
    """Write what there is of a dream that failed."""
    from dreamer import images

    result, recipe = dream.result()
    images.write(path, result, recipe=recipe)


def show(step: DreamStep, progress: WorkProgress, done: float, *, before: str = "") -> None:
    """Show a finished step.

    Args:
        step: The step.
        progress: Where.
        done: Share of all the work that is done.
        before: Of what it is a step.
    """
    height, width = step.size
    octave = f"{before}octave {step.octave + 1}/{step.num_octaves}"
    finished = f"{octave} ({width}x{height}) done: {step.num_steps} steps, score {step.score:.4g}"
    progress.show(f"{octave} step {step.step + 1}/{step.num_steps}", done, finished if step.ends_octave else None)


def _save_octave(folder: Path, step: DreamStep, dream: PhotoDream, *, overwrite: bool) -> None:
    """Write a finished octave at its own size."""
    from dreamer import images

    recipe: dict[str, Any] = dream.recipe() | {"octave": step.octave}
    folder.mkdir(exist_ok=True)
    picture = images.Photo(step.render("uint8", size=step.size))
    images.write(folder / f"octave-{step.octave + 1}.png", picture, recipe=recipe, overwrite=overwrite)
