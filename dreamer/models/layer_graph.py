"""A Keras network taken apart: every layer by name, at any size of picture.

The one idea: the network is *replayed*, layer by layer, on a picture whose height and width are left
open. What can be computed at any size is found that way, whatever size the network was saved with;
what cannot (a classifier behind a flattened feature map, a grid of positions) stays tied to the
network's own size. Networks nested in networks are opened, and their layers named ``outer.inner``.

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import keras

from dreamer.arrays import Size

Tensor = Any  # A symbolic tensor of Keras.
Shape = tuple[int, ...]

_OTHER_SIZE = 64
"""Pixels by which a trial differs from the network's own size: whole strides of every usual network."""

_BACKEND_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"  # What TensorFlow takes as the name of a scope.

MISFITS = (ValueError, TypeError, ArithmeticError, IndexError)
"""What Keras's layers raise for a shape they cannot have; there is no error of its own for it."""


@dataclass(frozen=True, eq=False)
class Node:
    """One application of a layer.

    Attributes:
        name: What a person types: the layer's name; within a nested network ``outer.inner``.
        layer: The Keras layer, or the operation that stands in the graph like one.
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
        """The shape of the output, or the first of several, without the batch; None where it depends on the picture."""
        return tuple(_first(self.output).shape[1:])


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


_Apply = Callable[[int, tuple[int, ...], Any, Any, Any], Any]
"""(index, parents, layer, arguments, keyword arguments) -> symbolic output."""


class LayerGraph:
    """The layers of a functional or sequential network of one picture.

    Attributes:
        network: The network. Layers whose names are not unique, or none for the backend, are renamed.
        own_size: ``(height, width)`` the network was built for; None where it takes any.
        num_colors: How many channels its pictures have.
        nodes: Every layer in order, on a picture of any size; the first is the picture. Nodes that
            are tied to the own size have its shapes, and cannot be run.
        own_nodes: The same on a picture of the own size.
        tied: Indices of the nodes that can only be computed at the network's own size.

    Example:
        >>> x = keras.Input((32, 48, 3))
        >>> y = keras.layers.Flatten(name="flat")(keras.layers.Conv2D(4, 3, name="conv")(x))
        >>> graph = LayerGraph(keras.Model(x, y))
        >>> [(node.name, node.shape, index in graph.tied) for index, node in enumerate(graph.nodes)][1:]
        [('conv', (None, None, 4), False), ('flat', (5520,), True)]
    """

    def __init__(self, network: keras.Model) -> None:
        self.network = network
        height, width, self.num_colors = network.input_shape[1:]
        # A network with one open side is taken at its other side in both directions.
        self.own_size: Size | None = (height or width, width or height) if height or width else None
        self.tied: set[int] = set()
        self._names: dict[int, str] = {}
        self.own_nodes = self._replay(self.own_size or (None, None), _call)
        if self.own_size is None:
            self.nodes = self.own_nodes
        else:
            self._replay((self.own_size[0] + _OTHER_SIZE, self.own_size[1] + _OTHER_SIZE), self._call_if_it_fits)
            self.nodes = self._replay((None, None), self._call_if_it_fits)

    def shapes(self, wanted: Sequence[int]) -> Callable[[Size], list[Shape] | None]:
        """Find out what some nodes give for pictures of a size, without computing them.

        Args:
            wanted: Indices of nodes that are not tied.

        Returns:
            Gives for ``(height, width)`` the shape of each node's output without the batch, or None
            where a picture of that size cannot be seen.
        """
        # Keras does not compare the shapes that it joins before it computes them.
        needed = [self.nodes[index] for index in ancestors(self.nodes, wanted)]
        joins = [node.parents for node in needed if node.kind == "Concatenate"]
        watched = sorted({*wanted, *(parent for parents in joins for parent in parents)})
        cut = keras.Model(self.nodes[0].output, [_first(self.nodes[index].output) for index in watched])

        def shapes_at(size: Size) -> list[Shape] | None:
            try:
                shapes = cut.compute_output_shape((1, *size, self.num_colors))
            except MISFITS:
                return None
            found = {index: tuple(shape[1:]) for index, shape in zip(watched, shapes, strict=True)}
            fits = all(len({found[parent][:-1] for parent in parents}) == 1 for parents in joins)
            return [found[index] for index in wanted] if fits and all(map(all, found.values())) else None

        return shapes_at

    def _replay(self, size: tuple[int | None, int | None], apply: _Apply) -> list[Node]:
        picture = keras.Input((*size, self.num_colors))
        nodes = [Node("", None, (), picture)]
        makers = {id(picture): 0}

        def call(prefix: str, layer: Any, *args: Any, **kwargs: Any) -> Any:
            name = self._name(layer, prefix)
            if _is_network(layer) and len(args) == 1:
                return run(layer, args[0], f"{name}.")
            given = (makers.get(id(x)) for x in _tensors((args, kwargs)))
            parents = tuple(dict.fromkeys(index for index in given if index is not None))
            output = apply(len(nodes), parents, layer, args, kwargs)
            makers.update((id(x), len(nodes)) for x in _tensors(output))
            nodes.append(Node(name, layer, parents, output))
            return output

        def run(network: keras.Model, x: Any, prefix: str) -> Any:
            if isinstance(network, keras.Sequential):
                for layer in network.layers:
                    x = call(prefix, layer, x)
                return x
            # What keras.models.clone_model does, which can't be used itself: it cuts a nested network off.
            return network._run_through_graph(
                x,
                operation_fn=lambda layer: layer,
                call_fn=lambda layer, *args, **kwargs: call(prefix, layer, *args, **kwargs),
            )

        run(self.network, picture, "")
        return nodes

    def _name(self, layer: Any, prefix: str) -> str:
        """The name by which a person knows a layer: ``outer.inner``, and the same at every replay.

        The layer itself is renamed where that is not a name for the backend, or another's already.
        """
        if id(layer) not in self._names:
            wanted = f"{prefix}{layer.name}"
            name = next(name for name in _numbered(wanted) if name not in self._names.values())
            self._names[id(layer)] = name
            if name != layer.name or not re.fullmatch(_BACKEND_NAME, name):
                layer.name = f"layer{len(self._names)}_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
        return self._names[id(layer)]

    def _call_if_it_fits(self, index: int, parents: tuple[int, ...], layer: Any, args: Any, kwargs: Any) -> Any:
        """Call a layer; one that cannot be called at this size is noted as tied."""
        if index not in self.tied and self.tied.isdisjoint(parents):
            try:
                output = layer(*args, **kwargs)
            except MISFITS:
                pass
            else:
                if not _forgets_size(layer, args, output):
                    return output
        self.tied.add(index)
        return self._stand_in(index, args, kwargs)

    def _stand_in(self, index: int, args: Any, kwargs: Any) -> Any:
        return _StandIn(self.own_nodes[index].output)(*_tensors((args, kwargs)))


def _call(_index: int, _parents: tuple[int, ...], layer: Any, args: Any, kwargs: Any) -> Any:
    return layer(*args, **kwargs)


def _tensors(structure: Any) -> list[Tensor]:
    return [x for x in keras.tree.flatten(structure) if isinstance(x, keras.KerasTensor)]


def _first(output: Any) -> Tensor:
    """The output of a layer, or the first of several."""
    return keras.tree.flatten(output)[0]


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(2))


def _is_network(layer: Any) -> bool:
    """Whether a layer is a network that can be opened: a sequential one, or one with a graph."""
    return isinstance(layer, keras.Sequential) or (isinstance(layer, keras.Model) and hasattr(layer, "operations"))


def _forgets_size(layer: Any, args: Any, output: Any) -> bool:
    """Whether a layer makes of an open height and width what the weights behind it cannot fit.

    Flattening gives an unknown number of features; reshaping to a fixed shape assumes a size.
    """
    shapes = [tuple(x.shape[1:]) for x in _tensors(output)]
    if any(shape and shape[-1] is None for shape in shapes):
        return True
    was_open = any(None in x.shape[1:] for x in _tensors(args))
    return was_open and type(layer).__name__ == "Reshape" and all(None not in shape for shape in shapes)


class _StandIn(keras.layers.Layer):  # type: ignore[misc]
    """Has the shape of a layer that cannot be computed at this size. It is never run."""

    def __init__(self, like: Any) -> None:
        super().__init__(trainable=False)
        self._like = like

    def compute_output_spec(self, *_given: Tensor) -> Any:
        return keras.tree.map_structure(lambda x: keras.KerasTensor(x.shape, dtype=x.dtype), self._like)
