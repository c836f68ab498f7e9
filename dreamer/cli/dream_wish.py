"""One wish of ``dreamer dream``: what is to be done with each photo, and what single pictures and zooms share."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.cli.completing import remember_layers
from dreamer.cli.outputs import standard_input
from dreamer.cli.progress import WorkProgress, import_keras, work_progress
from dreamer.dreaming.settings import DreamSettings
from dreamer.earlier import Earlier
from dreamer.errors import ImageWriteError

if TYPE_CHECKING:
    from dreamer.dreaming.photo import PhotoDream
    from dreamer.dreaming.plan import DreamPlan
    from dreamer.dreaming.steps import DreamStep
    from dreamer.images import Photo

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


def named(photo: Path | None, wish: Wish, taken: Collection[str | None]) -> Wish:
    """The same with the result's name where files in a folder may be replaced: all but those that are *taken*."""
    if wish.folder is None or not wish.overwrite:
        return wish
    names = names_of(photo, wish, None if wish.settings.frames == 1 else ".gif")
    return replace(wish, output=next(name for name in names if str(name) not in taken))


def read(photo: Path | None, wish: Wish) -> tuple[list[Photo], dict[str, object]]:
    """What a photo holds, in a list that it can be taken from, so that nobody keeps it; and what recipes say of it.

    Where there is no photo, it is a ground.
    """
    from dreamer.dreaming import grounds
    from dreamer.dreaming.sizes import check_room
    from dreamer.images.opening import stream_bytes
    from dreamer.sources import photo_of, read_photo

    max_pixels = wish.reading["max_pixels"]
    if photo is None:
        return [grounds.photo_of(wish.settings, max_pixels=max_pixels, preview=wish.preview)], {}
    options = {**wish.reading, **wish.settings.reading} | ({"work_bytes": 0} if wish.preview else {})
    if photo == STANDARD:
        data = stream_bytes(standard_input(), "standard input")
        found, source = photo_of(data, "", "standard input", **options)
    else:
        found, source = read_photo(photo, **options)
    size = found.pixels.shape[0], found.pixels.shape[1]
    check_room(size, wish.settings, max_pixels=max_pixels, preview=wish.preview)
    return [found], source


def begun(found: list[Photo], wish: Wish, source: Mapping[str, object]) -> PhotoDream:
    """The dream of a photo, which the list does not keep: of a large photo it takes gigabytes."""
    from dreamer.dreaming.photo import PhotoDream

    return PhotoDream(found.pop(), wish.plan or wish.settings, source=source, preset=wish.preset, preview=wish.preview)


def names_of(photo: Path | None, wish: Wish, suffix: str | None = None) -> Iterator[Path]:
    """Names for the result of a photo, the first one best; of nothing they begin with the look, or with the ground."""
    from dreamer.sources import result_names

    if photo is None:
        photo = Path(f"{_nameable(wish.preset.get('preset')) or wish.settings.ground}.png")
    named = photo if wish.folder is None else wish.folder / photo.name
    return result_names(named, "preview" if wish.preview else "dream", suffix)


def _nameable(preset: str | None) -> str | None:
    """The name of a preset as part of a file's; None where it has none, or a recipe made up an odd one."""
    return preset if preset is not None and re.fullmatch(r"[\w-]{1,80}", preset) else None


def stem_of(photo: Path | None) -> str:
    """What the name of what is kept elsewhere begins with."""
    return "dream" if photo is None or photo == STANDARD else photo.stem


def opening(photo: Path | None, wish: Wish) -> str:
    """What progress shows before the first step."""
    return "Loading the network" if wish.plan is None or photo is None else str(photo)


def check_folder(folder: Path, photo: Path | None, wish: Wish, pattern: str = "*") -> None:
    """Find out now that pictures of a pattern could not be written into a folder.

    Raises:
        ImageWriteError: They could not, or the photo itself lies there.
    """
    from dreamer import images

    if photo is not None and photo != STANDARD and folder.is_dir() and photo.absolute().parent.samefile(folder):
        raise ImageWriteError(f"the photo {photo} lies in {folder}; expected a folder of their own for the pictures")
    images.check_picture_folder(folder, pattern=pattern, overwrite=wish.overwrite)


def show(step: DreamStep, progress: WorkProgress, done: float, *, before: str = "") -> None:
    """Show a finished step of *before*, with the share of all the work that is done."""
    height, width = step.size
    octave = f"{before}octave {step.octave + 1}/{step.num_octaves}"
    finished = f"{octave} ({width}x{height}) done: {step.num_steps} steps, score {step.score:.4g}"
    progress.show(f"{octave} step {step.step + 1}/{step.num_steps}", done, finished if step.ends_octave else None)


def finish(wish: Wish, plan: DreamPlan) -> None:
    """Say what can be said once the network is known, and note its layers for the shell."""
    if wish.earlier is not None:
        wish.earlier.compare_plan(plan, wish.tell)
    remember_layers(plan.network)
