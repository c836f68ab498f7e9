"""Calm places of a photo, and dreams that are quiet there."""

from __future__ import annotations

import numpy as np
import pytest

import dreamer
from dreamer import images
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.masking.calming import busy

SIZE = (90, 131)


def halves(low=0.3, high=0.7):
    """Smooth on the left, with fine structure on the right of column 65."""
    photo = np.full((*SIZE, 3), 0.5, np.float32)
    photo[:, 65:] = np.random.default_rng(0).uniform(low, high, (SIZE[0], SIZE[1] - 65, 3))
    return photo


def test_what_has_structure_is_busy_and_what_has_none_is_calm():
    found = busy(halves(), SIZE)
    assert found.dtype == np.float32
    assert found.shape == SIZE
    assert found[:, :55].max() < 0.02
    assert found[:, 75:].min() > 0.98


def test_a_single_edge_makes_nothing_busy():
    photo = halves()
    photo[:, 65:] = 0.9
    photo[40:44, 10:14] = np.random.default_rng(1).uniform(0, 1, (4, 4, 3))  # And something small.
    assert busy(np.tile(photo, (4, 4, 1))[:200, :300], (200, 300)).mean() < 0.1


def test_noise_of_a_camera_is_calm():
    photo = halves()
    photo[:, :65] += np.random.default_rng(1).normal(0, 0.004, (SIZE[0], 65, 3)).astype(np.float32)
    assert busy(photo, SIZE)[:, :55].max() < 0.05


def test_in_a_foggy_photo_the_busiest_places_count():
    found = busy(halves(0.475, 0.525), SIZE)
    assert found[:, 75:].mean() > 0.9
    assert found[:, :55].max() < 0.02


def test_it_ends_at_the_edges_of_the_photo():
    photo = halves()
    without = busy(photo, SIZE).mean(0)
    photo[:, 65:] -= 0.35
    found = busy(photo, SIZE).mean(0)
    assert found[65] > 0.95 > without[65]
    assert found[63] < without[63]


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (40, 2)])
def test_photos_of_any_size_and_depth(size):
    for dtype in (np.uint8, np.uint16, np.float32):
        photo = np.zeros((*size, 3), dtype)
        assert np.isfinite(busy(photo, size)).all()


def test_the_same_places_are_found_at_any_size():
    photo = halves()
    assert np.abs(busy(photo, (45, 66))[:, 5:60:5] - busy(photo, SIZE)[::2, 10:120:10]).max() < 0.1


@pytest.mark.parametrize("calm", [0.0, 0.4, 1.0])
def test_the_dream_is_quiet_where_the_photo_is_calm(calm):
    photo = halves()
    dream = np.clip(photo + 0.2, 0, 1)
    shown = Finish(DreamSettings(calm=calm), photo=photo)(dream, photo)
    assert np.allclose((shown - photo)[:, 5:50], 0.2 * (1 - calm), atol=2e-3)
    assert np.allclose((shown - photo)[:, 80:], 0.2, atol=5e-3)


def test_where_all_is_calm_the_photo_stays_to_the_bit():
    photo = np.full((*SIZE, 3), 90, np.uint8)
    dream = np.full((*SIZE, 3), 0.9, np.float32)
    assert np.array_equal(Finish(DreamSettings(calm=1), photo=photo)(dream, photo, np.uint8), photo)


@pytest.mark.parametrize("colors", ["free", "keep", "luminance"])
def test_what_the_finish_does_it_does_there_too(colors):
    photo = halves()
    photo[..., 0] += 0.2
    dream = np.clip(photo + 0.2, 0, 1)
    shown = Finish(DreamSettings(calm=1, saturation=0, contrast=1.5, colors=colors), photo=photo)(dream, photo)
    assert np.ptp(shown, axis=-1).max() < 1e-6
    assert np.allclose(shown[:, 5:50], shown[0, 5], atol=2e-3)


def test_it_goes_with_a_mask(tmp_path):
    mask = np.zeros(SIZE, np.float32)
    mask[:45] = 1
    images.write(tmp_path / "mask.png", images.Photo(np.repeat(mask[..., None], 3, 2)), recipe=None)
    photo = halves()
    settings = DreamSettings(calm=1, mask=str(tmp_path / "mask.png"), feather=0)
    changed = np.abs(Finish(settings, photo=photo)(np.clip(photo + 0.2, 0, 1), photo) - photo).max(-1)
    assert changed[:, :50].max() == 0
    assert changed[50:].max() == 0
    assert changed[:40, 80:].min() > 0.19


def test_nothing_grows_in_calm_places_between_octaves(tiny_network):
    photo = halves()
    kept = dreamer.dream(photo, network=tiny_network, calm=1.0, objective="second", octaves=3, steps=3, seed=1).pixels
    loud = dreamer.dream(photo, network=tiny_network, objective="second", octaves=3, steps=3, seed=1).pixels
    assert np.array_equal(kept[:, :45], photo[:, :45])
    assert np.abs(loud[:, :45] - photo[:, :45]).max() > 0.01
    assert np.abs(kept[:, 80:] - photo[:, 80:]).max() > 0.01


def test_without_it_dreams_are_told_what_they_were_told_before():
    assert "calm" not in DreamSettings().to_dict()
    assert DreamSettings(calm=0.5).to_dict()["calm"] == 0.5
    assert DreamSettings(calm=0.5).digest() != DreamSettings().digest()


@pytest.mark.parametrize("calm", [-0.1, 1.1, "much", None, True])
def test_impossible_ones(calm):
    with pytest.raises(SettingsError, match="calm is"):
        DreamSettings(calm=calm)
