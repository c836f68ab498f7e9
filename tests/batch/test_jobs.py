"""Which photo becomes which picture."""

from __future__ import annotations

import os
import time
from fnmatch import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.batching import left_out
from dreamer.batching.folders import folder
from dreamer.batching.globs import Glob
from dreamer.batching.jobs import plan
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import FolderError, SettingsError


def tree(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder(str(root))


def found(root, *, to=None, presets=("",), **options):
    outputs = folder(str(to or root.with_name("dreams")))
    looks = {name: DreamSettings(seed=number) for number, name in enumerate(presets)}
    return plan(folder(str(root)), outputs, looks, **options).candidates


def targets(candidates):
    return {candidate.job.source: candidate.job.target for candidate in candidates}


def test_a_picture_has_the_whole_name_of_its_photo(tmp_path):
    tree(tmp_path / "in", "a/x.jpg", "b/x.jpg", "b/x.png", "x.JPG", "ümläut 1.tiff", "notes.txt", "x.mp3")
    names = ["a/x.jpg", "b/x.jpg", "b/x.png", "x.JPG", "ümläut 1.tiff"]
    assert targets(found(tmp_path / "in")) == dict(zip(names, names, strict=True))


def test_several_presets_have_a_folder_each_and_come_one_after_the_other(tmp_path):
    tree(tmp_path / "in", "a/x.jpg", "y.png")
    jobs = [candidate.job for candidate in found(tmp_path / "in", presets=("fur", "lace"))]
    assert [job.target for job in jobs] == ["fur/a/x.jpg", "fur/y.png", "lace/a/x.jpg", "lace/y.png"]
    assert [job.settings.seed for job in jobs] == [0, 0, 1, 1]
    assert len({job.settings_sha256 for job in jobs}) == 2


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("*.jpg", ["x.jpg"]),
        ("**/*.jpg", ["a/b/x.jpg", "a/x.JPG", "x.jpg"]),
        ("a/*", ["a/notes.txt", "a/x.JPG"]),
        ("a/**", ["a/b/x.jpg", "a/notes.txt", "a/x.JPG"]),
        ("**/b/*.[jp]*", ["a/b/x.jpg"]),
        ("**/?.jpg", ["a/b/x.jpg", "a/x.JPG", "x.jpg"]),
    ],
)
def test_a_glob_says_which_files_are_photos(tmp_path, glob, names):
    tree(tmp_path / "in", "x.jpg", "a/x.JPG", "a/b/x.jpg", "a/notes.txt", "xy.png")
    assert sorted(targets(found(tmp_path / "in", glob=glob))) == names


def test_a_name_without_a_suffix_that_can_be_written_gets_one_and_never_takes_anothers(tmp_path):
    tree(tmp_path / "in", "scan", "scan.png", "photo.mpo")
    one, photo = found(tmp_path / "in", glob="*")[::2], found(tmp_path / "in", glob="*")[0]
    assert targets([photo]) == {"photo.mpo": "photo.mpo.png"}
    assert {candidate.job.source: candidate.problem for candidate in found(tmp_path / "in", glob="*")} == {
        "photo.mpo": None,
        "scan": "would be written as scan.png, as another is; rename it",
        "scan.png": None,
    }
    assert len(one) == 2


def test_what_is_hidden_is_left_alone_and_what_is_no_file_is_told(tmp_path):
    root = tmp_path / "in"
    tree(root, "x.jpg", ".trash/y.jpg", "._x.jpg", "folder.jpg/z.png")
    (root / "lost.jpg").symlink_to(root / "nowhere")
    (root / "elsewhere").symlink_to(root / "folder.jpg")
    os.mkfifo(root / "pipe.jpg")
    problems = {candidate.job.source: candidate.problem for candidate in found(root)}
    assert set(problems) == {"x.jpg", "folder.jpg", "folder.jpg/z.png", "lost.jpg", "pipe.jpg"}
    assert "directory" in problems["folder.jpg"]
    assert "leads nowhere" in problems["lost.jpg"]
    assert "not a regular file" in problems["pipe.jpg"]
    assert problems["x.jpg"] is problems["folder.jpg/z.png"] is None


def test_a_folder_that_cannot_be_looked_into_is_told_whatever_is_looked_for(tmp_path, monkeypatch):
    tree(tmp_path / "in", "x.jpg", "locked/y.png")
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    locked, x = found(tmp_path / "in", glob="*.jpg")
    assert (locked.job.source, x.job.source) == ("locked", "x.jpg")
    assert locked.problem == "cannot be looked into: Permission denied"


def test_pictures_in_a_folder_of_the_photos_are_no_photos(tmp_path):
    tree(tmp_path, "x.jpg", "dreams/x.jpg", "dreams2/x.jpg")
    assert sorted(targets(found(tmp_path, to=tmp_path / "dreams"))) == ["dreams2/x.jpg", "x.jpg"]


@pytest.mark.parametrize(("inputs", "outputs"), [("in", "in"), ("in/a", "in"), ("link", "in")])
def test_photos_must_not_lie_in_the_output_folder(tmp_path, inputs, outputs):
    tree(tmp_path / "in", "a/x.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(FolderError, match="could be replaced"):
        found(tmp_path / inputs, to=tmp_path / outputs)


@pytest.mark.parametrize(
    ("name", "glob", "words"),
    [("in", "*.gif", "no files that match"), ("empty", None, "no photos"), ("missing", None, "does not exist"),
     ("in/x.jpg", None, "is not a folder")],
)  # fmt: skip
def test_nothing_to_do_is_an_error(tmp_path, name, glob, words):
    tree(tmp_path / "in", "x.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match=words):
        found(tmp_path / name, to=tmp_path / "out", glob=glob)


def reasons(root, **options):
    planned = plan(folder(str(root)), folder(str(root.with_name("dreams"))), {"": DreamSettings()}, **options)
    return planned, {one.name: one.reason for one in planned.left_out}


def test_whatever_is_no_photo_is_left_out_with_its_reason_and_counted_by_suffix(tmp_path):
    root = tmp_path / "in"
    tree(root, "x.jpg", "a/song.MP3", "b/song.mp3", "IMG_1.xyz", "scan", ".hidden.jpg", ".dreamer/records/x.jpg.json")
    (root / "linked").symlink_to(root / "a")
    os.mkfifo(root / "pipe")
    planned, found = reasons(root)
    assert [one.job.source for one in planned.candidates] == ["x.jpg"]
    assert found == {
        "a/song.MP3": ".mp3 is no suffix of a picture or a video that is read",
        "b/song.mp3": ".mp3 is no suffix of a picture or a video that is read",
        "IMG_1.xyz": ".xyz is no suffix of a picture or a video that is read",
        "scan": "has no suffix of a picture or a video",
        "linked": "is a link to a directory, and those are not followed; a picture file is expected",
        "pipe": "is not a regular file; a picture file is expected",
    }
    assert left_out.counted(planned.left_out) == {"without a suffix": 3, ".mp3": 2, ".xyz": 1}
    assert left_out.told(planned.left_out) == "left out: 3 without a suffix, 2 .mp3, 1 .xyz"
    assert planned.left_out[0].to_dict() == {
        "status": "left out", "input": f"{root}/IMG_1.xyz", "reason": found["IMG_1.xyz"],
    }  # fmt: skip


def test_what_a_glob_leaves_out_is_told_too(tmp_path):
    tree(tmp_path / "in", "x.jpg", "y.png", "a/x.jpg")
    assert reasons(tmp_path / "in", glob="*.jpg")[1] == {
        "a/x.jpg": "does not match '*.jpg'", "y.png": "does not match '*.jpg'"
    }  # fmt: skip


def test_every_file_is_a_photo_or_left_out(tmp_path):
    names = ["x.jpg", "x.heic", "a/y.PNG", "a/b/z", "a/b/c.txt"]
    tree(tmp_path / "in", *names)
    for glob in (None, "**", "*", "**/*.png", "a/**"):
        planned, found = reasons(tmp_path / "in", glob=glob)
        assert sorted([*(one.job.source for one in planned.candidates), *found]) == sorted(names)


def test_a_folder_of_nothing_but_what_is_not_read_says_what_would_read_it(tmp_path, monkeypatch):
    monkeypatch.setattr("dreamer.images.formats.find_spec", lambda _module: None)  # As where the extra is missing.
    tree(tmp_path / "in", "a/1.HEIC", "2.heic", "3.mp3")
    with pytest.raises(FolderError) as caught:
        found(tmp_path / "in")
    assert "left out: 2 .heic, 1 .mp3" in str(caught.value)
    assert "python -m pip install 'deepdreamer[heic]'" in str(caught.value)


def test_a_summary_of_many_kinds_stays_short(tmp_path):
    tree(tmp_path / "in", "x.jpg", *(f"{number}.s{number}" for number in range(40)))
    assert left_out.told(reasons(tmp_path / "in")[0].left_out).endswith("1 .s14, 1 .s15, 32 others")


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        (40 * "**/" + "*.jpg", 40 * "a/" + "x.png"),
        ("/".join(40 * ["**", "a"]) + "/x.jpg", 80 * "a/" + "x.png"),
        (300 * "**/" + "x", 300 * "a/" + "y"),
        (400 * "*a" + "b", 1000 * "a"),
        (400 * "?*" + "b", 1000 * "a"),
    ],
)
def test_a_glob_takes_no_longer_than_it_is_long(glob, name):
    begun = time.perf_counter()
    assert not Glob(glob).matches(name)
    assert time.perf_counter() - begun < 1


@settings(deadline=None, max_examples=200, database=None)
@given(st.lists(st.sampled_from(["**", "*", "a", "?", "[ab]", "*.jpg"]), min_size=1, max_size=5),
       st.lists(st.sampled_from(["a", "b", "x.jpg", "ab"]), min_size=1, max_size=5))  # fmt: skip
def test_a_glob_means_what_its_parts_mean_one_by_one(pattern, parts):
    def matches(parts, pattern):
        if not pattern:
            return not parts
        if pattern[0] == "**":
            return any(matches(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
        return bool(parts) and fnmatch(parts[0], pattern[0]) and matches(parts[1:], pattern[1:])

    assert Glob("/".join(pattern)).matches("/".join(parts)) == matches(parts, pattern)


def test_a_glob_of_a_length_that_nobody_types_is_refused(tmp_path):
    tree(tmp_path / "in", "x.jpg")
    with pytest.raises(SettingsError, match="has 3,005 characters; expected at most 1,000"):
        found(tmp_path / "in", glob=1000 * "**/" + "*.jpg")


@pytest.mark.parametrize("name", ["..", ".", "a/../../b", ".dreamer", "C:x", "a\\b", "a\nb", "a/b"])
def test_a_preset_whose_name_no_folder_can_have_gets_none(tmp_path, name):
    tree(tmp_path / "in", "x.jpg")
    with pytest.raises(SettingsError, match="cannot have a folder"):
        found(tmp_path / "in", presets=("fur", name))
    assert targets(found(tmp_path / "in", presets=(name,))) == {"x.jpg": "x.jpg"}


def test_pictures_of_names_that_are_cut_alike_stay_apart(tmp_path):
    names = [253 * "x" + "1", 253 * "x" + "2", 84 * "夢" + ".a", 84 * "夢" + ".b"]
    tree(tmp_path / "in", *names)
    made = targets(found(tmp_path / "in", glob="*"))
    assert len(set(made.values())) == 4
    # Even one that is called as the cut one would be is told, not overwritten.
    tree(tmp_path / "in", made[names[0]])
    problems = {one.job.source: one.problem for one in found(tmp_path / "in", glob="*")}
    assert "as another is; rename it" in problems[names[0]]
    assert problems[made[names[0]]] is None
