"""``dreamer dream`` with several photos, with standard input and output, and its answer for scripts."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
import secrets
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dreamer import images, memory
from dreamer.cli import run
from dreamer.cli.answers import ITEMS
from dreamer.dreaming import plan
from dreamer.errors import ImageReadError, ModelError
from dreamer.images.opening import stream_bytes
from dreamer.shapes import problem

QUICK = ["--octaves", "2", "--steps", "1"]


@pytest.fixture
def here(tmp_path, picture, monkeypatch):
    """The working folder with three photos; ``refuge`` is where temporary files go."""
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "refuge").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "refuge"))
    monkeypatch.chdir(work)
    for name in ("a.png", "b.jpg", "c.png"):
        Image.fromarray((picture * 255).round().astype(np.uint8)).save(name)
    return work


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def dreams(folder):
    return [name for name in names(folder) if "-dream" in name]


def answer(capfd):
    said = json.loads(capfd.readouterr().out)
    assert said["command"] == "dream"
    assert [problem(item, ITEMS["dream"]) for item in said["items"]] == [None] * len(said["items"])
    assert all(item.keys() <= ITEMS["dream"].keys() for item in said["items"])
    return said["items"]


@pytest.fixture
def piped(monkeypatch):
    """Lets bytes come by standard input, and gives what goes to standard output."""

    def pipe(given=b""):
        out = SimpleNamespace(buffer=io.BytesIO(), isatty=lambda: False, flush=lambda: None, encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given), isatty=lambda: False))
        monkeypatch.setattr(sys, "stdout", out)
        return out.buffer

    return pipe


def test_each_of_several_photos_is_dreamt_with_one_plan(here, lite0, monkeypatch, capfd):
    planned, of = [], plan.DreamPlan.of
    monkeypatch.setattr(plan.DreamPlan, "of", lambda *given: (planned.append(given), of(*given))[1])
    assert run(["dream", "a.png", "b.jpg", "c.png", *QUICK, "--seed", "3"]) == 0
    assert capfd.readouterr().out.split() == ["a-dream.png", "b-dream.jpg", "c-dream.png"]
    assert len(planned) == 1
    assert run(["dream", "a.png", *QUICK, "--seed", "3", "-o", "alone.png", "-q"]) == 0
    assert (here / "alone.png").read_bytes() == (here / "a-dream.png").read_bytes()


def test_they_go_to_a_folder_which_is_made(here, asleep, capfd):
    assert run(["dream", "a.png", "b.jpg", "c.png", *QUICK, "-o", "out"]) == 0
    assert capfd.readouterr().out.split() == ["out/a-dream.png", "out/b-dream.jpg", "out/c-dream.png"]
    assert names(here / "out") == ["a-dream.png", "b-dream.jpg", "c-dream.png"]
    assert dreams(here) == []


def test_in_a_folder_nothing_is_replaced_unasked_and_never_the_dream_of_another(here, asleep):
    (here / "sub").mkdir()
    (here / "sub" / "a.png").write_bytes((here / "c.png").read_bytes())
    two, four = ["a-dream-2.png", "a-dream.png"], ["a-dream-2.png", "a-dream-3.png", "a-dream-4.png", "a-dream.png"]
    for folder, more, expected in (("out", [], two), ("out", [], four), ("new", ["--overwrite"], two),
                                   ("new", ["--overwrite"], two)):  # fmt: skip
        assert run(["dream", "a.png", "sub/a.png", *QUICK, "-o", folder, "-q", *more]) == 0
        assert names(here / folder) == expected


def test_zooms_of_several_photos(here, asleep):
    given = ["--frames", "2", "--frame-rate", "5", "-o", "out", "-q"]
    assert run(["dream", "a.png", "b.jpg", *QUICK, *given]) == 0
    assert names(here / "out") == ["a-dream.gif", "b-dream.gif"]


def test_one_that_fails_is_told_and_the_others_go_on(here, asleep, capfd):
    (here / "b.jpg").write_text("no picture")
    assert run(["dream", "a.png", "b.jpg", "gone.png", "c.png", *QUICK]) == 1
    out, err = capfd.readouterr()
    assert out.split() == ["a-dream.png", "c-dream.png"]
    failed = [line for line in err.splitlines() if line.startswith("Failed")]
    assert [line.split()[1] for line in failed] == ["b.jpg", "gone.png"]
    assert dreams(here) == ["a-dream.png", "c-dream.png"]


@pytest.mark.parametrize("token", ["12345678", "1234567a"])  # The other file's name then ends in "a.png" as well.
def test_what_was_computed_of_one_that_fails_is_kept_and_said(here, asleep, monkeypatch, capfd, tmp_path, token):
    monkeypatch.setattr(secrets, "token_hex", lambda size: token)

    def fail(taken):
        if taken == 2:
            raise ModelError("the network stumbled")

    asleep.before_step = fail
    assert run(["dream", "a.png", "c.png", *QUICK]) == 1
    [kept] = (tmp_path / "refuge").iterdir()
    assert f"Failed: a.png: the network stumbled. What was computed is kept as {kept}" in capfd.readouterr().err
    assert dreams(here) == ["c-dream.png"]


def test_what_is_wrong_with_all_of_them_is_said_once(here, lite0, capfd):
    assert run(["dream", "a.png", "b.jpg", "--layer", "nothing", "-o", "out", "-q"]) == 2
    assert capfd.readouterr().err.count("no layer 'nothing'") == 1
    assert names(here) == ["a.png", "b.jpg", "c.png"]


@pytest.mark.parametrize(("at", "kept"), [(3, ["a-dream.png"]), (4, ["a-dream.png", "b-dream.jpg"])])
def test_an_interrupt_keeps_what_there_is_and_ends_all(here, asleep, at, kept, capfd):
    asleep.before_step = lambda taken: signal.raise_signal(signal.SIGINT) if taken == at else None
    assert run(["dream", "a.png", "b.jpg", "c.png", *QUICK, "--json"]) == 130
    items = answer(capfd)
    assert dreams(here) == kept == [item["path"] for item in items]
    assert [item["partial"] for item in items] == [False, True][: len(kept)]


def test_an_interrupt_while_one_is_written_lets_no_other_begin(here, asleep, monkeypatch, capfd):
    put = images.files.placed

    def placed(*given, **options):
        if not dreams(here):
            signal.raise_signal(signal.SIGTERM)
        return put(*given, **options)

    monkeypatch.setattr(images.files, "placed", placed)
    assert run(["dream", "a.png", "b.jpg", *QUICK]) == 143
    assert dreams(here) == ["a-dream.png"]
    assert "interrupted after 1 of 2 photos" in capfd.readouterr().err


def test_a_script_gets_one_item_for_each_photo(here, asleep, capfd):
    assert run(["dream", "a.png", "gone.png", "c.png", *QUICK, "--json", "-q"]) == 1
    first, failed, _ = answer(capfd)
    assert (first["photo"], first["path"]) == ("a.png", "a-dream.png")
    assert (first["height"], first["width"], first["frames"], first["partial"]) == (37, 53, 1, False)
    assert failed["path"] is None
    assert failed["error"]["kind"] == "ImageReadError"
    assert "does not exist" in failed["error"]["message"]
    assert run(["dream", "a.png", *QUICK, "--frames", "3", "-o", "zoom.gif", "--json"]) == 0
    [zoom] = answer(capfd)
    assert (zoom["path"], zoom["frames"]) == ("zoom.gif", 3)


def test_a_photo_comes_by_standard_input_and_its_dream_goes_by_standard_output(here, asleep, piped, capfd):
    out = piped((here / "b.jpg").read_bytes())
    assert run(["dream", "-", "-o", "-", *QUICK]) == 0
    data = out.getvalue()
    assert data.startswith(b"\x89PNG")
    assert images.decode(data, "it").pixels.shape == (37, 53, 3)
    assert names(here) == ["a.png", "b.jpg", "c.png"]
    source = images.recipes.recipe_in(data, "it")["source"]
    assert list(source) == ["sha256"]


def test_a_named_photo_keeps_its_format_on_standard_output(here, asleep, piped):
    out = piped()
    assert run(["dream", "b.jpg", "-o", "-", *QUICK]) == 0
    assert out.getvalue().startswith(b"\xff\xd8\xff")


def test_a_photo_from_standard_input_goes_to_a_file(here, asleep, piped, capfd):
    for more in ([], ["--overwrite"]):
        piped((here / "b.jpg").read_bytes())
        assert run(["dream", "-", "-o", "x.png", *QUICK, *more]) == 0
    assert images.read(here / "x.png").pixels.shape == (37, 53, 3)


@pytest.mark.parametrize(("given", "words"), [(b"", "is empty"), (b"no picture", "standard input is not a picture")])
def test_standard_input_that_is_no_picture_is_said(here, piped, capfd, given, words):
    out = piped(given)
    assert run(["dream", "-", "-o", "-"]) == 1
    assert words in capfd.readouterr().err
    assert out.getvalue() == b""


def test_a_stream_is_read_no_further_than_there_is_memory(monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: 3_000_000)
    endless = SimpleNamespace(read=lambda count: bytes(count))
    with pytest.raises(ImageReadError, match="more than 3,000,000 bytes"):
        stream_bytes(endless, "standard input")


def test_a_picture_that_standard_output_does_not_take_is_kept(here, asleep, piped, tmp_path, monkeypatch, capfd):
    piped()

    def full(_data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys.stdout, "buffer", SimpleNamespace(write=full))
    assert run(["dream", "a.png", "-o", "-", *QUICK, "-q"]) == 1
    [kept] = (tmp_path / "refuge").iterdir()
    assert f"kept as {kept}" in capfd.readouterr().err


def test_a_terminal_gets_no_picture_and_a_closed_pipe_no_words(here):
    command = [sys.executable, "-m", "dreamer", "dream", "a.png", *QUICK, "-o", "-"]
    ours, theirs = pty.openpty()
    on_terminal = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False)
    os.close(theirs)
    os.close(ours)
    assert on_terminal.returncode == 1
    assert "which is a terminal" in on_terminal.stderr
    read_end, write_end = os.pipe()
    os.close(read_end)
    closed = subprocess.run([*command, "-q"], stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert (closed.returncode, closed.stderr) == (1, "")
