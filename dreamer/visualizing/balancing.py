"""Balancing: what weight a term needs for its gradient to count as much as that of an objective.

The one idea: at the photo itself the anchor has no slope, so both gradients are measured a small step away from it,
once; the weight that comes of it is a number like any other, which a recipe can hold.

Must not import: the command line.

References:
    Hamblin et al., "Feature Accentuation: Revealing 'What' Features Respond to in Natural Images", 2024, and its code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from dreamer import targets
from dreamer.arrays import FloatArray, resize
from dreamer.ascent import scoring
from dreamer.backends import backend
from dreamer.backends.backend import Activations, Tensor
from dreamer.errors import SettingsError
from dreamer.objectives import Objective

if TYPE_CHECKING:
    from dreamer.models.network import Network

_STEP = 0.02  # Root-mean-square change of the picture, of its range.
_NO_WARP = np.zeros(8, np.float32)


def balanced(objective: Objective, anchor: Objective, picture: FloatArray, network: Network) -> float:
    """The weight with which an anchor's gradient is as large as that of an objective.

    Args:
        objective: What is climbed.
        anchor: What is to hold it.
        picture: Where the climb begins, ``(height, width, 3)`` in [0, 1].
        network: Whose layers both are about.

    Returns:
        The sum of the sizes of the objective's gradient over pixels and colours, divided by the same of the anchor's;
        both for the picture after a step along the objective's gradient that changes it by 0.02 in the root mean
        square.

    Raises:
        SettingsError: One of them has no slope there.
        ModelError: The network does not have what one of them asks for.
    """
    climb, hold = (_Slope(targets.resolve(one, network), network) for one in (objective, anchor))
    sides = network.sides([*climb.objective.layers, *hold.objective.layers])
    picture = np.clip(resize(picture, sides.nearest(*picture.shape[:2])), 0, 1)
    first = climb.of(picture)
    size = float(np.sqrt(np.mean(np.square(first, dtype=np.float64))))
    _check(size, objective)
    moved = np.clip(picture + np.float32(_STEP / size) * first, 0, 1)
    sums = [float(np.abs(one.of(moved)).sum(dtype=np.float64)) for one in (climb, hold)]
    _check(sums[0], objective)
    _check(sums[1], anchor)
    return sums[0] / sums[1]


def _check(slope: float, objective: Objective) -> None:
    if not (np.isfinite(slope) and slope > 0):
        raise SettingsError(f"{objective.label} has no slope at the photo, so it cannot be balanced; choose another")


class _Slope:
    """The gradient of a resolved objective with respect to pixels, all of the picture seen as it is."""

    def __init__(self, objective: Objective, network: Network) -> None:
        self.objective = objective
        forms, layers = scoring.forms(objective), objective.layers
        beside = sum(form.reference for form in forms)
        activations = network.forward(layers)

        def forward(pictures: Tensor, given: Any) -> Activations:
            second = ops.split(given[1], beside, axis=-1) if beside else []
            return scoring.found(forms, activations, pictures, second)

        score, variables = scoring.alone(objective), network.variables(layers)
        self._run = backend.compile_gradient(forward, score, variables, beside=beside)

    def of(self, picture: FloatArray) -> FloatArray:
        """The gradient for a picture, ``(height, width, 3)``."""
        second = scoring.second_pictures(self.objective, (picture.shape[0], picture.shape[1]))
        seen = picture if second is None else np.concatenate([picture, second], axis=-1)
        found: FloatArray = self._run(seen[None], _NO_WARP)[1][0]
        return found
