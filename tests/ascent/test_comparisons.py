"""Terms that compare with a photo: their values by hand, their gradients, and the same views for both."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

import dreamer
from dreamer import Objective, objectives
from dreamer.ascent import scoring
from dreamer.backends import backend
from dreamer.errors import ImageReadError, SettingsError
from dreamer.objectives import like, near
from dreamer.targets import resolve

RNG = np.random.default_rng(5)
SHAPES = {"first": (3, 4, 6, 5), "pool": (3, 4)}
FOUND = {name: RNG.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
PHOTO = {name: RNG.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
QUICK = {"size": (40, 56), "steps": 3, "precision": "float32"}


@pytest.fixture
def value(tiny_network, picture):
    def of(make, layer, found, photo, **more):
        resolved = resolve(make(layer, picture, **more), tiny_network)
        numbers = scoring.parameters([resolved] * 3, size=(40, 56))
        activations = {layer: found[layer], scoring.reference_name(0, layer): photo[layer]}
        return np.asarray(scoring.score(scoring.forms(resolved))(activations, numbers))

    return of


def summed(array):
    return array.reshape(3, -1).sum(axis=1)


@pytest.mark.parametrize("layer", ["first", "pool"])
def test_likeness_is_the_dot_product_over_that_of_the_photo_with_itself(value, layer):
    found, photo = FOUND[layer], PHOTO[layer]
    expected = summed(found * photo) / summed(photo**2)
    assert value(like, layer, FOUND, PHOTO) == pytest.approx(expected, rel=1e-4)
    cosine = summed(found * photo) / np.sqrt(summed(found**2) * summed(photo**2))
    assert (cosine < 0.1).any()  # So that its floor is tried too.
    assert value(like, layer, FOUND, PHOTO, power=2) == pytest.approx(expected * np.maximum(cosine, 0.1) ** 2, rel=1e-4)


@pytest.mark.parametrize("layer", ["first", "pool"])
def test_nearness_is_minus_the_distance_in_lengths_of_the_photo(value, layer):
    apart, lengths = (np.linalg.norm(one, axis=-1) for one in (FOUND[layer] - PHOTO[layer], PHOTO[layer]))
    axes = tuple(range(1, apart.ndim))
    assert value(near, layer, FOUND, PHOTO) == pytest.approx(-apart.mean(axis=axes) / lengths.mean(axis=axes), rel=1e-4)
    squared = -(apart**2).mean(axis=axes) / (lengths**2).mean(axis=axes)
    assert value(near, layer, FOUND, PHOTO, squared=True) == pytest.approx(squared, rel=1e-4)


@pytest.mark.parametrize("layer", ["first", "pool"])
def test_the_photo_itself_is_1_and_0(value, layer):
    assert value(like, layer, PHOTO, PHOTO) == pytest.approx(1, rel=1e-5)
    assert value(like, layer, PHOTO, PHOTO, power=3) == pytest.approx(1, rel=1e-4)
    assert value(near, layer, PHOTO, PHOTO) == pytest.approx(0, abs=1e-7)
    assert value(near, layer, PHOTO, PHOTO, squared=True) == pytest.approx(0, abs=1e-7)


def test_a_photo_in_which_nothing_is_found_has_scores_all_the_same(value):
    nothing = {name: np.zeros_like(array) for name, array in PHOTO.items()}
    for make, more in [(like, {}), (like, {"power": 2}), (near, {}), (near, {"squared": True})]:
        assert np.isfinite(value(make, "first", nothing, nothing, **more)).all()


@pytest.mark.parametrize("text", ["like:first", "like:first^2", "near:first", "near:first^2"])
def test_there_is_a_gradient_at_the_photo_itself(tiny_network, picture, text):
    name, _, power = text.partition("^")
    goal = resolve(_of(name, picture, float(power or 0)), tiny_network)
    activations, form = tiny_network.forward(["first"]), scoring.forms(goal)

    def forward(pictures, given):
        return scoring.found(form, activations, pictures, [given[1]])

    gradient = backend.compile_gradient(forward, scoring.alone(goal), beside=1)
    _, found = gradient(np.concatenate([picture, picture], axis=-1)[None], np.zeros(8, np.float32))
    assert found.shape == (1, *picture.shape)
    assert np.isfinite(found).all()
    _, moved = gradient(np.concatenate([0.9 * picture, picture], axis=-1)[None], np.zeros(8, np.float32))
    assert np.isfinite(moved).all()
    assert np.abs(moved).max() > 0


def _of(name, picture, power):
    kind, layer = name.split(":")
    return like(layer, picture, power) if kind == "like" else near(layer, picture, squared=power == 2)


@pytest.mark.parametrize(
    "text",
    ['like:block4b@"a b.jpg"', 'like:block4b@"x.png"^1.5', 'near:"odd layer"@"x.png"', 'near:block4b@"x.png"^2'],
)
def test_they_are_written_as_they_are_read(text):
    goal = Objective.parse(f"{text} - 0.5*block2a")
    assert goal.name == f"{text} - 0.5*block2a"
    assert Objective.parse(goal.name) == goal
    assert goal.files == (text.split("@")[1].split('"')[1],)
    assert goal.with_files(lambda file: f"art/{file}").files == (f"art/{goal.files[0]}",)


def test_a_shell_may_take_the_quotes_off():
    assert Objective.parse("like:block4b@x.png^2") == like("block4b", "x.png", 2)
    assert Objective.parse("near:block4b@x.png^1") == near("block4b", "x.png")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("like:block4b", "@ and a photo, as in like:"),
        ("near:block4b@x.png^3", "1 or 2 as the power"),
        ("like:block4b@x.png^11", "0 to 10"),
        ("near:block4b@<array sha256:00>", "an array was used"),
    ],
)
def test_what_cannot_be_meant_is_said(text, said):
    with pytest.raises(SettingsError, match=said):
        Objective.parse(text)


def test_arrays_are_known_by_their_digest_and_checked(picture):
    assert like("first", picture) == like("first", picture.copy())
    assert like("first", picture) != like("first", picture[::-1])
    assert like("first", picture).name.startswith("like:first@<array sha256:")
    assert len(near("first", picture).label) < 30
    with pytest.raises(SettingsError, match="the photo for 'first' has shape"):
        near("first", np.zeros((4, 5)))


def test_a_photo_that_is_not_there_is_said(tiny_network):
    with pytest.raises(ImageReadError, match=r"nowhere\.png"):
        resolve(like("first", "nowhere.png"), tiny_network)


def test_both_are_seen_through_the_same_views(tiny_network, picture):
    """However the views shift, scale, turn and crop: the photo itself stays at 1 and 0."""
    transforms = {"views": 3, "jitter": [9], "scale": [0.8, 1.4], "rotate": 20, "crop": [0.5, 0.5], "noise": [0.1, 0.1]}
    for goal, expected in [(like("first", picture), 1), (like("second", picture, 2), 1), (near("first", picture), 0)]:
        steps = dreamer.visualize_steps(goal, network=tiny_network, start=picture, transforms=transforms, **QUICK)
        assert next(steps).scores[0] == pytest.approx(expected, abs=2e-3)


def test_a_picture_comes_nearer_and_others_are_left_alone(tiny_network, picture):
    settings = QUICK | {"steps": 40, "parametrization": "pixels", "learning_rate": 0.1, "transforms": "none"}
    goals = [near("first", picture), near("first", picture[::-1])]
    alone = dreamer.visualize(goals[0], network=tiny_network, **settings)
    both = dreamer.visualize(goals, network=tiny_network, **settings)
    assert alone.score > 0.6 * alone.first_score
    assert both[0].score == pytest.approx(alone.score, rel=1e-3)


def test_they_mix_with_other_terms_in_one_picture(tiny_network, picture):
    terms = [like("first", picture), near("second", picture[::-1]), objectives.channel("second", 1)]
    single = [
        dreamer.visualize(one, network=tiny_network, start=picture, **QUICK | {"steps": 1}).first_score for one in terms
    ]
    goal = terms[0] + 0.5 * terms[1] - 2 * terms[2]
    mixed = dreamer.visualize(goal, network=tiny_network, start=picture, **QUICK | {"steps": 1})
    assert mixed.first_score == pytest.approx(single[0] + 0.5 * single[1] - 2 * single[2], rel=1e-3)


DREAM = {"octaves": 2, "steps": 3, "precision": "float32", "seed": 3}


@pytest.mark.parametrize("tile", [512, 32])
def test_a_dream_that_compares_is_the_same_on_the_device(picture, tile):
    """With turns, shifts and tiles: the photo is cut and seen as the dream is."""
    goal = near("block2b", picture[:, ::-1]) + 0.5 * like("block2b", picture[::-1], 1)
    settings = DREAM | {"objective": goal, "rotate": 5, "scale": 0.1, "tile": tile}
    found, expected = (list(dreamer.dream_steps(picture, **settings, stay_on_device=there)) for there in (True, False))
    assert [step.score for step in found] == pytest.approx([step.score for step in expected], rel=5e-3)
    assert expected[2].score > expected[0].score
    assert np.abs(found[-1].render() - expected[-1].render()).mean() < 2e-3


@pytest.mark.parametrize("there", [False, True])
def test_a_dream_of_the_photo_itself_begins_at_1_and_0(tiny_network, picture, there):
    for goal, expected in [(like("first", picture), 1), (near("first", picture), 0)]:
        settings = DREAM | {"objective": goal, "rotate": 9, "scale": 0.2, "jitter": 7, "tile": 32, "octaves": 1}
        step = next(dreamer.dream_steps(picture, network=tiny_network, stay_on_device=there, **settings))
        assert step.score == pytest.approx(expected, abs=1e-5)


def test_a_custom_score_has_its_reference_in_a_dream(tiny_network, picture):
    def apart(seen):
        return -ops.mean(ops.square(seen.activations["first"] - seen.reference["first"]), axis=(1, 2, 3))

    goal = objectives.custom("apart", ["first"], apart, reference=picture[::-1])
    steps = list(dreamer.dream_steps(picture, network=tiny_network, **DREAM | {"objective": goal, "steps": 10}))
    assert steps[9].score > steps[0].score


def test_a_recipe_has_the_photo_with_its_digest(tiny_network, picture, tmp_path):
    photo = tmp_path / "photo.png"
    dreamer.images.write(photo, dreamer.images.Photo(picture), recipe={})
    goal = like("first", photo)
    drawn = dreamer.visualize(goal, network=tiny_network, **QUICK)
    assert drawn.recipe["files_sha256"].keys() == {str(photo)}
    dream = dreamer.dream(picture, network=tiny_network, **DREAM | {"objective": goal})
    assert dream.recipe["files_sha256"].keys() == {str(photo)}
    assert Objective.parse(dream.recipe["settings"]["objective"]) == goal
