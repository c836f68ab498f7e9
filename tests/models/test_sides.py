"""What `Sides` says of small networks agrees with running them, at every size and along each axis."""

from __future__ import annotations

import dataclasses
import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from dreamer import objectives
from dreamer.ascent.tile_view import View
from dreamer.dreaming import ascent
from dreamer.errors import SettingsError
from dreamer.models.network import Network
from dreamer.models.preprocessing import Preprocessing
from dreamer.models.specs import known
from dreamer.sides import ALL, Sides

OWN = dataclasses.replace(
    known()["efficientnet_lite0"], name="own", default_layer=None, logits=None, dreams_well=(),
    preprocessing=Preprocessing(),
)  # fmt: skip


def down(x, strides=2, **keywords):
    return layers.Conv2D(2, 3, strides=strides, **{"padding": "same"} | keywords)(x)


def plain(x):
    return layers.AveragePooling2D(3, 2)(down(layers.Conv2D(2, 5, dilation_rate=2)(x), padding="valid"))


def u_net(x):
    skips = []
    for _ in range(3):
        skips.append(x)
        x = layers.MaxPooling2D(2)(down(x, 1))
    for skip in reversed(skips):
        x = layers.Concatenate()([skip, layers.Conv2DTranspose(2, 2, strides=2)(x)])
    return x


def detector(x):
    fine = down(down(down(x)))
    return layers.Concatenate()([layers.UpSampling2D()(down(fine)), fine])


def pyramid(x):
    maps = [x := down(x) for _ in range(4)]
    top = maps.pop()
    for one in reversed(maps):
        top = layers.Add()([layers.UpSampling2D()(top), one])
    return top


def odd_sides(x):
    return layers.Add()([x, layers.Conv2DTranspose(3, 3, strides=2)(down(x, padding="valid"))])


def another_pattern_for_each_axis(x):
    narrow = layers.UpSampling2D((2, 3))(layers.MaxPooling2D((2, 3))(x))
    return layers.Multiply()([layers.Cropping2D(((1, 1), (0, 0)))(x), layers.Cropping2D(((2, 0), (0, 0)))(narrow)])


def two_strides(x):
    return layers.Concatenate()([layers.UpSampling2D(one)(layers.AveragePooling2D(one)(x)) for one in (3, 5)])


def squeeze_and_excite(x):
    y = layers.Conv2D(4, 3)(x)
    gate = layers.Dense(4)(layers.Reshape((1, 1, 4))(layers.GlobalAveragePooling2D()(y)))
    return layers.Multiply()([y, gate])


def backbone_applied_twice(x):
    backbone = keras.Sequential([layers.Conv2D(2, 3, strides=2), layers.Conv2D(2, 3, strides=2, padding="same")])
    return layers.Concatenate()([layers.MaxPooling2D(2)(backbone(x)), backbone(layers.AveragePooling2D(2)(x))])


def slices(x):
    return down(x, 1)[:, ::2, ::2] + layers.MaxPooling2D(2, padding="same")(down(x, 1))


def resized(x):
    return layers.Dense(3)(layers.Flatten()(layers.Resizing(8, 6)(layers.Conv2D(2, 4)(x))))


def attention(x):
    tokens = layers.Reshape((-1, 4))(layers.Conv2D(4, 1)(layers.AveragePooling2D(8)(x)))
    return layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(1, 4)(tokens, tokens))


def padded(x):
    return layers.Conv2D(2, 7, strides=3)(
        layers.ZeroPadding2D(((0, 1), (2, 0)))(ops.pad(x, ((0, 0), (1, 0), (0, 0), (0, 0))))
    )


FREE = [plain, u_net, detector, pyramid, odd_sides, another_pattern_for_each_axis, two_strides, squeeze_and_excite,
        backbone_applied_twice, slices, resized, attention, padded]  # fmt: skip


def loaded(body, size=(None, None), colors=3):
    x = keras.Input((*size, colors))
    keras.utils.set_random_seed(0)
    return Network(OWN, keras.Model(x, layers.Identity(name="end")(body(x))))


def runs(cut, size):
    """Whether Keras can run it at a size, and anything is left of the picture."""
    try:
        found = cut(np.zeros((1, *size, 3), np.float32))
    except Exception:  # noqa: BLE001  There are as many kinds of errors as there are layers.
        return False
    return bool(found.shape) and all(found.shape) and bool(np.isfinite(found).all())


@pytest.mark.parametrize("body", FREE)
def test_sides_agree_with_running_the_network(body):
    network = loaded(body)
    graph = network.graph
    cut = keras.Model(graph.nodes[0].output, graph.nodes[-1].output)
    seen = network.sides(["end"])
    height, width = graph.own_size
    for side in [*range(1, 11), 12, 15, 16, 17, 24, 31, 32, 33, 49, 64, 97, 128, 255, 300]:
        for size in ((side, side), (side, width), (height, side)):
            assert seen.includes(size) == runs(cut, size), size


@pytest.mark.parametrize("side", [None, 416])
def test_branches_of_different_strides_meet_where_the_finer_one_is_even(side):
    network = loaded(lambda x: detector(down(x)), size=(side, side))
    expected = [one for one in range(1, 300) if math.ceil(one / 16) % 2 == 0]
    assert [one for one in range(1, 300) if one in network.sides(["end"]).height] == expected
    assert network.sides(["end"]).height.nearest(258) == 256
    assert network.sides(["end"]).width.nearest(266) == 273


SLOPES = {
    "prelu": lambda: layers.PReLU(name="tied"),
    "norm": lambda: layers.LayerNormalization(axis=(1, 2, 3), name="tied"),
    "batch norm": lambda: layers.BatchNormalization(axis=1, name="tied"),
}


@pytest.mark.parametrize("make", SLOPES.values(), ids=SLOPES)
def test_weights_for_each_position_are_tied_to_the_networks_own_size(make):
    network = loaded(lambda x: make()(layers.Conv2D(2, 1, name="free")(x)), size=(20, 28))
    assert network.sides(["free"]) == (ALL, ALL)
    assert not any(network.graph.tied([network.graph.nodes.index(network.node("free"))]))
    found = network.forward(["free", "tied"])(np.zeros((1, 33, 17, 3), np.float32))
    assert found["tied"].shape[1] == 20
    assert network.forward(["free"])(np.zeros((1, 33, 17, 3), np.float32))["free"].shape == (1, 33, 17, 2)


@pytest.mark.parametrize("width", [None, 64])
def test_a_reader_of_text_has_a_fixed_height_and_any_width(width):
    import tensorflow as tf

    def reader(x):
        y = layers.MaxPooling2D(4, name="low")(down(x, 1))
        y = layers.Reshape((-1, 16), name="line")(layers.Permute((2, 1, 3))(y))
        return layers.Bidirectional(layers.LSTM(3, return_sequences=True))(y)

    network = loaded(reader, size=(32, width), colors=1)
    assert network.sides(["end"]) == (ALL, ALL)
    assert network.forward(["low"])(np.zeros((1, 50, 77, 3), np.float32))["low"].shape == (1, 12, 19, 2)
    read = network.forward(["end"])
    assert read(np.zeros((1, 64, 400, 3), np.float32))["end"].shape == (1, 50, 6)  # Seen as 32x200.
    pictures = np.random.default_rng(0).random((1, 64, 400, 3)).astype(np.float32)
    as_dreams_do = tf.function(read, input_signature=[tf.TensorSpec((None, None, None, 3))])
    assert np.asarray(as_dreams_do(pictures)["end"]) == pytest.approx(np.asarray(read(pictures)["end"]), abs=1e-4)
    assert network.shapes((64, 400), ["end", "low"]) == {"end": (50, 6), "low": (16, 100, 2)}


def test_a_pattern_that_ends_is_tied_to_a_size_within():
    def once(x):
        fine, coarse = layers.AveragePooling2D(2)(x), layers.AveragePooling2D(4)(x)
        return layers.Concatenate()([fine, layers.ZeroPadding2D(5)(coarse)])

    network = loaded(once)
    assert 36 <= network.graph.own_size[0] <= 43
    assert network.forward(["end"])(np.zeros((1, 90, 17, 3), np.float32))["end"].shape == (1, 20, 20, 6)


def test_a_join_that_no_square_can_see_is_found_and_free(picture):
    def body(x):
        x = layers.ZeroPadding2D(((0, 1), (2, 0)))(x)
        return layers.Concatenate()([layers.AveragePooling2D(3, 2)(x), layers.MaxPooling2D(2, 2)(x)])

    network = loaded(body)
    seen = network.sides(["end"])
    assert (seen.height, seen.width) == (Sides(first=2, period=2), Sides(first=1, period=2))
    assert network.forward(["end"])(np.zeros((1, 38, 51, 3), np.float32))["end"].shape == (1, 19, 26, 6)


def test_only_what_a_layer_needs_counts():
    def body(x):
        layer = layers.Conv2D(2, 3, name="low")(x)
        return u_net(layer)

    network = loaded(body)
    assert network.sides(["low"]).height == Sides(first=3)
    assert network.sides(["end"]).height == Sides(first=10, period=8)
    with pytest.raises(SettingsError, match="sides from 10 pixels: 10, 18 and so on, repeating every 8"):
        network.shapes((64, 64), ["low", "end"])


def test_the_sizes_of_tiles_stay_near_what_is_asked_for():
    from dreamer.ascent.tiling import Tiling

    network = loaded(pyramid, size=(416, 416))
    seen = network.sides(["end"])
    for tile in (100, 258, 512):
        size = Tiling(tile=tile, jitter=8, heights=seen.height, widths=seen.width).grid((3000, 4000)).size
        assert max(size) <= tile
        assert seen.includes(size)


@settings(deadline=None, max_examples=100, database=None)
@given(
    few=st.lists(st.integers(1, 20), max_size=3),
    first=st.integers(21, 60),
    offsets=st.sets(st.integers(0, 11), min_size=1),
    side=st.integers(1, 150),
)
def test_the_next_side_up_down_and_nearest(few, first, offsets, side):
    every = sorted({*few, *(first + 12 * n + offset for n in range(30) for offset in offsets)})
    sides = Sides.found([one in every for one in range(1, 200)], 12)
    assert [one for one in range(1, 150) if one in sides] == [one for one in every if one < 150]
    assert sides.at_least(side) == min(one for one in every if one >= side)
    assert sides.at_most(side) == max((one for one in every if one <= side), default=None)
    assert abs(sides.nearest(side) - side) == min(abs(one - side) for one in every)
    assert sides.least == every[0]


CLOSED = {
    "bilinear": lambda: layers.UpSampling2D((2, 3), interpolation="bilinear", name="end"),
    "crop": lambda: layers.RandomCrop(4, 4, name="end"),
    "adaptive": lambda: layers.AdaptiveAveragePooling2D(3, name="end"),
}


@pytest.mark.parametrize("make", CLOSED.values(), ids=CLOSED)
def test_layers_that_have_to_know_their_sizes_are_dreamt_with(make, picture):
    x = keras.Input((None, None, 3))
    network = Network(OWN, keras.Model(x, make()(layers.Conv2D(3, 3, name="conv")(x))))
    programs = ascent.programs(network, objectives.layer("end"), warps=False, precision="float32")
    for side in (12, 17):
        tiles = picture[None, :side, :20]
        scores, gradients = programs.tiles(tiles, np.asarray(View((0.0, 0.0)).matrix((side, 20)), np.float32))
        assert np.isfinite(scores).all()
        assert np.abs(gradients).max() > 0


def test_bilinear_upsampling_at_open_sizes_is_that_of_keras(picture):
    import tensorflow as tf

    made = CLOSED["bilinear"]()
    x = keras.Input((None, None, 3))
    network = Network(OWN, keras.Model(x, made(x)))
    open_sizes = [tf.TensorSpec((None, None, None, 3))]
    found = np.asarray(tf.function(network.forward(["end"]), input_signature=open_sizes)(picture[None])["end"])
    assert found == pytest.approx(np.asarray(made(picture[None])), abs=1e-5)
