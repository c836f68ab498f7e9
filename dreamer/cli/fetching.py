"""Fetching weights where a command needs them, and how that shows: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from dreamer.cli.help_page import NETWORK, option
from dreamer.cli.progress import import_keras, on_terminal, say
from dreamer.models import fetching
from dreamer.models.fetching import Described, FetchReport, megabytes

if TYPE_CHECKING:
    from rich.progress import Progress

Command = TypeVar("Command", bound=Callable[..., Any])

_LINE_EACH = 10  # Per cent between the lines that tell how much has arrived.


def fetch_options(command: Command) -> Command:
    """Add what a person may say about fetching weights: ``--offline`` and ``--mirror``."""
    text = "Fetch missing weights from this folder instead.  [env: DREAMER_MIRROR]"
    command = option(NETWORK, "--mirror", metavar="URL", help=text)(command)
    text = "Fetch nothing from the Internet.  [env: DREAMER_OFFLINE]"
    return option(NETWORK, "--offline", is_flag=True, default=None, help=text)(command)


def ensure_weights(spec: Described, *, offline: bool | None, mirror: str | None, quiet: bool = False) -> bool:
    """Fetch the weights of a network or a prior if they are not there, and tell; says whether they were fetched."""
    with told(quiet=quiet) as report:
        return fetching.ensure(spec, offline=offline, mirror=mirror, report=report)


@contextmanager
def told(*, quiet: bool) -> Iterator[FetchReport]:
    """A report to a person, or none, whose bar is put away at the end."""
    report = _Quiet() if quiet else _Shown()
    try:
        yield report
    finally:
        report.close()


class _Quiet(FetchReport):
    """Tells nothing, and keeps TensorFlow from telling anything."""

    def converting(self) -> None:
        self.close()
        import_keras()

    def close(self) -> None:
        return None


class _Shown(_Quiet):
    """Lines, and between them a bar on a terminal, or now and then how much has arrived."""

    _bar: Progress | None = None
    _percent = 0

    def say(self, line: str) -> None:
        self.close()
        say(line)

    def received(self, done: int, total: int | None) -> None:
        if on_terminal():
            self._bar = self._bar or _new_bar()
            self._bar.update(self._bar.task_ids[0], completed=done, total=total)
        elif total:
            percent = 100 * done // total
            # Less than before: it is tried once more.
            if percent - self._percent >= _LINE_EACH or percent < self._percent:
                self._percent = percent
                say(f"{megabytes(done)} of {megabytes(total)}")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _new_bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    bar = Progress(
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task("", total=None)
    bar.start()
    return bar
