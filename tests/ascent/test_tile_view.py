from __future__ import annotations

import numpy as np
import pytest

from dreamer.ascent import tile_view
from dreamer.ascent.tile_view import View


def draws(seed, steps=50, octave=0):
    return [tile_view.draw(seed=seed, octave=octave, step=step, rotate=10, scale=0.2) for step in range(steps)]


def test_the_same_seed_draws_the_same_views():
    assert draws(5) == draws(5)


def test_seeds_octaves_and_pairs_of_steps_draw_different_views():
    views = [*draws(0), *draws(1), *draws(0, octave=1)]
    assert len(set(views)) == len(views)


def test_views_stay_in_range_and_fill_it():
    shifts = np.array([view.shift for view in draws(0, 2000)])
    assert np.abs(shifts).max() <= 1
    assert np.histogram(shifts[:, 0], 4, (-1, 1))[0] == pytest.approx(500, rel=0.2)
    assert all(abs(view.degrees) <= 10 and 0.8 <= view.zoom <= 1.2 for view in draws(0, 2000))


def test_the_second_of_a_pair_is_the_opposite_of_the_first():
    first, second = draws(0, 2)
    assert second.shift == (-first.shift[0], -first.shift[1])
    assert (second.degrees, second.zoom) == (-first.degrees, pytest.approx(2 - first.zoom))


def warp(picture, view):
    return np.asarray(tile_view.warp(picture[None], view.matrix(picture.shape[:2])))[0]


def test_the_view_straight_ahead_changes_nothing(picture):
    assert warp(picture, View((0, 0))) == pytest.approx(picture, abs=1e-6)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_quarter_turn_is_exact_about_the_centre(picture, turns):
    square = picture[:37, :37]
    turned = warp(square, View((0, 0), degrees=90.0 * turns))
    assert turned[1:-1, 1:-1] == pytest.approx(np.rot90(square, turns)[1:-1, 1:-1], abs=1e-3)


def test_zoom_magnifies_about_the_centre(picture):
    zoomed = warp(picture, View((0, 0), zoom=2.0))
    assert zoomed[18, 26] == pytest.approx(picture[18, 26], abs=1e-5)
    assert zoomed[8:29:2, 16:37:2] == pytest.approx(picture[13:24, 21:32], abs=1e-5)
