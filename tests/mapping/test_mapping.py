"""Maps of made-up photos: cells, icons, labels, crops and photos of one's own, as values and as a folder."""

from __future__ import annotations

import dataclasses
import importlib.util
import json

import numpy as np
import pytest
from searching import search_case

import dreamer
from dreamer import images
from dreamer.errors import ImageExistsError, ImageReadError, ImageWriteError, SettingsError, UnknownLayerError
from dreamer.searching import looking

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

EACH = 4
NAMES = ["0.png", "1.png", "2.png", "3.png", "red </script> & %.png"]
CORNERS = np.array([[0, 0], [100, 0], [0, 100], [100, 100], [40, 60]], np.float64)


@pytest.fixture(scope="module")
def network():
    return search_case.network()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Five photos, one of them red, and a layout that lays each into a place of its own."""
    place = tmp_path_factory.mktemp("mapping")
    for number, name in enumerate(NAMES):
        photo = search_case.scene(number, *[(224, 331), (331, 224)][number % 2])
        if name.startswith("red"):
            photo[:, 30:300] = (255, 0, 0)
        search_case.save(place / "photos" / name, photo)
    spread = np.random.default_rng(0).uniform(-3, 3, (len(NAMES), EACH, 2))
    np.save(place / "layout.npy", (CORNERS[:, None] + spread).reshape(-1, 2))
    return place


@pytest.fixture(scope="module")
def make(network, place):
    def made(layer="first", **options):
        usual = {
            "network": network, "layout": str(place / "layout.npy"), "per_photo": EACH, "grids": (2, 3), "steps": 0,
            "size": 32, "index": place / "index",
        }  # fmt: skip
        return dreamer.map_photos(layer, place / "photos", **(usual | options))

    return made


@pytest.fixture(scope="module")
def plain(make):
    """A map without icons."""
    return make()


@pytest.fixture(scope="module")
def drawn(make, place):
    """A map with icons and photos of one's own."""
    search_case.save(place / "mine.jpg", search_case.scene(99, 60, 45))
    return make(steps=3, grids=(1, 2, 3), place_photos=[place / "photos" / "2.png", str(place / "mine.jpg")])


def test_points_lie_where_the_file_says_and_each_is_in_one_cell_of_each_level(plain):
    assert len(plain.points) == len(NAMES) * EACH
    assert list(plain.levels) == [2, 3]
    for grid, some in plain.levels.items():
        members = np.concatenate([one.cell.members for one in some])
        assert sorted(members) == list(range(len(plain.points)))
        for one in some:
            x, y = plain.positions[one.cell.members].T
            assert set(np.minimum((x * grid).astype(int), grid - 1)) == {one.cell.column}
            assert set(np.minimum((y * grid).astype(int), grid - 1)) == {one.cell.row}
            np.testing.assert_allclose(
                one.cell.mean, plain.points.activations[one.cell.members].mean(axis=0), rtol=1e-5, atol=1e-6
            )
    # Photos lie in the corners that they were laid into: y is downwards.
    corners = {(one.cell.row, one.cell.column): plain.points.photos[one.cell.members] for one in plain.levels[2]}
    assert set(corners[0, 1]) == {1}
    assert set(corners[1, 0]) == {2, 4}


def test_without_steps_there_are_no_icons(plain):
    assert {one.icon for some in plain.levels.values() for one in some} == {None}
    assert {one.alike for some in plain.levels.values() for one in some} == {None}
    assert plain.placed == ()


def test_cells_are_labelled_by_what_their_points_speak_for(plain):
    assert plain.classes.items() <= {0: "ant", 1: "bee", 2: "cat"}.items()
    for grid in (2, 3):
        [red] = [one for one in plain.levels[grid] if 4 in plain.points.photos[one.cell.members]]
        assert [cell.cell for cell in plain.where("ant", grid)] == [red.cell]
        assert 0 in dict(red.labels)
    assert plain.where("ANT") == plain.where("ant", 3)
    assert plain.where("elephant") == []
    said = [dict(cell.labels)[2] for cell in plain.where("cat")]
    assert len(said) > 1
    assert said == sorted(said, reverse=True)
    for some in plain.levels.values():
        for one in some:
            much = [value for _, value in one.labels]
            assert min(much) > 0
            assert much == sorted(much, reverse=True)


def test_crops_are_of_the_points_that_are_nearest_to_a_mean(plain):
    shown = {int(one) for some in plain.levels.values() for cell in some for one in cell.cell.members[:6]}
    assert set(plain.crops) == shown
    for crop in plain.crops.values():
        assert set(crop.shape[:2]) <= {48, 49}
    reds = [crop for point, crop in plain.crops.items() if plain.points.photos[point] == 4]
    assert reds
    assert max(crop[..., 0].mean() for crop in reds) > 200


def test_icons_have_their_size_and_say_how_alike_they_are(drawn, network):
    for some in drawn.levels.values():
        for one in some:
            assert (one.icon.shape, one.icon.dtype) == ((32, 32, 3), np.uint8)
            given = network.activations(one.icon, ["first"])["first"].reshape(-1, 3)
            lengths = np.linalg.norm(given, axis=1) * np.linalg.norm(one.cell.mean)
            assert one.alike == pytest.approx((given @ one.cell.mean / np.maximum(lengths, 1e-9)).max(), abs=1e-3)
    assert "grids" in drawn.recipe["settings"]


def test_a_photo_that_is_the_maps_own_lies_among_its_neighbours(make, drawn, place):
    made = make("second", place_photos=[place / "photos" / "2.png"])
    # It is not its own neighbour, nor is another photo named twice.
    near = made.points.photos[list(made.placed[0].near)].tolist()
    assert 2 not in near
    assert len(set(near)) == len(near)
    # The first positions that are taken of it are those that are on the map.
    for at, point in zip(made.placed[0].at[:EACH], np.flatnonzero(made.points.photos == 2), strict=True):
        products = made.points.activations @ made.points.activations[point]
        around = made.positions[np.argsort(-products / np.linalg.norm(made.points.activations, axis=1))[:5]]
        assert (around.min(axis=0) - 1e-6 <= at).all()
        assert (at <= around.max(axis=0) + 1e-6).all()
    own, mine = drawn.placed
    assert (own.name, mine.name, own.at.shape, mine.at.shape) == ("2.png", "mine.jpg", (9, 2), (9, 2))
    for one in (own, mine):
        assert (one.at >= drawn.positions.min(axis=0) - 1e-6).all()
        assert (one.at <= drawn.positions.max(axis=0) + 1e-6).all()
        assert 4 <= len(one.near) <= 6  # A point of each of five photos.
        assert set(one.near) <= set(drawn.crops)


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_map_is_written_as_a_folder(drawn, tmp_path):
    page = drawn.save(tmp_path / "map")
    folder = page.parent
    assert page == tmp_path / "map" / "index.html"
    assert files(folder) == {
        "index.html", "map.json", "layout.npy", "placed/001.webp", "placed/002.webp",
        *(f"level-{grid}.webp" for grid in (1, 2, 3)), *(f"crops/{point:05}.webp" for point in drawn.crops),
    }  # fmt: skip
    held = json.loads((folder / "map.json").read_text(), parse_constant=pytest.fail)
    assert held == json.loads(json.dumps(drawn.to_dict()))
    assert held["names"] == NAMES
    assert [[one[2] for one in held["at"]].count(number) for number in range(5)] == [EACH] * 5
    assert held["recipe"]["settings"]["model"] == "planted"
    np.testing.assert_array_equal(np.load(folder / "layout.npy"), drawn.positions)
    for level in held["levels"]:
        for cell in level["cells"]:
            assert 0 < len(cell["photos"]) <= 6
            for one in cell["photos"]:
                assert one["photo"] in NAMES
                assert (folder / one["crop"]).is_file()
    assert {one["crop"] for one in held["placed"]} == {"placed/001.webp", "placed/002.webp"}
    text = page.read_bytes()
    assert text.count(b"</script>") == text.count(b"<script")
    # What it wrote can be read as a layout.
    assert np.load(folder / "layout.npy", allow_pickle=False).shape == (20, 2)


def test_icons_lie_at_their_places_and_where_there_is_no_cell_it_is_transparent(drawn, tmp_path):
    random = np.random.default_rng(3)
    levels = {
        grid: tuple(
            dataclasses.replace(one, icon=np.full((32, 32, 3), random.integers(0, 256, 3), np.uint8)) for one in some
        )
        for grid, some in drawn.levels.items()
    }
    drawn = dataclasses.replace(drawn, levels=levels)
    folder = drawn.save(tmp_path / "map").parent
    sheet = images.read(folder / "level-3.webp")
    assert sheet.pixels.shape == (96, 96, 3)
    alpha = np.asarray(sheet.alpha).reshape(96, 96)
    places = {(one.cell.row, one.cell.column): one.icon for one in drawn.levels[3]}
    assert 0 < len(places) < 9
    for row, column in np.ndindex(3, 3):
        part = slice(32 * row, 32 * row + 32), slice(32 * column, 32 * column + 32)
        if (row, column) in places:
            assert alpha[part].min() == alpha.max()
            difference = np.abs(255 * sheet.pixels[part] - places[row, column])
            assert difference.mean() < 12
        else:
            assert alpha[part].max() == 0


def test_an_earlier_map_is_replaced_only_where_that_is_allowed(drawn, plain, tmp_path):
    place = tmp_path / "map"
    drawn.save(place)
    (place / "crops" / "mine.webp").write_bytes(b"precious")
    with pytest.raises(ImageExistsError, match="exists already"):
        plain.save(place)
    plain.save(place, overwrite=True)
    assert files(place) == {
        "index.html", "map.json", "layout.npy", "crops/mine.webp", *(f"crops/{point:05}.webp" for point in plain.crops)
    }  # fmt: skip


def test_what_is_not_ours_is_never_taken_away(plain, tmp_path):
    elsewhere, place = tmp_path / "elsewhere", tmp_path / "map"
    elsewhere.mkdir()
    (elsewhere / "00099.webp").write_bytes(b"precious")
    (place / "placed").mkdir(parents=True)
    (place / "placed" / "001.webp").write_bytes(b"precious")
    (place / "level-1.webp").write_bytes(b"precious")
    plain.save(place)
    assert (place / "placed" / "001.webp").read_bytes() == (place / "level-1.webp").read_bytes() == b"precious"
    for path in (place / "crops").iterdir():
        path.unlink()
    (place / "crops").rmdir()
    (place / "crops").symlink_to(elsewhere)
    with pytest.raises(ImageWriteError, match="leads out of"):
        plain.save(place, overwrite=True)
    assert [path.read_bytes() for path in elsewhere.iterdir()] == [b"precious"]


@pytest.mark.parametrize("layer", ["hidden", "classes"])
def test_what_has_no_map_is_refused_before_photos_are_looked_at(layer, network, place, monkeypatch):
    monkeypatch.setattr(looking, "load", None)
    with pytest.raises(SettingsError, match=f"'{layer}' has no positions"):
        dreamer.map_photos(layer, place / "photos", network=network)
    with pytest.raises(UnknownLayerError, match="no layer 'frist'"):
        dreamer.map_photos("frist", place / "photos", network=network)
    with pytest.raises(SettingsError, match="is no layout"):
        dreamer.map_photos("first", place / "photos", network=network, layout="tsna")


def test_a_layout_of_other_points_and_a_photo_that_is_none_are_refused(make, place):
    with pytest.raises(SettingsError, match=r"has the shape \(20, 2\); expected \(10, 2\)"):
        make(per_photo=2)
    (place / "none.jpg").write_bytes(b"no photo")
    with pytest.raises(ImageReadError, match="none.jpg is not a picture"):
        make(place_photos=[place / "none.jpg"])


def test_what_is_done_otherwise_is_told(network, place, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in (*NAMES, "copy.png"):
        (photos / name).parent.mkdir(exist_ok=True)
        (photos / name).write_bytes((place / "photos" / ("0.png" if name == "copy.png" else name)).read_bytes())
    (photos / "broken.png").write_bytes(b"no photo")
    notes, told = [], []
    np.save(tmp_path / "layout.npy", np.random.default_rng(0).normal(size=(80, 2)))
    options = {"network": network, "steps": 0, "note": notes.append, "index": tmp_path / "index"}
    made = dreamer.map_photos(
        "first", photos, layout=str(tmp_path / "layout.npy"), on_progress=lambda *them: told.append(them), **options
    )  # fmt: skip
    assert (len(made.points), list(made.levels)) == (80, [4, 8])
    assert notes[0].startswith(f"left out: {photos}/broken.png")
    assert notes[1:] == [
        "1 photos are nearly the same as others, and left out",
        "16 positions are taken of each photo, since there are few: 80 points",
    ]
    assert ("7 of 7 photos", 1.0) in told
    assert all(0 <= share <= 1 for _, share in told)
    assert told[-1] == ("cutting crops", 1.0)
    # Who asks for so many need not be told.
    notes.clear()
    dreamer.map_photos("first", photos, per_photo=16, layout=str(tmp_path / "layout.npy"), **options)
    assert len(notes) == 2
    assert "since they are few" not in made.to_dict()["about"]


def test_a_network_without_classes_has_a_map_without_labels(network, place):
    keras = pytest.importorskip("keras")
    whole = search_case.model()
    headless = dreamer.load(keras.Model(whole.inputs, whole.get_layer("second").output), "0..1")
    made = dreamer.map_photos(
        "first", place / "photos", network=headless, layout=str(place / "layout.npy"), per_photo=EACH, steps=0,
        index=place / "headless",
    )  # fmt: skip
    assert made.classes == {}
    assert {one.labels for some in made.levels.values() for one in some} == {()}
    assert made.where("ant") == []
    json.dumps(made.to_dict(), allow_nan=False)


@pytest.mark.skipif(
    importlib.util.find_spec("openTSNE") is None, reason="openTSNE is not installed; the extra 'embedding' brings it"
)
def test_the_same_seed_gives_the_same_map(make, place):
    first, again, other = (
        make(layout="tsne", per_photo=3, grids=(), seed=seed, index=place / f"index {number}")
        for number, seed in enumerate((7, 7, 8))
    )
    assert first.positions.tobytes() == again.positions.tobytes()
    assert first.to_dict() == again.to_dict()
    assert not np.array_equal(first.points.at, other.points.at)
    assert repr(first) == "<ActivationMap: first of planted, 15 points, 2x2, 4x4>"
