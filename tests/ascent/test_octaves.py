from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from dreamer.arrays import as_float, resize
from dreamer.ascent import octaves


def test_sizes_grow_by_the_scale_up_to_the_pictures_own():
    assert octaves.sizes((301, 402), octaves=3, octave_scale=2) == [(75, 100), (150, 201), (301, 402)]


def test_height_comes_first():
    assert all(height < width for height, width in octaves.sizes((200, 900), octaves=4, octave_scale=1.4))


def test_octaves_too_small_to_see_anything_are_left_out():
    assert octaves.sizes((40, 60), octaves=9, octave_scale=2) == [(20, 30), (40, 60)]
    assert octaves.sizes((1, 1), octaves=5, octave_scale=1.4) == [(1, 1)]
    assert octaves.sizes((1, 1), octaves=None, octave_scale=1.4) == [(1, 1)]


@pytest.mark.parametrize("size", [(427, 640), (854, 1280), (4000, 6000)])
@pytest.mark.parametrize("octave_scale", [1.2, 1.4, 2.0])
def test_left_open_the_smallest_octave_is_alike_at_any_resolution(size, octave_scale):
    smallest = octaves.sizes(size, octaves=None, octave_scale=octave_scale)[0]
    assert 150 / octave_scale**0.5 - 1 <= min(smallest) <= 150 * octave_scale**0.5 + 1


@pytest.mark.parametrize("size", [(20, 31), (37, 53), (80, 90)])
def test_a_picture_that_was_not_changed_carries_nothing(picture, size):
    small = resize(picture, (19, 27))
    assert octaves.carry(small, picture, size) == pytest.approx(np.clip(resize(picture, size), 0, 1), abs=1e-6)


def test_detail_is_carried_and_the_source_stays_sharp(picture):
    small = resize(picture, (19, 27))
    brighter = np.clip(small + np.float32(0.05), 0, 1)
    carried = octaves.carry(brighter, picture, (37, 53))
    assert carried == pytest.approx(np.clip(picture + 0.05, 0, 1), abs=1e-5)


def test_carry_leaves_its_arguments_alone_and_shares_no_memory(picture):
    before = picture.copy()
    dreamt = np.clip(picture + np.float32(0.1), 0, 1)
    carried = octaves.carry(dreamt, picture, (37, 53))
    carried[:] = 0
    assert (picture == before).all()
    assert dreamt.any()


def test_a_dream_begins_with_the_photo_in_memory_of_its_own(picture):
    assert octaves.begin(picture, (19, 27)) == pytest.approx(resize(picture, (19, 27)), abs=1e-6)
    whole = octaves.begin(picture, (37, 53))
    assert (whole == picture).all()
    assert not np.shares_memory(whole, picture)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(90, 71), (131, 203)])
def test_a_source_as_it_is_stored_gives_what_it_gives_as_float(dtype, size):
    source = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (131, 203, 3), dtype, endpoint=True)
    dreamt = np.clip(octaves.begin(source, (65, 51)) + np.float32(0.1), 0, 1)
    assert (octaves.carry(dreamt, source, size) == octaves.carry(dreamt, as_float(source), size)).all()


def test_carrying_to_full_size_makes_no_further_picture_of_that_size():
    source = np.zeros((1400, 2100, 3), np.uint8)
    dreamt = octaves.begin(source, (1000, 1500))
    tracemalloc.start()
    carried = octaves.carry(dreamt, source, (1400, 2100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < carried.nbytes + dreamt.nbytes + 4e6


def test_carrying_on_the_way_there_stays_below_what_the_largest_octave_needs():
    source = np.zeros((2100, 2800, 3), np.uint8)
    dreamt = octaves.begin(source, (1071, 1429))
    tracemalloc.start()
    octaves.carry(dreamt, source, (1500, 2000))
    peak = tracemalloc.get_traced_memory()[1] + dreamt.nbytes
    tracemalloc.stop()
    # That is the picture and its gradient as float32.
    assert peak < 2 * 4 * source.nbytes
