"""The networks of keras.applications: against what Keras itself says, prepares and loads."""

from __future__ import annotations

import inspect
from importlib import import_module

import h5py
import keras
import numpy as np
import pytest

from dreamer.errors import WeightsError
from dreamer.models import keras_applications, specs
from dreamer.models.network import Network

APPLICATIONS = {spec.application: spec for spec in specs.known().values() if spec.application}
TINY = "MobileNetV2"

pytestmark = [
    # Saving weights with this TensorFlow under this NumPy; dreamer itself saves none.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    # MobileNetV3 says that it takes pictures of any size.
    pytest.mark.filterwarnings("ignore:`input_shape` is undefined:UserWarning"),
]


def module_of(application):
    """The module of Keras that makes a network."""
    return import_module(getattr(keras.applications, application).__module__)


def pinning_module(application):
    """The module of Keras that says where its weights are; the second ResNets are made by the first's."""
    module = module_of(application)
    return import_module(module.__name__.removesuffix("_v2")) if application.startswith("ResNet") else module


def one_of_each_family():
    """The smallest network of each module."""
    families = {}
    for application in sorted(APPLICATIONS, key=lambda name: APPLICATIONS[name].weights.size):
        families.setdefault(module_of(application).__name__, application)
    return list(families.values())


def test_every_network_of_keras_is_in_the_table():
    assert sorted(APPLICATIONS) == sorted(name for name in dir(keras.applications) if name[0].isupper())


@pytest.mark.parametrize("application", one_of_each_family())
def test_pictures_are_prepared_as_keras_does(application, picture):
    spec = APPLICATIONS[application]
    expected = module_of(application).preprocess_input(picture * 255)
    x = keras.Input((None, None, 3))
    network = keras.Model(x, keras.layers.Conv2D(3, 1, use_bias=False, name="seen")(x))
    network.get_layer("seen").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    seen = Network(spec, network).forward(["seen"])(picture[None])["seen"]
    assert np.asarray(seen)[0] == pytest.approx(np.asarray(expected), abs=1e-3 if np.abs(expected).max() > 10 else 1e-5)


class AskedError(Exception):
    """Raised in place of a download."""


@pytest.mark.parametrize("application", one_of_each_family())
def test_the_table_repeats_what_keras_pins(application, monkeypatch):
    spec = APPLICATIONS[application]
    asked = []

    def get_file(_name, origin, file_hash=None, **_):
        asked.append((origin, file_hash))
        raise AskedError

    monkeypatch.setattr(pinning_module(application).file_utils, "get_file", get_file)
    for classifier in (True, False):
        with pytest.raises(AskedError):
            getattr(keras.applications, application)(weights="imagenet", include_top=classifier)
    (url, digest), (_, other) = asked
    assert spec.weights.url == url
    assert spec.weights.digest.partition(":")[2] == (digest or "")
    assert [also.partition(":")[2] for also in spec.weights.also] == ([other] if other else [])


@pytest.mark.parametrize("application", APPLICATIONS)
def test_keras_still_pins_the_digests_of_the_table(application):
    """Asking each network itself, as above, takes minutes; its module names the digests in so many words."""
    source = inspect.getsource(pinning_module(application))
    weights = APPLICATIONS[application].weights
    assert all(digest.partition(":")[2] in source for digest in (weights.digest, *weights.also))


def error_of_logits(application, folder):
    """Largest error against the same network filled by Keras itself, relative to the largest logit."""
    spec = APPLICATIONS[application]
    keras.utils.set_random_seed(5)
    published = folder / "published.weights.h5"
    source = keras_applications.architecture(spec)
    # As ImageNet has them; a fresh network has 0 and 1.
    for layer in [layer for layer in source.layers if hasattr(layer, "adapt_mean")]:
        layer.adapt_mean.assign([0.485, 0.456, 0.406])
        layer.adapt_variance.assign(np.square([0.229, 0.224, 0.225]))
    source.save_weights(published)
    with pytest.MonkeyPatch.context() as keras_finds:
        keras_finds.setattr(pinning_module(application).file_utils, "get_file", lambda *_, **__: str(published))
        theirs = getattr(keras.applications, application)(weights="imagenet", classifier_activation=None)
    size = theirs.input_shape[1] or 224
    picture = np.random.default_rng(2).random((1, size, size, 3), np.float32)
    expected = np.asarray(theirs(module_of(application).preprocess_input(picture * 255), training=False))
    name = keras_applications.convert(published, folder, spec)
    ours = Network(spec, keras_applications.build(folder / name, spec))
    found = np.asarray(ours.forward([ours.logits])(picture)[ours.logits])
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize(
    "application", ["EfficientNetB0", "EfficientNetV2B0", "MobileNetV2", "MobileNetV3Small", "ResNet50"]
)
def test_logits_are_those_of_a_network_that_keras_loads_itself(application, tmp_path):
    assert error_of_logits(application, tmp_path) < 1e-4


@pytest.mark.parametrize("application", one_of_each_family())
def test_the_default_layer_has_positions(application):
    spec = APPLICATIONS[application]
    network = Network(spec, keras_applications.architecture(spec))
    assert network.fields[network.default_layer].stride == 16
    assert set(network.dreams_well) <= set(network.layers)
    assert network.logits == network.layers[-1]
    assert network.channels(network.logits) == 1000


def test_names_do_not_depend_on_what_was_built_before():
    spec = APPLICATIONS["InceptionV3"]
    first = [layer.name for layer in keras_applications.architecture(spec).layers][1:]
    second = [layer.name for layer in keras_applications.architecture(spec).layers][1:]
    assert first == second
    assert {"conv2d", "conv2d_93", "batch_normalization", "activation_50", "mixed9_1"} <= set(first)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of the smallest network, in both formats Keras knows, with the classifier and without."""
    folder = tmp_path_factory.mktemp("weights")
    for classifier, name in ((True, "whole"), (False, "headless")):
        network = keras_applications.architecture(APPLICATIONS[TINY], classifier=classifier)
        network.save_weights(folder / f"{name}.weights.h5")
    return folder


def test_a_file_is_told_by_what_is_in_it(weights, tmp_path):
    spec = APPLICATIONS[TINY]
    misnamed, whole = tmp_path / "some.bin", tmp_path / "other.bin"
    misnamed.write_bytes((weights / "headless.weights.h5").read_bytes())
    whole.write_bytes((weights / "whole.weights.h5").read_bytes())
    assert keras_applications.convert(whole, tmp_path, spec) == "network.weights.h5"
    name = keras_applications.convert(misnamed, tmp_path, spec)
    assert name == "network-without-classifier.weights.h5"
    headless = Network(spec, keras_applications.build(tmp_path / name, spec))
    assert headless.logits is None
    assert "predictions" not in headless.layers


@pytest.mark.parametrize("application", ["MobileNetV2", "EfficientNetB0"])
@pytest.mark.parametrize("classifier", [True, False])
def test_the_format_of_the_published_files_is_read(application, classifier, tmp_path):
    """Keras publishes its weights in the format of Keras 2, which it still reads and no longer writes for users."""
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    spec = APPLICATIONS[application]
    network = keras_applications.architecture(spec, classifier=classifier)
    with h5py.File(tmp_path / "published.h5", "w") as file:
        save_weights_to_hdf5_group(file, network)
    name = keras_applications.convert(tmp_path / "published.h5", tmp_path, spec)
    assert name == ("network.h5" if classifier else "network-without-classifier.h5")
    built = keras_applications.build(tmp_path / name, spec)
    convolutions = [layer.name for layer in network.layers if "Conv" in type(layer).__name__]
    assert len(convolutions) > 40
    for name in convolutions:
        for ours, theirs in zip(built.get_layer(name).weights, network.get_layer(name).weights, strict=True):
            assert (np.asarray(ours.value) == np.asarray(theirs.value)).all()


@pytest.mark.parametrize("content", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n", "cut", "flipped", "other"])
def test_a_file_that_does_not_fit_is_never_taken(weights, tmp_path, content):
    whole = (weights / "whole.weights.h5").read_bytes()
    path = tmp_path / "file.h5"
    if content == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif content == "other":
        keras_applications.architecture(APPLICATIONS["MobileNetV3Small"]).save_weights(tmp_path / "other.weights.h5")
        path.write_bytes((tmp_path / "other.weights.h5").read_bytes())
    elif content == "flipped":
        path.write_bytes(whole[:100] + bytes(byte ^ 255 for byte in whole[100:4000]) + whole[4000:])
    else:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"no HDF5 file|damaged"):
        keras_applications.convert(path, tmp_path, APPLICATIONS[TINY])


def test_a_classifier_of_other_classes_is_not_quietly_left_out(tmp_path):
    network = keras.applications.MobileNetV2(weights=None, classes=10)
    network.save_weights(tmp_path / "ten.weights.h5")
    with pytest.raises(WeightsError, match="does not fit keras:MobileNetV2"):
        keras_applications.convert(tmp_path / "ten.weights.h5", tmp_path, APPLICATIONS[TINY])


def test_a_file_that_lacks_a_layer_is_refused(weights, tmp_path):
    """Keras itself would leave that layer as random as it was."""
    path = tmp_path / "holed.weights.h5"
    path.write_bytes((weights / "whole.weights.h5").read_bytes())
    with h5py.File(path, "a") as file:
        del file["layers/depthwise_conv2d_3"]
    with pytest.raises(WeightsError, match="does not fit keras:MobileNetV2"):
        keras_applications.convert(path, tmp_path, APPLICATIONS[TINY])


def test_weights_that_are_no_numbers_are_refused(weights, tmp_path):
    path = tmp_path / "nan.weights.h5"
    path.write_bytes((weights / "whole.weights.h5").read_bytes())
    with h5py.File(path, "a") as file:
        file["layers/depthwise_conv2d_3/vars/0"][0, 0, 0, 0] = np.nan
    with pytest.raises(WeightsError, match="no number"):
        keras_applications.convert(path, tmp_path, APPLICATIONS[TINY])


def test_a_file_that_points_to_another_file_is_refused(weights, tmp_path):
    """HDF5 can link to any file of this machine; weights have no business to."""
    path = tmp_path / "linked.weights.h5"
    with h5py.File(weights / "whole.weights.h5") as whole, h5py.File(path, "w") as linked:
        linked.create_group("vars")
        layers = linked.create_group("layers")
        for name in whole["layers"]:
            layers[name] = h5py.ExternalLink(str(weights / "whole.weights.h5"), f"/layers/{name}")
    with pytest.raises(WeightsError):
        keras_applications.convert(path, tmp_path, APPLICATIONS[TINY])
