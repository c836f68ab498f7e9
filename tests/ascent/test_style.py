"""Style: Gram matrices by hand, what they do not depend on, and pictures that come nearer to a painting."""

from __future__ import annotations

import numpy as np
import pytest

import dreamer
from dreamer import Objective, objectives
from dreamer.ascent import scoring
from dreamer.backends import backend
from dreamer.errors import ImageReadError, SettingsError, UnknownLayerError
from dreamer.objectives import style
from dreamer.targets import resolve

RNG = np.random.default_rng(8)
FOUND = {
    "first": RNG.normal(size=(3, 4, 6, 5)).astype(np.float32),
    "second": RNG.normal(size=(3, 2, 3, 4)).astype(np.float32),
}
QUICK = {"size": (40, 56), "steps": 3, "precision": "float32"}


@pytest.fixture
def value(tiny_network):
    """The scores of pictures in which layers find something."""

    def of(goal, found):
        resolved = resolve(goal, tiny_network)
        numbers = scoring.parameters([resolved] * 3)
        return np.asarray(scoring.score(scoring.forms(resolved))(found, numbers))

    return of


def gram(activation):
    """Of one picture, ``(height, width, channels)``, by its definition."""
    height, width, channels = activation.shape
    found = np.zeros((channels, channels))
    for y in range(height):
        for x in range(width):
            found += np.outer(activation[y, x], activation[y, x])
    return found / (height * width)


def by_hand(found, painting):
    own = gram(painting)
    return np.array([-np.linalg.norm(gram(one) - own) / np.linalg.norm(own) for one in found.astype(np.float64)])


@pytest.mark.parametrize("layer", ["first", "second"])
def test_it_is_minus_the_distance_of_gram_matrices_in_norms_of_the_paintings(value, tiny_network, picture, layer):
    painting = tiny_network.activations(picture, [layer])[layer]
    assert value(style(layer, picture), FOUND) == pytest.approx(by_hand(FOUND[layer], painting), rel=1e-4)


def test_the_painting_itself_is_at_no_distance_and_nothing_at_all_is_at_1(value, tiny_network, picture):
    found = {"first": np.stack([tiny_network.activations(picture, ["first"])["first"]] * 3)}
    assert value(style("first", picture), found) == pytest.approx(0, abs=1e-5)
    assert value(style("first", picture), {"first": 0 * found["first"]}) == pytest.approx(-1, rel=1e-5)


def test_where_something_lies_does_not_count_nor_how_often_all_of_it_is_there(value, picture):
    expected = value(style("first", picture), FOUND)
    shuffled = RNG.permutation(FOUND["first"].reshape(3, 24, 5), axis=1).reshape(3, 8, 3, 5)
    assert value(style("first", picture), {"first": shuffled}) == pytest.approx(expected, rel=1e-4)
    assert value(style("first", picture), {"first": np.tile(FOUND["first"], (1, 2, 3, 1))}) == pytest.approx(
        expected, rel=1e-4
    )


def test_how_strong_a_layer_is_does_not_count(value, tiny_network, picture):
    """Where all activations are a thousand times as large, painting and picture are as far apart as before."""
    resolved = resolve(style("first", picture), tiny_network)
    numbers = scoring.parameters([resolved] * 3)
    scored = scoring.score(scoring.forms(resolved))
    expected = np.asarray(scored(FOUND, numbers))
    numbers[0]["gram"] = numbers[0]["gram"] * 1e6
    assert np.asarray(scored({"first": FOUND["first"] * 1e3}, numbers)) == pytest.approx(expected, rel=1e-4)


def test_the_gradient_is_that_of_finite_differences(tiny_network, picture):
    goal = resolve(style("first", picture**3) + 0.5 * style("second", picture**3), tiny_network)
    activations = tiny_network.forward(goal.layers)
    gradient = backend.compile_gradient(lambda pictures, _: activations(pictures), scoring.alone(goal))

    def scored(one):
        return float(gradient(one[None], np.zeros(8, np.float32))[0][0])

    _, found = gradient(picture[None], np.zeros(8, np.float32))
    along = found[0] / np.sqrt((found[0] ** 2).mean())
    h = 1e-3
    expected = (scored(picture + h * along) - scored(picture - h * along)) / (2 * h)
    assert float((found[0] * along).sum()) == pytest.approx(expected, rel=2e-2)


def test_the_painting_itself_and_one_in_which_nothing_is_found_have_finite_gradients(tiny_network, picture):
    goal = resolve(style("first", picture), tiny_network)
    numbers = scoring.parameters([goal])
    activations = tiny_network.forward(["first"])
    for factor in (1, 0):
        numbers[0]["gram"] = numbers[0]["gram"] * factor
        scored = scoring.score(scoring.forms(goal))
        gradient = backend.compile_gradient(
            lambda pictures, _: activations(pictures), lambda found, _, scored=scored: scored(found, numbers)
        )
        scores, found = gradient(picture[None], np.zeros(8, np.float32))
        assert np.isfinite(scores).all()
        assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "text",
    ['style:block4b@"a b.jpg"', '0.5*style:"odd layer"@"x.png"', '-style:"style"@"x^2.png"'],
)
def test_it_is_written_as_it_is_read(text):
    goal = Objective.parse(f"{text} - 0.5*block2a")
    assert goal.name == f"{text} - 0.5*block2a"
    assert Objective.parse(goal.name) == goal
    assert goal.files == (text.split("@")[1].strip('"'),)
    assert goal.with_files(lambda file: f"art/{file}").files == (f"art/{goal.files[0]}",)


def test_a_shell_may_take_the_quotes_off_and_brackets_weigh():
    found = Objective.parse("2*(style:block2b@p.jpg + style:block4b@p.jpg) + 0.3*block5c")
    assert found == 2 * style("block2b", "p.jpg") + 2 * style("block4b", "p.jpg") + 0.3 * objectives.layer("block5c")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("style:block4b", "@ and a painting, as in style:"),
        ("style:block4b@p.jpg^2", r"at '\^2': expected no power: a style has none, only a weight"),
        ("style:block4b@<array sha256:00>", "an array was used"),
    ],
)
def test_what_cannot_be_meant_is_said(text, said):
    with pytest.raises(SettingsError, match=said):
        Objective.parse(text)


def test_what_a_network_cannot_compare_is_said(tiny_network, picture):
    with pytest.raises(UnknownLayerError, match="no layer 'third'"):
        resolve(style("third", picture), tiny_network)
    with pytest.raises(UnknownLayerError, match="'pool' of efficientnet_lite0 has no positions, and a style"):
        resolve(style("pool", picture), tiny_network)
    with pytest.raises(ImageReadError, match=r"cannot read the painting nowhere\.png"):
        resolve(style("first", "nowhere.png"), tiny_network)
    with pytest.raises(SettingsError, match="the painting of 'first' has shape"):
        style("first", np.zeros((4, 5)))


def test_a_file_is_a_painting_as_its_pixels_are(tiny_network, picture, tmp_path):
    path = tmp_path / "painting.png"
    dreamer.images.write(path, dreamer.images.Photo(picture), recipe={})
    pixels = dreamer.images.read(path).pixels
    found, expected = (resolve(style("first", one), tiny_network).terms[0][1].values for one in (path, pixels))
    assert found == expected
    assert found.array.shape == (5, 5)


def test_arrays_are_known_by_their_digest(picture):
    assert style("first", picture) == style("first", picture.copy())
    assert style("first", picture) != style("first", picture[::-1])
    assert len(style("first", picture).label) < 30


def test_several_paintings_are_drawn_in_one_batch_and_each_is_as_alone(tiny_network, picture):
    settings = QUICK | {"steps": 30, "parametrization": "pixels", "learning_rate": 0.1, "transforms": "none"}
    goals = [style("first", picture), style("first", 1 - picture**2)]
    alone = dreamer.visualize(goals[0], network=tiny_network, **settings)
    both = dreamer.visualize(goals, network=tiny_network, **settings)
    assert alone.score > 0.5 * alone.first_score
    assert both[0].score == pytest.approx(alone.score, rel=1e-3)


def test_views_of_a_picture_are_scored_each_by_itself(tiny_network, picture):
    how = QUICK | {"steps": 1, "start": picture}
    seen = {"jitter": [0]}
    one, three = (
        dreamer.visualize(
            style("first", picture[::-1]), network=tiny_network, transforms=seen | {"views": views}, **how
        )
        for views in (1, 3)
    )
    assert three.first_score == pytest.approx(one.first_score, rel=1e-4)


def test_a_dream_comes_nearer_to_a_painting_in_all_layers_at_once(lite0, samples, picture):
    layers = ("block1a", "block2b", "block3b")
    painting = dreamer.images.read(samples / "cat.png", max_side=64).pixels
    goal = sum((style(one, painting) for one in layers[1:]), style(layers[0], painting))
    dream = dreamer.dream(picture, network=lite0, objective=goal, octaves=1, steps=12, precision="float32")

    def apart(pixels, layer):
        own, found = (gram(lite0.activations(one, [layer])[layer]) for one in (painting, pixels))
        return np.linalg.norm(found - own) / np.linalg.norm(own)

    for layer in layers:
        assert apart(dream.pixels, layer) < 0.8 * apart(picture, layer)


@pytest.mark.parametrize("tile", [512, 32])
def test_a_dream_is_the_same_on_the_device(picture, tile):
    goal = style("block2b", picture[::-1] ** 2) + 0.1 * objectives.layer("block2b")
    settings = {"octaves": 2, "steps": 3, "precision": "float32", "seed": 3, "rotate": 5, "tile": tile}
    found, expected = (
        list(dreamer.dream_steps(picture, objective=goal, **settings, stay_on_device=there)) for there in (True, False)
    )
    assert [step.score for step in found] == pytest.approx([step.score for step in expected], rel=5e-3)
    assert np.abs(found[-1].render() - expected[-1].render()).mean() < 2e-3


def test_a_recipe_has_the_painting_with_its_digest(tiny_network, picture, tmp_path):
    path = tmp_path / "painting.png"
    dreamer.images.write(path, dreamer.images.Photo(picture), recipe={})
    goal = style("first", path)
    drawn = dreamer.visualize(goal, network=tiny_network, **QUICK)
    assert drawn.recipe["files_sha256"].keys() == {str(path)}
    dream = dreamer.dream(picture, network=tiny_network, objective=goal, octaves=1, steps=2, precision="float32")
    assert dream.recipe["files_sha256"].keys() == {str(path)}
    assert Objective.parse(dream.recipe["settings"]["objective"]) == goal


def test_photos_are_not_searched_for_a_style():
    from dreamer.searching import answers

    with pytest.raises(SettingsError, match="photos cannot be searched for style:"):
        answers.check(style("block4b", "p.jpg"))


def test_a_preset_names_its_painting_relative_to_itself(tmp_path):
    path = tmp_path / "print.toml"
    path.write_text(
        'title = "t"\ndescription = "d"\nobjective = "style:block2b@sea.png + 2*style:block3b@sea.png"\n', "utf-8"
    )
    assert dreamer.presets.find(path).settings().files == (str(tmp_path / "sea.png"),)
