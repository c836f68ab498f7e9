"""The one seam to the Keras backend: gradients, and their compilation.

Nothing else in the package asks which backend runs. TensorFlow is the one supported now; another
backend is added by answering :func:`compile_gradient` for it.

Must not import: pictures, files, presets, networks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import keras

from dreamer.arrays import FloatArray
from dreamer.errors import BackendError

# A gradient allocates and frees hundreds of megabytes. Left to the C library, they go back to the
# system each time and come again page by page: 13,000 page faults, a fifth of a 512-pixel gradient's
# time. TensorFlow keeps them with its own allocator if this is set before it first allocates.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")

Tensor = Any  # A tensor of whichever backend Keras runs on.

Score = Callable[[Tensor, Tensor], Tensor]
"""(pictures ``(batch, height, width, 3)``, affine matrix ``(8,)``) -> scores ``(batch,)``."""

TileGradient = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""(tiles ``(batch, height, width, 3)``, affine matrix ``(8,)``) -> scores ``(batch,)``, gradients like the tiles."""


def compile_gradient(score: Score) -> TileGradient:
    """Compile a score into a program that gives scores and their gradients for a batch of tiles.

    The program is traced once, for any batch, height and width. Tiles of a batch run beside each
    other, yet each as if it were alone: a convolution over a real batch may sum in another order,
    and then the batch size would show in the picture. On 2 cores four 512-pixel tiles take 0.7 of
    the time they take one after the other.

    Args:
        score: Differentiable in its first argument.

    Returns:
        The compiled gradient, NumPy in and out.

    Raises:
        BackendError: Keras runs on a backend other than TensorFlow.

    Example:
        >>> gradient = compile_gradient(lambda x, matrix: keras.ops.sum(x * x, axis=(1, 2, 3)))
        >>> scores, gradients = gradient(np.ones((1, 2, 2, 3), np.float32), np.zeros(8, np.float32))
        >>> float(scores[0]), float(gradients[0, 0, 0, 0])
        (12.0, 2.0)
    """
    if keras.backend.backend() != "tensorflow":
        raise BackendError(
            f"Keras runs on {keras.backend.backend()!r}; dreamer needs 'tensorflow'. "
            "Set the environment variable KERAS_BACKEND=tensorflow"
        )
    return _compile_for_tensorflow(score)


def _compile_for_tensorflow(score: Score) -> TileGradient:
    import tensorflow as tf

    from dreamer.ascent.convolutions import quicker_gradients

    on_cpu = not tf.config.list_physical_devices("GPU")

    def one_tile(tile: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
        pictures = tile[None]
        with quicker_gradients() if on_cpu else nullcontext():
            scores = score(pictures, matrix)
        # Not a GradientTape, which knows nothing of gradients that were overridden in a graph.
        return scores[0], tf.gradients(scores, pictures)[0][0]

    def all_tiles(tiles: Tensor, matrix: Tensor) -> Tensor:
        return tf.map_fn(
            lambda tile: one_tile(tile, matrix),
            tiles,
            fn_output_signature=(tf.TensorSpec((), tf.float32), tf.TensorSpec((None, None, 3), tf.float32)),
        )

    program = tf.function(
        all_tiles,
        input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32), tf.TensorSpec((8,), tf.float32)],
        autograph=False,
    )

    def gradient(tiles: FloatArray, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        scores, gradients = program(tiles, matrix)
        return scores.numpy(), gradients.numpy()

    return gradient
