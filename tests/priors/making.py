"""Tiny networks from pictures to pictures, whose answers can be checked by hand."""

from __future__ import annotations

import keras
import numpy as np


def blurring(channels=3, **changes):
    """A network that takes the mean of each pixel and its eight neighbours, as a denoiser of no learning."""
    picture = keras.Input((None, None, channels), **changes)
    blur = keras.layers.Conv2D(3, 3, padding="same", use_bias=False, name="blur")
    network = keras.Model(picture, blur(picture))
    kernel = np.zeros((3, 3, channels, 3), np.float32)
    for color in range(3):
        kernel[:, :, color, color] = 1 / 9
    if channels == 4:
        kernel[1, 1, 3] = 1  # The noise is added to each colour, so that it is to be seen.
    blur.set_weights([kernel])
    return network


def generator(numbers=6, size=(8, 12), seed=0):
    """A network from a code to pictures of one size."""
    keras.utils.set_random_seed(seed)
    code = keras.Input((numbers,))
    x = keras.layers.Dense(size[0] * size[1] * 3, activation="sigmoid")(code)
    return keras.Model(code, keras.layers.Reshape((*size, 3))(x))


def enlarging(channels=5, seed=0):
    """A network from a code of any size to pictures four times as large."""
    keras.utils.set_random_seed(seed)
    code = keras.Input((None, None, channels))
    x = keras.layers.Conv2DTranspose(3, 4, strides=4, activation="sigmoid")(code)
    return keras.Model(code, x)


def halving():
    """An autoencoder without learning: a code is the picture at half its size. The encoder, and the decoder."""
    picture, code = keras.Input((None, None, 3)), keras.Input((None, None, 3))
    encoder = keras.Model(picture, keras.layers.AveragePooling2D(2)(picture))
    return encoder, keras.Model(code, keras.layers.UpSampling2D(2)(code))
