"""What channels usually give: quantiles by hand, and what is said of a value by them."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from dreamer.models import kept, registry
from dreamer.models.usual import SHARES, Usual

HUNDRED = np.arange(101.0)


def test_the_quantiles_are_those_of_the_photos():
    peaks = np.stack([HUNDRED, 3 - 2 * HUNDRED, np.zeros(101)], axis=1)[np.random.default_rng(1).permutation(101)]
    held = Usual.of_peaks({"conv": peaks}).layers["conv"]
    assert held.dtype == np.float32
    assert held[:, 0].tolist() == [0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100]
    assert held[:, 1].tolist() == [-197, -195, -187, -177, -147, -97, -47, -17, -7, 1, 3]
    assert not held[:, 2].any()


def test_the_median_is_0_and_the_95th_percentile_1():
    usual = Usual.of_peaks({"conv": np.stack([HUNDRED, 5 - HUNDRED / 7], axis=1)})
    found = usual.stands_out("conv", np.array([[[50.0, 5 - 50 / 7], [95.0, 5 - 5 / 7], [140.0, 5 - 95 / 7]]]))
    assert found.shape == (1, 3, 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[[0, 0], [1, 1], [2, -1]]], atol=1e-5)


@pytest.mark.parametrize(
    "peaks",
    [np.zeros(50), np.full(50, -3.5), np.array([0.0] * 49 + [8]), np.array([1e-30] * 50), np.array([4.0])],
    ids=["dead", "constant", "once", "tiny", "one photo"],
)
def test_a_channel_that_hardly_ever_fires_is_told_in_numbers(peaks):
    usual = Usual.of_peaks({"conv": peaks[:, None]})
    values = np.array([-10.0, 0, 1e-6, 8, 1e4])[:, None]
    found = usual.stands_out("conv", values)[:, 0]
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()
    assert usual.stands_out("conv", np.median(peaks)[None])[0] == pytest.approx(0, abs=1e-5)
    shares = [usual.beats("conv", 0, float(one[0])) for one in values]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


@hypothesis.given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60),
    st.lists(st.floats(-2e6, 2e6, width=32), min_size=2, max_size=9).map(sorted),
)
def test_a_larger_value_beats_no_fewer_photos(peaks, values):
    usual = Usual.of_peaks({"conv": np.array(peaks)[:, None]})
    shares = [usual.beats("conv", 0, value) for value in values]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert usual.beats("conv", 0, max(peaks) + 1) == 1.0
    assert usual.beats("conv", 0, min(peaks) - 1) == 0.0


def test_what_is_beaten_is_the_share_of_photos_below():
    usual = Usual.of_peaks({"conv": np.stack([HUNDRED, np.maximum(HUNDRED - 90, 0)], axis=1)})
    assert [usual.beats("conv", 0, value) for value in (-1, 0, 25, 60, 97, 99.5, 100)] == [
        0, 0, 0.25, 0.6, pytest.approx(0.97), pytest.approx(0.995), 1,
    ]  # fmt: skip
    # Nine in ten photos give nothing at all: nothing beats none of them, and a little beats all of those.
    assert usual.beats("conv", 1, 0.0) == 0.0
    assert usual.beats("conv", 1, 0.01) == pytest.approx(0.9, abs=0.001)


def test_they_are_kept_and_read(tmp_path, tiny_network):
    usual = Usual.of_peaks({"first": np.random.default_rng(0).random((9, 5)), "a/b.c": np.ones((9, 2))})
    path = usual.save(tmp_path, "0123456789abcdef" + 48 * "0")
    assert path == tmp_path / "0123456789abcdef.npz"
    held = kept.read(path)
    assert set(held) == {"first", "a/b.c"}
    for name, one in usual.layers.items():
        np.testing.assert_allclose(held[name], one, rtol=1e-3)  # In halves.
    assert Usual.shipped(tiny_network) is None


@pytest.mark.parametrize("name", ["efficientnet_lite0_robust"])
def test_those_that_are_shipped_are_of_the_network(name):
    network = registry.load(name)
    usual = Usual.shipped(network)
    assert set(usual.layers) >= set(network.dreams_well) | {network.default_layer}
    for layer, held in usual.layers.items():
        assert held.shape == (len(SHARES), network.channels(layer))
        assert np.isfinite(held).all()
        assert (np.diff(held, axis=0) >= 0).all()
