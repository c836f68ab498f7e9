"""Dreams that are larger than their photo."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import dreamer
from dreamer import images
from dreamer.dreaming.calls import zoom_steps
from dreamer.dreaming.photo import PhotoDream
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import octave_sizes, planned_steps
from dreamer.errors import SettingsError

QUICK = {"steps": 1, "octaves": 2, "objective": "first"}


@pytest.mark.parametrize(("factor", "size"), [(2, (74, 106)), (1.5, (56, 80)), (1, (37, 53)), (8, (296, 424))])
def test_a_dream_is_so_many_times_larger(tiny_network, picture, factor, size):
    found = dreamer.dream(picture, network=tiny_network, upscale=factor, **QUICK)
    assert found.photo.pixels.shape == (*size, 3)


def test_it_is_capped_by_the_most(tiny_network, picture):
    found = dreamer.dream(picture, network=tiny_network, upscale=4, max_size=60, **QUICK)
    assert max(found.photo.pixels.shape) == 60


def test_octaves_are_added_on_top():
    photo = np.zeros((300, 400, 3), np.uint8)
    usual, grown = octave_sizes(photo, DreamSettings()), octave_sizes(photo, DreamSettings(upscale=2))
    assert grown[-1] == (600, 800)
    assert len(grown) == len(usual) + 2


def test_without_a_dream_it_is_the_photo_enlarged(tiny_network, picture):
    found = dreamer.dream(picture, network=tiny_network, upscale=2, strength=0, **QUICK)
    small = found.photo.pixels.reshape(37, 2, 53, 2, 3).mean((1, 3))
    assert np.abs(small - picture).max() < 0.03


def test_it_is_not_enlarged_twice_however_it_is_dreamt(tiny_network, picture):
    told = DreamSettings(upscale=2, **QUICK)
    run = PhotoDream(images.Photo(picture), told, network=tiny_network)
    whole = [step.render() for step in run.steps(note=print)][-1]
    assert whole.shape == (74, 106, 3)
    alone = [step.render() for step in planned_steps(run.plan, picture, note=print)][-1]
    np.testing.assert_allclose(alone, whole, atol=1e-5)
    assert run.recipe()["settings"]["upscale"] == 2
    preview = dreamer.dream(picture, told, network=tiny_network, preview=True)
    np.testing.assert_allclose(preview.photo.pixels, whole, atol=1e-5)


def test_frames_of_a_zoom_keep_the_size(tiny_network, picture):
    steps = zoom_steps(picture, network=tiny_network, upscale=2, frames=3, **QUICK)
    shapes = [step.dream.render().shape for step in steps]
    assert set(shapes) == {(74, 106, 3)}


def test_what_travels_along_has_the_new_size(tiny_network, picture, tmp_path):
    photo, dreamt = tmp_path / "photo.png", tmp_path / "dream.png"
    alpha = np.zeros((37, 53), np.uint8)
    alpha[:, 20:] = 255
    rgba = np.dstack([(picture * 255).round().astype(np.uint8), alpha])
    exif = Image.Exif()
    exif[271] = "Maker"
    exif.get_ifd(0x8769).update({0xA002: 53, 0xA003: 37})
    Image.fromarray(rgba).save(photo, exif=exif)
    dreamer.dream(photo, network=tiny_network, upscale=1.5, **QUICK).save(dreamt)
    with Image.open(dreamt) as found:
        assert found.size == (80, 56)
        assert found.getexif()[271] == "Maker"
        details = found.getexif().get_ifd(0x8769)
        assert (details[0xA002], details[0xA003]) == (80, 56)
        shown = np.asarray(found)[..., 3]
    assert shown[:, :25].max() == 0
    assert shown[:, 35:].min() == 255


def test_one_that_becomes_too_large_is_refused(tiny_network):
    photo = np.broadcast_to(np.uint8(7), (9_000, 9_000, 3))
    with pytest.raises(SettingsError, match="72000 x 72000 pixels, more than the limit"):
        dreamer.dream(photo, network=tiny_network, upscale=8)
