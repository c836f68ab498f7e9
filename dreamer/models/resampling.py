"""Resizing to and from sizes that are not known while a program is traced, which Keras's own cannot.

The one idea: to resize an axis, bilinear and antialiased, is a product with a matrix, and that is made when it runs.

Must not import: anything about pictures or ascent, nor which networks there are.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any  # A tensor of whichever backend Keras runs on.


def resized(pictures: Tensor, size: tuple[Tensor, Tensor]) -> Tensor:
    """Resize pictures ``(batch, height, width, channels)`` to ``(height, width)``; any of these may be open."""
    sides = ops.shape(pictures)[1:3]
    rows, columns = (matrix(new, old, pictures.dtype) for new, old in zip(size, sides, strict=True))
    return ops.einsum("yh,bhwc,xw->byxc", rows, pictures, columns)


def matrix(count: Tensor, length: Tensor, dtype: str) -> Tensor:
    """``(count, length)``: how much each old place of an axis counts for each new one."""
    scale = ops.cast(length, "float32") / ops.cast(count, "float32")
    middles = (ops.cast(ops.arange(count), "float32") + 0.5) * scale - 0.5
    away = ops.abs(ops.cast(ops.arange(length), "float32")[None] - middles[:, None])
    weights = ops.relu(1 - away / ops.maximum(scale, 1.0))
    return ops.cast(weights / ops.sum(weights, axis=1, keepdims=True), dtype)


def at_open_sizes(cut: keras.Model) -> keras.Model:
    """The same network with layers that run while sizes are open, in the stead of those that do not."""

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return (_Upsampling(layer) if _is_closed(layer) else layer)(*args, **kwargs)

    if not any(_is_closed(layer) for layer in cut.layers):
        return cut
    return keras.models.clone_model(cut, clone_function=lambda layer: layer, call_function=call)


def _is_closed(layer: Any) -> bool:
    kind = isinstance(layer, keras.layers.UpSampling2D) and layer.data_format == "channels_last"
    return bool(kind and layer.interpolation == "bilinear")


class _Upsampling(keras.layers.Layer):  # type: ignore[misc]
    """What Keras's ``UpSampling2D`` with bilinear interpolation does."""

    def __init__(self, like: Any) -> None:
        super().__init__(trainable=False, dtype=like.dtype_policy)
        self._factors = like.size
        self._shape = like.compute_output_shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self._shape(input_shape)

    def call(self, x: Tensor) -> Tensor:
        height, width = ops.shape(x)[1:3]
        return resized(x, (height * self._factors[0], width * self._factors[1]))
