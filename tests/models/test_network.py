from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
from keras import layers

from dreamer.errors import ModelError, SettingsError, UnknownLayerError
from dreamer.models.network import Network
from dreamer.models.preprocessing import Preprocessing
from dreamer.models.specs import known
from dreamer.sides import ALL, Sides

OWN = dataclasses.replace(
    known()["efficientnet_lite0"], name="own", default_layer=None, dreams_well={}, preprocessing=Preprocessing()
)


def model(*made, size=(None, None)):
    return Network(OWN, keras.Sequential([keras.Input((*size, 3)), *made]))


def test_sides_are_no_smaller_than_valid_windows_need():
    network = model(layers.Conv2D(2, 7, name="a"), layers.MaxPooling2D(2, name="b"), layers.Conv2D(2, 3, name="c"))
    assert network.sides(["a"]) == (Sides(first=7), Sides(first=7))
    assert network.sides(["b"]) == (Sides(first=8), Sides(first=8))
    assert network.sides(["a", "c"]) == (Sides(first=12), Sides(first=12))
    picture = np.zeros((1, 12, 12, 3), np.float32)
    assert network.forward(["c"])(picture)["c"].shape == (1, 1, 1, 2)


def test_sides_of_the_bundled_network_are_free(lite0):
    assert lite0.sides(["block5c", "logits"]) == (ALL, ALL)


def test_the_default_layer_is_the_one_most_like_those_that_dream_well():
    blocks = [layers.Conv2D(4, 3, strides=2, padding="same", name=f"down{level}") for level in range(6)]
    assert model(*blocks).default_layer == "down3"
    assert model(*blocks).dreams_well == ("down2", "down3", "down4")


def test_a_network_without_positions_dreams_with_the_last_layer_before_the_classes():
    made = [
        layers.Flatten(name="flat"),
        layers.Dense(4, name="a"),
        layers.Dense(5, name="b"),
        layers.Dense(3, name="end"),
    ]
    network = model(*made, size=(8, 8))
    assert network.default_layer == "b"
    assert network.dreams_well == ("b",)
    assert network.blocks == ()
    assert network.logits == "end"
    assert model(layers.Flatten(name="flat"), layers.Dense(3, name="end"), size=(8, 8)).default_layer == "end"


def test_a_network_that_ends_in_a_feature_map_has_no_logits():
    assert model(layers.Conv2D(2, 3, name="a")).logits is None


def test_shapes_for_a_size_that_cannot_be_seen():
    network = model(layers.Conv2D(2, 9, name="a"))
    assert network.shapes((9, 12), ["a"]) == {"a": (1, 4, 2)}
    with pytest.raises(SettingsError, match="own cannot see pictures of 8x30 there; sides from 9 pixels"):
        network.shapes((8, 30), ["a"])


def test_only_the_layers_that_are_asked_for_must_see_a_size():
    network = model(layers.Conv2D(2, 3, name="a"), layers.AveragePooling2D(20, name="b"))
    assert network.shapes((9, 12), ["a"]) == {"a": (7, 10, 2)}
    with pytest.raises(SettingsError, match="sides from 22 pixels"):
        network.shapes((9, 12), ["a", "b"])


def test_shapes_that_cannot_be_joined():
    x = keras.Input((None, None, 3))
    joined = layers.Concatenate(name="join")([x, layers.UpSampling2D(2)(layers.MaxPooling2D(2)(x))])
    network = Network(OWN, keras.Model(x, joined))
    assert network.shapes((100, 102), ["join"])["join"] == (100, 102, 6)
    with pytest.raises(SettingsError, match="pictures of 101x101 there; sides from 2 pixels, multiples of 2"):
        network.shapes((101, 101), ["join"])


def test_unknown_layers_and_channels_get_the_close_ones():
    network = model(layers.Conv2D(2, 9, name="conv_one"))
    with pytest.raises(UnknownLayerError, match="own has no layer 'conv_on'. Close matches: conv_one. See all"):
        network.check("conv_on")
    with pytest.raises(UnknownLayerError, match="no channel 2; expected 0 to 1"):
        network.check("conv_one", 2)


def test_blue_first_for_networks_that_want_it():
    network = Network(
        dataclasses.replace(OWN, preprocessing=Preprocessing((0.1, 0.2, 0.3), (1, 1, 1), "BGR")),
        keras.Sequential([keras.Input((None, None, 3)), layers.Identity(name="seen")]),
    )
    seen = network.forward(["seen"])(np.full((1, 2, 2, 3), (0.5, 0.6, 0.7), np.float32))["seen"]
    assert np.asarray(seen)[0, 0, 0] == pytest.approx([0.4, 0.4, 0.4])
    seen = network.forward(["seen"])(np.full((1, 2, 2, 3), (1, 0.2, 0.3), np.float32))["seen"]
    assert np.asarray(seen)[0, 0, 0] == pytest.approx([0, 0, 0.9], abs=1e-6)


def test_a_network_without_layers_is_refused():
    x = keras.Input((8, 8, 3))
    with pytest.raises(ModelError, match="own has no layers to look at"):
        Network(OWN, keras.Model(x, x))


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_a_network_of_mixed_precision_answers_in_float32(precision):
    low = layers.Conv2D(2, 3, name="a", dtype=precision)
    found = model(low).forward(["a"])(np.ones((1, 5, 5, 3), np.float32))["a"]
    assert found.dtype == "float32"
