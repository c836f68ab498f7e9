"""JAX: compiles with XLA, anew for each shape. Answers as ``backend.Backend`` says.

So few shapes are used: tiles keep to a ladder of sides, and are computed one by one. Where there are
several devices, the tiles of a batch are dealt out to them.

Must not import: pictures, files, networks. Imported only where Keras runs on JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import cycle
from typing import Any

import jax
import keras
import numpy as np

from dreamer.arrays import FloatArray
from dreamer.backends import warp as sampling
from dreamer.backends.backend import Device, Forward, Gradient, Score, Tensor, TileGradient, Variables, within_range

warp = sampling.warp

STATIC_SHAPES = True
USES_LOW_PRECISION_OF_CPU = False


@cache
def devices() -> list[Device]:
    """What there is to compute on; accelerators alone, if there are any."""
    return [
        Device(device.platform, device.device_kind, _generation(getattr(device, "compute_capability", None)))
        for device in jax.local_devices()
    ]


def _generation(capability: Any) -> tuple[int, int] | None:
    if not isinstance(capability, str) or capability.count(".") != 1:
        return None
    major, minor = capability.split(".")
    return int(major), int(minor)


def gradient(forward: Forward, score: Score, _variables: Variables) -> Gradient:
    """The gradient of a score, by two vector-Jacobian products."""

    def run(inputs: Any, given: Any) -> tuple[Tensor, Any]:
        activations, pull_down = jax.vjp(lambda inputs: forward(inputs, given), inputs)
        scores, pull_up = jax.vjp(lambda activations: score(activations, given), activations)
        scaled, factor = within_range(pull_up(jax.numpy.ones_like(scores))[0])
        return scores, jax.tree.map(lambda one: one * factor, pull_down(scaled)[0])

    return run


def one_by_one(gradient: Gradient, variables: Variables) -> Gradient:
    """Each tile as if it were alone, one after the other.

    Measured on a CPU: within a loop, networks of depthwise convolutions take 0.4 of the time, others 2.5 times as long.
    """
    is_depthwise = any(len(variable.shape) == 4 and variable.shape[-1] == 1 for variable in variables)

    def one_tile(tile: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
        scores, gradients = gradient(tile[None], matrix)
        return scores[0], gradients[0]

    def all_tiles(tiles: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
        if len(tiles) == 1 and not is_depthwise:
            scores, gradients = one_tile(tiles[0], matrix)
            return scores[None], gradients[None]
        found: tuple[Tensor, Tensor] = jax.lax.map(lambda tile: one_tile(tile, matrix), tiles)
        return found

    return all_tiles


def compile_tiles(gradient: Gradient, variables: Variables, _channels: int) -> TileGradient:
    """A gradient as a program for one tile; each device of the machine takes its share of a batch."""
    program = _with_values(gradient, variables)
    values = [jax.device_put([variable.value for variable in variables], device) for device in jax.local_devices()]

    def run(tiles: FloatArray, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        # Nothing waits for a result until all are asked for.
        shares = zip(tiles, cycle(zip(values, jax.local_devices(), strict=True)), strict=False)
        found = [program(here, *jax.device_put((tile[None], matrix), device)) for tile, (here, device) in shares]
        scores, gradients = zip(*found, strict=True)
        return np.concatenate([*map(np.asarray, scores)]), np.concatenate([*map(np.asarray, gradients)])

    return run


def compile_chunk(chunk: Callable[..., Any], variables: Variables) -> Callable[..., Any]:
    """Several steps as a program, compiled for each set of shapes."""
    return partial(_with_values(chunk, variables), [variable.value for variable in variables])


def descend(optimizer: Any, _variable: Any, state: list[Tensor], gradient: Tensor) -> list[Tensor]:
    """One step of an optimizer, with Keras's stateless interface."""
    [value], own = optimizer.stateless_apply(state[1:], [gradient], state[:1])
    return [value, *own]


def _with_values(function: Callable[..., Any], variables: Variables) -> Callable[..., Any]:
    """A program that takes the values of variables first; otherwise each program would hold a copy of them."""

    def run(values: list[Tensor], *args: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*args)

    program: Callable[..., Any] = jax.jit(run)
    return program


def free_memory() -> int | None:
    """Bytes free on the first accelerator; None on a CPU, or where JAX does not say."""
    found = jax.local_devices()[0].memory_stats() or {}
    return found["bytes_limit"] - found["bytes_in_use"] if "bytes_limit" in found else None


def is_out_of_memory(error: Exception) -> bool:
    """Whether this is how JAX says that memory ran out."""
    return isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error)
