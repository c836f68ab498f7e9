"""Icons of a map's cells: what the direction of each looks like.

The one idea: what all activations share is in every cell's mean, and would be in every icon. So the mean is whitened
before it is drawn, in part: wholly whitened, an icon shows what sets a cell apart, and no longer what the photos in it
have (ADR 51). The cosine asks for the direction alone.

Must not import: the command line.

References:
    Carter, Armstrong, Schubert, Johnson and Olah, "Activation Atlas", Distill 2019, and its notebooks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dreamer import objectives
from dreamer.arrays import FloatArray, StoredArray, as_stored
from dreamer.mapping.cells import Cell
from dreamer.mapping.settings import MapSettings
from dreamer.models.network import Network
from dreamer.objectives import Objective
from dreamer.visualizing.run import VisualizeRun
from dreamer.visualizing.settings import VisualizeSettings

_POWER = 4.0  # Of the cosine, as the notebooks have it.
WHITENED = 0.25
"""How far means are whitened, as the power of ``cells.whitening``: an icon's activations come nearest to the mean."""


def target(layer: str, cell: Cell, whitening: FloatArray) -> Objective:
    """What the icon of a cell is drawn for.

    Args:
        layer: The layer.
        cell: The cell.
        whitening: ``(channels, channels)``, as :func:`cells.whitening` gives it.
    """
    direction = cell.mean @ whitening
    length = float(np.linalg.norm(direction))
    return objectives.direction(layer, direction / length if length else cell.mean, power=_POWER)


def draw(
    targets: Sequence[Objective],
    settings: MapSettings,
    network: Network,
    on_step: Callable[[float], None],
    note: Callable[[str], None],
) -> list[StoredArray]:
    """Draw icons, ``(size, size, 3)`` uint8 each, in the order of their targets.

    Args:
        targets: As :func:`target` gives them.
        settings: How.
        network: Whose layer it is.
        on_step: Told which share is done.
        note: Told in a line what is done otherwise than asked.
    """
    how = VisualizeSettings(
        model=settings.model, size=(settings.size, settings.size), steps=settings.steps, seed=settings.seed
    )
    run = VisualizeRun(list(targets), how, network=network)
    for step in run.steps(note=note):
        on_step(step.progress)
    return [as_stored(np.clip(np.nan_to_num(one.pixels), 0, 1), np.uint8) for one in run.results()]
