"""A real photo, and dreams of clips by networks that are there already."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from filming_case import TINY, numbered
from PIL import Image

import dreamer


@pytest.fixture(scope="session")
def cat(samples):
    """A photo of a cat: (300, 451, 3) uint8."""
    return np.asarray(Image.open(samples / "cat.png").convert("RGB"))


@pytest.fixture
def dreamt(tmp_path, tiny_network):
    """Dream frames with the tiny network: the steps of ``dreamer.video_steps``."""

    def dream(frames, **keywords):
        pattern = numbered(tmp_path / f"frames-{len(list(tmp_path.iterdir()))}", frames)
        network = keywords.pop("network", tiny_network)
        return list(dreamer.video_steps(pattern, **{"network": network, "note": pytest.fail} | TINY | keywords))

    return dream


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory):
    """The path of a tiny network that other processes can load as well."""
    import keras

    keras.utils.set_random_seed(4)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(5, 3, strides=2, padding="same", activation="tanh", name="first")(picture)
    path = tmp_path_factory.mktemp("networks") / "tiny.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of Keras about NumPy.
        keras.Model(picture, keras.layers.GlobalAveragePooling2D(name="pool")(x)).save(path)
    path.with_suffix(".toml").write_text('preprocessing = "-1..1"\n')
    return str(path)
