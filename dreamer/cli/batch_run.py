"""How ``dreamer batch`` carries out a plan: what it shows meanwhile, and how it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dreamer.cli.interrupts import answered, ignore_interrupts
from dreamer.cli.progress import WorkProgress, work_progress

if TYPE_CHECKING:
    from dreamer.batching.records import Verdict
    from dreamer.batching.report import Finished, Tally
    from dreamer.batching.report_file import ReportFile
    from dreamer.workers.pools import Pool

_SECONDS_BETWEEN_LINES = 10.0


def run(
    verdicts: Sequence[Verdict],
    pool: Pool,
    report: ReportFile,
    *,
    left_out: Mapping[str, int],
    retries: int,
    quiet: bool,
    on_result: Callable[[Finished], None],
) -> tuple[Tally, bool]:
    """Carry out a plan, telling how it goes; says whether it was interrupted."""
    from dreamer.batching.report import Tally
    from dreamer.batching.running import carry_out

    tally = Tally.of(verdicts, left_out)
    with work_progress(quiet=quiet, opening="Looking at the files") as progress, _stopping(progress) as stopping:
        pace = _Pace()
        try:
            for one in carry_out(verdicts, pool, retries=retries, stop=lambda: stopping.was_asked):
                tally.add(one)
                report.add(one)
                on_result(one)
                _show(one, tally, progress, pace)
        except KeyboardInterrupt:
            ignore_interrupts()
        finally:
            pool.close()
    return tally, stopping.was_asked


def _show(one: Finished, tally: Tally, progress: WorkProgress, pace: _Pace) -> None:
    if one.failure is not None:
        progress.say(f"Failed: {one.failure.message}")
    for remark in one.notes:
        progress.say(f"Note: {one.job.source}: {remark}")
    if one.attempts:
        text = f"{tally}, {tally.per_minute:.3g} a minute"
        progress.show(text, tally.progress, text if pace.is_due() else None)


class _Pace:
    """When to say something in a line of its own."""

    _last = 0.0

    def is_due(self) -> bool:
        now = time.monotonic()
        due = now - self._last >= _SECONDS_BETWEEN_LINES
        self._last = now if due else self._last
        return due


class _Stopping:
    """Interrupts: the first asks to stop, the second stops.

    Attributes:
        was_asked: Whether there was a first.
    """

    was_asked = False

    def __init__(self, progress: WorkProgress) -> None:
        self._progress = progress

    def answer(self) -> None:
        """Take an interrupt."""
        if self.was_asked:
            raise KeyboardInterrupt
        self.was_asked = True
        # In the middle of another line this cannot be printed, and is not worth an error.
        with suppress(RuntimeError):
            self._progress.say("Stopping once the files under way are finished; Ctrl-C again drops them")


@contextmanager
def _stopping(progress: WorkProgress) -> Iterator[_Stopping]:
    stopping = _Stopping(progress)
    with answered(stopping.answer):
        yield stopping
