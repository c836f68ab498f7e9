"""A network whose weights are set by hand, so that it is known what its units answer to, and photos made up for it."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from PIL import Image

from dreamer.models import registry
from dreamer.models.network import Network

SIDE = 224  # At which photos are looked at, so that these are neither cut nor resized.
RED, EDGE, BRIGHT = range(3)  # Channels of ``first``: a red spot, dark to the left of bright, brightness.


def model() -> keras.Model:
    """Two layers with strides, a hidden dense layer, and classes that are the means of the first layer's channels."""
    layers = keras.layers
    given = keras.Input((None, None, 3))
    x = layers.Conv2D(3, 5, strides=4, padding="same", activation="relu", name="first")(given)
    y = layers.Conv2D(4, 3, strides=2, padding="same", name="second")(x)
    y = layers.Dense(5, activation="relu", name="hidden")(layers.GlobalAveragePooling2D(name="pool")(y))
    mean = layers.GlobalAveragePooling2D(name="mean")(x)
    made = keras.Model(
        given, layers.Dense(3, name="classes")(layers.Concatenate(name="both")([mean, y])), name="planted"
    )
    kernel = np.zeros((5, 5, 3, 3), np.float32)
    kernel[..., RED] = np.array([1, -1, -1]) / 25
    kernel[:, 3:, :, EDGE], kernel[:, :2, :, EDGE] = 1 / 30, -1 / 30
    kernel[..., BRIGHT] = 1 / 75
    made.get_layer("first").set_weights([kernel, np.zeros(3)])
    random = np.random.default_rng(7)
    for name in ("second", "hidden"):
        layer = made.get_layer(name)
        layer.set_weights([random.normal(size=one.shape) for one in layer.get_weights()])
    made.get_layer("classes").set_weights([np.eye(8, 3), np.zeros(3)])
    return made


def network() -> Network:
    """It, loaded from memory."""
    return registry.load(model(), "0..1", labels=["ant", "bee", "cat"])


def scene(seed: int, height: int = SIDE, width: int = 331) -> np.ndarray:
    """A photo without anything red: soft shapes of grey, green and blue, in levels."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0.2, 0.7, (5, 7, 3))
    coarse[..., 0] *= 0.5
    small = Image.fromarray((255 * coarse).astype(np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).copy()


def planted(photo: np.ndarray, top: int, left: int, side: int = 13) -> np.ndarray:
    """A photo with a red spot."""
    photo = photo.copy()
    photo[top : top + side, left : left + side] = (255, 0, 0)
    return photo


def save(path: Path, photo: np.ndarray, **options: object) -> Path:
    """Write a photo as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo).save(path, **options)
    return path


def folder(path: Path, count: int = 7, spot: int | None = 4) -> Path:
    """A folder of photos, ``00.png`` and on, of which one may have a red spot."""
    for number in range(count):
        photo = scene(number)
        save(path / f"{number:02}.png", planted(photo, 90, 200) if number == spot else photo)
    return path
