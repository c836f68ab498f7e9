"""Rows as networks are given them: exactly, and mixed."""

from __future__ import annotations

from itertools import product

import keras
import numpy as np
import pytest
from tabular.tabular_case import ALL, FOREIGN, HOUSING, LOOKED_UP, NUMBERS, judged, linear, with_lookups

from dreamer.errors import ModelError, SettingsError, UnknownLayerError
from dreamer.models import registry
from dreamer.objectives import Objective, channel, logit
from dreamer.tabular.columns import Column
from dreamer.tabular.network import RowNetwork, onto_simplex


def rows_of(network, columns, **more):
    return RowNetwork(registry.load_plain(network, takes="row", **more), columns)


def some(columns, count=40):
    rng = np.random.default_rng(1)
    return np.array([
        [one.rounded(rng.integers(len(one.values)) if one.is_category else rng.uniform(one.low, one.high))
         for one in columns] for _ in range(count)
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("network", "columns"),
    [
        (linear(1, 2, 3, 4, 5, 6), ALL),
        (linear(1, 2, 3, 4), ALL),
        (linear(1, 2, 3, 4, 5), ALL),
        (linear(1, 2), (Column("age", "integer", 18, 75, 40, 10, scaled="standard"),
                        Column("rate", "number", 0, 5, 2, 1, scaled="0..1"))),
        (linear(2), (Column("grade", "one of", values=("a", "b", "c"), encoding="code", codes=(1, 5, 2)),)),
        (linear(3), (FOREIGN,)),
        (linear(3, 4), (Column("two", "one of", values=("a", "b")),)),
        (with_lookups(), LOOKED_UP),
    ],
)  # fmt: skip
def test_a_row_gives_the_same_whichever_way_the_network_is_given_it(network, columns):
    rows = rows_of(network, columns)
    codes = some(columns)
    unit = rows.resolved(channel(rows.network.layers[-1], 0))
    exact = rows.scores(codes, unit)
    climbed, _ = rows.ascent(rows.mixed(codes), [unit] * len(codes), rows.mixed(codes[:1]), 0.0)
    assert np.allclose(climbed, exact, atol=1e-4, rtol=1e-5)
    assert np.array_equal(rows.unmixed(rows.mixed(codes)), codes)


def test_encodings_are_found_by_what_the_network_takes():
    for weights, encoding in ((6, "one-hot"), (4, "code"), (5, "dummies")):
        assert rows_of(linear(*range(weights)), ALL).columns[2].encoding == encoding
    said = "4 columns age, rate, housing, foreign fill 6 as one-hot, 4 as code, 5 as dummies, and the network takes 9"
    with pytest.raises(SettingsError, match=said):
        rows_of(linear(*range(9)), ALL)


def test_the_network_is_given_what_the_table_says():
    rows = rows_of(linear(1, 10, 100, 1000, 10_000, 100_000), ALL)
    unit = rows.resolved(channel("score", 0))
    (score,) = rows.scores(np.array([[30, 2.5, 2, 1]]), unit)
    assert score == 30 + 25 + 10_000 + 100_000


def test_gradients_are_those_of_small_differences():
    rows = rows_of(with_lookups(), LOOKED_UP)
    unit = rows.resolved(logit(1) - 0.3 * channel("inner.hidden", 2))
    rng = np.random.default_rng(5)
    first = rows.projected(rows.mixed(some(LOOKED_UP, 1)) + rng.normal(size=(1, 10)), rows.mixed(some(LOOKED_UP, 1)),
                           range(4)).astype(np.float32)  # fmt: skip
    near = rows.mixed(some(LOOKED_UP, 3))
    _, gradient = rows.ascent(first, [unit], near, 0.7, 0.1)
    for place in range(first.shape[1]):
        step = np.zeros_like(first)
        step[0, place] = 1e-2
        (up,), _ = rows.ascent(first + step, [unit], near, 0.7, 0.1)
        (down,), _ = rows.ascent(first - step, [unit], near, 0.7, 0.1)
        assert gradient[0, place] == pytest.approx((up - down) / 2e-2, abs=2e-2)


def test_what_is_projected_is_a_row_and_leaves_the_rest():
    rows = rows_of(linear(*range(6)), ALL)
    first = rows.mixed(some(ALL, 30))
    moved = first + np.random.default_rng(2).normal(scale=5, size=first.shape).astype(np.float32)
    found = rows.projected(moved, first, [0, 2])
    assert np.allclose(found[:, 2:5].sum(1), 1, atol=1e-5)
    assert found[:, 2:5].min() >= 0
    ages = found[:, 0] * 10 + 40
    assert ages.min() >= 18 - 1e-4
    assert ages.max() <= 75 + 1e-4
    assert np.array_equal(found[:, [1, 5]], first[:, [1, 5]])


def test_the_simplex_is_met_at_its_nearest_point():
    shares = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    grid = np.array([one for one in product(np.linspace(0, 1, 21), repeat=4) if abs(sum(one) - 1) < 1e-9])
    for one, found in zip(shares, onto_simplex(shares), strict=True):
        best = np.square(grid - one).sum(1).min()
        assert np.square(found - one).sum() <= best + 1e-6


def test_distances_count_deviations_and_other_categories():
    rows = rows_of(linear(*range(6)), ALL)
    codes = np.array([[40, 2, 0, 0]])
    others = np.array([[40, 2, 0, 0], [50, 2, 0, 0], [40, 2, 1, 1], [50, 3, 1, 1]])
    assert np.allclose(rows.distances(codes, others), [[0, 0.5, np.sqrt(0.5), 1]])


def test_a_single_answer_becomes_two_classes_with_the_same_probabilities():
    network = judged(1.0, -2.0, bias=0.3)
    rows = rows_of(network, NUMBERS, labels=["no", "yes"])
    codes = some(NUMBERS)
    yes, no = (rows.scores(codes, rows.resolved(Objective.parse(f"logit:{one}"))) for one in ("yes", "no"))
    assert np.allclose(1 / (1 + np.exp(no - yes)), network.predict(codes, verbose=0)[:, 0], atol=1e-5)


def test_columns_go_to_the_inputs_of_their_names():
    with pytest.raises(SettingsError, match="has no input 'salary' for the column salary.* It has age, grade"):
        rows_of(with_lookups(), (*LOOKED_UP, Column("salary", "number")))
    with pytest.raises(SettingsError, match="no column is for the input grade"):
        rows_of(with_lookups(), LOOKED_UP[:-1])
    with pytest.raises(SettingsError, match="the input housing takes text; expected a single column of categories"):
        rows_of(with_lookups(), (LOOKED_UP[0], Column("housing", "number"), *LOOKED_UP[2:]))


def test_what_is_about_pictures_is_refused():
    rows = rows_of(linear(*range(6)), ALL)
    for text in ("score - l2", 'guided:score@"photo.jpg"'):
        with pytest.raises(SettingsError, match="is about pictures, and .* takes rows; leave it out"):
            rows.resolved(Objective.parse(text))
    with pytest.raises(UnknownLayerError, match="has no layer 'scor'. Close matches: score"):
        rows.resolved(channel("scor", 0))


def test_a_network_says_what_it_takes_and_what_is_for_it():
    picture = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    text = keras.Sequential([keras.Input((None,)), keras.layers.Embedding(5, 2), keras.layers.LSTM(3)])
    with pytest.raises(
        ModelError, match="takes a picture, and a network that takes a row is expect.* dreamer visualize"
    ):
        registry.load_plain(picture, takes="row")
    with pytest.raises(ModelError, match="takes a sequence, .* is for dreamer text"):
        registry.load_plain(text, takes="row")
    with pytest.raises(ModelError, match="efficientnet_lite0 takes a picture"):
        registry.load_plain("efficientnet_lite0", takes="row")
    with pytest.raises(ModelError, match="rows are for dreamer row"):
        registry.load(linear(1, 2))
    assert HOUSING.is_category
