from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest
from keras import layers

from dreamer.models import inference
from dreamer.models.layer_graph import LayerGraph
from dreamer.models.network import Network
from dreamer.models.specs import known

PICTURE = np.random.default_rng(5).normal(size=(1, 19, 23, 3)).astype(np.float32)


def norm(name, **keywords):
    return layers.BatchNormalization(name=name, **keywords)


def network(*made):
    """A network whose normalisations are no identities."""
    keras.utils.set_random_seed(1)
    built = keras.Sequential([keras.Input((None, None, 3)), *made])
    rng = np.random.default_rng(2)
    for layer in built.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.3, 2, weight.shape) for weight in layer.get_weights()])
        elif layer.weights:
            layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    return built


def folded(built, *names):
    graph = LayerGraph(built)
    wanted = [index for index, node in enumerate(graph.nodes) if node.name in names]
    cut = keras.Model(graph.nodes[0].output, {graph.nodes[index].name: graph.nodes[index].output for index in wanted})
    return cut, inference.fold(cut, graph.nodes, wanted, (19, 23), {})


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize(
    "convolution",
    [
        layers.Conv2D(4, 3, strides=2, padding="same"),
        layers.Conv2D(4, 3, use_bias=False),
        layers.Conv2D(6, 3, groups=3),
        layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
        layers.SeparableConv2D(5, 3, use_bias=False),
        layers.Conv2DTranspose(4, 3, strides=2),
        layers.Dense(7),
    ],
    ids=lambda layer: type(layer).__name__,
)
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False, "epsilon": 0.1}])
def test_a_folded_network_answers_the_same(convolution, options):
    convolution = type(convolution).from_config(convolution.get_config())
    cut, quick = folded(network(convolution, norm("norm", **options), layers.ReLU(name="end")), "norm", "end")
    assert "BatchNormalization" in kinds(cut)
    assert "BatchNormalization" not in kinds(quick)
    expected, found = cut(PICTURE), quick(PICTURE)
    assert set(found) == {"norm", "end"}
    for name in expected:
        assert np.asarray(found[name]) == pytest.approx(np.asarray(expected[name]), rel=1e-4, abs=1e-4)


def test_a_convolution_that_is_asked_for_keeps_its_output():
    built = network(layers.Conv2D(4, 3, name="conv"), norm("norm"))
    cut, quick = folded(built, "conv", "norm")
    assert quick is cut


def test_a_convolution_that_others_see_too_is_not_folded():
    picture = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, name="conv")(picture)
    end = layers.Add(name="end")([norm("norm")(x), x])
    cut, quick = folded(keras.Model(picture, end), "end")
    assert quick is cut


@pytest.mark.parametrize(
    "made",
    [
        [layers.Conv2D(4, 3, activation="relu", name="a"), norm("end")],
        [norm("a"), layers.Conv2D(4, 3, padding="same", name="end")],  # Exact but for the zeros around the picture.
        [layers.Conv2D(4, 3, name="a"), layers.ReLU(name="b"), norm("end")],
        [layers.Conv2D(4, 3, name="a"), norm("end", axis=1)],
    ],
)
def test_what_would_not_be_exact_stays(made):
    if made[-1].name == "end" and getattr(made[-1], "axis", None) == 1:
        built = keras.Sequential([keras.Input((19, 23, 3)), *made])
        graph = LayerGraph(built)
        index = len(graph.nodes_at((True, True))) - 1
        cut = keras.Model(graph.nodes_at((True, True))[0].output, {"end": graph.nodes_at((True, True))[index].output})
        assert inference.fold(cut, graph.nodes_at((True, True)), [index], (19, 23), {}) is cut
    else:
        cut, quick = folded(network(*made), "end")
        assert quick is cut


def test_a_layer_that_is_applied_twice_is_not_folded():
    picture = keras.Input((None, None, 3))
    convolution, normalisation = layers.Conv2D(3, 3, padding="same", name="conv"), norm("norm")
    x = normalisation(convolution(picture))
    end = layers.Add(name="end")([convolution(x), x])
    cut, quick = folded(keras.Model(picture, end), "end")
    assert quick is cut


def test_a_fold_that_answers_otherwise_is_not_used(monkeypatch):
    weights = inference._folded_weights
    monkeypatch.setattr(inference, "_folded_weights", lambda *pair: [1.01 * array for array in weights(*pair)])
    with pytest.warns(UserWarning, match="batch normalisation is not folded"):
        cut, quick = folded(network(layers.Conv2D(4, 3, name="a"), norm("end")), "end")
    assert quick is cut


def test_a_network_of_keras_is_folded_whole(picture):
    from dreamer.models import keras_applications

    spec = known()["keras:MobileNetV2"]
    built = keras_applications.architecture(spec)
    rng = np.random.default_rng(0)
    for layer in built.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([weight + rng.uniform(0.1, 0.5, weight.shape) for weight in layer.get_weights()])
    model = Network(spec, built)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        activations = model.forward([model.logits, "block_3_expand"])
    prepared = (picture[None] - 0.5) / 0.5
    expected = keras.Model(
        built.input, [built.get_layer(model.logits).output, built.get_layer("block_3_expand").output]
    )
    own_size = np.asarray(keras.ops.image.resize(prepared, built.input_shape[1:3], interpolation="bilinear"))
    found = activations(own_size * 0.5 + 0.5)
    for name, output in zip([model.logits, "block_3_expand"], expected(own_size), strict=True):
        assert np.asarray(found[name]) == pytest.approx(np.asarray(output), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_fewer_bits_from_the_first_kernel_on(precision):
    built = network(
        layers.Rescaling(2.0, name="rescaled"),
        layers.Conv2D(4, 3, name="conv"),
        layers.ReLU(name="relu"),
        layers.LayerNormalization(name="norm"),
        layers.Conv2D(4, 3, name="end"),
    )
    cut = keras.Model(
        built.inputs[0], {name: built.get_layer(name).output for name in ("rescaled", "relu", "norm", "end")}
    )
    low = inference.lower(cut, precision, {})
    found = low(PICTURE)
    types = {name: keras.backend.standardize_dtype(output.dtype) for name, output in found.items()}
    assert types == {"rescaled": "float32", "relu": precision, "norm": "float32", "end": precision}
    expected = cut(PICTURE)
    for name in expected:
        error = np.asarray(keras.ops.cast(found[name], "float32")) - np.asarray(expected[name])
        assert np.abs(error).max() < 0.1 * np.abs(np.asarray(expected[name])).max()
    assert cut.get_layer("conv").compute_dtype == "float32"


def test_cuts_of_a_network_share_what_was_folded():
    built = network(layers.Conv2D(4, 3, name="a"), norm("b"), layers.ReLU(name="c"), layers.Conv2D(4, 3, name="d"))
    model = Network(known()["efficientnet_lite0"], built)
    for precision in ("float32", "bfloat16"):
        first, second = (model._cuts((name,), precision) for name in ("c", "d"))
        shared = {id(layer) for layer in first.layers if layer.weights} & {id(layer) for layer in second.layers}
        assert len(shared) == 1
    full, low = (np.asarray(model.forward(["d"], precision)(PICTURE)["d"]) for precision in ("float32", "bfloat16"))
    expected = np.asarray(built((PICTURE * 255 - 127) / 128))
    assert full == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert np.abs(low - expected).max() < 0.05 * np.abs(expected).max()


def test_activations_of_fewer_bits_come_out_as_float32(lite0, picture):
    full, low = (
        lite0.forward(["block3b"], precision)(picture[None])["block3b"] for precision in ("float32", "bfloat16")
    )
    assert low.dtype == full.dtype == "float32"
    full, low = np.asarray(full).ravel(), np.asarray(low).ravel()
    assert 0.99 < full @ low / np.linalg.norm(full) / np.linalg.norm(low) < 0.999999


def test_the_cost_is_what_a_convolution_takes():
    picture = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, padding="same", name="conv")(picture)
    x = layers.ReLU(name="relu")(x)
    x = layers.DepthwiseConv2D(5, strides=2, padding="same", name="depthwise")(x)
    model = Network(known()["efficientnet_lite0"], keras.Model(picture, x))
    cost = model.cost(["depthwise"], (10, 20))
    assert cost.operations == 4 * (200 * 3 * 3 * 3 * 4 + 50 * 5 * 5 * 4)
    assert cost.numbers_kept == 800 + 800 + 200
    assert cost.numbers_moved == 2 * 200 * (3 + 4) + 3 * 800 + 2 * (800 + 200)


def test_a_normalisation_costs_what_it_takes_unless_it_is_folded():
    picture = keras.Input((None, None, 3))
    before = norm("before")(picture)
    x = layers.Conv2D(4, 1, name="conv")(before)
    model = Network(known()["efficientnet_lite0"], keras.Model(picture, norm("after")(x)))
    assert model.cost(["before"], (10, 20)).numbers_kept == 200 * 3
    assert model.cost(["after"], (10, 20)).numbers_kept == 200 * (3 + 4)


def test_a_layer_that_cannot_be_made_again_stays_in_float32():
    class Own(layers.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, x):
            return self.factor * x

    built = network(layers.Conv2D(4, 3, name="conv"), Own(2.0), layers.Dropout(0.5), layers.ReLU(name="end"))
    low = inference.lower(keras.Model(built.inputs[0], {"end": built.outputs[0]}), "bfloat16", {})
    expected = np.asarray(keras.Model(built.inputs[0], built.outputs[0])(PICTURE))
    found = np.asarray(keras.ops.cast(low(PICTURE)["end"], "float32"))
    assert np.abs(found - expected).max() < 0.03 * expected.max()


def test_the_cost_of_a_layer_tied_to_the_own_size_does_not_depend_on_the_picture():
    built = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(name="flat"), layers.Dense(3, name="end")])
    model = Network(known()["efficientnet_lite0"], built)
    assert model.cost(["end"], (50, 60)) == model.cost(["end"], (8, 8))
    assert model.cost(["end"], (8, 8)).operations == 4 * 8 * 8 * 3 * 3
