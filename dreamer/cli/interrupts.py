"""Ctrl-C: the first stops the work, and what there is by then is kept."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupt_once() -> Iterator[None]:
    """Let the first Ctrl-C interrupt; a second, nervous one must not throw away what the first asked to keep."""

    def interrupt(*_: object) -> None:
        ignore_interrupts()
        raise KeyboardInterrupt

    handler = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def ignore_interrupts() -> None:
    """Finish what is being written, whatever happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
