"""Networks that take no pictures: rows of tables, and sequences of characters or tokens.

The one idea: such a network is taken as it is, for there is no size to choose. Its layers go by the same names as those
of a network of pictures, so the same objectives speak of them.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal

import keras
from keras import ops

from dreamer.errors import ModelError, in_one_line
from dreamer.models import keras_file, labels
from dreamer.models.layered import Layered
from dreamer.models.replay import Names, Node, replay, tensors_of
from dreamer.models.specs import ModelSpec

Ends = Literal["softmax", "sigmoid", "values"]
"""What a network ends in: classes of which one is right, answers of which each may be, or numbers."""

LOGITS = "logits"
"""The layer that is put behind a single answer, so that both yes and no are classes."""


class PlainNetwork(Layered):
    """A network of rows or sequences.

    Args:
        spec: What is known about it.
        network: It, as Keras loads it. A last softmax or sigmoid is taken off, and a single answer becomes two classes.
        weights_sha256: Digest of its weights.

    Attributes:
        ends: What it ends in.
        inputs: Its inputs by name, in its own order: symbolic tensors of Keras.
        nodes: An input or a layer each, in the order in which they are called; the inputs first.

    Raises:
        ModelError: It cannot be taken apart.

    Example:
        >>> rows = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="three")])
        >>> network = PlainNetwork(ModelSpec("mine", "", "", None, None), rows)
        >>> network.takes, network.layers, network.ends
        ('row', ('three',), 'softmax')
    """

    def __init__(self, spec: ModelSpec, network: keras.Model, weights_sha256: str = "") -> None:
        keras_file.check_whole(network, spec.name)
        self.takes = keras_file.takes(network)
        last = _activation_of_end(network)
        own = network.inputs[0] if isinstance(network, keras.Sequential) else network.input
        # Whole numbers as others: a row that is climbed lies between them.
        given = keras.tree.map_structure(lambda one: _input_like(one, as_numbers=self.takes == "row"), own)
        try:
            self.nodes, outputs = replay(network, given, Names())
        # Layers raise whatever they like; none of it is a fault of ours.
        except Exception as error:
            raise ModelError(
                f"the network {spec.name} cannot be taken apart: {type(error).__name__}: {in_one_line(error)}"
            ) from error
        self.inputs = {one.name: new for one, new in zip(network.inputs, tensors_of(given), strict=True)}
        self._end = self._node_of(outputs)
        units = self._end.shape[-1] if self._end is not None and self._end.shape else None
        self.ends: Ends = "sigmoid" if last is keras.activations.sigmoid else "softmax"
        if self._end is not None and units == 1 and self.takes == "row":
            self._end_in_two(is_answer=self.ends == "sigmoid" or _has_two_labels(spec))
        super().__init__(spec, self.nodes, weights_sha256)
        for index, node in enumerate(self.nodes):
            # A recurrent layer may give its state beside its output, which comes first.
            if node.layer is not None and len(tensors_of(node.output)) > 1:
                self._indices.setdefault(node.name, index)

    def _node_of(self, outputs: Any) -> Node | None:
        """The node whose output is the network's only one; None where there are several."""
        found = tensors_of(outputs)
        return next((one for one in self.nodes if one.output is found[0]), None) if len(found) == 1 else None

    def _end_in_two(self, *, is_answer: bool) -> None:
        """Make two classes of a single answer, no and yes; a single number stays what it is."""
        if not is_answer or self._end is None:
            self.ends = "values"
            return
        both = TwoLogits(name=LOGITS)
        end = Node(LOGITS, both, (self.nodes.index(self._end),), both(self._end.output))
        self.nodes, self._end, self.ends = [*self.nodes, end], end, "softmax"

    @cached_property
    def logits(self) -> str | None:
        """The layer that scores the classes, before the softmax; None for a network with several outputs."""
        return None if self._end is None or len(self._end.shape) != 1 else self._end.name

    def model(self, layers: Iterable[str]) -> keras.Model:
        """Some layers as a Keras network, with the network's own variables.

        Args:
            layers: Their names.

        Returns:
            From a list of inputs, in the order of ``inputs``, to activations by layer name.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        outputs = {name: self.output(name) for name in sorted(set(layers))}
        return keras.Model(list(self.inputs.values()), outputs)

    def output(self, layer: str) -> Any:
        """What a layer gives, as Keras's symbolic tensor; of several the first.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        return tensors_of(self.node(layer).output)[0]

    def __repr__(self) -> str:
        return f"<PlainNetwork {self.spec.name}: takes a {self.takes}, {len(self.layers)} layers>"


@keras.saving.register_keras_serializable("dreamer")
class TwoLogits(keras.layers.Layer):  # type: ignore[misc]
    """Makes ``(-x/2, x/2)`` of ``x``: two logits whose softmax is no and yes as the sigmoid of ``x`` has them."""

    def call(self, x: Any) -> Any:
        """From ``(..., 1)`` to ``(..., 2)``."""
        return ops.concatenate([-x / 2, x / 2], axis=-1)


def _input_like(tensor: Any, *, as_numbers: bool) -> Any:
    dtype = "float32" if as_numbers and "int" in str(tensor.dtype) else tensor.dtype
    return keras.Input(batch_shape=(None, *tensor.shape[1:]), dtype=dtype, name=tensor.name)


def _has_two_labels(spec: ModelSpec) -> bool:
    return spec.labels is not None and len(labels.of(spec)) == len(("no", "yes"))


def _activation_of_end(network: Any) -> Any:
    """Make a network end in logits, as :func:`keras_file.take_off_softmax` does, and give what was taken off."""
    if len(network.outputs) != 1:
        return None
    last = network.outputs[0]._keras_history.operation
    if hasattr(last, "outputs"):
        return _activation_of_end(last)
    found = getattr(last, "activation", None)
    if found in (keras.activations.softmax, keras.activations.sigmoid):
        last.activation = keras.activations.linear
    return found
