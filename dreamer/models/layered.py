"""A network as objectives ask it: its layers, their channels and its classes by name.

The one idea: what a network takes (pictures, rows of a table, sequences) does not matter for that.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import keras

from dreamer.errors import ModelError, UnknownClassError, UnknownLayerError, close_matches
from dreamer.models import classes, labels
from dreamer.models.labels import Label
from dreamer.models.replay import Node
from dreamer.models.specs import ModelSpec, Takes


class Layered:
    """A loaded network of any kind.

    Attributes:
        spec: What is known about it.
        weights_sha256: Digest of its weights as they were published; ``""`` for random ones.
        takes: What it takes.
    """

    takes: Takes

    def __init__(self, spec: ModelSpec, nodes: Sequence[Node], weights_sha256: str = "") -> None:
        self.spec = spec
        self.weights_sha256 = weights_sha256
        self._nodes = nodes
        self._indices: dict[str, int] = {}
        for index, node in enumerate(nodes):
            # A layer that is applied twice is known by its first application.
            if node.layer is not None and isinstance(node.output, keras.KerasTensor) and len(node.shape) > 0:
                self._indices.setdefault(node.name, index)
        if not self._indices:
            raise ModelError(f"{spec.name} has no layers to look at")

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of all layers that can be asked for, from the input to the classes."""
        return tuple(self._indices)

    @cached_property
    def logits(self) -> str | None:
        """The layer that scores the classes, before the softmax; None for a network without a classifier."""
        if self.spec.logits:
            return self.spec.logits
        last = self._nodes[-1]
        if last.kind == "Softmax":
            last = self._nodes[last.parents[0]]
        return last.name if len(last.shape) == 1 else None

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """The classes with their names, in the order of the logits; empty where those are not known."""
        if self.spec.labels is None or self.logits is None:
            return ()
        known = labels.of(self.spec)
        return known if len(known) == self.channels(self.logits) else ()

    def class_index(self, name: str) -> int:
        """The index of a class, by its name or a part of it.

        Raises:
            UnknownClassError: There is no such class, several are called so, or the names are not known.
        """
        return classes.find(name, labels.of(self.spec), self.spec.name)

    def class_of(self, wanted: str) -> int:
        """The index of a class by its name or number, as people type it.

        Args:
            wanted: As ``"broccoli"``, ``"937"`` or ``"logit:broccoli"``.

        Raises:
            UnknownClassError, UnknownLayerError: There is no such class, or the network has none.
        """
        name = wanted.strip().removeprefix("logit:").strip()
        if self.logits is None:
            raise UnknownClassError(f"{self.spec.name} has no classifier, so it knows no class {wanted!r}")
        if not name:
            raise UnknownClassError(f"{wanted!r} names no class; expected one, as 'broccoli' or 937")
        if not name.isdecimal() or any(name == label.name for label in self.labels):
            return self.class_index(name)
        self.check(self.logits, int(name))
        return int(name)

    def node(self, layer: str) -> Node:
        """A layer, with its kind and the shape of its output.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        return self._nodes[self._index(layer)]

    def channels(self, layer: str) -> int:
        """How many channels, or units, a layer has.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        return int(self.node(layer).shape[-1] or 0)

    def check(self, layer: str, channel: int | None = None) -> None:
        """Make sure that a layer, and one channel of it, exist.

        Raises:
            UnknownLayerError: There is no such layer, or it has fewer channels.
        """
        channels = self.channels(layer)
        if channel is not None and not 0 <= channel < channels:
            raise UnknownLayerError(
                f"layer {layer!r} of {self.spec.name} has no channel {channel}; expected 0 to {channels - 1}"
            )

    def graph_index(self, layer: str) -> int:
        """The place of a layer among all nodes.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        return self._index(layer)

    def _index(self, layer: str) -> int:
        if layer not in self._indices:
            raise UnknownLayerError(
                f"{self.spec.name} has no layer {layer!r}.{close_matches(layer, self.layers)} "
                f"See all: dreamer layers {self.spec.name}"
            )
        return self._indices[layer]
