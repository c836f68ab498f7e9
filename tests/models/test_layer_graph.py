from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from dreamer.models.layer_graph import LayerGraph


def names(graph):
    return [node.name for node in graph.nodes][1:]


def tied(graph):
    return {node.name for index, node in enumerate(graph.nodes) if any(graph.tied([index]))}


def run(graph, name, size):
    node = next(node for node in graph.nodes if node.name == name)
    pictures = np.random.default_rng(0).random((1, *size, graph.num_colors), np.float32)
    return np.asarray(keras.Model(graph.nodes[0].output, node.output)(pictures))


def test_a_network_of_a_fixed_size_is_computed_at_any():
    x = keras.Input((32, 32, 3))
    y = layers.Conv2D(4, 3, padding="same", name="conv")(x)
    graph = LayerGraph(keras.Model(x, layers.GlobalAveragePooling2D(name="pool")(y)))
    assert graph.own_size == (32, 32)
    assert tied(graph) == set()
    assert run(graph, "conv", (17, 43)).shape == (1, 17, 43, 4)
    assert run(graph, "pool", (17, 43)).shape == (1, 4)


def test_the_weights_are_shared_with_the_network():
    x = keras.Input((8, 8, 3))
    network = keras.Model(x, layers.Conv2D(2, 1, name="conv")(x))
    graph = LayerGraph(network)
    network.get_layer("conv").set_weights([np.full((1, 1, 3, 2), 2, np.float32), np.ones(2, np.float32)])
    picture = np.full((1, 8, 8, 3), 0.5, np.float32)
    assert np.asarray(keras.Model(graph.nodes[0].output, graph.nodes[-1].output)(picture)) == pytest.approx(4)


@pytest.mark.parametrize(
    "end",
    [
        lambda y: layers.Dense(5, name="end")(layers.Flatten(name="flat")(y)),
        lambda y: layers.Dense(5, name="end")(layers.Reshape((32 * 32 * 4,), name="flat")(y)),
        lambda y: layers.Dense(5, name="end")(layers.Reshape((1024, 4), name="flat")(y)),
    ],
)
def test_what_needs_the_own_size_is_tied_to_it_and_nothing_else_is(end):
    x = keras.Input((32, 32, 3))
    y = layers.Conv2D(4, 3, padding="same", name="conv")(x)
    side = layers.Conv2D(2, 1, name="side")(y)
    graph = LayerGraph(keras.Model(x, [end(y), side]))
    assert tied(graph) == {"end", "flat"}
    assert graph.nodes[[node.name for node in graph.nodes].index("side")].shape == (None, None, 2)
    assert graph.nodes_at((True, True))[-1].name == graph.nodes[-1].name


def test_a_grid_of_positions_is_tied():
    x = keras.Input((32, 32, 1))
    y = layers.Reshape((64, 4), name="patches")(layers.Conv2D(4, 4, strides=4, name="embed")(x))
    places = layers.Dense(4, use_bias=False, name="places")(keras.ops.ones((1, 64, 4)))
    graph = LayerGraph(keras.Model(x, layers.Add(name="placed")([y, places])))
    assert "placed" in tied(graph)
    assert "embed" not in tied(graph)


def test_nested_networks_are_opened():
    inner_x = keras.Input((None, None, 8))
    inner = keras.Model(inner_x, layers.ReLU(name="relu")(layers.Conv2D(6, 3, name="conv")(inner_x)), name="inner")
    stem = keras.Sequential([layers.Conv2D(8, 1, name="conv"), layers.ReLU(name="relu")], name="stem")
    x = keras.Input((24, 24, 3))
    graph = LayerGraph(keras.Model(x, layers.GlobalMaxPooling2D(name="pool")(inner(stem(x)))))
    assert names(graph) == ["stem.conv", "stem.relu", "inner.conv", "inner.relu", "pool"]
    assert run(graph, "inner.relu", (30, 21)).shape == (1, 28, 19, 6)


def test_a_sequential_network_is_a_chain():
    graph = LayerGraph(
        keras.Sequential([keras.Input((20, 30, 1)), layers.Conv2D(3, 3, name="a"), layers.Flatten(name="b")])
    )
    assert names(graph) == ["a", "b"]
    assert [node.parents for node in graph.nodes] == [(), (0,), (1,)]
    assert graph.num_colors == 1


def test_operations_count_like_layers():
    x = keras.Input((16, 16, 3))
    y = layers.Conv2D(3, 1, name="conv")(x)
    graph = LayerGraph(keras.Model(x, y * 2 + x))
    assert tied(graph) == set()
    assert [node.kind for node in graph.nodes][1:] == ["Conv2D", "Multiply", "Add"]
    assert graph.nodes[-1].parents == (2, 0)


def test_a_network_with_one_open_side_has_a_usual_size_there():
    x = keras.Input((None, 32, 3))
    graph = LayerGraph(keras.Model(x, layers.Conv2D(4, 3, name="conv")(x)))
    assert graph.own_size == (224, 32)
    assert run(graph, "conv", (9, 11)).shape == (1, 7, 9, 4)


def test_shapes_at_a_size():
    x = keras.Input((32, 32, 3))
    y = layers.Conv2D(4, 5, strides=2, name="conv")(x)
    graph = LayerGraph(keras.Model(x, layers.Dense(3, name="end")(layers.Flatten(name="flat")(y))))
    assert graph.shapes([1], (11, 25)) == [(4, 11, 4)]
    assert graph.shapes([1], (3, 25)) is None


def test_layers_of_one_name_are_told_apart():
    inner_x = keras.Input((None, None, 3))
    inner = keras.Model(inner_x, layers.Conv2D(4, 1, name="conv")(inner_x), name="inner")
    x = keras.Input((8, 8, 3))
    graph = LayerGraph(keras.Model(x, inner(layers.Conv2D(3, 1, name="inner.conv")(x))))
    assert [(node.name, node.shape[-1]) for node in graph.nodes][1:] == [("inner.conv", 3), ("inner.conv_2", 4)]
    assert run(graph, "inner.conv_2", (5, 6)).shape == (1, 5, 6, 4)


@pytest.mark.parametrize("name", ["a conv.one", "\u00e9t\u00e9", "b:3=x", "_hidden"])
def test_names_that_are_none_for_the_backend_can_be_run(name):
    import tensorflow as tf

    x = keras.Input((8, 8, 3))
    graph = LayerGraph(keras.Model(x, layers.Conv2D(3, 1, name=name)(x)))
    assert names(graph) == [name]
    cut = keras.Model(graph.nodes[0].output, graph.nodes[1].output)
    assert tf.function(cut)(tf.zeros((1, 5, 6, 3))).shape == (1, 5, 6, 3)
