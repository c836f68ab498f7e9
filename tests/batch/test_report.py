"""A report: a file of which nothing but an earlier report is lost, or a stream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from dreamer.batching import report_file
from dreamer.batching.report import Tally
from dreamer.batching.report_file import ReportFile
from dreamer.errors import FolderError

ONE = SimpleNamespace(to_dict=lambda: {"status": "done", "input": os.fsdecode(b"\xff.jpg")})


def written(path):
    with ReportFile(path) as report:
        report.add(ONE)
        report.add(Tally(1, 1, {".heic": 31}))
    return report


def lines(text):
    first, last = map(json.loads, text.splitlines())
    return first["status"], last["summary"]["left_out"]


WHOLE = ("done", {".heic": 31})


@pytest.mark.parametrize("before", [None, b"", b'{"status": "done"}\n{"cut', b'{"summary": {}}'])
def test_an_earlier_report_is_replaced(tmp_path, before):
    path = tmp_path / "report.jsonl"
    if before is not None:
        path.write_bytes(before)
    assert not written(path).is_stdout
    assert lines(path.read_text()) == WHOLE


@pytest.mark.parametrize("before", [b"precious", b"{}", b"[" * 100_000, b"\x89PNG"])
def test_nothing_else_is(tmp_path, before):
    path = tmp_path / "report.jsonl"
    path.write_bytes(before)
    with pytest.raises(FolderError, match="is no report, so it is not replaced"):
        ReportFile(path)
    assert path.read_bytes() == before
    with pytest.raises(FolderError, match="is no report"):
        ReportFile(tmp_path)


def test_a_pipe_is_a_stream_whose_reader_may_come_later(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read = []
    reader = threading.Timer(0.2, lambda: read.append(path.read_text()))
    reader.start()
    written(path)
    reader.join(30)
    assert lines(read[0]) == WHOLE


def test_a_pipe_that_nobody_reads_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(report_file, "_SECONDS_FOR_A_READER", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FolderError, match="cannot write the report"):
        ReportFile(tmp_path / "pipe")


@pytest.mark.parametrize("to_file", [False, True])
def test_standard_output_is_a_stream_that_goes_on_where_it_is(tmp_path, to_file):
    """Also where it is a file, which would be begun anew if it were opened by its name."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from dreamer.batching.report_file import ReportFile\n"
        "from dreamer.batching.report import Tally\n"
        "print('before', flush=True)\n"
        "with ReportFile(Path('/dev/stdout')) as report:\n"
        "    report.add(Tally(1, 1))\n"
        "print(report.is_stdout)\n"
    )
    out = tmp_path / "out"
    with out.open("w") as file:
        done = subprocess.run([sys.executable, "-c", code], stdout=file if to_file else subprocess.PIPE, text=True,
                              env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, timeout=60)  # fmt: skip
    first, line, last = (out.read_text() if to_file else done.stdout).splitlines()
    assert (first, list(json.loads(line)), last) == ("before", ["summary"], "True")


def test_a_device_takes_lines():
    written(report_file.Path("/dev/null"))
    with pytest.raises(FolderError, match="cannot write the report /dev/full: No space left"):
        written(report_file.Path("/dev/full"))
