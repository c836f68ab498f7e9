"""PyTorch: runs what it is given at once. Answers as ``backend.Backend`` says.

Nothing is compiled: ``torch.compile`` takes longer than a dream does.

Must not import: pictures, files, networks. Imported only where Keras runs on PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import keras
import torch
from keras import ops

from dreamer.arrays import FloatArray
from dreamer.backends import warp as sampling
from dreamer.backends.backend import Device, Forward, Gradient, Score, Tensor, TileGradient, Variables, within_range

# Of Keras's own operation, the gradient on PyTorch is wrong, and each backend has another.
warp = sampling.warp

# On a CPU, on Apple's GPUs, in NVIDIA's libraries.
_OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "ALLOC_FAILED")

STATIC_SHAPES = False
USES_LOW_PRECISION_OF_CPU = True


@cache
def devices() -> list[Device]:
    """What there is to compute on; accelerators alone, if there are any."""
    kind = ops.zeros(()).device.type  # Keras chooses it; KERAS_TORCH_DEVICE is asked first.
    if kind == "cpu":
        return [Device("cpu", "CPU")]
    if kind != "cuda":
        return [Device("gpu", kind)]
    # AMD's cards answer to the name of CUDA, and count their generations in another way.
    return [
        Device(
            "gpu",
            torch.cuda.get_device_name(index),
            None if torch.version.hip else torch.cuda.get_device_capability(index),
        )
        for index in range(torch.cuda.device_count())
    ]


def gradient(forward: Forward, score: Score, _variables: Variables) -> Gradient:
    """The gradient of a score, by two passes of autograd."""

    def run(inputs: Any, given: Any) -> tuple[Tensor, Any]:
        climbed = keras.tree.map_structure(lambda one: one.detach().requires_grad_(), inputs)
        with torch.enable_grad():
            activations = forward(climbed, given)
            seen = {layer: activation.detach().requires_grad_() for layer, activation in activations.items()}
            scores = score(seen, given)
            incoming = torch.autograd.grad(scores.sum(), list(seen.values()))
        scaled, factor = within_range(dict(zip(seen, incoming, strict=True)))
        flat = keras.tree.flatten(climbed)
        # What is found in pictures beside the climbed one leads nowhere, which autograd refuses.
        led = [layer for layer, activation in activations.items() if activation.requires_grad]
        down = torch.autograd.grad([activations[layer] for layer in led], flat, [scaled[layer] for layer in led])
        return scores.detach(), keras.tree.pack_sequence_as(inputs, [one * factor for one in down])

    return run


def one_by_one(gradient: Gradient, _variables: Variables) -> Gradient:
    """Each tile as if it were alone, one after the other, each on all cores."""

    def one_tile(tile: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
        scores, gradients = gradient(tile[None], matrix)
        return scores[0], gradients[0]

    def all_tiles(tiles: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
        scores, gradients = zip(*(one_tile(tile, matrix) for tile in tiles), strict=True)
        return torch.stack(scores), torch.stack(gradients)

    return all_tiles


def compile_tiles(gradient: Gradient, _variables: Variables, _channels: int) -> TileGradient:
    """A gradient that takes and gives NumPy's arrays."""

    def run(tiles: FloatArray, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        scores, gradients = gradient(ops.convert_to_tensor(tiles), ops.convert_to_tensor(matrix))
        return ops.convert_to_numpy(scores), ops.convert_to_numpy(gradients)

    return run


def compile_chunk(chunk: Callable[..., Any], _variables: Variables) -> Callable[..., Any]:
    """Several steps; an accelerator works through them while Python has gone on already."""

    def run(*arrays: Any) -> Any:
        with torch.no_grad():
            # The number of steps stays Python's: asked back from the device, it would be waited for.
            return chunk(*(array if isinstance(array, int) else ops.convert_to_tensor(array) for array in arrays))

    return run


def descend(optimizer: Any, variable: Any, state: list[Tensor], gradient: Tensor) -> list[Tensor]:
    """One step of an optimizer, whose variables are set and read."""
    variables = [variable, *optimizer.variables]
    for one, value in zip(variables, state, strict=True):
        one.assign(value)
    optimizer.apply([gradient], [variable])
    return [one.value.detach().clone() for one in variables]


def free_memory() -> int | None:
    """Bytes free on the first accelerator; None on a CPU, or where PyTorch does not say."""
    return torch.cuda.mem_get_info()[0] if ops.zeros(()).device.type == "cuda" else None


def is_out_of_memory(error: Exception) -> bool:
    """Whether this is how PyTorch says that memory ran out."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    # Elsewhere it is an error of no kind of its own.
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)
