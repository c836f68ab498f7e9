"""A network as the ascent needs it: preprocessing, and activations by name.

The one idea: a network is cut to exactly the layers asked for, so nothing above them is computed.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np

from dreamer.errors import UnknownLayerError, close_matches
from dreamer.models.registry import ModelSpec

Tensor = Any  # A tensor of whichever backend Keras runs on.


class VisionModel:
    """A loaded network.

    Attributes:
        spec: What is known about it.
        network: The Keras network, from preprocessed pictures to its last layer.
    """

    def __init__(self, spec: ModelSpec, network: keras.Model) -> None:
        self.spec = spec
        self.network = network

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of all layers that can be asked for, from the picture to the classes."""
        return tuple(layer.name for layer in self.network.layers if not isinstance(layer, keras.layers.InputLayer))

    def channels(self, layer: str) -> int:
        """How many channels, or units, a layer has.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        if layer not in self.layers:
            raise UnknownLayerError(
                f"{self.spec.name} has no layer {layer!r}.{close_matches(layer, self.layers)} "
                f"It has {', '.join(self._landmarks())} and the layers inside them"
            )
        return int(self.network.get_layer(layer).output.shape[-1])

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

    def activations(self, layers: Iterable[str]) -> Callable[[Tensor], dict[str, Tensor]]:
        """Cut the network to some layers.

        Args:
            layers: Their names.

        Returns:
            A function from pictures ``(batch, height, width, 3)`` in [0, 1] to activations by layer
            name, each ``(batch, height, width, channels)``, or ``(batch, units)`` above the pooling.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        names = sorted(set(layers))
        for name in names:
            self.check(name)
        cut = keras.Model(self.network.input, {name: self.network.get_layer(name).output for name in names})
        mean, std = (np.array(values, np.float32) for values in (self.spec.mean, self.spec.std))
        return lambda pictures: dict(cut((pictures - mean) / std, training=False))

    def _landmarks(self) -> list[str]:
        """Stem, blocks, stages and head, without the layers inside the blocks."""
        return [name for name in self.layers if "_" not in name]
