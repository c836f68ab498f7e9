"""What objectives give for a photo, held against plain NumPy; and the part of it that is cut out."""

from __future__ import annotations

import numpy as np
import pytest
from searching import search_case

from dreamer import objectives, targets
from dreamer.errors import SettingsError, UnknownLayerError
from dreamer.objectives import Objective
from dreamer.searching import answers
from dreamer.searching.found import FoundPhoto

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

SIZE = (61, 94)
LAYERS = ("first", "second", "hidden", "classes")


@pytest.fixture(scope="module")
def network():
    return search_case.network()


@pytest.fixture(scope="module")
def found(network):
    """What the layers found: numbers by chance, so that every channel and place counts."""
    shapes, random = network.shapes(SIZE, LAYERS), np.random.default_rng(2)
    return {name: random.normal(size=shapes[name]).astype(np.float32) for name in LAYERS}


@pytest.fixture(scope="module")
def where(network):
    return network.positions(LAYERS, SIZE)


@pytest.fixture
def ask(network, found, where):
    def asked(objective):
        resolved = targets.resolve(Objective.of(objective), network)
        names = resolved.layers
        return answers.answer(
            resolved, {name: found[name] for name in names}, {name: where[name] for name in names}
        )  # fmt: skip

    return asked


def read(values, own, base):
    """One layer's values at the middles of another's, place by place."""
    read = np.zeros(base.grid)
    for row, column in np.ndindex(*base.grid):
        y, x = base.middle(row, column)
        places = []
        for pixel, axis in ((y, own.rows), (x, own.columns)):
            place = np.clip((pixel - axis.first) / axis.stride, 0, axis.count - 1)
            low = int(place)
            places.append((low, min(low + 1, axis.count - 1), place - low))
        (top, bottom, down), (left, right, across) = places
        upper = values[top, left] * (1 - across) + values[top, right] * across
        lower = values[bottom, left] * (1 - across) + values[bottom, right] * across
        read[row, column] = upper * (1 - down) + lower * down
    return read


def check(given, expected, layer):
    assert given.layer == layer
    np.testing.assert_allclose(given.values, expected, rtol=1e-4, atol=1e-5)
    for (value, at), best in ((given.most(), np.argmax(expected)), (given.least(), np.argmin(expected))):
        assert at == np.unravel_index(best, np.shape(expected))
        assert value == pytest.approx(np.ravel(expected)[best], rel=1e-4)


def test_a_layer_is_its_mean_square_and_a_channel_itself_at_each_place(ask, found):
    check(ask("first"), (found["first"] ** 2).mean(axis=-1), "first")
    check(ask("second:2"), found["second"][..., 2], "second")
    check(ask("-1.5*second:2"), -1.5 * found["second"][..., 2], "second")


def test_a_direction_is_a_dot_product_with_its_cosine_to_a_power(ask, found):
    vector = np.array([2, -1, 0.5], np.float32)
    along = found["first"] @ vector
    cosine = along / (np.linalg.norm(found["first"], axis=-1) * np.linalg.norm(vector))
    check(ask(objectives.direction("first", vector)), along, "first")
    check(ask(objectives.direction("first", vector, power=2)), along * np.maximum(cosine, 0.1) ** 2, "first")
    drawn = np.random.default_rng(7).normal(size=4)
    check(ask("direction:second#7"), found["second"] @ (drawn / np.linalg.norm(drawn)), "second")


def test_a_silent_place_has_no_cosine_and_does_no_harm(network, found, where):
    silent = {"first": np.zeros_like(found["first"])}
    asked = targets.resolve(objectives.direction("first", [1, 2, 3], power=1), network)
    assert answers.answer(asked, silent, {"first": where["first"]}).most() == (0, (0, 0))


def test_a_guide_is_the_best_of_its_features_at_each_place(ask, found, network):
    guide = search_case.scene(5, 40, 31).astype(np.float32) / 255
    features = targets.resolve(objectives.guided("second", guide), network).terms[0][1].values.array
    assert features.shape[1] == 4
    check(ask(objectives.guided("second", guide)), (found["second"] @ features.T).max(axis=-1), "second")


@pytest.mark.parametrize(("asked", "index"), [("logit:bee", 1), ("logit:2", 2)])
def test_a_class_has_no_place(asked, index, ask, found):
    check(ask(asked), [[found["classes"][index]]], None)


def test_a_hidden_unit_has_no_place_either(ask, found):
    check(ask("hidden:3"), [[found["hidden"][3]]], None)
    check(ask("hidden"), [[(found["hidden"] ** 2).mean()]], None)
    check(ask("hidden:3 - 2*logit:0"), [[found["hidden"][3] - 2 * found["classes"][0]]], None)


@pytest.mark.parametrize(("asked", "at"), [("second:1@3,5", (3, 5)), ("second:1@centre", (4, 6))])
def test_a_neuron_is_found_at_its_own_place(asked, at, ask, found, where):
    assert where["second"].grid == (8, 12)
    for given in (ask(asked), ask(f"0.5*logit:0 + {asked} - 0.5*logit:0")):
        value = pytest.approx(found["second"][(*at, 1)])
        assert given.layer == "second"
        assert given.most() == (value, at)
        assert given.least() == (value, at)


def test_beside_what_has_many_places_a_neuron_counts_everywhere(ask, found):
    check(ask("second:1@3,5 + first:0"), found["second"][3, 5, 1] + found["first"][..., 0], "first")
    check(ask("second:1@3,5 - 2*second:0"), found["second"][3, 5, 1] - 2 * found["second"][..., 0], "second")


@pytest.mark.parametrize("at", ["8,0", "0,12"])
def test_a_neuron_beyond_the_layer_is_refused(at, ask):
    with pytest.raises(UnknownLayerError, match=f"second:1@{at} lies outside 'second', which has 8x12 positions"):
        ask(f"second:1@{at}")


def test_a_sum_over_one_layer_is_the_sum_of_its_terms(ask, found):
    given = found["first"]
    check(
        ask("2*first:0 - 0.5*first:1 + first"), 2 * given[..., 0] - 0.5 * given[..., 1] + (given**2).mean(-1), "first"
    )


def test_what_another_layer_finds_is_read_at_the_places_of_the_first(ask, found, where):
    first, second = found["first"][..., 1], found["second"][..., 2]
    fine = read(second, where["second"], where["first"])
    check(ask("first:1 + 3*second:2"), first + 3 * fine, "first")
    coarse = read(first, where["first"], where["second"])
    check(ask("3*second:2 + first:1"), 3 * second + coarse, "second")
    check(ask("first:1 + 3*second:2 - logit:1"), first + 3 * fine - found["classes"][1], "first")
    # What is not wanted says nothing of where to look.
    check(ask("3*second:2 - first:1"), 3 * second - coarse, "second")
    check(ask("logit:1 - first:1 + 3*second:2"), 3 * second - coarse + found["classes"][1], "second")
    check(ask("-first:1 - second:2"), -first - fine, "first")


def test_what_has_several_vectors_and_no_places_counts_by_their_mean(network):
    asked = targets.resolve(Objective.of("hidden:3"), network)
    given = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    check(answers.answer(asked, {"hidden": given}, {"hidden": None}), [[given[:, 3].mean()]], None)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("first - 0.1*total_variation", "total_variation"),
        ("diversity:first", "diversity:first"),
        ("first + l2", "l2"),
        (objectives.custom("own", ["first"], lambda seen: seen["first"]), "custom"),
    ],
)
def test_what_says_nothing_of_a_photo_by_itself_is_refused(asked, named):
    with pytest.raises(SettingsError, match=rf"photos cannot be searched for {named}.*Leave it out"):
        answers.check(Objective.of(asked))


def test_all_that_says_something_is_let_through():
    answers.check(Objective.of("first + first:0 + first:0@1,1 + logit:cat + direction:first#3 + guided:first@'a.png'"))


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((0, 0, 1, 1), (0, 61), (0, 94)),
        ((0.25, 0.5, 0.5, 0.25), (15, 46), (47, 70)),
        ((0.999, 0.999, 1e-5, 1e-5), (60, 61), (93, 94)),
        ((1, 1, 0, 0), (60, 61), (93, 94)),
    ],
)
def test_a_crop_is_the_box_in_pixels_and_never_empty(box, rows, columns):
    pixels = np.arange(61 * 94 * 3).reshape(61, 94, 3)
    photo = FoundPhoto("a.png", 1.0, (0, 0), box, pixels)
    assert np.array_equal(photo.crop, pixels[slice(*rows), slice(*columns)])
