"""Networks as values: loaded by name, by file or from memory, and asked what they see."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import dreamer
from dreamer import targets
from dreamer.errors import ImageReadError, ModelError, SettingsError, UnknownClassError
from dreamer.models.preprocessing import Preprocessing
from dreamer.objectives import logit


@pytest.fixture
def own() -> keras.Model:
    keras.utils.set_random_seed(4)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(6, 3, strides=2, activation="relu", name="low")(picture)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(picture, keras.layers.Dense(3, activation="softmax", name="top")(x), name="mine")


@pytest.fixture
def network(own) -> dreamer.Network:
    return dreamer.load(own, preprocessing="-1..1", labels=["cat", "kit fox", "teapot"], layer="low")


def test_a_network_in_memory_is_a_value(network, own):
    assert network.layers == ("low", "mean", "top")
    assert [label.name for label in network.labels] == ["cat", "kit fox", "teapot"]
    assert (network.default_layer, network.spec.name, len(network.weights_sha256)) == ("low", "mine", 64)
    assert repr(network) == "<Network mine: 3 layers, 3 classes>"
    assert dreamer.load(network) is network
    with pytest.raises(SettingsError, match="loaded already"):
        dreamer.load(network, "-1..1")


def test_it_is_a_copy_that_ends_in_logits(network, own, picture):
    given = own(picture[None] * 2 - 1, training=False).numpy()[0]
    before = network.activations(picture, ["top"])["top"]
    assert own.layers[-1].activation is keras.activations.softmax
    assert np.exp(before) / np.exp(before).sum() == pytest.approx(given, abs=1e-5)
    own.set_weights([weights * 0 for weights in own.get_weights()])
    assert np.array_equal(network.activations(picture, ["top"])["top"], before)
    assert dreamer.load(own).weights_sha256 != network.weights_sha256


def test_classes_go_by_their_names(network):
    assert network.class_index("fox") == 1
    [(_, term)] = targets.resolve(logit("teapot"), network).terms
    assert (term.layer, term.unit) == ("top", 2)
    with pytest.raises(UnknownClassError):
        network.class_index("dog")


def test_predictions_are_ranked_and_add_up(network, picture):
    ranked = network.predict(picture)
    assert sorted(one.index for one in ranked) == [0, 1, 2]
    assert sum(one.probability for one in ranked) == pytest.approx(1)
    assert [one.probability for one in ranked] == sorted((one.probability for one in ranked), reverse=True)
    assert {one.name for one in ranked} == {"cat", "kit fox", "teapot"}
    [best], _ = network.predict(np.stack([picture, picture[::-1]]), top=1)
    assert (best.index, best.name) == (ranked[0].index, ranked[0].name)
    assert best.probability == pytest.approx(ranked[0].probability)  # Two pictures at once may round otherwise.


def test_activations_of_one_picture_and_of_a_batch(network, picture):
    one = network.activations(picture, ["low", "top"])
    assert (one["low"].shape, one["top"].shape, one["low"].dtype) == ((18, 26, 6), (3,), np.float32)
    many = network.activations(np.stack([picture] * 20), "low")["low"]  # More than go through at once.
    assert many.shape == (20, 18, 26, 6)
    assert many[19] == pytest.approx(one["low"], abs=1e-5)
    levels = np.rint(picture * 255).astype(np.uint8)
    assert network.activations(levels, ["low"])["low"] == pytest.approx(one["low"], abs=0.02)


@pytest.mark.parametrize(
    "pictures",
    [np.zeros((4, 6)), np.zeros((4, 6, 4)), np.full((4, 6, 3), 2.0), np.full((4, 6, 3), 7), np.full((4, 6, 3), np.nan)],
)
def test_what_are_no_pictures_is_said(network, pictures):
    with pytest.raises(ImageReadError, match="expected"):
        network.activations(pictures, ["low"])


def test_a_network_without_classes_predicts_nothing(own, picture):
    features = dreamer.load(keras.Model(own.input, own.get_layer("low").output, name="half"), preprocessing="0..1")
    assert features.labels == ()
    with pytest.raises(UnknownClassError, match="no classifier"):
        features.predict(picture)


def test_pictures_are_prepared_as_was_said(own, picture):
    told = dreamer.load(own, Preprocessing((0.5,) * 3, (0.5,) * 3)).activations(picture, ["low"])["low"]
    assert np.array_equal(told, dreamer.load(own, "-1..1").activations(picture, ["low"])["low"])
    with pytest.raises(SettingsError, match="expected one of"):
        dreamer.load(own, "upside down")
    with pytest.raises(ModelError, match="nobody has said"):
        dreamer.load(own).activations(picture, ["low"])


def test_what_is_no_network_of_a_picture_is_refused():
    sides = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    two = keras.Model(sides, keras.layers.Add()(sides))
    with pytest.raises(ModelError, match="2 inputs"):
        dreamer.load(two, "0..1")


@pytest.mark.filterwarnings("ignore:__array__")  # Of Keras, which saves so.
def test_labels_and_layer_may_be_told_of_a_file(own, tmp_path):
    own.save(tmp_path / "net.keras")
    network = dreamer.load(tmp_path / "net.keras", "0..1", labels=("a", "b", "c"), layer="low")
    assert [label.name for label in network.labels] == ["a", "b", "c"]
    assert network.default_layer == "low"
    (tmp_path / "names.txt").write_text("x\ny\nz\n")
    assert dreamer.load(str(tmp_path / "net.keras"), labels=tmp_path / "names.txt").labels[2].name == "z"
