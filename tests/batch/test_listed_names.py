"""Names out of listings: which may be used, and that nothing is ever written outside of its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dreamer.batching.folders import folder
from dreamer.batching.jobs import pending_name, plan, record_name
from dreamer.batching.local import LocalFolder
from dreamer.batching.names import flaw, inside
from dreamer.batching.remote import RemoteFolder
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import FolderError

# What a name is made of that wants to get out, and what any other is made of.
KEYS = st.one_of(
    st.lists(st.sampled_from(["", ".", "..", "a", "etc", "C:", "x.jpg", "\\", "..\\", "\0", "\x1b", "~"])).map(
        "/".join
    ),
    st.text(max_size=30),
)


@settings(deadline=None, max_examples=400, database=None)
@given(KEYS)
@example("/etc/passwd")
@example("../x.jpg")
@example("a//x.jpg")
@example("C:/x.jpg")
@example("a\\..\\x.jpg")
def test_any_key_lies_below_the_folder_or_is_refused(key):
    root = Path("/somewhere/photos")
    if flaw(key, foreign=True) is None:
        path = Path(os.path.normpath(f"{root}/{key}"))
        assert path.is_relative_to(root)
        assert path != root
        assert path == root / key  # Nothing was left to be normalised, here or on another system.
        assert not {"\\", "\0", "\n", "\x1b"} & set(key)
        return
    if flaw(key):
        with pytest.raises(OSError, match="is not written to, since its name"):
            LocalFolder("/somewhere/photos").write(key, b"", overwrite=True)


@settings(deadline=None, max_examples=100, database=None)
@given(KEYS)
def test_what_a_store_lists_becomes_a_job_with_a_name_below_the_folder_or_is_left_out(key):
    fsspec = pytest.importorskip("fsspec")

    class Listed(fsspec.AbstractFileSystem):
        def find(self, _path, **_):
            return {f"bucket/photos/{name}": {"size": 1, "type": "file"} for name in (key, "ok.jpg")}

    held = RemoteFolder("memory://bucket/photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RemoteFolder, "_store", lambda _: (Listed(), "bucket/photos"))
        names = {entry.name: entry.flaw for entry in held.walk()}
    assert names["ok.jpg"] is None
    assert names.get(key) == flaw(key, foreign=True) or key.endswith("/") or key not in names
    # Whatever is not listed is hidden, or nothing at all.
    assert key in names or key == "" or any(part.startswith(".") for part in key.split("/"))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("/abs/x.jpg", "empty part"), ("a//x.jpg", "empty part"), ("a/", "empty part"), ("", "empty part"),
        ("../x.jpg", "'..'"), ("a/../x.jpg", "'..'"), ("./x.jpg", "'.'"), ("a/.", "'.'"),
        ("a\\x.jpg", "backslash"), ("c:/x.jpg", "drive"), ("C:x.jpg", "drive"),
        ("a\0.jpg", "NUL"), ("a\n.jpg", "control character"), ("a\x9b.jpg", "control character"),
        ("\ud800.jpg", "no disk can hold"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_name_is_said(name, wrong):
    assert wrong in flaw(name, foreign=True)


@pytest.mark.parametrize("name", ["x.jpg", "a/b/ü 1.jpg", "...jpg", "a..b/x", "12:30.jpg", "~/x.jpg", " ", "夢/夢.jpg"])
def test_odd_names_that_lead_nowhere_else_are_fine(name):
    assert flaw(name, foreign=True) is None


def test_a_name_that_this_machine_gave_to_a_file_itself_is_fine_here():
    assert flaw("a\\b\n.jpg", foreign=False) is None
    assert flaw(os.fsdecode(b"\xff.jpg")) is None


@pytest.fixture
def linked(tmp_path):
    """A folder that is reached by a link, with links within it and out of it; and a folder outside of it."""
    real, outside = tmp_path / "real", tmp_path / "outside"
    (real / "sub").mkdir(parents=True)
    outside.mkdir()
    (tmp_path / "root").symlink_to(real)
    (real / "out").symlink_to(outside)
    (real / "up").symlink_to("..")
    (real / "file.png").symlink_to(outside / "file.png")
    (real / "within").symlink_to(real / "sub")
    return LocalFolder(str(tmp_path / "root"))


@pytest.mark.parametrize("name", ["out/x.png", "out/new/x.png", "up/x.png", "up/outside/x.png", "file.png"])
def test_nothing_is_written_removed_or_swept_outside_by_way_of_a_link(linked, tmp_path, name):
    assert linked.leads_out(name)
    with pytest.raises(OSError, match="a link leads from there out of"):
        linked.write(name, b"x", overwrite=True)
    for precious in ("x.png", ".dreamer-0.part"):
        (tmp_path / "outside" / precious).write_text("precious")
    linked.remove("out/x.png")
    linked.sweep(["out/x.png"])
    assert sorted(path.name for path in (tmp_path / "outside").iterdir()) == [".dreamer-0.part", "x.png"]


def test_a_root_that_is_reached_by_a_link_and_links_within_are_fine(linked, tmp_path):
    for name in ("x.png", "within/y.png"):
        assert not linked.leads_out(name)
        linked.write(name, b"x", overwrite=False)
    assert (tmp_path / "real/x.png").read_bytes() == (tmp_path / "real/sub/y.png").read_bytes() == b"x"
    assert inside(tmp_path / "root", "x.png") == tmp_path / "root/x.png"


def test_a_hidden_folder_that_leads_elsewhere_holds_nothing(tmp_path):
    (tmp_path / "dreams").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "dreams/.dreamer").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderError, match="a link leads from there"), folder(str(tmp_path / "dreams")).hold():
        pass
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("name", [85 * "夢", 83 * "夢" + ".jpg", 251 * "x" + ".png", 255 * "x", "a" + 84 * "夢"])
def test_names_of_up_to_255_bytes_have_pictures_and_records_that_a_disk_can_hold(tmp_path, name):
    (tmp_path / "in" / name[:60]).mkdir(parents=True)
    (tmp_path / "in" / name[:60] / name).touch()
    [found] = plan(
        folder(str(tmp_path / "in")), folder(str(tmp_path / "out")), {"": DreamSettings()}, glob="**"
    ).candidates
    names = [found.job.target, record_name(found.job.target), pending_name(found.job.target)]
    assert max(len(os.fsencode(part)) for one in names for part in one.split("/")) <= 255
    for one in names:
        found.job.outputs.write(one, b"x", overwrite=False)
    assert found.job.target.endswith((".jpg", ".png"))


@settings(deadline=None, max_examples=200, database=None)
@given(st.lists(st.lists(st.sampled_from(["a.jpg", "a.jpg.json", "b", "b.json", 254 * "x", 250 * "x", "a.JPG.JSON"]),
                         min_size=1, max_size=3).map("/".join), min_size=2, max_size=6, unique=True))  # fmt: skip
def test_no_two_pictures_share_a_record_nor_is_one_ever_the_folder_of_another(targets):
    names = [record_name(target).lower() for target in {target.lower() for target in targets}]
    assert len(set(names)) == len(names)
    assert not [one for one in names for other in names if other.startswith(f"{one}/")]
