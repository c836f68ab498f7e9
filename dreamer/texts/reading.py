"""A text -> what a recurrent layer has at each of its characters.

The one idea: the network is walked layer by layer over the whole text. Recurrent layers go step by step, with their
state carried from the first character to the last, however long the text is; layers that look at one step at a time
are asked in pieces; others see the whole.

Must not import: the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from dreamer.arrays import FloatArray
from dreamer.errors import ModelError, SettingsError, UnknownLayerError, in_one_line
from dreamer.files.regular import read_text
from dreamer.models import registry
from dreamer.models.plain import PlainNetwork
from dreamer.models.replay import ancestors
from dreamer.texts import vocabulary as vocabularies
from dreamer.texts.recurrent import Both, Inside, Recurrent, is_recurrent, of_layer, shown_names
from dreamer.texts.vocabulary import Vocabulary
from dreamer.wording import shown

_PIECE = 8192  # Steps that a layer that looks at one at a time is asked for at once.
_MOST_WHOLE = 20_000  # Steps that other layers, as attention, are given together.

ONE_AT_A_TIME = frozenset({
    "Embedding", "Dense", "EinsumDense", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout",
    "LayerNormalization", "RMSNormalization", "BatchNormalization", "UnitNormalization", "Activation", "ReLU",
    "LeakyReLU", "PReLU", "ELU", "Softmax", "TimeDistributed", "Rescaling", "Add", "Average", "Multiply", "Subtract",
    "Maximum", "Minimum", "Concatenate", "Identity", "CategoryEncoding", "ActivityRegularization", "Masking",
})  # fmt: skip
"""Layers of Keras that look at one step at a time."""

Told = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class States:
    """What a layer has at each step of a text.

    Attributes:
        layer: Its name.
        pieces: The characters or tokens of the text, one for each step.
        hidden: ``(steps, units)``: what it puts out. Of a layer that goes both ways the units of the way forward, then
            those of the way back.
        cell: Of an LSTM ``(steps, units)``; None for others.
        gates: By name, each ``(steps, units)``.
    """

    layer: str
    pieces: tuple[str, ...]
    hidden: FloatArray
    cell: FloatArray | None
    gates: dict[str, FloatArray]

    @property
    def usual(self) -> str:
        """What is shown where nobody says: the cell of an LSTM, which remembers; else the hidden state."""
        return "hidden" if self.cell is None else "cell"

    def of(self, show: str | None = None) -> FloatArray:
        """What is to be shown: ``(steps, units)``; of the cell its ``tanh``, as the output has it.

        Raises:
            SettingsError: The layer has no such thing.
        """
        name = show or self.usual
        if name == "hidden":
            return self.hidden
        if name == "cell" and self.cell is not None:
            return np.tanh(self.cell)
        if name not in self.gates:
            there = ["hidden", *(["cell"] if self.cell is not None else []), *self.gates]
            raise SettingsError(f"{self.layer} has no {shown(name)} to show; expected one of {', '.join(there)}")
        return self.gates[name]

    def __repr__(self) -> str:
        return f"<States of {self.layer}: {len(self.pieces):,} steps, {self.hidden.shape[1]} units>"


class TextNetwork:
    """A network that can be asked about texts.

    Args:
        network: The path of a ``.keras`` file, a Keras network, or a loaded one, that takes sequences. vocabulary:
        What its numbers stand for, or the file of that; None for what the ``.toml`` beside the network says.

    Attributes:
        vocabulary: As the network has it.
        layers: The names of its recurrent layers.

    Raises:
        ModelError: The network takes something else, or has no recurrent layer.
        SettingsError: The vocabulary is not known, or does not fit.
    """

    def __init__(self, network: Any, vocabulary: Vocabulary | str | Path | None = None) -> None:
        self.network: PlainNetwork = registry.load_plain(network, takes="sequence")
        name = self.network.spec.name
        if len(self.network.inputs) != 1:
            raise ModelError(f"{name} has {len(self.network.inputs)} inputs; dreamer needs a network of a single text")
        (self._input,) = self.network.inputs.values()
        if str(self._input.dtype) == "string":
            raise ModelError(f"{name} takes text as it is; take its TextVectorization off, and give its vocabulary")
        found = vocabulary if vocabulary is not None else self.network.spec.vocabulary
        if found is None:
            raise SettingsError(
                f"nobody has said what the numbers of {name} stand for; give its characters with --vocabulary, or name "
                'the file in the .toml beside it: vocabulary = "chars.txt"'
            )
        held = found if isinstance(found, Vocabulary) else vocabularies.read(Path(found))
        self.vocabulary = held.fitting(self._count(), name)
        self.layers = tuple(one for one in self.network.layers if is_recurrent(self.network.node(one).layer))
        if not self.layers:
            raise ModelError(f"{name} has no recurrent layer; dreamer text looks at LSTM, GRU and SimpleRNN")

    @property
    def is_one_hot(self) -> bool:
        """Whether it takes a number for each entry of the vocabulary, and no numbers of them."""
        return len(self._input.shape) > 2

    def _count(self) -> int:
        """How many different numbers it takes."""
        if self.is_one_hot:
            return int(self._input.shape[-1])
        for node in self.network.nodes:
            if node.kind == "Embedding":
                return int(node.layer.input_dim)
            if node.kind == "CategoryEncoding":
                return int(node.layer.num_tokens)
        raise ModelError(
            f"{self.network.spec.name} takes numbers of characters, and makes of them what dreamer does not know; "
            "expected an Embedding, a CategoryEncoding, or characters one-hot"
        )

    def check(self, layer: str, unit: int | None = None) -> Recurrent | Both:
        """Make sure that there is a recurrent layer of a name, with a unit.

        Raises:
            UnknownLayerError: There is none.
            ModelError: It is recurrent, but of somebody else's kind.
        """
        node = self.network.node(layer)
        if layer not in self.layers:
            raise UnknownLayerError(
                f"{layer} of {self.network.spec.name} is no recurrent layer but {node.kind}; expected one of "
                f"{', '.join(self.layers)}"
            )
        found = of_layer(node.layer)
        if unit is not None and not 0 <= unit < found.units:
            raise UnknownLayerError(f"{layer} of {self.network.spec.name} has {found.units} units, 0 to "
                                    f"{found.units - 1}; there is no {layer}:{unit}")  # fmt: skip
        return found

    def given(self, numbers: NDArray[np.int32]) -> Any:
        """What the network is given for numbers ``(steps,)`` or ``(batch, steps)``."""
        if self.is_one_hot:
            return np.eye(len(self.vocabulary), dtype=np.float32)[numbers]
        return numbers.astype(str(self._input.dtype))

    def states(self, text: str, layer: str, wanted: Sequence[str] | None = None, on_step: Told | None = None) -> States:
        """What a layer has at each step of a text.

        Args:
            text: Of any length.
            layer: One of ``layers``.
            wanted: Which of ``settings.SHOWN`` are kept besides the hidden state; None for all.
            on_step: Told what is done, and how much of all is done.
        """
        names = shown_names(self.check(layer))
        for name in wanted or ():
            if name not in names:
                raise SettingsError(f"{layer} has no {shown(name)} to show; expected one of {', '.join(names)}")
        numbers = self.vocabulary.numbers(text)
        if not len(numbers):
            raise SettingsError("the text is empty; expected some characters")
        inside = self._walked(numbers, layer, wanted, on_step)
        return States(layer, tuple(self.vocabulary.pieces(text)), inside.hidden, inside.cell, inside.gates)

    def _walked(
        self, numbers: NDArray[np.int32], layer: str, wanted: Sequence[str] | None, on_step: Told | None
    ) -> Inside:
        nodes = self.network.nodes
        target = next(index for index, node in enumerate(nodes) if node.name == layer and node.layer is not None)
        values: dict[int, FloatArray | NDArray[np.int32]] = {}
        masks: dict[int, Any] = {}
        for index in sorted(ancestors(nodes, [target])):
            node = nodes[index]
            if _is_mask(node):
                continue
            if node.layer is None:
                values[index], masks[index] = self.given(numbers), None
                continue
            parents = [one for one in node.parents if not _is_mask(nodes[one])]
            mask = next((masks[one] for one in parents if masks.get(one) is not None), None)
            inputs: list[Any] = [values[one] for one in parents]
            if is_recurrent(node.layer):
                if len(inputs) > 1:
                    raise ModelError(
                        f"{node.name} of {self.network.spec.name} begins with a state from elsewhere, as decoders do; "
                        "dreamer text looks at layers that begin with none"
                    )
                found = of_layer(node.layer)
                told = None if on_step is None else _steps(on_step, node.name, len(numbers))
                inside = found.run(inputs[0], mask, wanted if index == target else (), told)
                if index == target:
                    return inside
                values[index], masks[index] = _put_out(found, node.layer, inside), mask
            else:
                values[index] = self._asked(node, inputs)
                masks[index] = _mask_of(node.layer, inputs[0], mask)
        raise ModelError(f"{layer} cannot be reached")  # It is its own ancestor.

    def _asked(self, node: Any, inputs: Sequence[Any]) -> FloatArray:
        """What a layer that is not recurrent gives: ``(steps, features)``."""
        steps = len(inputs[0])
        by_piece = node.kind in ONE_AT_A_TIME
        if not by_piece and steps > _MOST_WHOLE:
            raise SettingsError(
                f"{node.name} ({node.kind}) of {self.network.spec.name} looks at many steps at once, and the text has "
                f"{steps:,}; give at most {_MOST_WHOLE:,}"
            )
        size = _PIECE if by_piece else steps
        parts = []
        for start in range(0, steps, size):
            some = [ops.convert_to_tensor(one[None, start : start + size]) for one in inputs]
            try:
                made = node.layer(some if len(some) > 1 else some[0])
            except Exception as error:
                raise ModelError(
                    f"Keras cannot compute {node.name} of {self.network.spec.name} for texts of any length: "
                    f"{type(error).__name__}: {in_one_line(error)[:300]}"
                ) from error
            parts.append(np.asarray(ops.convert_to_numpy(made), np.float32)[0])
        found = np.concatenate(parts)
        if len(found) != steps:
            raise SettingsError(
                f"{node.name} of {self.network.spec.name} makes {len(found):,} steps of {steps:,}, so its units belong "
                "to no character; look at a layer before it"
            )
        return found


def _is_mask(node: Any) -> bool:
    """Whether a node says which steps count, as Keras notes it beside the layers; the layers themselves say so here."""
    return node.layer is not None and str(keras.tree.flatten(node.output)[0].dtype) == "bool"


def _put_out(found: Recurrent | Both, layer: Any, inside: Inside) -> FloatArray:
    """What a recurrent layer hands on: every step, in its own order."""
    if not layer.return_sequences:
        raise ModelError(
            f"{layer.name} hands on its last step only, so layers behind it have no steps; look at it itself"
        )
    if isinstance(found, Both):
        if found.merge is None:
            raise ModelError(f"{layer.name} hands on its two ways apart, so only it itself can be read; look at it")
        return found.merged(inside.hidden)
    return inside.hidden[::-1] if found.backwards else inside.hidden


def _mask_of(layer: Any, inputs: Any, mask: Any) -> Any:
    if isinstance(layer, keras.layers.Embedding) and layer.mask_zero:
        return inputs != 0
    return (inputs != layer.mask_value).any(-1) if isinstance(layer, keras.layers.Masking) else mask


def _steps(on_step: Told, name: str, count: int) -> Callable[[int], None]:
    return lambda step: on_step(f"{name}, step {step:,} of {count:,}", min(0.999, step / count))


def states(
    network: Any, text: str, *, layer: str | None = None, vocabulary: Vocabulary | str | Path | None = None
) -> States:
    """What a recurrent layer has at each step of a text.

    Args:
        network: The path of a ``.keras`` file, or a Keras network, that takes sequences.
        text: Of any length.
        layer: Its name; None for the first recurrent one.
        vocabulary: What the numbers stand for, or the file of that; None for what the file beside the network says.

    Returns:
        ``.hidden``, ``.cell`` and ``.gates``, each ``(steps, units)``.

    Raises:
        ModelError: The network takes something else, or has no such layer.
        SettingsError: The vocabulary is not known, does not fit, or lacks characters of the text.

    Example:
        >>> found = dreamer.texts.states("char.keras", "for x in y:", layer="lstm")  # doctest: +SKIP
        >>> found.cell.shape, sorted(found.gates)  # doctest: +SKIP
        ((11, 128), ['forget', 'input', 'output'])
    """
    asked = TextNetwork(network, vocabulary)
    return asked.states(text, layer or asked.layers[0])


def text_of(paths: Sequence[str | Path]) -> str:
    """The texts of some files, one after the other.

    Raises:
        SettingsError: One cannot be read, or is no text.
    """
    parts = []
    for path in map(Path, paths):
        try:
            part = read_text(path, most=200_000_000)
        except UnicodeDecodeError as error:
            raise SettingsError(f"{path} is no text in UTF-8 ({error.reason} at byte {error.start})") from error
        except OSError as error:
            raise SettingsError(f"cannot read {path}: {error.strerror or error}") from error
        parts.append(part.replace("\r\n", "\n"))
    return "".join(parts)
