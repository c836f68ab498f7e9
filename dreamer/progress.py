"""Progress of a call: a bar on a terminal or in a notebook, or nothing.

The one idea: a library is silent unless asked; in a notebook, where somebody watches every call, it shows itself.

Must not import Keras or anything heavy; rich only where a bar is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol, TypeVar

from dreamer.wording import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


class Bar:
    """A bar that says where the work is, time spent and time left.

    Args:
        opening: What to show before the first step.
        console: Where; None for standard error, or the notebook.
    """

    _progress: Progress

    def __init__(self, opening: str, console: Console | None = None) -> None:
        self._opening = opening
        self._console = console

    def __enter__(self) -> Bar:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=self._console or Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(self._opening, total=None)
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, text: str, progress: float) -> None:
        """Show a finished step.

        Args:
            text: Where the work is, in a few words.
            progress: Share of it that is done, in (0, 1].
        """
        self._progress.update(self._task, description=one_line(text), completed=progress, total=1)

    def say(self, line: str) -> None:
        """Print a line that is to stay, above the bar."""
        self._progress.console.print(one_line(line), soft_wrap=True)


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
    with Bar(what) as bar:
        yield lambda share: bar.show(what, share)


Step = TypeVar("Step", bound="_Step")


def followed(steps: Iterable[Step], progress: bool | None, what: str) -> Iterator[Step]:
    """Steps as they are taken, with a bar that follows them; the arguments are those of :func:`shown`."""
    with shown(progress, what) as show:
        for step in steps:
            show(step.progress)
            yield step


def in_notebook() -> bool:
    """Whether this is a notebook that can show a bar."""
    from rich import get_console

    # Without widgets rich would warn, and show nothing.
    return get_console().is_jupyter and find_spec("ipywidgets") is not None


class _Step(Protocol):
    @property
    def progress(self) -> float: ...
