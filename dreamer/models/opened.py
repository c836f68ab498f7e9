"""A network opened at a layer: what would become of its answer if the layer found something else.

The one idea: the network is replayed with a second input that is added to what the layer gives. It is zero, so
nothing changes; its gradient is that of the layer, wherever the layer stands in the network, and a little of
something else in it shows what that would do.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from dreamer.arrays import FloatArray, Size
from dreamer.backends import backend
from dreamer.errors import ModelError, UnknownClassError
from dreamer.models.network import Network

_STEP = (
    0.002  # Of a part: with more the next kinks are met, with less float32 tells little. It is right to a few percent.
)


class Opened:
    """A network opened at a layer below its classes.

    Args:
        network: The network.
        layer: The layer, with positions or without.

    Raises:
        UnknownClassError: The network has no classes.
        ModelError: The layer does not lead to the classes.

    Example:
        >>> opened = Opened(network, "block4b")  # doctest: +SKIP
        >>> score, found, gradient = opened.gradient(picture, wanted)  # doctest: +SKIP
        >>> float((found * gradient).sum())  # What the layer says for the classes.  # doctest: +SKIP
        1.4
    """

    def __init__(self, network: Network, layer: str) -> None:
        if network.logits is None:
            raise UnknownClassError(f"{network.spec.name} has no classifier, so nothing speaks for a class")
        network.check(layer)
        self.network, self.layer, self._logits = network, layer, network.logits
        self._model = self._opened()
        self._prepare = network.prepare()
        variables = list(self._model.variables)
        gradient = backend.current().gradient(self._forward, self._score, variables)
        self._gradient = backend.compile_chunk(lambda added, *given: gradient(added, given), variables)
        self._run = backend.compile_chunk(self._outputs, variables)

    def seen(self, size: Size) -> Size:
        """The size at which pictures of a size are given to it, as the classes see them."""
        return self.network.graph.seen_size([self.network.graph_index(self._logits)], size)

    def gradient(self, picture: FloatArray, wanted: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """A weighted sum of the classes, and what more of each activation would add to it.

        Args:
            picture: ``(height, width, 3)`` in [0, 1], of a size as :meth:`seen` gives it.
            wanted: ``(classes,)``: the weights.

        Returns:
            The sum, before the softmax; what the layer gives, ``(height, width, channels)`` or ``(units,)``; and the
            gradient, of the same shape.
        """
        zero = np.zeros((1, *self._shape(picture)), np.float32)
        scores, gradients = self._gradient(zero, picture[None], np.asarray(wanted, np.float32))
        _, given = self._run(zero, picture[None])
        return float(backend.to_host(scores)[0]), backend.to_host(given)[0], backend.to_host(gradients)[0]

    def attributions(self, picture: FloatArray, parts: Sequence[FloatArray]) -> FloatArray:
        """What each of some parts of what the layer gives adds to every class, to first order.

        (A gradient gives one class for all parts; this gives all classes for one part: the derivative of the answer
        along that part, by a difference to both sides.)

        Args:
            picture: ``(height, width, 3)`` in [0, 1], of a size as :meth:`seen` gives it.
            parts: Each of the shape of what the layer gives.

        Returns:
            ``(parts, classes)``.
        """
        found = []
        for part in parts:
            step = _STEP * np.asarray(part, np.float32)[None]
            both = [backend.to_host(self._run(added, picture[None])[0])[0] for added in (step, -step)]
            found.append((both[0] - both[1]) / (2 * _STEP))
        return np.asarray(found, np.float32)

    def _shape(self, picture: FloatArray) -> tuple[int, ...]:
        """The shape of what the layer gives for a picture."""
        size = picture.shape[0], picture.shape[1]
        together = [self.network.graph_index(name) for name in (self.layer, self._logits)]
        return (self.network.graph.shapes(together, size) or [])[0]

    def _opened(self) -> keras.Model:
        graph = self.network.graph
        place = graph.nodes[self.network.graph_index(self.layer)]
        try:
            return graph.opened(self.network.graph_index(self.layer), self.network.graph_index(self._logits))
        except ValueError as error:
            raise ModelError(
                f"{place.name!r} of {self.network.spec.name} does not lead to the classes, so nothing in it speaks "
                f"for one; name a layer below {self._logits!r}"
            ) from error

    def _forward(self, added: Any, given: Any) -> dict[str, Any]:
        return {"answer": self._outputs(added, given[0])[0]}

    def _outputs(self, added: Any, pictures: Any) -> tuple[Any, Any]:
        """The answer, and what the layer gives with what was added."""
        found = self._model([self._prepare(pictures), added], training=False)
        return ops.cast(found["answer"], "float32"), ops.cast(found["layer"], "float32")

    @staticmethod
    def _score(activations: Any, given: Any) -> Any:
        return ops.sum(activations["answer"] * given[1], axis=-1)
