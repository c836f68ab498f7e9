"""Searching photos: what was planted is found first and cut out, whatever the photos are like and wherever they are."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from searching import search_case

import dreamer
from dreamer import images
from dreamer.batching.folders import folder as folder_of
from dreamer.errors import ImageExistsError, ImageReadError, ImageWriteError, SettingsError, UnknownLayerError
from dreamer.models.positions import cut
from dreamer.searching import looking
from dreamer.searching.calls import scores
from dreamer.searching.filling import Index
from dreamer.searching.found import FoundPhoto
from dreamer.searching.looking import Photos
from dreamer.targets import resolve
from dreamer.workers.places import Place

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "photos" / "thousand"
EVIL = "</script><img src=x onerror=alert(1)> &\"'.png".replace("/", "\N{FRACTION SLASH}")


@pytest.fixture(scope="module")
def network():
    return search_case.network()


@pytest.fixture
def search(network, tmp_path):
    def searched(objective, photos, **options):
        options = {"network": network, "steps": 0, "index": tmp_path / "index"} | options
        return dreamer.search(objective, photos, **options)

    return searched


def holds(photo, y, x):
    """Whether a point, in shares of the photo, lies in the crop."""
    top, left, height, width = photo.box
    return top <= y <= top + height and left <= x <= left + width


@pytest.mark.parametrize(("height", "width"), [(224, 331), (331, 224), (224, 224), (301, 420), (97, 64)])
@pytest.mark.parametrize("at", [(0.1, 0.15), (0.5, 0.5), (0.93, 0.8)])
def test_what_was_planted_is_found_first_and_cut_out(search, tmp_path, height, width, at):
    folder = search_case.folder(tmp_path / "photos", 6, spot=None)
    side = max(9, min(height, width) // 14)
    top, left = int(at[0] * height - side / 2), int(at[1] * width - side / 2)
    photo = search_case.planted(search_case.scene(50, height, width), max(0, top), left, side)
    search_case.save(folder / "sub" / "planted.png", photo)
    found = search("first:0", folder, top=3)
    [first, *others] = found.most
    assert (first.photo, found.looked_at, len(others)) == ("sub/planted.png", 7, 2)
    assert first.score > 2 * max(one.score for one in others)
    assert holds(first, *at)
    red = (first.crop[..., 0] > 200) & (first.crop[..., 1] < 60)
    assert (
        red.sum() > 0.5 * ((photo[..., 0] > 200) & (photo[..., 1] < 60)).sum() * (first.pixels.shape[0] / height) ** 2
    )
    # A square of 48 pixels of what the network saw.
    shorter = min(first.pixels.shape[:2])
    assert first.crop.shape[0] == pytest.approx(shorter * 48 / 224, abs=1.1)
    assert first.crop.shape[1] == pytest.approx(shorter * 48 / 224, abs=1.1)


def test_an_edge_is_told_from_its_mirror_image(search, tmp_path):
    folder = search_case.folder(tmp_path / "photos", 4, spot=None)
    for name, sides in (("left", (255, 0)), ("right", (0, 255))):
        photo = search_case.scene(60 + len(name))
        photo[100:130, 200:215], photo[100:130, 215:230] = sides
        search_case.save(folder / f"{name}.png", photo)
    found = search("first:1", folder)
    assert found.most[0].photo == "right.png"
    assert holds(found.most[0], 115 / 224, 215 / 331)
    found = search("first:1 - 2*first:2", folder)
    assert found.least[0].photo == "left.png"
    assert holds(found.least[0], 115 / 224, 207 / 331)


def test_scores_are_those_of_the_network_and_both_ends_are_in_order(search, network, tmp_path):
    folder = search_case.folder(tmp_path / "photos", 9)
    found = search("first:2 - 0.1*second:1", folder, top=9)
    objective = resolve(dreamer.objectives.Objective.of("first:2 - 0.1*second:1"), network)
    held = Index(network, Photos.of(str(folder)), ["first", "second"], tmp_path / "index")
    held.fill()
    expected = dict(zip(held.names, scores(objective, held), strict=True))
    for end, extreme in ((found.most, np.max), (found.least, np.min)):
        assert sorted(one.photo for one in end) == held.names
        for one in end:
            assert one.score == pytest.approx(extreme(expected[one.photo].values))
            assert one.score == expected[one.photo].values[one.at]
    assert [one.score for one in found.most] == sorted((one.score for one in found.most), reverse=True)
    assert [one.score for one in found.least] == sorted(one.score for one in found.least)
    assert [one.photo for one in search("first:2 - 0.1*second:1", folder, top=2).most] == [
        one.photo for one in found.most[:2]
    ]


def test_a_class_is_the_whole_photo_and_a_neuron_its_own_place(search, tmp_path):
    folder = search_case.folder(tmp_path / "photos")
    found = search("logit:ant", folder)
    assert (found.most[0].photo, found.most[0].at, found.most[0].box) == ("04.png", None, (0, 0, 1, 1))
    assert np.array_equal(found.most[0].crop, found.most[0].pixels)
    found = search("first:0@24,51", folder)
    assert (found.most[0].photo, found.most[0].at) == ("04.png", (24, 51))
    assert {one.at for one in found.most} == {(24, 51)}
    assert holds(found.most[0], 98 / 224, 206 / 331)


def test_a_neuron_that_some_photos_are_too_small_for_leaves_those_out(search, tmp_path):
    folder = search_case.folder(tmp_path / "photos", 3)
    search_case.save(folder / "narrow.png", search_case.scene(9, 331, 224))
    notes = []
    assert len(search("first:0@3,70", folder, note=notes.append).most) == 3
    assert [note.partition(",")[0] for note in notes] == ["left out: 1 photos"]
    with pytest.raises(UnknownLayerError, match="lies outside 'first'"):
        search("first:0@3,700", folder, note=notes.append)


def test_near_duplicates_are_shown_once_with_the_names_of_the_others(search, tmp_path):
    folder = search_case.folder(tmp_path / "photos")
    photo = Image.open(folder / "04.png")
    photo.save(folder / "copy.jpg", quality=50)
    photo.resize((166, 112)).save(folder / "half.png")
    found = search("first:0", folder, top=3)
    [first, *others] = found.most
    alike = {"04.png", "copy.jpg", "half.png"}
    assert {first.photo, *first.alike} == alike
    assert len(first.alike) == 2
    assert not alike & {one.photo for one in others}
    assert [one.alike for one in others] == [(), ()]
    assert found.looked_at == 9


def test_what_cannot_be_read_is_told_and_left_out(search, tmp_path):
    folder = search_case.folder(tmp_path / "photos")
    (folder / "broken.jpg").write_bytes(b"no photo")
    (folder / "cut.png").write_bytes((folder / "01.png").read_bytes()[:60])
    (folder / "words.txt").touch()
    notes = []
    found = search("first:0", folder, note=notes.append)
    assert found.most[0].photo == "04.png"
    assert (found.looked_at, len(found.left_out)) == (7, 2)
    assert [name for name in ("broken.jpg", "cut.png") for line in notes if f"{folder}/{name}" in line] == [
        "broken.jpg", "cut.png",
    ]  # fmt: skip
    assert all(line.startswith("left out: ") for line in notes[1:])
    assert notes[0] == f"of the photos in {folder} left out: 1 .txt"
    with pytest.warns(RuntimeWarning, match="left out"):
        search("first:0", folder)


def test_odd_photos_are_looked_at(search, tmp_path):
    folder = search_case.folder(tmp_path / "photos", 2, spot=None)
    spot = search_case.planted(search_case.scene(30), 60, 250, 15)
    grey = search_case.scene(31)[..., 1]
    search_case.save(folder / "grey.png", grey)
    Image.fromarray(search_case.scene(32)).convert("RGBA").save(folder / "alpha.png")
    Image.fromarray(search_case.scene(33)).quantize(16).save(folder / "palette.png")
    Image.fromarray(search_case.scene(37)[..., 1].astype(np.uint16) * 257).save(folder / "deep.png")
    search_case.save(folder / "line.png", search_case.scene(34, 1, 90))
    search_case.save(folder / "dot.png", search_case.scene(35, 1, 1))
    search_case.save(folder / "long.png", search_case.scene(36, 100, 900))
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned a quarter clockwise.
    search_case.save(folder / "turned.jpg", np.rot90(spot).copy(), exif=exif, quality=95)
    found = search("first:0", folder, top=20)
    assert found.most[0].photo == "turned.jpg"
    assert found.most[0].pixels.shape == (224, 331, 3)
    assert holds(found.most[0], 67 / 224, 257 / 331)
    # A photo of a single colour has nothing by which to take it for another.
    assert {one.photo for one in found.most} == {path.name for path in folder.iterdir()}
    for one in found.most + found.least:
        assert math.isfinite(one.score)
        assert min(one.crop.shape) > 0
        assert one.pixels.dtype == np.uint8
    by_name = {one.photo: one for one in found.most}
    assert by_name["long.png"].pixels.shape == (100, 200, 3)


def test_a_folder_without_photos_or_none_that_can_be_read_is_an_error(search, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(SettingsError, match="there are no photos in"):
        search("first:0", tmp_path / "photos")
    (tmp_path / "photos" / "a.png").write_bytes(b"")
    with pytest.raises(ImageReadError, match="none of the 1 photos"):
        search("first:0", tmp_path / "photos", note=lambda _line: None)


def test_what_is_asked_is_checked_before_photos_are_looked_at(search, tmp_path, monkeypatch):
    folder = search_case.folder(tmp_path / "photos", 2)
    monkeypatch.setattr(looking, "load", None)
    for asked in ("first - l2", "diversity:first"):
        with pytest.raises(SettingsError, match="cannot be searched for"):
            search(asked, folder)
    with pytest.raises(UnknownLayerError, match="no layer 'frist'"):
        search("frist:0", folder)


@pytest.fixture
def loads(monkeypatch):
    """The photos that are read."""
    load, places = looking.load, []
    monkeypatch.setattr(looking, "load", lambda place: (places.append(str(place)), load(place))[1])
    return places


def test_the_next_question_reads_only_the_photos_that_it_shows(search, tmp_path, loads):
    folder = search_case.folder(tmp_path / "photos", 12)
    told = []
    search("first:0", folder, top=2, on_photo=lambda *done: told.append(done))
    assert (len(loads), told) == (16, [(12, 12)])
    loads.clear()
    found = search("first:1 - first:2", folder, top=2, on_photo=lambda *done: told.append(done))
    assert loads == [str(folder / one.photo) for one in found.most + found.least]
    assert len(told) == 1


def test_memory_does_not_grow_with_the_number_of_photos(search, tmp_path):
    folder = tmp_path / "photos"
    for number in range(10):
        search_case.save(folder / f"{number}.jpg", search_case.scene(number, 30, 45))
    search("first:1", folder, top=1, index=tmp_path / "other")  # What is made once.
    for number in range(10, 500):
        os.link(folder / f"{number % 10}.jpg", folder / f"{number}.jpg")
    tracemalloc.start()
    found = search("first:1", folder, top=3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.looked_at, len(found.most), len(found.most[0].alike)) == (500, 3, 49)
    held = sum(path.stat().st_size for path in (tmp_path / "index").glob("*.f16"))
    assert held == 500 * 2 * 56 * 84 * 3
    assert peak < held / 2


def test_photos_of_a_store_are_found_as_those_of_a_folder(search, tmp_path, loads):
    fsspec = pytest.importorskip("fsspec")
    photos = search_case.folder(tmp_path / "photos")
    url = "memory://searching/some/photos"
    held = folder_of(url)
    for path in photos.iterdir():
        held.write(path.name, path.read_bytes(), overwrite=True)
    try:
        here, there = search("first:0", photos), search("first:0", url, index=tmp_path / "other")
        assert [one.to_dict() for one in there.most] == [one.to_dict() for one in here.most]
        assert there.recipe["photos"] == url
        loads.clear()
        search("first:1", url, index=tmp_path / "other", top=1)
        assert len(loads) == 2
        held.write("04.png", (photos / "00.png").read_bytes(), overwrite=True)
        assert search("first:0", url, index=tmp_path / "other").most[0].score < here.most[0].score / 2
        held.remove("00.png")
        assert search("first:0", url, index=tmp_path / "other").looked_at == 6
    finally:
        fsspec.filesystem("memory").rm("/searching", recursive=True)


def test_processes_find_what_one_finds(search, tmp_path):
    folder = search_case.folder(tmp_path / "photos", 20)
    (folder / "07.png").write_bytes(b"no photo")
    search_case.model().save(tmp_path / "own.keras")
    how = {"network": None, "model": str(tmp_path / "own.keras"), "preprocessing": "0..1", "note": lambda _line: None}
    here = search("first:0", folder, **how)
    told = []
    how |= {"place": Place(workers=2), "index": tmp_path / "other", "on_photo": lambda *done: told.append(done)}
    there = search("first:0", folder, **how)
    assert told[-1] == (20, 20)
    assert (here.left_out, here.looked_at) == (there.left_out, there.looked_at)
    for one, other in zip(here.most, there.most, strict=True):
        assert (one.photo, one.at, one.box) == (other.photo, other.at, other.box)
        assert one.score == pytest.approx(other.score, rel=2e-3)


def test_a_network_in_memory_is_used_here_and_photos_are_read_by_others(search, tmp_path):
    folder = search_case.folder(tmp_path / "photos", 3, spot=1)
    (folder / "02.png").write_bytes(b"no photo")
    here, there = (
        search("first:0", folder, index=tmp_path / str(place), place=place, note=lambda _line: None)
        for place in (None, Place(workers=2))
    )
    assert [one.to_dict() for one in here.most] == [one.to_dict() for one in there.most]
    assert here.left_out == there.left_out


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.fixture(scope="module")
def drawn(network, tmp_path_factory):
    """A search with drawn pictures."""
    place = tmp_path_factory.mktemp("drawn")
    folder = search_case.folder(place / "photos")
    search_case.save(folder / EVIL, search_case.scene(44))
    shares = []
    found = dreamer.search(
        "second:1", folder, network=network, steps=6, top=4, index=place / "index", on_step=shares.append
    )
    assert shares[-1] == 1
    return found


def test_what_is_drawn_is_compared_where_it_answers(drawn, network):
    assert len(drawn.drawn) == 2
    held = Index(network, Photos.of(drawn.recipe["photos"]), ["second"])
    held.fill()
    mean = np.mean([np.mean(held.found(name)["second"], axis=(0, 1), dtype=np.float64) for name in held.names], axis=0)
    for end, picture, extreme in ((drawn.most, drawn.drawn[0], np.argmax), (drawn.least, drawn.drawn[1], np.argmin)):
        assert picture.ndim == 3
        given = network.activations(picture, ["second"])["second"]
        best = given.reshape(-1, 4)[extreme(given[..., 1])]
        for one in end:
            there = np.asarray(held.found(one.photo)["second"][one.at], np.float64)
            assert one.agrees == pytest.approx(cosine(there - mean, best - mean), abs=1e-3)
    most, least = (network.activations(picture, ["second"])["second"][..., 1].mean() for picture in drawn.drawn)
    assert most > least


def test_what_is_drawn_agrees_with_what_was_planted(search, tmp_path):
    found = search("first:0", search_case.folder(tmp_path / "photos"), steps=48)
    assert found.most[0].agrees > 0.9
    assert max(one.agrees for one in found.most[1:]) < 0.5
    assert search("first:0", tmp_path / "photos").most[0].agrees is None


def files(folder):
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def test_a_search_is_written_as_a_folder(drawn, tmp_path):
    page = drawn.save(tmp_path / "found")
    assert page == tmp_path / "found" / "index.html"
    names = {
        f"{end}/{rank:03}{kind}.webp" for end in ("most", "least") for rank in range(1, 5) for kind in ("", "-crop")
    }
    assert set(files(page.parent)) == names | {
        "index.html", "found.json", "most.png", "least.png", "drawn-most.png", "drawn-least.png",
    }  # fmt: skip
    held = json.loads((page.parent / "found.json").read_text(), parse_constant=pytest.fail)
    assert held == json.loads(json.dumps(drawn.to_dict()))
    assert held["recipe"]["settings"] == {
        "top": 4, "steps": 6, "model": "planted", "preprocessing": None, "seed": 0,
    }  # fmt: skip
    assert [one["photo"] for one in held["most"]] == [one.photo for one in drawn.most]
    for rank, one in enumerate(drawn.most, start=1):
        crop = images.read(page.parent / f"most/{rank:03}-crop.webp").pixels
        assert crop.shape == one.crop.shape
        whole = images.read(page.parent / f"most/{rank:03}.webp").pixels
        assert np.abs(255 * whole.astype(np.float32) - one.pixels).mean() < 6
        height, width = one.pixels.shape[:2]
        shares = np.array(held["most"][rank - 1]["box"])
        again = cut(one.pixels, tuple(shares * (height, width, height, width)))
        assert np.abs(np.subtract(again.shape, one.crop.shape)).max() <= 1
    recipe = images.read_recipe(page.parent / "most.png")
    assert (recipe["command"], recipe["targets"]) == ("search", ["second:1"])


def test_names_cannot_break_out_of_the_page(drawn, tmp_path):
    evil = FoundPhoto("</script><img src=x onerror=alert(1)>.png", 1.0, None, (0, 0, 1, 1), drawn.most[0].pixels)
    page = dataclasses.replace(drawn, most=(evil,), title="</script><b>").save(tmp_path / "found").read_bytes()
    assert b"<img src=x" not in page
    assert page.count(b"</script>") == page.count(b"<script")


def test_an_earlier_search_is_replaced_only_where_that_is_allowed(drawn, search, tmp_path):
    place = tmp_path / "found"
    drawn.save(place)
    (place / "most" / "mine.webp").write_bytes(b"precious")
    with pytest.raises(ImageExistsError, match="exists already"):
        drawn.save(place)
    found = search("first:0", search_case.folder(tmp_path / "photos"), top=1)
    found.save(place, overwrite=True)
    assert set(files(place)) == {
        "index.html", "found.json", "most.png", "least.png", "most/001.webp", "most/001-crop.webp", "least/001.webp",
        "least/001-crop.webp", "most/mine.webp",
    }  # fmt: skip


def test_what_is_not_ours_is_never_taken_away(search, tmp_path):
    found = search("first:0", search_case.folder(tmp_path / "photos"), top=1)
    place = tmp_path / "found"
    for name in ("most/007.webp", "drawn-most.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"precious")
    found.save(place)
    assert (place / "most/007.webp").read_bytes() == (place / "drawn-most.png").read_bytes() == b"precious"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "001.webp").write_bytes(b"precious")
    for path in (place / "least").iterdir():
        path.unlink()
    (place / "least").rmdir()
    (place / "least").symlink_to(elsewhere)
    with pytest.raises(ImageWriteError, match="leads out of"):
        found.save(place, overwrite=True)
    assert (elsewhere / "001.webp").read_bytes() == b"precious"
    with pytest.raises(ImageWriteError, match="does not exist"):
        found.save(tmp_path / "nowhere" / "found")
    with pytest.raises(ImageWriteError, match="is a file"):
        found.save(elsewhere / "001.webp")


def test_the_same_seed_writes_the_same_bytes(search, tmp_path):
    folder = search_case.folder(tmp_path / "photos")
    written = []
    for number, seed in enumerate((3, 3, 4)):
        page = search("first:0", folder, steps=3, seed=seed, index=tmp_path / f"index {number}").save(
            tmp_path / f"{number}"
        )
        written.append({name: path.read_bytes() for name, path in files(page.parent).items()})
    assert written[0] == written[1]
    assert written[0]["drawn-most.png"] != written[2]["drawn-most.png"]


def test_the_sheet_has_the_drawn_picture_and_the_crops(drawn):
    whole, without = (one.sheet().image for one in (drawn, dataclasses.replace(drawn, drawn=())))
    assert np.asarray(whole).size > np.asarray(without).size
    assert repr(drawn).startswith("<Found: second:1 in 8 photos, most in ")


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photos of the workshop are not here")
def test_a_cup_of_coffee_is_found_among_many_photos(tmp_path, samples, lite0):
    """The job itself, with the bundled network."""
    folder = tmp_path / "photos"
    folder.mkdir()
    every = sorted(PHOTOS.iterdir())[::25]
    for path in every:
        (folder / path.name).symlink_to(path)
    host = np.asarray(Image.open(every[3]).convert("RGB")).copy()
    cup = Image.open(samples / "coffee.png").convert("RGB").crop((100, 20, 480, 380)).resize((190, 180))
    top, left = host.shape[0] - 200, host.shape[1] - 215
    host[top : top + 180, left : left + 190] = np.asarray(cup)
    search_case.save(folder / "planted.png", host)
    found = dreamer.search("logit:espresso", folder, network=lite0, steps=0, top=3, index=tmp_path / "index")
    assert found.most[0].photo == "planted.png"
    assert found.looked_at == len(every) + 1
    assert found.most[0].score > 1.3 * found.most[1].score
