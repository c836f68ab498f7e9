"""What an objective gives for a photo at each place, from what the layers found there.

The one idea: an index keeps what layers found, so any objective is answered without the network. Its terms become maps
over the photo: those of another layer are read at the places of the first, and what has no place, as a class, counts
everywhere alike. The best place of the sum is the answer, and what the first layer sees from there is the crop.

Must not import: files, the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray
from dreamer.errors import SettingsError, UnknownLayerError
from dreamer.models.positions import Positions
from dreamer.objectives import Objective
from dreamer.objectives.directions import Direction, Guided
from dreamer.objectives.kinds import Channel, Layer, Logit
from dreamer.objectives.terms import Term

_LEAST_COSINE = 0.1  # As ``ascent.scoring`` has it.
_LEAST_NORM = 1e-6

_KINDS = (Layer, Channel, Logit, Direction, Guided)


@dataclass(frozen=True, eq=False)
class Answer:
    """What an objective gives for a photo.

    Attributes:
        values: ``(rows, columns)`` at each position of the layer that is cut out by; ``(1, 1)`` where nothing of it
            has a position.
        layer: That layer; None where there is none.
        only: The only position that counts, that of a neuron; None where all do.
    """

    values: FloatArray
    layer: str | None
    only: tuple[int, int] | None = None

    def most(self) -> tuple[float, tuple[int, int]]:
        """The largest value and its position."""
        return self._at(int(self.values.argmax()))

    def least(self) -> tuple[float, tuple[int, int]]:
        """The smallest value and its position."""
        return self._at(int(self.values.argmin()))

    def _at(self, place: int) -> tuple[float, tuple[int, int]]:
        row, column = self.only or divmod(place, self.values.shape[1])
        return float(self.values[row, column]), (row, column)


def check(objective: Objective) -> None:
    """Make sure that photos can be searched for an objective.

    Raises:
        SettingsError: A term says nothing of a photo by itself.
    """
    for _, term in objective.terms:
        if not isinstance(term, _KINDS):
            raise SettingsError(
                f"photos cannot be searched for {term}: it is no layer, channel, neuron, class, direction or guide. "
                "Leave it out"
            )


def cut_by(objective: Objective, has_positions: Mapping[str, bool]) -> Term | None:
    """The term by whose positions photos are cut: the first that counts for a photo and has any.

    A neuron is taken where nothing else has any, since it has one only.
    """
    spatial = [
        (not _is_neuron(term), weight > 0, term)
        for weight, term in objective.terms
        if any(has_positions[name] for name in term.layers)
    ]
    return max(spatial, key=lambda one: one[:2])[2] if spatial else None


def answer(objective: Objective, found: Mapping[str, NDArray[Any]], where: Mapping[str, Positions | None]) -> Answer:
    """What an objective gives at each position of a photo.

    Args:
        objective: As ``targets.resolve`` gives it.
        found: By layer what it found, ``(rows, columns, channels)`` or ``(units,)``.
        where: By layer where its positions lie on the photo; None for one without.

    Raises:
        UnknownLayerError: A neuron lies outside its layer.
    """
    cutting = cut_by(objective, {name: _has_places(one) for name, one in found.items()})
    layer = None if cutting is None else next(iter(cutting.layers))
    total: NDArray[Any] = np.zeros((1, 1) if layer is None else found[layer].shape[:2], np.float32)
    for weight, term in objective.terms:
        [name] = term.layers
        values = _values(term, found[name])
        if not _has_places(found[name]):
            values = values.mean()
        elif values.ndim and name != layer:
            values = _read_at(values, where[name], where[str(layer)])
        total = total + np.float32(weight) * values
    only = _place(cutting, total.shape) if isinstance(cutting, Channel) and _is_neuron(cutting) else None
    return Answer(np.asarray(total, np.float32), layer, only)


def _has_places(found: NDArray[Any]) -> bool:
    return found.ndim == 3


def _values(term: Term, found: NDArray[Any]) -> NDArray[Any]:
    """What a term gives: ``(rows, columns)``, or a number for what has no places."""
    activation = np.asarray(found, np.float32)
    if isinstance(term, Layer):
        return np.asarray(np.square(activation).mean(axis=-1))
    if isinstance(term, Guided) and term.values is not None:
        return np.asarray((activation @ term.values.array.T).max(axis=-1))
    vector: NDArray[Any] = term.values.array  # type: ignore[attr-defined]
    along = np.asarray(activation @ vector)
    power = getattr(term, "power", 0.0)
    if power > 0:
        norms = np.linalg.norm(activation, axis=-1) * np.linalg.norm(vector)
        along = along * np.maximum(along / np.maximum(norms, _LEAST_NORM), _LEAST_COSINE) ** power
    # A neuron's value counts for the photo as a whole.
    return np.asarray(along[_place(term, along.shape)]) if isinstance(term, Channel) and _is_neuron(term) else along


def _is_neuron(term: Term) -> bool:
    return getattr(term, "position", None) is not None


def _place(neuron: Channel, grid: tuple[int, ...]) -> tuple[int, int]:
    """The position of a neuron in its layer."""
    height, width = grid
    y, x = (height // 2, width // 2) if neuron.position == "centre" else neuron.position  # type: ignore[misc]
    if y >= height or x >= width:
        raise UnknownLayerError(
            f"{neuron} lies outside {neuron.layer!r}, which has {height}x{width} positions for a photo; y and x count "
            "from 0"
        )
    return y, x


def _read_at(values: NDArray[Any], own: Positions | None, base: Positions | None) -> NDArray[Any]:
    """Values of one layer, read at the positions of another."""
    if own is None or base is None:
        return values
    own = own.on(base.size)
    down, across = (
        ((mine.first + np.arange(mine.count) * mine.stride - its.first) / its.stride).astype(np.float32)
        for mine, its in ((base.rows, own.rows), (base.columns, own.columns))
    )
    x, y = np.meshgrid(across, down)
    given = np.asarray(values, np.float32)
    return np.asarray(cv2.remap(given, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
