"""Pictures whose opposite edges meet: made so, resized so, measured."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dreamer import wrapping
from dreamer.arrays import as_stored, resize

ODD = [(37, 53), (1, 9), (9, 1), (1, 1), (2, 3), (64, 47)]


def shaded(size, seed=0):
    """Grain on a slope: edges that do not meet."""
    height, width = size
    grain = np.random.default_rng(seed).random((*size, 3)) / 5
    slope = np.linspace(0, 0.4, height)[:, None, None] + np.linspace(0, 0.4, width)[:, None]
    return np.asarray(grain + slope, np.float32)


@pytest.mark.parametrize("size", ODD)
def test_a_picture_is_its_periodic_part_and_a_smooth_one(size):
    picture = shaded(size)
    smooth = np.stack([wrapping.smooth_part(picture[..., channel]) for channel in range(3)], axis=-1)
    assert smooth.shape == picture.shape
    assert abs(smooth.mean()) < 1e-9
    inside = np.clip(picture - smooth, 0, 1)
    np.testing.assert_allclose(wrapping.periodic(picture), inside, atol=1e-6)


def test_all_bends_inside_stay_and_the_border_bends_around():
    """The periodic part has, of all its neighbours around the edges, the Laplacian that the picture has inside."""
    plane = shaded((37, 53))[..., 0].astype(float)
    found = plane - wrapping.smooth_part(plane)
    around = sum(np.roll(found, shift, axis) for shift in (1, -1) for axis in (0, 1)) - 4 * found
    wide = np.pad(plane, 1, mode="edge")
    inside = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * plane
    np.testing.assert_allclose(around, inside, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.uint16])
def test_edges_meet_however_the_picture_is_stored(dtype):
    picture = shaded((61, 83))
    stored = as_stored(picture, dtype)
    before = stored.copy()
    assert min(wrapping.seams(stored)) > 2
    found = wrapping.periodic(stored)
    assert max(wrapping.seams(found)) < 1.2
    assert found.dtype == np.float32
    np.testing.assert_array_equal(stored, before)
    np.testing.assert_allclose(found, wrapping.periodic(picture), atol=0.003)


def test_a_picture_that_is_periodic_already_stays():
    picture = 0.5 + np.sin(2 * np.pi * np.arange(40) / 40)[:, None, None] * np.full((1, 30, 3), 0.2)
    found = wrapping.periodic(picture.astype(np.float32))
    assert np.abs(found - picture).max() < 0.04


def test_seams_are_measured_in_both_directions():
    picture = np.zeros((10, 7, 3), np.float32)
    picture += np.linspace(0, 1, 7, dtype=np.float32)[:, None]
    found = wrapping.seams(picture)
    assert found.rows == 0
    assert found.columns == pytest.approx(6)
    assert wrapping.seams(np.full((1, 1, 3), 0.5, np.float32)) == (0, 0)
    grain = np.random.default_rng(0).random((90, 70, 3)).astype(np.float32)
    assert wrapping.seams(grain) == pytest.approx((1, 1), abs=0.1)


@pytest.mark.parametrize("size", ODD)
@pytest.mark.parametrize("wanted", [(40, 56), (37, 53), (111, 20), (5, 5), (1, 1)])
def test_resizing_does_not_know_where_the_edges_are(size, wanted):
    picture = np.random.default_rng(1).random((*size, 3)).astype(np.float32)
    found = wrapping.resized(picture, wanted)
    assert found.shape == (*wanted, 3)
    assert found.dtype == np.float32
    if wanted[0] % size[0] == wanted[1] % size[1] == 0:
        rolled = wrapping.resized(np.roll(picture, (1, 1), (0, 1)), wanted)
        again = np.roll(rolled, (-(wanted[0] // size[0]), -(wanted[1] // size[1])), (0, 1))
        np.testing.assert_allclose(again, found, atol=1e-5)


def test_it_grows_as_any_other_picture_does_inside():
    picture = np.random.default_rng(1).random((40, 50, 3)).astype(np.float32)
    there, usual = wrapping.resized(picture, (57, 71)), resize(picture, (57, 71))
    np.testing.assert_allclose(there[6:-6, 6:-6], usual[6:-6, 6:-6], atol=1e-5)
    assert np.abs(there - usual).max() > 0.01
    third = wrapping.resized(picture, (120, 150))
    tiled = cv2.resize(np.tile(picture, (3, 3, 1)), (450, 360), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(third, tiled[120:240, 150:300], atol=1e-5)


def test_a_margin_is_of_the_opposite_edge_however_wide():
    picture = np.arange(6, dtype=np.float32).reshape(2, 3, 1)
    wide = wrapping.margined(picture, 4)
    assert wide.shape == (10, 11, 1)
    rows, columns = np.arange(-4, 6) % 2, np.arange(-4, 7) % 3
    np.testing.assert_array_equal(wide, picture[rows[:, None], columns])
