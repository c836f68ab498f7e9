"""Options that say where the work of ``batch`` and ``atlas`` is done."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from dreamer.cli.help_page import MACHINE, option
from dreamer.cli.mistyping import NumberRange, WholeRange
from dreamer.workers.places import Place

Command = TypeVar("Command", bound=Callable[..., Any])


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
        option(MACHINE, "--workers", type=WholeRange(min=1), metavar="N", help=workers),
        option(
            MACHINE, "--retries", type=WholeRange(min=0), default=2, show_default=True, metavar="N",
            help="How often a job is tried again after what may pass: network, memory, a process that died.",
        ),
        option(
            MACHINE, "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", callback=_seconds,
            help="End a job that takes longer, once the network is there, and go on.  [default: hours, by its size]",
        ),
        option(
            MACHINE, "--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True,
            help="Where the work is done: by processes of this machine, or on a Ray cluster.",
        ),
        option(
            MACHINE, "--address", metavar="HOST:PORT",
            help="The Ray cluster to use.  [env: RAY_ADDRESS; default: one made here]"
        ),
        option(
            MACHINE, "--gpus-per-task", type=NumberRange(min=0), metavar="N",
            help="How many GPUs, or which share of one, a task on Ray takes.",
        ),
    )  # fmt: skip

    def decorate(command: Command) -> Command:
        for add in reversed(options):
            command = add(command)
        return command

    return decorate


def place_of(chosen: dict[str, Any]) -> Place:
    """Take the options of :func:`pool_options` out of what was chosen.

    Raises:
        SettingsError: Some are for Ray, which is not asked for.
    """
    return Place(**{field.name: chosen.pop(field.name) for field in fields(Place)})
