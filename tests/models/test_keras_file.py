"""A user's own network: whatever Keras saves, with what is said beside it."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import dreamer
from dreamer.errors import ModelError, SettingsError, UnknownClassError, UnknownModelError, WeightsError
from dreamer.models import labels, registry
from dreamer.models.preprocessing import PREPROCESSINGS, Preprocessing
from dreamer.sides import ALL, Sides

# Saving with this TensorFlow under this NumPy; dreamer itself saves no network.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


def classifier(colors=3, size=(40, 48), end="softmax"):
    keras.utils.set_random_seed(4)
    x = keras.Input((*size, colors))
    y = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="low")(x)
    y = layers.Conv2D(8, 3, strides=2, padding="same", name="high")(y)
    y = layers.Dense(5, activation=end, name="classes")(layers.Flatten(name="flat")(y))
    return keras.Model(x, y)


@pytest.fixture
def save(tmp_path):
    def save(network, toml=None, name="net.keras"):
        path = tmp_path / name
        network.save(path)
        if toml is not None:
            path.with_suffix(".toml").write_text(toml, encoding="utf-8")
        return str(path)

    return save


def test_a_network_dreams_by_its_path(save, picture):
    path = save(classifier(), 'preprocessing = "-1..1"')
    dreamt = dreamer.dream(picture, model=path, objective="high", steps=4, octaves=1).pixels
    assert dreamt.shape == picture.shape
    high = registry.load(path).forward(["high"])
    before, after = (float((np.asarray(high(one[None])["high"]) ** 2).mean()) for one in (picture, dreamt))
    assert after > 1.2 * before


def test_a_layer_that_needs_the_own_size_sees_the_picture_at_it(save, picture):
    path = save(classifier(), 'preprocessing = "0..1"')
    network = registry.load(path)
    assert network.sides(["classes"]) == (ALL, ALL)
    assert np.asarray(network.forward(["classes"])(picture[None])["classes"]).shape == (1, 5)
    dreamt = dreamer.dream(picture, model=path, objective="classes:2", steps=3, octaves=1).pixels
    scores = [np.asarray(network.forward(["classes"])(one[None])["classes"])[0, 2] for one in (picture, dreamt)]
    assert scores[1] ** 2 > scores[0] ** 2


def test_every_classifier_of_several_loses_its_softmax(save):
    whole = classifier()
    second = layers.Dense(2, activation="softmax", name="second")(layers.Flatten()(whole.get_layer("low").output))
    loaded = registry.load(save(keras.Model(whole.input, [whole.output, second]), 'preprocessing = "0..1"'))
    found = loaded.forward(["classes", "second"])(np.full((1, 40, 48, 3), 0.3, np.float32))
    assert all(np.asarray(scores).sum() != pytest.approx(1, abs=1e-3) for scores in found.values())


@pytest.mark.parametrize("end", ["softmax", "layer", "activation"])
def test_classes_are_scored_before_the_softmax(save, end, picture):
    network = classifier(end="softmax" if end == "softmax" else None)
    if end != "softmax":
        last = layers.Softmax(name="last") if end == "layer" else layers.Activation("softmax", name="last")
        network = keras.Model(network.input, last(network.output))
    loaded = registry.load(save(network, 'preprocessing = "0..1"'))
    logits = np.asarray(loaded.forward([loaded.logits])(picture[None])[loaded.logits])
    probabilities = np.asarray(network(keras.ops.image.resize(picture[None], (40, 48), antialias=True)))
    assert np.exp(logits) / np.exp(logits).sum() == pytest.approx(probabilities, abs=1e-5)
    assert logits.min() < 0


def test_a_grey_network_dreams_in_grey(save, picture):
    path = save(classifier(colors=1), 'preprocessing = "0..255"')
    assert registry.load(path).is_grey
    dreamt = dreamer.dream(
        picture, model=path, objective="high", steps=4, octaves=2, rotate=3, conditioning="none"
    ).pixels
    assert np.ptp(dreamt, axis=2).max() < 1e-6
    high = registry.load(path).forward(["high"])
    scores = [float((np.asarray(high(one[None])["high"]) ** 2).mean()) for one in (picture, dreamt)]
    assert scores[1] > 1.1 * scores[0]


def test_brightness_is_the_mean_of_the_prepared_colours(save):
    path = save(classifier(colors=1), "preprocessing = { mean = [0.1, 0.2, 0.3], std = 0.5 }")
    x = keras.Input((None, None, 1))
    network = registry.load(path)
    colour = np.full((1, 8, 8, 3), (0.6, 0.4, 0.2), np.float32)
    grey = np.full((1, 8, 8, 1), np.mean([(0.6 - 0.1) / 0.5, (0.4 - 0.2) / 0.5, (0.2 - 0.3) / 0.5]), np.float32)
    low = network.graph.network.get_layer("low")
    assert np.asarray(network.forward(["low"])(colour)["low"]) == pytest.approx(np.asarray(low(grey)), abs=1e-5)
    assert low(x).shape == (None, None, None, 6)


def test_preprocessing_from_the_option_wins_over_the_file(save, picture):
    path = save(classifier(), 'preprocessing = "0..255"')
    assert registry.spec(path).preprocessing == PREPROCESSINGS["0..255"]
    assert registry.spec(path, "-1..1").preprocessing == PREPROCESSINGS["-1..1"]
    one = dreamer.dream(picture, model=path, objective="high", steps=1, octaves=1).pixels
    other = dreamer.dream(picture, model=path, preprocessing="caffe", objective="high", steps=1, octaves=1).pixels
    assert np.abs(one - other).max() > 1e-4


def test_without_any_word_on_preprocessing_one_is_asked_for(save, picture):
    path = save(classifier())
    assert registry.load(path).channels("high") == 8
    with pytest.raises(ModelError, match=r"nobody has said how pictures are prepared .*--preprocessing.*\.toml"):
        dreamer.dream(picture, model=path, objective="high")


def test_what_is_said_beside_the_file(save, tmp_path):
    path = save(
        classifier(),
        'preprocessing = { mean = [0.1, 0.2, 0.3], std = 0.5, order = "BGR" }\nlayer = "low"\nlabels = "names.txt"\n',
    )
    (tmp_path / "names.txt").write_text("cat\ndog\nkit fox\n", encoding="utf-8")
    spec = registry.spec(path)
    assert spec.preprocessing == Preprocessing((0.1, 0.2, 0.3), (0.5, 0.5, 0.5), "BGR")
    assert registry.load(path).default_layer == "low"
    assert [label.name for label in labels.of(spec)] == ["cat", "dog", "kit fox"]
    assert labels.of(spec)[2].synset == "n02119789"


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("preprocesing = 3", "unknown key 'preprocesing'. Close matches: preprocessing"),
        ('preprocessing = "zero"', "expected one of 0..1, 0..255"),
        ("preprocessing = { mean = [1, 2] }", r"mean is \[1, 2\]; expected a number, or three"),
        ('preprocessing = { std = "x" }', "std is 'x'; expected a number"),
        ("preprocessing = { std = 0 }", "expected numbers of 1e-06 or more"),
        ("preprocessing = { std = nan }", "expected finite numbers"),
        ("preprocessing = { std = 1e-300 }", "expected numbers of 1e-06 or more"),
        (f"preprocessing = {{ mean = {10**400} }}", "expected finite numbers"),
        ('preprocessing = "inception_v1"', "expected one of 0..1, 0..255"),
        ('preprocessing = { order = "GBR" }', "order is 'GBR'"),
        ("preprocessing = { maen = 0.5 }", "or a table with mean, std, order"),
        ("layer = 3", "layer is 3; expected text"),
        ("layer = ", "cannot read"),
    ],
)
def test_a_wrong_word_beside_the_file_is_one_clear_line(save, toml, reason):
    with pytest.raises(SettingsError, match=reason):
        registry.spec(save(classifier(), toml))


def test_a_layer_that_is_said_but_is_not_there(save, picture):
    path = save(classifier(), 'layer = "highest"\npreprocessing = "0..1"')
    with pytest.raises(ModelError, match="no layer 'highest'. Close matches: high"):
        dreamer.dream(picture, model=path)


def two_inputs():
    a, b = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    return keras.Model([a, b], layers.Add()([a, b]))


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (two_inputs(), "has 2 inputs; dreamer needs a network of a single picture"),
        (keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(2, 1)]), r"takes \(None, 8, 8, 4\).* 1 or 3 channels"),
        (keras.Sequential([keras.Input((8,)), layers.Dense(2)]), r"takes \(None, 8\)"),
        (keras.Sequential([keras.Input((3, 8, 8)), layers.Conv2D(2, 1)]), r"takes \(None, 3, 8, 8\)"),
    ],
)
def test_a_network_of_another_kind_is_refused(save, network, reason):
    with pytest.raises(ModelError, match=reason):
        registry.load(save(network))


def test_code_in_a_file_is_not_run(save, tmp_path):
    witness = tmp_path / "witness"
    x = keras.Input((8, 8, 3))
    network = keras.Model(x, layers.Lambda(lambda y, path=str(witness): (open(path, "w").close(), y)[1])(x))  # noqa: PTH123
    path = save(network)
    witness.unlink(missing_ok=True)
    with pytest.raises(WeightsError, match=r"code of its own \(a Lambda layer\), which dreamer does not run"):
        registry.load(path)
    assert not witness.exists()


def test_layers_that_are_not_kerass_are_refused(save):
    class Mine(layers.Layer):
        def call(self, x):
            return x

    with pytest.raises(WeightsError, match="layers that are not in Keras"):
        registry.load(save(keras.Sequential([keras.Input((8, 8, 3)), Mine()])))


@pytest.mark.parametrize("content", [b"", b"no archive", "cut"])
def test_a_damaged_file_is_refused(save, tmp_path, content):
    path = save(classifier())
    broken = tmp_path / "broken.keras"
    whole = (tmp_path / "net.keras").read_bytes()
    broken.write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    with pytest.raises(WeightsError, match=r"broken\.keras: it is damaged or no \.keras file"):
        registry.load(str(broken))
    assert registry.load(path)


def test_names_that_are_no_network(tmp_path):
    with pytest.raises(UnknownModelError, match=r"there is no file .*nothing\.keras"):
        registry.spec(str(tmp_path / "nothing.keras"))
    (tmp_path / "old.h5").touch()
    with pytest.raises(UnknownModelError, match=r"is no \.keras file.*model\.save"):
        registry.spec(str(tmp_path / "old.h5"))
    with pytest.raises(SettingsError, match="how pictures are prepared for efficientnet_lite0 is known"):
        registry.spec("efficientnet_lite0", "0..1")


def test_an_unknown_preprocessing_gets_the_known_ones(save):
    with pytest.raises(SettingsError, match="no preprocessing 'tf'; expected one of 0..1"):
        registry.spec(save(classifier()), "tf")


def test_nested_networks_dream_by_the_names_of_their_inner_layers(save, picture):
    body = classifier(end=None)
    trunk = keras.Model(body.input, body.get_layer("high").output, name="trunk")
    x = keras.Input((40, 48, 3))
    whole = keras.Model(x, layers.Dense(3, name="classes")(layers.GlobalAveragePooling2D(name="pool")(trunk(x))))
    path = save(whole, 'preprocessing = "0..1"')
    assert registry.load(path).layers == ("trunk.low", "trunk.high", "pool", "classes")
    assert dreamer.dream(picture, model=path, objective="trunk.high", steps=1).pixels.shape == picture.shape


def test_a_network_that_gives_no_numbers_is_said_to(save, picture):
    network = classifier()
    network.get_layer("high").set_weights([np.full((3, 3, 6, 8), np.nan), np.zeros(8)])
    with pytest.raises(ModelError, match="answers with something that is no number"):
        dreamer.dream(picture, model=save(network, 'preprocessing = "0..1"'), objective="high", steps=1)


@pytest.mark.parametrize("word", ["imagenet", "archive"])
def test_the_labels_beside_a_file_are_always_a_file(save, word, monkeypatch, tmp_path):
    path = save(classifier(), f'labels = "{word}"')
    monkeypatch.chdir(tmp_path)
    for name in (path, "net.keras"):
        with pytest.raises(UnknownClassError, match=f"there is no file .*{word}"):
            labels.of(registry.spec(name))


@pytest.mark.parametrize("name", ["/etc/passwd", "../names.txt", "link.txt", "out/names.txt"])
def test_labels_lie_beside_their_network(save, tmp_path, name):
    path = save(classifier(), f'labels = "{name}"')
    folder = Path(path).parent
    (folder.parent / "names.txt").write_text("secret")
    (folder / "link.txt").symlink_to(folder.parent / "names.txt")
    (folder / "out").symlink_to(folder.parent)
    with pytest.raises(SettingsError, match=f"labels is '{name}', which does not lie beside it.* Copy the file there"):
        registry.spec(path)


@pytest.mark.parametrize(("make", "words"), [(Path.mkdir, "is a directory"), (os.mkfifo, "is a pipe")])
def test_labels_and_what_is_said_of_a_network_are_regular_files(save, make, words):
    path = Path(save(classifier(), 'labels = "names.txt"'))
    make(path.with_name("names.txt"))
    with pytest.raises(UnknownClassError, match=f"names.txt: {words}; a regular file is expected"):
        labels.of(registry.spec(str(path)))
    path.with_suffix(".toml").unlink()
    make(path.with_suffix(".toml"))
    with pytest.raises(SettingsError, match=f".toml: {words}; a regular file is expected"):
        registry.spec(str(path))


def test_layers_with_several_outputs_are_passed_over(save, picture):
    x = keras.Input((None, None, 3))
    halves = keras.ops.split(layers.Conv2D(4, 3, padding="same", name="conv")(x), 2, axis=-1)
    network = keras.Model(x, layers.Add(name="sum")(halves))
    path = save(network, 'preprocessing = "0..1"')
    assert registry.load(path).layers[0] == "conv"
    assert registry.load(path).fields["sum"].size == 3
    assert dreamer.dream(picture, model=path, objective="sum", steps=1).pixels.shape == picture.shape


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_a_sequential_network_without_an_input_is_refused(save):
    with pytest.raises(ModelError, match="saved before it saw anything; start it with keras.Input"):
        registry.load(save(keras.Sequential([layers.Conv2D(2, 3)])))


def test_a_file_that_is_saved_anew_is_loaded_anew(save, tmp_path, monkeypatch):
    path = save(classifier())
    first = registry.load(path)
    assert registry.load(path) is first
    save(keras.Sequential([keras.Input((9, 9, 3)), layers.Conv2D(2, 3, name="other")]))
    assert registry.load(path).layers == ("other",)
    (tmp_path / "sub").mkdir()
    save(classifier(), name="sub/net.keras")
    monkeypatch.chdir(tmp_path)
    assert registry.load("net.keras").layers == ("other",)
    monkeypatch.chdir(tmp_path / "sub")
    assert registry.load("net.keras").layers[0] == "low"


@pytest.mark.parametrize("factor", [3, 5, 12])
def test_multiples_need_not_be_powers_of_two(save, factor, picture):
    x = keras.Input((None, None, 3))
    down = layers.MaxPooling2D(factor)(x)
    path = save(
        keras.Model(x, layers.Add(name="skip")([x, layers.UpSampling2D(factor)(down)])), 'preprocessing = "0..1"'
    )
    assert registry.load(path).sides(["skip"]) == (Sides(first=factor, period=factor),) * 2
    assert dreamer.dream(picture, model=path, objective="skip", steps=1, octaves=1).pixels.shape == picture.shape


def test_a_network_that_needs_multiples_gets_them(save, picture):
    keras.utils.set_random_seed(6)
    x = keras.Input((None, None, 3))
    down = layers.Conv2D(4, 3, strides=4, padding="same", name="down")(x)
    up = layers.UpSampling2D(4, name="up")(layers.Conv2D(3, 1, name="middle")(down))
    path = save(keras.Model(x, layers.Concatenate(name="skip")([x, up])), 'preprocessing = "0..1"')
    assert registry.load(path).sides(["skip"]) == (Sides(first=4, period=4),) * 2
    assert registry.load(path).sides(["middle"]) == (ALL, ALL)
    dreamt = dreamer.dream(picture, model=path, objective="skip", steps=2).pixels
    assert dreamt.shape == picture.shape
    assert np.abs(dreamt - picture).min(axis=2).max() > 0
