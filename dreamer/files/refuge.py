"""Refuges: where what was computed is kept when it cannot be written where it should be.

The one idea: an hour of work must not be lost to a full disk. Whatever goes wrong, what there is goes to another
folder, and the error says where.

Must not import anything heavy.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dreamer.files import names

Ways = Mapping[str, Callable[[Path], object]]
"""What writes something, by the suffix of its file; "" for a folder."""


@contextmanager
def rescued(stem: str, ways: Ways, *, when: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Keep what was computed, whatever goes wrong in the body; a note of the error says where it is.

    Args:
        stem: What the name of what is kept begins with.
        ways: What writes it, by suffix; the first that works is taken.
        when: Whether there is anything to keep.
    """
    with noted(lambda: keep_elsewhere(stem, ways) if when() else None):
        yield


@contextmanager
def noted(sentence: Callable[[], str | None]) -> Iterator[None]:
    """Add a sentence, if there is one, to whatever goes wrong in the body; the command line says it with the error."""
    try:
        yield
    except Exception as error:
        words = sentence()
        if words is not None:
            error.add_note(words)
        raise


def keep_elsewhere(stem: str, ways: Ways) -> str:
    """Save what was computed from, say, a full disk.

    Args:
        stem: What its name begins with.
        ways: What writes it, by suffix; the first that works is taken.

    Returns:
        A sentence that says where it is, or that even that failed.
    """
    reasons = []
    for folder in (tempfile.gettempdir, Path.cwd, Path.home):
        for suffix, write in ways.items():
            try:
                refuge = Path(folder()) / names.joined(stem, f"-{secrets.token_hex(4)}{suffix}")
                write(refuge)
            except Exception as error:  # noqa: BLE001  What went wrong first must not be hidden by this.
                reasons.append(" ".join(str(error).split()))
            else:
                return f"What was computed is kept as {refuge}"
    return f"What was computed is lost: {reasons[0]}"
