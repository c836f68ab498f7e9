"""A network opened at a layer: gradients against sums that are exact, and against finite differences."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from dreamer import images
from dreamer.arrays import as_float, resize
from dreamer.errors import ModelError, UnknownClassError, UnknownLayerError
from dreamer.models import registry
from dreamer.models.opened import Opened

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


def linear(tied=False):
    """Convolutions, pooling and classes: straight all through, with a way beside that leads to no class."""
    keras.utils.set_random_seed(4)
    picture = keras.Input((12, 20, 3) if tied else (None, None, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="first")(picture)
    y = layers.Conv2D(4, 3, padding="same", use_bias=False, name="branch")(x)
    x = layers.AveragePooling2D(2, name="half")(layers.Add(name="met")([x, y]))
    x = (layers.Flatten(name="flat") if tied else layers.GlobalAveragePooling2D(name="pool"))(x)
    scores = layers.Dense(6, use_bias=False, name="scores")(x)
    return keras.Model(picture, scores)


@pytest.fixture(scope="module")
def straight():
    return registry.load(linear(), "-1..1")


@pytest.fixture(scope="module")
def tied():
    return registry.load(linear(tied=True), "-1..1")


def wanted(**weights):
    found = np.zeros(6, np.float32)
    for name, weight in weights.items():
        found[int(name[1:])] = weight
    return found


@pytest.mark.parametrize("layer", ["first", "half", "pool", "scores", "met"])
def test_of_a_linear_network_what_a_layer_says_adds_up_to_the_score(straight, layer, picture):
    opened = Opened(straight, layer)
    score, found, gradient = opened.gradient(picture, wanted(_2=1, _5=-1))
    logits = straight.activations(picture, ["scores"])["scores"]
    assert score == pytest.approx(logits[2] - logits[5], abs=1e-4)
    assert found.shape == gradient.shape
    np.testing.assert_allclose(found, straight.activations(picture, [layer])[layer], atol=1e-5)
    assert float((found * gradient).sum()) == pytest.approx(score, abs=1e-4)


def test_a_branch_says_its_own_part(straight, picture):
    said = {}
    for layer in ("branch", "met"):
        score, found, gradient = Opened(straight, layer).gradient(picture, wanted(_1=1))
        said[layer] = float((found * gradient).sum())
    assert said["met"] == pytest.approx(score, abs=1e-4)
    assert abs(said["branch"] - score) > 1e-3
    first = straight.activations(picture, ["first"])["first"]
    _, _, gradient = Opened(straight, "met").gradient(picture, wanted(_1=1))
    assert said["branch"] + float((first * gradient).sum()) == pytest.approx(score, abs=1e-4)


def test_all_classes_at_once_are_each_class_by_its_gradient(straight, picture):
    opened = Opened(straight, "met")
    _, found, _ = opened.gradient(picture, wanted())
    left = found * (np.arange(found.shape[1]) < 9)[:, None]
    parts = [found, left, np.zeros_like(found), found - left]
    each = opened.attributions(picture, parts)
    assert each.shape == (4, 6)
    for place in range(6):
        _, _, gradient = opened.gradient(picture, wanted(**{f"_{place}": 1}))
        np.testing.assert_allclose(each[:, place], [float((part * gradient).sum()) for part in parts], atol=2e-4)
    np.testing.assert_allclose(each[0], straight.activations(picture, ["scores"])["scores"], atol=2e-4)
    assert opened.attributions(picture, []).size == 0


def test_a_network_tied_to_its_own_size_is_opened_at_that(tied, picture):
    opened = Opened(tied, "met")
    assert opened.seen((37, 53)) == (12, 20)
    small = np.clip(resize(picture, (12, 20)), 0, 1).astype(np.float32)
    score, found, gradient = opened.gradient(small, wanted(_0=1, _3=-1))
    logits = tied.activations(small, ["scores"])["scores"]
    assert found.shape == (6, 10, 4)
    assert float((found * gradient).sum()) == pytest.approx(logits[0] - logits[3], abs=1e-4)
    assert score == pytest.approx(logits[0] - logits[3], abs=1e-4)


def test_a_network_that_takes_any_size_sees_pictures_as_they_are(straight):
    assert Opened(straight, "met").seen((37, 53)) == (37, 53)


@pytest.mark.parametrize("size", [(37, 53), (53, 37), (5, 64)])
def test_pictures_of_several_sizes_one_after_another(straight, size):
    opened = Opened(straight, "half")
    for height, width in (size, size[::-1]):
        given = np.random.default_rng(height).random((height, width, 3), np.float32)
        score, found, gradient = opened.gradient(given, wanted(_4=1))
        assert found.shape == gradient.shape == (-(-height // 2) // 2, -(-width // 2) // 2, 4)
        assert float((found * gradient).sum()) == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("layer", ["block3a", "block4b_expand", "block4b_project"])
def test_a_real_network_s_gradient_is_what_a_little_more_does(lite0, samples, layer):
    photo = np.clip(resize(as_float(images.read(samples / "cat.png").pixels), (96, 128)), 0, 1).astype(np.float32)
    opened = Opened(lite0, layer)
    weights = np.zeros(1000, np.float32)
    weights[[281, 292]] = 1, -1
    score, found, gradient = opened.gradient(photo, weights)
    logits = lite0.activations(photo, [lite0.logits])[lite0.logits]
    assert score == pytest.approx(logits[281] - logits[292], abs=0.01)
    np.testing.assert_allclose(found, lite0.activations(photo, [layer])[layer], atol=0.01)
    # What the layer finds in the left half, more and less of it: the difference of the answers is the derivative.
    left = found * (np.arange(found.shape[1]) < found.shape[1] // 2)[:, None]
    each = opened.attributions(photo, [left, found - left])
    for part, measured in zip((left, found - left), each @ weights, strict=True):
        said = float((part * gradient).sum())
        assert measured == pytest.approx(said, abs=0.03 * float(np.abs(part * gradient).sum()) ** 0.5 + 0.05)


def test_what_does_not_lead_to_the_classes_is_refused():
    picture = keras.Input((None, None, 3))
    x = layers.Conv2D(3, 3, name="trunk")(picture)
    beside = layers.GlobalAveragePooling2D(name="pool2")(layers.Conv2D(2, 3, name="beside")(x))
    scores = layers.Dense(4, name="scores")(layers.GlobalAveragePooling2D()(x))
    network = registry.load(keras.Model(picture, [scores, beside]), "0..1")
    assert network.logits == "scores"
    with pytest.raises(ModelError, match=r"'beside' .* does not lead to the classes.*'scores'"):
        Opened(network, "beside")
    with pytest.raises(UnknownLayerError, match="no layer 'nowhere'"):
        Opened(network, "nowhere")
    Opened(network, "trunk")


def test_a_network_without_classes_is_refused():
    picture = keras.Input((None, None, 3))
    network = registry.load(keras.Model(picture, layers.Conv2D(3, 3, name="conv")(picture)), "0..1")
    with pytest.raises(UnknownClassError, match="no classifier"):
        Opened(network, "conv")
