"""``dreamer presets sheet PHOTO``: one photo through all presets, to choose by eye."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer import __version__, presets
from dreamer.cli.completing import complete_model
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.options import backend_option, debug_option
from dreamer.cli.order import read_photo
from dreamer.cli.outputs import check_not_photo, print_path
from dreamer.cli.progress import import_keras, note, silent, work_progress
from dreamer.errors import DreamerError

if TYPE_CHECKING:
    from dreamer.images import LabelledPicture, Photo
    from dreamer.presets import Preset

_SIDE = 320
"""Longest side of a picture of the sheet, in pixels."""


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Where to write the sheet.")
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option("--tag", "tags", multiple=True, help="Only presets with this tag; repeatable.")
@click.option("--columns", type=click.IntRange(min=1), help="How many pictures stand side by side.")
@click.option(
    "--model", metavar="NAME", shell_complete=complete_model, help="With this network, not each preset's own."
)
@click.option("--seed", type=click.IntRange(min=0), help="Of all dreams.  [default: each preset's own, or 0]")
@backend_option
@fetch_options
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@debug_option
def sheet(
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

    Each is composed like the whole dream would be.
    """
    from dreamer import images
    from dreamer.models import registry

    images.check_target(output, overwrite=overwrite)
    check_not_photo(output, photo)
    found, source = read_photo(photo)
    tell = silent if quiet else note
    chosen = _chosen(tags, model, tell)
    for name in {model or preset.model for preset in chosen}:
        ensure_weights(registry.spec(name), offline=offline, mirror=mirror, quiet=quiet)
    changes = {name: value for name, value in (("seed", seed), ("model", model)) if value is not None}
    with work_progress(quiet=quiet) as progress:
        import_keras()
        pictures = [_picture(found, "the photo")]
        for index, preset in enumerate(chosen):
            pictures.append(_dreamt(found, preset, changes, source))
            progress.show(preset.name, (index + 1) / len(chosen), f"{preset.name} done")
    laid_out = images.Photo(images.sheet(pictures, columns=columns))
    recipe = {
        "program": "dreamer",
        "version": __version__,
        "command": "presets sheet",
        "presets": [one.name for one in chosen],
        **changes,
    }
    for remark in images.write(
        output, laid_out, recipe=recipe | {"source_sha256": source["sha256"]}, overwrite=overwrite
    ):
        tell(remark)
    if not quiet:
        print_path(output)


def _chosen(tags: tuple[str, ...], model: str | None, tell: Callable[[str], None]) -> list[Preset]:
    """The presets of the sheet; what cannot be on it is said."""
    chosen = []
    for name in presets.names():
        try:
            preset = presets.find(name)
            if model is not None:
                preset.settings(model=model)
        except DreamerError as error:
            tell(f"left out: {error}")
        else:
            if set(tags) <= set(preset.tags):
                chosen.append(preset)
    if not chosen:
        raise click.UsageError("no preset is left for the sheet. See them and their tags: dreamer presets list")
    return chosen


def _dreamt(found: Photo, preset: Preset, changes: dict[str, Any], source: dict[str, object]) -> LabelledPicture:
    from dreamer.photos import PhotoDream

    dream = PhotoDream(found, preset.settings(**changes), source=source, preview=True)
    for _step in dream.steps(note=silent):
        pass
    result, _recipe = dream.result()
    return _picture(dataclasses.replace(result, alpha=None), preset.name)


def _picture(photo: Photo, label: str) -> LabelledPicture:
    from dreamer import images

    height, width = photo.pixels.shape[:2]
    shrink = _SIDE / max(height, width)
    size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
    return images.LabelledPicture(images.resized(photo, size).pixels, label)
