"""A pool whose jobs run on a Ray cluster, which schedules them and looks after its machines.

The one idea: Ray does what Ray does. It places the jobs by the cores and GPUs they ask for, and begins a job again
on another machine if the one it was on is lost. Here jobs are handed over, some more than there are places for,
so that no machine waits, and not all at once, so that a million photos are no queue of a million. What Ray cannot do
is to end a job that takes too long and say so; so each of its processes has a pool of one process of its own, which
does the jobs and can be ended.

Must not import: photos, networks; Ray only when a pool is made.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import cache
from typing import Any

from dreamer.errors import ClusterError, MissingExtraError
from dreamer.workers.outcomes import Attempt, Failure
from dreamer.workers.pools import RETRIES, Processes, awaited

_JOBS_PER_PLACE = 2
_SECONDS_TO_ANSWER = 10.0
_HANDED_ON = ("KERAS_BACKEND", "DREAMER_OFFLINE", "DREAMER_MIRROR")


class RayPool:
    """Jobs on a Ray cluster, each on one core.

    Args:
        address: Of the cluster, as ``HOST:PORT`` or ``ray://HOST:PORT``; None for the one that ``RAY_ADDRESS`` names,
            or else one of this machine, for this run.
        environment: What to add to the environment of each process before it imports anything.
        gpus_per_task: GPUs, or the share of one, that a job needs.
        retries: How often a job is begun again because its machine is gone.
        most: How many jobs to have under way; None for as many as the cluster has places for.
        limit: Seconds that a job has until it says otherwise, as for ``pools.Processes``.

    Raises:
        MissingExtraError: Ray is not installed.
    """

    # Ray has tried again by then.
    loss = Failure("WorkerDied", "the processes or machines that worked on it were lost, again and again")

    def __init__(
        self,
        address: str | None,
        environment: Mapping[str, str],
        *,
        gpus_per_task: float = 0.0,
        retries: int = RETRIES,
        most: int | None = None,
        limit: float | None = None,
    ) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "--executor ray needs Ray, which is not installed. "
                "Install it with: python -m pip install 'deepdreamer[ray]'"
            ) from error
        self._ray = ray
        self._address = address
        self._gpus_per_task = gpus_per_task
        self._retries = retries
        self._most = most
        self._limit = limit
        handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        self._environment = {**environment, **handed_on}
        self._references: set[Any] = set()
        self._task: Any = None
        self.losses: tuple[type[BaseException], ...] = (ray.exceptions.RayError,)

    def _connected(self) -> Any:
        """What Ray runs. The cluster is only bothered once there is something to do."""
        if self._task is not None:
            return self._task
        _reach(self._address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            self._ray.init(address=self._address, log_to_driver=False, logging_level="error")
        except ConnectionError as error:
            raise ClusterError(f"there is no Ray cluster at {self._address}: {error}") from error
        self._task = self._ray.remote(num_cpus=1, num_gpus=self._gpus_per_task, max_retries=self._retries)(_attempt)
        return self._task

    def capacity(self) -> int:
        """Somewhat more jobs than there are places in the cluster now."""
        if self._most is not None:
            return self._most
        self._connected()
        has = self._ray.cluster_resources()
        places = has.get("CPU", 0.0)
        if self._gpus_per_task:
            places = min(places, has.get("GPU", 0.0) / self._gpus_per_task)
        return max(1, _JOBS_PER_PLACE * int(places))

    def submit(self, work: Callable[[Any], Any], job: Any, pause: float) -> Future[Attempt[Any]]:
        """Hand a job over to the cluster."""
        reference = self._connected().remote(self._environment, self._limit, work, job, pause)
        future: Future[Attempt[Any]] = reference.future()
        self._references.add(reference)
        future.add_done_callback(lambda _: self._references.discard(reference))
        return future

    def close(self) -> None:
        """Leave the cluster; what is still under way is cancelled."""
        if self._task is None:
            return
        for reference in list(self._references):
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()
        self._task = None


def _reach(address: str | None) -> None:
    """Find out in seconds that nobody listens at an address, over which Ray takes many minutes.

    Raises:
        ClusterError: Nobody does.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise ClusterError(
            f"there is no Ray cluster at {address}: {error.strerror or error}. Start one there with: ray start --head"
        ) from error


def _attempt(
    environment: Mapping[str, str], limit: float | None, work: Callable[[Any], Any], job: Any, pause: float
) -> Attempt[Any]:
    """What Ray runs: the job is done by a process that can be ended, and kept for the next."""
    pool = _own_pool(tuple(sorted(environment.items())), limit)
    return awaited(pool.submit(work, job, pause), pool)


@cache
def _own_pool(environment: tuple[tuple[str, str], ...], limit: float | None) -> Processes:
    return Processes([dict(environment)], limit=limit)
