"""``dreamer presets sheet PHOTO``: one photo through all presets, to choose by eye."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer import presets
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_choice, complete_model
from dreamer.cli.completing import tags as all_tags
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.interrupts import exit_status, ignore_interrupts, until_interrupted
from dreamer.cli.mistyping import OutputFile, PhotoFile, WholeRange
from dreamer.cli.options import backend_option, debug_option, quiet_option
from dreamer.cli.outputs import check_not_photo, print_path, write_result
from dreamer.cli.progress import import_keras, note, silent, work_progress
from dreamer.errors import DreamerError
from dreamer.files.refuge import rescued
from dreamer.recipes import head

if TYPE_CHECKING:
    from dreamer.arrays import Size, StoredArray
    from dreamer.images import Photo
    from dreamer.presets import Preset
    from dreamer.results import Result

_PHOTO = "the photo"
_SIDE = 320
"""Longest side of a picture of the sheet, in pixels."""


@click.command(cls=Command)
@click.argument("photo", type=PhotoFile())
@click.option("-o", "--output", type=OutputFile(), required=True, help="Where to write the sheet.")
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    help="Only presets with this tag; repeatable.",
    shell_complete=complete_choice(all_tags),
)
@click.option("--columns", type=WholeRange(min=1), help="How many pictures stand side by side.")
@click.option(
    "--model", metavar="NAME", shell_complete=complete_model, help="With this network, not each preset's own."
)
@click.option("--seed", type=WholeRange(min=0), help="Of all dreams.  [default: each preset's own, or 0]")
@backend_option
@fetch_options
@quiet_option
@debug_option
@click.pass_context
def sheet(
    ctx: click.Context,
    /,
    photo: Path,
    output: Path,
    overwrite: bool,
    tags: tuple[str, ...],
    columns: int | None,
    model: str | None,
    seed: int | None,
    offline: bool | None,
    mirror: str | None,
    quiet: bool,
) -> None:
    """Dream PHOTO small in every preset, your own included, and lay the dreams out with their names.

    Each is composed like the whole dream would be. An interrupt keeps those that are done.
    """
    from dreamer import images
    from dreamer.models import registry
    from dreamer.sources import read_photo

    images.check_target(output, overwrite=overwrite)
    check_not_photo(output, photo)
    found, source = read_photo(photo)
    tell = silent if quiet else note
    changes = {name: value for name, value in (("seed", seed), ("model", model)) if value is not None}
    chosen = _chosen(tags, changes, tell)
    plan = _Sheet(found, source, changes, columns)
    images.check_target(output, overwrite=overwrite, size=plan.size([preset.name for preset in chosen]))
    for name in {part.model for preset in chosen for part in preset.settings(**changes).parts}:
        ensure_weights(registry.spec(name), offline=offline, mirror=mirror, quiet=quiet)
    _dream(plan, chosen, tell, stem=output.stem, quiet=quiet)
    is_partial = len(plan.pictures) + len(plan.failed) < len(chosen)
    target = write_result(plan.result(partial=is_partial), output, (), overwrite=overwrite, note=tell)
    if not quiet:
        print_path(target)
    if is_partial:
        tell(f"interrupted after {len(plan.pictures)} of {len(chosen)} presets; {target} ends there")
        ctx.exit(exit_status())


def _chosen(tags: tuple[str, ...], changes: dict[str, Any], tell: Callable[[str], None]) -> list[Preset]:
    """The presets of the sheet; what cannot be on it is said."""
    chosen = []
    for name in presets.names():
        try:
            preset = presets.find(name)
            preset.settings(**changes).file_digests()  # A file that is not there is said now.
        except DreamerError as error:
            tell(f"left out: {error}")
        else:
            if set(tags) <= set(preset.tags):
                chosen.append(preset)
    if not chosen:
        raise click.UsageError("no preset is left for the sheet. See them and their tags: dreamer presets list")
    return chosen


class _Sheet:
    """One photo through presets, all pictures of one size.

    Attributes:
        pictures: What was dreamt, by the name of its preset.
        failed: Why a preset could not be dreamt, by its name.
    """

    def __init__(self, photo: Photo, source: dict[str, object], changes: dict[str, Any], columns: int | None) -> None:
        self.pictures: dict[str, StoredArray] = {}
        self.failed: dict[str, DreamerError] = {}
        self._digests: dict[str, str] = {}
        self._photo = photo
        self._source = source
        self._changes = changes
        self._columns = columns
        # A dream has a size of its own, whose proportions are rounded otherwise.
        from dreamer.arrays import fitted

        self._each = fitted(photo.pixels.shape[:2], _SIDE, enlarge=True)

    def size(self, names: Iterable[str]) -> Size:
        """Of a sheet of some presets."""
        from dreamer import images

        return images.sheet_size(self._each, [_PHOTO, *names], columns=self._columns)

    def dream(self, preset: Preset) -> None:
        """Add a preset."""
        from dreamer.dreaming.photo import PhotoDream

        dream = PhotoDream(self._photo, preset.settings(**self._changes), source=self._source, preview=True)
        for _step in until_interrupted(dream.steps(note=silent)):
            pass
        self._digests[preset.name] = preset.sha256
        self.pictures[preset.name] = self._shrunk(dataclasses.replace(dream.result(compact=True).photo, alpha=None))

    def result(self, *, partial: bool) -> Result:
        """The sheet with its recipe."""
        from dreamer import images
        from dreamer.results import Result

        named = [(_PHOTO, self._shrunk(self._photo)), *self.pictures.items()]
        pictures = [images.LabelledPicture(picture, name) for name, picture in named]
        return Result(images.Photo(images.sheet(pictures, columns=self._columns)), self.recipe(partial=partial))

    def recipe(self, *, partial: bool) -> dict[str, object]:
        """How it was made."""
        recipe = {
            **head(),
            "command": "presets sheet",
            "presets": list(self.pictures),
            "presets_sha256": dict(self._digests),
            **self._changes,
            "source_sha256": self._source["sha256"],
        }
        return recipe | ({"partial": {"presets": len(self.pictures)}} if partial else {})

    def _shrunk(self, photo: Photo) -> StoredArray:
        from dreamer import images

        return images.resized(photo, self._each).pixels


def _dream(plan: _Sheet, chosen: Sequence[Preset], tell: Callable[[str], None], *, stem: str, quiet: bool) -> None:
    """Dream until the end or an interrupt; from then on no other is taken."""

    def write(path: Path) -> None:
        plan.result(partial=True).save(path)

    with work_progress(quiet=quiet) as progress, rescued(stem, {".png": write}, when=lambda: bool(plan.pictures)):
        import_keras()
        try:
            for number, preset in enumerate(chosen, start=1):
                try:
                    plan.dream(preset)
                except DreamerError as error:
                    # One preset that does not fit this photo or its network must not cost the others.
                    plan.failed[preset.name] = error
                    tell(f"left out: {preset.name}: {error}")
                progress.show(preset.name, number / len(chosen), f"{preset.name} done")
            ignore_interrupts()
        except KeyboardInterrupt:
            if not plan.pictures:
                raise
    if not plan.pictures:
        raise next(iter(plan.failed.values()))
