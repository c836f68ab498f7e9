"""What common layers of Keras make of the shapes that they are given, as arithmetic on many shapes at once.

The one idea: a shape is a column of numbers, one for each size of picture; a convolution, a pooling or a join is a
line of arithmetic on columns. A row here for each kind of layer; any other is asked (``asking``).

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

Column = NDArray[np.int64]
"""``(sizes, dimensions)`` of a tensor, without the batch."""

Seen = NDArray[np.bool_]
"""Whether a layer can be computed, for each size."""


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


def own_row(call: Call) -> list[int | None]:
    """The sides of all that a layer is given in the network as it was saved."""
    tensors = [x for x in keras.tree.flatten(call.arguments) if isinstance(x, keras.KerasTensor)]
    return [side for x in tensors for side in x.shape[1:]]


Made = tuple[list[Column], Seen]
_Rule = Callable[[Call, list[Column]], Made | None]
"""(call, shapes of its inputs) -> shapes of its outputs, and where it can be computed; None to ask Keras."""


def _same(_call: Call, given: list[Column]) -> Made:
    return [given[0]], np.ones(len(given[0]), bool)


def _normalised(call: Call, given: list[Column]) -> Made | None:
    axes = [call.layer.axis] if isinstance(call.layer.axis, int) else list(call.layer.axis)
    if axes not in ([-1], [given[0].shape[1]]):
        return None
    sides = {weight.shape[-1] for weight in call.layer.weights if len(weight.shape)}
    return [given[0]], np.isin(given[0][:, -1], list(sides)) if sides else np.ones(len(given[0]), bool)


def _dense(call: Call, given: list[Column]) -> Made:
    made = given[0].copy()
    made[:, -1] = call.layer.units
    return [made], given[0][:, -1] == call.layer.kernel.shape[0]


def _windowed(call: Call, given: list[Column]) -> Made | None:
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


def _padded(call: Call, given: list[Column]) -> Made | None:
    if call.layer.data_format != "channels_last":
        return None
    sign = 1 if isinstance(call.layer, layers.ZeroPadding2D) else -1
    edges = call.layer.padding if sign > 0 else call.layer.cropping
    more = [sign * sum(edge) for edge in edges]
    return [given[0] + np.array([*more, 0])], np.ones(len(given[0]), bool)


def _each(count: int, *values: Any) -> list[tuple[int, ...]]:
    return [(value,) * count if isinstance(value, int) else tuple(value) for value in values]


def _reshaped(call: Call, given: list[Column]) -> Made | None:
    """Where all of some sides become features, as the rows of a line of text, they stay as they were built for."""
    built_for, target = own_row(call), call.layer.target_shape
    features = math.prod(target[target.index(-1) + 1 :]) if -1 in target else 0
    ends = range(2, len(built_for)) if any(built_for[:-1]) else ()
    count = next((n for n in ends if math.prod(side or 0 for side in built_for[-n:]) == features), None)
    if count is None or target[0] != -1:
        return None
    positions = np.prod(given[0][:, :-count], axis=1, keepdims=True)
    made = np.concatenate([positions, np.tile(target[1:], (len(positions), 1))], axis=1)
    return [made], (given[0][:, -count:] == built_for[-count:]).all(axis=1)


def _concatenated(call: Call, given: list[Column]) -> Made:
    axis = call.layer.axis if call.layer.axis < 0 else call.layer.axis - 1
    made = given[0].copy()
    made[:, axis] = sum(column[:, axis] for column in given)
    others = [np.delete(column, axis, axis=1) for column in given]
    fits = np.all([(other == others[0]).all(axis=1) for other in others], axis=0)
    return [made], fits


def _broadcast(_call: Call, given: list[Column]) -> Made:
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


def rule_of(call: Call) -> _Rule | None:
    """The rule for a layer; None where it has to be asked."""
    if isinstance(call.layer, layers.Layer):
        return _RULES.get(type(call.layer)) if call.sources else None
    return _broadcast if len(call.sources) == 2 and type(call.layer).__name__ in _ELEMENTWISE else None
