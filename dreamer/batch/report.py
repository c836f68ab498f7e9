"""What became of a run: one line of JSON for each photo, and the counts.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from dreamer.batch.jobs import Job
from dreamer.batch.outcomes import Failure
from dreamer.documents import parse_json
from dreamer.errors import FolderError

Status = Literal["done", "skipped", "failed"]


@dataclass(frozen=True)
class Finished:
    """What became of one job.

    Attributes:
        job: The job.
        status: ``"done"``, ``"skipped"`` or ``"failed"``.
        reason: Why it was to be done, or was not.
        failure: Why it failed; None if it did not.
        attempts: How often it was tried.
        seconds: How long the last attempt took.
        notes: One-line remarks.
    """

    job: Job
    status: Status
    reason: str
    failure: Failure | None = None
    attempts: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        told: dict[str, Any] = {
            "status": self.status,
            "preset": self.job.preset,
            "input": self.job.inputs.show(self.job.source),
            "output": self.job.outputs.show(self.job.target),
            "reason": self.reason,
            "attempts": self.attempts,
            "seconds": round(self.seconds, 3),
        }
        if self.failure is not None:
            told["error"] = {"kind": self.failure.kind, "message": self.failure.message}
        if self.notes:
            told["notes"] = list(self.notes)
        return told


@dataclass
class Tally:
    """The counts of a run, and how fast it goes.

    Attributes:
        total: How many jobs there are.
        to_dream: How many of them have to be done.
        counts: How many ended how.
    """

    total: int
    to_dream: int
    counts: Counter[Status] = field(default_factory=Counter)
    clock: Callable[[], float] = time.monotonic
    _tried: int = 0
    _begun: float = field(init=False)

    def __post_init__(self) -> None:
        self._begun = self.clock()

    def add(self, one: Finished) -> None:
        """Count a job."""
        self.counts[one.status] += 1
        self._tried += one.attempts > 0

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self.clock() - self._begun

    @property
    def progress(self) -> float:
        """Share of what has to be done that is done, in [0, 1]."""
        return self._tried / self.to_dream if self.to_dream else 1.0

    @property
    def left(self) -> int:
        """How many jobs were not begun, or dropped."""
        return self.total - self.counts.total()

    @property
    def per_minute(self) -> float:
        """Photos dreamt per minute, start-up included."""
        return 60 * self.counts["done"] / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        counts = self.counts
        return f"{counts['done']} done, {counts['skipped']} skipped, {counts['failed']} failed"

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        counts = {status: self.counts[status] for status in ("done", "skipped", "failed")}
        rate = round(self.per_minute, 2)
        return {"summary": {**counts, "left": self.left, "seconds": round(self.seconds, 1), "photos_per_minute": rate}}


class Report:
    """A file of JSON Lines: one for each job as it ends, the counts at the end. Used as a context.

    An earlier report of that name is replaced, nothing else is.

    Args:
        path: Where it goes; None for no report.

    Raises:
        FolderError: Something else is there, or it cannot be written.
    """

    _file: IO[str] | None = None

    def __init__(self, path: Path | None) -> None:
        self._path = path
        if path is None:
            return
        try:
            if path.exists() and not _is_report(path):
                raise FolderError(f"{path} exists and is no report, so it is not replaced. Choose another name")
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise FolderError(f"cannot write the report {path}: {error.strerror}") from error

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, told: Finished | Tally) -> None:
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


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(1 << 20)
    try:
        return first == b"" or not {"status", "summary"}.isdisjoint(parse_json(first))
    except (ValueError, TypeError):
        return False
