"""The baseline: DeepDream the way the Keras tutorial on it is written.

A feature extractor, a compiled gradient step on a picture of the octave's size, and the detail lost
in shrinking put back between octaves. Same network, layer, octaves and steps as ours; nothing of
ours but the network is used.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


def dream(network: keras.Model, layers: list[str], picture: np.ndarray, *, octaves: int, steps: int) -> np.ndarray:
    """Dream a picture ``(height, width, 3)`` of 0..255 and return one like it."""
    extractor = keras.Model(network.input, [network.get_layer(layer).output for layer in layers])

    def loss_of(image):
        return tf.add_n([tf.reduce_mean(tf.square(activation)) for activation in extractor(image)])

    @tf.function
    def ascent_step(image, learning_rate):
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = loss_of(image)
        gradient = tape.gradient(loss, image)
        gradient /= tf.maximum(tf.reduce_mean(tf.abs(gradient)), 1e-6)
        return loss, image + learning_rate * gradient

    original = tf.constant((picture[None].astype("float32") - 127) / 128)
    height, width = picture.shape[:2]
    shapes = [(int(height / 1.4**i), int(width / 1.4**i)) for i in range(octaves)][::-1]
    shrunk = tf.image.resize(original, shapes[0])
    image = tf.identity(original)
    for shape in shapes:
        image = tf.image.resize(image, shape)
        for _ in range(steps):
            _loss, image = ascent_step(image, 0.02)
        upscaled = tf.image.resize(shrunk, shape)
        same_size = tf.image.resize(original, shape)
        image += same_size - upscaled
        shrunk = same_size
    return np.clip(image[0].numpy() * 128 + 127, 0, 255).astype("uint8")
