"""Where the positions of a layer lie, held against which pixels really reach them."""

from __future__ import annotations

import math

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from keras import layers

from dreamer.models import registry
from dreamer.models.network import Network
from dreamer.models.positions import Axis, Positions, cut
from dreamer.models.specs import known

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
PLAIN = {"use_bias": False, "kernel_initializer": keras.initializers.RandomUniform(0.1, 1.0, seed=1)}
SIDES = ("same", "valid")


def conv(kernel, stride, padding, dilation=1):
    return layers.Conv2D(2, kernel, strides=1 if dilation > 1 else stride, padding=padding, dilation_rate=dilation,
                         **PLAIN)  # fmt: skip


def forked(merge, kernels, stride):
    """Two branches of one stride, side by side."""

    def build(x):
        return merge([conv(kernel, stride, "same")(x) for kernel in kernels])

    return build


def grown(size):
    """Larger, and as small as before again."""

    def build(x):
        return layers.AveragePooling2D(size)(layers.UpSampling2D(size)(x))

    return build


kernel, stride, side = st.integers(1, 5), st.integers(1, 3), st.sampled_from(SIDES)
pair = st.tuples(kernel, kernel)
margins = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2)
piece = st.one_of(
    st.builds(conv, pair, stride, side),
    st.builds(conv, kernel, st.just(1), side, st.integers(2, 3)),
    st.builds(lambda cls, size, step, padding: cls(size, step, padding=padding),
              st.sampled_from([layers.MaxPooling2D, layers.AveragePooling2D]), kernel, stride, side),
    st.builds(layers.ZeroPadding2D, margins),
    st.builds(layers.Cropping2D, margins),
    st.builds(forked, st.sampled_from([layers.Concatenate(), layers.Add()]), pair, stride),
    st.builds(grown, st.integers(2, 3)),
)  # fmt: skip


def network_of(*built):
    """A network whose last layer is what is looked at."""
    x = picture = keras.Input((None, None, 3))
    for one in built:
        x = one(x)
    return Network(known()["efficientnet_lite0"], keras.Model(picture, layers.Activation("linear", name="last")(x)))


def spans(network, size):
    """By axis the first and the last pixel that reach each position, and the end; None for one of zeros put around.

    No weight is negative, so that what one line adds another one can't take away.
    """
    run = network.graph.network
    found = []
    for axis in (0, 1):
        lines = np.zeros((size[axis], *size, 3), np.float32)
        for place in range(size[axis]):
            np.moveaxis(lines[place], axis, 0)[place] = 1
        given = np.asarray(run(lines)).max(axis=(2 - axis, 3)) > 0
        found.append([(one.nonzero()[0][0], one.nonzero()[0][-1] + 1) if one.any() else None for one in given.T])
    return found


@hypothesis.settings(max_examples=25, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(st.lists(piece, min_size=1, max_size=4), st.sampled_from([(67, 89), (90, 71), (81, 81)]))
def test_a_middle_is_that_of_the_pixels_that_reach_the_position(built, size):
    network = network_of(*built)
    where = network.positions(["last"], size)["last"]
    row, column = (count // 2 for count in where.grid)
    top, left, height, width = where.box(row, column)
    for low, span, whole in ((top, height, size[0]), (left, width, size[1])):
        # Nearer to the edge a line may be cut off or be none.
        hypothesis.assume(low > 0.25 * whole and low + span < 0.75 * whole)
    found = [some[place] for some, place in zip(spans(network, size), (row, column), strict=True)]
    assert where.middle(row, column) == pytest.approx([(low + high) / 2 for low, high in found])
    if not any(node.kind == "UpSampling2D" for node in network.graph.nodes):
        assert (top, left, top + height, left + width) == pytest.approx(
            (found[0][0], found[1][0], found[0][1], found[1][1])
        )


@pytest.mark.parametrize(
    ("kernels", "expected"),
    # From an even side "same" pads before with the lesser half: a window of 3 begins at the first pixel.
    [((1, 3), (0.0, 3.0)), ((2, 2), (0.0, 2.0)), ((1, 1), (0.0, 1.0)), ((5, 2), (-1.0, 4.0))],
    ids=str,
)
def test_where_branches_meet_all_that_either_sees_counts(kernels, expected):
    where = network_of(forked(layers.Add(), kernels, 2)).positions(["last"], (40, 40))["last"]
    low, high = expected
    assert where.middle(4, 5) == (8 + (low + high) / 2, 10 + (low + high) / 2)
    assert where.box(4, 5) == (8 + low, 10 + low, high - low, high - low)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("size", [2, 3])
def test_what_is_made_larger_is_spread_evenly(size, interpolation):
    network = network_of(conv(3, 2, "same"), layers.UpSampling2D(size, interpolation=interpolation))
    where = network.positions(["last"], (31, 44))["last"]
    found = spans(network, (31, 44))
    assert where.grid == (16 * size, 22 * size)
    for axis, some, first in ((where.rows, found[0], 8), (where.columns, found[1], 10)):
        middles = [sum(some[place]) / 2 for place in range(first * size, (first + 1) * size)]
        assert np.mean(middles) == pytest.approx(np.mean([axis.middle(first * size + one) for one in range(size)]))
        # What blends sees its neighbour, too; what repeats does not.
        assert max(some[place][1] - some[place][0] for place in range(first * size, (first + 1) * size)) == axis.reach


@pytest.mark.parametrize("padding", SIDES)
@pytest.mark.parametrize(("width", "step"), [(2, 2), (3, 2), (4, 2), (5, 3), (3, 1), (1, 2)])
def test_a_transposed_convolution_turns_a_convolution_round(width, step, padding):
    """What a pixel is spread over has the pixel in its middle."""
    made = layers.Conv2DTranspose(2, width, strides=step, padding=padding, **PLAIN)
    network = network_of(made)
    size = (19, 14)
    where = network.positions(["last"], size)["last"]
    picture = np.zeros((1, *size, 3), np.float32)
    picture[0, 9, 6] = 1
    y, x = np.asarray(network.graph.network(picture))[0].max(axis=-1).nonzero()
    assert where.middle((y.min() + y.max()) / 2, (x.min() + x.max()) / 2) == pytest.approx((9.5, 6.5))


@pytest.fixture(scope="module")
def edges():
    """Finds upright edges: a layer that looks at two columns, and one that looks at the outer of three."""
    picture = keras.Input((None, None, 3))
    outputs = []
    for name, kernel in (("narrow", [-1, 1]), ("wide", [-1, 0, 1])):
        layer = layers.Conv2D(1, (1, len(kernel)), strides=2, use_bias=False, name=name)
        outputs.append(layer(picture))
        layer.set_weights([np.repeat(np.array(kernel, np.float32).reshape(1, -1, 1, 1), 3, axis=2) / 3])
    sums = [layers.GlobalAveragePooling2D()(one) for one in outputs]
    return registry.load(keras.Model(picture, layers.Concatenate(name="scores")(sums)), "0..1")


@pytest.mark.parametrize("edge", [7, 9, 14, 21])
@pytest.mark.parametrize("width", [36, 37])
@pytest.mark.parametrize(("layer", "within"), [("narrow", 0.0), ("wide", 0.5)])
def test_an_edge_is_where_it_is(edges, layer, within, width, edge):
    picture = np.zeros((9, width, 3), np.float32)
    picture[:, edge:] = 1
    found = edges.activations(picture, [layer])[layer][..., 0]
    where = edges.positions([layer], (9, width))[layer]
    fires = (found[2] > 0.5).nonzero()[0]
    if layer == "narrow" and edge % 2 == 0:  # Between two windows.
        assert not len(fires)
        return
    assert len(fires) == 1
    y, x = where.middle(2, int(fires[0]))
    assert (abs(x - edge), y) == (within, 4.5)
    assert where.nearest(4.5, edge) in ((2, fires[0]), (2, fires[0] + 1), (2, fires[0] - 1))
    laid = where.laid(found)
    assert laid.shape == (9, width)
    assert abs(laid[4].argmax() + 0.5 - edge) <= 0.5 + within
    assert (laid[4] == laid[4].max()).nonzero()[0].mean() + 0.5 == pytest.approx(x)
    # On the photo at another size it is there, too.
    larger = where.on((27, 4 * width))
    assert larger.middle(2, int(fires[0])) == (13.5, 4 * x)
    line = larger.laid(found)[13]
    assert (line > line.max() - 0.01).nonzero()[0].mean() + 0.5 == pytest.approx(4 * x)


axis = st.builds(Axis, st.integers(1, 30), st.floats(-9, 40), st.floats(0.5, 33))
place = st.builds(
    Positions, axis, axis, st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.none() | st.tuples(st.floats(1, 400), st.floats(1, 400)),
)  # fmt: skip


@hypothesis.given(place, st.floats(0, 1), st.floats(0, 1), st.floats(0, 400))
def test_boxes_and_squares_lie_within_the_picture(where, down, across, least):
    row, column = int(down * (where.grid[0] - 1)), int(across * (where.grid[1] - 1))
    middle = where.middle(row, column)
    assert where.nearest(*middle) == (row, column)
    assert where.nearest(-1e6, -1e6) == (0, 0)
    assert where.nearest(1e6, 1e6) == (where.grid[0] - 1, where.grid[1] - 1)
    for top, left, height, width in (where.box(row, column), where.square(row, column, least)):
        assert min(top, left, height, width) >= 0
        assert top + height <= where.size[0] + 1e-6
        assert left + width <= where.size[1] + 1e-6
    if where.extent is None:
        assert where.box(row, column) == where.square(row, column, least) == (0, 0, *where.size)
        return
    top, left, height, width = where.square(row, column, least)
    assert height == width == min(max(*where.extent, least), *where.size)
    for low, span, whole, centre in ((top, height, where.size[0], middle[0]), (left, width, where.size[1], middle[1])):
        if span / 2 <= centre <= whole - span / 2:
            assert low + span / 2 == pytest.approx(centre)
    # A box that no edge cuts has the middle in its middle.
    top, left, height, width = where.box(row, column)
    if (height, width) == pytest.approx(where.extent):
        assert (top + height / 2, left + width / 2) == pytest.approx(middle)


@hypothesis.given(place, st.tuples(st.integers(1, 300), st.integers(1, 300)))
def test_at_another_size_all_of_it_is_so_much_larger(where, size):
    other = where.on(size)
    share = np.array(size) / np.array(where.size)
    last = [count - 1 for count in where.grid]
    assert (other.size, other.grid) == (size, where.grid)
    assert other.middle(*last) == pytest.approx(np.array(where.middle(*last)) * share)
    assert np.array(other.box(0, 0)) == pytest.approx(np.array(where.box(0, 0)) * np.tile(share, 2), abs=1e-6)
    assert (other.extent is None) == (where.extent is None)


@hypothesis.given(
    st.integers(1, 9), st.integers(1, 7), st.integers(-3, 9), st.integers(-3, 9), st.integers(1, 8), st.integers(1, 8)
)
def test_a_value_is_laid_at_its_middle_and_goes_on_beyond_the_last(rows, columns, top, left, down, across):
    size = (top + down * rows + 5, left + across * columns + 7)
    hypothesis.assume(min(size) > 0)
    where = Positions(Axis(rows, top + 0.5, down), Axis(columns, left + 0.5, across), size, (3.0, 3.0))
    values = np.random.default_rng(rows).standard_normal((rows, columns))
    laid = where.laid(values)
    assert (laid.shape, laid.dtype) == (size, np.float32)
    for row in range(rows):
        for column in range(columns):
            y, x = (math.floor(one) for one in where.middle(row, column))
            if 0 <= y < size[0] and 0 <= x < size[1]:
                assert laid[y, x] == pytest.approx(values[row, column], abs=1e-5)
    assert laid.min() >= values.min() - 1e-5
    assert laid.max() <= values.max() + 1e-5
    assert laid[-1, -1] == pytest.approx(values[-1, -1], abs=1e-5)
    if min(top, left) >= 0:
        assert laid[0, 0] == pytest.approx(values[0, 0], abs=1e-5)


def test_a_layer_without_positions_has_none(tiny_network):
    where = tiny_network.positions(["pool", "second", "first"], (37, 53))
    assert list(where) == ["pool", "second", "first"]
    assert where["pool"] is None
    assert where["second"].grid == where["first"].grid == (19, 27)
    # 37 is odd and padded on both sides, 53 too; of 38 the first window begins at the first pixel.
    assert where["first"].middle(0, 0) == (0.5, 0.5)
    assert tiny_network.positions(["first"], (38, 53))["first"].middle(0, 0) == (1.5, 0.5)


def test_what_positions_are_made_of_numbers_alone_is_spread_over_the_picture():
    """A decoder begins with positions that no pixel is nearer to than another."""
    picture = keras.Input((None, None, 3))
    flat = layers.GlobalAveragePooling2D()(picture)
    made = layers.Reshape((4, 6, 2), name="made")(layers.Dense(48)(flat))
    network = registry.load(keras.Model(picture, layers.Conv2D(2, 3, padding="same", name="last")(made)), "0..1")
    for name in ("made", "last"):
        where = network.positions([name], (20, 60))[name]
        assert where.grid == (4, 6)
        assert where.middle(0, 0) == (2.5, 5.0)
        assert where.box(1, 1) == (0, 0, 20, 60)


def test_a_layer_tied_to_the_own_size_has_positions_on_the_picture_as_it_is():
    picture = keras.Input((16, 24, 3))
    x = layers.Conv2D(2, 4, strides=4, name="conv")(picture)
    network = registry.load(
        keras.Model(picture, layers.Dense(3, name="scores")(layers.Flatten(name="flat")(x))), "0..1"
    )
    where = network.positions(["conv", "scores"], (80, 48))
    assert where["scores"] is None
    assert where["conv"].grid == (4, 6)
    assert where["conv"].middle(0, 0) == (10.0, 4.0)
    assert where["conv"].box(3, 5) == (60.0, 40.0, 20.0, 8.0)


def test_the_part_in_a_box_is_a_pixel_at_the_least():
    pixels = np.arange(9 * 7 * 3).reshape(9, 7, 3).astype(np.uint8)
    assert cut(pixels, (0, 0, 9, 7)).shape == (9, 7, 3)
    assert np.array_equal(cut(pixels, (2.0, 3.0, 4.0, 2.0)), pixels[2:6, 3:5])
    assert np.array_equal(cut(pixels, (9.0, 7.0, 0.0, 0.0)), pixels[8:, 6:])
