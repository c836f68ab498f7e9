"""What is wanted of an atlas and missing, and drawing it into the folder.

The one idea: a picture is put in its place first, then ``atlas.json`` is replaced by one that names it. So at any
moment the folder is a whole atlas of what is drawn so far, and what is missing is what the file wants and does not
name, or whose bytes have changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dreamer import images
from dreamer.atlases import jobs, page, sheets
from dreamer.atlases.catalog import Catalog, UnitEntry, UnitPicture
from dreamer.atlases.jobs import Drawn, Execute, UnitJob
from dreamer.atlases.units import Unit
from dreamer.batching.names import inside
from dreamer.files.digests import digest_of
from dreamer.images import files
from dreamer.objectives import Objective
from dreamer.visualizing.settings import VisualizeSettings

_LEAST_RISE = 1e-3  # Of a score, as a share of it: less is rounding.


def extend(catalog: Catalog, units: Sequence[Unit], *, negative: bool) -> None:
    """Ask for units besides those that an atlas has."""
    for unit in units:
        entry = catalog.entries.setdefault((unit.layer, unit.index), UnitEntry(unit))
        entry.negative |= negative


_Place = tuple[UnitEntry, bool]
"""A unit, and whether its opposite is meant."""


def missing(folder: Path, catalog: Catalog) -> dict[str, _Place]:
    """What is wanted and not there, or no longer as it was drawn: targets, and whose they are.

    Of these, an atlas forgets the pictures.
    """
    found: dict[str, _Place] = {}
    for entry in (entry for some in catalog.layers.values() for entry in some):
        for negative in (False, True) if entry.negative else (False,):
            own = [picture for picture in entry.pictures if picture.negative == negative]
            if len(own) == catalog.diversity and all(_is_intact(folder, entry, one) for one in own):
                continue
            entry.pictures = [picture for picture in entry.pictures if picture.negative != negative]
            target = Objective.parse(entry.unit.objective)
            found[(-target if negative else target).name] = entry, negative
    return found


def _is_intact(folder: Path, entry: UnitEntry, picture: UnitPicture) -> bool:
    try:
        return digest_of(folder / entry.path(picture.negative, picture.variant)) == picture.sha256
    except OSError:
        return False


def jobs_for(wanted: Mapping[str, _Place], settings: VisualizeSettings, *, most: int) -> list[UnitJob]:
    """The jobs that draw what is missing, none with more than *most* targets."""
    layers: dict[str, list[str]] = {}
    for target, (entry, _) in wanted.items():
        layers.setdefault(entry.unit.layer, []).append(target)
    return [job for targets in layers.values() for job in jobs.of_layer(targets, settings, most=most)]


def draw(
    folder: Path,
    catalog: Catalog,
    wanted: Mapping[str, _Place],
    settings: VisualizeSettings,
    *,
    recipe: Callable[[str], Mapping[str, object]],
    execute: Execute = jobs.in_turn,
    most: int = jobs.MOST_TARGETS,
) -> Iterator[int]:
    """Draw what is missing into the folder.

    Args:
        folder: Locked.
        catalog: What it holds; changed and written as pictures come.
        wanted: As :func:`missing` found it.
        settings: With nothing left open.
        recipe: What the recipe of a target's pictures says of how they were made.
        execute: Draws the jobs; by default in this process, one after the other.
        most: Targets of a job at the most.

    Yields:
        After each batch, how many targets are finished.

    Raises:
        ImageWriteError: A picture cannot be written.
        OSError: It would lie outside of the folder, by way of a link.
    """
    page.save(folder, catalog)
    done = 0
    for batch in execute(jobs_for(wanted, settings, most=most)):
        for drawn in batch:
            entry, negative = wanted[drawn.target]
            entry.pictures.append(_kept(folder, entry, negative, drawn, recipe(drawn.target)))
            entry.pictures.sort(key=lambda picture: (picture.negative, picture.variant))
        page.save(folder, catalog)
        done += len({drawn.target for drawn in batch})
        yield done


def _kept(folder: Path, entry: UnitEntry, negative: bool, drawn: Drawn, recipe: Mapping[str, object]) -> UnitPicture:
    """Write a picture, and say what there is to know of it."""
    scores = [{"target": drawn.target, "start": drawn.start, "end": drawn.score}]
    made: dict[str, Any] = {**recipe, "targets": [drawn.target], "variant": drawn.variant, "scores": scores}
    path = inside(folder, entry.path(negative, drawn.variant))
    path.parent.mkdir(parents=True, exist_ok=True)
    data, _ = images.encode(images.Photo(drawn.picture, alpha=drawn.alpha), path.suffix, recipe=made)
    files.put(path, data, overwrite=True)
    dead = drawn.score - drawn.start <= _LEAST_RISE * abs(drawn.start)
    return UnitPicture(negative, drawn.variant, drawn.score, drawn.start, dead, hashlib.sha256(data).hexdigest())


def finish(folder: Path, catalog: Catalog, wanted: Mapping[str, _Place]) -> Path:
    """Write the sheets of layers that have changed or have none, and the page.

    Returns:
        The page.
    """
    changed = {entry.unit.layer for entry, _ in wanted.values()}
    height, width = catalog.settings["size"]
    for layer, entries in catalog.layers.items():
        if layer in changed or not sheets.path(folder, layer).exists():
            sheets.write(folder, layer, entries, (height, width))
    page.save(folder, catalog)
    return page.install(folder)
