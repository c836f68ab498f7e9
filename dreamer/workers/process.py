"""A process that does one job after the other, and can be ended at any moment: both of its ends.

The one idea: a worker shares nothing with this process but a pipe, through which jobs go there and attempts come
back. So it can be killed whatever it does, nothing is left behind, and a new one takes its place. Through the same
pipe it says how much more time it needs.

Must not import: photos, networks, Keras or anything heavy.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from dreamer.workers.outcomes import Attempt, Failure, Job, Result

_DEAF_TO = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What a terminal or a service manager sends to all processes of a run: it is for the one that began it."""

_SECONDS_TO_DIE = 5.0  # More than a killed process takes, unless it waits for a disk that is gone.

_LONGEST_WAIT = 86_400.0  # Seconds; of more than 24 days at once, systems do not know.

_tell: Callable[[float], None] | None = None  # In a worker, how to reach the process that made it.


class WorkerLostError(Exception):
    """The process that worked on a job is gone."""


def attempt(work: Callable[[Job], Result], job: Job, pause: float) -> Attempt[Result]:
    """Try a job, in the worker."""
    time.sleep(pause)
    start = time.monotonic()
    try:
        result = work(job)
    except Exception as error:  # noqa: BLE001  Whatever a job raises is its outcome.
        return Attempt(None, Failure.of(error), time.monotonic() - start)
    return Attempt(result, None, time.monotonic() - start)


def allow(seconds: float) -> None:
    """Say, from within a job, how much time it has from now on; where nobody would end it, this does nothing.

    Args:
        seconds: In place of what is left of what it had.
    """
    if _tell is not None:
        _tell(seconds)


class Worker:
    """A process of this machine, begun when it is first needed, anew if it died or was ended.

    Args:
        environment: What to add to its environment before it imports anything.
        lifeline: It ends once the other end of this is closed, which the system does if we are killed.
        limit: Seconds that a job has until it says otherwise; None for as long as it takes.
    """

    def __init__(self, environment: Mapping[str, str], lifeline: Connection, limit: float | None) -> None:
        self._environment = dict(environment)
        self._lifeline = lifeline
        self._limit = limit
        self._lock = threading.Lock()  # Of what begins and ends the process.
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._is_closed = False
        self._last: Future[Attempt[Any]] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do."""
        return self._last is None or self._last.done()

    def submit(self, work: Callable[[Any], Any], job: Any, pause: float) -> Future[Attempt[Any]]:
        """Begin with a job; it has to be idle."""
        future: Future[Attempt[Any]] = Future()
        self._last = future
        threading.Thread(target=self._do, args=(future, work, job, pause), daemon=True).start()
        return future

    def close(self) -> None:
        """End the process, whatever it does."""
        self._is_closed = True
        self._end()

    def _do(self, future: Future[Attempt[Any]], work: Callable[[Any], Any], job: Any, pause: float) -> None:
        if hasattr(signal, "pthread_sigmask"):  # The process inherits a deaf ear, before it could ask for one.
            signal.pthread_sigmask(signal.SIG_BLOCK, _DEAF_TO)
        try:
            future.set_result(self._attempted(work, job, pause))
        except Exception as error:  # noqa: BLE001  Whoever waits for the future is told.
            future.set_exception(error)

    def _attempted(self, work: Callable[[Any], Any], job: Any, pause: float) -> Attempt[Any]:
        connection = self._begun()
        start = time.monotonic()
        has = math.inf if self._limit is None else pause + self._limit
        until = start + has
        try:
            connection.send((work, job, pause))
            while (left := until - time.monotonic()) > 0:
                if not connection.poll(min(left, _LONGEST_WAIT)):
                    continue
                told = connection.recv()
                if isinstance(told, Attempt):
                    return told
                has, until = told, time.monotonic() + told
        except (EOFError, OSError) as error:
            self._end()
            raise WorkerLostError from error
        self._end()
        words = f"it was ended after {has:.6g} seconds, which is all the time that it had; --timeout gives more"
        return Attempt(None, Failure("TimeLimitError", words), time.monotonic() - start)

    def _begun(self) -> Connection:
        """The pipe to the process, which is begun if there is none, or none any more."""
        with self._lock:
            if self._is_closed:
                raise WorkerLostError
            if self._connection is not None and self._process is not None and self._process.is_alive():
                return self._connection
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            arguments = (theirs, self._lifeline, self._environment)
            self._process = context.Process(target=_serve, args=arguments, daemon=True)
            self._process.start()
            theirs.close()
            return self._connection

    def _end(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.join(_SECONDS_TO_DIE)
            self._process = None


def _serve(connection: Connection, lifeline: Connection, environment: Mapping[str, str]) -> None:
    """What the process does: jobs, until there are none."""
    global _tell
    for number in _DEAF_TO:  # For systems on which it could not be started deaf.
        signal.signal(number, signal.SIG_IGN)
    os.environ.update(environment)
    # What a worker has to say is its outcome; TensorFlow's announcements come from below Python.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    _tell = connection.send
    while True:
        found: Attempt[Any]
        try:
            work, job, pause = connection.recv()
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001  A job that cannot be unpacked here.
            found = Attempt(None, Failure.of(error), 0.0)
        else:
            found = attempt(work, job, pause)
        try:
            connection.send(found)
        except Exception as error:  # noqa: BLE001  A result that cannot be packed.
            connection.send(Attempt(None, Failure.of(error), found.seconds))


def _end_with(lifeline: Connection) -> None:
    lifeline.poll(None)  # Nothing is ever sent: it returns when the other end is closed.
    os._exit(1)
