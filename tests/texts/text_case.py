"""Small networks of characters: with weights by chance, and with weights set by hand so that units are known."""

from __future__ import annotations

import keras
import numpy as np

from dreamer.texts import Vocabulary

LETTERS = Vocabulary(tuple("abcdefg\n#"))
TEXT = "abc#dgf\nfedcba#ab\nagcd#" * 4


def network(layer, *, count=9, mask=False, one_hot=False):
    """A network with a recurrent layer, and a GRU and scores behind it where it hands on its steps."""
    keras.utils.set_random_seed(3)
    given = keras.Input((None, count)) if one_hot else keras.Input((None,))
    x = given if one_hot else keras.layers.Embedding(count, 5, mask_zero=mask, name="embedding")(given)
    x = layer(x)
    if len(x.shape) == 3:
        x = keras.layers.Dense(count, name="next")(keras.layers.GRU(4, return_sequences=True, name="behind")(x))
    made = keras.Model(given, x)
    rng = np.random.default_rng(1)
    made.set_weights([one + rng.normal(scale=0.3, size=one.shape) for one in made.get_weights()])
    return made


def remembering(sign="#"):
    """An LSTM whose unit 0 is on after a sign until the end of the line, and unit 1 is on at an ``a``; 2 is dead."""
    count, units = len(LETTERS), 3
    given = keras.Input((None,))
    x = keras.layers.Embedding(count, count, name="embedding")(given)
    layer = keras.layers.LSTM(units, return_sequences=True, name="lstm")
    made = keras.Model(given, layer(x))
    kernel = np.zeros((count, 4, units), np.float32)
    bias = np.zeros((4, units), np.float32)
    bias[0] = -8  # Nothing enters,
    bias[1] = 8  # nothing is forgotten,
    bias[3] = 8  # and all is put out.
    start, end, a = (LETTERS.entries.index(one) for one in (sign, "\n", "a"))
    kernel[start, 0, 0] = 16
    bias[2, 0] = 4
    kernel[end, 1, 0] = -16
    kernel[a, 0, 1], bias[2, 1], bias[1, 1] = 16, 4, -8
    made.set_weights([
        np.eye(count), kernel.reshape(count, 4 * units), np.zeros((units, 4 * units)), bias.reshape(-1),
    ])  # fmt: skip
    return made
