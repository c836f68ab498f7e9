"""Pictures as they are stored and as float32, in strips and whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dreamer import arrays


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_level_survives_the_way_to_float_and_back(dtype):
    top = np.iinfo(dtype).max
    stored = np.arange(top + 1, dtype=dtype)[None, :, None]
    converted = arrays.as_float(stored)
    assert converted.dtype == np.float32
    assert (converted == (stored / np.float64(top)).astype(np.float32)).all()
    assert (arrays.as_stored(converted, dtype) == stored).all()


def test_float_stays_as_it_is(picture):
    assert arrays.as_float(picture) is picture
    assert arrays.as_stored(picture, np.float32) is picture


def test_strips_cover_every_row_once():
    for height in (1, 63, 64, 65, 200):
        rows = np.concatenate([np.arange(height)[strip] for strip in arrays.strips(height)])
        assert (rows == np.arange(height)).all()


@pytest.mark.parametrize("size", [(1, 1), (64, 100), (91, 40), (130, 203), (131, 50), (65, 101), (200, 300), (90, 300)])
def test_a_stored_picture_is_resized_as_its_float_copy_is(size):
    stored = np.random.default_rng(1).integers(0, 256, (131, 203, 3), dtype=np.uint8)
    resized = arrays.resize_stored(stored, size)
    assert resized.dtype == np.float32
    assert np.abs(resized - arrays.resize(arrays.as_float(stored), size)).max() < 1e-6


def test_a_picture_of_the_right_size_is_not_touched():
    stored = np.zeros((3, 4, 3), np.uint8)
    assert arrays.resize_stored(stored, (3, 4)) is stored


def test_grey_is_three_times_the_same_whatever_the_picture_is_stored_as():
    stored = np.random.default_rng(2).integers(0, 256, (131, 53, 3), dtype=np.uint8)
    whole = arrays.as_float(stored)
    expected = cv2.cvtColor(cv2.cvtColor(whole, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert (arrays.greyscale(stored) == expected).all()
    assert (arrays.greyscale(whole) == expected).all()
