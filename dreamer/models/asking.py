"""Asking Keras what a layer makes of the shapes that it is given.

The one idea: each different shape is asked once. A layer with weights is traced besides, for a few shapes, since
Keras does not compare those of weights with that of the picture before it computes.

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from dreamer.models.shape_rules import Call, Column, Made, Seen, own_row

_Row = tuple[tuple[int, ...], ...]
"""The shapes of a layer's inputs, or of its outputs."""

_TRIED = 6
_USUAL_SIDE = 32
_USUAL_WINDOW = 16
_MOST_TRACED = 64


class Asked:
    """What Keras said of the layers of a network. It is kept."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, _Row], _Row | None] = {}
        self._traced: dict[tuple[int, _Row], bool] = {}

    def ask(self, index: int, call: Call, given: list[Column], seen: Seen) -> Made:
        """What Keras says of the shapes that a layer is given, asked once for each.

        Args:
            index: Of the call.
            call: The layer, and how it is called.
            given: Shapes of its inputs, for many sizes.
            seen: For which of them its inputs can be computed.
        """
        splits = np.cumsum([column.shape[1] for column in given])[:-1]
        together = np.concatenate(given, axis=1) if given else np.zeros((len(seen), 1), np.int64)
        rows, places = np.unique(together[seen], axis=0, return_inverse=True)
        parts = [tuple(tuple(map(int, part)) for part in np.split(row, splits)) if given else () for row in rows]
        answers = self._answers(index, call, parts)
        if getattr(call.layer, "weights", ()) and not _is_traced(call.layer):
            answers = self._confirmed(index, call, parts, answers)
        ranks = call.ranks
        flat = np.zeros((len(answers), sum(ranks)), np.int64)
        for place, answer in enumerate(answers):
            if answer is not None:
                flat[place] = _flat(answer)
        whole = np.zeros((len(seen), sum(ranks)), np.int64)
        whole[seen] = flat[places.reshape(-1)]
        return np.split(whole, np.cumsum(ranks)[:-1], axis=1), seen

    def _answers(self, index: int, call: Call, rows: Sequence[_Row]) -> list[_Row | None]:
        if _is_traced(call.layer) and len(rows) > _MOST_TRACED:
            # To trace takes milliseconds; a layer that changes no side but by a few pixels needs but a few, beyond
            # those that may be smaller than its window.
            large = [row for row in rows if min(_flat(row)[:-1], default=0) > _USUAL_WINDOW]
            tried = [large[place] for place in _few(large, call)]
            follow = _followed(tried, [self._answer(index, call, row) for row in tried])
            if follow is not None:
                sure = set(large)
                return [follow(row) if row in sure else self._answer(index, call, row) for row in rows]
        return [self._answer(index, call, row) for row in rows]

    def _answer(self, index: int, call: Call, row: _Row) -> _Row | None:
        if (index, row) not in self._known:
            found = _output_shapes(call, row, type(call.layer).compute_output_spec)
            usual = found is not None and tuple(map(len, found)) == call.ranks
            self._known[index, row] = found if usual else None
        return self._known[index, row]

    def _confirmed(
        self, index: int, call: Call, rows: Sequence[_Row], answers: Sequence[_Row | None]
    ) -> list[_Row | None]:
        """The answers that hold when the layer is traced: a few are tried, and all where those do not agree."""
        hoped = [place for place, answer in enumerate(answers) if answer is not None]

        def holds(place: int) -> bool:
            key = index, rows[place]
            if key not in self._traced:
                self._traced[key] = _output_shapes(call, rows[place], keras.Operation.compute_output_spec) is not None
            return self._traced[key]

        tried = [hoped[place] for place in _few([rows[place] for place in hoped], call)]
        own = own_row(call)
        fixed = [place for place in hoped if all(a in (1, b) for a, b in zip(_flat(rows[place]), own, strict=True))]
        if all(holds(place) for place in tried):
            good = set(hoped)
        elif any(holds(place) for place in tried if place not in fixed):
            good = {place for place in hoped if holds(place)}
        else:  # Tied to the shape that it was built for, but for sides of 1, which stand for any.
            good = {place for place in fixed if holds(place)}
        return [answer if place in good else None for place, answer in enumerate(answers)]


def _few(rows: Sequence[_Row], call: Call) -> list[int]:
    """The places of a few shapes to trace: the first ones, and some up to twice those that the layer was built for.

    What is traced at a large size can take for ever, as a layer that is unrolled over the rows of a picture.
    """
    most = 2 * max([_USUAL_SIDE, *(side for side in own_row(call) if side)])
    small = [place for place, row in enumerate(rows) if max(_flat(row), default=0) <= most] or list(range(len(rows)))
    return sorted({*small[:_TRIED], *small[:: max(1, len(small) // _TRIED)], *small[-1:]})


def _followed(rows: Sequence[_Row], answers: Sequence[_Row | None]) -> Callable[[_Row], _Row] | None:
    """How some shapes follow from others, if each side is fixed or one of those given, but for a few pixels."""
    ranks = {tuple(map(len, answer)) if answer else None for answer in answers}
    if len(ranks) != 1 or answers[0] is None:
        return None
    given = np.array([_flat(row) for row in rows])
    rules: list[list[tuple[int | None, int]]] = []
    for place, shape in enumerate(answers[0]):
        rules.append([])
        for axis in range(len(shape)):
            made = np.array([answer[place][axis] for answer in answers if answer])
            if not np.ptp(made):
                rules[-1].append((None, int(made[0])))
                continue
            more = made[:, None] - given
            source = next((one for one in range(given.shape[1]) if not np.ptp(more[:, one])), None)
            if source is None:
                return None
            rules[-1].append((source, int(more[0, source])))
    return lambda row: tuple(
        tuple((0 if source is None else _flat(row)[source]) + more for source, more in shape) for shape in rules
    )


def _is_traced(layer: Any) -> bool:
    """Whether Keras finds out the shapes of a layer's outputs by tracing it, since it does not say them itself."""
    kind = type(layer)
    if kind.compute_output_spec is keras.layers.Layer.compute_output_spec:
        return bool(kind.compute_output_shape is keras.layers.Layer.compute_output_shape)
    return bool(kind.compute_output_spec is keras.Operation.compute_output_spec)


def _flat(row: _Row) -> list[int]:
    return [side for shape in row for side in shape]


def _output_shapes(call: Call, row: _Row, spec: Callable[..., Any]) -> _Row | None:
    """The shapes of a layer's outputs as Keras says; None where it says that it cannot be computed."""
    shapes = iter(row)

    def given(x: Any) -> Any:
        return keras.KerasTensor((1, *next(shapes)), dtype=x.dtype) if isinstance(x, keras.KerasTensor) else x

    args, kwargs = keras.tree.map_structure(given, call.arguments)
    try:
        _check_spec(call.layer, (args, kwargs))
        made = keras.tree.flatten(spec(call.layer, *args, **kwargs))
        return tuple(tuple(int(side) for side in x.shape[1:]) for x in made if isinstance(x, keras.KerasTensor))
    except Exception:  # noqa: BLE001  Each layer has errors of its own for a shape that it cannot have.
        return None


def _check_spec(layer: Any, arguments: Any) -> None:
    """Compare shapes with what the layer says that it takes."""
    specs = keras.tree.flatten(getattr(layer, "input_spec", None))
    tensors = [x for x in keras.tree.flatten(arguments) if isinstance(x, keras.KerasTensor)]
    for spec, x in zip(specs, tensors, strict=False):
        for axis, side in (getattr(spec, "axes", None) or {}).items():
            if side is not None and x.shape[axis] not in (side, None):
                raise ValueError(f"axis {axis} has {x.shape[axis]}; expected {side}")
