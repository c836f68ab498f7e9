"""What became of a run: of each photo and video, and in counts.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from dreamer.batching.jobs import FileJob
from dreamer.batching.records import Verdict
from dreamer.workers.outcomes import Failure

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

    job: FileJob
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
        left_out: How many files of each suffix became no jobs.
        counts: How many ended how.
    """

    total: int
    to_dream: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    counts: Counter[Status] = field(default_factory=Counter)
    clock: Callable[[], float] = time.monotonic
    _tried: int = 0
    _begun: float = field(init=False)

    def __post_init__(self) -> None:
        self._begun = self.clock()

    @classmethod
    def of(cls, verdicts: Sequence[Verdict], left_out: Mapping[str, int]) -> Self:
        """Before anything is done."""
        return cls(len(verdicts), sum(verdict.action == "dream" for verdict in verdicts), left_out)

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
        """Photos and videos dreamt per minute, start-up included."""
        return 60 * self.counts["done"] / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        counts = self.counts
        return f"{counts['done']} done, {counts['skipped']} skipped, {counts['failed']} failed"

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        counts = {status: self.counts[status] for status in ("done", "skipped", "failed")}
        rate = round(self.per_minute, 2)
        told = {**counts, "left": self.left, "seconds": round(self.seconds, 1), "photos_per_minute": rate}
        return {"summary": told | ({"left_out": dict(self.left_out)} if self.left_out else {})}
