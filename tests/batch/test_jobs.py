"""Which photo becomes which picture."""

from __future__ import annotations

import os

import pytest

from dreamer.batch.folders import folder
from dreamer.batch.jobs import candidates
from dreamer.errors import FolderError
from dreamer.settings import DreamSettings


def tree(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder(str(root))


def found(root, *, to=None, presets=("",), **options):
    outputs = folder(str(to or root.with_name("dreams")))
    looks = {name: DreamSettings(seed=number) for number, name in enumerate(presets)}
    return candidates(folder(str(root)), outputs, looks, **options)


def targets(candidates):
    return {candidate.job.source: candidate.job.target for candidate in candidates}


def test_a_picture_has_the_whole_name_of_its_photo(tmp_path):
    tree(tmp_path / "in", "a/x.jpg", "b/x.jpg", "b/x.png", "x.JPG", "ümläut 1.tiff", "notes.txt", "x.mov")
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
