"""Videos among the photos of a folder: dreamt as videos, gone on with at their frame, and otherwise treated alike."""

from __future__ import annotations

import dataclasses
import errno
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import uuid
from pathlib import Path

import numpy as np
import pytest
from helping import QUICK, Inline, encoded, pictures
from PIL import Image

import dreamer
from dreamer import images, videos
from dreamer.batching.folders import folder
from dreamer.batching.jobs import plan, room_name
from dreamer.batching.local import LocalFolder
from dreamer.errors import FolderError, ImageExistsError
from dreamer.filming.kept import Kept
from dreamer.workers import limits, process
from dreamer.workers.places import Place

av = pytest.importorskip("av")

COUNT = 4
OTHER = dataclasses.replace(QUICK, seed=1)
PHOTOS = ("a/x.jpg", "x.png")
ALL_NEW = dict.fromkeys((*PHOTOS, "a/clip.mp4", "old.avi.mp4"), ("done", "new"))
ALL_SKIPPED = dict.fromkeys(ALL_NEW, ("skipped", "done"))
HERE = Path(__file__).parent


def film(path, picture, *, shift=0):
    """A clip of a few frames of (40, 64), in which everything moves."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 40, "yuv420p"
        wide = (np.pad(picture, ((0, 30), (0, 40), (0, 0)), mode="reflect") * 255).round().astype(np.uint8)
        for index in range(COUNT):
            left = shift + 2 * index
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(wide[:40, left : left + 64]), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture
def mixed(tmp_path, picture):
    """Two photos and two videos, of which one has a suffix that is only read."""
    root = tmp_path / "mixed"
    (root / "a").mkdir(parents=True)
    for number, name in enumerate(PHOTOS):
        (root / name).write_bytes(encoded(picture, number, name[-3:]))
    film(root / "a/clip.mp4", picture)
    film(root / "old.avi", picture, shift=9)
    return root


@pytest.fixture
def kept(monkeypatch):
    """The frames that were dreamt, as they are kept."""
    found, keep = [], Kept.keep

    def noted(self, picture, state, shot):
        found.append(state.index)
        keep(self, picture, state, shot)

    monkeypatch.setattr(Kept, "keep", noted)
    return found


def hidden(dreams, kind):
    return sorted(path.name for path in (dreams / ".dreamer" / kind).rglob("*") if path.is_file())


def test_videos_among_photos_become_videos_and_are_done_once(mixed, dreams, dream, picture):
    before = pictures(mixed)
    assert dream(mixed, dreams) == ALL_NEW
    assert sorted(pictures(dreams)) == sorted(ALL_NEW)
    assert pictures(mixed) == before
    with videos.open_video(dreams / "a/clip.mp4") as made, videos.open_video(mixed / "a/clip.mp4") as source:
        assert (made.size, len(list(made.frames()))) == (source.size, COUNT)
        digest = source.sha256()
    recipe = videos.read_recipe(dreams / "a/clip.mp4")
    assert (recipe["command"], recipe["source"]) == ("video", {"name": "clip.mp4", "sha256": digest})
    assert videos.read_recipe(dreams / "old.avi.mp4")["source"]["name"] == "old.avi"
    assert hidden(dreams, "records") == ["clip.mp4.json", "old.avi.mp4.json", "x.jpg.json", "x.png.json"]
    assert hidden(dreams, "pending") == []
    assert list((dreams / ".dreamer/videos").iterdir()) == []

    done = pictures(dreams)
    assert dream(mixed, dreams) == ALL_SKIPPED
    film(mixed / "old.avi", picture, shift=5)
    assert dream(mixed, dreams) == {**ALL_SKIPPED, "old.avi.mp4": ("done", "the video changed")}
    assert {name for name, data in pictures(dreams).items() if data != done[name]} == {"old.avi.mp4"}
    assert set(dream(mixed, dreams, OTHER).values()) == {("done", "the settings changed")}
    (dreams / "a/clip.mp4").unlink()
    assert dream(mixed, dreams, OTHER)["a/clip.mp4"] == ("done", "its video is missing")


KILLED = """
    import os, signal, sys
    from helping import Inline, QUICK
    from dreamer.batching import running
    from dreamer.batching.folders import folder
    from dreamer.batching.jobs import plan
    from dreamer.batching.records import judge_all
    from dreamer.filming.kept import Kept

    keep = Kept.keep

    def noted(self, picture, state, shot):
        keep(self, picture, state, shot)
        if state.index == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    Kept.keep = noted
    outputs = folder(sys.argv[2])
    jobs = plan(folder(sys.argv[1]), outputs, {"": QUICK}).candidates
    with outputs.hold():
        list(running.carry_out(judge_all(jobs, overwrite=False), Inline()))
"""


def test_after_a_kill_a_video_goes_on_at_its_frame_with_the_same_bytes(mixed, dreams, dream, tmp_path, kept):
    dream(mixed, tmp_path / "undisturbed")
    kept.clear()
    path = os.pathsep.join([str(HERE), *filter(None, sys.path)])
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(mixed), str(dreams)]
    killed = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert hidden(dreams, "videos")
    found = dream(mixed, dreams)
    assert found == {**ALL_NEW, "a/clip.mp4": ("done", "not finished")}
    assert kept == [2, 3, 0, 1, 2, 3]  # The rest of the one, all of the other.
    assert pictures(dreams) == pictures(tmp_path / "undisturbed")
    assert hidden(dreams, "videos") == []
    assert dream(mixed, dreams) == ALL_SKIPPED


class Killed(BaseException):
    pass


@pytest.mark.parametrize("number", range(5))
def test_killed_while_a_video_comes_to_its_place_a_run_is_completed(mixed, dreams, dream, tmp_path, monkeypatch, number,
                                                                    kept):  # fmt: skip
    """Note, video, record, note, frames: the process ends before each of them."""
    dream(mixed, tmp_path / "undisturbed", OTHER, glob="old.avi")
    dream(mixed, dreams, glob="old.avi")
    calls = []

    def until(action):
        def called(*arguments, **options):
            calls.append(action)
            if len(calls) > number:
                raise Killed
            return action(*arguments, **options)

        return called

    for name in ("write", "take", "remove"):
        monkeypatch.setattr(LocalFolder, name, until(getattr(LocalFolder, name)))
    monkeypatch.setattr(Kept, "remove", until(Kept.remove))
    with pytest.raises(Killed):
        dream(mixed, dreams, OTHER, glob="old.avi")
    monkeypatch.undo()
    kept.clear()
    assert set(dream(mixed, dreams, OTHER, glob="old.avi")) == {"old.avi.mp4"}
    assert kept == []  # Whatever is done again, no frame is.
    assert pictures(dreams) == pictures(tmp_path / "undisturbed")
    assert (hidden(dreams, "pending"), hidden(dreams, "videos")) == ([], [])
    assert dream(mixed, dreams, OTHER, glob="old.avi") == {"old.avi.mp4": ("skipped", "done")}


def test_without_the_extra_videos_are_left_out_and_photos_go_on(mixed, dreams, dream, monkeypatch):
    monkeypatch.setattr("dreamer.videos.pyav.find_spec", lambda _module: None)
    for glob in (None, "**/*"):
        planned = plan(folder(str(mixed)), folder(str(dreams)), {"": QUICK}, glob=glob)
        reasons = {one.name: one.reason for one in planned.left_out}
        words = "needs the extra [video]: python -m pip install 'deepdreamer[video]'"
        assert reasons == {"a/clip.mp4": f".mp4 {words}", "old.avi": f".avi {words}"}
    assert dream(mixed, dreams) == dict.fromkeys(PHOTOS, ("done", "new"))
    with pytest.raises(FolderError, match="left out: 1 .avi") as caught:
        plan(folder(str(mixed)), folder(str(dreams)), {"": QUICK}, glob="*.avi")
    assert "deepdreamer[video]" in str(caught.value)


def test_each_preset_has_a_tree_of_its_own_and_recipes_say_which(mixed, dreams, dream):
    dream(
        mixed, dreams, presets={"still": QUICK, "other": OTHER}, digests={"still": "0", "other": "1"}, glob="**/*.mp4"
    )
    made = pictures(dreams)
    assert sorted(made) == ["other/a/clip.mp4", "still/a/clip.mp4"]
    recipe = videos.read_recipe(dreams / "other/a/clip.mp4")
    assert (recipe["preset"], recipe["preset_sha256"]) == ("other", "1")


def test_a_broken_video_fails_and_the_rest_is_done(mixed, dreams, dream):
    (mixed / "old.avi").write_text("this is no video")
    found = dream(mixed, dreams)
    status, words = found.pop("old.avi.mp4")
    assert (status, words[: len(str(mixed)) + 9]) == ("failed", f"{mixed / 'old.avi'} ")
    assert found == dict.fromkeys((*PHOTOS, "a/clip.mp4"), ("done", "new"))
    assert list((dreams / ".dreamer/videos").iterdir()) == []


def test_what_cannot_be_written_is_said_of_the_video_and_not_of_where_it_is_made(mixed, dreams, dream, monkeypatch):
    monkeypatch.setattr("dreamer.videos.writing._MOST_SIDE", 50)
    status, words = dream(mixed, dreams, glob="old.avi")["old.avi.mp4"]
    assert (status, words.partition(" cannot")[0]) == ("failed", str(dreams / "old.avi.mp4"))


def test_names_that_would_be_written_alike_are_told(mixed, dreams, dream, picture):
    film(mixed / "old.avi.mp4", picture)
    found = dream(mixed, dreams, glob="old*")
    assert found["old.avi.mp4"] == ("done", "new")
    planned = plan(folder(str(mixed)), folder(str(dreams)), {"": QUICK}, glob="old*")
    assert [one.problem for one in planned.candidates] == [
        "would be written as old.avi.mp4, as another is; rename it",
        None,
    ]


def test_animations_stay_photos(mixed, dreams, dream, picture):
    frames = [Image.fromarray((np.roll(picture, number, 0) * 255).astype(np.uint8)) for number in range(3)]
    frames[0].save(mixed / "dance.gif", save_all=True, append_images=frames[1:])
    planned = plan(folder(str(mixed)), folder(str(dreams)), {"": QUICK}, glob="*.gif")
    assert [(one.job.is_video, one.job.kinds[0]) for one in planned.candidates] == [(False, "photo")]
    (target,) = dream(mixed, dreams, glob="*.gif")
    with Image.open(dreams / target) as made:
        assert getattr(made, "n_frames", 1) == 1


def test_a_video_that_somebody_worked_on_is_not_replaced_and_a_garbled_one_is(mixed, dreams, dream, picture):
    dream(mixed, dreams, glob="old.avi")
    film(dreams / "old.avi.mp4", picture, shift=3)
    mine = (dreams / "old.avi.mp4").read_bytes()
    status, words = dream(mixed, dreams, glob="old.avi")["old.avi.mp4"]
    assert (status, mine) == ("failed", (dreams / "old.avi.mp4").read_bytes())
    assert "was changed since it was made" in words
    assert dream(mixed, dreams, glob="old.avi", overwrite=True)["old.avi.mp4"] == ("done", "done again")
    (dreams / "old.avi.mp4").write_bytes(mine[:300])
    assert dream(mixed, dreams, glob="old.avi")["old.avi.mp4"] == ("done", "its video is broken")


def test_a_file_that_turns_up_meanwhile_is_not_replaced_and_no_frame_is_lost(mixed, dreams, dream, monkeypatch, kept):
    take = LocalFolder.take

    def meanwhile(self, name, path, *, overwrite):
        self.path(name).write_text("precious")
        take(self, name, path, overwrite=overwrite)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFolder, "take", meanwhile)
        assert dream(mixed, dreams, glob="old.avi")["old.avi.mp4"][0] == "failed"
    assert (dreams / "old.avi.mp4").read_text() == "precious"
    kept.clear()
    assert dream(mixed, dreams, glob="old.avi", overwrite=True)["old.avi.mp4"][0] == "done"
    assert kept == []


def test_a_video_has_time_by_its_frames_and_what_is_stuck_does_not_wait_for_all(mixed, dreams, dream, monkeypatch):
    told = []
    monkeypatch.setattr(process, "_tell", told.append)
    dream(mixed, dreams, glob="old.avi")
    frame = limits.of_steps(40 * 64, 1)
    assert told[0] == limits.READING
    assert told.count(frame) >= 3 * COUNT  # Each is looked at, climbed and finished.
    assert told[-1] == limits.of_steps(COUNT * 40 * 64, 1)  # Put together.
    told.clear()
    dream(mixed, dreams, OTHER, glob="old.avi", timeout=12.0)
    assert told == [12.0]


def test_the_call_dreams_videos_too(mixed, dreams, lite0, monkeypatch):
    monkeypatch.setattr(Place, "pool", lambda _place: Inline())
    found = []
    result = dreamer.batch(mixed, dreams, QUICK, glob="**/*.[am][pv][4i]", on_result=found.append)
    assert str(result) == f"<BatchResult {dreams}: 2 done, 0 skipped, 0 failed>"
    assert sorted(one.job.target for one in found) == ["a/clip.mp4", "old.avi.mp4"]


def test_a_store_gets_the_same_bytes_by_way_of_a_temporary_folder(mixed, dreams, dream, tmp_path, monkeypatch):
    fsspec = pytest.importorskip("fsspec")
    url = f"memory://bucket-{uuid.uuid4().hex}"
    held = folder(f"{url}/photos")
    for name, data in pictures(mixed).items():
        held.write(name, data, overwrite=False)
    held.write("broken.mkv", b"this is no video", overwrite=False)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    try:
        found = dream(f"{url}/photos", f"{url}/dreams")
        assert found.pop("broken.mkv")[1].startswith(f"{url}/photos/broken.mkv ")
        assert found == ALL_NEW
        assert dream(f"{url}/photos", f"{url}/dreams", glob="**/*.*4") == {"a/clip.mp4": ("skipped", "done")}
        dream(mixed, dreams)
        there = folder(f"{url}/dreams")
        assert {name: there.read(name) for name in ALL_NEW} == pictures(dreams)
        assert there.sha256("a/clip.mp4") == LocalFolder(str(dreams)).sha256("a/clip.mp4")
        with pytest.raises(FileExistsError):
            there.take("a/clip.mp4", mixed / "a/clip.mp4", overwrite=False)
        # From a store to this machine, what is fetched has its own name in the recipe.
        dream(f"{url}/photos", tmp_path / "here", glob="old.avi")
        assert pictures(tmp_path / "here")["old.avi.mp4"] == pictures(dreams)["old.avi.mp4"]
    finally:
        fsspec.filesystem("memory").rm(url.removeprefix("memory:/"), recursive=True)
    assert list(temporary.iterdir()) == []


def test_a_link_in_the_way_of_the_hidden_folder_is_not_followed_out(mixed, dreams, dream, tmp_path):
    (dreams / ".dreamer").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (dreams / ".dreamer/videos").symlink_to(tmp_path / "elsewhere")
    status, words = dream(mixed, dreams, glob="old.avi")["old.avi.mp4"]
    assert (status, list((tmp_path / "elsewhere").iterdir())) == ("failed", [])
    assert "leads from there out" in words


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_moves_to_its_place_on_another_disk_too(tmp_path, monkeypatch, overwrite):
    part, place = tmp_path / "part", tmp_path / "place"
    part.write_bytes(b"new")
    if overwrite:
        place.write_bytes(b"old")
        place.chmod(0o600)
    replace, link = Path.replace, Path.hardlink_to

    def apart(action):
        def called(self, other):
            if part in (self, Path(other)):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            return action(self, other)

        return called

    monkeypatch.setattr(Path, "replace", apart(replace))
    monkeypatch.setattr(Path, "hardlink_to", apart(link))
    images.files.move(part, place, overwrite=overwrite)
    assert (place.read_bytes(), sorted(tmp_path.iterdir())) == (b"new", [place])
    assert not overwrite or place.stat().st_mode & 0o777 == 0o600
    part.write_bytes(b"newer")
    with pytest.raises(ImageExistsError):
        images.files.move(part, place, overwrite=False)
    assert (place.read_bytes(), part.read_bytes()) == (b"new", b"newer")


def test_planning_needs_neither_pyav_nor_keras():
    code = "import sys, dreamer.batching.jobs; print([name for name in ('av', 'keras') if name in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"


def test_the_room_of_a_video_is_called_by_a_digest_so_that_no_name_is_too_long(tmp_path):
    assert len(room_name("x" * 250 + ".mp4")) < 100
    assert room_name("a.mp4") != room_name("a/b.mp4")
