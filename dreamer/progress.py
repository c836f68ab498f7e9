"""Progress of a call: a bar for who watches, nothing for a script.

Must not import Keras or anything heavy before a bar is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown(progress: bool | None, what: str) -> Iterator[Callable[[float], None]]:
    """A bar while something is made.

    Args:
        progress: Whether to show it; None for only in a notebook.
        what: What stands before the bar, in a word.

    Yields:
        What is to be told the share that is done, in [0, 1].
    """
    if not (in_notebook() if progress is None else progress):
        yield lambda _share: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=100, desc=what, unit="%", bar_format="{l_bar}{bar}| {elapsed}<{remaining}") as bar:
        yield lambda share: _move(bar, share)


def _move(bar: object, share: float) -> None:
    bar.update(round(100 * share, 1) - bar.n)  # type: ignore[attr-defined]


def in_notebook() -> bool:
    """Whether this is a notebook, which shows what a cell gives and a bar while it runs."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return type(shell).__name__ == "ZMQInteractiveShell"
