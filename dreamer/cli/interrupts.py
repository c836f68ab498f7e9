"""Interrupts: Ctrl-C (SIGINT), SIGTERM and SIGHUP, which all ask to stop and to keep what there is.

The one idea: a command listens from its beginning to its end. The first interrupt raises ``KeyboardInterrupt`` where
the work is; later ones, as those that come while results are written, are only noted, so that a nervous second one
throws nothing away. Once one came, the exit status is 128 and its number, as shells expect.

Must not import anything of the package.
"""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Step = TypeVar("Step")

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

_IMPORTING = "<frozen importlib._bootstrap>"
_AFTER_IMPORT = 0.05  # Seconds until an interrupt that came in the middle of an import is tried again.

_noted: list[int] = []


def came() -> bool:
    """Whether there was an interrupt."""
    return bool(_noted)


def exit_status() -> int:
    """What shells expect of a program that was interrupted: 128 and the number of the first signal."""
    return 128 + (_noted[0] if _noted else signal.SIGINT)


@contextmanager
def listening() -> Iterator[None]:
    """A command from its beginning to its end: the first interrupt raises; at the end it is forgotten."""
    try:
        with interrupt_once():
            yield
    finally:
        _noted.clear()


def take_waiting() -> None:
    """Take those that came before there was anybody to answer; ``dreamer.__main__`` keeps them waiting.

    Raises:
        KeyboardInterrupt: One did.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    if came():
        raise KeyboardInterrupt


@contextmanager
def answered(answer: Callable[[], None]) -> Iterator[None]:
    """Let every interrupt call a function in the stead of what it did before.

    Args:
        answer: May raise ``KeyboardInterrupt``. Not called in the middle of an import, but right after it.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    _listen(answer)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupt_once() -> Iterator[None]:
    """Let the first interrupt raise ``KeyboardInterrupt``; further ones are noted."""

    def interrupt() -> None:
        ignore_interrupts()
        raise KeyboardInterrupt

    with answered(interrupt):
        yield


def ignore_interrupts() -> None:
    """Finish what is being written, whatever happens; interrupts are only noted, for the exit status."""
    _listen(lambda: None)


def until_interrupted(steps: Iterable[Step]) -> Iterator[Step]:
    """Steps of work until an interrupt, even if it surfaced where Python drops exceptions, as in a finalizer.

    Raises:
        KeyboardInterrupt: One came.
    """
    for step in steps:
        yield step
        if came():
            raise KeyboardInterrupt


def _listen(answer: Callable[[], None]) -> None:
    usual = _imports(inspect.currentframe())

    def take(number: int, frame: FrameType | None) -> None:
        if _imports(frame) > usual:
            # Raised there it would surface as anything, from an ImportError to half a module.
            threading.Timer(_AFTER_IMPORT, signal.raise_signal, [number]).start()
            return
        _noted.append(number)
        answer()

    for number in SIGNALS:
        # nohup makes deaf for SIGHUP, and that is to last.
        if signal.getsignal(number) != signal.SIG_IGN or number == signal.SIGINT:
            signal.signal(number, take)


def _imports(frame: FrameType | None) -> int:
    """How many calls of a stack belong to imports that are going on."""
    count = 0
    while frame is not None:
        count += frame.f_code.co_filename == _IMPORTING
        frame = frame.f_back
    return count
