"""What the plug-in computes; loaded when it is asked for."""

import keras
import numpy as np
from keras import ops

from dreamer.ascent.parametrizations import Kind, Parametrization


def build(_weights, _spec):
    """The network."""
    keras.utils.set_random_seed(1)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 5, strides=2, padding="same", activation="relu", name="first")(picture)
    return keras.Model(picture, keras.layers.Conv2D(8, 3, padding="same", name="second")(x))


def loudest(form, seen, _own):
    """The score of loudest:LAYER."""
    return ops.max(seen.activations[form.layers[0]], axis=(1, 2, 3))


def dots(size, _spectrum):
    """Grey pixels, each by itself."""
    return Parametrization(
        draw=lambda rng, count: rng.normal(scale=0.1, size=(count, *size, 1)).astype(np.float32),
        render=lambda made: ops.repeat(ops.sigmoid(made), 3, axis=-1),
        encode=lambda pictures: np.log(np.clip(pictures, 0.01, 0.99) / (1 - np.clip(pictures, 0.01, 0.99)))[..., :1],
    )


DOTS = Kind(dots, transforms="none", optimizer="adam", learning_rate=0.1)
