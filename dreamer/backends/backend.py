"""The one seam to the Keras backend: gradients, their compilation, and the devices they run on.

Nothing else in the package asks which backend runs. Each backend is a module of this folder,
``on_tensorflow``, ``on_jax`` and ``on_torch``, that answers as :class:`Backend` says; only the one
that Keras runs on is ever imported.

Must not import: pictures, files, presets, networks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

import keras
import numpy as np
from keras import ops

from dreamer import memory
from dreamer.arrays import FloatArray
from dreamer.backends import BACKENDS
from dreamer.errors import BackendError, DeviceMemoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

# A gradient allocates and frees hundreds of megabytes. Left to the C library, they go back to the
# system each time and come again page by page: 13,000 page faults, a fifth of a 512-pixel gradient's
# time. TensorFlow keeps them with its own allocator if this is set before it first allocates.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")

Tensor = Any  # A tensor of whichever backend Keras runs on.

Activations = Mapping[str, Tensor]
"""Layer name -> its output, ``(batch, height, width, channels)`` or ``(batch, units)``, float32."""

Forward = Callable[[Any, Any], Activations]
"""(inputs, given) -> activations. What is climbed is a tensor, or a structure of them, batch first: tiles of a
picture, or whatever a picture is made from. What is given besides is the forward function's own affair; for
tiles it is the affine matrix ``(8,)``."""

Score = Callable[[Activations, Any], Tensor]
"""(activations, given) -> scores ``(batch,)``."""

Variables = Sequence[Any]
"""Keras's variables that a network reads."""

Gradient = Callable[[Any, Any], tuple[Tensor, Any]]
"""(inputs, given) -> scores ``(batch,)``, gradients like the inputs; all of them tensors, within a program
of the backend."""

TileGradient = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""(tiles ``(batch, height, width, 3)``, affine matrix ``(8,)``) -> scores ``(batch,)`` and gradients like the
tiles: a program of its own, NumPy in and out. Where other pictures are seen beside the tiles, tiles have three more
channels for each, and their gradients have not."""


@dataclass(frozen=True)
class Device:
    """What a backend can compute on.

    Attributes:
        kind: ``"cpu"``, ``"gpu"`` or ``"tpu"``.
        name: As the backend calls it.
        generation: CUDA's compute capability, as in ``(8, 0)``; None where there is none.
    """

    kind: str
    name: str
    generation: tuple[int, int] | None = None


class Backend(Protocol):
    """What the module of a backend gives.

    Attributes:
        STATIC_SHAPES: Whether each shape of a picture costs a compilation, so that few should be used.
        USES_LOW_PRECISION_OF_CPU: Whether it makes use of a processor's instructions for bfloat16.
    """

    STATIC_SHAPES: bool
    USES_LOW_PRECISION_OF_CPU: bool

    def devices(self) -> list[Device]:
        """What there is to compute on; accelerators alone, if there are any."""

    def gradient(self, forward: Forward, score: Score, variables: Variables) -> Gradient:
        """The gradient of a score with respect to the inputs, the whole batch at once.

        The variables that *forward* reads do not change any more.
        """

    def one_by_one(self, gradient: Gradient, variables: Variables) -> Gradient:
        """The same for a batch of tiles, each computed as if it were alone."""

    def compile_tiles(self, gradient: Gradient, variables: Variables, channels: int) -> TileGradient:
        """A gradient as a program, of tiles of so many channels."""

    def compile_chunk(self, chunk: Callable[..., Any], variables: Variables) -> Callable[..., Any]:
        """Several steps as a program; what goes in may be NumPy's, what comes out stays on the device."""

    def descend(self, optimizer: Any, variable: Any, state: list[Tensor], gradient: Tensor) -> list[Tensor]:
        """One step of a Keras optimizer, within a program.

        Args:
            optimizer: Built for *variable* alone.
            variable: Keras's variable of what is optimized. What it holds does not count.
            state: The value of what is optimized, then those of the optimizer's own variables.
            gradient: Of what is to become smaller.

        Returns:
            The state after the step.
        """

    def warp(self, pictures: Tensor, matrix: Tensor) -> Tensor:
        """Rotate and scale pictures, as ``transforms.warp`` says."""

    def free_memory(self) -> int | None:
        """Bytes free on the first accelerator; None on a CPU, or where the backend does not say."""

    def is_out_of_memory(self, error: Exception) -> bool:
        """Whether this is how the backend says that memory ran out."""


def name() -> str:
    """The Keras backend: ``"tensorflow"``, ``"jax"`` or ``"torch"``."""
    return str(keras.backend.backend())


def current() -> Backend:
    """The module of the backend that Keras runs on.

    Raises:
        BackendError: It is another than the three that are supported.
    """
    if name() not in BACKENDS:
        raise BackendError(
            f"Keras runs on {name()!r}; dreamer needs {', '.join(map(repr, BACKENDS[:-1]))} or {BACKENDS[-1]!r}. "
            "Set the environment variable KERAS_BACKEND, or give --backend"
        )
    return cast("Backend", import_module(f"dreamer.backends.on_{name()}"))


def on_accelerator() -> bool:
    """Whether the backend computes on something with a memory of its own."""
    return current().devices()[0].kind != "cpu"


def free_memory() -> float | None:
    """Bytes that may be used for tiles, as far as anyone can say; None where nobody can."""
    if on_accelerator():
        return current().free_memory()
    return memory.free()


def compile_gradient(forward: Forward, score: Score, variables: Variables = (), *, beside: int = 0) -> TileGradient:
    """Compile a score into a program that gives scores and their gradients for a batch of tiles.

    Tiles of a batch are computed each as if it were alone: a convolution over a real batch may sum in
    another order, and then the batch size would show in the picture. With TensorFlow they run beside
    each other, and the program is traced once, for any batch, height and width.

    Args:
        forward: Pictures to activations, differentiable in its first argument.
        score: What is made of the activations.
        variables: What *forward* reads; a backend that knows it is quicker.
        beside: How many other pictures are seen beside the tiles, as :func:`tile_gradient` has it.

    Returns:
        The compiled gradient, NumPy in and out. It raises DeviceMemoryError where memory runs out.

    Raises:
        BackendError: Keras runs on a backend that is not supported.

    Example:
        >>> gradient = compile_gradient(
        ...     lambda x, matrix: {"picture": x}, lambda a, matrix: keras.ops.sum(a["picture"] ** 2, axis=(1, 2, 3))
        ... )
        >>> scores, gradients = gradient(np.ones((1, 2, 2, 3), np.float32), np.zeros(8, np.float32))
        >>> float(scores[0]), float(gradients[0, 0, 0, 0])
        (12.0, 2.0)
    """
    backend = current()
    gradient = tile_gradient(forward, score, variables, beside=beside)
    return _memory_errors(backend)(backend.compile_tiles(gradient, variables, COLORS * (1 + beside)))


def tile_gradient(forward: Forward, score: Score, variables: Variables = (), *, beside: int = 0) -> Gradient:
    """The gradient that :func:`compile_gradient` compiles, to be made part of another program.

    Args:
        forward: As for :func:`compile_gradient`.
        score: As there.
        variables: As there.
        beside: How many other pictures are seen beside the tiles. Each tile then has three channels more for each, of
            which no gradient is taken; *forward* and *score* are given ``(matrix, the further channels)``.
    """
    gradient = current().gradient(forward, score, variables)
    return current().one_by_one(_with_others(gradient) if beside else gradient, variables)


COLORS = 3
"""Channels of a picture."""


def _with_others(gradient: Gradient) -> Gradient:
    """The gradient of pictures alone, where tiles hold further channels, which are given beside them."""
    return lambda tiles, matrix: gradient(tiles[..., :COLORS], (matrix, tiles[..., COLORS:]))


def compile_chunk(chunk: Callable[..., Any], variables: Variables = ()) -> Callable[..., Any]:
    """Compile several steps of ascent into one program, as :meth:`Backend.compile_chunk`.

    It raises DeviceMemoryError where memory runs out.
    """
    backend = current()
    return _memory_errors(backend)(backend.compile_chunk(chunk, variables))


def to_host(tensor: Tensor) -> FloatArray:
    """A tensor as NumPy's array, when the device has come to it; only then may it say that memory ran out."""
    with _memory_errors(current()):
        return np.array(ops.convert_to_numpy(tensor), np.float32)


def within_range(incoming: Activations) -> tuple[dict[str, Tensor], Tensor]:
    """Scale the gradient of a score, so that types of few bits can carry it down the network.

    The mean over a million activations has gradients of a millionth, which float16 cannot hold. The
    factor is a power of two: where they could be held, nothing changes but the exponents.

    Args:
        incoming: The gradient with respect to each activation.

    Returns:
        The same with 1 to 2 as the largest value, and what the result must be multiplied with.
    """
    largest = ops.max(ops.stack([ops.max(ops.abs(gradient)) for gradient in incoming.values()]))
    # Written with operators, which take a plain number without moving it to the device first.
    factor = ops.exp2(-ops.floor(ops.log2(largest + 1e-30)))
    return {layer: gradient * factor for layer, gradient in incoming.items()}, 1 / factor


@contextmanager
def _memory_errors(backend: Backend) -> Iterator[None]:
    """Around a program, or as its decorator: what says that memory ran out becomes one error of ours."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or backend.is_out_of_memory(error):
            raise DeviceMemoryError("out of memory") from error
        raise
