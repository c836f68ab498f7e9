"""A Keras network called again, layer by layer, on inputs of another kind: every layer by name.

The one idea: Keras keeps how a network's layers were called, so they can be called so again, and whoever asks is told
of each call. Networks nested in networks are opened, and their layers named ``outer.inner``.

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import keras

Tensor = Any  # A symbolic tensor of Keras.

_BACKEND_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"  # What TensorFlow takes as the name of a scope.


@dataclass(frozen=True, eq=False)
class Node:
    """One application of a layer.

    Attributes:
        name: What a person types: the layer's name; within a nested network ``outer.inner``.
        layer: The Keras layer, or the operation that stands in the graph like one; None for an input.
        parents: Indices of the nodes whose outputs it takes.
        output: Its symbolic output.
    """

    name: str
    layer: Any
    parents: tuple[int, ...]
    output: Tensor

    @property
    def kind(self) -> str:
        """The class of the layer, as Keras calls it."""
        return type(self.layer).__name__

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape of the output, or the first of several, without the batch; None where it depends on the input."""
        return tuple(_first(self.output).shape[1:])


Sources = tuple[tuple[int, int], ...]
"""For each tensor that a layer is given, the index of its node, and which of that node's outputs it is."""

Apply = Callable[[int, Sources, Any, Any, Any], Any]
"""(index, sources, layer, arguments, keyword arguments) -> symbolic output."""


def call(_index: int, _sources: Sources, layer: Any, args: Any, kwargs: Any) -> Any:
    """Call a layer as it was called, and nothing else."""
    return layer(*args, **kwargs)


class Names:
    """The names by which a person knows layers: ``outer.inner``, and the same at every replay.

    The layer itself is renamed where that is not a name for the backend, or another's already.
    """

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, layer: Any, prefix: str) -> str:
        """The name of a layer within the network that the prefix says."""
        if id(layer) not in self._known:
            wanted = f"{prefix}{layer.name}"
            name = next(name for name in _numbered(wanted) if name not in self._known.values())
            self._known[id(layer)] = name
            if name != layer.name or not re.fullmatch(_BACKEND_NAME, name):
                layer.name = f"layer{len(self._known)}_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
        return self._known[id(layer)]


def replay(network: keras.Model, given: Any, names: Names, apply: Apply = call) -> tuple[list[Node], Any]:
    """Call the layers of a network in order.

    Args:
        network: A functional or sequential network.
        given: Its inputs, structured as the network's are: symbolic tensors of Keras.
        names: Finds the names of the layers.
        apply: Calls a layer.

    Returns:
        A node for each input, then one for each call; and the outputs, structured as the network's are.
    """
    inputs = tensors_of(given)
    nodes = [Node("", None, (), one) for one in inputs]
    makers = {id(one): (index, 0) for index, one in enumerate(inputs)}
    kept: list[Any] = list(inputs)  # A tensor that is gone could leave its identity to another.

    def each(prefix: str, layer: Any, *args: Any, **kwargs: Any) -> Any:
        name = names.of(layer, prefix)
        if is_network(layer) and len(args) == 1:
            return run(layer, args[0], f"{name}.")
        sources = tuple(makers[id(x)] for x in tensors_of((args, kwargs)))
        parents = tuple(dict.fromkeys(index for index, _ in sources))
        output = apply(len(nodes), sources, layer, args, kwargs)
        makers.update((id(x), (len(nodes), place)) for place, x in enumerate(tensors_of(output)))
        kept.append(output)
        nodes.append(Node(name, layer, parents, output))
        return output

    def run(network: keras.Model, x: Any, prefix: str) -> Any:
        if isinstance(network, keras.Sequential):
            for layer in network.layers:
                x = each(prefix, layer, x)
            return x
        # What keras.models.clone_model does, which can't be used itself: it cuts a nested network off.
        return network._run_through_graph(
            x,
            operation_fn=lambda layer: layer,
            call_fn=lambda layer, *args, **kwargs: each(prefix, layer, *args, **kwargs),
        )

    outputs = run(network, given, "")
    return nodes, outputs


def ancestors(nodes: Sequence[Node], wanted: Sequence[int]) -> set[int]:
    """The indices of some nodes and of all that they depend on."""
    found: set[int] = set()
    waiting = list(wanted)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting.extend(nodes[index].parents)
    return found


def tensors_of(structure: Any) -> list[Tensor]:
    """All symbolic tensors in a structure."""
    return [x for x in keras.tree.flatten(structure) if isinstance(x, keras.KerasTensor)]


def is_network(layer: Any) -> bool:
    """Whether a layer is a network that can be opened: a sequential one, or one with a graph."""
    return isinstance(layer, keras.Sequential) or (isinstance(layer, keras.Model) and hasattr(layer, "operations"))


def _first(output: Any) -> Tensor:
    """The output of a layer, or the first of several."""
    return keras.tree.flatten(output)[0]


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(2))
