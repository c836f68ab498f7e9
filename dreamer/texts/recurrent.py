"""One recurrent layer of Keras, step by step: its hidden state, its cell and its gates at each.

The one idea: Keras gives what a layer puts out at each step, and what is inside only at the last. The same few
formulae in NumPy give all of it, with the layer's own weights and activations, for one text or for many at once; tests
hold what comes out against Keras.

    LSTM        i, f, o = s(xW + hU + b), c = f c + i t(xW + hU + b), h = o t(c)      columns i, f, c, o
    GRU         z, r = s(xW + hU + b), h = z h + (1 - z) t(xW + r (hU + b'))          columns z, r, h
    SimpleRNN   h = t(xW + hU + b)

Must not import: files, the command line.

References:
    Hochreiter and Schmidhuber, "Long short-term memory", 1997; Cho et al., arXiv:1406.1078.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from dreamer.arrays import FloatArray
from dreamer.errors import ModelError

_PIECE = 4096  # Steps whose share of the input is multiplied at once.

State = tuple[FloatArray, ...]
"""Of a layer after a step: ``(h,)``, or ``(h, c)``, each ``(batch, units)``."""

KINDS = ("LSTM", "GRU", "SimpleRNN")


def _sigmoid(x: FloatArray) -> FloatArray:
    # Written so that no exponential overflows.
    half = np.tanh(x * np.float32(0.5))
    return np.asarray(half * np.float32(0.5) + np.float32(0.5), np.float32)


_ACTIVATIONS: dict[Any, Callable[[FloatArray], FloatArray]] = {
    keras.activations.tanh: np.tanh,
    keras.activations.sigmoid: _sigmoid,
    keras.activations.relu: lambda x: np.maximum(x, 0),
    keras.activations.linear: lambda x: x,
}


def _activation(function: Any) -> Callable[[FloatArray], FloatArray]:
    """An activation of Keras for NumPy's arrays; one that is not known here is asked of Keras itself."""
    if function in _ACTIVATIONS:
        return _ACTIVATIONS[function]
    return lambda x: np.asarray(ops.convert_to_numpy(function(ops.convert_to_tensor(x))), np.float32)


@dataclass(frozen=True, eq=False)
class Inside:
    """What a layer has at each step.

    Attributes:
        hidden: ``(steps, units)``: what the layer puts out.
        cell: Of an LSTM its cell, ``(steps, units)``; None for others.
        gates: By name, each ``(steps, units)`` in [0, 1] with the usual activation.
    """

    hidden: FloatArray
    cell: FloatArray | None = None
    gates: dict[str, FloatArray] = field(default_factory=dict)


class Recurrent:
    """A recurrent layer that goes one way.

    Args:
        layer: An ``LSTM``, ``GRU`` or ``SimpleRNN`` of Keras, built.

    Attributes:
        units: How many it has.
        gates: The names of its gates.
        has_cell: Whether it has a cell besides.
        backwards: Whether it goes from the end of the text to its begin.

    Raises:
        ModelError: It is another.
    """

    def __init__(self, layer: Any) -> None:
        cell = layer.cell
        self.kind = type(cell).__name__.removesuffix("Cell")
        if self.kind not in KINDS:
            raise ModelError(f"{layer.name} is made of {type(cell).__name__}; expected one of {', '.join(KINDS)}")
        self.units = int(cell.units)
        self.backwards = bool(layer.go_backwards)
        self._zero_where_masked = bool(layer.zero_output_for_mask)
        self.has_cell = self.kind == "LSTM"
        self.gates = {"LSTM": ("input", "forget", "output"), "GRU": ("update", "reset"), "SimpleRNN": ()}[self.kind]
        self.kernel, self._recurrent = (_array(one) for one in (cell.kernel, cell.recurrent_kernel))
        self._reset_after = bool(getattr(cell, "reset_after", False))
        bias = getattr(cell, "bias", None)
        width = self.kernel.shape[1]
        biases = np.zeros((2, width), np.float32)
        if bias is not None:
            biases[: 2 if self._reset_after else 1] = _array(bias)
        self._bias, self._inner_bias = biases
        self._act = _activation(cell.activation)
        self._gate = _activation(getattr(cell, "recurrent_activation", keras.activations.sigmoid))

    def first(self, batch: int = 1) -> State:
        """The state before any step."""
        zero = np.zeros((batch, self.units), np.float32)
        return (zero, zero) if self.has_cell else (zero,)

    def driven(self, inputs: FloatArray) -> FloatArray:
        """The share of the inputs in a step, which does not depend on the state: ``(..., columns)``."""
        return np.asarray(inputs @ self.kernel + self._bias, np.float32)

    def step(self, driven: FloatArray, state: State) -> tuple[State, tuple[FloatArray, ...]]:
        """One step of a batch.

        Args:
            driven: ``(batch, columns)``, of :meth:`driven`.
            state: Before it.

        Returns:
            The state after it, and the gates in the order of their names.
        """
        hidden, units = state[0], self.units
        if self.kind == "SimpleRNN":
            return (self._act(np.asarray(driven + hidden @ self._recurrent, np.float32)),), ()
        if self.kind == "LSTM":
            whole = driven + hidden @ self._recurrent
            gates = self._gate(whole[:, : 2 * units])
            entering, forget = gates[:, :units], gates[:, units:]
            out = self._gate(whole[:, 3 * units :])
            cell = forget * state[1] + entering * self._act(whole[:, 2 * units : 3 * units])
            return (out * self._act(cell), cell), (entering, forget, out)
        return self._gru(driven, hidden)

    def _gru(self, driven: FloatArray, hidden: FloatArray) -> tuple[State, tuple[FloatArray, ...]]:
        units = self.units
        if self._reset_after:
            inner = hidden @ self._recurrent + self._inner_bias
            gates = self._gate(driven[:, : 2 * units] + inner[:, : 2 * units])
            update, reset = gates[:, :units], gates[:, units:]
            wish = self._act(driven[:, 2 * units :] + reset * inner[:, 2 * units :])
        else:
            gates = self._gate(driven[:, : 2 * units] + hidden @ self._recurrent[:, : 2 * units])
            update, reset = gates[:, :units], gates[:, units:]
            inner = np.asarray((reset * hidden) @ self._recurrent[:, 2 * units :], np.float32)
            wish = self._act(driven[:, 2 * units :] + inner)
        return (update * hidden + (1 - update) * wish,), (update, reset)

    def run(
        self, inputs: FloatArray, mask: Any = None, wanted: Sequence[str] | None = None,
        on_step: Callable[[int], None] | None = None,
    ) -> Inside:  # fmt: skip
        """All steps of one text, in the order of the text whichever way the layer goes.

        Args:
            inputs: ``(steps, features)``.
            mask: ``(steps,)``: where it is false, the state stays; None for nowhere.
            wanted: Which of cell and gates are kept; None for all.
            on_step: Told from time to time how many steps were made.
        """
        if self.backwards:
            inputs, mask = inputs[::-1], None if mask is None else mask[::-1]
        names = ("cell", *self.gates) if wanted is None else wanted
        kept = {
            name: np.empty((len(inputs), self.units), np.float32)
            for name in ("hidden", *names)
            if name in ("hidden", *self.gates) or (name == "cell" and self.has_cell)
        }
        gates = tuple(np.zeros((1, self.units), np.float32) for _ in self.gates)
        state = self.first()
        for start in range(0, len(inputs), _PIECE):
            driven = self.driven(inputs[start : start + _PIECE])
            for index in range(len(driven)):
                at = start + index
                if mask is None or mask[at]:
                    state, gates = self.step(driven[index : index + 1], state)
                kept["hidden"][at] = state[0][0]
                if "cell" in kept:
                    kept["cell"][at] = state[1][0]
                for name, gate in zip(self.gates, gates, strict=True):
                    if name in kept:
                        kept[name][at] = gate[0]
            if on_step is not None:
                on_step(start + len(driven))
        if self._zero_where_masked and mask is not None:
            kept["hidden"][~np.asarray(mask, bool)] = 0
        if self.backwards:
            kept = {name: array[::-1] for name, array in kept.items()}
        hidden, cell = kept.pop("hidden"), kept.pop("cell", None)
        return Inside(hidden, cell, kept)


class Both:
    """A layer that goes both ways: its units are those of the way forward, then those of the way back.

    Args:
        layer: A ``Bidirectional`` of Keras, built.
    """

    def __init__(self, layer: Any) -> None:
        self.ways = (Recurrent(layer.forward_layer), Recurrent(layer.backward_layer))
        self.merge = layer.merge_mode
        self.units = sum(way.units for way in self.ways)
        self.gates, self.has_cell = self.ways[0].gates, self.ways[0].has_cell
        self.kind = self.ways[0].kind

    def run(
        self, inputs: FloatArray, mask: Any = None, wanted: Sequence[str] | None = None,
        on_step: Callable[[int], None] | None = None,
    ) -> Inside:  # fmt: skip
        """As :meth:`Recurrent.run`, both ways beside each other."""
        ahead, back = (way.run(inputs, mask, wanted, on_step) for way in self.ways)
        cell = None if ahead.cell is None or back.cell is None else _beside(ahead.cell, back.cell)
        gates = {name: _beside(ahead.gates[name], back.gates[name]) for name in ahead.gates}
        return Inside(_beside(ahead.hidden, back.hidden), cell, gates)

    def merged(self, hidden: FloatArray) -> FloatArray:
        """What the layer puts out, of what both ways have."""
        ahead, back = hidden[:, : self.ways[0].units], hidden[:, self.ways[0].units :]
        if self.merge == "sum":
            return ahead + back
        if self.merge == "mul":
            return ahead * back
        return np.asarray((ahead + back) / 2, np.float32) if self.merge == "ave" else hidden


def _beside(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.concatenate([one, other], axis=1)


def _array(variable: Any) -> FloatArray:
    return np.asarray(ops.convert_to_numpy(variable.value), np.float32)


def shown_names(found: Recurrent | Both) -> list[str]:
    """What a layer has at each step, by the names that are typed."""
    return ["hidden", *(["cell"] if found.has_cell else []), *found.gates]


def is_recurrent(layer: Any) -> bool:
    """Whether a layer of Keras is one that can be looked into."""
    return isinstance(layer, keras.layers.Bidirectional | keras.layers.RNN)


def of_layer(layer: Any) -> Recurrent | Both:
    """A recurrent layer of Keras, whichever way it goes.

    Raises:
        ModelError: Its cell is another than those of Keras.
    """
    return Both(layer) if isinstance(layer, keras.layers.Bidirectional) else Recurrent(layer)
