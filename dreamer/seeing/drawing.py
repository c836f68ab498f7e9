"""What the channels look like that stand out in a photo: out of an atlas where one has them, else drawn.

Must not import: the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from dreamer import images, objectives
from dreamer.arrays import FloatArray, StoredArray, as_stored
from dreamer.atlases import catalog as catalogs
from dreamer.atlases.catalog import Catalog
from dreamer.batching.names import is_within
from dreamer.errors import AtlasError, ImageReadError
from dreamer.models.network import Network
from dreamer.objectives import Objective
from dreamer.seeing.settings import SeeSettings
from dreamer.visualizing.run import VisualizeRun
from dreamer.visualizing.settings import VisualizeSettings

Unit = tuple[str, int]
"""A layer, and a channel of it."""

_POWER = 2.0  # Of a group's cosine: it asks for the group, not for much of everything.


def opened(folder: Path, network: Network) -> Catalog:
    """The atlas of a folder.

    Raises:
        AtlasError: There is none, or it is one of another network.
    """
    found = catalogs.read(folder)
    if found is None:
        raise AtlasError(f"there is no atlas in {folder}; expected a folder that `dreamer atlas` has made")
    if found.weights_sha256 != network.weights_sha256:
        raise AtlasError(
            f"the atlas in {folder} is one of {found.model}, and the photo is looked at with {network.spec.name}; "
            f"give --model {found.model}, or another atlas"
        )
    return found


def from_atlas(folder: Path, held: Catalog, units: Sequence[Unit]) -> dict[Unit, StoredArray]:
    """The pictures of those units that an atlas has.

    Raises:
        AtlasError: A picture of it cannot be read.
    """
    found = {}
    for unit in units:
        entry = held.entries.get(unit)
        if entry is None or not any(not one.negative and one.variant == 0 for one in entry.pictures):
            continue
        path = folder / entry.path(negative=False, variant=0)
        try:
            if not is_within(path, folder):
                raise ImageReadError(f"{path} leads out of {folder}")
            found[unit] = as_stored(images.read(path).pixels, np.uint8)
        except ImageReadError as error:
            raise AtlasError(f"the atlas in {folder} is not whole: {error}. Run `dreamer atlas` again") from error
    return found


def draw(
    units: Sequence[Unit],
    groups: Mapping[str, Sequence[FloatArray]],
    settings: SeeSettings,
    network: Network,
    on_step: Callable[[float], None],
    note: Callable[[str], None],
) -> tuple[dict[Unit, StoredArray], dict[str, list[StoredArray]]]:
    """Draw units and groups, all in one run.

    Args:
        units: The units.
        groups: By layer the directions of its groups.
        settings: How.
        network: Whose they are.
        on_step: Told which share is done.
        note: Told in a line what is done otherwise than asked.

    Returns:
        The pictures of the units, and by layer those of the groups.
    """
    targets = [objectives.channel(layer, channel) for layer, channel in units]
    targets += [_direction(layer, one) for layer, some in groups.items() for one in some]
    if not targets or not settings.steps:
        return {}, {}
    how = VisualizeSettings(
        model=settings.model, size=(settings.size, settings.size), steps=settings.steps, seed=settings.seed
    )
    run = VisualizeRun(targets, how, network=network)
    for step in run.steps(note=note):
        on_step(step.progress)
    drawn = [as_stored(np.clip(np.nan_to_num(one.pixels), 0, 1), np.uint8) for one in run.results()]
    rest = iter(drawn[len(units) :])
    of_groups = {layer: [next(rest) for _ in some] for layer, some in groups.items()}
    return dict(zip(units, drawn, strict=False)), of_groups


def _direction(layer: str, direction: FloatArray) -> Objective:
    length = float(np.linalg.norm(direction)) or 1.0
    return objectives.direction(layer, direction / length, power=_POWER)
