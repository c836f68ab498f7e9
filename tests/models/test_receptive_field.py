"""Receptive fields, against where gradients really come from."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from dreamer.models.layer_graph import LayerGraph
from dreamer.models.receptive_field import fields


def field_of(network, name=None):
    graph = LayerGraph(network)
    found = dict(zip([node.name for node in graph.nodes], fields(graph.nodes), strict=True))
    return found[name or graph.nodes[-1].name]


def seen(network, side=201):
    """The side of the square that one unit answers to: every pixel in turn is what changes it."""
    import tensorflow as tf

    graph = LayerGraph(network)
    cut = keras.Model(graph.nodes[0].output, graph.nodes[-1].output)
    picture = tf.constant(np.random.default_rng(0).random((1, side, side, 3), np.float32))
    with tf.GradientTape() as tape:
        tape.watch(picture)
        out = cut(picture)
        unit = tf.reduce_sum(out[0, out.shape[1] // 2, out.shape[2] // 2])
    rows = np.abs(np.asarray(tape.gradient(unit, picture)))[0].sum(axis=(1, 2)).nonzero()[0]
    return int(rows[-1] - rows[0] + 1)


def stack(*made):
    return keras.Sequential([keras.Input((None, None, 3)), *made])


CASES = {
    "conv": stack(layers.Conv2D(4, 5, strides=2), layers.Conv2D(4, 3)),
    "depthwise": stack(layers.DepthwiseConv2D(3, strides=2, padding="same"), layers.DepthwiseConv2D(5, padding="same")),
    "dilated": stack(layers.Conv2D(4, 3), layers.Conv2D(4, 3, dilation_rate=4)),
    "separable": stack(layers.SeparableConv2D(4, 3, strides=2), layers.SeparableConv2D(4, 3)),
    "mean pool": stack(layers.AveragePooling2D(3, 2), layers.Conv2D(2, 3), layers.AveragePooling2D(2)),
    "transposed, wider": stack(layers.Conv2D(4, 3, strides=4), layers.Conv2DTranspose(4, 4, strides=2, padding="same")),
    "blending": stack(layers.Conv2D(4, 3, strides=4), layers.UpSampling2D(2, interpolation="bilinear")),
    "pointwise": stack(layers.Conv2D(4, 1), layers.BatchNormalization(), layers.Activation("tanh"), layers.Dense(3)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_unit_sees_as_much_as_its_gradient_reaches(name):
    field = field_of(CASES[name])
    assert field.size == seen(CASES[name])
    assert not field.context


def test_where_branches_meet_the_widest_counts():
    x = keras.Input((None, None, 3))
    y = layers.Conv2D(4, 3, padding="same")(x)
    field = field_of(keras.Model(x, layers.Concatenate()([layers.Conv2D(2, 7, padding="same")(y), y])))
    assert (field.size, field.stride) == (9, 1)


def test_pooling_everything_leaves_no_positions():
    for pool in (layers.GlobalAveragePooling2D(), layers.GlobalMaxPooling2D(keepdims=True)):
        assert field_of(stack(layers.Conv2D(4, 3), pool)) == (None, None, False)


def test_a_gate_is_noted_but_does_not_hide_the_field():
    x = keras.Input((None, None, 3))
    y = layers.Conv2D(4, 3, strides=2)(x)
    gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(y))
    field = field_of(keras.Model(x, layers.Multiply()([y, gate])))
    assert (field.size, field.stride, field.context) == (3, 2, True)


def test_a_window_that_is_not_square_counts_with_its_longer_side():
    field = field_of(stack(layers.Conv2D(4, (1, 7)), layers.Conv2D(4, (3, 1))))
    assert (field.extent, field.size) == ((3, 7), 7)


def test_patches_see_their_own_part_until_they_attend_to_each_other():
    x = keras.Input((32, 32, 3))
    patches = layers.Reshape((64, 8), name="patches")(layers.Conv2D(8, 4, strides=4)(x))
    normal = layers.LayerNormalization(name="normal")(patches)
    attended = layers.MultiHeadAttention(2, 4, name="attended")(normal, normal)
    network = keras.Model(x, layers.GlobalAveragePooling1D(name="pool")(attended))
    assert (field_of(network, "normal").size, field_of(network, "normal").stride) == (4, 4)
    assert (field_of(network, "attended").size, field_of(network, "attended").stride) == (None, 4)
    assert field_of(network, "pool").stride is None


def test_enlarging_brings_units_closer_together():
    field = field_of(stack(layers.Conv2D(4, 3, strides=4), layers.UpSampling2D(2)))
    assert (field.size, field.stride) == (3, 2)
    for kernel, size in ((2, 3), (4, 7)):
        field = field_of(stack(layers.Conv2D(4, 3, strides=4), layers.Conv2DTranspose(4, kernel, strides=2)))
        assert (field.size, field.stride) == (size, 2)


def test_the_bundled_network(lite0):
    assert (lite0.fields["stem"].size, lite0.fields["stem"].stride) == (3, 2)
    assert (lite0.fields["block5c"].size, lite0.fields["block5c"].stride) == (339, 16)
    assert lite0.fields["logits"].size is None
