"""``dreamer.see``: what is said of a photo, held against the activations themselves."""

from __future__ import annotations

import json
import warnings

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import dreamer
from dreamer import images
from dreamer.arrays import resize_stored
from dreamer.atlases import catalog as catalogs
from dreamer.errors import AtlasError, ImageWriteError, SettingsError, UnknownClassError, UnknownLayerError
from dreamer.models import registry
from dreamer.models.opened import Opened
from dreamer.models.usual import SHARES, Usual
from dreamer.searching import looking
from dreamer.seeing import attributing
from dreamer.seeing.attributing import attribution
from dreamer.seeing.crops import crops
from dreamer.visualizing.settings import VisualizeSettings

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
LABELS = ["ant", "bee", "cow", "doe"]
QUICK = {"layers": ("first", "second"), "steps": 0, "note": lambda _line: None}


def built(channels=3, classes=True, activation="relu"):
    keras.utils.set_random_seed(7)
    picture = keras.Input((24, 24, channels))
    x = layers.Conv2D(6, 5, strides=2, padding="same", activation=activation, name="first")(picture)
    x = layers.Conv2D(8, 3, padding="same", activation=activation, name="second")(x)
    if classes:
        x = layers.GlobalAveragePooling2D(name="pool")(x)
        x = layers.Dense(4, kernel_initializer=keras.initializers.RandomNormal(stddev=4.0), name="scores")(x)
    return keras.Model(picture, x)


@pytest.fixture(scope="module")
def network():
    """A seeded network of four classes for pictures of any size, built for 24x24."""
    return registry.load(built(), "-1..1", labels=LABELS)


@pytest.fixture(scope="module")
def photo():
    """(31, 45, 3) uint8: noise, with a bright patch to the right."""
    found = np.random.default_rng(2).integers(40, 216, (31, 45, 3), np.uint8)
    found[8:17, 30:41] = 250
    return found


def at(photo, size):
    """A photo at a size, in [0, 1]."""
    return np.clip(resize_stored((photo / 255).astype(np.float32), size), 0, 1).astype(np.float32)


def strict(path):
    """What a file says, where it is JSON as everybody reads it."""
    return json.loads(path.read_text(), parse_constant=pytest.fail)


def usual_of(network, spread):
    """Statistics by which channel 3 of "first" hardly ever gives anything."""
    quantiles = np.linspace(0, 1, len(SHARES))[:, None] * np.ones(6)
    quantiles[:, 3] *= spread
    return Usual({"first": quantiles.astype(np.float32)})


def test_channels_are_told_by_how_they_stand_out(network, photo, monkeypatch):
    usual = usual_of(network, 0.01)
    monkeypatch.setattr(Usual, "shipped", classmethod(lambda cls, _network: usual))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        seen = dreamer.see(photo, network=network, layers="first", steps=0, top=6)
    (layer,) = seen.layers
    found = network.activations(at(photo, seen.seen), ["first"])["first"]
    np.testing.assert_allclose(layer.found, found, atol=1e-4)
    peaks = found.max(axis=(0, 1))
    expected = usual.stands_out("first", peaks)
    assert [unit.channel for unit in layer.units] == list(np.argsort(-expected, kind="stable"))
    for unit in layer.units:
        assert unit.score == pytest.approx(peaks[unit.channel], abs=1e-4)
        assert unit.stands_out == pytest.approx(expected[unit.channel], rel=1e-3)
        assert unit.beats == pytest.approx(usual.beats("first", unit.channel, unit.score), abs=1e-4)
        assert found[(*unit.at, unit.channel)] == pytest.approx(unit.score, abs=1e-4)
        heat = layer.heat(unit.channel)
        assert heat.shape == seen.pixels.shape[:2]
        assert heat[tuple(int(one) for one in layer.where.middle(*unit.at))] > 0.9 * heat.max()
    if peaks[3] > 0.01:
        assert layer.units[0].channel == 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_photo_of_the_size_that_is_seen_is_looked_at_as_it_is(network, dtype, tmp_path):
    """Nothing is resized then, whatever its pixels are stored as."""
    data = np.random.default_rng(3).integers(0, 256, (24, 24, 3), np.uint8)
    stored = {np.uint8: data, np.uint16: data.astype(np.uint16) * 257, np.float32: (data / 255).astype(np.float32)}
    seen = dreamer.see(stored[dtype], network=network, **QUICK)
    assert seen.seen == (24, 24)
    expected = network.activations(data, ["first"])["first"]
    np.testing.assert_allclose(seen.layers[0].found, expected, atol=1e-4)
    # One of the size that is shown, too.
    large = np.full((1024, 640, 3), 51, np.uint8)
    shown = dreamer.see(large, network=network, **QUICK)
    assert shown.pixels.shape == large.shape
    np.testing.assert_allclose(shown.pixels, 0.2, atol=1e-6)


def test_where_nobody_knows_a_note_says_so(network, photo):
    notes = []
    seen = dreamer.see(photo, network=network, layers=("first", "scores"), steps=0, note=notes.append)
    assert len(notes) == 1
    assert "first, scores" in notes[0]
    assert "--photos" in notes[0]
    first, scores = seen.layers
    assert first.units[0].stands_out == pytest.approx(1)
    assert all(unit.beats is None for layer in seen.layers for unit in layer.units)
    assert (scores.where, scores.units[0].at, scores.heat(0)) == (None, None, None)
    with pytest.warns(RuntimeWarning, match="nobody knows"):
        dreamer.see(photo, network=network, layers="first", steps=0)


def test_a_folder_of_photos_says_what_is_usual(network, photo, tmp_path):
    notes = []
    for number in range(5):
        data = np.random.default_rng(number).integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(data).save(tmp_path / f"{number}.png")
    seen = dreamer.see(photo, network=network, layers="first", steps=0, photos=tmp_path, note=notes.append)
    assert notes == []
    looked = [looking.small(images.read(tmp_path / f"{number}.png").pixels) for number in range(5)]
    side = looking.side_of(network.graph.own_size)
    pictures = [looking.seen(one, network.sides(["first"]), side) for one in looked]
    peaks = network.activations(np.stack(pictures), ["first"])["first"].max(axis=(1, 2))
    for unit in seen.layers[0].units:
        assert unit.beats is not None
        expected = Usual.of_peaks({"first": peaks}).stands_out("first", seen.layers[0].found)[..., unit.channel].max()
        assert unit.stands_out == pytest.approx(expected, rel=0.05, abs=0.05)


def test_what_speaks_for_a_class_adds_up(network, photo):
    seen = dreamer.see(photo, network=network, for_class="bee", against="3", **QUICK)
    assert seen.question == ("bee", "doe")
    small = at(photo, seen.seen)
    logits = network.activations(small, ["scores"])["scores"]
    for layer in seen.layers:
        said = layer.attribution
        assert said.score == pytest.approx(logits[1] - logits[3], abs=1e-3)
        assert said.by_place.shape == layer.found.shape[:2] == layer.where.grid
        assert said.by_place.sum() == pytest.approx(said.total, abs=1e-3)
        assert said.by_channel.sum() == pytest.approx(said.total, abs=1e-3)
        ours, others = layer.speaking(3)
        assert all(said.by_channel[one] > 0 for one in ours)
        assert all(said.by_channel[one] < 0 for one in others)
        assert list(said.by_channel[ours]) == sorted(said.by_channel[ours], reverse=True)
        assert list(said.by_channel[others]) == sorted(said.by_channel[others])
        assert set(layer.shown(4)) >= {unit.channel for unit in layer.units}
        for unit in layer.units:
            assert unit.attribution == pytest.approx(said.by_channel[unit.channel])
        assert np.abs(layer.said()).max() <= 1
    # From the last convolution on, all is straight but for what the classes begin with.
    _, bias = network.graph.network.get_layer("scores").get_weights()
    assert seen.layers[1].attribution.total == pytest.approx(logits[1] - logits[3] - (bias[1] - bias[3]), abs=1e-3)


def test_of_one_class_and_by_number(network, photo):
    one, other = (dreamer.see(photo, network=network, for_class=name, **QUICK) for name in ("cow", 2))
    assert one.question == other.question == ("cow", None)
    assert one.layers[0].attribution.total == other.layers[0].attribution.total


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"for_class": "elk"}, UnknownClassError, "elk"),
        ({"for_class": "9"}, UnknownLayerError, "0 to 3"),
        ({"for_class": "ant", "against": "0"}, SettingsError, "same class"),
        ({"against": "ant"}, SettingsError, "name that one too"),
        ({"groups": 2}, SettingsError, "name one"),
        ({"layers": ("nowhere",)}, UnknownLayerError, "nowhere"),
        ({"for_class": "ant", "groups": 2, "layers": ("pool",)}, SettingsError, "'pool' has no places"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_told(network, photo, keywords, error, message):
    with pytest.raises(error, match=message):
        dreamer.see(photo, network=network, **(QUICK | keywords))


def test_groups_are_parts_of_what_fires(network, photo):
    seen = dreamer.see(photo, network=network, for_class="bee", groups=6, **QUICK)
    found = seen.layers[0].attribution
    assert len(found.groups) == 6
    said = [abs(one.attribution) for one in found.groups]
    assert said == sorted(said, reverse=True)
    for one in found.groups:
        assert one.values.shape == seen.layers[0].where.grid
        assert one.values.min() >= 0
        assert one.direction.min() >= 0
        assert one.direction.shape == (6,)
    together = sum(one.values[..., None] * one.direction for one in found.groups)
    assert np.abs(together - found.activations).mean() < 0.02 * found.activations.max()
    scale = float(np.abs(found.by_channel).sum())
    assert sum(one.attribution for one in found.groups) == pytest.approx(found.total, abs=0.02 * scale)


def test_of_what_is_negative_no_group_is_made(photo):
    network = registry.load(built(activation="tanh"), "-1..1", labels=LABELS)
    seen = dreamer.see(photo, network=network, for_class="bee", groups=6, **QUICK)
    found = seen.layers[0].attribution
    fires = np.maximum(found.activations, 0)
    expected = float((fires * found.gradient).sum())
    assert sum(one.attribution for one in found.groups) == pytest.approx(
        expected, abs=0.03 * float(np.abs(fires * found.gradient).sum())
    )


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 3, 2), (5, 4, 3)])
def test_groups_of_nothing_and_of_few_places(shape):
    for activations in (np.zeros(shape, np.float32), np.ones(shape, np.float32), -np.ones(shape, np.float32)):
        found = attributing.split(activations, np.ones(shape, np.float32), 3, 0, "conv")
        assert 1 <= len(found) <= 3
        assert all(np.isfinite(one.values).all() and np.isfinite(one.direction).all() for one in found)
        assert sum(one.attribution for one in found) == pytest.approx(np.maximum(activations, 0).sum(), abs=1e-2)


@pytest.mark.parametrize("size", [(24, 36), (36, 24), (48, 48), (60, 75), (24, 96), (101, 59)])
def test_crops_cover_the_photo(network, size):
    data = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    found = crops(network, data, 3)
    covered = np.zeros(size, bool)
    for top, left, height, width in found.boxes:
        assert min(top, left) >= 0
        assert max(top + height, left + width) <= 1 + 1e-9
        assert (height * size[0]) == pytest.approx(width * size[1], abs=2)
        rows, columns = (np.floor([low * side, (low + span) * side + 1e-6]).astype(int)
                         for low, span, side in ((top, height, size[0]), (left, width, size[1])))  # fmt: skip
        covered[slice(*rows), slice(*columns)] = True
    assert covered.all()
    assert len(found.boxes) == len(found.best) > 1
    assert str(len(found.boxes)) in found.how
    assert [one.probability for one in found.mean] == sorted((one.probability for one in found.mean), reverse=True)
    assert all(one.name == LABELS[one.index] for one in [*found.mean, *found.best])


def test_crops_are_what_the_network_says_of_the_parts(network):
    data = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    found = crops(network, data, 4)
    # The whole, and three by three squares of it at twice the size.
    assert len(found.boxes) == 10
    assert found.boxes[0] == (0, 0, 1, 1)
    assert found.boxes[-1] == (0.5, 0.5, 0.5, 0.5)
    (last,) = network.predict(data[24:, 24:], top=1)
    assert found.best[-1].index == last.index
    assert found.best[-1].probability == pytest.approx(last.probability, abs=1e-3)
    assert sum(one.probability for one in found.mean) == pytest.approx(1)


@pytest.mark.parametrize("size", [(24, 24), (47, 47), (12, 30), (30, 400)])
def test_one_square_is_no_crop(network, size):
    """The network's own shape, a photo with too few pixels, and one that is much too long."""
    assert crops(network, np.zeros((*size, 3), np.uint8), 3) is None


@pytest.mark.parametrize("size", [(1, 40), (40, 1), (1, 1), (2, 300), (130, 31), (31, 130)])
def test_photos_of_any_shape(network, size, tmp_path):
    data = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    seen = dreamer.see(data, network=network, for_class="cow", top=2, **(QUICK | {"steps": 1, "size": 32}))
    page = seen.save(tmp_path / "page")
    assert page.is_file()
    said = strict(tmp_path / "page" / "see.json")
    assert said["photo"]["height"] >= said["photo"]["width"] or size[0] < size[1]
    with Image.open(tmp_path / "page" / "photo.webp") as shown:
        assert shown.size == (said["photo"]["width"], said["photo"]["height"])
    assert seen.sheet().pixels.ndim == 3
    for layer in seen.layers:
        assert layer.where.grid == layer.found.shape[:2]
        assert layer.where.size == seen.pixels.shape[:2]


def test_a_grey_network_sees_brightness(photo, tmp_path):
    grey = registry.load(built(channels=1), "0..1", labels=LABELS)
    seen = dreamer.see(photo, network=grey, for_class="ant", **QUICK)
    small = at(photo, seen.seen)
    np.testing.assert_allclose(seen.layers[0].found, grey.activations(small, ["first"])["first"], atol=1e-4)
    assert seen.layers[1].attribution.score == pytest.approx(grey.activations(small, ["scores"])["scores"][0], abs=1e-3)
    assert seen.save(tmp_path / "page").is_file()


def test_a_photo_is_seen_upright_and_without_what_cannot_be_seen(network, photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "upright.png")
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(photo)))
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned clockwise.
    turned.save(tmp_path / "turned.png", exif=exif)
    alpha = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    seen = [dreamer.see(tmp_path / f"{name}.png", network=network, **QUICK) for name in ("upright", "turned", "alpha")]
    for other in seen[1:]:
        assert other.seen == seen[0].seen
        np.testing.assert_allclose(other.layers[0].found, seen[0].layers[0].found, atol=1e-4)
        np.testing.assert_allclose(other.pixels, seen[0].pixels, atol=1e-4)
    assert seen[0].title == "upright.png"
    assert seen[0].recipe["source"]["name"] == "upright.png"


def test_a_network_without_classes_is_asked_without(photo, tmp_path):
    network = registry.load(built(classes=False), "-1..1")
    seen = dreamer.see(photo, network=network, **QUICK)
    assert (seen.predictions, seen.crops, seen.question) == ((), None, None)
    said = strict(seen.save(tmp_path / "page").parent / "see.json")
    assert (said["predictions"], said["crops"]) == ([], None)
    with pytest.raises(UnknownClassError, match="no classifier"):
        dreamer.see(photo, network=network, for_class="ant", **QUICK)


def test_a_network_of_one_size_is_seen_at_that(photo):
    picture = keras.Input((24, 30, 3))
    x = layers.Conv2D(4, 3, strides=3, activation="relu", name="conv")(picture)
    made = keras.Model(picture, layers.Dense(4, name="scores")(layers.Flatten(name="flat")(x)))
    network = registry.load(made, "-1..1", labels=LABELS)
    seen = dreamer.see(
        photo, network=network, layers=("conv", "flat"), for_class="doe", steps=0, note=lambda _line: None
    )
    assert seen.seen == (24, 30)
    assert seen.layers[0].where.grid == (8, 10)
    small = at(photo, (24, 30))
    logits = network.activations(small, ["scores"])["scores"]
    for layer in seen.layers:
        assert layer.attribution.total == pytest.approx(logits[3], abs=1e-3)


def test_tokens_are_told_by_their_channels(photo, tmp_path):
    """What a layer without rows and columns finds at several places."""
    picture = keras.Input((24, 24, 3))
    x = layers.Conv2D(5, 8, strides=8, activation="relu", name="patches")(picture)
    x = layers.Reshape((9, 5), name="tokens")(x)
    made = keras.Model(picture, layers.Dense(4, name="scores")(layers.GlobalAveragePooling1D(name="pool")(x)))
    network = registry.load(made, "-1..1", labels=LABELS)
    seen = dreamer.see(photo, network=network, layers="tokens", for_class="ant", steps=0, note=lambda _line: None)
    (layer,) = seen.layers
    assert (layer.where, layer.found.shape) == (None, (9, 5))
    for unit in layer.units:
        assert unit.at is None
        assert unit.score == pytest.approx(float(layer.found[:, unit.channel].max()))
    said = strict(seen.save(tmp_path / "page").parent / "see.json")
    assert len(said["layers"][0]["places"]) == said["layers"][0]["rows"] * said["layers"][0]["columns"] == 1


def test_the_recipe_names_the_network_that_looked(network, photo):
    seen = dreamer.see(photo, network=network, **QUICK)
    assert seen.recipe["settings"]["model"] == network.spec.name
    assert seen.recipe["settings"]["layers"] == ["first", "second"]
    assert seen.recipe["command"] == "see"
    assert seen.to_dict()["model"] == network.spec.name


def test_a_folder_holds_a_page_and_what_it_shows(network, photo, tmp_path):
    seen = dreamer.see(photo, network=network, for_class="bee", groups=2, **(QUICK | {"steps": 1, "size": 32}))
    folder = tmp_path / "page"
    assert seen.save(str(folder)) == folder / "index.html"
    said = strict(folder / "see.json")
    assert said == json.loads(json.dumps(seen.to_dict()))
    page = (folder / "index.html").read_text()
    for name in ("photo.webp", "sheet-first.png", "sheet-second.png"):
        assert (folder / name).is_file()
    for layer in seen.layers:
        for channel in layer.shown(seen.top):
            for kind in ("heat", "units"):
                assert f"{kind}/{layer.name}-{channel}.png" in page
                assert (folder / kind / f"{layer.name}-{channel}.png").is_file()
        assert (folder / "heat" / f"{layer.name}-said.png").is_file()
        for number in (1, 2):
            assert (folder / "units" / f"{layer.name}-group-{number}.png").is_file()
    with pytest.raises(ImageWriteError, match="exist"):
        seen.save(folder)
    (folder / "mine.txt").write_text("mine")
    less = dreamer.see(photo, network=network, **QUICK | {"layers": "first", "top": 1})
    less.save(folder, overwrite=True)
    assert [one.name for one in (folder / "heat").iterdir()] == [f"first-{less.layers[0].units[0].channel}.png"]
    assert list((folder / "units").iterdir()) == []
    assert (folder / "mine.txt").read_text() == "mine"


def test_links_out_of_the_folder_are_not_followed(network, photo, tmp_path):
    seen = dreamer.see(photo, network=network, **QUICK)
    outside, folder = tmp_path / "outside", tmp_path / "page"
    outside.mkdir()
    folder.mkdir()
    (outside / "holiday.png").write_bytes(b"dear")
    (folder / "heat").symlink_to(outside)
    with pytest.raises(ImageWriteError, match="leads out of"):
        seen.save(folder)
    assert [one.name for one in outside.iterdir()] == ["holiday.png"]
    (folder / "heat").unlink()
    (folder / "photo.webp").unlink()
    (folder / "photo.webp").symlink_to(outside / "holiday.png")
    with pytest.raises(ImageWriteError, match="leads out of"):
        seen.save(folder)
    assert (outside / "holiday.png").read_bytes() == b"dear"
    with pytest.raises(ImageWriteError, match="is a file"):
        seen.save(outside / "holiday.png")
    with pytest.raises(ImageWriteError, match="does not exist"):
        seen.save(tmp_path / "no" / "page")


def test_a_folder_in_the_place_of_a_picture_is_told(network, photo, tmp_path):
    seen = dreamer.see(photo, network=network, **QUICK)
    (tmp_path / "page" / "heat" / "first-0.png").mkdir(parents=True)
    with pytest.raises(ImageWriteError, match="first-0.png"):
        seen.save(tmp_path / "page")


def test_a_layer_that_gives_no_numbers_is_written_as_none_can_misread(photo, tmp_path):
    made = built()
    made.get_layer("first").set_weights([np.zeros((5, 5, 3, 6), np.float32), np.zeros(6, np.float32)])
    network = registry.load(made, "-1..1", labels=LABELS)
    seen = dreamer.see(photo, network=network, for_class="ant", groups=2, **QUICK)
    assert not seen.layers[0].found.any()
    strict(seen.save(tmp_path / "page").parent / "see.json")


@pytest.fixture
def atlas(network, tmp_path, monkeypatch):
    """An atlas of "first", of the same weights, and the file of its network."""
    monkeypatch.chdir(tmp_path)
    built().save("mine.keras")
    (tmp_path / "mine.toml").write_text('preprocessing = "-1..1"\n')
    how = VisualizeSettings(model="mine.keras", size=(32, 32), steps=1)
    dreamer.atlas(["first"], tmp_path / "atlas", how)
    return tmp_path / "atlas"


def test_an_atlas_s_own_pictures_are_taken_and_the_others_are_drawn(atlas, photo, tmp_path):
    shares = []
    seen = dreamer.see(
        photo, network="mine.keras", atlas=atlas, on_step=shares.append,
        **(QUICK | {"steps": 1, "size": 32, "top": 2, "layers": ("first", "second")}),
    )  # fmt: skip
    held = catalogs.read(atlas)
    for unit in seen.layers[0].units:
        path = atlas / held.entries["first", unit.channel].path(negative=False, variant=0)
        assert np.array_equal(seen.layers[0].pictures[unit.channel], np.rint(images.read(path).pixels * 255))
    assert set(seen.layers[1].pictures) == {unit.channel for unit in seen.layers[1].units}
    assert shares[-1] == 1
    assert seen.recipe["settings"]["model"] == "mine.keras"
    seen.save(tmp_path / "page")
    # Where a picture of it is gone, it is no atlas to look into.
    for path in (atlas / "pictures").rglob("*.*"):
        path.unlink()
    with pytest.raises(AtlasError, match="not whole"):
        dreamer.see(photo, network="mine.keras", atlas=atlas, **QUICK)


def test_an_atlas_of_another_network_is_refused(atlas, photo, tmp_path):
    other = registry.load(built(activation="tanh", channels=1), "-1..1", labels=LABELS)
    with pytest.raises(AtlasError, match=r"is one of mine\.keras"):
        dreamer.see(photo, network=other, atlas=atlas, **QUICK)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AtlasError, match="there is no atlas"):
        dreamer.see(photo, network=other, atlas=tmp_path / "empty", **QUICK)


def test_the_wanted_are_weights(network, photo):
    """Twice the weight is twice all of it."""
    small = at(photo, (24, 35))
    opened = Opened(network, "second")
    one, two = (attribution(opened, small, np.array([0, weight, 0, 0], np.float32)) for weight in (1, 2))
    assert two.total == pytest.approx(2 * one.total, rel=1e-4)
    assert two.score == pytest.approx(2 * one.score, rel=1e-4)
