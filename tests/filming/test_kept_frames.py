"""Frames that are kept until all are there: what is done is done once, and what is not ours is left alone."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from filming_case import TINY, clip, frames_of, panned, structured

import dreamer
from dreamer.errors import FolderError, FolderInUseError, ImageWriteError
from dreamer.filming.carrying import Carried
from dreamer.filming.kept import Kept
from dreamer.filming.scanning import Shot
from dreamer.filming.shots import ShotDream, State
from dreamer.images import files


@pytest.fixture
def source(tmp_path, cat):
    """Two shots of four frames each."""
    return clip(tmp_path / "clip.mkv", panned(cat, 4, 1, (45, 64)) + panned(cat, 4, 1, (45, 64), top=200, left=300))


@pytest.fixture
def dream(source, tiny_network):
    def make(name="out.mkv", **keywords):
        given = {"network": tiny_network, "codec": "ffv1"} | TINY | keywords
        return dreamer.video(source, source.with_name(name), **given)

    return make


@pytest.fixture
def expected(dream):
    """The bytes that an undisturbed run gives."""
    found = Path(dream("undisturbed.mkv").path).read_bytes()
    assert not list(Path(dream("undisturbed-2.mkv").path).parent.glob("*.frames"))
    return found


class Frames:
    """Counts the frames that are dreamt, and lets one fail."""

    def __init__(self, monkeypatch):
        self.taken, self.fails_at = [], None
        dreamt = ShotDream._frame

        def frame(dream, pixels, index, *rest):
            if index == self.fails_at:
                raise OSError("stopped")
            self.taken.append(index)
            return dreamt(dream, pixels, index, *rest)

        monkeypatch.setattr(ShotDream, "_frame", frame)


@pytest.fixture
def counted(expected, monkeypatch):
    return Frames(monkeypatch)


@pytest.fixture
def stopped(dream, counted, tmp_path):
    """The folder of a run that was stopped at the third frame of its second shot."""
    counted.fails_at = 6
    with pytest.raises(OSError, match="stopped"):
        dream()
    assert counted.taken == [*range(6)]
    counted.taken, counted.fails_at = [], None
    return tmp_path / "out.mkv.frames"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_kept(stopped):
    assert names(stopped) == [
        ".lock", *(f"{number:06d}.png" for number in range(6)), "shot-000000.npz", "shot-000004.npz", "video.json",
    ]  # fmt: skip
    assert not stopped.with_name("out.mkv").exists()


def test_the_same_call_goes_on_and_gives_the_same_bytes(dream, counted, stopped, expected):
    made = dream()
    assert counted.taken == [6, 7]
    assert made.path.read_bytes() == expected
    assert not stopped.exists()
    assert (made.frames, made.planned, made.is_partial) == (8, 8, False)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "shot-000004.npz").write_bytes(b"PK\x03\x04 no more"),
        lambda folder: (folder / "shot-000004.npz").write_bytes((folder / "shot-000004.npz").read_bytes()[:-400]),
        lambda folder: (folder / "shot-000004.npz").write_bytes(b""),
        lambda folder: (folder / "shot-000004.npz").unlink(),
        lambda folder: (folder / "000004.png").unlink(),
        lambda folder: np.savez(folder / "shot-000004.npz", index=np.array(5)),
        lambda folder: np.savez(folder / "shot-000004.npz", index=np.array("five")),
        lambda folder: np.savez(folder / "shot-000004.npz", index=np.arange(3)),
        lambda folder: np.savez(folder / "shot-000004.npz", **{"0.detail": np.zeros(3), "index": np.array(5)}),
        lambda folder: np.savez(folder / "shot-000004.npz", **{"x.y": np.zeros(3), "index": np.array(5)}),
    ],
)
def test_a_shot_of_which_something_is_damaged_begins_anew(dream, counted, stopped, expected, damage):
    damage(stopped)
    assert dream().path.read_bytes() == expected
    assert counted.taken == [4, 5, 6, 7]


def test_a_finished_shot_whose_frame_is_missing_begins_anew(dream, counted, stopped, expected):
    (stopped / "000001.png").unlink()
    assert dream().path.read_bytes() == expected
    assert counted.taken == [*range(4), 6, 7]


class Trap:
    def __reduce__(self):
        return (Path.touch, (Path("sprung"),))


def test_nothing_is_unpickled(dream, counted, stopped, expected, monkeypatch):
    monkeypatch.chdir(stopped.parent)
    for spring in (
        lambda file: np.savez(file, index=np.array([Trap()], dtype=object), allow_pickle=True),
        lambda file: pickle.dump(Trap(), file),
    ):
        with (stopped / "shot-000004.npz").open("wb") as file:
            spring(file)
        assert Kept(stopped).state(Shot(4, (4, 5, 6, 7), (1,) * 4, (0.16, 0.2, 0.24, 0.28))) is None
    assert dream().path.read_bytes() == expected
    assert counted.taken == [4, 5, 6, 7]
    assert not Path("sprung").exists()


def test_frames_of_another_dream_are_left_unless_they_may_be_thrown_away(dream, counted, stopped):
    before = {path.name: path.read_bytes() for path in stopped.iterdir()}
    for other in ({"strength": 0.5}, {"carry": 0.5}, {"seed": 1}, {"end": 0.2}, {"at": {1: "0.5"}}):
        with pytest.raises(FolderError, match="holds the frames of another dream.*--overwrite throws them away"):
            dream(**other)
    assert {path.name: path.read_bytes() for path in stopped.iterdir()} == before
    dream(strength=0.5, overwrite=True)
    assert counted.taken == [*range(8)]
    assert not stopped.exists()


def test_another_video_of_that_name_is_another_dream(dream, stopped, source):
    clip(source, [structured(1)] * 8)
    with pytest.raises(FolderError, match="another dream"):
        dream()


def test_another_way_of_writing_is_the_same_dream(dream, counted, stopped):
    """The frames are as they are, whatever they are encoded with."""
    dream(codec="h264", quality=10)
    assert counted.taken == [6, 7]


def test_a_folder_of_somebody_else_is_left_alone(dream, tmp_path):
    folder = tmp_path / "out.mkv.frames"
    folder.mkdir()
    (folder / "holiday.jpg").write_bytes(b"mine")
    for overwrite in (False, True):
        with pytest.raises(FolderError, match=r"holds other files, as holiday\.jpg; move it, or name another -o"):
            dream(overwrite=overwrite)
    assert names(folder) == ["holiday.jpg"]


def test_what_a_system_leaves_where_somebody_looks_at_pictures_is_no_other_file(dream, tmp_path, stopped):
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / "out.mkv.frames" / name).write_bytes(b"a window was here")
    dream()
    assert not (tmp_path / "out.mkv.frames").exists()


def test_a_file_in_the_place_of_the_folder_is_left_alone(dream, tmp_path):
    (tmp_path / "out.mkv.frames").write_bytes(b"mine")
    with pytest.raises(FolderError, match="is a file; expected a folder for the frames"):
        dream(overwrite=True)
    assert (tmp_path / "out.mkv.frames").read_bytes() == b"mine"


def test_pictures_of_somebody_else_are_another_dream(dream, tmp_path):
    """Numbered ones have our names, and nothing says whose they are."""
    folder = tmp_path / "out.mkv.frames"
    folder.mkdir()
    (folder / "000001.png").write_bytes(b"mine")
    with pytest.raises(FolderError, match=r"holds other files, as 000001\.png"):
        dream()
    assert (folder / "000001.png").read_bytes() == b"mine"


def test_the_second_of_two_runs_says_so(dream, tmp_path, stopped):
    with FileLock(stopped / ".lock"), pytest.raises(FolderInUseError, match="another run dreams into"):
        dream()
    dream()


def test_a_full_disk_is_said_and_the_frames_before_stay(dream, counted, expected, tmp_path, monkeypatch):
    settle, placed = files._settle, []

    def full(file, real):
        placed.append(real.name)
        if real.name == "000005.png":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        settle(file, real)

    folder = tmp_path / "out.mkv.frames"
    with monkeypatch.context() as patched:
        patched.setattr(files, "_settle", full)
        with pytest.raises(ImageWriteError, match=r"000005\.png cannot be written: no space is left on the disk"):
            dream()
    assert placed.index("000004.png") < placed.index("shot-000004.npz")  # A state is never ahead of its picture.
    assert [path.name for path in sorted(folder.glob("*.png"))] == [f"{number:06d}.png" for number in range(5)]
    counted.taken = []
    assert dream().path.read_bytes() == expected
    assert counted.taken == [5, 6, 7]


def test_a_disk_that_is_full_at_the_end_leaves_all_frames(dream, counted, expected, tmp_path, monkeypatch):
    settle = files._settle

    def full(file, real):
        if real.name == "out.mkv":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        settle(file, real)

    with monkeypatch.context() as patched:
        patched.setattr(files, "_settle", full)
        with pytest.raises(ImageWriteError, match=r"out\.mkv cannot be written: no space is left"):
            dream()
    counted.taken = []
    assert dream().path.read_bytes() == expected
    assert counted.taken == []


def test_what_a_state_holds_comes_back_to_the_bit(tmp_path):
    random = np.random.default_rng(0)

    def half(*size):
        return random.random(size).astype(np.float16)

    carried = Carried(half(45, 64, 3), half(45, 64), half(6, 8, 3), half(6, 8))
    small = random.integers(0, 256, (45, 64, 3)).astype(np.uint8)
    state = State(7, small[..., 0].copy(), {0: carried, 3: carried}, small)
    shot, kept = Shot(5, (5, 6, 7, 8), (1,) * 4, (0.0,) * 4), Kept(tmp_path)
    for index in (5, 6):
        kept.keep(small, State(index, small[..., 0], {}, small), shot)
    kept.keep(small, state, shot)
    found = kept.state(shot)
    assert found is not None
    assert found.index == 7
    assert np.array_equal(found.ground, state.ground)
    assert np.array_equal(found.small, state.small)
    assert found.carried.keys() == {0, 3}
    for name, array in carried.arrays().items():
        assert np.array_equal(found.carried[3].arrays()[name], array)
        assert found.carried[3].arrays()[name].dtype == array.dtype
    assert np.array_equal(kept.picture(7), small)
    # The last of a shot leaves nothing but that it was.
    kept.keep(small, State(8, small[..., 0], {0: carried}, small), shot)
    assert (kept.state(shot).index, kept.state(shot).carried, kept.begun(shot)) == (8, {}, 9)


def test_a_run_that_is_killed_goes_on_with_the_same_bytes(tmp_path, cat, tiny_file):
    """By the very process that nobody asks: kill -9."""
    source = clip(tmp_path / "clip.mkv", panned(cat, 60, 1, (45, 64)))
    out = tmp_path / "out.mkv"
    given = {"codec": "ffv1", "model": tiny_file, **TINY}
    code = "import dreamer, sys; dreamer.video(sys.argv[1], sys.argv[2], **eval(sys.argv[3]))"
    process = subprocess.Popen([sys.executable, "-c", code, str(source), str(out), repr(given)], stderr=subprocess.PIPE)
    folder = tmp_path / "out.mkv.frames"
    try:
        end = time.monotonic() + 90
        while not (folder / "000003.png").exists() and time.monotonic() < end and process.poll() is None:
            time.sleep(0.005)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -9
    done = len(list(folder.glob("*.png")))
    assert 4 <= done < 60
    dreamt = []
    keep = Kept.keep
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Kept, "keep", lambda *given: (dreamt.append(1), keep(*given))[1])
        dreamer.video(source, out, **given)
    assert len(dreamt) in (60 - done, 61 - done)
    whole = dreamer.video(source, tmp_path / "whole.mkv", **given)
    assert out.read_bytes() == whole.path.read_bytes()
    assert len(frames_of(out)) == 60
    assert names(tmp_path) == ["clip.mkv", "out.mkv", "whole.mkv"]


def test_a_folder_that_says_nonsense_is_of_another_dream(dream, stopped):
    for about in (b"", b"[]", b"{}", b"no json", json.dumps({"format": 99, "digest": "x"}).encode()):
        (stopped / "video.json").write_bytes(about)
        with pytest.raises(FolderError, match="another dream"):
            dream()
    with contextlib.suppress(FileNotFoundError):
        (stopped / "video.json").unlink()
