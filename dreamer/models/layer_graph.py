"""A Keras network taken apart: every layer by name, at any size of picture.

The one idea: the network is *replayed*, layer by layer, on a picture whose height and width are left
open. What can be computed at any size is found that way, whatever size the network was saved with;
what cannot (a classifier behind a flattened feature map, a grid of positions) stays tied to the
network's own height, own width or both.

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size
from dreamer.errors import ModelError, in_one_line
from dreamer.models.replay import Apply, Names, Node, Sources, ancestors, call, replay, tensors_of
from dreamer.models.shape_rules import Call
from dreamer.models.survey import Survey, Tied
from dreamer.models.visible import Measure
from dreamer.sides import ALL, Sides

Tensor = Any  # A symbolic tensor of Keras.
Shape = tuple[int, ...]

_FREE: Tied = (False, False)
_MOST_SQUEEZED = 8  # A width that follows a fixed height is at most so many times the network's own.


class LayerGraph:
    """The layers of a functional or sequential network of one picture.

    Attributes:
        network: The network. Layers whose names are not unique, or none for the backend, are renamed.
        own_size: ``(height, width)`` the network was built for; where it takes any, one at which all can be computed.
        num_colors: How many channels its pictures have.
        nodes: Every layer in order, on a picture of any size; the first is the picture. Nodes that
            are tied to the own height or width have their shapes at the own size, and cannot be run.

    Raises:
        ModelError: Keras cannot apply the layers anew.

    Example:
        >>> x = keras.Input((32, 48, 3))
        >>> y = keras.layers.Flatten(name="flat")(keras.layers.Conv2D(4, 3, name="conv")(x))
        >>> graph = LayerGraph(keras.Model(x, y))
        >>> [(node.name, node.shape, graph.tied([index])) for index, node in enumerate(graph.nodes)][1:]
        [('conv', (None, None, 4), (False, False)), ('flat', (5520,), (True, True))]
    """

    def __init__(self, network: keras.Model) -> None:
        self.network = network
        height, width, self.num_colors = network.input_shape[1:]
        self._names = Names()
        self._calls: list[Call | None] = [None]  # The picture is nobody's output.
        try:
            declared = self._replay((height, width), self._called)
        # Layers raise whatever they like; none of it is a fault of ours.
        except Exception as error:
            reason = in_one_line(error)
            raise ModelError(
                f"the network {network.name!r} cannot be taken apart: {type(error).__name__}: {reason}"
            ) from error
        self._measure = Measure(self._calls, self.num_colors)
        self._survey = Survey(self._measure, (height, width))
        self.own_size = self._survey.own_size
        self._own = declared if (height, width) == self.own_size else None
        self._needed = {index: self._survey.tied([index]) for index in range(len(declared))}
        self._at: dict[Tied, list[Node]] = {}
        nodes = self.nodes_at(_FREE)
        for tied in set(self._needed.values()):
            self.nodes_at(tied)  # Now, since it may turn out there that more is tied.
        # What makes features of a side has as many as at the own size, though what follows may do with any.
        self._tied = {index: _either(one, self._survey.makes_features(index)) for index, one in self._needed.items()}
        self.nodes = [
            node if self._tied[index] == self._needed[index] else self.nodes_at((True, True))[index]
            for index, node in enumerate(nodes)
        ]

    def tied(self, wanted: Iterable[int]) -> Tied:
        """Whether some nodes can only be computed at the network's own height, and at its own width."""
        return _either(*(self._tied[index] for index in wanted))

    def nodes_at(self, tied: Tied) -> list[Node]:
        """Every layer in order, on a picture of the network's own height or width, and otherwise of any."""
        if tied == (True, True):
            if self._own is None:
                self._own = self._replay(self.own_size, call)
            return self._own
        if tied not in self._at:
            height, width = (side if fixed else None for side, fixed in zip(self.own_size, tied, strict=True))

            def apply(index: int, sources: Sources, layer: Any, args: Any, kwargs: Any) -> Any:
                return self._call_if_it_fits(tied, index, sources, layer, args, kwargs)

            self._at[tied] = self._replay((height, width), apply)
        return self._at[tied]

    def opened(self, wanted: int, answer: int) -> keras.Model:
        """The network with a second input, which is added to what a node gives.

        Args:
            wanted: The index of the node.
            answer: That of the node whose output is asked for.

        Returns:
            From a picture, of a size as :meth:`seen_size` gives it for the answer, and what is added, to
            ``{"layer": ..., "answer": ...}``.

        Raises:
            ValueError: The answer does not depend on the node.
        """
        if wanted not in ancestors(self.nodes, [answer]):
            raise ValueError(f"{self.nodes[answer].name} does not depend on {self.nodes[wanted].name}")
        more: list[Any] = []

        def apply(index: int, _sources: Sources, layer: Any, args: Any, kwargs: Any) -> Any:
            output = layer(*args, **kwargs)
            if index != wanted:
                return output
            more.append(keras.Input(output.shape[1:], dtype=output.dtype))
            return output + more[0]

        size = [side if fixed else None for side, fixed in zip(self.own_size, self.tied([answer]), strict=True)]
        picture = keras.Input((*size, self.num_colors))
        nodes, _ = replay(self.network, picture, self._names, apply)
        return keras.Model([picture, more[0]], {"layer": nodes[wanted].output, "answer": nodes[answer].output})

    def sides(self, wanted: Sequence[int]) -> tuple[Sides, Sides]:
        """The heights and the widths of pictures that some nodes can see; any, where pictures are resized for them.

        Raises:
            ModelError: There is no size that all of them can see.
        """
        if any(self.tied(wanted)):
            return ALL, ALL
        height, width = self._survey.sides(wanted)
        if not (height and width):
            names = ", ".join(self.nodes[index].name for index in wanted)
            raise ModelError(f"no size of picture that was tried can be seen by {names} at once; name fewer layers")
        return height, width

    def seen_size(self, wanted: Sequence[int], size: Size) -> Size:
        """The size to which a picture is resized for some nodes, which is its own where none of them is tied.

        Where only one side is fixed, the other keeps the proportions.
        """
        tied = self.tied(wanted)
        if tied == _FREE:
            return size
        if all(tied):
            return self.own_size
        fixed, follows = self.following(wanted)
        wish = (size[1 - fixed] * self.own_size[fixed] + size[fixed] // 2) // size[fixed]
        side = int(follows[min(max(wish, 1), len(follows) - 1)])
        return (self.own_size[0], side) if fixed == 0 else (side, self.own_size[1])

    def following(self, wanted: Sequence[int]) -> tuple[int, NDArray[np.int32]]:
        """How one side of the pictures follows where the other is fixed, as the height of a line of text is.

        Returns:
            The axis that is fixed, and for each length in pixels that the other would have, the nearest one that can
            be seen. A longer one is the longest of these.
        """
        fixed = 0 if self.tied(wanted)[0] else 1
        sides = self._survey.sides(wanted)[1 - fixed]
        longest = self.own_size[1 - fixed] * _MOST_SQUEEZED
        return fixed, np.array([sides.nearest(side) for side in range(longest + 1)], np.int32)

    def shapes(self, wanted: Sequence[int], size: Size) -> list[Shape] | None:
        """What some nodes give for pictures of a size, without computing them.

        Args:
            wanted: Indices of nodes.
            size: ``(height, width)`` that they see, as :meth:`seen_size` says.

        Returns:
            The shape of each node's output, or of the first of several, without the batch; None where a picture of
            that size cannot be seen.
        """
        needed = sorted(ancestors(self.nodes, wanted))
        found = self._measure.shapes(np.array([size]), needed)
        if not all(found[index].seen[0] for index in wanted) and size != self.own_size:
            return None
        return [
            tuple(map(int, found[index].columns[0][0]))
            if found[index].seen[0]
            else tuple(side or 1 for side in self.nodes_at((True, True))[index].shape)
            for index in wanted
        ]

    def _replay(self, size: tuple[int | None, int | None], apply: Apply) -> list[Node]:
        nodes, _ = replay(self.network, keras.Input((*size, self.num_colors)), self._names, apply)
        return nodes

    def _called(self, _index: int, sources: Sources, layer: Any, args: Any, kwargs: Any) -> Any:
        """Call a layer, and keep how."""
        output = layer(*args, **kwargs)
        ranks = tuple(len(x.shape) - 1 for x in tensors_of(output))
        self._calls.append(Call(layer, (args, kwargs), sources, ranks))
        return output

    def _call_if_it_fits(self, at: Tied, index: int, sources: Sources, layer: Any, args: Any, kwargs: Any) -> Any:
        """Call a layer; where it needs a side that is open, something of its own shape stands in for it."""
        needed = _either(self._needed[index], *(self._needed[source] for source, _ in sources))
        if needed in (at, _FREE):
            try:
                return layer(*args, **kwargs)
            except Exception:  # noqa: BLE001  Each layer has errors of its own for an open side.
                needed = (True, True)
        self._needed[index] = needed
        return _StandIn(self.nodes_at((True, True))[index].output)(*tensors_of((args, kwargs)))


def _either(*tied: Tied) -> Tied:
    return any(height for height, _ in tied), any(width for _, width in tied)


class _StandIn(keras.layers.Layer):  # type: ignore[misc]
    """Has the shape of a layer that cannot be computed at this size. It is never run."""

    def __init__(self, like: Any) -> None:
        super().__init__(trainable=False)
        self._like = like

    def compute_output_spec(self, *_given: Tensor) -> Any:
        return keras.tree.map_structure(lambda x: keras.KerasTensor(x.shape, dtype=x.dtype), self._like)
