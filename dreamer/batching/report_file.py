"""A report as JSON Lines: a file that is replaced if it is an earlier report, or a stream, which is written to.

The one idea: what can be replaced is looked at before, so that nothing but a report is lost. A pipe, a terminal or the
command's own standard output holds nothing that could be lost, and cannot be looked at: it only takes lines.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

from dreamer.errors import FolderError
from dreamer.files.documents import parse_json

_SECONDS_FOR_A_READER = 60.0  # Who makes a pipe starts the other program about now.


class Told(Protocol):
    """What a line can be about."""

    def to_dict(self) -> Mapping[str, Any]:
        """As JSON can hold it."""


class ReportFile:
    """A line for each photo and video as it ends, the counts at the end. Used as a context.

    Args:
        path: Where it goes; None for no report.

    Attributes:
        is_stdout: Whether it goes to standard output, where nothing else may be written then.

    Raises:
        FolderError: Something else is there, or it cannot be written.
    """

    _file: IO[str] | None = None
    is_stdout = False

    def __init__(self, path: Path | None) -> None:
        self._path = path
        if path is None:
            return
        self.is_stdout = _is_standard(path, 1)
        try:
            self._file = _opened(path)
        except OSError as error:
            raise FolderError(f"cannot write the report {path}: {error.strerror}") from error

    def __enter__(self) -> ReportFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):  # Every line is written by now, or was complained of.
                self._file.close()

    def add(self, told: Told) -> None:
        """Write a line, at once, so that it is there whatever comes.

        Raises:
            FolderError: It cannot be written.
        """
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(told.to_dict()) + "\n")
            self._file.flush()
        except OSError as error:
            raise FolderError(f"cannot write the report {self._path}: {error.strerror}") from error


def _opened(path: Path) -> IO[str]:
    # Opened by its name once more, a file that is standard output would be written from its beginning.
    ours = next((number for number in (1, 2) if _is_standard(path, number)), None)
    if ours is not None:
        return os.fdopen(os.dup(ours), "w", encoding="utf-8")
    mode = path.stat().st_mode if path.exists() else stat.S_IFREG
    if stat.S_ISFIFO(mode):
        return os.fdopen(_opened_pipe(path), "w", encoding="utf-8")
    if not stat.S_ISCHR(mode) and path.exists() and not _is_report(path):
        raise FolderError(f"{path} exists and is no report, so it is not replaced. Choose another name")
    return path.open("w", encoding="utf-8")


def _is_standard(path: Path, number: int) -> bool:
    """Whether a path leads to what a descriptor of this process is open for, as ``/dev/stdout`` does."""
    try:
        return os.path.samestat(path.stat(), os.fstat(number))
    except OSError:
        return False


def _opened_pipe(path: Path) -> int:
    """A pipe for writing, once somebody reads it; to wait without end would be to hang."""
    until = time.monotonic() + _SECONDS_FOR_A_READER
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            os.set_blocking(descriptor, True)
            return descriptor


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline(1 << 20)
    try:
        return first == b"" or not {"status", "summary"}.isdisjoint(parse_json(first))
    except (ValueError, TypeError):
        return False
