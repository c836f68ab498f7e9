"""What the commands share that look at photos: their network, their photos, and an interrupt that costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from dreamer.cli.answers import json_option
from dreamer.cli.completing import complete_model
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.help_page import CLIMB, MACHINE, NETWORK, option
from dreamer.cli.interrupts import exit_status, ignore_interrupts
from dreamer.cli.mistyping import Whole
from dreamer.cli.options import backend_option, debug_option, quiet_option
from dreamer.cli.progress import WorkProgress
from dreamer.errors import SettingsError
from dreamer.visualizing.settings import VisualizeSettings

Command = TypeVar("Command", bound=Callable[..., Any])

_MILESTONE = 250  # Photos after which a line stays.


def looking_options(command: Command) -> Command:
    """Add what all of these commands take."""
    seed = "The number that chance begins with.  [default: 0]"
    model = f"The network: one of `dreamer models list`, or a .keras file.  [default: {VisualizeSettings.model}]"
    some: list[Callable[..., Any]] = [
        option(CLIMB, "--seed", type=Whole(), metavar="N", help=seed),
        option(NETWORK, "--model", metavar="NAME|FILE", shell_complete=complete_model, help=model),
        option(NETWORK, "--preprocessing", metavar="NAME", help="How pictures are prepared for a .keras file."),
    ]
    some += [backend_option, fetch_options, json_option, quiet_option, debug_option, click.pass_context]
    for add in reversed(some):
        command = add(command)
    return command


index_option = option(
    MACHINE, "--index", type=click.Path(file_okay=False), metavar="DIR",
    help="Where what the layers find in the photos is kept, so that the next question is quick.  [default: the cache]",
)  # fmt: skip


def ensure_network(model: str, preprocessing: str | None, **fetching: Any) -> None:
    """Say what is wrong with a network's name, and fetch its weights, before anything is loaded."""
    from dreamer.models import registry

    ensure_weights(registry.spec(model, preprocessing), **fetching)


def check_apart(output: Path, photos: str) -> None:
    """Keep what is written out of the folder of the photos, where it would be taken for photos."""
    if output.resolve() == Path(photos).resolve():
        raise SettingsError(f"{output} is the folder of the photos; choose another one for what is written")


def shown_photos(progress: WorkProgress) -> Callable[[int, int], None]:
    """What shows how many photos were looked at."""

    def show(done: int, of: int) -> None:
        text = f"{done} of {of} photos"
        stays = done == of or done // _MILESTONE != (done - 1) // _MILESTONE
        progress.show(text, done / of, f"{text} looked at" if stays else None)

    return show


def shown_share(progress: WorkProgress, what: str) -> Callable[[float], None]:
    """What shows which share of something is done."""
    return lambda share: progress.show(f"{what}: {share:.0%}", share)


@contextmanager
def kept_on_interrupt(ctx: click.Context, tell: Callable[[str], None]) -> Iterator[None]:
    """Around the looking at photos: an interrupt ends it, and says that what was looked at is kept."""
    try:
        yield
        ignore_interrupts()
    except KeyboardInterrupt:
        tell("interrupted; what was looked at is kept, and the same command goes on from there")
        ctx.exit(exit_status())
