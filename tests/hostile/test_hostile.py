"""Some six hundred hostile inputs, in one process: each is read or refused as is right, at once, in little memory."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import hostile_pictures
import hostile_words
import numpy as np
import pytest
from hostile_case import EITHER, READ, REFUSED, Case

from dreamer import images, presets
from dreamer.cli import run
from dreamer.errors import DreamerError
from dreamer.models import graphdef, keras_file, torch_checkpoint
from dreamer.objectives import Objective

SECONDS = 10
"""Far more than any needs, far less than what hung took."""
MEGABYTES = 600
"""What one case may add to the peak of the process's memory; one claims to need 2,900."""

_PEAK = Path("/proc/self/clear_refs")

pytestmark = pytest.mark.skipif(not _PEAK.exists(), reason="needs Linux, to measure the memory of each case")

PICTURES = list(hostile_pictures.cases())
RECIPES = [case for case in PICTURES if case.name.startswith("recipe-")]


def named(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


@contextmanager
def bounded() -> Iterator[None]:
    """Fail what takes long or much."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"it took more than {SECONDS} s")

    handler = signal.signal(signal.SIGALRM, stop)
    before = _memory("VmRSS")
    _PEAK.write_text("5", encoding="ascii")  # The peak begins anew from what there is now.
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
    grown = _memory("VmHWM") - before
    assert grown < MEGABYTES, f"it took {grown} MB"


def _memory(kind: str) -> int:
    """Of this process, in megabytes: what it has now, ``VmRSS``, or the most that it had, ``VmHWM``."""
    found = re.search(rf"{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) // 1024


def outcome(act, *arguments) -> tuple[str, object]:
    """Whether something hostile was read or refused, and what came of it."""
    with bounded():
        try:
            right, found = READ, act(*arguments)
        except DreamerError as error:
            right, found = REFUSED, error
    assert right == READ or "\n" not in str(found)
    return right, found


def test_the_corpus_is_large_and_its_names_are_its_own():
    names = [case.name for case in PICTURES]
    assert len(set(names)) == len(names) > 200
    assert {case.right for case in PICTURES} == {READ, REFUSED, EITHER}


@pytest.mark.parametrize("case", named(PICTURES))
def test_a_picture_is_read_whole_or_refused(case):
    right, found = outcome(images.decode, case.data, case.name)
    assert case.right in (right, EITHER), found
    if right == READ:
        assert found.pixels.dtype == np.float32
        assert found.pixels.ndim == 3
        assert np.isfinite(found.pixels).all()


@pytest.mark.parametrize("case", named([case for case in PICTURES if case.right == REFUSED]))
def test_the_command_refuses_a_picture_in_one_line(case, tmp_path, capsys):
    (tmp_path / case.name).write_bytes(case.data)
    with bounded():
        assert run(["dream", str(tmp_path / case.name)]) == 1
    assert_one_line(capsys.readouterr().err)
    assert len(list(tmp_path.iterdir())) == 1


def assert_one_line(said: str) -> None:
    """What is said is one line of the program's own."""
    *before, last = said.splitlines()
    assert last.startswith("Error: ")
    assert all(line.startswith("Note: ") for line in before)
    assert "fault in dreamer" not in said
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize("case", named(RECIPES))
def test_a_hostile_recipe_is_printed_or_refused(case, tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(case.data)
    with bounded():
        status = run(["recipe", str(tmp_path / "a.png")])
    printed = capsys.readouterr()
    assert status in (0, 1)
    assert printed.out.replace("\n", "").isprintable()
    if status:
        assert_one_line(printed.err)


@pytest.mark.parametrize("case", named(RECIPES))
def test_nothing_is_dreamt_again_from_a_hostile_recipe(case, tmp_path, capsys):
    (tmp_path / "again.png").write_bytes(case.data)
    (tmp_path / "photo.png").write_bytes(hostile_pictures.encoded("plain.png"))
    output = tmp_path / "out.png"
    with bounded():
        status = run(["dream", str(tmp_path / "photo.png"), "--recipe", str(tmp_path / "again.png"), "-o", str(output)])
    assert status in (1, 2)
    assert_one_line(capsys.readouterr().err)
    assert not output.exists()


@pytest.mark.parametrize("case", named(RECIPES))
def test_no_preset_is_made_of_a_hostile_recipe(case, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DREAMER_CONFIG", str(tmp_path / "config"))
    (tmp_path / "again.png").write_bytes(case.data)
    with bounded():
        status = run(["presets", "new", "mine", "--from", str(tmp_path / "again.png")])
    assert status in (1, 2)
    assert_one_line(capsys.readouterr().err)
    assert not (tmp_path / "config" / "presets" / "mine.toml").exists()


@pytest.mark.parametrize("case", named(list(hostile_words.objectives())))
def test_an_objective_is_read_or_refused_and_reads_back(case):
    right, found = outcome(Objective.parse, case.text)
    assert case.right in (right, EITHER), found
    if right == READ:
        assert Objective.parse(found.name) == found


@pytest.mark.parametrize("case", named(list(hostile_words.presets())))
def test_a_preset_is_read_or_refused(case, tmp_path):
    (tmp_path / case.name).write_bytes(case.data)
    right, found = outcome(presets.find, tmp_path / case.name)
    assert case.right in (right, EITHER), found


@pytest.mark.parametrize("case", named(list(hostile_words.networks())))
def test_a_file_that_is_no_network_is_refused(case, tmp_path):
    import keras  # noqa: F401  Its own hundreds of megabytes are not the file's.

    path = tmp_path / case.name
    path.write_bytes(case.data)
    assert outcome(lambda: keras_file.build(path, keras_file.spec(str(path))))[0] == REFUSED
    assert [one.name for one in tmp_path.iterdir()] == [case.name]


@pytest.mark.parametrize("case", named(list(hostile_words.graphs())))
def test_a_hostile_graph_is_refused(case):
    assert outcome(graphdef.parse, case.data)[0] == REFUSED


@pytest.mark.parametrize("case", named(list(hostile_words.checkpoints())))
def test_a_hostile_checkpoint_is_refused(case, tmp_path):
    (tmp_path / case.name).write_bytes(case.data)
    assert outcome(torch_checkpoint.read, tmp_path / case.name)[0] == REFUSED
