"""``dreamer dream PHOTO``, a single picture: dreamt with its progress shown, and written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.cli.dream_wish import STANDARD, Made, Wish, begun, check_folder, finish, names_of, opening, show, stem_of
from dreamer.cli.interrupts import ignore_interrupts, until_interrupted
from dreamer.cli.outputs import check_not_photo, check_standard_output, print_picture, write_result
from dreamer.cli.progress import import_keras, work_progress
from dreamer.errors import ImageWriteError, SettingsError
from dreamer.files.names import free_name
from dreamer.files.refuge import rescued

if TYPE_CHECKING:
    from dreamer.dreaming.photo import PhotoDream
    from dreamer.dreaming.steps import DreamStep
    from dreamer.images import Photo


def still(photo: Path | None, wish: Wish, found: list[Photo], source: Mapping[str, object]) -> Made:
    """Dream a photo and write the picture; *found* holds the photo, and no longer afterwards."""
    _check_still(photo, wish)
    dream = _dreamt(photo, wish, found, source)
    result, plan = dream.result(compact=True), dream.plan
    del dream  # Of a large photo these are gigabytes, which encoding the result can do with.
    if wish.output == STANDARD:
        print_picture(result, _written_suffix(photo), note=wish.tell)
        target = None
    else:
        target = write_result(result, wish.output, names_of(photo, wish), overwrite=wish.overwrite, note=wish.tell)
    finish(wish, plan)
    reached, (height, width) = result.reached, result.photo.pixels.shape[:2]
    is_partial = reached is not None and reached.is_partial
    if reached is not None and reached.is_partial:
        wish.tell(
            f"interrupted in octave {reached.octave + 1} of {reached.num_octaves}, after step {reached.step + 1} of "
            f"{reached.num_steps}; {target or 'what was written'} is partial"
        )
    answer = {
        "photo": None if photo is None else str(photo),
        "path": None if target is None else str(target),
        "width": width,
        "height": height,
        "frames": 1,
        "score": result.score,
        "partial": is_partial,
        "recipe": dict(result.recipe),
    }
    return Made(target, answer, is_partial)


def _written_suffix(photo: Path | None) -> str:
    """Of what is written to standard output, which has no name."""
    from dreamer.images import dream_suffix

    return ".png" if photo is None or photo == STANDARD else dream_suffix(photo.suffix)


def _check_still(photo: Path | None, wish: Wish) -> None:
    """Find out now, not after the dream, that the result could not be written."""
    from dreamer import images

    if wish.output == STANDARD:
        check_standard_output()
        target = None
    else:
        if photo is not None and wish.output is None and photo.suffix.lower() not in images.READ_SUFFIXES:
            raise ImageWriteError(f"{photo} has no suffix that names a format; say where to write with -o NAME.png")
        target = wish.output or free_name(names_of(photo, wish))
        check_not_photo(target, photo)
        images.check_target(target, overwrite=wish.overwrite)
    folder = wish.octave_folder
    if folder is None:
        return
    check_folder(folder, photo, wish, "octave-*.png")
    if target is not None and target.absolute().parent == folder.absolute() and target.match("octave-*.png"):
        raise SettingsError(f"{target} is the name of an octave in {folder}; choose another for -o")


def _dreamt(photo: Path | None, wish: Wish, found: list[Photo], source: Mapping[str, object]) -> PhotoDream:
    """Dream until the end or an interrupt; from then on no other is taken."""
    with work_progress(quiet=wish.quiet, opening=opening(photo, wish)) as progress:
        import_keras()
        from dreamer import images

        dream = begun(found, wish, source)
        if wish.output != STANDARD:
            images.check_target(wish.output or free_name(names_of(photo, wish)), overwrite=True, size=dream.size)
        ways = {".png": lambda path: dream.result(compact=True).save(path)}
        try:
            with rescued(stem_of(photo), ways, when=lambda: dream.reached is not None):
                for step in until_interrupted(dream.steps(note=wish.tell)):
                    show(step, progress, step.progress)
                    if wish.octave_folder is not None and step.ends_octave:
                        _save_octave(wish.octave_folder, step, dream, overwrite=wish.overwrite)
            ignore_interrupts()
        except KeyboardInterrupt:
            if dream.reached is None:
                raise
    return dream


def _save_octave(folder: Path, step: DreamStep, dream: PhotoDream, *, overwrite: bool) -> None:
    """Write a finished octave at its own size."""
    from dreamer import images

    recipe: dict[str, Any] = dream.recipe() | {"octave": step.octave}
    folder.mkdir(exist_ok=True)
    picture = images.Photo(step.render("uint8", size=step.size))
    images.write(folder / f"octave-{step.octave + 1}.png", picture, recipe=recipe, overwrite=overwrite)
