"""How a dream becomes the picture that is shown: numbers, not looks."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.dreaming.finish import BLEND_FUNCTIONS, Finish
from dreamer.dreaming.masks import feathered, mask_of
from dreamer.dreaming.settings import BLENDS, COLORS, DreamSettings
from dreamer.errors import SettingsError

LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture
def photo():
    """Taller than two strips, in levels: (150, 31, 3)."""
    return np.random.default_rng(1).integers(60, 190, (150, 31, 3)).astype(np.uint8)


@pytest.fixture
def dream(photo):
    noise = np.random.default_rng(2).normal(size=photo.shape) * (0.05, 0.1, 0.02) + (0.1, -0.05, 0)
    return np.clip(photo / 255 + noise, 0, 1).astype(np.float32)


def finished(dream, photo, dtype=np.float32, **keywords):
    return Finish(DreamSettings(**keywords))(dream, photo, dtype)


def test_the_default_is_the_dream_itself_and_nothing_given_is_changed(dream, photo):
    before = dream.copy(), photo.copy()
    assert (finished(dream, photo) == dream).all()
    finished(dream, photo, contrast=2, saturation=0.5, colors="keep", blend="screen", strength=0.4)
    assert (dream == before[0]).all()
    assert (photo == before[1]).all()


@pytest.mark.parametrize(
    "keywords", [{}, {"contrast": 2.0}, {"colors": "keep"}, {"blend": "multiply", "saturation": 0}]
)
def test_without_strength_the_photo_stays_to_the_bit(dream, photo, keywords):
    assert (finished(dream, photo, np.uint8, strength=0, **keywords) == photo).all()


def test_strength_is_an_opacity(dream, photo):
    found = finished(dream, photo, strength=0.25)
    assert np.allclose(found, 0.75 * photo / 255 + 0.25 * dream, atol=1e-6)


def test_luminance_takes_brightness_from_the_dream_and_colours_from_the_photo(dream, photo):
    found = finished(dream, photo, colors="luminance").astype(float)
    inside = (found > 0).all(axis=-1) & (found < 1).all(axis=-1)
    assert inside.mean() > 0.9
    assert np.allclose((found @ LUMA)[inside], (dream @ LUMA)[inside], atol=1e-5)
    # Differences of channels are what colour is.
    assert np.allclose(np.diff(found)[inside], np.diff(photo / 255)[inside], atol=1e-5)


def test_kept_colours_have_mean_and_covariance_of_the_photo(dream, photo):
    found = finished(dream, photo, colors="keep").reshape(-1, 3)
    flat = photo.reshape(-1, 3) / 255
    assert np.allclose(found.mean(axis=0), flat.mean(axis=0), atol=1e-3)
    assert np.allclose(np.cov(found.T), np.cov(flat.T), rtol=0.03, atol=2e-4)
    assert not np.allclose(np.cov(dream.reshape(-1, 3).T), np.cov(flat.T), rtol=0.03, atol=2e-4)


def test_kept_colours_turn_the_palette_as_a_whole():
    """Each colour goes with the others as in the photo, not only as far from the mean."""
    random = np.random.default_rng(5)
    reddish = np.array([[1, 0.1, 0], [0, 0.2, 0.1], [0, 0, 0.1]]) * 0.1
    bluish = np.array([[0.1, 0.1, 0.3], [0, 0.3, 0.6], [0, 0, 1]]) * 0.1
    photo, dream = ((0.5 + random.normal(size=(60, 60, 3)) @ mixed).clip(0, 1) for mixed in (reddish, bluish))
    found = finished(dream.astype(np.float32), photo.astype(np.float32), colors="keep")
    wanted = np.cov(photo.reshape(-1, 3).T)
    assert np.abs(np.cov(found.reshape(-1, 3).T) - wanted).max() < 0.02 * np.abs(wanted).max()


def test_kept_colours_of_a_dream_without_any_are_numbers(photo):
    grey = np.repeat(np.random.default_rng(0).random((150, 31, 1)), 3, axis=2).astype(np.float32)
    assert np.isfinite(finished(grey, photo, colors="keep")).all()
    assert np.isfinite(finished(np.full_like(grey, 0.5), photo, colors="keep")).all()


def test_kept_colours_of_a_grey_photo_are_grey():
    grey = np.repeat(np.random.default_rng(0).random((40, 30, 1)), 3, axis=2).astype(np.float32)
    dream = np.clip(grey + np.random.default_rng(1).normal(size=(40, 30, 3)) * 0.1, 0, 1).astype(np.float32)
    assert np.ptp(finished(dream, grey, colors="keep"), axis=-1).mean() < 0.1 * np.ptp(dream, axis=-1).mean()


def test_saturation_and_contrast(dream, photo):
    grey = finished(dream, photo, saturation=0)
    assert np.allclose(grey, (dream @ LUMA)[..., None], atol=1e-6)
    flat = finished(dream, photo, contrast=0)
    assert np.allclose(flat, (dream @ LUMA).mean(), atol=1e-5)
    strong = finished(dream, photo, contrast=1.2)
    assert np.allclose(strong.std(), 1.2 * dream.std(), rtol=0.02)
    assert np.allclose((strong @ LUMA).mean(), (dream @ LUMA).mean(), atol=2e-3)


@pytest.mark.parametrize("contrast", [0.5, 1.5])
def test_contrast_keeps_bright_what_is_bright(dream, photo, contrast):
    mean = (dream @ LUMA).mean()
    expected = np.clip(mean + contrast * (dream - mean), 0, 1)
    assert np.allclose(finished(dream, photo, contrast=contrast), expected, atol=1e-5)


@pytest.mark.parametrize("saturation", [0.5, 1.5])
def test_saturation_keeps_red_what_is_red(dream, photo, saturation):
    grey = (dream @ LUMA)[..., None]
    expected = np.clip(grey + saturation * (dream - grey), 0, 1)
    assert np.allclose(finished(dream, photo, saturation=saturation), expected, atol=1e-5)


def test_saturation_comes_before_contrast_and_only_the_result_is_cut_to_the_range(dream, photo):
    grey = (dream @ LUMA)[..., None]
    saturated = grey + 3 * (dream - grey)
    mean = (dream @ LUMA).mean()
    expected = np.clip(mean + 2 * (saturated - mean), 0, 1)
    found = finished(dream, photo, saturation=3, contrast=2)
    assert np.allclose(found, expected, atol=1e-5)
    assert (found.min(), found.max()) == (0, 1)


def test_contrast_turns_about_the_brightness_of_what_was_blended(dream, photo):
    layer = photo / 255 * dream
    mean = (layer @ LUMA).mean()
    expected = np.clip(mean + 1.5 * (layer - mean), 0, 1)
    assert np.allclose(finished(dream, photo, blend="multiply", contrast=1.5), expected, atol=1e-5)


def test_without_its_cut_a_layer_would_be_laid_over_the_photo_too_strongly(dream, photo):
    whole = finished(dream, photo, contrast=5)
    assert np.allclose(finished(dream, photo, contrast=5, strength=0.6), 0.4 * photo / 255 + 0.6 * whole, atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("normal", 0.75),
        ("multiply", 0.3),
        ("screen", 0.85),
        ("overlay", 0.6),
        ("soft-light", 0.4 + 0.5 * (0.4**0.5 - 0.4)),
        ("hard-light", 0.7),
        ("darken", 0.4),
        ("lighten", 0.75),
        ("difference", 0.35),
    ],
)
def test_blend_modes_as_the_w3c_defines_them(mode, expected):
    below, layer = np.full((2, 3, 3), 0.4, np.float32), np.full((2, 3, 3), 0.75, np.float32)
    assert np.allclose(finished(layer, below, blend=mode), expected, atol=1e-6)


def test_soft_light_of_dark_colours():
    below, layer = np.array([0.2, 0.2], np.float32), np.array([0.75, 0.25], np.float32)
    expected = [0.2 + 0.5 * (((16 * 0.2 - 12) * 0.2 + 4) * 0.2 - 0.2), 0.2 - 0.5 * 0.2 * 0.8]
    assert np.allclose(BLEND_FUNCTIONS["soft-light"](below, layer), expected, atol=1e-6)


def test_every_choice_of_the_settings_exists(dream, photo):
    assert set(BLEND_FUNCTIONS) == set(BLENDS)
    for colors in COLORS:
        assert finished(dream, photo, np.uint8, colors=colors).dtype == np.uint8


def test_a_mask_says_where_and_leaves_the_rest_to_the_bit(dream, photo, tmp_path):
    mask = np.zeros((75, 15), np.uint8)
    mask[:, 8:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    found = finished(dream, photo, np.uint8, mask=str(tmp_path / "mask.png"), feather=0, contrast=1.5)
    unmasked = finished(dream, photo, np.uint8, contrast=1.5)
    assert (found[:, :15] == photo[:, :15]).all()
    assert (found[:, 19:] == unmasked[:, 19:]).all()
    assert (unmasked[:, :15] != photo[:, :15]).any()


def mask_file(folder, levels):
    """The path of a mask of one row."""
    path = folder / f"mask-{len(levels)}-{max(levels)}.png"
    Image.fromarray(np.array([levels], np.uint8)).save(path)
    return str(path)


def test_a_white_mask_shows_the_dream_a_black_one_the_photo_and_a_grey_one_some_of_both(dream, photo, tmp_path):
    for level in (255, 128, 51, 0):
        opacity = level / 255
        for strength in (1, 0.25):
            found = finished(dream, photo, mask=mask_file(tmp_path, [level]), strength=strength)
            expected = photo / 255 + strength * opacity * (dream - photo / 255)
            assert np.allclose(found, expected, atol=1e-6)


def test_a_mask_confines_what_the_next_octave_begins_with(dream, photo, tmp_path):
    for level in (255, 128, 0):
        confined = dream.copy()
        Finish(DreamSettings(mask=mask_file(tmp_path, [level]))).confine(confined, photo)
        assert np.allclose(confined, photo / 255 + level / 255 * (dream - photo / 255), atol=1e-6)


def test_a_mask_is_fitted_anew_to_each_size(dream, photo, tmp_path):
    finish = Finish(DreamSettings(mask=mask_file(tmp_path, 40 * [0] + 40 * [255]), feather=0))
    for height, width in ((150, 30), (40, 8), (150, 30)):
        found = finish(dream[:height, :width], photo[:height, :width], np.uint8)
        assert (found[:, : width // 2 - 1] == photo[:height, : width // 2 - 1]).all()
        assert (found[:, width // 2 + 1 :] != photo[:height, width // 2 + 1 : width]).any()


def test_the_mask_of_a_dream_is_as_soft_as_was_said(tmp_path):
    def levels(feather):
        """How many degrees of opacity there are from the black side to the white one."""
        finish = Finish(DreamSettings(mask=mask_file(tmp_path, 40 * [0] + 40 * [255]), feather=feather))
        return len(np.unique(finish(np.ones((40, 80, 3), np.float32), np.zeros((40, 80, 3), np.uint8)).round(3)))

    assert levels(0) < levels(0.02) < levels(0.1)


@pytest.mark.parametrize("levels", [[0], [0, 0, 0]])
def test_a_mask_that_leaves_nothing_to_see_is_said(levels, tmp_path):
    with pytest.raises(SettingsError, match="wholly black"):
        Finish(DreamSettings(mask=mask_file(tmp_path, levels))).check_mask((30, 40))


def test_a_mask_counts_as_black_at_the_size_of_the_dream(tmp_path):
    levels = np.zeros((400, 400), np.uint8)
    levels[7, 7] = 255
    Image.fromarray(levels).save(tmp_path / "speck.png")
    finish = Finish(DreamSettings(mask=str(tmp_path / "speck.png"), feather=0))
    finish.check_mask((400, 400))
    with pytest.raises(SettingsError, match="at 10x10"):
        finish.check_mask((10, 10))
    Finish(DreamSettings()).check_mask((10, 10))
    Finish(DreamSettings(mask=mask_file(tmp_path, [0, 9]))).check_mask((10, 10))


def test_transparency_of_a_mask_counts_before_its_brightness():
    bright = np.ones((2, 2, 3), np.float32)
    alpha = np.array([[0, 255], [128, 255]], np.uint8)
    assert mask_of(images.Photo(bright, alpha=alpha)).tolist() == alpha.tolist()
    assert (mask_of(images.Photo(bright * np.float32(0.5))) == 128).all()


def test_a_feathered_edge_is_soft_as_far_as_was_said_at_any_size():
    mask = np.zeros((60, 100), np.uint8)
    mask[:, 50:] = 255
    assert set(np.unique(feathered(mask, (60, 100), 0))) == {0, 255}
    for size in ((60, 100), (600, 1000), (30, 50)):
        edge = feathered(mask, size, 0.05)[size[0] // 2].astype(float) / 255
        assert (np.diff(edge) >= 0).all()
        # A blurred edge has risen from 16 to 84 % within two deviations.
        assert abs((edge > 0.84).argmax() - (edge > 0.16).argmax() - 2 * 0.05 * size[1]) <= max(2, 0.02 * size[1])
