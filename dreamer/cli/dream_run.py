"""``dreamer dream``: photos dreamt one after the other, each read, dreamt with its progress shown, written and told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.cli.completing import remember_layers
from dreamer.cli.interrupts import ignore_interrupts, until_interrupted
from dreamer.cli.outputs import (
    check_not_photo,
    check_standard_output,
    free_name,
    print_picture,
    standard_input,
    write_result,
)
from dreamer.cli.progress import WorkProgress, import_keras, work_progress
from dreamer.dreaming.settings import DreamSettings
from dreamer.earlier import Earlier
from dreamer.errors import ImageWriteError, SettingsError
from dreamer.files.refuge import noted, rescued
from dreamer.memory import DREAM_BYTES

if TYPE_CHECKING:
    from dreamer.dreaming.photo import PhotoDream
    from dreamer.dreaming.plan import DreamPlan
    from dreamer.dreaming.steps import DreamStep
    from dreamer.images import Animation, NumberedFiles, Photo

STANDARD = Path("-")
"""Standard input as a photo, standard output as a result."""


@dataclass(frozen=True)
class Wish:
    """What is to be done with each photo.

    Attributes:
        settings: How to dream.
        preset: Which preset says so, as recipes have it; nothing for none.
        output: Where the result goes; None for a free name.
        folder: Where free names are; None for beside the photo.
        overwrite: Whether files may be replaced.
        preview: Whether only the first octaves are dreamt.
        octave_folder: Where each finished octave goes; None for nowhere.
        frame_rate: Frames per second of an animation.
        earlier: The dream that is done again, if it is one.
        reading: How photos are read, as keywords of ``images.decode``.
        fetch: Makes sure that the weights are there.
        quiet: Whether nothing is said but errors.
        tell: Says a remark.
        plan: The plan of the settings, where several photos share it; None to make it for the only one.
    """

    settings: DreamSettings
    preset: Mapping[str, str]
    output: Path | None
    folder: Path | None
    overwrite: bool
    preview: bool
    octave_folder: Path | None
    frame_rate: float
    earlier: Earlier | None
    reading: Mapping[str, Any]
    fetch: Callable[[], object]
    quiet: bool
    tell: Callable[[str], None]
    plan: DreamPlan | None = None


@dataclass(frozen=True)
class Made:
    """What became of a photo.

    Attributes:
        path: Where the result is; None if it went to standard output.
        answer: The same for a script, as ``answers.ITEMS["dream"]`` says.
        is_partial: Whether it was interrupted, and is what there was by then.
    """

    path: Path | None
    answer: dict[str, Any]
    is_partial: bool


def planned(wish: Wish) -> Wish:
    """The same with its plan, which several photos share: what is wrong with it is said once, before any of them.

    The folder of their dreams is made where it is not there.

    Raises:
        SettingsError, ModelError: As for ``DreamPlan.of``.
    """
    wish.fetch()
    with work_progress(quiet=wish.quiet):
        import_keras()
        from dreamer.dreaming.plan import DreamPlan

        plan = DreamPlan.of(wish.settings)
    if wish.folder is not None:
        wish.folder.mkdir(exist_ok=True)
    return replace(wish, plan=plan)


def named(photo: Path, wish: Wish, taken: Collection[str | None]) -> Wish:
    """The same with the result's name where files in a folder may be replaced: all but those that are *taken*."""
    if wish.folder is None or not wish.overwrite:
        return wish
    names = _names(photo, wish, None if wish.settings.frames == 1 else ".gif")
    return replace(wish, output=next(name for name in names if str(name) not in taken))


def dream_photo(photo: Path, wish: Wish) -> Made:
    """Dream a photo and write the result.

    Raises:
        ImageError: The photo cannot be read, or the result not written.
        DreamerError: As for :func:`dreamer.dream`.
    """
    found, source = _read(photo, wish)
    for remark in found[0].notes:
        wish.tell(remark)
    if wish.earlier is not None:
        wish.earlier.compare(source, wish.settings, wish.tell)
    if wish.plan is None:
        wish.fetch()
    return (_still if wish.settings.frames == 1 else _zoom)(photo, wish, found, source)


def _read(photo: Path, wish: Wish) -> tuple[list[Photo], dict[str, object]]:
    """What a photo holds, in a list that it can be taken from, so that nobody keeps it; and what recipes say of it."""
    from dreamer.dreaming.source import photo_of, read_photo
    from dreamer.images.opening import stream_bytes

    options = {**wish.reading, "max_side": wish.settings.max_size, "work_bytes": 0 if wish.preview else DREAM_BYTES}
    if photo == STANDARD:
        data = stream_bytes(standard_input(), "standard input")
        found, source = photo_of(data, "", "standard input", **options)
    else:
        found, source = read_photo(photo, **options)
    return [found], source


def _begun(found: list[Photo], wish: Wish, source: Mapping[str, object]) -> PhotoDream:
    """The dream of a photo, which the list does not keep: of a large photo it takes gigabytes."""
    from dreamer.dreaming.photo import PhotoDream

    return PhotoDream(found.pop(), wish.plan or wish.settings, source=source, preset=wish.preset, preview=wish.preview)


def _names(photo: Path, wish: Wish, suffix: str | None = None) -> Iterator[Path]:
    from dreamer.dreaming.source import dream_names

    named = photo if wish.folder is None else wish.folder / photo.name
    return dream_names(named, preview=wish.preview, suffix=suffix)


def _stem(photo: Path) -> str:
    """What the name of what is kept elsewhere begins with."""
    return "dream" if photo == STANDARD else photo.stem


def _opening(photo: Path, wish: Wish) -> str:
    return "Loading the network" if wish.plan is None else str(photo)


# ---------------------------------------------------------------- a single picture


def _still(photo: Path, wish: Wish, found: list[Photo], source: Mapping[str, object]) -> Made:
    _check_still(photo, wish)
    dream = _dreamt(photo, wish, found, source)
    result, network = dream.result(compact=True), dream.plan.network
    del dream  # Of a large photo these are gigabytes, which encoding the result can do with.
    if wish.output == STANDARD:
        print_picture(result, ".png" if photo == STANDARD else _written_suffix(photo), note=wish.tell)
        target = None
    else:
        target = write_result(result, wish.output, _names(photo, wish), overwrite=wish.overwrite, note=wish.tell)
    _finish(wish, network)
    reached, (height, width) = result.reached, result.photo.pixels.shape[:2]
    is_partial = reached is not None and reached.is_partial
    if reached is not None and reached.is_partial:
        wish.tell(
            f"interrupted in octave {reached.octave + 1} of {reached.num_octaves}, after step {reached.step + 1} of "
            f"{reached.num_steps}; {target or 'what was written'} is partial"
        )
    answer = {
        "photo": str(photo),
        "path": None if target is None else str(target),
        "width": width,
        "height": height,
        "frames": 1,
        "score": result.score,
        "partial": is_partial,
        "recipe": dict(result.recipe),
    }
    return Made(target, answer, is_partial)


def _written_suffix(photo: Path) -> str:
    from dreamer.images import dream_suffix

    return dream_suffix(photo.suffix)


def _check_still(photo: Path, wish: Wish) -> None:
    """Find out now, not after the dream, that the result could not be written."""
    from dreamer import images

    if wish.output == STANDARD:
        check_standard_output()
        target = None
    else:
        if wish.output is None and photo.suffix.lower() not in images.READ_SUFFIXES:
            raise ImageWriteError(f"{photo} has no suffix that names a format; say where to write with -o NAME.png")
        target = wish.output or free_name(_names(photo, wish))
        check_not_photo(target, photo)
        images.check_target(target, overwrite=wish.overwrite)
    folder = wish.octave_folder
    if folder is None:
        return
    _check_folder(folder, photo, wish, "octave-*.png")
    if target is not None and target.absolute().parent == folder.absolute() and target.match("octave-*.png"):
        raise SettingsError(f"{target} is the name of an octave in {folder}; choose another for -o")


def _check_folder(folder: Path, photo: Path, wish: Wish, pattern: str = "*") -> None:
    from dreamer import images

    if photo != STANDARD and folder.is_dir() and photo.absolute().parent.samefile(folder):
        raise ImageWriteError(f"the photo {photo} lies in {folder}; expected a folder of their own for the pictures")
    images.check_picture_folder(folder, pattern=pattern, overwrite=wish.overwrite)


def _dreamt(photo: Path, wish: Wish, found: list[Photo], source: Mapping[str, object]) -> PhotoDream:
    """Dream until the end or an interrupt; from then on no other is taken."""
    with work_progress(quiet=wish.quiet, opening=_opening(photo, wish)) as progress:
        import_keras()
        from dreamer import images

        dream = _begun(found, wish, source)
        if wish.output != STANDARD:
            images.check_target(wish.output or free_name(_names(photo, wish)), overwrite=True, size=dream.size)
        ways = {".png": lambda path: dream.result(compact=True).save(path)}
        try:
            with rescued(_stem(photo), ways, when=lambda: dream.reached is not None):
                for step in until_interrupted(dream.steps(note=wish.tell)):
                    _show(step, progress, step.progress)
                    if wish.octave_folder is not None and step.ends_octave:
                        _save_octave(wish.octave_folder, step, dream, overwrite=wish.overwrite)
            ignore_interrupts()
        except KeyboardInterrupt:
            if dream.reached is None:
                raise
    return dream


def _show(step: DreamStep, progress: WorkProgress, done: float, *, before: str = "") -> None:
    """Show a finished step of *before*, with the share of all the work that is done."""
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


def _finish(wish: Wish, network: Any) -> None:
    """Say what can be said once the network is known, and note its layers for the shell."""
    if wish.earlier is not None:
        wish.earlier.compare_network(network, wish.tell)
    remember_layers(network)


# ---------------------------------------------------------------- an endless zoom


def _zoom(photo: Path, wish: Wish, found: list[Photo], source: Mapping[str, object]) -> Made:
    from dreamer import images

    if wish.output == STANDARD:
        raise SettingsError("-o - writes a single picture to standard output, and --frames makes several; name a file")
    target = wish.output or free_name(_names(photo, wish, ".gif"))
    if target.suffix:
        check_not_photo(target, photo)
    else:
        _check_folder(target, photo, wish)
    timing = images.Timing(1 / wish.frame_rate)
    with images.frame_writer(target, timing, overwrite=wish.overwrite) as writer:
        dream = _zoomed(photo, wish, found, source, writer)
        count, asked = writer.count, wish.settings.frames
    _finish(wish, dream.plan.network)
    if count < asked:
        wish.tell(f"interrupted after {count} of {asked} frames; {target} ends there")
    height, width = dream.size
    answer = {
        "photo": str(photo),
        "path": str(target),
        "width": width,
        "height": height,
        "frames": count,
        "score": None,
        "partial": count < asked,
        "recipe": dream.recipe(),
    }
    return Made(target, answer, count < asked)


def _zoomed(photo: Path, wish: Wish, found: list[Photo], source: Mapping[str, object], writer: Any) -> PhotoDream:
    """Zoom until the end or an interrupt; from then on no other is taken."""
    with work_progress(quiet=wish.quiet, opening=_opening(photo, wish)) as progress:
        import_keras()
        dream = _begun(found, wish, source)
        if dream.has_alpha:
            wish.tell("the frames of a zoom are opaque; the transparency of the photo is left out")

        def recipe() -> dict[str, object]:
            partial = {"partial": {"frames": writer.count}} if writer.count < wish.settings.frames else {}
            return dream.recipe() | partial

        with _kept(writer, recipe):
            try:
                for step in until_interrupted(dream.zoom(note=wish.tell)):
                    _show(step.dream, progress, step.progress, before=f"frame {step.frame + 1}/{step.num_frames} ")
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


def _kept(writer: Animation | NumberedFiles, recipe: Callable[[], dict[str, object]]) -> AbstractContextManager[None]:
    """What there is of a zoom is kept, whatever goes wrong in the body."""
    from dreamer import images

    if not isinstance(writer, images.Animation):
        return noted(lambda: f"The {writer.count} frames before are in {writer.path}" if writer.count else None)

    def write_numbered(folder: Path) -> None:
        with images.NumberedFiles(folder) as files:
            for frame in writer.frames():
                files.add(frame, recipe())

    ways = {writer.path.suffix: lambda refuge: writer.write_to(refuge, recipe()), "": write_numbered}
    return rescued(writer.path.stem, ways, when=lambda: writer.count > 0)
