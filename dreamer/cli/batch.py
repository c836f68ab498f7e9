"""``dreamer batch INPUT_DIR OUTPUT_DIR``: dreams a folder of photos."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer import presets
from dreamer.cli.commands import Command, check_settings
from dreamer.cli.completing import complete_preset
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.interrupts import ignore_interrupts
from dreamer.cli.options import (
    EXIT_INTERRUPTED,
    backend_option,
    damaged_option,
    debug_option,
    dream_options,
    given_options,
    max_pixels_option,
    objective_option,
    trust_option,
)
from dreamer.cli.outputs import print_line, print_path
from dreamer.cli.pools import place_of, pool_options
from dreamer.cli.progress import WorkProgress, say, work_progress
from dreamer.errors import SettingsError
from dreamer.settings import DreamSettings

if TYPE_CHECKING:
    from dreamer.batch.pools import Pool
    from dreamer.batch.records import Verdict
    from dreamer.batch.report import Finished, Report, Tally

EXIT_SOME_FAILED = 1
_SECONDS_BETWEEN_LINES = 10.0


@click.command(cls=Command)
@click.argument("input_dir")
@click.argument("output_dir")
@click.option(
    "--preset", "names", multiple=True, metavar="NAME|FILE", shell_complete=complete_preset,
    help="A look, of `dreamer presets list`; other options change it. Repeatable: each gets a folder of its name.",
)  # fmt: skip
@trust_option
@click.option("--glob", metavar="PATTERN", help="Which files are photos, as in '**/*.jpg'.  [default: all pictures]")
@click.option("--resume", is_flag=True, help="Insist that OUTPUT_DIR was begun before; it is gone on with anyway.")
@click.option("--overwrite", is_flag=True, help="Do everything again, and replace files that are in the way.")
@click.option("--dry-run", is_flag=True, help="Only list what would be done, and why.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a line of JSON per photo."
)
@pool_options("Photos at a time.  [default: one per GPU, or one per core as far as memory goes]")
@objective_option
@dream_options
@backend_option
@fetch_options
@max_pixels_option
@damaged_option
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@debug_option
@click.pass_context
def batch(
    ctx: click.Context,
    /,
    input_dir: str,
    output_dir: str,
    names: tuple[str, ...],
    trust: bool,
    glob: str | None,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    report: Path | None,
    max_pixels: int,
    damaged_ok: bool,
    offline: bool | None,
    mirror: str | None,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Dream all photos in INPUT_DIR into OUTPUT_DIR, a tree of the same shape.

    Either may be a URL such as s3://BUCKET/FOLDER. Run it again to go on: what is done is skipped, what changed is
    done again. The first Ctrl-C lets the photos under way finish, the second drops them. The exit status is 1 if
    some photos failed.

    \b
    dreamer batch photos dreams --preset fur-and-eyes
    dreamer batch photos dreams --preset fur-and-eyes --preset mine.toml --max-size 2048 --report report.jsonl
    dreamer batch s3://bucket/photos s3://bucket/dreams --executor ray --address 10.0.0.1:6379
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    place = place_of(chosen)
    looks, digests = _looks(names, given_options(chosen), trust=trust)

    from dreamer.batch import running
    from dreamer.batch.folders import folder
    from dreamer.batch.jobs import candidates
    from dreamer.batch.records import judge_all
    from dreamer.batch.report import Report
    from dreamer.models import registry

    specs = {registry.spec(settings.model, settings.preprocessing) for settings in looks.values()}
    outputs = folder(output_dir)
    found = candidates(
        folder(input_dir), outputs, looks, digests=digests, glob=glob, max_pixels=max_pixels, damaged_ok=damaged_ok
    )
    if resume:
        running.check_begun(found)
    if dry_run:
        _list(judge_all(found, overwrite=overwrite))
        return
    with outputs.hold(), Report(report) as written:
        verdicts = judge_all(found, overwrite=overwrite)
        if any(verdict.action == "dream" for verdict in verdicts):
            for spec in specs:
                ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)
        tally, was_asked = _run(verdicts, place.pool(), written, retries=place.retries, quiet=quiet)
        written.add(tally)
    if not quiet:
        say(f"{tally} in {tally.seconds:.0f} s, {tally.per_minute:.3g} photos a minute")
        print_path(outputs.show())
    if tally.left:
        why = "Interrupted" if was_asked else "Stopped, since no other photo could be written either"
        say(f"{why}: {tally.left} photos are left. The same command again goes on with them")
    if was_asked:
        ctx.exit(EXIT_INTERRUPTED)
    if tally.counts["failed"]:
        ctx.exit(EXIT_SOME_FAILED)


def _looks(
    names: Sequence[str], chosen: dict[str, Any], *, trust: bool
) -> tuple[dict[str, DreamSettings], dict[str, str]]:
    """Settings by the name of their preset, "" where there is none; and the digests of the presets."""
    found = [presets.find(name, trust=trust) for name in dict.fromkeys(names)]
    if not names:
        looks = {"": DreamSettings.of(**chosen)}
    else:
        looks = {preset.name: preset.settings(**chosen) for preset in found}
        if len(looks) < len(found):
            raise SettingsError("two of the presets have the same name, which their folders would have; rename one")
    for settings in looks.values():
        check_settings(settings, chosen)
    if any(settings.frames > 1 for settings in looks.values()):
        raise SettingsError("photos of a folder become single pictures, no zooms; give --frames 1")
    return looks, {preset.name: preset.sha256 for preset in found}


def _list(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        line = f"{verdict.action:<5}  {verdict.job.source} -> {verdict.job.target}: {verdict.reason}"
        print_line(line)
    counts = Counter(verdict.action for verdict in verdicts)
    say(f"{counts['dream']} to dream, {counts['skip']} to skip, {counts['fail']} that cannot be done")


def _run(verdicts: Sequence[Verdict], pool: Pool, report: Report, *, retries: int, quiet: bool) -> tuple[Tally, bool]:
    """Carry out a plan, telling how it goes; says whether it was interrupted."""
    from dreamer.batch.report import Tally
    from dreamer.batch.running import carry_out

    tally = Tally(len(verdicts), sum(verdict.action == "dream" for verdict in verdicts))
    with work_progress(quiet=quiet, opening="Looking at the photos") as progress, _interrupts(progress) as interrupts:
        lines = _Pace()
        try:
            for one in carry_out(verdicts, pool, retries=retries, stop=lambda: interrupts.was_asked):
                tally.add(one)
                report.add(one)
                _show(one, tally, progress, lines)
        except KeyboardInterrupt:
            ignore_interrupts()
        finally:
            pool.close()
    return tally, interrupts.was_asked


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


class _Interrupts:
    """Ctrl-C: the first asks to stop, the second stops.

    Attributes:
        was_asked: Whether there was a first.
    """

    was_asked = False

    def __init__(self, progress: WorkProgress) -> None:
        self._progress = progress

    def came(self, *_: object) -> None:
        """Take a Ctrl-C."""
        if self.was_asked:
            raise KeyboardInterrupt
        self.was_asked = True
        # In the middle of another line this cannot be printed, and is not worth an error.
        with suppress(RuntimeError):
            self._progress.say("Stopping once the photos under way are finished; Ctrl-C again drops them")


@contextmanager
def _interrupts(progress: WorkProgress) -> Iterator[_Interrupts]:
    interrupts = _Interrupts(progress)
    handler = signal.signal(signal.SIGINT, interrupts.came)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, handler)
