"""Which sizes of picture each layer of a network can see, and what it makes of them.

The one idea: shapes alone are computed, but for many sizes at once. A shape is a column of numbers, one for each
size; a convolution, a pooling or a join is a line of arithmetic on columns. Any other layer is asked through Keras,
once for every different shape that reaches it; one with weights is traced besides, since Keras does not compare
their shapes with the picture's before it computes.

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

Column = NDArray[np.int64]
"""``(sizes, dimensions)`` of a tensor, without the batch."""

Seen = NDArray[np.bool_]
"""Whether a layer can be computed, for each size."""

_Row = tuple[tuple[int, ...], ...]
"""The shapes of a layer's inputs."""


class Shapes(NamedTuple):
    """What a layer makes of pictures of many sizes.

    Attributes:
        columns: The shapes of its outputs, one after the other; 1 where it cannot be computed.
        seen: Where it, and all that it depends on, can be computed.
    """

    columns: tuple[Column, ...]
    seen: Seen


class Call(NamedTuple):
    """One application of a layer.

    Attributes:
        layer: The layer, or the operation that stands in the graph like one.
        arguments: ``(args, kwargs)`` that it was called with.
        sources: For each tensor in these, which call made it, and which of its outputs it is.
        ranks: How many dimensions each of its outputs has, without the batch.
    """

    layer: Any
    arguments: Any
    sources: tuple[tuple[int, int], ...]
    ranks: tuple[int, ...]


class Measure:
    """Finds out the shapes that a network's layers give. What it has asked Keras once, it keeps."""

    def __init__(self, calls: Sequence[Call | None], num_colors: int) -> None:
        self._calls = calls
        self._num_colors = num_colors
        self._known: dict[tuple[int, _Row], _Row | None] = {}
        self._traced: dict[tuple[int, _Row], bool] = {}

    def shapes(self, sizes: NDArray[np.int64], needed: Sequence[int] | None = None) -> dict[int, Shapes]:
        """The shapes of layers for pictures of many sizes.

        Args:
            sizes: ``(sizes, 2)``: heights and widths.
            needed: Indices of the calls, each after those that it depends on; None for all.

        Returns:
            By the index of the call.
        """
        picture = np.concatenate([sizes, np.full((len(sizes), 1), self._num_colors)], axis=1).astype(np.int64)
        found: dict[int, Shapes] = {}
        for index in range(len(self._calls)) if needed is None else needed:
            call = self._calls[index]
            if call is None:
                found[index] = Shapes((picture,), np.ones(len(sizes), bool))
                continue
            given = [found[source].columns[output] for source, output in call.sources]
            seen = np.ones(len(sizes), bool)
            for source, _ in call.sources:
                seen &= found[source].seen
            rule = _rule_of(call)
            made = rule(call, given) if rule else None
            columns, fits = made or self._ask(index, call, given, seen)
            seen = seen & fits & np.all([(column > 0).all(axis=1) for column in columns], axis=0)
            found[index] = Shapes(tuple(np.where(seen[:, None], column, 1) for column in columns), seen)
        return found

    def _ask(self, index: int, call: Call, given: list[Column], seen: Seen) -> tuple[list[Column], Seen]:
        """What Keras says of the shapes that a layer is given, asked once for each."""
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
            self._known[index, row] = _output_shapes(call, row, type(call.layer).compute_output_spec)
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
        own = _own_row(call)
        fixed = [place for place in hoped if all(a in (1, b) for a, b in zip(_flat(rows[place]), own, strict=True))]
        if all(holds(place) for place in tried):
            good = set(hoped)
        elif any(holds(place) for place in tried if place not in fixed):
            good = {place for place in hoped if holds(place)}
        else:  # Tied to the shape that it was built for, but for sides of 1, which stand for any.
            good = {place for place in fixed if holds(place)}
        return [answer if place in good else None for place, answer in enumerate(answers)]


_TRIED = 6
_USUAL_SIDE = 32
_USUAL_WINDOW = 16
_MOST_TRACED = 64


def _few(rows: Sequence[_Row], call: Call) -> list[int]:
    """The places of a few shapes to trace: the first ones, and some up to twice those that the layer was built for.

    What is traced at a large size can take for ever, as a layer that is unrolled over the rows of a picture.
    """
    most = 2 * max([_USUAL_SIDE, *(side for side in _own_row(call) if side)])
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


def _own_row(call: Call) -> list[int | None]:
    tensors = [x for x in keras.tree.flatten(call.arguments) if isinstance(x, keras.KerasTensor)]
    return [side for x in tensors for side in x.shape[1:]]


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


_Made = tuple[list[Column], Seen]
_Rule = Callable[[Call, list[Column]], _Made | None]
"""(call, shapes of its inputs) -> shapes of its outputs, and where it can be computed; None to ask Keras."""


def _same(_call: Call, given: list[Column]) -> _Made:
    return [given[0]], np.ones(len(given[0]), bool)


def _normalised(call: Call, given: list[Column]) -> _Made | None:
    axes = [call.layer.axis] if isinstance(call.layer.axis, int) else list(call.layer.axis)
    if axes not in ([-1], [given[0].shape[1]]):
        return None
    sides = {weight.shape[-1] for weight in call.layer.weights if len(weight.shape)}
    return [given[0]], np.isin(given[0][:, -1], list(sides)) if sides else np.ones(len(given[0]), bool)


def _dense(call: Call, given: list[Column]) -> _Made:
    made = given[0].copy()
    made[:, -1] = call.layer.units
    return [made], given[0][:, -1] == call.layer.kernel.shape[0]


def _windowed(call: Call, given: list[Column]) -> _Made | None:
    """A convolution or a pooling."""
    window = getattr(call.layer, "kernel_size", None) or call.layer.pool_size
    dilation = getattr(call.layer, "dilation_rate", 1)
    if call.layer.data_format != "channels_last" or given[0].shape[1] != len(window) + 1:
        return None
    made, fits = given[0].copy(), np.ones(len(given[0]), bool)
    steps, gaps = _each(len(window), call.layer.strides, dilation)
    for axis, (side, step, gap) in enumerate(zip(window, steps, gaps, strict=True)):
        reach = 0 if call.layer.padding in ("same", "causal") else gap * (side - 1)
        made[:, axis] = (made[:, axis] - reach - 1) // step + 1
    if hasattr(call.layer, "kernel_size"):
        # (height, width, channels of a group, filters), or of a depthwise one (height, width, channels, multiplier).
        kernel = call.layer.weights[0].shape
        fits = given[0][:, -1] == kernel[-2] * getattr(call.layer, "groups", 1)
        made[:, -1] = getattr(call.layer, "filters", None) or kernel[-2] * kernel[-1]
    return [made], fits


def _padded(call: Call, given: list[Column]) -> _Made | None:
    if call.layer.data_format != "channels_last":
        return None
    sign = 1 if isinstance(call.layer, layers.ZeroPadding2D) else -1
    edges = call.layer.padding if sign > 0 else call.layer.cropping
    more = [sign * sum(edge) for edge in edges]
    return [given[0] + np.array([*more, 0])], np.ones(len(given[0]), bool)


def _each(count: int, *values: Any) -> list[tuple[int, ...]]:
    return [(value,) * count if isinstance(value, int) else tuple(value) for value in values]


def _reshaped(call: Call, given: list[Column]) -> _Made | None:
    """Where all of some sides become features, as the rows of a line of text, they stay as they were built for."""
    built_for, target = _own_row(call), call.layer.target_shape
    features = math.prod(target[target.index(-1) + 1 :]) if -1 in target else 0
    ends = range(2, len(built_for)) if any(built_for[:-1]) else ()
    count = next((n for n in ends if math.prod(side or 0 for side in built_for[-n:]) == features), None)
    if count is None or target[0] != -1:
        return None
    positions = np.prod(given[0][:, :-count], axis=1, keepdims=True)
    made = np.concatenate([positions, np.tile(target[1:], (len(positions), 1))], axis=1)
    return [made], (given[0][:, -count:] == built_for[-count:]).all(axis=1)


def _concatenated(call: Call, given: list[Column]) -> _Made:
    axis = call.layer.axis if call.layer.axis < 0 else call.layer.axis - 1
    made = given[0].copy()
    made[:, axis] = sum(column[:, axis] for column in given)
    others = [np.delete(column, axis, axis=1) for column in given]
    fits = np.all([(other == others[0]).all(axis=1) for other in others], axis=0)
    return [made], fits


def _broadcast(_call: Call, given: list[Column]) -> _Made:
    rank = max(column.shape[1] for column in given)
    wide = [np.pad(column, ((0, 0), (rank - column.shape[1], 0)), constant_values=1) for column in given]
    made = np.max(wide, axis=0)
    fits = np.all([((column == made) | (column == 1)).all(axis=1) for column in wide], axis=0)
    return [made], fits


_RULES: Mapping[type, _Rule] = {
    **dict.fromkeys(
        (
            layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Identity, layers.Dropout,
            layers.SpatialDropout2D, layers.GaussianNoise, layers.GaussianDropout, layers.Rescaling,
        ),
        _same,
    ),
    **dict.fromkeys((layers.BatchNormalization, layers.LayerNormalization), _normalised),
    **dict.fromkeys(
        (
            layers.Conv1D, layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D,
            layers.MaxPooling1D, layers.MaxPooling2D, layers.AveragePooling1D, layers.AveragePooling2D,
        ),
        _windowed,
    ),
    **dict.fromkeys(
        (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum), _broadcast
    ),
    **dict.fromkeys((layers.ZeroPadding2D, layers.Cropping2D), _padded),
    layers.Dense: _dense,
    layers.Reshape: _reshaped,
    layers.Concatenate: _concatenated,
}  # fmt: skip
"""Of Keras's own layers; one that is derived from them may do anything, and is asked."""

_ELEMENTWISE = ("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum")  # Operations on two.


def _rule_of(call: Call) -> _Rule | None:
    if isinstance(call.layer, layers.Layer):
        return _RULES.get(type(call.layer)) if call.sources else None
    return _broadcast if len(call.sources) == 2 and type(call.layer).__name__ in _ELEMENTWISE else None
