"""Where the work of ``batch`` and ``atlas`` is done: the options that say so, and the pool that they mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dreamer.cli.mistyping import NumberRange, WholeRange

if TYPE_CHECKING:
    from dreamer.workers.pools import Pool

Command = TypeVar("Command", bound=Callable[..., Any])


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

    executor: str
    workers: int | None
    address: str | None
    gpus_per_task: float | None
    retries: int
    timeout: float | None = None

    @property
    def is_named(self) -> bool:
        """Whether anything was said that only processes of their own can do."""
        return self.executor != "local" or self.workers is not None or self.timeout is not None

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


def _seconds(_ctx: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter("expected a number of seconds")
    return value


def pool_options(workers: str) -> Callable[[Command], Command]:
    """Add the options that say where work is done; :func:`place_of` reads them.

    Args:
        workers: Help for ``--workers``.
    """
    options = (
        click.option("--workers", type=WholeRange(min=1), metavar="N", help=workers),
        click.option(
            "--retries", type=WholeRange(min=0), default=2, show_default=True, metavar="N",
            help="How often a job is tried again after what may pass: network, memory, a process that died.",
        ),
        click.option(
            "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", callback=_seconds,
            help="End a job that takes longer, once the network is there, and go on.  [default: hours, by its size]",
        ),
        click.option(
            "--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True,
            help="Where the work is done: by processes of this machine, or on a Ray cluster.",
        ),
        click.option(
            "--address", metavar="HOST:PORT", help="Of the Ray cluster.  [env: RAY_ADDRESS; default: one made here]"
        ),
        click.option(
            "--gpus-per-task", type=NumberRange(min=0), metavar="N",
            help="GPUs, or the share of one, of a task on Ray.",
        ),
    )  # fmt: skip

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def place_of(chosen: dict[str, Any]) -> Place:
    """Take the options of :func:`pool_options` out of what was chosen.

    Raises:
        click.UsageError: Some are for Ray, which is not asked for.
    """
    place = Place(**{field.name: chosen.pop(field.name) for field in fields(Place)})
    if place.executor == "local" and (place.address is not None or place.gpus_per_task is not None):
        raise click.UsageError("--address and --gpus-per-task are for --executor ray")
    return place
