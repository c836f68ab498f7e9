"""Jobs in, outcomes out, on processes of this machine; a cluster (``ray_pool``) looks the same from outside.

The one idea: a job is a value, and so is its failure. A job that cannot be done, or that takes its process down
with it, is an outcome like any other and never stops the rest. Nothing here knows what the jobs are about: whatever
can be pickled can be one, and any function of a module can do it.

Must not import: photos, networks, Keras or anything heavy.
"""

from __future__ import annotations

import atexit
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, Protocol

from dreamer.workers.outcomes import Attempt, Failure, Job, Outcome, Result
from dreamer.workers.process import Worker, WorkerLostError, attempt

__all__ = ["RETRIES", "Pool", "Processes", "attempt", "awaited", "run"]

RETRIES = 2
"""How often a job is tried again, if nothing else is said."""

_LONGEST_PAUSE = 30.0


class Pool(Protocol):
    """Where jobs are worked on.

    Attributes:
        losses: What a future raises when the process or the machine that worked on a job is gone.
        loss: The failure that it means.
    """

    losses: tuple[type[BaseException], ...]
    loss: Failure

    def capacity(self) -> int:
        """How many jobs to have under way, at the least 1; it may change."""

    def submit(self, work: Callable[[Any], Any], job: Any, pause: float) -> Future[Attempt[Any]]:
        """Begin with a job, after a pause in seconds; never more at a time than there is capacity for."""

    def close(self) -> None:
        """Stop at once. What is still under way is dropped."""


def run(
    jobs: Iterable[Job],
    work: Callable[[Job], Result],
    pool: Pool,
    *,
    retries: int = RETRIES,
    stop: Callable[[], bool] = lambda: False,
    pause: float = 1.0,
) -> Iterator[Outcome[Job, Result]]:
    """Do jobs, as many at a time as there are places for, and give their outcomes as they come.

    Args:
        jobs: Values that can be pickled. They are asked for when there is a place for them.
        work: A function of a module. What it raises is the job's failure.
        pool: Where.
        retries: How often a job is tried again whose failure may pass.
        stop: Asked before a job is begun; once it says True, those under way are the last.
        pause: Seconds before the first retry; twice as many before each further one.

    Yields:
        The outcome of every job that was begun, in the order in which they end.
    """
    fresh = ((job, 0) for job in jobs)
    again: deque[tuple[Job, int]] = deque()
    under_way: dict[Future[Attempt[Result]], tuple[Job, int]] = {}
    ended = False
    while True:
        while not ended and not stop() and len(under_way) < pool.capacity():
            entry = again.popleft() if again else next(fresh, None)
            if entry is None:
                break
            job, attempts = entry
            wanted = min(pause * 2 ** (attempts - 1), _LONGEST_PAUSE) if attempts else 0.0
            under_way[pool.submit(work, job, wanted)] = (job, attempts + 1)
        if not under_way:
            return
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            job, attempts = under_way.pop(future)
            tried = awaited(future, pool)
            failure = tried.failure
            if failure and failure.may_pass and attempts <= retries and not ended and not stop():
                again.append((job, attempts))
                continue
            ended = ended or (failure is not None and failure.ends_all)
            yield Outcome(job, tried.result, failure, attempts, tried.seconds)


def awaited(future: Future[Attempt[Result]], pool: Pool) -> Attempt[Result]:
    """What came of a job, once it has ended, in whatever way."""
    error = future.exception()
    if error is None:
        return future.result()
    return Attempt(None, pool.loss if isinstance(error, pool.losses) else Failure.of(error), 0.0)


class Processes:
    """A pool of processes of this machine, each begun when it is first needed, anew if it dies.

    A process that dies takes nobody else's job with it. They die with this process, however that ends, and leave
    Ctrl-C to it.

    Args:
        environments: What to add to the environment of each process before it imports anything.
        limit: Seconds that a job has until it says otherwise by ``workers.allow``; then it is ended and has failed.
            None for as long as it takes.

    Example:
        >>> pool = Processes([{"OMP_NUM_THREADS": "1"}])
        >>> [outcome.result for outcome in run([-3, 4], abs, pool)]
        [3, 4]
        >>> pool.close()
    """

    losses: tuple[type[BaseException], ...] = (WorkerLostError,)
    loss = Failure("WorkerDied", "the process that worked on it died, as happens when memory runs out", may_pass=True)

    def __init__(self, environments: Sequence[Mapping[str, str]], *, limit: float | None = None) -> None:
        # Closing our end of it, which the system does if we are killed, ends all that hold the other.
        self._their_end, self._our_end = multiprocessing.get_context("spawn").Pipe(duplex=False)
        self._workers = [Worker(environment, self._their_end, limit) for environment in environments]
        atexit.register(self.close)  # Before Python waits for processes that have not been told to end.

    def capacity(self) -> int:
        """One job for each process."""
        return len(self._workers)

    def submit(self, work: Callable[[Any], Any], job: Any, pause: float) -> Future[Attempt[Any]]:
        """Give a job to a process that is idle."""
        return next(worker for worker in self._workers if worker.is_idle).submit(work, job, pause)

    def close(self) -> None:
        """End all processes, whatever they do."""
        atexit.unregister(self.close)
        self._our_end.close()
        for worker in self._workers:
            worker.close()
        self._their_end.close()
