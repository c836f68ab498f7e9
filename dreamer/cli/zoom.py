"""``dreamer dream PHOTO --frames N``: an endless zoom, as an animation or a folder of numbered frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.cli.dream_wish import STANDARD, Made, Wish, begun, check_folder, finish, names_of, opening, show
from dreamer.cli.interrupts import ignore_interrupts, until_interrupted
from dreamer.cli.outputs import check_not_photo
from dreamer.cli.progress import import_keras, work_progress
from dreamer.errors import SettingsError
from dreamer.files.names import free_name
from dreamer.files.refuge import noted, rescued

if TYPE_CHECKING:
    from dreamer.dreaming.photo import PhotoDream
    from dreamer.dreaming.steps import DreamStep
    from dreamer.images import NumberedFiles, Photo, Spooled


def zoom(photo: Path | None, wish: Wish, found: list[Photo], source: Mapping[str, object]) -> Made:
    """Zoom into the dream of a photo and write the frames; *found* holds the photo, and no longer afterwards."""
    import dreamer.videos  # noqa: F401  Its films register there.
    from dreamer import images

    if wish.output == STANDARD:
        raise SettingsError("-o - writes a single picture to standard output, and --frames makes several; name a file")
    target = wish.output or free_name(names_of(photo, wish, ".gif"))
    if target.suffix:
        check_not_photo(target, photo)
    else:
        check_folder(target, photo, wish)
    timing = images.Timing(1 / wish.frame_rate)
    with images.frame_writer(target, timing, overwrite=wish.overwrite) as writer:
        dream = _zoomed(photo, wish, found, source, writer)
        count, asked = writer.count, wish.settings.frames
    finish(wish, dream.plan)
    if count < asked:
        wish.tell(f"interrupted after {count} of {asked} frames; {target} ends there")
    height, width = dream.size
    answer = {
        "photo": None if photo is None else str(photo),
        "path": str(target),
        "width": width,
        "height": height,
        "frames": count,
        "score": None,
        "partial": count < asked,
        "recipe": dream.recipe(),
    }
    return Made(target, answer, count < asked)


def _zoomed(
    photo: Path | None, wish: Wish, found: list[Photo], source: Mapping[str, object], writer: Any
) -> PhotoDream:
    """Zoom until the end or an interrupt; from then on no other is taken."""
    with work_progress(quiet=wish.quiet, opening=opening(photo, wish)) as progress:
        import_keras()
        dream = begun(found, wish, source)
        if dream.has_alpha:
            wish.tell("the frames of a zoom are opaque; the transparency of the photo is left out")

        def recipe() -> dict[str, object]:
            partial = {"partial": {"frames": writer.count}} if writer.count < wish.settings.frames else {}
            return dream.recipe() | partial

        with _kept(writer, recipe):
            try:
                for step in until_interrupted(dream.zoom(note=wish.tell)):
                    show(step.dream, progress, step.progress, before=f"frame {step.frame + 1}/{step.num_frames} ")
                    if step.dream.is_last:
                        _add(writer, step.dream, dream)
                ignore_interrupts()
            except KeyboardInterrupt:
                if not writer.count:
                    raise
            writer.finish(recipe())
    return dream


def _add(writer: Any, step: DreamStep, dream: PhotoDream) -> None:
    """Hand a finished frame over; one that a full folder does not take is kept elsewhere."""
    from dreamer import images

    frame, recipe = step.render("uint8"), dream.recipe()
    kept: AbstractContextManager[None] = nullcontext()
    if isinstance(writer, images.NumberedFiles):
        place, told = writer.next_path(), writer.numbered(recipe)
        write = partial(images.write, photo=images.Photo(frame), recipe=told)
        kept = rescued(f"{writer.path.name}-{place.stem}", {".png": write})
    with kept:
        writer.add(frame, recipe)


def _kept(writer: Spooled | NumberedFiles, recipe: Callable[[], dict[str, object]]) -> AbstractContextManager[None]:
    """What there is of a zoom is kept, whatever goes wrong in the body."""
    from dreamer import images

    if not isinstance(writer, images.Spooled):
        return noted(lambda: f"The {writer.count} frames before are in {writer.path}" if writer.count else None)

    def write_numbered(folder: Path) -> None:
        with images.NumberedFiles(folder) as files:
            for frame in writer.frames():
                files.add(frame, recipe())

    ways = {writer.path.suffix: lambda refuge: writer.write_to(refuge, recipe()), "": write_numbered}
    return rescued(writer.path.stem, ways, when=lambda: writer.count > 0)
