"""Caricatures, inversions and accentuations: what they do to a photo, and what their recipes say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from keras import ops
from PIL import Image

import dreamer
from dreamer import Objective, images, objectives
from dreamer.errors import ImageReadError, SettingsError, UnknownLayerError
from dreamer.targets import resolve
from dreamer.visualizing import photos
from dreamer.visualizing.balancing import balanced
from dreamer.visualizing.settings import VisualizeSettings

SMALL = {"size": 56, "precision": "float32"}


@pytest.fixture
def photo(tmp_path, picture):
    path = tmp_path / "a photo.png"
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(path)
    return path


def activations(network, layer, pixels):
    found = np.asarray(network.forward([layer])(np.asarray(pixels, np.float32)[None])[layer], np.float64)
    return found.ravel()


def cosine(one, other):
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def test_a_caricature_has_more_of_what_the_layer_finds(tiny_network, picture):
    (found,) = dreamer.caricature(picture, "first", network=tiny_network, steps=30, **SMALL)
    assert found.pixels.shape == (39, 56, 3)
    assert found.first_score == pytest.approx(1, abs=1e-3)
    assert found.score > 1.1
    photo = dreamer.arrays.resize(picture, (39, 56))
    before, after = (activations(tiny_network, "first", one) for one in (photo, found.pixels))
    assert np.linalg.norm(after) > 1.1 * np.linalg.norm(before)
    assert cosine(before, after) > 0.5
    (held,) = dreamer.caricature(picture, ["first"], power=10, network=tiny_network, steps=30, **SMALL)
    assert cosine(before, activations(tiny_network, "first", held.pixels)) > cosine(before, after)


def test_a_caricature_without_layers_takes_three_early_to_late(lite0, picture):
    run = photos.caricature_run(picture, network=lite0, **SMALL)
    layers = [next(iter(objective.layers)) for objective in run.objectives]
    assert run.titles == layers
    assert len(layers) == 3
    assert set(layers) <= set(lite0.dreams_well)
    assert sorted(layers, key=lite0.layers.index) == layers


def test_an_inversion_finds_what_the_photo_has_from_noise(tiny_network, picture):
    found = dreamer.invert(picture, "first", network=tiny_network, steps=200, **SMALL)
    photo = dreamer.arrays.resize(picture, (39, 56))
    before, after = (activations(tiny_network, "first", one) for one in (photo, found.pixels))
    assert found.cosine == pytest.approx(cosine(before, after), abs=1e-4)
    assert found.cosine >= 0.95
    assert found.recipe["cosine"] == found.cosine
    assert np.corrcoef(found.pixels.ravel(), photo.ravel())[0, 1] < 0.999  # It is no copy.
    other = dreamer.invert(picture, "first", network=tiny_network, steps=1, **SMALL)
    assert other.cosine < 0.9


def test_the_weight_of_an_anchor_makes_both_gradients_as_large(tiny_network, picture):
    """By finite differences, of a step away from the photo."""
    goal, anchor = objectives.channel("second", 2), objectives.near("first", picture)
    weight = balanced(goal, anchor, picture, tiny_network)
    assert balanced(goal, 4 * anchor, picture, tiny_network) == pytest.approx(weight / 4, rel=1e-4)
    assert balanced(3 * goal, anchor, picture, tiny_network) == pytest.approx(weight * 3, rel=1e-3)

    def score(pixels):
        return activations(tiny_network, "second", pixels).reshape(-1, 4)[:, 2].mean()

    photo_there = activations(tiny_network, "first", picture).reshape(-1, 5)

    def distance(pixels):
        here = activations(tiny_network, "first", pixels).reshape(-1, 5)
        return np.linalg.norm(here - photo_there, axis=1).mean() / np.linalg.norm(photo_there, axis=1).mean()

    def slope(function, pixels, where):
        moved = [pixels.copy(), pixels.copy()]
        moved[0][where] += 0.02
        moved[1][where] -= 0.02
        return (function(moved[0]) - function(moved[1])) / 0.04

    rng = np.random.default_rng(0)
    places = [tuple(rng.integers(0, side) for side in picture.shape) for _ in range(400)]
    # A mean over some pixels, of a direction that is itself found from many.
    climb = np.zeros_like(picture)
    tensor = _gradient(tiny_network, goal, picture)
    climb += tensor / np.sqrt(np.mean(tensor**2)) * 0.02
    there = np.clip(picture + climb, 0, 1)
    sums = [sum(abs(slope(function, there, place)) for place in places) for function in (score, distance)]
    assert weight == pytest.approx(sums[0] / sums[1], rel=0.1)


def _gradient(network, goal, picture):
    from dreamer.ascent import scoring
    from dreamer.backends import backend

    forward = network.forward(goal.layers)
    gradient = backend.compile_gradient(lambda x, _: forward(x), scoring.alone(resolve(goal, network)))
    return gradient(picture[None], np.zeros(8, np.float32))[1][0]


def test_an_accentuation_says_its_weight_and_stays_near(tiny_network, photo):
    settings = SMALL | {"steps": 20, "network": tiny_network}
    far, held = (
        dreamer.accentuate(photo, "second:2", "first", anchor_weight=share, **settings) for share in (0.01, 10)
    )
    (_, target), (weight, anchor) = held.objective.terms
    assert (str(target), str(anchor)) == ("second:2", f'near:first@"{photo}"')
    assert held.recipe["targets"] == [f'second:2 + {weight:g}*near:first@"{photo}"']
    assert weight == pytest.approx(1000 * far.objective.terms[1][0], rel=1e-2)
    start = dreamer.arrays.resize(images.read(photo).pixels, held.pixels.shape[:2])
    assert np.abs(held.pixels - start).mean() < 0.7 * np.abs(far.pixels - start).mean()
    assert (held.alpha.min(), held.alpha.max()) == (0, 1)
    opaque = dreamer.accentuate(photo, "second:2", "first", alpha=False, **settings | {"steps": 1})
    assert opaque.alpha is None


def test_a_target_without_a_slope_cannot_be_balanced(tiny_network, picture):
    flat = objectives.custom("flat", ["first"], lambda found: 0 * ops.mean(found["first"], axis=(1, 2, 3)))
    with pytest.raises(SettingsError, match="flat has no slope at the photo"):
        photos.accentuation_run(picture, flat, "first", network=tiny_network, **SMALL)


@pytest.mark.parametrize("weight", [0, -1, float("nan"), 1e6])
def test_an_impossible_weight_of_an_anchor_is_refused(tiny_network, picture, weight):
    with pytest.raises(SettingsError, match="the weight of the anchor"):
        photos.accentuation_run(picture, "second:1", "first", anchor_weight=weight, network=tiny_network)


def test_a_recipe_draws_it_again(tiny_network, photo):
    made = [
        *dreamer.caricature(photo, "first", network=tiny_network, steps=3, **SMALL),
        dreamer.invert(photo, "first", network=tiny_network, steps=3, **SMALL),
        dreamer.accentuate(photo, "second:1", "first", network=tiny_network, steps=3, **SMALL),
    ]
    for one, command in zip(made, ("caricature", "invert", "accentuate"), strict=True):
        recipe = json.loads(json.dumps(one.recipe))
        assert recipe["command"] == command
        assert set(recipe["files_sha256"]) == {str(photo)}
        settings = VisualizeSettings.of(**recipe["settings"])
        again = dreamer.visualize(Objective.parse(recipe["targets"][0]), settings, network=tiny_network)
        assert (again.pixels == one.pixels).all()


def test_an_interrupt_keeps_what_there_is(tiny_network, picture):
    def stop(step):
        if step.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(dreamer.Interrupted) as caught:
        dreamer.invert(picture, "first", network=tiny_network, steps=9, on_step=stop, **SMALL)
    (kept,) = caught.value.partial
    assert kept.recipe["partial"]["step"] == 2
    assert -1 <= kept.cosine <= 1


def test_a_dense_layer_works_too(tiny_network, picture):
    settings = SMALL | {"steps": 10, "transforms": "none"}
    (found,) = dreamer.caricature(picture, "pool", network=tiny_network, **settings)
    assert found.score > 1.05
    assert dreamer.invert(picture, "pool", network=tiny_network, **settings | {"steps": 60}).cosine > 0.9


@pytest.mark.parametrize(("size", "expected"), [((1, 1), (56, 56)), ((30, 20), (56, 37)), ((2000, 1500), (56, 42))])
def test_results_have_the_proportions_of_the_photo(tiny_network, picture, size, expected):
    small = np.clip(dreamer.arrays.resize(picture, size), 0, 1)
    (found,) = dreamer.caricature(small, "first", network=tiny_network, steps=1, **SMALL)
    assert found.pixels.shape[:2] == expected
    assert np.isfinite(found.pixels).all()


def test_what_cannot_be_is_said(tiny_network, picture, photo):
    narrow = np.zeros((2, 90, 3), np.float32)
    with pytest.raises(SettingsError, match=r"the photo is 2x90, .* would have 1 pixels; expected 16 or more"):
        dreamer.caricature(narrow, "first", network=tiny_network, **SMALL)
    with pytest.raises(SettingsError, match="start is for visualize"):
        dreamer.invert(picture, "first", network=tiny_network, start=photo)
    with pytest.raises(SettingsError, match="diversity is for visualize"):
        dreamer.invert(picture, "first", network=tiny_network, diversity=2)
    with pytest.raises(SettingsError, match="size is 5"):
        dreamer.invert(picture, "first", network=tiny_network, size=5)
    with pytest.raises(SettingsError, match="there is no setting 'stepz'"):
        dreamer.invert(picture, "first", network=tiny_network, stepz=5)
    with pytest.raises(UnknownLayerError, match="no layer 'nowhere'"):
        dreamer.invert(picture, "nowhere", network=tiny_network, **SMALL)
    with pytest.raises(ImageReadError, match=r"nothing\.png"):
        dreamer.invert("nothing.png", "first", network=tiny_network)


def test_a_turned_photo_and_one_with_alpha_are_taken_upright(tiny_network, tmp_path, picture):
    stored = Image.fromarray((picture * 255).round().astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned by a quarter.
    stored.save(tmp_path / "turned.jpg", exif=exif)
    (found,) = dreamer.caricature(tmp_path / "turned.jpg", "first", network=tiny_network, steps=1, **SMALL)
    assert found.pixels.shape == (56, 39, 3)
    stored.putalpha(100)
    stored.save(tmp_path / "alpha.png")
    (found,) = dreamer.caricature(tmp_path / "alpha.png", "first", network=tiny_network, steps=1, **SMALL)
    assert found.pixels.shape == (39, 56, 3)
    assert found.first_score == pytest.approx(1, abs=1e-3)
