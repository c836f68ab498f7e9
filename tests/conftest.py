"""What many tests share: odd, non-square pictures, a tiny seeded network, and where the samples are."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A cache of the tests' own, and nothing of the user's surroundings that could steer them.
os.environ["DREAMER_HOME"] = tempfile.mkdtemp(prefix="dreamer-tests-")
atexit.register(shutil.rmtree, os.environ["DREAMER_HOME"], ignore_errors=True)
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = os.environ["DREAMER_HOME"]  # Which it takes even without a database.
os.environ["DREAMER_CONFIG"] = os.environ["DREAMER_HOME"]
os.environ["KERAS_BACKEND"] = "tensorflow"  # Other backends have processes of their own: test_backends.py.
for _name in ("DREAMER_OFFLINE", "DREAMER_MIRROR"):
    os.environ.pop(_name, None)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def samples() -> Path:
    return ROOT / "samples"


@pytest.fixture
def picture() -> np.ndarray:
    """An odd, non-square picture with some structure: (37, 53, 3) in [0, 1]."""
    y, x = np.mgrid[:37, :53].astype(np.float32)
    waves = [np.sin(0.3 * x + 0.1 * y), np.cos(0.2 * y - 0.15 * x), np.sin(0.05 * x * y / 10)]
    return np.stack([(0.5 + 0.4 * wave) for wave in waves], axis=-1).astype(np.float32)


@pytest.fixture(scope="session")
def tiny_network():
    """A seeded two-layer network with a stride, small enough for finite differences."""
    import keras

    from dreamer.models.specs import known
    from dreamer.models.vision_model import VisionModel

    keras.utils.set_random_seed(3)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(5, 3, strides=2, padding="same", activation="tanh", name="first")(picture)
    x = keras.layers.Conv2D(4, 3, padding="same", name="second")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return VisionModel(known()["efficientnet_lite0"], keras.Model(picture, x))


@pytest.fixture(scope="session")
def lite0():
    """The bundled network."""
    from dreamer.models import registry

    return registry.load("efficientnet_lite0")
