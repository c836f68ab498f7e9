"""How running work shows itself: a bar on a terminal, plain lines elsewhere, or nothing.

The one idea: whatever is said on standard error goes through :func:`say` or a bar, and both make it harmless: names
out of files and recipes may hold what a terminal obeys.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from types import TracebackType
from typing import Protocol

import click

from dreamer.backends import BACKENDS
from dreamer.errors import BackendError
from dreamer.progress import Bar
from dreamer.wording import one_line


class WorkProgress(Protocol):
    """Shown from before the network loads until the work is done."""

    def __enter__(self) -> WorkProgress: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def show(self, text: str, progress: float, milestone: str | None = None) -> None:
        """Show a finished step.

        Args:
            text: Where the work is, in a few words.
            progress: Share of it that is done, in (0, 1].
            milestone: What to say in a line of its own, if there is something, where there is no bar.
        """

    def say(self, line: str) -> None:
        """Print a line that is to stay, above the bar if there is one."""


def work_progress(*, quiet: bool, opening: str = "Loading the network") -> WorkProgress:
    """The progress display that fits where standard error goes.

    Args:
        quiet: Show nothing.
        opening: What to show before the first step.
    """
    if quiet:
        return _Silent()
    return _Bar(opening) if on_terminal() else _Lines(opening)


def on_terminal() -> bool:
    """Whether somebody watches standard error."""
    return sys.stderr is not None and sys.stderr.isatty()


def say(line: str) -> None:
    """Print a line to standard error; if nobody listens there any more, the work goes on."""
    with suppress(OSError):
        click.echo(one_line(line), err=True)


def note(text: str) -> None:
    """Say what a person should know, but need not act on."""
    say(f"Note: {text}")


def silent(_text: str) -> None:
    """Say nothing."""


@contextmanager
def quiet_import() -> Iterator[None]:
    """Import TensorFlow without its announcements.

    It writes to the descriptor of standard error, below Python and before its own log level counts.

    Raises:
        BackendError: What Keras is told to run on is not installed, or not supported.
    """
    wanted = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    if wanted not in BACKENDS:
        raise BackendError(
            f"KERAS_BACKEND is {wanted!r}; expected one of {', '.join(BACKENDS)}. Change it, or give --backend"
        )
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        terminal = os.dup(2)
    except OSError:  # Standard error is closed; there is nothing to mute.
        terminal = None
    try:
        if terminal is not None:
            os.dup2(nowhere, 2)
        yield
    except ModuleNotFoundError as error:
        if error.name not in BACKENDS:
            raise
        raise BackendError(
            f"the backend {error.name!r} is not installed. "
            f"Install it with: python -m pip install 'deepdreamer[{error.name}]'"
        ) from error
    finally:
        if terminal is not None:
            os.dup2(terminal, 2)
            os.close(terminal)
        os.close(nowhere)


def import_keras() -> None:
    """Import Keras and what it runs on, quietly; what follows can be interrupted again."""
    with quiet_import():
        import_module("keras")
        # Whichever backend it runs on, Keras loads TensorFlow when it first copies a layer, and loudly.
        if find_spec("tensorflow"):
            import_module("tensorflow")


class _Silent:
    def __enter__(self) -> _Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, _text: str, _progress: float, _milestone: str | None = None) -> None:
        return None

    def say(self, line: str) -> None:
        say(line)


class _Lines:
    """One line for each milestone."""

    def __init__(self, opening: str) -> None:
        self._opening = opening

    def __enter__(self) -> _Lines:
        self._first: tuple[float, float] | None = None
        say(f"{self._opening} ...")
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, _text: str, progress: float, milestone: str | None = None) -> None:
        now = time.monotonic()
        # The first step compiles as well, so the pace is measured from its end.
        self._first = self._first or (now, progress)
        if milestone is None:
            return
        since, done = self._first
        spent = now - since
        left = spent * (1 - progress) / max(progress - done, 1e-9)
        pace = f", {spent:.0f} s, about {left:.0f} s left" if spent else ""
        say(f"{milestone}{pace}")

    def say(self, line: str) -> None:
        say(line)


class _Bar:
    """The bar of the library, on standard error."""

    def __init__(self, opening: str) -> None:
        self._opening = opening

    def __enter__(self) -> _Bar:
        from rich.console import Console

        # A descriptor of its own: while TensorFlow loads, the usual one is muted.
        self._terminal = os.fdopen(
            os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding, errors=sys.stderr.errors
        )
        console = Console(file=self._terminal, markup=False, emoji=False, highlight=False)
        self._bar = Bar(self._opening, console).__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)
        self._terminal.close()

    def show(self, text: str, progress: float, _milestone: str | None = None) -> None:
        self._bar.show(text, progress)

    def say(self, line: str) -> None:
        self._bar.say(line)
