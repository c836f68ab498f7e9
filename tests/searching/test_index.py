"""What is kept of photos: it lasts, whatever is broken is left out, and a killed run is gone on with."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from searching import search_case

from dreamer.errors import FolderError, FolderInUseError, ImageReadError
from dreamer.searching import filling, index, looking
from dreamer.searching.filling import Index
from dreamer.searching.index import Entry, Key, LayerIndex
from dreamer.searching.looking import Photos

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

KEY = Key("network", "0" * 64, "0..1", 224)
NAMES = ["a.png", "b/c.jpg", "ü \udcff</script>.png", "d.webp", "e.png"]


def entry(name, number=0, stamp="1-2"):
    thumbnail = np.random.default_rng(number).integers(0, 256, (16, 16)).astype(np.uint8)
    return Entry(name, stamp, 0, (1,), (224, 331), (448, 662), thumbnail)


def numbers(number, shape=(3, 5, 7)):
    return np.random.default_rng(number).normal(size=shape).astype(np.float32)


def fill(place, names=NAMES, key=KEY):
    made = LayerIndex(place, "first", key)
    made.add((entry(name, number), numbers(number, (3, 5 + number, 7))) for number, name in enumerate(names))
    return made


def check(held, names):
    """That an index holds these of ``NAMES``, and what was found in them."""
    assert list(held.entries) == list(names)
    for number, name in enumerate(NAMES):
        if name in names:
            expected = numbers(number, (3, 5 + number, 7)).astype(np.float16)
            assert np.array_equal(held.found(name), expected)
            assert np.array_equal(held.entries[name].thumbnail, entry(name, number).thumbnail)
            assert (held.entries[name].seen, held.entries[name].size) == ((224, 331), (448, 662))


def files(place):
    [held] = place.glob("*.f16")
    return held, held.with_suffix(".jsonl")


def test_entries_last(tmp_path):
    fill(tmp_path, NAMES[:2])
    held = LayerIndex(tmp_path, "first", KEY)
    check(held, NAMES[:2])
    held.add(
        (entry(name, 2 + number), numbers(2 + number, (3, 7 + number, 7))) for number, name in enumerate(NAMES[2:])
    )
    check(held, NAMES)
    held = LayerIndex(tmp_path, "first", KEY)
    check(held, NAMES)
    assert held.bytes == sum(path.stat().st_size for path in files(tmp_path))


@pytest.mark.parametrize(
    "key",
    [
        Key("network", "1" * 64, "0..1", 224),
        Key("another", "0" * 64, "0..1", 224),
        Key("network", "0" * 64, "-1..1", 224),
        Key("network", "0" * 64, "0..1", 160),
    ],
)
def test_for_another_network_or_side_it_begins_anew(tmp_path, key):
    fill(tmp_path)
    check(LayerIndex(tmp_path, "first", key), [])
    check(LayerIndex(tmp_path, "first", KEY), [])
    assert key.digest != KEY.digest
    assert index.usual_place("/photos", key) != index.usual_place("/photos", KEY)


def test_layers_do_not_share_their_files(tmp_path):
    fill(tmp_path)
    check(LayerIndex(tmp_path, "second", KEY), [])
    check(LayerIndex(tmp_path, "first", KEY), NAMES)


def test_a_changed_photo_is_missing_and_what_is_found_then_counts(tmp_path):
    fill(tmp_path)
    held = LayerIndex(tmp_path, "first", KEY)
    stamps = ["1-2"] * 5
    assert held.missing(NAMES, stamps) == []
    stamps[1] = "1-3"
    assert held.missing(NAMES, stamps) == [1]
    assert NAMES[1] not in held.entries
    held.add([(entry(NAMES[1], stamp="1-3"), numbers(9))])
    held = LayerIndex(tmp_path, "first", KEY)
    assert held.missing(NAMES, stamps) == []
    assert np.array_equal(held.found(NAMES[1]), numbers(9).astype(np.float16))
    # The old stamp does not bring back what was found before.
    assert held.missing(NAMES, ["1-2"] * 5) == [1]


def test_a_photo_without_a_stamp_is_looked_at_every_time(tmp_path):
    fill(tmp_path, NAMES[:4]).add([(entry(NAMES[4], stamp=""), numbers(4))])
    held = LayerIndex(tmp_path, "first", KEY)
    assert held.missing(NAMES, ["1-2"] * 4 + [""]) == [4]


def test_where_most_photos_are_gone_or_changed_it_begins_anew(tmp_path):
    fill(tmp_path)
    size = files(tmp_path)[0].stat().st_size
    held = LayerIndex(tmp_path, "first", KEY)
    assert held.missing(NAMES[:3], ["1-2"] * 3) == []
    assert files(tmp_path)[0].stat().st_size == size
    held = LayerIndex(tmp_path, "first", KEY)
    assert held.missing(NAMES, ["1-2", "1-2", "9", "9", "9"]) == [0, 1, 2, 3, 4]
    assert files(tmp_path)[0].stat().st_size == 0
    check(LayerIndex(tmp_path, "first", KEY), [])


def rewritten(place, number, change):
    """The index with one line changed."""
    _, path = files(place)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number] = change(lines[number])
    path.write_bytes(b"".join(lines))


def with_fields(**fields):
    return lambda line: json.dumps(json.loads(line) | fields).encode() + b"\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line[: len(line) // 2],
        lambda line: line[: len(line) // 2] + b"\n",
        lambda line: b"\xff\0" + line,
        lambda line: b"[" * 100_000 + b"\n",
        lambda line: b"[]\n",
        lambda line: b"{}\n",
        lambda line: b"\n",
        lambda line: line.replace(b'"at"', b'"At"'),
        with_fields(at=10**9),
        with_fields(at=10**30),
        with_fields(at=-1),
        with_fields(at=1.5),
        with_fields(at=None),
        with_fields(shape=[3, 5, 10**9]),
        with_fields(shape=[3, -7, 7]),
        with_fields(shape=[3, 0, 7]),
        with_fields(shape=[]),
        with_fields(shape="3, 5, 7"),
        with_fields(seen=[224]),
        with_fields(seen=[224, -331]),
        with_fields(seen=[0, 331]),
        with_fields(seen=[224, 331, 3], size=[4]),
        with_fields(size=[-1, 5]),
        with_fields(photo=7),
        with_fields(stamp=None),
        with_fields(thumbnail="AAAA"),
        with_fields(thumbnail="!"),
        with_fields(thumbnail="ü"),
    ],
)
def test_before_a_line_that_is_wrong_all_is_kept_and_it_goes_on_from_there(tmp_path, change):
    fill(tmp_path)
    rewritten(tmp_path, 4, change)
    held = LayerIndex(tmp_path, "first", KEY)
    check(held, NAMES[:3])
    held.add((entry(NAMES[number], number), numbers(number, (3, 5 + number, 7))) for number in (3, 4))
    check(LayerIndex(tmp_path, "first", KEY), NAMES)


@pytest.mark.parametrize(
    "head",
    [b"", b"\n", b"nonsense\n", b"[1, 2]\n", b"{}\n", b"[" * 100_000 + b"\n", b'{"format": 0}\n', b"\xff\xfe\n"],
)
def test_behind_a_head_that_is_not_ours_nothing_counts(tmp_path, head):
    fill(tmp_path)
    rewritten(tmp_path, 0, lambda _: head)
    held = LayerIndex(tmp_path, "first", KEY)
    check(held, [])
    held.add([(entry(NAMES[0]), numbers(0))])
    check(LayerIndex(tmp_path, "first", KEY), NAMES[:1])


def test_what_is_missing_of_the_numbers_is_not_told_of(tmp_path):
    fill(tmp_path)
    held, _ = files(tmp_path)
    os.truncate(held, held.stat().st_size - 1)
    check(LayerIndex(tmp_path, "first", KEY), NAMES[:4])
    held.unlink()
    check(LayerIndex(tmp_path, "first", KEY), [])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_beginning_of_the_files_gives_a_beginning_of_the_entries_and_goes_on(tmp_path_factory, data):
    place = tmp_path_factory.mktemp("index")
    fill(place)
    for path in files(place):
        size = path.stat().st_size
        # Ends of lines and of numbers are where mistakes are made.
        ends = [0, size] if path.suffix == ".f16" else [
            place + near for place, sign in enumerate(path.read_bytes()) if sign == 10 for near in (0, 1)
        ]  # fmt: skip
        os.truncate(path, data.draw(st.sampled_from(ends) | st.integers(0, size)))
    held = LayerIndex(place, "first", KEY)
    count = len(held.entries)
    check(held, NAMES[:count])
    held.add((entry(NAMES[number], number), numbers(number, (3, 5 + number, 7))) for number in range(count, 5))
    check(held, NAMES)
    check(LayerIndex(place, "first", KEY), NAMES)


def test_what_float16_cannot_hold_is_still_the_most_and_what_is_no_number_is_zero(tmp_path):
    held = LayerIndex(tmp_path, "first", KEY)
    held.add([(entry("a.png"), np.array([1e6, np.inf, -1e6, -np.inf, np.nan, 1e-9, 2.5], np.float32))])
    assert held.found("a.png").tolist() == [65504, 65504, -65504, -65504, 0, 0, 2.5]


def test_two_at_once_are_told_apart(tmp_path):
    place = tmp_path / "deep" / "index"
    with index.held(place), pytest.raises(FolderInUseError, match="is being filled by another run"), index.held(place):
        pass
    with index.held(place):
        pass


def test_where_no_index_can_be_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="cannot be written.*choose another place"), index.held(tmp_path / "file/x"):
        pass
    fill(tmp_path)
    lines = files(tmp_path)[1]
    lines.unlink()
    lines.mkdir()
    with pytest.raises(FolderError, match="cannot be written: Is a directory"):
        LayerIndex(tmp_path, "first", KEY)


class Full:
    """A file on a disk that is full after some bytes."""

    def __init__(self, file, left):
        self._file, self._left = file, left

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, data):
        self._file.write(data[: self._left])
        self._left -= len(data)
        if self._left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(("suffix", "left"), [(".f16", 0), (".f16", 301), (".jsonl", 0), (".jsonl", 500)])
def test_a_full_disk_is_said_and_what_was_whole_stays(tmp_path, monkeypatch, suffix, left):
    held = fill(tmp_path, NAMES[:2])
    opened = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(
            Path, "open", lambda self, *mode: (
                Full(opened(self, *mode), left) if self.suffix == suffix else opened(self, *mode)
            )
        )  # fmt: skip
        with pytest.raises(FolderError, match="No space left on device. What it holds stays.*--index"):
            held.add((entry(NAMES[number], number), numbers(number, (3, 5 + number, 7))) for number in (2, 3))
    assert list(held.entries) == NAMES[:2]
    held = LayerIndex(tmp_path, "first", KEY)
    count = len(held.entries)
    check(held, NAMES[:count])
    assert count >= 2
    held.add((entry(NAMES[number], number), numbers(number, (3, 5 + number, 7))) for number in range(count, 5))
    check(LayerIndex(tmp_path, "first", KEY), NAMES)


def test_who_reads_keeps_what_is_begun_anew_by_others(tmp_path):
    """In a process of its own, which a mapped file that shrinks would end."""
    code = """
import sys
from pathlib import Path
sys.path.append(sys.argv[2])
from searching import test_index as case
place = Path(sys.argv[1])
held = case.LayerIndex(place, "first", case.KEY)
held.keep()
assert not case.LayerIndex(place, "first", case.Key("another", "1", "", 1)).entries
case.check(held, case.NAMES)
"""
    fill(tmp_path)
    tests = str(Path(__file__).resolve().parents[1])
    subprocess.run([sys.executable, "-c", code, str(tmp_path), tests], check=True, timeout=120)


@pytest.fixture(scope="module")
def network():
    return search_case.network()


def values(held):
    return {name: {layer: np.array(one) for layer, one in held.found(name).items()} for name in held.names}


def same(one, other):
    assert list(one) == list(other)
    for name, layers in one.items():
        assert all(np.array_equal(found, other[name][layer]) for layer, found in layers.items())


def test_photos_are_looked_at_once_and_again_when_they_change(network, tmp_path):
    folder = search_case.folder(tmp_path / "photos")
    told = []

    def filled(layers=("first", "hidden")):
        held = Index(network, Photos.of(str(folder)), layers, tmp_path / "index")
        told.clear()
        held.fill(on_photo=lambda done, of: told.append((done, of)))
        return held

    first = filled()
    assert told == [(7, 7)]
    assert first.names == [f"{number:02}.png" for number in range(7)]
    for name in first.names:
        picture = looking.load(folder / name)
        assert picture.shape == (224, 331, 3)
        expected = network.activations(picture, ["first", "hidden"])
        assert first.entry(name).seen == first.entry(name).size == (224, 331)
        for layer, found in first.found(name).items():
            np.testing.assert_allclose(found, expected[layer], rtol=2e-3, atol=2e-3)
    before = values(first)
    same(values(filled()), before)
    assert told == []
    search_case.save(folder / "03.png", search_case.scene(77))
    search_case.save(folder / "09.png", search_case.scene(78))
    (folder / "05.png").unlink()
    changed = values(filled())
    assert told == [(2, 2)]
    assert not np.array_equal(changed["03.png"]["first"], before["03.png"]["first"])
    assert sorted(changed) == ["00.png", "01.png", "02.png", "03.png", "04.png", "06.png", "09.png"]
    # Another layer needs all of them; what is there of the first is used.
    assert {layer for one in values(filled(["first", "second"])).values() for layer in one} == {"first", "second"}
    assert told == [(7, 7)]


def test_networks_in_memory_are_known_by_their_weights(tmp_path):
    folder = Photos.of(str(search_case.folder(tmp_path / "photos", 2)))
    model = search_case.model()
    places = set()
    for change in (0, 0, 1):
        model.get_layer("first").bias.assign(model.get_layer("first").bias + change)
        places.add(Index(filling.registry.load(model, "0..1"), folder, ["first"]).place)
    assert len(places) == 2


def test_photos_that_cannot_be_read_are_left_out_and_none_at_all_is_an_error(network, tmp_path):
    folder = search_case.folder(tmp_path / "photos", 3)
    (folder / "01.png").write_bytes(b"no photo")
    notes = []
    held = Index(network, Photos.of(str(folder)), ["first"], tmp_path / "index")
    held.fill(note=notes.append)
    assert held.names == ["00.png", "02.png"]
    assert notes == [f"left out: {line}" for line in held.left_out]
    assert notes[0].startswith(f"left out: {folder}/01.png is not a picture")
    for path in folder.iterdir():
        path.write_bytes(b"no photo")
    with pytest.raises(ImageReadError, match=f"none of the 3 photos in {folder} can be read"):
        Index(network, Photos.of(str(folder)), ["first"], tmp_path / "index").fill()


KILLED = """
import os, sys
sys.path.append(sys.argv[3])
from pathlib import Path
from searching import search_case
from dreamer.searching import filling
from dreamer.searching.looking import Photos
filling._AT_ONCE = 4
held = filling.Index(search_case.network(), Photos.of(sys.argv[1]), ["first", "hidden"], Path(sys.argv[2]))
put = filling.LayerIndex.add
calls = []
def killed(self, entries):
    calls.append(0)
    put(self, entries)
    if len(calls) == 3:
        os.kill(os.getpid(), 9)
filling.LayerIndex.add = killed
held.fill()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL here")
def test_a_killed_run_is_gone_on_with_and_finds_the_same(network, tmp_path, monkeypatch):
    folder = search_case.folder(tmp_path / "photos", 11)
    tests = str(Path(__file__).resolve().parents[1])
    place = tmp_path / "index"
    arguments = [sys.executable, "-c", KILLED, str(folder), str(place), tests]
    assert subprocess.run(arguments, capture_output=True, timeout=120).returncode == -9
    # It was killed in its second group of four, between its layers.
    monkeypatch.setattr(filling, "_AT_ONCE", 4)
    told = []
    held = Index(network, Photos.of(str(folder)), ["first", "hidden"], place)
    held.fill(on_photo=lambda done, of: told.append((done, of)))
    assert told == [(4, 7), (7, 7)]
    whole = Index(network, Photos.of(str(folder)), ["first", "hidden"], tmp_path / "undisturbed")
    whole.fill()
    same(values(held), values(whole))
    numbers = list(place.glob("*.f16"))
    assert len(numbers) == 2
    for path in numbers:
        assert path.stat().st_size == (tmp_path / "undisturbed" / path.name).stat().st_size


def test_an_interrupted_run_keeps_what_was_looked_at(network, tmp_path, monkeypatch):
    monkeypatch.setattr(filling, "_AT_ONCE", 4)
    folder = search_case.folder(tmp_path / "photos", 11)
    held = Index(network, Photos.of(str(folder)), ["first"], tmp_path / "index")

    def interrupt(done, _of):
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        held.fill(on_photo=interrupt)
    told = []
    held.fill(on_photo=lambda done, of: told.append((done, of)))
    assert told == [(3, 3)]
    assert len(held.names) == 11
