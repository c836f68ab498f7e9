"""Grounds: what a dream of nothing begins with."""

from __future__ import annotations

import numpy as np
import pytest

from dreamer import memory, wrapping
from dreamer.arrays import resize
from dreamer.dreaming import grounds
from dreamer.dreaming.settings import GROUNDS, DreamSettings
from dreamer.dreaming.sizes import check_room, output_size
from dreamer.errors import SettingsError

SIZES = [(37, 53), (1, 9), (9, 1), (1, 1), (2, 130), (64, 64)]


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("size", SIZES)
def test_a_ground_has_any_size_and_is_the_seeds(ground, size):
    found = grounds.drawn(ground, size, 3)
    assert found.shape == (*size, 3)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_array_equal(found, grounds.drawn(ground, size, 3))
    if ground != "grey" and size[0] > 9:
        assert np.abs(found - grounds.drawn(ground, size, 4)).mean() > 0.02


@pytest.mark.parametrize("ground", ["noise", "gradient"])
def test_a_seed_is_composed_alike_at_any_size(ground):
    small = grounds.drawn(ground, (45, 80), 1)
    large = resize(grounds.drawn(ground, (180, 320), 1), (45, 80))
    coarse = [resize(one, (9, 16)).ravel() for one in (small, large)]
    assert np.corrcoef(*coarse)[0, 1] > 0.9  # The larger one has finer noise besides.
    other = resize(grounds.drawn(ground, (180, 320), 2), (9, 16)).ravel()
    assert np.corrcoef(coarse[0], other)[0, 1] < 0.7


@pytest.mark.parametrize("ground", ["noise", "gradient"])
@pytest.mark.parametrize("size", [(90, 141), (63, 40)])
def test_a_ground_has_no_edges(ground, size):
    found = grounds.drawn(ground, size, 5)
    assert max(wrapping.seams(found)) < 1.6
    assert max(wrapping.seams(found[:, : size[1] // 2])) > 2.5  # As a part of it would have.


def test_the_noise_is_soft_and_as_loud_at_every_scale():
    found = grounds.drawn("noise", (256, 256), 0).mean(axis=-1)
    assert 0.06 < found.std() < 0.16
    power = np.abs(np.fft.fft2(found - found.mean())) ** 2
    far = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    bands = [power[(far >= low) & (far < 2 * low)].sum() for low in (1 / 128, 1 / 64, 1 / 32)]
    assert max(bands) < 3 * min(bands)


def test_a_gradient_has_several_colours_and_no_detail():
    found = grounds.drawn("gradient", (120, 160), 0)
    assert found.std(axis=(0, 1)).min() > 0.04
    assert np.abs(np.diff(found, axis=0)).max() < 0.06


def test_a_photo_of_nothing_needs_a_size():
    photo = grounds.photo_of(DreamSettings(size=(20, 30), ground="grey"))
    assert photo.pixels.shape == (20, 30, 3)
    assert photo.alpha is None
    with pytest.raises(SettingsError, match="no photo to dream of"):
        grounds.photo_of(DreamSettings())


def test_sizes_follow_upscale_and_then_the_most():
    assert output_size((20, 30), DreamSettings()) == (20, 30)
    assert output_size((20, 30), DreamSettings(upscale=1.5)) == (30, 45)
    assert output_size((20, 30), DreamSettings(upscale=4, max_size=60)) == (40, 60)


def test_what_is_too_large_is_refused(monkeypatch):
    with pytest.raises(SettingsError, match="40000 x 30000 pixels, more than the limit of 500,000,000"):
        check_room((30_000, 40_000), DreamSettings(size=(30_000, 40_000)))
    with pytest.raises(SettingsError, match="a smaller upscale"):
        check_room((100, 100), DreamSettings(upscale=2), max_pixels=39_999)
    check_room((100, 100), DreamSettings(upscale=2), max_pixels=40_000)
    check_room((100, 100), DreamSettings(), max_pixels=1)  # A photo that does not grow was looked at before.
    monkeypatch.setattr(memory, "free", lambda: 1e6)
    with pytest.raises(SettingsError, match=r"need about 0\.0 GB of memory"):
        check_room((200, 200), DreamSettings(size=(200, 200)))
    check_room((200, 200), DreamSettings(size=(200, 200)), preview=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": (0, 5)}, "size is"),
        ({"size": (5,)}, "size is"),
        ({"size": "640x480"}, "size is"),
        ({"size": (True, 5)}, "size is"),
        ({"size": (5, 5.5)}, "size is"),
        ({"size": (5, 2_000_000)}, "size is"),
        ({"ground": "sand"}, "ground is"),
        ({"tileable": 1}, "tileable is"),
        ({"tileable": "yes"}, "tileable is"),
        ({"upscale": 0.5}, "upscale is"),
        ({"upscale": 9}, "upscale is"),
        ({"size": (5, 5), "upscale": 2}, "give one"),
        ({"tileable": True, "frames": 2}, "frames or tileable"),
    ],
)
def test_impossible_settings_are_refused(given, said):
    with pytest.raises(SettingsError, match=said):
        DreamSettings(**given)


def test_they_are_told_only_where_they_are_used():
    assert DreamSettings(size=[3, 4]).to_dict()["size"] == [3, 4]
    assert not {"size", "ground", "tileable", "upscale"} & set(DreamSettings().to_dict())
    told = DreamSettings(size=(np.int64(3), 4), ground="grey", tileable=True).to_dict()
    assert DreamSettings.of(**told) == DreamSettings(size=(3, 4), ground="grey", tileable=True)
    assert DreamSettings(tileable=True).work_bytes > DreamSettings().work_bytes
