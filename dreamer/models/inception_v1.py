"""GoogLeNet of 2015, the network of the first DeepDream and of Lucid, from its frozen TensorFlow graph.

The one idea: the network is whatever the graph says. Its operations are turned into Keras layers one
by one, each under its own name, with the strides, windows, paddings and normalisation constants that
the graph holds; nothing of the topology is written down here. A convolution or product and the bias
added to it are one layer, named after the convolution: ``mixed3a_1x1_pre_relu``, then its ReLU,
``mixed3a_1x1``. What is known about the published network is only used to refuse another one.

The graph is converted once, into arrays that open without TensorFlow (``network.npz``).

Must not import: anything about pictures or ascent.

References:
    Szegedy et al., "Going Deeper with Convolutions", arXiv:1409.4842. The graph is Google's
    "inception5h" of 2015, the one that Mordvintsev, Olah and Tyka's DeepDream notebook uses.
"""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from dreamer.arrays import Size
from dreamer.errors import WeightsError, in_one_line
from dreamer.models import claims, graphdef
from dreamer.models.graphdef import FrozenGraph, Operation
from dreamer.models.specs import ModelSpec

OWN_SIZE: Size = (224, 224)
"""``(height, width)`` of the pictures it was trained on; its classifiers need a size close to it."""

_GRAPH = "tensorflow_inception_graph.pb"
_LABELS = "imagenet_comp_graph_label_strings.txt"
_ZIP = b"PK\x03\x04"  # How an archive begins; one that is cut short begins so as well.
_MOST_BYTES = {_GRAPH: 200_000_000, _LABELS: 1_000_000}  # More than that is no honest archive.

_CHANNELS = {
    "conv2d0": 64, "conv2d1": 64, "conv2d2": 192, "mixed3a": 256, "mixed3b": 480, "mixed4a": 508, "mixed4b": 512,
    "mixed4c": 512, "mixed4d": 528, "mixed4e": 832, "mixed5a": 832, "mixed5b": 1024, "softmax0_pre_activation": 1008,
    "softmax1_pre_activation": 1008, "softmax2_pre_activation": 1008,
}  # fmt: skip
"""Some layers of the published network and their channels, by which it is told from others."""


def convert(source: Path, folder: Path, _spec: ModelSpec, /) -> str:
    """Convert the published archive, or the graph out of it, into ``network.npz`` and ``labels.txt``.

    Args:
        source: ``inception5h.zip`` or ``tensorflow_inception_graph.pb``.
        folder: Where the results are written.

    Returns:
        ``"network.npz"``.

    Raises:
        WeightsError: The file is damaged, or not that network.
    """
    content = source.read_bytes()
    if content.startswith(_ZIP):
        content = _member(source, _GRAPH)
        (folder / "labels.txt").write_bytes(_member(source, _LABELS))
    try:
        graph = graphdef.parse(content)
    except WeightsError as error:
        raise WeightsError(f"cannot read {source.name}: {error}") from error
    _network(graph, OWN_SIZE)
    _save(graph, folder / "network.npz")
    return "network.npz"


def build(weights: Path, _spec: ModelSpec | None = None, *, size: Size = OWN_SIZE) -> keras.Model:
    """Build the network from what :func:`convert` wrote.

    Args:
        weights: ``network.npz``.
        size: ``(height, width)`` of its pictures. The classifiers are as in the graph for sides of
            209 to 224 pixels; the blocks up to ``mixed5b`` take any.

    Returns:
        A network from ``(batch, *size, 3)`` float32 RGB, 0..255 less 117, to the 1008 logits of the
        main classifier and those of the two auxiliary ones.

    Raises:
        WeightsError: The file cannot be read.

    Example:
        >>> network = build(Path("network.npz"))  # doctest: +SKIP
        >>> network.get_layer("mixed4a").output.shape  # doctest: +SKIP
        (None, 14, 14, 508)
    """
    return _network(_load(weights), size)


def _member(archive: Path, name: str) -> bytes:
    """One file of the archive, by its own name alone; nothing is unpacked to a path that the archive chose."""
    try:
        with zipfile.ZipFile(archive) as opened:
            if opened.getinfo(name).file_size > _MOST_BYTES[name]:
                raise WeightsError(f"{archive.name} holds {name} of an impossible size")
            claims.check_archive(opened)
            return opened.read(name)
    except KeyError:
        raise WeightsError(f"{archive.name} does not hold {name}; expected the archive inception5h.zip") from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError) as error:
        raise WeightsError(f"cannot read {archive.name}: it is damaged ({error})") from error


def _save(graph: FrozenGraph, path: Path) -> None:
    program = json.dumps([asdict(operation) for operation in graph.operations])
    arrays: dict[str, Any] = {f"constant:{name}": value for name, value in graph.constants.items()}
    np.savez(path, operations=np.array(program), **arrays)


def _load(path: Path) -> FrozenGraph:
    try:
        # Opened here, since np.load would leave a damaged file open.
        with path.open("rb") as file, zipfile.ZipFile(file) as opened:
            claims.check_arrays(opened)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        rows = json.loads(str(arrays.pop("operations")))
        operations = tuple(Operation(**row | {"inputs": tuple(row["inputs"])}) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise WeightsError(f"cannot read {path}: {error}") from error
    return FrozenGraph(operations, {name.removeprefix("constant:"): value for name, value in arrays.items()})


def _network(graph: FrozenGraph, size: Size) -> keras.Model:
    """Turn a graph into a network, and refuse one that is not the published topology."""
    builder = _Builder(graph, size)
    try:
        outputs = [builder.tensor(f"softmax{head}") for head in (2, 0, 1)]
    # A graph made up of anything can fail in any of these ways; RecursionError, a RuntimeError, is for a circle.
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError) as error:
        reason = in_one_line(error)
        raise WeightsError(f"the graph is not that of InceptionV1: {type(error).__name__} {reason}") from error
    network = keras.Model(builder.picture, outputs, name="inception_v1")
    channels = {layer.name: layer.output.shape[-1] for layer in network.layers}
    for name, expected in _CHANNELS.items():
        if channels.get(name) != expected:
            found = channels.get(name, "no")
            raise WeightsError(
                f"the graph is not that of InceptionV1: {name} has {found} channels, expected {expected}"
            )
    return network


class _Builder:
    """Makes Keras layers of a graph's operations, each when its result is first asked for."""

    def __init__(self, graph: FrozenGraph, size: Size) -> None:
        self.picture = keras.Input((*size, 3), name="input")
        self._constants = graph.constants
        self._operations = {operation.name: operation for operation in graph.operations}
        self._made: dict[str, Any] = {}

    def tensor(self, name: str) -> Any:
        """The symbolic result of an operation."""
        if name not in self._made:
            operation = self._operations[name]
            self._made[name] = _MAKERS[operation.kind](self, operation)
        return self._made[name]

    def constant(self, name: str) -> NDArray[Any]:
        """The value of a constant."""
        return self._constants[name]

    def biased(self, operation: Operation) -> Any:
        """A convolution or a product and the bias added to it, as one layer."""
        product = self._operations[operation.inputs[0]]
        source, kernel = product.inputs[0], self.constant(product.inputs[1])
        bias = self.constant(operation.inputs[1])
        # The bias of mixed4e_pool_reduce goes by the name "2"; the convolution's name never surprises.
        name = product.name.rpartition("/")[0]
        if product.kind == "Conv2D":
            height, width, _, filters = kernel.shape
            layer = layers.Conv2D(filters, (height, width), name=name, **_window(product, "strides"))
        elif product.kind == "MatMul":
            layer = layers.Dense(kernel.shape[1], name=name)
        else:
            raise ValueError(f"a bias is added to a {product.kind}")
        result = layer(self.tensor(source))
        layer.set_weights([kernel, bias])
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise ValueError(f"the weights of {name} are not all numbers")
        return result


def _window(operation: Operation, *names: str) -> dict[str, Any]:
    """Strides, window and padding of an operation, in Keras's terms."""
    attributes = operation.attributes
    if attributes.get("data_format", "NHWC") != "NHWC" or set(attributes.get("dilations", [1])) != {1}:
        raise ValueError(f"{operation.name} has an unknown layout")
    # TensorFlow counts (batch, height, width, channels).
    return {name: tuple(attributes[name][1:3]) for name in names} | {"padding": attributes["padding"].lower()}


def _pool(kind: type[keras.layers.Layer]) -> _Maker:
    def make(builder: _Builder, operation: Operation) -> Any:
        window = _window(operation, "strides", "ksize")
        return kind(pool_size=window.pop("ksize"), name=operation.name, **window)(builder.tensor(operation.inputs[0]))

    return make


def _concatenate(builder: _Builder, operation: Operation) -> Any:
    # Concat has its axis first, ConcatV2 last.
    *inputs, axis = operation.inputs if operation.kind == "ConcatV2" else (*operation.inputs[1:], operation.inputs[0])
    layer = layers.Concatenate(axis=int(builder.constant(axis)), name=operation.name)
    return layer([builder.tensor(name) for name in inputs])


def _flatten(builder: _Builder, operation: Operation) -> Any:
    shape = builder.constant(operation.inputs[1]).tolist()
    flat = layers.Flatten(name=operation.name.replace("/", "_"))(builder.tensor(operation.inputs[0]))
    if shape != [-1, flat.shape[-1]]:
        raise ValueError(f"{operation.name} gives {shape}; a picture of this size has {flat.shape[-1]} features there")
    return flat


def _normalise(builder: _Builder, operation: Operation) -> Any:
    # TensorFlow leaves out attributes that have their default.
    constants: dict[str, Any] = {"depth_radius": 5, "bias": 1.0, "alpha": 1.0, "beta": 0.5}
    constants |= {name: operation.attributes[name] for name in constants if name in operation.attributes}
    return LocalResponseNormalization(**constants, name=operation.name)(builder.tensor(operation.inputs[0]))


_Maker = Callable[[_Builder, Operation], Any]

_MAKERS: Mapping[str, _Maker] = {
    "Placeholder": lambda builder, _: builder.picture,
    "Identity": lambda builder, operation: builder.tensor(operation.inputs[0]),
    "BiasAdd": _Builder.biased,
    "Relu": lambda builder, operation: layers.ReLU(name=operation.name)(builder.tensor(operation.inputs[0])),
    "Softmax": lambda builder, operation: layers.Softmax(name=operation.name)(builder.tensor(operation.inputs[0])),
    "MaxPool": _pool(layers.MaxPooling2D),
    "AvgPool": _pool(layers.AveragePooling2D),
    "Concat": _concatenate,
    "ConcatV2": _concatenate,
    "Reshape": _flatten,
    "LRN": _normalise,
}


@keras.saving.register_keras_serializable(package="dreamer")
class LocalResponseNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Divides each value by the strength of its neighbours in the channels.

    ``x / (bias + alpha * sum(x_j ** 2)) ** beta``, summed over the channels at most ``depth_radius`` away.

    Args:
        depth_radius: Channels to either side.
        bias: Keeps the divisor from zero.
        alpha: Weight of the sum.
        beta: Power of the divisor.
        name: Name of the layer.

    References:
        Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
        Networks", 2012, section 3.3, as TensorFlow's ``tf.nn.local_response_normalization`` has it.
    """

    def __init__(self, depth_radius: int, bias: float, alpha: float, beta: float, name: str | None = None) -> None:
        super().__init__(name=name, trainable=False)
        self.depth_radius, self.bias, self.alpha, self.beta = depth_radius, bias, alpha, beta

    def get_config(self) -> dict[str, Any]:
        """What the layer is built with."""
        return {name: getattr(self, name) for name in ("name", "depth_radius", "bias", "alpha", "beta")}

    def call(self, x: Any) -> Any:
        """Normalise ``(batch, height, width, channels)``."""
        channels = np.arange(x.shape[-1])
        # The sum over neighbouring channels is a product with a band of ones, which every backend does fast.
        band = (np.abs(channels[:, None] - channels) <= self.depth_radius).astype(np.float32)
        strength = self.bias + self.alpha * ops.matmul(ops.square(x), ops.convert_to_tensor(band, dtype=x.dtype))
        return x * ops.rsqrt(strength) if self.beta == 0.5 else x / ops.power(strength, self.beta)
