"""What becomes of a job, as values: a result, or a failure that says whether another try may go well.

Must not import: photos, networks, Keras or anything heavy.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from dreamer.errors import DeviceMemoryError

Job = TypeVar("Job")
Result = TypeVar("Result")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_LASTING = _FULL | {
    *(errno.ENOENT, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL),
}


@dataclass(frozen=True)
class Failure:
    """Why a job was not done.

    Attributes:
        kind: The name of the exception.
        message: What it said, in a line.
        may_pass: Whether it may go well another time: the network, the memory, a process that died.
        ends_all: Whether all that follow would fail alike, as on a full disk.
    """

    kind: str
    message: str
    may_pass: bool = False
    ends_all: bool = False

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """What an exception means.

        Example:
            >>> Failure.of(ConnectionResetError("reset")).may_pass, Failure.of(ValueError("no picture")).may_pass
            (True, False)
        """
        chain = list(_chain(error))
        return cls(
            kind=type(error).__name__,
            message=_one_line(error),
            may_pass=any(map(_may_pass, chain)),
            ends_all=any(isinstance(one, OSError) and one.errno in _FULL for one in chain),
        )


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, MemoryError | DeviceMemoryError | ConnectionError | TimeoutError):
        return True
    # Decoders raise OSErrors without a number for damaged files, which stay damaged.
    return isinstance(error, OSError) and error.errno is not None and error.errno not in _LASTING


@dataclass(frozen=True)
class Outcome(Generic[Job, Result]):
    """What became of a job.

    Attributes:
        job: The job.
        result: What was made of it; None if it failed.
        failure: Why it failed; None if it did not.
        attempts: How often it was tried.
        seconds: How long the last attempt took.
    """

    job: Job
    result: Result | None
    failure: Failure | None
    attempts: int
    seconds: float


@dataclass(frozen=True)
class Attempt(Generic[Result]):
    """One try at a job, as it comes back from a worker."""

    result: Result | None
    failure: Failure | None
    seconds: float
