"""Points of a map: positions that are a photo's own, and what they say for the classes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from searching import search_case

from dreamer.errors import SettingsError, UnknownLayerError
from dreamer.mapping import points, speaking
from dreamer.mapping.cells import Cell
from dreamer.models import registry
from dreamer.searching import looking
from dreamer.searching.filling import Index
from dreamer.searching.looking import Photos

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture(scope="module")
def network():
    return search_case.network()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Six photos, landscapes and portraits, the last a copy of the first."""
    folder = tmp_path_factory.mktemp("points") / "photos"
    for number in range(5):
        search_case.save(folder / f"{number}.png", search_case.scene(number, *[(224, 331), (331, 224)][number % 2]))
    search_case.save(folder / "9 copy.png", search_case.scene(0))
    return folder


def index(network, folder, layer, place):
    held = Index(network, Photos.of(str(folder)), [layer], place)
    held.fill()
    return held


@pytest.fixture(scope="module")
def held(network, photos, tmp_path_factory):
    return index(network, photos, "first", tmp_path_factory.mktemp("index"))


@pytest.mark.parametrize("grid", [(5, 6), (3, 9), (28, 41)])
def test_edges_are_left_out_and_no_position_is_taken_twice(grid):
    taken = points.drawn(grid, "a.png", 10_000, 3)
    assert sorted(taken) == [(row, column) for row in range(1, grid[0] - 1) for column in range(1, grid[1] - 1)]
    assert taken[:4] == points.drawn(grid, "a.png", 4, 3)


@pytest.mark.parametrize(
    ("grid", "all_of_them"),
    [
        ((1, 1), [(0, 0)]),
        ((2, 2), [(0, 0), (0, 1), (1, 0), (1, 1)]),
        ((1, 4), [(0, 1), (0, 2)]),
        ((4, 2), [(1, 0), (1, 1), (2, 0), (2, 1)]),
    ],
)
def test_where_there_is_nothing_but_edges_they_are_taken(grid, all_of_them):
    assert sorted(points.drawn(grid, "a.png", 99, 0)) == all_of_them


def test_positions_go_by_the_name_and_the_seed():
    names = [f"{number}.jpg" for number in range(40)] + ["\udcff.jpg"]
    first = [points.drawn((9, 13), name, 1, 0)[0] for name in names]
    assert len(set(first)) > 15
    assert first == [points.drawn((9, 13), name, 1, 0)[0] for name in names]
    assert first != [points.drawn((9, 13), name, 1, 2**64 - 1)[0] for name in names]


def test_what_is_sampled_is_what_the_index_holds(held):
    taken = points.sample(held, "first", per_photo=3, seed=1)
    assert (len(taken), taken.per_photo, taken.alike) == (15, 3, 1)
    assert taken.names == ("0.png", "1.png", "2.png", "3.png", "4.png")
    assert taken.photos.tolist() == [number for number in range(5) for _ in range(3)]
    assert taken.activations.dtype == np.float32
    for activation, photo, (row, column) in zip(taken.activations, taken.photos, taken.at, strict=True):
        assert np.array_equal(activation, held.found(taken.names[photo])["first"][row, column])


def test_a_photo_gives_the_same_positions_whichever_others_there_are(held, network, photos, tmp_path):
    whole = points.sample(held, "first", per_photo=2, seed=5)
    for name in ("1.png", "4.png"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / name).write_bytes((photos / name).read_bytes())
    part = points.sample(index(network, tmp_path / "photos", "first", tmp_path / "index"), "first", per_photo=2, seed=5)
    for number, name in enumerate(part.names):
        own = whole.names.index(name)
        assert np.array_equal(part.at[part.photos == number], whole.at[whole.photos == own])
        assert np.array_equal(part.activations[part.photos == number], whole.activations[whole.photos == own])


@pytest.mark.parametrize(("photos", "count"), [(1, 16), (62, 16), (63, 16), (70, 15), (500, 2), (999, 2), (1000, 1)])
def test_few_photos_give_several_positions_each(photos, count, network):
    class Many:
        """An index of so many photos, of which none is like another."""

        names = [f"{number}.png" for number in range(photos)]

        def __init__(self):
            self.network, random = network, np.random.default_rng(0)
            self._shown = {name: random.integers(0, 256, (16, 16)).astype(np.uint8) for name in self.names}

        def entry(self, name):
            return type("Entry", (), {"thumbnail": self._shown[name]})

        def found(self, _name):
            return {"first": np.zeros((9, 11, 3), np.float16)}

    taken = points.sample(Many(), "first", per_photo=None, seed=0)
    assert (taken.per_photo, len(taken)) == (count, count * photos)


@pytest.mark.parametrize("layer", ["pool", "hidden", "classes"])
def test_a_layer_without_positions_is_refused(layer, network):
    with pytest.raises(SettingsError, match=f"'{layer}' has no positions, so there is no map of it"):
        points.check(network, layer)


def test_a_layer_that_is_not_there_is_refused(network):
    with pytest.raises(UnknownLayerError, match="no layer 'frist'"):
        points.check(network, "frist")


@pytest.mark.parametrize("size", [(224, 331), (448, 662), (100, 148)])
def test_a_crop_is_around_the_middle_and_within_the_photo(size, network):
    pixels = np.zeros((*size, 3), np.uint8)
    where = network.positions(["second"], (224, 331))["second"]
    for row, column in np.ndindex(*where.grid):
        y, x = where.on(size).middle(row, column)
        pixels[:] = 0
        pixels[int(y), int(x)] = 255
        crop = points.crop(pixels, where, (row, column))
        assert crop.max() == 255
        assert abs(crop.shape[0] - crop.shape[1]) <= 1
        assert crop.shape[0] == pytest.approx(48 * size[0] / 224, abs=1)


def linear(tied):
    """A network whose classes are sums of what its layer finds: by channel, or by place too where it is tied."""
    layers = keras.layers
    given = keras.Input((32, 32, 3) if tied else (None, None, 3))
    x = layers.Conv2D(4, 3, strides=2 if tied else 32, padding="same", name="first")(given)
    y = layers.Flatten(name="flat")(x) if tied else layers.GlobalAveragePooling2D(name="pool")(x)
    made = keras.Model(given, layers.Dense(3, name="classes")(y))
    random = np.random.default_rng(1)
    made.set_weights([random.normal(size=one.shape) for one in made.get_weights()])
    return made, registry.load(made, "0..1")


@pytest.mark.parametrize("tied", [False, True])
def test_a_point_of_a_linear_network_says_its_activation_times_the_weights(tied, photos, tmp_path):
    model, network = linear(tied)
    held = index(network, photos, "first", tmp_path / "index")
    taken = points.sample(held, "first", per_photo=3, seed=0)
    which = [0, 1, 4, 5, 11, 14]
    shares = []
    said = speaking.attributions(network, "first", held, taken, which, shares.append)
    assert sorted(said) == which
    assert shares == [0.25, 0.5, 0.75, 1]
    weights = model.get_layer("classes").get_weights()[0]
    for one in which:
        name = taken.names[taken.photos[one]]
        grid = held.where(name)["first"].grid
        if tied:  # The photo is resized to 32x32, and the layer has 16x16 positions then.
            where = held.where(name)["first"]
            y, x = (middle / side for middle, side in zip(where.middle(*taken.at[one]), where.size, strict=True))
            row, column = (int(np.clip(round(32 * share / 2 - 0.75), 0, 15)) for share in (y, x))
            own = weights.reshape(16, 16, 4, 3)[row, column]
        else:
            own = weights / np.prod(grid)
        expected = taken.activations[one] @ own
        np.testing.assert_allclose(said[one], expected, rtol=0.02, atol=0.02 * np.abs(expected).max())


def test_each_photo_is_looked_at_once_for_all_of_its_points(photos, held, network, monkeypatch):
    loads, load = [], looking.load
    monkeypatch.setattr(looking, "load", lambda place: (loads.append(place.name), load(place))[1])
    taken = points.sample(held, "first", per_photo=3, seed=0)
    speaking.attributions(network, "first", held, taken, [0, 2, 3, 13], lambda _share: None)
    assert loads == ["0.png", "1.png", "4.png"]


def test_a_cell_is_labelled_by_the_points_nearest_to_its_mean():
    cells = [Cell(2, 0, 0, np.arange(20, 0, -1), np.zeros(3)), Cell(2, 0, 1, np.array([14, 30]), np.zeros(3))]
    assert speaking.asked(cells) == [13, 14, 15, 16, 17, 18, 19, 20, 30]
