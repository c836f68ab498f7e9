"""Places where jobs are done: this machine, or a Ray cluster.

Must not import what the jobs are about, nor anything heavy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dreamer.errors import SettingsError
from dreamer.wording import shown

if TYPE_CHECKING:
    from dreamer.workers.pools import Pool

EXECUTORS = ("local", "ray")
"""What may do the jobs: processes of this machine, or a Ray cluster."""


@dataclass(frozen=True)
class Place:
    """Where work is done.

    Attributes:
        executor: ``"local"`` or ``"ray"``.
        workers: How many at a time; None for as many as fit.
        address: Of a Ray cluster.
        gpus_per_task: What a task takes there.
        retries: How often a job is tried again.
        timeout: Seconds that a job may take; None for what goes with its size.
    """

    executor: str = "local"
    workers: int | None = None
    address: str | None = None
    gpus_per_task: float | None = None
    retries: int = 2
    timeout: float | None = None

    @property
    def is_named(self) -> bool:
        """Whether anything was said that only processes of their own can do."""
        return self.executor != "local" or self.workers is not None or self.timeout is not None

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise SettingsError(f"executor is {shown(self.executor)}; expected one of {', '.join(EXECUTORS)}")
        if self.executor == "local" and (self.address is not None or self.gpus_per_task is not None):
            raise SettingsError("address and gpus_per_task are for the executor ray")

    def pool(self) -> Pool:
        """The pool: processes of this machine, or a Ray cluster.

        Raises:
            MissingExtraError: Ray is not installed.
        """
        from dreamer.workers import limits, pools, resources

        if self.executor == "local":
            return pools.Processes(resources.environments(self.workers), limit=limits.START_UP)
        from dreamer.workers.ray import RayPool

        return RayPool(
            self.address,
            resources.ONE_THREAD,
            gpus_per_task=self.gpus_per_task or 0.0,
            retries=self.retries,
            most=self.workers,
            limit=limits.START_UP,
        )

    @contextmanager
    def settling(self, pool: Pool) -> Iterator[Pool]:
        """A pool of this machine, to settle what jobs leave to the machine: the given one, if it is of this machine."""
        from dreamer.workers import limits, pools, resources

        if self.executor == "local":
            yield pool
            return
        with closing(pools.Processes([resources.ONE_THREAD], limit=limits.START_UP)) as here:
            yield here
