"""TensorFlow: the default backend, and the quickest on a CPU. Answers as ``backend.Backend`` says.

One trace serves all batches and sizes: shapes are left open. Its own kernels are quicker than XLA's
on a CPU, so nothing asks for ``jit_compile``.

Must not import: pictures, files, networks. Imported only where Keras runs on TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from dreamer.arrays import FloatArray
from dreamer.backends.backend import (
    Activations,
    Device,
    Forward,
    Gradient,
    Score,
    Tensor,
    TileGradient,
    Variables,
    within_range,
)
from dreamer.backends.convolutions import quicker_gradients
from dreamer.errors import ModelError

_ONEDNN_OUT_OF_MEMORY = "Status: 1,"
_MOST_CONSTANTS = 4_000_000
_BESIDE_EACH_OTHER = 16  # No fewer than tiles are ever handed over at once.

STATIC_SHAPES = False
USES_LOW_PRECISION_OF_CPU = True


@cache
def devices() -> list[Device]:
    """What there is to compute on; accelerators alone, if there are any."""
    found = []
    for device in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        name = details.get("device_name", device.name)
        found.append(Device("gpu", name, details.get("compute_capability")))
    return found or [Device("cpu", "CPU")]


def gradient(forward: Forward, score: Score, variables: Variables) -> Gradient:
    """The gradient of a score, by TensorFlow's own of graphs."""
    on_cpu = devices()[0].kind == "cpu"
    forward = _with_constants(forward, variables)

    def run(inputs: Any, given: Any) -> tuple[Tensor, Any]:
        with quicker_gradients() if on_cpu else nullcontext():
            activations = forward(inputs, given)
        scores = score(activations, given)
        # Not a GradientTape, which knows nothing of gradients that were overridden in a graph.
        names = list(activations)
        seen = [activations[name] for name in names]
        # One layer may lie below another; what reaches it from there is counted on the way down.
        incoming = tf.gradients(scores, seen, stop_gradients=seen, unconnected_gradients="zero")
        scaled, factor = within_range(dict(zip(names, incoming, strict=True)))
        flat = keras.tree.flatten(inputs)
        down = tf.gradients(seen, flat, [scaled[name] for name in names], unconnected_gradients="zero")
        return scores, keras.tree.pack_sequence_as(inputs, [one * factor for one in down])

    return run


def one_by_one(gradient: Gradient, _variables: Variables) -> Gradient:
    """Each tile as if it were alone; they run beside each other.

    On 2 cores four 512-pixel tiles take 0.7 of the time they take one after the other.
    """
    on_cpu = devices()[0].kind == "cpu"

    def one_tile(tile: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
        scores, gradients = gradient(tile[None], matrix)
        return scores[0], gradients[0]

    def all_tiles(tiles: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = tf.map_fn(
            lambda tile: one_tile(tile, matrix),
            tiles,
            fn_output_signature=(tf.TensorSpec((), tf.float32), tf.TensorSpec((None, None, 3), tf.float32)),
            # A GPU computes one thing at a time, and has memory for few.
            parallel_iterations=_BESIDE_EACH_OTHER if on_cpu else 1,
        )
        return found

    return all_tiles


def compile_tiles(gradient: Gradient, _variables: Variables, channels: int) -> TileGradient:
    """A gradient as a program, traced once."""
    tiles = tf.TensorSpec((None, None, None, channels), tf.float32)
    program = _program(gradient, [tiles, tf.TensorSpec((8,), tf.float32)])

    def run(tiles: FloatArray, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        scores, gradients = program(tiles, matrix)
        return scores.numpy(), gradients.numpy()

    return run


def _program(function: Callable[..., Any], signature: list[Any]) -> Callable[..., Any]:
    """One program for all sizes; one for each, where a layer has to know them while it is traced."""
    program = tf.function(function, input_signature=signature, autograph=False)
    for_each = tf.function(function, autograph=False)

    def run(*arrays: Any) -> Any:
        nonlocal program
        try:
            return program(*arrays)
        except ModelError:
            if program is for_each:
                raise
            program = for_each
            return program(*map(tf.convert_to_tensor, arrays))

    return run


def compile_chunk(chunk: Callable[..., Any], _variables: Variables) -> Callable[..., Any]:
    """Several steps as a program, traced once: every side of every array is left open."""
    program: Callable[..., Any] | None = None

    def run(*arrays: Any) -> Any:
        nonlocal program
        tensors = [tf.convert_to_tensor(array) for array in arrays]
        if program is None:
            program = _program(chunk, [_open(tensor) for tensor in tensors])
        return program(*tensors)

    return run


def descend(optimizer: Any, variable: Any, state: list[Tensor], gradient: Tensor) -> list[Tensor]:
    """One step of an optimizer. Keras's stateless one is not to be had here, so its variables are set and read."""
    variables = [variable, *optimizer.variables]
    for one, value in zip(variables, state, strict=True):
        one.assign(value)
    optimizer.apply([gradient], [variable])
    return [tf.convert_to_tensor(one) for one in variables]


def _with_constants(forward: Forward, variables: Variables) -> Forward:
    """The same with constants for its variables, if they are few, so that convolutions keep their kernels in order.

    Otherwise each step brings each kernel into the order that the processor likes: a quarter of the
    time of a small picture. Of many, the constants would take longer to compile than they save.
    """
    if sum(math.prod(variable.shape) for variable in variables) > _MOST_CONSTANTS:
        return forward
    values = [(variable, variable.numpy()) for variable in variables]

    def run(inputs: Any, given: Any) -> Activations:
        # Made where they are used: handed into a loop from outside, they would be constants no more.
        with keras.StatelessScope(state_mapping=[(variable, tf.constant(value)) for variable, value in values]):
            return forward(inputs, given)

    return run


def _open(tensor: Tensor) -> Any:
    """Only the colours are the same for every picture."""
    is_picture = tensor.shape.rank == 3 and tensor.shape[-1] == 3 and tensor.dtype == tf.float32
    return tf.TensorSpec([None, None, 3] if is_picture else [None] * tensor.shape.rank, tensor.dtype)


def warp(pictures: Tensor, matrix: Tensor) -> Tensor:
    """See :func:`dreamer.ascent.tile_view.warp`.

    TensorFlow's own operation, which takes half the time of sampling by hand. Its gradient is the
    inverse warp rather than the adjoint: right in place and direction, some per cent off in size.
    """
    mirrored = ops.image.affine_transform(pictures, matrix, interpolation="bilinear", fill_mode="reflect")
    # That gradient is filled as the picture is. Mirrored, it would move pixels that the view never
    # saw; filled with zeros, it leaves them alone.
    seen = ops.image.affine_transform(pictures, matrix, interpolation="bilinear", fill_mode="constant")
    return seen + ops.stop_gradient(mirrored - seen)


def free_memory() -> int | None:
    """TensorFlow says what is used, not what is free."""
    return None


def is_out_of_memory(error: Exception) -> bool:
    """Whether this is how TensorFlow says that memory ran out."""
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return True
    # The library of its convolutions on a CPU has a status of its own for it, and TensorFlow only passes it on.
    return isinstance(error, tf.errors.AbortedError) and _ONEDNN_OUT_OF_MEMORY in str(error)
