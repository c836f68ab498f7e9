"""Dreams whose opposite edges meet."""

from __future__ import annotations

import numpy as np
import pytest

import dreamer
from dreamer import images, wrapping
from dreamer.ascent.conditioning import CONDITIONINGS, MARGIN, around
from dreamer.ascent.pulling import Pulling
from dreamer.ascent.tile_view import View
from dreamer.ascent.tiling import Tiling, tiled
from dreamer.dreaming.masks import feathered
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.masking.calming import busy

SIZES = [(37, 53), (40, 41), (1, 9), (200, 3)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tile", [32, 64, 512])
@pytest.mark.parametrize("ladder", [False, True])
def test_tiles_go_around_the_edges_and_show_each_pixel_once(size, tile, ladder):
    picture = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    out = np.empty_like(picture)
    gradient = tiled(lambda tiles, _matrix: (np.ones(len(tiles)), tiles), Tiling(tile, 8, ladder=ladder, wraps=True))
    for shift in ((0.0, 0.0), (-1.0, 1.0), (0.3, -0.77)):
        gradient(picture, View(shift), out)
        np.testing.assert_array_equal(out, picture)


def test_the_grid_begins_anywhere():
    axis = Tiling(512, 32, wraps=True).grid((53, 53)).rows
    begins = [axis.begin(fraction) for fraction in np.linspace(-1, 1, 2000)]
    assert set(begins) == set(range(53))
    laid = axis.laid(0.5)
    assert sorted(laid.source.ravel()) == list(range(53))
    assert laid.source[0, 0] == axis.begin(0.5)
    back, seen = laid.back(60)
    assert seen.tolist() == [True] * 53 + [False] * 7
    np.testing.assert_array_equal(laid.source.ravel()[back[:53]], np.arange(53))


@pytest.mark.parametrize("name", ["smooth", "laplacian", "none"])
def test_a_conditioned_gradient_does_not_know_where_the_edges_are(name):
    condition = around(CONDITIONINGS[name].host)
    gradient = np.random.default_rng(0).standard_normal((48, 64, 3)).astype(np.float32)
    one, other = gradient.copy(), np.roll(gradient, (16, 32), (0, 1))
    condition(one, 0.5)
    condition(other, 0.5)
    np.testing.assert_allclose(np.roll(other, (-16, -32), (0, 1)) / one.std(), one / one.std(), atol=0.15)
    assert MARGIN % 16 == 0


def test_a_prior_sees_around_the_edges():
    class Blur:
        variables = ()

        def of_picture(self, picture, _noise):
            return np.roll(picture, 3, 0) - picture  # Wrong in its first rows, for whoever has no margin.

    picture = np.random.default_rng(0).random((37, 53, 3)).astype(np.float32)
    photo = np.full_like(picture, 0.5)
    moved = picture.copy()
    Pulling(Blur(), 1.0, (0.1, 0.1), wraps=True).on_host(photo, 4)(moved, 0)
    np.testing.assert_allclose(moved, np.roll(picture, 3, 0), atol=1e-6)


def test_a_mask_that_ends_at_one_edge_ends_softly_at_the_other():
    mask = np.zeros((60, 60), np.uint8)
    mask[:10] = 255
    assert feathered(mask, (60, 60), 0.05)[-1].max() == 0
    found = feathered(mask, (60, 60), 0.05, wraps=True)
    np.testing.assert_allclose(found[-1].astype(int), found[10].astype(int), atol=1)


def test_what_is_busy_at_one_edge_is_so_beyond_the_other():
    photo = np.full((90, 120, 3), 0.5, np.float32)
    photo[:45] = np.random.default_rng(0).random((45, 120, 3))
    assert busy(photo, (90, 120))[-1].max() < 0.1
    found = busy(photo, (90, 120), wraps=True)
    assert found[-1].mean() == pytest.approx(found[45].mean(), abs=0.1)


@pytest.mark.parametrize("conditioning", ["smooth", "laplacian", "none"])
@pytest.mark.parametrize("stays", [False, True])
def test_edges_of_a_dream_meet(tiny_network, picture, conditioning, stays):
    """A photo's own shapes are cut at its edges, which a network may see; a ground has no edges at all."""
    told = {"octaves": 2, "steps": 12, "step_size": 0.02, "objective": "first", "conditioning": conditioning}
    ramp = np.clip(picture * 0.5 + np.linspace(0, 0.5, 37, dtype=np.float32)[:, None, None], 0, 1)

    def worst(photo, **more):
        *_, last = dreamer.dream_steps(photo, network=tiny_network, stay_on_device=stays, **told, **more)
        return max(wrapping.seams(last.render()))

    assert worst(None, size=(37, 53), tileable=True) < 1.35
    assert worst(ramp, tileable=True) < 0.7 * worst(ramp)


def test_both_ways_to_climb_give_the_same(tiny_network, picture):
    told = {"octaves": 2, "steps": 4, "objective": "first", "tileable": True, "rotate": 10, "scale": 0.1}
    made = []
    for stays in (False, True):
        for step in dreamer.dream_steps(picture, network=tiny_network, stay_on_device=stays, **told):
            last = step
        made.append(last.render())
    np.testing.assert_allclose(made[0], made[1], atol=2e-3)


@pytest.mark.parametrize("size", [(37, 53), (1, 9), (16, 16)])
def test_any_size_can_be_tileable(tiny_network, size):
    photo = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    found = dreamer.dream(photo, network=tiny_network, objective="first", steps=2, tileable=True)
    assert found.photo.pixels.shape == (*size, 3)


def test_a_photo_and_nothing_have_no_seams(samples, lite0):
    told = {"network": lite0, "steps": 8, "tileable": True, "objective": "block3b"}
    photo = dreamer.dream(samples / "coffee.png", max_size=240, **told)
    assert max(wrapping.seams(photo.photo.pixels)) < 1.35
    nothing = dreamer.dream(size=(131, 180), seed=3, **told)
    assert max(wrapping.seams(nothing.photo.pixels)) < 1.35
    shifted = np.roll(nothing.photo.pixels, (60, 70), (0, 1))
    assert max(wrapping.seams(shifted)) < 1.35  # So is any other place.
    again = dreamer.dream(size=(131, 180), seed=3, **told)
    np.testing.assert_array_equal(again.photo.pixels, nothing.photo.pixels)
    photo_again = dreamer.dream(samples / "coffee.png", max_size=240, **told)
    np.testing.assert_array_equal(photo_again.photo.pixels, photo.photo.pixels)


def test_presets_know_it(tmp_path):
    preset = tmp_path / "tiles.toml"
    preset.write_text('title = "t"\ndescription = "d"\ntileable = true\nsize = [30, 40]\nground = "grey"\n')
    found = dreamer.presets.find(str(preset)).settings()
    assert (found.tileable, found.size, found.ground) == (True, (30, 40), "grey")
    preset.write_text('title = "t"\ndescription = "d"\ntileable = "yes"\n')
    with pytest.raises(SettingsError, match="tileable is 'yes'; expected true or false"):
        dreamer.presets.find(str(preset)).settings()


@pytest.mark.parametrize("more", [{"tileable": True}, {"upscale": 2}, {"size": (20, 30)}])
def test_a_video_has_none_of_it(more):
    from dreamer.filming.timeline import Look, Timeline

    with pytest.raises(SettingsError, match=f"{next(iter(more))} is for"):
        Timeline((Look(0, DreamSettings(**more)),))


def test_a_folder_takes_what_photos_can_have(tmp_path, picture, samples):
    photos = tmp_path / "photos"
    photos.mkdir()
    images.write(photos / "a.png", images.Photo(picture), recipe={})
    told = {"steps": 2, "octaves": 1, "objective": "block2b", "tileable": True, "upscale": 1.5}
    made = dreamer.batch(photos, tmp_path / "dreams", **told)
    assert made.tally.counts["done"] == 1
    found = images.read(tmp_path / "dreams" / "a.png").pixels
    assert found.shape == (56, 80, 3)
    for more in ({"size": (20, 30)}, {"ground": "grey"}):
        with pytest.raises(SettingsError, match="a folder has photos"):
            dreamer.batch(photos, tmp_path / "others", **more)


def test_it_is_told_in_the_recipe_and_dreamt_again(tmp_path, picture):
    photo = tmp_path / "photo.png"
    images.write(photo, images.Photo(picture), recipe={})
    told = {"steps": 2, "octaves": 2, "objective": "block2b"}
    first = dreamer.dream(photo, tileable=True, upscale=1.7, **told)
    assert first.recipe["settings"]["tileable"] is True
    assert first.recipe["settings"]["upscale"] == 1.7
    first.save(tmp_path / "first.png")
    dreamer.dream_again(tmp_path / "first.png").save(tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "first.png").read_bytes()
    desk = dreamer.dream(size=(41, 60), ground="gradient", seed=4, **told)
    assert desk.recipe["source"] == {}
    desk.save(tmp_path / "desk.png")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = elsewhere / "desk.png"
    moved.write_bytes((tmp_path / "desk.png").read_bytes())
    dreamer.dream_again(moved).save(elsewhere / "again.png")
    assert (elsewhere / "again.png").read_bytes() == moved.read_bytes()
    of_photo = dreamer.dream_again(moved, photo)
    assert of_photo.photo.pixels.shape == (37, 53, 3)
    assert "size" not in of_photo.recipe["settings"]


def test_a_photo_and_a_size_are_too_much(picture):
    with pytest.raises(SettingsError, match="there is a photo"):
        dreamer.dream(picture, size=(20, 30))
    with pytest.raises(SettingsError, match="no photo to dream of"):
        dreamer.dream()


def test_frames_of_nothing(tiny_network):
    told = {"size": (33, 47), "frames": 2, "steps": 2, "octaves": 1, "objective": "first", "network": tiny_network}
    steps = list(dreamer.zoom_steps(**told))
    assert {step.frame for step in steps} == {0, 1}
    assert steps[-1].dream.render().shape == (33, 47, 3)
