"""The photos that excite units most, held against looking at all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reading_work import read_for_ever

from dreamer import images, objectives
from dreamer.atlases import examples
from dreamer.atlases.catalog import Catalog, UnitEntry
from dreamer.atlases.units import Unit
from dreamer.errors import ImageReadError
from dreamer.searching import looking
from dreamer.workers import pools, process

LAYERS = {"first": [0, 3, 4], "pool": [1, 2]}


@pytest.fixture
def photos(tmp_path) -> list[Path]:
    """Fourteen photos of grey with a bright patch somewhere, of a size that is neither cut nor resized."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(5)
    for number in range(14):
        picture = np.full((224, 331, 3), 0.5, np.float32)
        top, left = random.integers(20, 180), random.integers(20, 280)
        picture[top : top + 9, left : left + 7] = random.uniform(size=(9, 7, 3))
        images.write(folder / f"{number:02}.png", images.Photo(picture), recipe=None)
    (folder / "07.png").write_bytes(b"no photo")
    return sorted(folder.iterdir())


@pytest.fixture
def catalog() -> Catalog:
    made = Catalog("efficientnet_lite0", "A network", "0", {})
    for layer, indices in LAYERS.items():
        for index in indices:
            made.entries[layer, index] = UnitEntry(Unit(layer, index, objectives.channel(layer, index).name, ""))
    return made


def test_they_are_the_best_of_all_and_show_where(photos, catalog, tiny_network, tmp_path):
    notes, seen = [], []
    examples.find(tmp_path, catalog, tiny_network, photos, on_photo=seen.append, note=notes.append)
    assert [note.startswith(f"left out: {photos[7]}") for note in notes] == [True]
    assert seen == list(range(1, 15))
    run = tiny_network.forward(LAYERS)
    found = {
        path.name: {layer: np.asarray(one)[0] for layer, one in run(images.read(path).pixels[None]).items()}
        for path in photos
        if path.name != "07.png"
    }
    for (layer, index), entry in catalog.entries.items():
        best = sorted(((one[layer][..., index].max(), name) for name, one in found.items()), reverse=True)[:9]
        assert [catalog.photos[one.photo].name for one in entry.examples] == [name for _, name in best]
        np.testing.assert_allclose([one.score for one in entry.examples], [score for score, _ in best], rtol=1e-4)
        for one in entry.examples:
            top, left, height, width = one.box
            if layer == "pool":
                assert one.box == (0, 0, 1, 1)
                continue
            activation = found[catalog.photos[one.photo].name][layer][..., index]
            y, x = np.divmod(activation.argmax(), activation.shape[1])
            assert top <= (y + 0.5) / activation.shape[0] <= top + height
            assert left <= (x + 0.5) / activation.shape[1] <= left + width
            assert (height * 224, width * 331) == pytest.approx((48, 48), abs=0.1)
            assert 0 <= top <= 1 - height + 1e-3
            assert 0 <= left <= 1 - width + 1e-3


def test_photos_are_kept_once_small_and_without_what_they_said(photos, catalog, tiny_network, tmp_path):
    examples.find(tmp_path, catalog, tiny_network, photos)
    used = {one.photo for entry in catalog.entries.values() for one in entry.examples}
    assert used == set(range(len(catalog.photos)))
    stray = tmp_path / "examples" / "stray.webp"
    stray.write_bytes(b"")
    examples.sweep(tmp_path, catalog)
    assert {path.name for path in stray.parent.iterdir()} == {Path(photo.path).name for photo in catalog.photos}
    kept = images.read(tmp_path / catalog.photos[0].path)
    assert kept.pixels.shape == (catalog.photos[0].height, catalog.photos[0].width, 3) == (224, 331, 3)
    assert kept.metadata.xmp is None


@pytest.mark.parametrize(("size", "kept"), [((60, 90), (60, 90)), ((1000, 500), (896, 448)), ((30, 200), (30, 60))])
def test_large_photos_are_made_small_and_long_ones_are_cut(size, kept, catalog, tiny_network, tmp_path):
    path = tmp_path / "photo.jpg"
    images.write(path, images.Photo(np.zeros((*size, 3), np.uint8)), recipe=None)
    examples.find(tmp_path, catalog, tiny_network, [path])
    assert (catalog.photos[0].height, catalog.photos[0].width) == kept
    assert len(catalog.entries["first", 0].examples) == 1


def test_they_are_looked_for_again_when_photos_or_units_change(photos, catalog):
    before = examples.digest(photos, catalog)
    assert examples.digest(photos, catalog) == before
    assert examples.digest(photos[1:], catalog) != before
    photos[0].write_bytes(b"other")
    changed = examples.digest(photos, catalog)
    assert changed != before
    del catalog.entries["first", 0]
    assert examples.digest(photos, catalog) != changed


def test_a_folder_of_what_is_no_photo_is_said_to_be_so(catalog, tiny_network, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no photo")
    with pytest.raises(ImageReadError, match="none of the 1 photos can be read"):
        examples.find(tmp_path, catalog, tiny_network, [tmp_path / "a.png"])


def test_photos_are_the_same_whoever_reads_them_and_one_that_takes_for_ever_is_left_out(photos):
    class Pool(pools.Processes):
        def submit(self, work, job, pause):
            return super().submit(read_for_ever if job[0] == photos[3] else work, job, pause)

    pool = Pool([{}, {}], limit=300.0)
    try:
        found = list(looking.in_pool(photos, pool, None))
    finally:
        pool.close()
    assert found[3].startswith(f"{photos[3]}: it was ended after 0.5")
    for number, (one, other) in enumerate(zip(found, looking.here(photos), strict=True)):
        assert number == 3 or np.array_equal(one, other)
    assert found[7].startswith(f"{photos[7]} is not a picture")


def test_a_photo_has_as_much_time_as_is_said(photos, monkeypatch):
    told = []
    monkeypatch.setattr(process, "_tell", told.append)
    looking.read((photos[0], 12.0))
    assert told == [12.0]


def test_what_is_not_looked_at_is_told(photos, tmp_path):
    assert looking.left_out(tmp_path / "photos") == ""
    for name in ("a.mov", "b.mov", ".hidden"):
        (tmp_path / "photos" / name).touch()
    assert looking.left_out(tmp_path / "photos") == "left out: 2 .mov"
