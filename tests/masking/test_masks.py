"""Masks that are made from the photo, and dreams that are confined to them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PIL import Image

import dreamer
from dreamer import images, objectives
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.masks import mask_of_file
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import planned_steps
from dreamer.errors import ImageReadError, SettingsError
from dreamer.filming.shots import _without_mask_video
from dreamer.filming.timeline import Look, Timeline
from dreamer.masking.calls import levels_of
from dreamer.presets import preset as presets
from dreamer.presets.text import of_dream
from dreamer.trust import named_files

QUICK = {"objective": "block2b", "octaves": 2, "steps": 2, "precision": "float32"}
SKIES = {
    "blue": ([0.25, 0.45, 0.8], [0.7, 0.8, 0.95]),
    "sunset": ([0.3, 0.25, 0.5], [1.0, 0.65, 0.3]),
    "night": ([0.02, 0.03, 0.1], [0.08, 0.1, 0.25]),
    "grey": ([0.8, 0.8, 0.82], [0.92, 0.92, 0.9]),
}


def landscape(height=120, width=170, sky="blue", clouds=False):
    """A graded sky over rough ground, and where the sky is: the horizon goes up and down."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    line = height * (0.45 + 0.08 * np.sin(x / width * 9))
    top, bottom = (np.array(one, np.float32) for one in SKIES[sky])
    share = (y / height * 2)[..., None].clip(0, 1)
    picture = top + share * (bottom - top)
    if clouds:
        blots = np.exp(-((x - 60) ** 2 / 700 + (y - 25) ** 2 / 90))[..., None]
        picture = picture + 0.6 * blots * (0.97 - picture)
    ground = rng.random((height // 2 + 1, width // 2 + 1, 1)).repeat(2, 0).repeat(2, 1)[:height, :width]
    ground = (0.08 + 0.35 * ground) * np.array([0.9, 1, 0.5])
    above = y < line
    return np.where(above[..., None], picture, ground).clip(0, 1).astype(np.float32), above


def overlap(mask, wanted):
    """The share of both that is in both: 1 where they are the same."""
    inside = np.asarray(mask) > 0.5
    return (inside & wanted).sum() / (inside | wanted).sum()


def levels(result):
    assert np.array_equal(result.pixels[..., 0], result.pixels[..., 2])
    return result.pixels[..., 0]


@pytest.mark.parametrize(("sky", "clouds"), [*product(SKIES, [False]), ("blue", True)])
def test_a_sky_is_found_whatever_its_colours(sky, clouds):
    photo, above = landscape(sky=sky, clouds=clouds)
    found = levels(dreamer.mask(photo, "sky"))
    assert overlap(found, above) > 0.93
    assert found[0].min() == 1
    assert found[-1].max() == 0


@pytest.mark.parametrize("size", [(61, 203), (211, 67), (400, 333)])
def test_sizes_and_shapes_do_not_matter(size):
    photo, above = landscape(*size)
    found = dreamer.mask(photo, "sky")
    assert found.pixels.shape == (*size, 3)
    assert overlap(levels(found), above) > 0.85


def test_the_mask_ends_at_the_edge_of_the_photo():
    photo, above = landscape(600, 900)
    found = levels(dreamer.mask(photo, "sky"))
    border = np.abs(np.diff((found > 0.5).astype(int), axis=0)).argmax(axis=0)
    wanted = np.abs(np.diff(above.astype(int), axis=0)).argmax(axis=0)
    assert np.median(np.abs(border - wanted)) <= 3


def test_where_there_is_no_sky_it_is_said(samples):
    for photo in (samples / "coffee.png", np.random.default_rng(0).random((60, 80, 3)).astype(np.float32)):
        with pytest.raises(SettingsError, match="the mask sky would be empty: there is no sky"):
            dreamer.mask(photo, "sky")


def test_a_rocket_at_dusk_has_a_sky(samples):
    found = levels(dreamer.mask(samples / "rocket.jpg", "sky"))
    assert found[60:250, 110:170].min() > 0.9  # Between the towers.
    assert found[200:400, 318:326].max() < 0.1  # The rocket.
    assert found[420:].max() < 0.1


def test_the_subject_is_what_the_network_answers_to(samples):
    cat = levels(dreamer.mask(samples / "cat.png", "subject"))
    assert cat[80:220, 120:300].mean() > 0.95  # Its face.
    assert cat[:100, 400:].mean() < 0.2  # The ground behind it.
    rocket = levels(dreamer.mask(samples / "rocket.jpg", "subject"))
    assert rocket[200:380, 315:330].mean() > 0.9
    assert rocket[:100, 100:540].max() < 0.1


def test_edges_are_soft_bands_on_contours_and_nowhere_else():
    y, x = np.mgrid[:90, :131]
    disc = (x - 60) ** 2 + (y - 45) ** 2 < 30**2
    photo = np.where(disc[..., None], [0.9, 0.3, 0.2], [0.1, 0.2, 0.5]).astype(np.float32)
    found = levels(dreamer.mask(photo, "edges"))
    distance = np.abs(np.hypot(x - 60, y - 45) - 30)
    assert found[distance < 1].min() > 0.5
    assert found[distance > 8].max() == 0
    assert ((found > 0.05) & (found < 0.95)).sum() > 100
    grey = np.full((40, 50, 3), 0.4, np.float32)
    with pytest.raises(SettingsError, match="there are no edges"):
        dreamer.mask(grey, "edges")


def test_edges_of_equal_lightness_count_and_fine_texture_does_not():
    halves = np.full((80, 100, 3), [0.6, 0.2, 0.2], np.float32)
    halves[:, 50:] = [0.2, 0.404, 0.2]
    halves += np.random.default_rng(1).normal(0, 0.03, halves.shape).astype(np.float32)
    found = levels(dreamer.mask(halves.clip(0, 1), "edges"))
    assert found[:, 49:51].min() > 0.5
    assert found[:, :40].max() < 0.1


@pytest.mark.parametrize("kind", ["subject", "sky", "edges"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (2, 2)])
def test_tiny_photos_have_a_mask_or_a_sentence(kind, shape):
    photo = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    try:
        found = dreamer.mask(photo, kind)
    except SettingsError as error:
        assert "would be empty" in str(error)  # noqa: PT017
    else:
        assert found.pixels.shape == (*shape, 3)


@pytest.mark.parametrize("kind", ["subject", "sky", "edges"])
def test_equal_photos_have_equal_masks(kind, samples):
    photo = images.read(samples / "rocket.jpg", compact=True).pixels
    first = levels_of(photo, kind)
    np.random.default_rng().random(3)
    import cv2

    cv2.setRNGSeed(99)
    assert np.array_equal(levels_of(photo.copy(), kind), first)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_is_upright_as_dreams_are(tmp_path, orientation):
    photo, _ = landscape()
    stored = Image.fromarray((photo * 255).round().astype(np.uint8))
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # Pillow's transpositions that an orientation asks for.
    back = {0: 0, 1: 1, 2: 4, 3: 3, 4: 2, 5: 5, 6: 6}
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(back[turns[orientation]]))
    exif = Image.Exif()
    exif[274] = orientation
    stored.save(tmp_path / "turned.png", exif=exif)
    found = levels(dreamer.mask(tmp_path / "turned.png", "sky"))
    assert found.shape == photo.shape[:2]
    assert np.array_equal(found, levels(dreamer.mask((photo * 255).round().astype(np.uint8), "sky")))


def test_grey_and_transparent_photos_have_masks_too(tmp_path):
    photo, above = landscape()
    stored = Image.fromarray((photo * 255).round().astype(np.uint8))
    stored.convert("L").save(tmp_path / "grey.png")
    stored.putalpha(100)
    stored.save(tmp_path / "alpha.png")
    for name in ("grey", "alpha"):
        assert overlap(levels(dreamer.mask(tmp_path / f"{name}.png", "sky")), above) > 0.9


def test_a_saved_mask_is_one_grey_channel_of_the_size_of_the_photo(tmp_path):
    photo, _ = landscape()
    found = dreamer.mask(photo, "sky", invert=True)
    found.save(tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as read:
        assert (read.mode, read.size) == ("L", (170, 120))
        assert "icc_profile" not in read.info
        assert np.array_equal(np.asarray(read), (levels(found) * 255).round())
    recipe = images.read_recipe(tmp_path / "mask.png")
    assert (recipe["command"], recipe["kind"], recipe["invert"]) == ("mask", "sky", True)
    assert np.allclose(levels(found), 1 - levels(dreamer.mask(photo, "sky")), atol=1e-6)
    found.save(tmp_path / "mask.jpg")  # Other formats hold colours.
    assert images.read(tmp_path / "mask.jpg").pixels.shape == (120, 170, 3)


def test_what_cannot_be_is_said(tmp_path):
    photo, _ = landscape()
    with pytest.raises(SettingsError, match="there is no mask 'moon'; expected one of subject, sky, edges"):
        dreamer.mask(photo, "moon")
    with pytest.raises(ImageReadError):
        dreamer.mask(tmp_path / "none.png", "sky")


def test_a_named_mask_is_used_as_its_file_would_be(tmp_path, lite0):
    photo, _ = landscape()
    dreamer.mask(photo, "sky").save(tmp_path / "mask.png")
    named = dreamer.dream(photo, mask="sky", feather=0, **QUICK)
    assert np.array_equal(named.pixels, dreamer.dream(photo, mask=tmp_path / "mask.png", feather=0, **QUICK).pixels)
    changed = np.abs(named.pixels - photo).max(axis=2)
    assert changed[:20].mean() > 0.005
    assert changed[-20:].max() < 1e-6
    other = dreamer.dream(photo, mask="sky", mask_invert=True, feather=0, **QUICK)
    changed = np.abs(other.pixels - photo).max(axis=2)
    assert changed[:20].max() < 1e-6
    assert changed[-20:].mean() > 0.005


def test_a_recipe_names_the_kind_and_gives_the_same_bytes(tmp_path, lite0):
    photo, _ = landscape()
    Image.fromarray((photo * 255).round().astype(np.uint8)).save(tmp_path / "photo.png")
    made = dreamer.dream(tmp_path / "photo.png", mask="sky", mask_invert=True, **QUICK)
    made.save(tmp_path / "dream.png")
    recipe = images.read_recipe(tmp_path / "dream.png")
    assert (recipe["settings"]["mask"], recipe["settings"]["mask_invert"], recipe["files_sha256"]) == ("sky", True, {})
    dreamer.dream_again(tmp_path / "dream.png").save(tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "dream.png").read_bytes()


def test_older_recipes_stay_what_they_were():
    assert "mask_invert" not in DreamSettings(mask="sky").to_dict()
    assert DreamSettings(mask="sky", mask_invert=True).to_dict()["mask_invert"] is True


def test_a_zoom_has_the_mask_of_its_photo_in_every_frame(lite0):
    photo, _ = landscape()
    made = dreamer.zoom_steps(photo, mask="sky", feather=0, frames=3, zoom=1.3, note=pytest.fail, **QUICK)
    finishes = [step.dream._finish for step in made if step.dream.is_last]
    assert len(finishes) == 3
    for one in finishes:
        assert np.array_equal(one._mask, levels_of(photo, "sky"))


def test_steps_of_a_plan_make_the_mask_themselves(lite0):
    photo, _ = landscape()
    plan = dreamer.DreamPlan.of(DreamSettings(mask="sky", feather=0, **QUICK))
    last = list(planned_steps(plan, photo, note=pytest.fail))[-1]
    assert np.abs(last.render() - photo)[-20:].max() < 1e-6


def test_what_is_not_found_ends_the_dream_before_it_begins(samples):
    with pytest.raises(SettingsError, match="there is no sky"):
        dreamer.dream(samples / "coffee.png", mask="sky", **QUICK)


def test_inverted_masks_of_files_with_and_without_alpha(tmp_path):
    half = np.zeros((10, 12, 4), np.uint8)
    half[:, :6] = 255
    Image.fromarray(half).save(tmp_path / "alpha.png")
    Image.fromarray(half[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(np.full((10, 12), 255, np.uint8)).save(tmp_path / "white.png")
    photo, dream = np.zeros((10, 12, 3), np.float32), np.ones((10, 12, 3), np.float32)
    for name in ("alpha", "grey"):
        settings = DreamSettings(mask=str(tmp_path / f"{name}.png"), feather=0, mask_invert=True)
        shown = Finish(settings)(dream, photo)
        assert shown[:, :6].max() == 0
        assert shown[:, 6:].min() == 1
        confined = dream.copy()
        Finish(settings).confine(confined, photo)
        assert np.array_equal(confined, shown)
    white = DreamSettings(mask=str(tmp_path / "white.png"), mask_invert=True)
    with pytest.raises(SettingsError, match="inverted wholly black"):
        Finish(white).check_mask((10, 12))


def test_an_inversion_needs_a_mask_and_is_true_or_false():
    with pytest.raises(SettingsError, match="and there is none; give a mask"):
        DreamSettings(mask_invert=True)
    with pytest.raises(SettingsError, match="mask_invert is 'yes'; expected true or false"):
        DreamSettings(mask="sky", mask_invert="yes")


def test_a_file_of_the_name_of_a_kind_is_written_with_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.full((4, 5), 255, np.uint8)).save("sky", format="PNG")
    assert DreamSettings(mask="sky").files == ()
    assert named_files(DreamSettings(mask="sky").values()) == []
    for given in ("./sky", presets.Path("sky")):
        settings = DreamSettings(mask=given)
        assert settings.files == ("./sky",)
        assert mask_of_file(settings).shape == (4, 5)


def test_presets_hold_names_and_files_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head = 'title = "t"\ndescription = "d"\nobjective = "block2b"\n'
    for mask, wanted in (("sky", "sky"), ("./sky", "./sky"), ("sky.png", "sky.png")):
        (tmp_path / "mine.toml").write_text(f'{head}mask = "{mask}"\nmask_invert = true\n')
        settings = presets.find("./mine.toml").settings()
        assert (settings.mask, settings.mask_invert) == (wanted, True)
        (tmp_path / "again.toml").write_text(of_dream("again", settings, "a test"))
        again = presets.find("./again.toml", trust=True).settings()
        assert again.mask == ("sky" if mask == "sky" else str(tmp_path / mask))
        assert again.mask_invert


def test_a_video_is_refused_a_mask_that_would_flicker():
    for looks in ([DreamSettings(mask="sky")], [DreamSettings(), DreamSettings(mask="edges")]):
        with pytest.raises(SettingsError, match="would flicker between frames"):
            Timeline(tuple(Look(float(time), settings) for time, settings in enumerate(looks)))


def test_masks_that_are_videos_are_inverted_too(tiny_network):
    settings = DreamSettings(mask="clip.mp4", mask_invert=True, feather=0)
    given = np.zeros((10, 12), np.uint8)
    given[:, :6] = 255
    photo, dream = np.zeros((10, 12, 3), np.float32), np.ones((10, 12, 3), np.float32)
    shown = Finish(settings, masks=lambda _: given)(dream, photo)
    assert shown[:, :6].max() == 0
    assert shown[:, 6:].min() == 1
    plan = DreamPlan(tiny_network, settings, objectives.layer("second"), {})
    assert _without_mask_video(plan).settings == DreamSettings(feather=0)
