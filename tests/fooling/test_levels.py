"""Changes in whole levels: they stay in range and within their bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer.fooling import levels


@given(seed=st.integers(0, 10_000), bound=st.floats(0.001, 5))
def test_a_picture_moved_within_a_bound_is_one_of_whole_levels(seed, bound):
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 256, (5, 7, 3)).astype(np.float32)
    move = rng.standard_normal(start.shape).astype(np.float32)
    found = levels.within(start, move, bound)
    assert (found == np.rint(found)).all()
    assert found.min() >= 0
    assert found.max() <= 255
    assert levels.length(found - start) <= bound
    assert ((found - start) * move >= 0).all()


def test_of_entries_that_are_equal_as_many_move_as_the_bound_allows():
    start = np.full((20, 20, 3), 9, np.float32)
    found = levels.within(start, np.ones_like(start), 0.06)
    assert np.unique(found - start).tolist() == [0, 1]
    assert levels.length(found - start) == pytest.approx(0.06, rel=0.01)


def test_the_bound_is_used_up():
    start = np.full((40, 50, 3), 128, np.float32)
    move = np.random.default_rng(0).standard_normal(start.shape).astype(np.float32)
    for bound in (0.05, 0.5, 5):
        assert levels.length(levels.within(start, move, bound) - start) == pytest.approx(bound, rel=0.01)


def test_where_there_is_no_direction_nothing_moves():
    start = np.full((4, 5, 3), 9, np.float32)
    assert np.array_equal(levels.within(start, np.zeros_like(start), 3), start)


def test_a_bound_below_a_level_moves_nothing():
    start = np.full((4, 5, 3), 9, np.float32)
    move = np.ones_like(start)
    assert np.array_equal(levels.within(start, move, 0.9 / 255), start)
