from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from dreamer.ascent import conditioning
from dreamer.dreaming.settings import CONDITIONINGS

RNG = np.random.default_rng(2)


@pytest.fixture
def gradient():
    return RNG.normal(0, 3, (37, 53, 3)).astype(np.float32) + np.float32(0.7)


def test_normalize_gives_root_mean_square_one(gradient):
    expected = gradient / np.sqrt((gradient.astype(np.float64) ** 2).mean())
    conditioning.normalize(gradient)
    assert gradient == pytest.approx(expected, rel=1e-5)


def test_normalize_keeps_an_empty_gradient_empty():
    empty = np.zeros((4, 5, 3), np.float32)
    conditioning.normalize(empty)
    assert not empty.any()


@pytest.mark.parametrize("size", [(37, 53), (64, 32), (5, 41), (1, 9), (2, 2)])
@pytest.mark.parametrize("levels", [0, 1, 4])
def test_laplacian_levels_sum_to_the_gradient(size, levels):
    gradient = RNG.normal(size=(*size, 3)).astype(np.float32)
    before = gradient.copy()
    bands = conditioning.laplacian_levels(gradient, levels)
    assert conditioning.merge_levels(bands) == pytest.approx(before, abs=1e-5)
    assert (gradient == before).all()


def test_laplacian_lifts_the_weak_low_frequencies(gradient):
    x = np.arange(53, dtype=np.float32)
    wave = np.sin(2 * np.pi * x / 53)[None, :, None]
    weak = 0.05 * wave + 0.5 * (-1.0) ** x[None, :, None]
    mixed = np.broadcast_to(weak, (37, 53, 3)).astype(np.float32).copy()

    def share(values):
        return abs((values * wave).sum()) / np.sqrt((values**2).sum() * 37 * 3 * (wave**2).sum())

    before = share(mixed)
    conditioning.laplacian(mixed, 1.0)
    assert share(mixed) > 3 * before


def test_smooth_has_mean_zero_and_deviation_one_and_widens(gradient):
    early, late = gradient.copy(), gradient.copy()
    conditioning.smooth(early, 0.05)
    conditioning.smooth(late, 1.0)
    for smoothed in (early, late):
        assert smoothed.mean() == pytest.approx(0, abs=1e-4)
        assert smoothed.std() == pytest.approx(1, abs=1e-4)
    assert np.abs(np.diff(late, axis=0)).mean() < 0.8 * np.abs(np.diff(early, axis=0)).mean()


def test_smooth_is_the_mean_of_three_blurs(gradient):
    expected = sum(cv2.GaussianBlur(gradient, (0, 0), (2 * 0.6 + 0.5) * factor) for factor in (0.5, 1, 2))
    expected = (expected - expected.mean()) / expected.std()
    conditioning.smooth(gradient, 0.6)
    # OpenCV cuts its kernels off at four sigma and mirrors at the edges after each blur.
    assert gradient == pytest.approx(expected, abs=0.01)


def blurred_whole(gradient, progress):
    """What `smooth` does, for a whole picture at once."""
    sigma = 2 * progress + 0.5
    blurs = [gradient]
    for step in (0.5, 0.75**0.5, 3**0.5):
        blurs.append(cv2.GaussianBlur(blurs[-1], (0, 0), sigma * step))
    total = sum(blurs[1:])
    total -= total.mean(dtype=np.float64)
    return total / max(conditioning.rms(total), 1e-30)


@pytest.mark.parametrize("progress", [0.05, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 1300), (700, 1), (256, 1024), (257, 1025), (310, 1111), (771, 67)])
def test_smooth_works_in_blocks_that_do_not_show(size, progress):
    gradient = RNG.normal(0.2, 3, (*size, 3)).astype(np.float32)
    expected = blurred_whole(gradient, progress)
    conditioning.smooth(gradient, progress)
    assert np.abs(gradient - expected).max() < 1e-6


def test_smooth_needs_little_beside_the_gradient():
    gradient = RNG.normal(size=(3000, 2000, 3)).astype(np.float32)
    tracemalloc.start()
    conditioning.smooth(gradient, 1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < gradient.nbytes / 2


def test_every_name_has_its_conditioning():
    assert tuple(conditioning.CONDITIONINGS) == CONDITIONINGS
