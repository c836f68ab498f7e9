"""A frozen TensorFlow graph -> its operations in order, and its constants as arrays.

The one idea: a frozen graph is read, never run. Constants are decoded, every other operation is kept
with its inputs and attributes, and who builds a network from it decides what each kind means.

Must not import Keras. TensorFlow is imported only to parse, when :func:`read` is called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import WeightsError

_FREE = 1_000_000  # Numbers that a graph may repeat instead of holding them.


@dataclass(frozen=True)
class Operation:
    """One operation of a graph.

    Attributes:
        name: Its name, as in ``"mixed3a_1x1_pre_relu/conv"``.
        kind: What it does, as in ``"Conv2D"``.
        inputs: Names of the operations whose results it takes, in order.
        attributes: Numbers, lists of numbers and texts; others are left out.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FrozenGraph:
    """A graph whose weights are constants.

    Attributes:
        operations: In the order of the file, constants left out.
        constants: Their values by name.
    """

    operations: tuple[Operation, ...]
    constants: Mapping[str, NDArray[Any]]


def parse(content: bytes) -> FrozenGraph:
    """Read a frozen graph.

    Args:
        content: A binary ``GraphDef``, as in ``tensorflow_inception_graph.pb``.

    Returns:
        What is in it.

    Raises:
        WeightsError: It is damaged or no such graph.

    Example:
        >>> graph = parse(Path("tensorflow_inception_graph.pb").read_bytes())  # doctest: +SKIP
        >>> graph.constants["conv2d0_w"].shape  # doctest: +SKIP
        (7, 7, 3, 64)
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework.graph_pb2 import GraphDef

    graph = GraphDef()
    try:
        graph.ParseFromString(content)
        operations = tuple(_operation(node) for node in graph.node if node.op != "Const")
        given = [node for node in graph.node if node.op == "Const"]
        _check_claims(given, len(content))
        constants = {node.name: _value(node) for node in given}
    except (DecodeError, TypeError, ValueError) as error:
        raise WeightsError("it is damaged or no frozen TensorFlow graph") from error
    if not operations:
        raise WeightsError("it is no frozen TensorFlow graph")
    # Texts have no place among the weights, nor in the file that these are kept in.
    return FrozenGraph(operations, {name: value for name, value in constants.items() if value.dtype.kind in "fiu"})


def _check_claims(constants: Sequence[Any], size: int) -> None:
    """Refuse constants of more numbers than the file has bytes: a shape and one number are enough to claim any size."""
    claimed = sum(
        abs(math.prod(side.size for side in node.attr["value"].tensor.tensor_shape.dim)) for node in constants
    )
    if claimed > size + _FREE:
        raise WeightsError(f"its constants claim to hold {claimed:,} numbers, and the file has {size:,} bytes")


def _operation(node: Any) -> Operation:
    # An input is "name", "name:output" or, to wait for it only, "^name".
    inputs = tuple(name.partition(":")[0] for name in node.input if not name.startswith("^"))
    attributes = {name: value for name, raw in node.attr.items() if (value := _attribute(raw)) is not None}
    return Operation(node.name, node.op, inputs, attributes)


def _attribute(raw: Any) -> Any:
    match raw.WhichOneof("value"):
        case "i":
            return int(raw.i)
        case "f":
            return float(raw.f)
        case "b":
            return bool(raw.b)
        case "s":
            return raw.s.decode("ascii", "replace")
        case "list":
            return [int(number) for number in raw.list.i] or [float(number) for number in raw.list.f]
    return None


def _value(node: Any) -> NDArray[Any]:
    import tensorflow as tf

    return np.asarray(tf.make_ndarray(node.attr["value"].tensor))
