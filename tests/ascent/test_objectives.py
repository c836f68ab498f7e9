from __future__ import annotations

import numpy as np
import pytest

from dreamer.objectives import channel, layer

RNG = np.random.default_rng(1)
ACTIVATIONS = {
    "a": RNG.normal(size=(2, 3, 5, 4)).astype(np.float32),
    "b": RNG.normal(size=(2, 7, 2, 6)).astype(np.float32),
    "dense": RNG.normal(size=(2, 9)).astype(np.float32),
}


def value(objective):
    return np.asarray(objective.score(ACTIVATIONS))


def test_a_layer_scores_the_mean_square_of_each_picture():
    assert value(layer("a")) == pytest.approx((ACTIVATIONS["a"] ** 2).mean(axis=(1, 2, 3)))
    assert value(layer("dense")) == pytest.approx((ACTIVATIONS["dense"] ** 2).mean(axis=1))


def test_a_channel_scores_that_channel_alone():
    assert value(channel("a", 3)) == pytest.approx((ACTIVATIONS["a"][..., 3] ** 2).mean(axis=(1, 2)))


def test_algebra_is_that_of_numbers():
    a, b = layer("a"), channel("b", 2)
    expected = 2 * value(a) - 3 * value(b)
    assert value(2 * a - 3 * b) == pytest.approx(expected)
    assert value(-(3 * b - 2 * a)) == pytest.approx(expected)
    assert value((a - b) - (a - b) * 2) == pytest.approx(value(b) - value(a))
    assert value(a + b) == pytest.approx(value(b + a))


def test_operators_leave_their_operands_alone():
    a, b = layer("a"), layer("b")
    before = value(a), a.name, a.layers
    _ = -2 * a + b - a
    assert value(a) == pytest.approx(before[0])
    assert (a.name, a.layers) == before[1:]


def test_an_objective_knows_the_layers_it_needs():
    assert (2 * layer("a") - channel("b", 1)).layers == {"a", "b"}


@pytest.mark.parametrize(
    ("objective", "name"),
    [
        (0.8 * channel("mixed4d", 139) - layer("mixed3b"), "0.8*mixed4d:139 - mixed3b"),
        (-layer("a"), "-a"),
        (-1 * -layer("a"), "a"),
        (2 * (layer("a") + layer("b")), "2*(a + b)"),
        (layer("a") - (layer("b") - layer("c")), "a - (b - c)"),
        (layer("a") + -2 * layer("b"), "a - 2*b"),
        (-2 * layer("a") + layer("b"), "-2*a + b"),
    ],
)
def test_a_name_keeps_weights_and_signs(objective, name):
    assert objective.name == name
