"""The baseline: pictures of channels the way Lucid's and lucent's loops are written, by hand in Keras and TensorFlow.

One channel after the other, one picture at a time, a call of the network for each step: Fourier coefficients in
decorrelated colours, a border, shifts, magnification and turns, Adam. Same network and layer as ours; nothing of
ours but the network is used. Kinder than the libraries: the step is compiled, and traced once for all channels.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import ops

_COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]], np.float32)
_COLOURS /= np.linalg.norm(_COLOURS, axis=0).max()


class Loop:
    """Draws channels of a layer of a network that takes prepared pictures."""

    def __init__(self, network: keras.Model, layer: str, mean: np.ndarray, std: np.ndarray, side: int) -> None:
        self._cut = keras.Model(network.input, network.get_layer(layer).output)
        self._mean, self._std = np.float32(mean), np.float32(std)
        self._side = side
        height, width = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
        self._scale = (side / np.maximum(np.hypot(height, width), 1 / side)).astype(np.float32)
        self._spectrum = tf.Variable(tf.zeros((2, 3, side, side // 2 + 1)))
        self._optimizer = keras.optimizers.Adam(0.05, epsilon=1e-8)
        self._optimizer.build([self._spectrum])
        self._step = tf.function(self._step)

    def _picture(self) -> tf.Tensor:
        waves = tf.complex(self._spectrum[0], self._spectrum[1]) * tf.cast(self._scale, tf.complex64)
        planes = tf.transpose(tf.signal.irfft2d(waves, [self._side, self._side]) / 4, [1, 2, 0])
        return tf.sigmoid(planes @ _COLOURS.T)[None]

    def _seen(self, picture: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(picture, [[0, 0], [12, 12], [12, 12], [0, 0]], constant_values=0.5)
        side = self._side + 24
        shifted = tf.image.random_crop(padded, [1, side - 8, side - 8, 3])
        zoom = tf.random.uniform([], 0.9, 1.1)
        angle = tf.random.uniform([], -10, 10) * np.pi / 180
        sine, cosine, middle = tf.sin(angle) / zoom, tf.cos(angle) / zoom, (side - 9) / 2
        matrix = [
            cosine, -sine, middle - middle * cosine + middle * sine,
            sine, cosine, middle - middle * sine - middle * cosine, 0.0, 0.0,
        ]  # fmt: skip
        turned = ops.image.affine_transform(shifted, tf.stack(matrix)[None])
        return tf.image.random_crop(turned, [1, side - 12, side - 12, 3])

    def _step(self, channel: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            activation = self._cut((self._seen(self._picture()) - self._mean) / self._std, training=False)
            loss = -tf.reduce_mean(activation[..., channel])
        self._optimizer.apply([tape.gradient(loss, self._spectrum)], [self._spectrum])

    def draw(self, channel: int, steps: int) -> np.ndarray:
        """The picture ``(side, side, 3)`` in [0, 1] of a channel."""
        self._spectrum.assign(0.01 * np.random.default_rng(0).normal(size=self._spectrum.shape))
        for variable in self._optimizer.variables[:1] + self._optimizer.variables[2:]:
            variable.assign(ops.zeros_like(variable))
        for _ in range(steps):
            self._step(tf.constant(channel))
        return self._picture()[0].numpy()
