"""A run over a folder: what is done, what is skipped, what is done again, and what is never touched."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from types import SimpleNamespace

import pytest
from helping import NAMES, QUICK, Inline, encoded, pictures
from PIL import Image

from dreamer import images
from dreamer.backends import precision
from dreamer.backends.precision import Precision
from dreamer.batching import running, working
from dreamer.batching.folders import folder
from dreamer.batching.jobs import plan
from dreamer.batching.local import LocalFolder
from dreamer.batching.records import Record, judge_all
from dreamer.batching.report import Tally
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import BackendError, FolderError, FolderInUseError, ImageReadError, UnknownLayerError
from dreamer.workers import limits, process

OTHER = dataclasses.replace(QUICK, seed=1)
ALL_NEW = dict.fromkeys(NAMES, ("done", "new"))
ALL_SKIPPED = dict.fromkeys(NAMES, ("skipped", "done"))


def test_the_output_tree_mirrors_the_input_tree_and_records_say_all(photos, dreams, dream):
    before = pictures(photos)
    assert dream(photos, dreams) == ALL_NEW
    made = pictures(dreams)
    assert sorted(made) == sorted(NAMES)
    assert len(set(made.values())) == len(NAMES)
    assert pictures(photos) == before
    record = json.loads((dreams / ".dreamer/records/a/x.jpg.json").read_text())
    assert record["settings_sha256"] == QUICK.digest()
    recipe = images.read_recipe(dreams / "a/x.jpg")
    assert recipe["source"] == {"name": "x.jpg", "sha256": record["source_sha256"]}
    assert not [path for path in (dreams / ".dreamer/pending").rglob("*") if path.is_file()]


def test_each_preset_has_a_tree_of_its_own(photos, dreams, dream):
    dream(photos, dreams, presets={"still": QUICK, "other": OTHER}, digests={"still": "0", "other": "1"})
    made = pictures(dreams)
    recipe = images.read_recipe(dreams / "other/x.png")
    assert (recipe["preset"], recipe["preset_sha256"]) == ("other", "1")
    assert sorted(made) == sorted(f"{preset}/{name}" for preset in ("still", "other") for name in NAMES)
    assert made["still/x.png"] != made["other/x.png"]


def test_running_again_does_what_changed_and_nothing_else(photos, dreams, dream, picture):
    dream(photos, dreams)
    before = pictures(dreams)
    assert dream(photos, dreams) == ALL_SKIPPED
    (photos / "new.png").write_bytes(encoded(picture, 7, "png"))
    (photos / "a/x.jpg").write_bytes(encoded(picture, 8, "jpg"))
    assert dream(photos, dreams) == {
        **ALL_SKIPPED,
        "new.png": ("done", "new"),
        "a/x.jpg": ("done", "the photo changed"),
    }
    after = pictures(dreams)
    assert {name for name in NAMES if after[name] != before[name]} == {"a/x.jpg"}
    again = dream(photos, dreams, OTHER)
    assert set(again.values()) == {("done", "the settings changed")}


@pytest.mark.parametrize("damage", [b"", b"text", "cut", None])
def test_a_broken_picture_is_made_again_bit_for_bit(photos, dreams, dream, damage):
    dream(photos, dreams)
    whole = pictures(dreams)
    broken = dreams / "x.png"
    if damage is None:
        broken.unlink()
    else:
        broken.write_bytes(broken.read_bytes()[:-300] if damage == "cut" else damage)
    reason = "its picture is missing" if damage is None else "its picture is broken"
    assert dream(photos, dreams) == {**ALL_SKIPPED, "x.png": ("done", reason)}
    assert pictures(dreams) == whole


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": 99}', b'{"format": 1, "nonsense": 2}', None])
def test_a_broken_record_is_no_record(photos, dreams, dream, damage):
    dream(photos, dreams)
    record = dreams / ".dreamer/records/x.png.json"
    record.write_bytes(damage) if damage is not None else record.unlink()
    (status, reason) = dream(photos, dreams)["x.png"]
    assert status == "failed"
    assert "none of ours; --overwrite replaces it" in reason
    assert dream(photos, dreams, overwrite=True)["x.png"][0] == "done"
    assert dream(photos, dreams) == ALL_SKIPPED


def test_a_picture_that_somebody_worked_on_is_not_replaced_unasked(photos, dreams, dream):
    dream(photos, dreams)
    Image.new("RGB", (5, 7), "red").save(dreams / "x.png")
    mine = (dreams / "x.png").read_bytes()
    for settings in (QUICK, OTHER):
        status, reason = dream(photos, dreams, settings)["x.png"]
        assert (status, mine) == ("failed", (dreams / "x.png").read_bytes())
        assert "was changed since it was made" in reason
    assert dream(photos, dreams, overwrite=True)["x.png"] == ("done", "done again")
    assert (dreams / "x.png").read_bytes() != mine


def test_foreign_files_are_in_the_way_and_links_never_written_through(photos, dreams, dream):
    (dreams / "b/x.jpg").mkdir(parents=True)
    (dreams / "x.jpg").write_text("precious")
    (dreams / "x.png").symlink_to(photos / "x.png")
    (dreams / "a").symlink_to(photos / "a")
    before = pictures(photos)
    found = dream(photos, dreams, overwrite=True)
    assert [found[name][0] for name in NAMES] == ["failed", "failed", "done", "failed"]
    assert "written outside of" in found["a/x.jpg"][1]
    assert "by way of a link" in found["a/x.jpg"][1]
    assert "is in the way: it is a directory" in found["b/x.jpg"][1]
    assert "by way of a link" in found["x.png"][1]
    assert pictures(photos) == before


def test_a_file_that_turns_up_while_its_photo_is_dreamt_is_not_replaced(photos, dreams, dream, monkeypatch):
    encode = images.encode

    def meanwhile(*arguments, **options):
        (dreams / "x.png").write_text("precious")
        return encode(*arguments, **options)

    monkeypatch.setattr(images, "encode", meanwhile)
    found = dream(photos, dreams, glob="x.png")
    assert found["x.png"][0] == "failed"
    assert (dreams / "x.png").read_text() == "precious"


def test_a_record_that_cannot_be_written_is_tried_again_though_the_picture_is_there_by_now(
    photos, dreams, dream, monkeypatch
):
    write, refused = LocalFolder.write, []

    def once(self, name, data, *, overwrite):
        if "records" in name and not refused:
            refused.append(name)
            raise OSError(errno.EIO, "Input/output error")
        write(self, name, data, overwrite=overwrite)

    monkeypatch.setattr(LocalFolder, "write", once)
    assert dream(photos, dreams, retries=1, glob="x.png") == {"x.png": ("done", "new")}
    assert refused == [".dreamer/records/x.png.json"]


def notes(dreams):
    return [path.name for path in (dreams / ".dreamer").rglob("*") if path.is_file() and "pending" in path.parts[-2]]


def test_no_note_is_left_of_what_is_not_pending_any_more(photos, dreams, dream, monkeypatch):
    remove = LocalFolder.remove
    monkeypatch.setattr(LocalFolder, "remove", lambda *_: None)  # As if the run had been killed right before.
    dream(photos, dreams, glob="*")
    monkeypatch.setattr(LocalFolder, "remove", remove)
    assert sorted(notes(dreams)) == ["x.jpg.json", "x.png.json"]
    assert dream(photos, dreams, glob="*") == {"x.jpg": ("skipped", "done"), "x.png": ("skipped", "done")}
    assert notes(dreams) == []
    # Nor of a picture that cannot be put in its place, since somebody else's is there by now.
    encode = images.encode
    monkeypatch.setattr(
        images, "encode", lambda *them, **how: ((dreams / "b.png").write_text("mine"), encode(*them, **how))[1]
    )
    (photos / "b.png").write_bytes((photos / "x.png").read_bytes())
    assert dream(photos, dreams, glob="b.png")["b.png"][0] == "failed"
    assert notes(dreams) == []


def test_a_photo_beside_a_folder_that_is_called_as_its_record_has_one_of_its_own(photos, dreams, dream, picture):
    for name in ("x.png.json/x.png", "x.png.json/y.JSON/z.png"):
        (photos / name).parent.mkdir(exist_ok=True, parents=True)
        (photos / name).write_bytes(encoded(picture, len(name), "png"))
    names = (*NAMES, "x.png.json/x.png", "x.png.json/y.JSON/z.png")
    assert dream(photos, dreams) == dict.fromkeys(names, ("done", "new"))
    assert dream(photos, dreams) == dict.fromkeys(names, ("skipped", "done"))
    assert notes(dreams) == []


@pytest.mark.parametrize(
    "name",
    [os.fsdecode(b"caf\xe9 \xff.png"), 83 * "夢" + ".png", 251 * "x" + ".png", "a\\b\n'\".png", 84 * "夢" + "ab"],
)
def test_a_photo_of_any_name_that_a_disk_can_hold_is_dreamt_and_known_again(dreams, dream, tmp_path, picture, name):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / name).write_bytes(encoded(picture, 1, "png"))
    [(target, found)] = dream(tmp_path / "odd", dreams, glob="*").items()
    assert found == ("done", "new")
    assert images.read_recipe(dreams / target)["source"]["name"] == name
    assert dream(tmp_path / "odd", dreams, glob="*") == {target: ("skipped", "done")}
    # Cut or not, a picture that is whole and not ours is never taken for ours.
    Image.new("RGB", (5, 7), "red").save(dreams / target, "PNG")
    assert dream(tmp_path / "odd", dreams, glob="*")[target][0] == "failed"


def test_a_pipe_in_the_place_of_a_record_blocks_nothing(photos, dreams, dream):
    dream(photos, dreams, glob="x.png")
    record = dreams / ".dreamer/records/x.png.json"
    record.unlink()
    os.mkfifo(record)
    status, reason = dream(photos, dreams, glob="x.png")["x.png"]
    assert (status, "is a pipe; a regular file is expected" in reason) == ("failed", True)


def machine(monkeypatch, name):
    monkeypatch.setattr(precision, "of_hardware", lambda: Precision(name, "a test says so"))


def settled_run(photos, dreams):
    """A run as the command makes it, ``{target: (status, reason)}``, and the precisions of its jobs."""
    inputs, outputs = folder(str(photos)), folder(str(dreams))
    found = running.settled(plan(inputs, outputs, {"": QUICK}, glob="x.*").candidates, Inline())
    with outputs.hold():
        ended = list(running.carry_out(judge_all(found, overwrite=False), Inline(), retries=0))
    return {one.job.target: (one.status, one.reason) for one in ended}, {one.job.settings.precision for one in found}


def test_the_precision_is_settled_before_jobs_are_judged_and_records_say_it(photos, dreams, monkeypatch):
    machine(monkeypatch, "bfloat16")
    found, precisions = settled_run(photos, dreams)
    assert (set(found.values()), precisions) == ({("done", "new")}, {"bfloat16"})
    record = json.loads((dreams / ".dreamer/records/x.png.json").read_text())
    assert record["settings_sha256"] == dataclasses.replace(QUICK, precision="bfloat16").digest()
    assert images.read_recipe(dreams / "x.png")["settings"]["precision"] == "bfloat16"
    assert set(settled_run(photos, dreams)[0].values()) == {("skipped", "done")}
    # A machine that would compute it otherwise does not take the others' pictures for its own.
    machine(monkeypatch, "float32")
    assert set(settled_run(photos, dreams)[0].values()) == {("done", "the settings changed")}
    assert images.read_recipe(dreams / "x.png")["settings"]["precision"] == "float32"


def test_pictures_whose_records_only_say_auto_count_where_they_were_made_alike(photos, dreams, dream, monkeypatch):
    machine(monkeypatch, "bfloat16")
    dream(photos, dreams, glob="x.*")  # As early versions did it: nothing was settled.
    assert json.loads((dreams / ".dreamer/records/x.png.json").read_text())["settings_sha256"] == QUICK.digest()
    assert set(settled_run(photos, dreams)[0].values()) == {("skipped", "done")}
    machine(monkeypatch, "float32")
    assert set(settled_run(photos, dreams)[0].values()) == {("done", "the settings changed")}


def test_what_keeps_the_precision_from_being_settled_is_said(photos, dreams, monkeypatch):
    def missing():
        raise BackendError("the backend is not there")

    monkeypatch.setattr(precision, "of_hardware", missing)
    with pytest.raises(BackendError, match="the backend is not there"):
        settled_run(photos, dreams)


def test_a_job_says_how_much_time_it_needs_once_it_knows_its_photo(photos, dreams, dream, monkeypatch):
    told = []
    monkeypatch.setattr(process, "_tell", told.append)
    dream(photos, dreams, glob="x.png")
    small = told[-1]
    dream(photos, dreams, dataclasses.replace(QUICK, steps=3, octaves=2, octave_scale=1.1), glob="x.png")
    assert told[0] == limits.READING < small < told[-1]
    assert small == limits.of_steps(37 * 53, 1)
    told.clear()
    dream(photos, dreams, OTHER, glob="x.png", timeout=12.0)
    assert told == [12.0]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("half", [False, True])
def test_killed_at_any_moment_a_run_is_completed_as_if_nothing_had_been(
    photos, dreams, dream, tmp_path, monkeypatch, number, half
):
    """Of a picture four things are written or removed; the process ends before each of them, or half-way."""
    dream(photos, tmp_path / "undisturbed", OTHER)
    dream(photos, dreams)  # So that the run that is killed has something to replace.
    calls, write, remove = [], LocalFolder.write, LocalFolder.remove

    def until(action):
        def called(self, name, *arguments, **options):
            calls.append(name)
            if len(calls) <= number:
                return action(self, name, *arguments, **options)
            if half and action is write:
                path = self.path(name)
                path.with_name(".dreamer-0123456789abcdef.part").write_bytes(arguments[0][:100])
            raise Killed

        return called

    monkeypatch.setattr(LocalFolder, "write", until(write))
    monkeypatch.setattr(LocalFolder, "remove", until(remove))
    with pytest.raises(Killed):
        dream(photos, dreams, OTHER)
    monkeypatch.undo()
    found = dream(photos, dreams, OTHER)
    assert {status for status, _ in found.values()} <= {"done", "skipped"}
    assert pictures(dreams) == pictures(tmp_path / "undisturbed")
    assert not list(dreams.rglob("*.part"))
    assert dream(photos, dreams, OTHER) == ALL_SKIPPED


def test_a_broken_photo_is_told_and_stops_nothing(photos, dreams, dream):
    (photos / "b/x.jpg").write_text("this is no picture")
    (photos / "a/x.jpg").unlink()
    (photos / "a/x.jpg").symlink_to("nowhere")
    found = dream(photos, dreams)
    assert found["b/x.jpg"][1].startswith(f"{photos / 'b/x.jpg'} is not a picture")
    assert "leads nowhere" in found["a/x.jpg"][1]
    assert [found[name][0] for name in NAMES] == ["failed", "failed", "done", "done"]
    assert dream(photos, dreams)["x.png"] == ("skipped", "done")


def test_too_large_a_photo_is_a_failure(photos, dreams, dream):
    assert "limit of 1,960" in dream(photos, dreams, max_pixels=37 * 53 - 1)["x.png"][1]
    assert dream(photos, dreams, max_pixels=37 * 53) == ALL_NEW


def test_what_would_fail_for_every_photo_is_said_once(photos, dreams, dream):
    with pytest.raises(UnknownLayerError, match="no layer 'nope'"):
        dream(photos, dreams, DreamSettings(objective="nope"))
    assert pictures(dreams) == {}


def test_a_mask_that_is_no_picture_is_said_once(photos, dreams, dream, tmp_path):
    (tmp_path / "mask.png").write_text("no picture")
    with pytest.raises(ImageReadError, match="mask.png is not a picture"):
        dream(photos, dreams, DreamSettings(mask=str(tmp_path / "mask.png")))
    assert pictures(dreams) == {}


def test_a_full_disk_ends_the_run_and_a_later_one_completes_it(photos, dreams, dream, monkeypatch):
    put = working.put

    def full(job, *arguments):
        if job.source == "b/x.jpg":
            raise OSError(errno.ENOSPC, "No space left on device")
        put(job, *arguments)

    monkeypatch.setattr(working, "put", full)
    assert dream(photos, dreams) == {"a/x.jpg": ("done", "new"), "b/x.jpg": ("failed", "No space left on device")}
    monkeypatch.undo()
    assert dream(photos, dreams) == {**ALL_NEW, "a/x.jpg": ("skipped", "done")}


def test_the_second_run_on_a_folder_is_told_who_holds_it(photos, dreams, dream):
    with folder(str(dreams)).hold(), pytest.raises(FolderInUseError, match=r"filled by process \d+ on .+, since 20"):
        dream(photos, dreams)
    assert dream(photos, dreams) == ALL_NEW


def test_to_resume_there_has_to_be_something(photos, dreams, dream):
    found = plan(folder(str(photos)), folder(str(dreams)), {"": QUICK}).candidates
    with pytest.raises(FolderError, match="nothing to go on with"):
        running.check_begun(found)
    dream(photos, dreams, glob="a/*")
    running.check_begun(found)


def test_judging_only_reads(photos, dreams):
    verdicts = judge_all(plan(folder(str(photos)), folder(str(dreams)), {"": QUICK}).candidates, overwrite=False)
    assert {verdict.action for verdict in verdicts} == {"dream"}
    assert not dreams.exists()
    assert list(running.carry_out([], Inline())) == []


def test_a_record_survives_its_file():
    record = Record("a.jpg", "1", None, "fur", "2", "3").stamped("etag")
    assert Record.from_json(record.to_json()) == record


def test_the_rate_is_of_what_was_dreamt():
    ticks = iter([0.0, *[30.0] * 9])
    tally = Tally(3, 3, clock=lambda: next(ticks))
    for status in ("failed", "skipped", "done"):
        tally.add(SimpleNamespace(status=status, attempts=1))
    assert tally.per_minute == 2
