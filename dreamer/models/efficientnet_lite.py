"""EfficientNet-Lite0 and its larger siblings as Keras functional networks, filled from a file of weights.

TensorFlow's lite variants of EfficientNet: no squeeze-and-excite, ReLU6 instead of swish. The one
idea here: batch normalisation is folded into the convolutions while the weights are filled in, so
every convolution is one layer and its output is the pre-activation a person can name:

    stem_pre_relu, stem
    block4b_expand_pre_relu, block4b_expand           1x1 convolution, widens by the expansion
    block4b_depthwise_pre_relu, block4b_depthwise     one filter per channel
    block4b_project                                   1x1 convolution, narrows; linear
    block4b                                           the block's output; linear, so it is its own pre-activation
    stage4                                            the output of the stage's last block
    head_pre_relu, head, pool, logits

Blocks of stage 1 have expansion 1 and no ``_expand`` layers.

Must not import: anything about pictures or ascent.

References:
    Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946; the lite variants are TensorFlow's of March 2020.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from dreamer.errors import WeightsError
from dreamer.models import kept, torch_checkpoint
from dreamer.models.specs import ModelSpec

_BATCH_NORM_EPSILON = 1e-3
_NUM_CLASSES = 1000
_STEM_FILTERS = 32
_HEAD_FILTERS = 1280


class _Stage(NamedTuple):
    """One row of the paper's table 1."""

    kernel: int
    repeats: int
    filters: int
    expansion: int
    stride: int


_STAGES = (
    _Stage(3, 1, 16, 1, 1),
    _Stage(3, 2, 24, 6, 2),
    _Stage(5, 2, 40, 6, 2),
    _Stage(3, 3, 80, 6, 2),
    _Stage(5, 3, 112, 6, 1),
    _Stage(5, 4, 192, 6, 2),
    _Stage(3, 1, 320, 6, 1),
)


class _Block(NamedTuple):
    """One inverted residual block: its name and what it is built with."""

    name: str
    kernel: int
    filters: int
    expansion: int
    stride: int


class Scaling(NamedTuple):
    """How a larger sibling differs from Lite0; stem, head, and the depth of the first and last stage never do.

    Attributes:
        width: Factor of the filters of a block, which are then rounded to a multiple of eight.
        depth: Factor of the blocks of a stage, rounded up.
    """

    width: float = 1.0
    depth: float = 1.0

    def filters(self, filters: int) -> int:
        """Of a block: the nearest multiple of eight, but never less than nine tenths of what is asked for."""
        wanted = filters * self.width
        rounded = max(8, int(wanted + 4) // 8 * 8)
        return rounded if rounded >= 0.9 * wanted else rounded + 8

    def repeats(self, stage: int) -> int:
        """How many blocks a stage has, counted from 0."""
        fixed = stage in (0, len(_STAGES) - 1)
        return _STAGES[stage].repeats if fixed else math.ceil(_STAGES[stage].repeats * self.depth)


_LITE0 = Scaling()

SCALINGS: Mapping[str, Scaling] = {
    "efficientnet_lite1": Scaling(width=1.0, depth=1.1),
    "efficientnet_lite2": Scaling(width=1.1, depth=1.2),
}
"""How the siblings differ, by the names of ``networks.toml``."""


def _blocks(scaling: Scaling) -> Iterator[_Block]:
    for number, stage in enumerate(_STAGES):
        for letter, index in zip("abcdef", range(scaling.repeats(number)), strict=False):
            stride = stage.stride if index == 0 else 1
            filters = scaling.filters(stage.filters)
            yield _Block(f"block{number + 1}{letter}", stage.kernel, filters, stage.expansion, stride)


def build(weights: Path, spec: ModelSpec) -> keras.Model:
    """Build one of the networks, and fill it.

    Args:
        weights: A PyTorch checkpoint with the tensor names of the ``efficientnet-lite0`` release, or an ``.npz`` with
            an array for each variable, named ``layer.kernel`` and ``layer.bias``, as training writes it.
        spec: Which of them it is.

    Returns:
        A network from ``(batch, height, width, 3)`` float32 of any height and width, each value
        ``(pixel - 127) / 128`` of 0..255, to ``(batch, 1000)`` logits.

    Raises:
        WeightsError: The file cannot be read, or its arrays do not fit this network.

    Example:
        >>> network = build(Path("efficientnet-lite0.pth"), known()["efficientnet_lite0"])  # doctest: +SKIP
        >>> network.get_layer("block4b").output.shape  # doctest: +SKIP
        (None, None, None, 80)
    """
    scaling = SCALINGS.get(spec.name, _LITE0)
    network = _architecture(spec.name, scaling)
    if weights.suffix == ".npz":
        _fill_by_name(network, weights)
    else:
        _fill(network, torch_checkpoint.read(weights), scaling)
    return network


def _architecture(name: str, scaling: Scaling) -> keras.Model:
    picture = keras.Input((None, None, 3), name="picture")
    x = layers.Conv2D(_STEM_FILTERS, 3, strides=2, padding="same", name="stem_pre_relu")(picture)
    x = _relu6(x, "stem")
    for block, following in _with_next(_blocks(scaling)):
        x = _inverted_residual(x, block)
        stage = block.name[: len("block1")]
        if following is None or not following.name.startswith(stage):
            x = layers.Identity(name=stage.replace("block", "stage"))(x)
    x = layers.Conv2D(_HEAD_FILTERS, 1, name="head_pre_relu")(x)
    x = _relu6(x, "head")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(picture, layers.Dense(_NUM_CLASSES, name="logits")(x), name=name)


def _with_next(blocks: Iterator[_Block]) -> Iterator[tuple[_Block, _Block | None]]:
    sequence = list(blocks)
    return zip(sequence, [*sequence[1:], None], strict=True)


def _relu6(x: Any, name: str) -> Any:
    return layers.ReLU(max_value=6.0, name=name)(x)


def _inverted_residual(x: Any, block: _Block) -> Any:
    name, filters_in = block.name, x.shape[-1]
    skip = x
    if block.expansion > 1:
        x = layers.Conv2D(filters_in * block.expansion, 1, name=f"{name}_expand_pre_relu")(x)
        x = _relu6(x, f"{name}_expand")
    x = layers.DepthwiseConv2D(block.kernel, strides=block.stride, padding="same", name=f"{name}_depthwise_pre_relu")(x)
    x = _relu6(x, f"{name}_depthwise")
    x = layers.Conv2D(block.filters, 1, name=f"{name}_project")(x)
    if block.stride == 1 and block.filters == filters_in:
        return layers.Add(name=name)([skip, x])
    return layers.Identity(name=name)(x)


def _fill_by_name(network: keras.Model, path: Path) -> None:
    arrays = kept.read(path)
    for layer in network.layers:
        if layer.weights:
            _set(network, layer.name, *(_array(arrays, f"{layer.name}.{kind}") for kind in ("kernel", "bias")))


def _fill(network: keras.Model, arrays: Mapping[str, NDArray[Any]], scaling: Scaling) -> None:
    for layer, convolution, norm in _correspondence(scaling):
        weight = _array(arrays, f"{convolution}.weight")
        if norm is None:
            _set(network, layer, weight.T, _array(arrays, f"{convolution}.bias"))
            continue
        scale = _array(arrays, f"{norm}.weight") / np.sqrt(_array(arrays, f"{norm}.running_var") + _BATCH_NORM_EPSILON)
        bias = _array(arrays, f"{norm}.bias") - _array(arrays, f"{norm}.running_mean") * scale
        # PyTorch: (out, in / groups, height, width). Keras: (height, width, in, out), and for
        # a depthwise convolution (height, width, channels, 1).
        kernel = weight * scale[:, None, None, None]
        depthwise = layer.endswith("_depthwise_pre_relu")
        _set(network, layer, kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)), bias)


def _correspondence(scaling: Scaling) -> Iterator[tuple[str, str, str | None]]:
    """Which layer is filled from which convolution and batch normalisation of the checkpoint."""
    yield "stem_pre_relu", "_conv_stem", "_bn0"
    for index, block in enumerate(_blocks(scaling)):
        there = f"_blocks.{index}."
        if block.expansion > 1:
            yield f"{block.name}_expand_pre_relu", f"{there}_expand_conv", f"{there}_bn0"
        yield f"{block.name}_depthwise_pre_relu", f"{there}_depthwise_conv", f"{there}_bn1"
        yield f"{block.name}_project", f"{there}_project_conv", f"{there}_bn2"
    yield "head_pre_relu", "_conv_head", "_bn1"
    yield "logits", "_fc", None


def _array(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    try:
        return arrays[name]
    except KeyError:
        raise WeightsError(f"the weights lack {name!r}; expected those of an EfficientNet-Lite") from None


def _set(network: keras.Model, layer: str, kernel: NDArray[Any], bias: NDArray[Any]) -> None:
    expected = [tuple(variable.shape) for variable in network.get_layer(layer).weights]
    if [kernel.shape, bias.shape] != expected:
        raise WeightsError(f"layer {layer!r} needs arrays of shape {expected}, found {[kernel.shape, bias.shape]}")
    network.get_layer(layer).set_weights([kernel, bias])
