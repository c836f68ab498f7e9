"""A network made quick to run: batch normalisation folded, and numbers of fewer bits.

The one idea: both are a second walk over a network that is cut already, with some layers replaced on
the way. So every layer can still be asked for by name, and what cannot be replaced exactly stays.

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size
from dreamer.models.replay import Node, ancestors

_Array = NDArray[np.float32]
Tensor = Any  # A tensor of whichever backend Keras runs on.

_TOLERANCE = 1e-3
"""Of a layer's largest activation; rounding in float32 stays below a tenth of it in the deepest networks."""


def _along_last(kernel: _Array, factor: _Array) -> _Array:
    scaled: _Array = kernel * factor
    return scaled


def _of_depthwise(kernel: _Array, factor: _Array) -> _Array:
    return _along_last(kernel, factor.reshape(kernel.shape[2:]))  # (height, width, channels, multiplier)


def _of_transposed(kernel: _Array, factor: _Array) -> _Array:
    return _along_last(kernel, factor[:, None])  # (height, width, out, in)


_FOLDABLE: Mapping[str, Callable[[_Array, _Array], _Array]] = {
    "Conv2D": _along_last,
    "Dense": _along_last,
    "SeparableConv2D": _along_last,
    "DepthwiseConv2D": _of_depthwise,
    "Conv2DTranspose": _of_transposed,
}
"""How a factor per output channel goes into the kernel of a layer, by its kind."""


Made = dict[int, Any]
"""Layers that replace others, by the identity of those. Cuts of one network share them, and so their weights."""


def fold(cut: keras.Model, nodes: Sequence[Node], wanted: Sequence[int], size: Size, made: Made) -> keras.Model:
    """Fold batch normalisation into the convolutions before it, where nothing else sees what they give.

    A convolution is linear and a normalisation whose statistics are fixed is an affine map per
    channel, so one convolution with other weights does both. The result is compared with the
    original on a random picture; the original is kept where they differ.

    Args:
        cut: A network from a picture to activations by name.
        nodes: The layers that it was cut from, in order.
        wanted: Indices of the nodes that are its outputs.
        size: ``(height, width)`` of a picture that it can see, to compare on.
        made: Folded convolutions of this network; those made here are added.

    Returns:
        A network with the same outputs. Layers that were not folded are shared with ``cut``.

    References:
        Jacob et al., "Quantization and Training of Neural Networks for Efficient
        Integer-Arithmetic-Only Inference", arXiv:1712.05877, section 3.2.
    """
    pairs = _pairs(nodes, wanted)
    if not pairs:
        return cut
    norms = {id(norm) for norm in pairs.values()}
    new = [convolution for convolution in pairs if id(convolution) not in made]
    made |= {id(convolution): _like(convolution, use_bias=True) for convolution in new}
    convolutions = {id(convolution) for convolution in pairs}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if id(layer) in norms:
            return args[0]
        return (made[id(layer)] if id(layer) in convolutions else layer)(*args, **kwargs)

    folded = _replayed(cut, call)
    for convolution in new:
        made[id(convolution)].set_weights(_folded_weights(convolution, pairs[convolution]))
    if _agree(cut, folded, size):
        return folded
    warnings.warn(
        "batch normalisation is not folded: the network would answer differently. It stays as it is, and slower",
        stacklevel=2,
    )
    return cut


def lower(cut: keras.Model, precision: str, made: Made) -> keras.Model:
    """Compute a network in a type of fewer bits, from its first layer with a kernel on.

    What prepares the picture stays in float32, and so does every layer whose weights are no kernel:
    a normalisation, say.

    Args:
        cut: A network; left as it is.
        precision: ``"bfloat16"`` or ``"float16"``.
        made: Layers of this network in that precision; those made here are added.

    Returns:
        A network with the same outputs, some of them in that type.
    """
    new = []

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if not _can_be_low(layer, precision, (args, kwargs)):
            return layer(*args, **kwargs)
        if id(layer) not in made:
            made[id(layer)] = _low(layer, precision)
            new.append(layer)
        return made[id(layer)](*args, **kwargs)

    lowered = _replayed(cut, call)
    for layer in new:
        if made[id(layer)] is not layer:
            made[id(layer)].set_weights(layer.get_weights())
    return lowered


def redirect(cut: keras.Model) -> keras.Model:
    """Let gradients through rectifiers that are off, except where they would push their input further down.

    A unit that is zero everywhere has no gradient, so nothing could ever turn it on.

    Args:
        cut: A network; left as it is.

    Returns:
        A network with the same outputs, and other gradients.

    References:
        Lucid's ``redirected_relu_grad``.
    """

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        most = _rectifies_to(layer)
        if most is None:
            return layer(*args, **kwargs)
        if not layer.weights:
            return _Redirected(most)(*args)
        linear = _like(layer, activation="linear")
        given = linear(*args, **kwargs)
        linear.set_weights(layer.get_weights())
        return _Redirected(most)(given)

    return _replayed(cut, call)


def _rectifies_to(layer: Any) -> float | None:
    """The largest value of a plain rectifier, or of the one at a layer's end; None for anything else."""
    if type(layer).__name__ == "ReLU" and not layer.negative_slope and not layer.threshold:
        return math.inf if layer.max_value is None else float(layer.max_value)
    return {keras.activations.relu: math.inf, keras.activations.relu6: 6.0}.get(getattr(layer, "activation", None))


class _Redirected(keras.layers.Layer):  # type: ignore[misc]
    """A rectifier up to some value, whose gradient is not zero where it is off."""

    def __init__(self, most: float) -> None:
        super().__init__(trainable=False, dtype="float32", autocast=False)
        self._most = most

    def call(self, x: Tensor) -> Tensor:
        """Rectify."""

        @keras.ops.custom_gradient  # type: ignore[untyped-decorator]
        def rectified(x: Tensor) -> Any:
            def gradient(*given: Tensor, upstream: Tensor | None = None) -> Tensor:
                up = given[0] if upstream is None else upstream
                stuck = ((x < 0) & (up < 0)) | ((x > self._most) & (up > 0))
                return keras.ops.where(stuck, keras.ops.zeros_like(up), up)

            return keras.ops.clip(x, 0, self._most), gradient

        return rectified(x)


def _low(layer: Any, precision: str) -> Any:
    """A layer in another precision; itself where it cannot be made again, as one that runs somebody's function."""
    try:
        return _like(layer, dtype=precision)
    except (TypeError, ValueError, NotImplementedError):
        return layer


def _replayed(cut: keras.Model, call: Callable[..., Any]) -> keras.Model:
    return keras.models.clone_model(cut, clone_function=lambda layer: layer, call_function=call)


def _like(layer: Any, **changed: Any) -> Any:
    """A layer of the same kind and settings, but for those that change; its weights are still zero."""
    config = layer.get_config() | changed | {"trainable": False}
    quick = {key: "zeros" for key in config if key.endswith("_initializer")}  # Random numbers take their time.
    return type(layer).from_config(config | quick)


def _can_be_low(layer: Any, precision: str, given: Any) -> bool:
    if not isinstance(layer, keras.layers.Layer):
        return False
    if type(layer).__name__ in _FOLDABLE:
        return True
    tensors = [x for x in keras.tree.flatten(given) if isinstance(x, keras.KerasTensor)]
    return not layer.weights and any(x.dtype == precision for x in tensors)


def folded(nodes: Sequence[Node], wanted: Sequence[int]) -> set[int]:
    """Indices of the normalisations that :func:`fold` makes superfluous."""
    norms = {id(norm) for norm in _pairs(nodes, wanted).values()}
    return {index for index, node in enumerate(nodes) if id(node.layer) in norms}


def _pairs(nodes: Sequence[Node], wanted: Sequence[int]) -> dict[Any, Any]:
    """The convolutions that can be folded, each with the normalisation of its output."""
    needed = ancestors(nodes, wanted)
    applied = Counter(id(nodes[index].layer) for index in needed)
    seen_by = Counter(parent for index in needed for parent in nodes[index].parents)
    found = {}
    for index in sorted(needed):
        norm = nodes[index]
        if norm.kind != "BatchNormalization" or len(norm.parents) != 1:
            continue
        parent = norm.parents[0]
        convolution = nodes[parent]
        alone = seen_by[parent] == 1 and parent not in wanted
        once = applied[id(convolution.layer)] == applied[id(norm.layer)] == 1
        if alone and once and _is_linear(convolution) and _is_per_channel(norm):
            found[convolution.layer] = norm.layer
    return found


def _is_linear(node: Node) -> bool:
    return (
        node.kind in _FOLDABLE
        and node.layer.activation in (None, keras.activations.linear)
        and getattr(node.layer, "data_format", "channels_last") == "channels_last"
    )


def _is_per_channel(norm: Node) -> bool:
    return bool(norm.layer.axis in (-1, len(norm.shape)))


def _folded_weights(convolution: Any, norm: Any) -> list[_Array]:
    mean, variance = norm.moving_mean.numpy(), norm.moving_variance.numpy()
    factor = (norm.gamma.numpy() if norm.scale else 1.0) / np.sqrt(variance + norm.epsilon)
    weights: list[_Array] = convolution.get_weights()
    bias = weights.pop() if convolution.use_bias else 0.0
    bias = (bias - mean) * factor + (norm.beta.numpy() if norm.center else 0.0)
    return [*weights[:-1], _FOLDABLE[type(convolution).__name__](weights[-1], factor), bias]


def _agree(original: keras.Model, folded: keras.Model, size: Size) -> bool:
    shape = (1, *size, original.input_shape[-1])
    picture = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    expected, found = (
        {name: keras.ops.convert_to_numpy(output) for name, output in network(picture, training=False).items()}
        for network in (original, folded)
    )
    return all(
        np.abs(found[name] - expected[name]).max() <= _TOLERANCE * np.abs(expected[name]).max() for name in expected
    )
