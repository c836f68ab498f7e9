"""``dreamer batch INPUT_DIR OUTPUT_DIR``: dreams a folder of photos and videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli import batch_run
from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command, check_settings
from dreamer.cli.completing import complete_preset
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.help_page import DREAM, LOOK, RESULT, option
from dreamer.cli.interrupts import exit_status
from dreamer.cli.options import (
    backend_option,
    damaged_option,
    debug_option,
    given_options,
    max_pixels_option,
    no_single_terms,
    objective_option,
    quiet_option,
    regions_option,
    trust_option,
)
from dreamer.cli.outputs import print_line, print_path
from dreamer.cli.pools import place_of, pool_options
from dreamer.cli.progress import say
from dreamer.cli.setting_options import dream_options
from dreamer.errors import SettingsError

if TYPE_CHECKING:
    from dreamer.batching.left_out import LeftOut
    from dreamer.batching.records import Verdict

EXIT_SOME_FAILED = 1


@click.command(cls=Command)
@click.argument("input_dir")
@click.argument("output_dir")
@option(
    LOOK, "--preset", "names", multiple=True, metavar="NAME|FILE[:WEIGHT]", shell_complete=complete_preset,
    help="A look to begin with, which other options change; of several, each gets a folder of its name, or with "
    "weights, as lace:0.6, they are mixed.",
)  # fmt: skip
@regions_option
@trust_option
@option(
    DREAM, "--glob", metavar="PATTERN",
    help="Which files are meant, as in '**/*.jpg'.  [default: all pictures and videos]",
)  # fmt: skip
@option(RESULT, "--resume", is_flag=True, help="Insist that OUTPUT_DIR was begun before; it is gone on with anyway.")
@option(RESULT, "--overwrite", is_flag=True, help="Do everything again, and replace files that are in the way.")
@option(RESULT, "--dry-run", is_flag=True, help="Only list what would be done, and why.")
@option(
    RESULT, "--report", type=click.Path(path_type=Path, dir_okay=False, readable=False), metavar="FILE",
    help="Write a line of JSON per file, to a file, a pipe or /dev/stdout.",
)  # fmt: skip
@pool_options("How many files at a time.  [default: one per GPU, or one per core as far as memory goes]")
@objective_option
@no_single_terms
@dream_options
@backend_option
@fetch_options
@max_pixels_option
@damaged_option
@json_option
@quiet_option
@debug_option
@click.pass_context
def batch(
    ctx: click.Context,
    /,
    input_dir: str,
    output_dir: str,
    names: tuple[str, ...],
    regions: tuple[tuple[str, str], ...],
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
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Dream all photos and videos in INPUT_DIR into OUTPUT_DIR, a tree of the same shape.

    Either may be a URL such as s3://BUCKET/FOLDER. Run it again to go on: what is done is skipped, what changed is
    done again. Files that are neither are told, hidden ones left alone. The first Ctrl-C lets the files under way
    finish, the second drops them; SIGTERM and SIGHUP do the same. The exit status is 1 if some files failed.

    \b
    dreamer batch photos dreams --preset fur-and-eyes
    dreamer batch photos dreams --preset fur-and-eyes --preset mine.toml --max-size 2048 --report report.jsonl
    dreamer batch photos dreams --preset lace:0.6 --preset eyes:0.4
    dreamer batch s3://bucket/photos s3://bucket/dreams --executor ray --address 10.0.0.1:6379
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    place = place_of(chosen)
    given = given_options(chosen)

    from dreamer.batching import left_out as leaving
    from dreamer.batching import running
    from dreamer.batching.calls import looks_of
    from dreamer.batching.folders import folder
    from dreamer.batching.jobs import plan
    from dreamer.batching.records import judge_all
    from dreamer.batching.report_file import ReportFile
    from dreamer.models import registry
    from dreamer.models.fetching import Described
    from dreamer.priors import specs as priors

    looks, digests = looks_of(names, given, at=regions, trust=trust)
    needed: set[Described] = set()
    for settings in looks.values():
        check_settings(settings, given)
        for part in settings.parts:
            needed.add(registry.spec(part.model, part.preprocessing))
            needed.update(priors.needed(priors.check_use(part.prior, dreams=True)))
    outputs = folder(output_dir)
    found, left_out = plan(
        *(folder(input_dir), outputs, looks),
        digests=digests,
        glob=glob,
        max_pixels=max_pixels,
        damaged_ok=damaged_ok,
        timeout=place.timeout,
    )
    if resume:
        running.check_begun(found)
    with closing(place.pool()) as pool:
        with place.settling(pool) as here:
            found = running.settled(found, here, retries=place.retries)
        if dry_run:
            verdicts = judge_all(found, overwrite=overwrite)
            if as_json:
                print_answer("batch", [*(one.to_dict() for one in left_out), *map(_foreseen, verdicts)])
            else:
                _list(verdicts, left_out)
            return
        with outputs.hold(), ReportFile(report) as written:
            if as_json and written.is_stdout:
                raise SettingsError(f"--json and --report {report} both write to standard output; give one of them")
            verdicts = judge_all(found, overwrite=overwrite)
            if any(verdict.action == "dream" for verdict in verdicts):
                for spec in needed:
                    ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)
            for one in left_out:
                written.add(one)
            counts = leaving.counted(left_out)
            answers = [one.to_dict() for one in left_out]
            tally, was_asked = batch_run.run(
                verdicts,
                pool,
                written,
                left_out=counts,
                retries=place.retries,
                quiet=quiet,
                on_result=lambda one: answers.append(one.to_dict()),
            )
            written.add(tally)
    if as_json:
        print_answer("batch", answers)
    if not quiet:
        say(f"{tally} in {tally.seconds:.0f} s, {tally.per_minute:.3g} files a minute")
        if left_out:
            say(leaving.told(left_out))
        if not (written.is_stdout or as_json):
            print_path(outputs.show())
    if tally.left:
        why = "Interrupted" if was_asked else "Stopped, since no other file could be written either"
        say(f"{why}: {tally.left} files are left. The same command again goes on with them")
    if was_asked:
        ctx.exit(exit_status())
    if tally.counts["failed"]:
        ctx.exit(EXIT_SOME_FAILED)


_STATUS = {"dream": "to do", "skip": "skipped", "fail": "failed"}


def _foreseen(verdict: Verdict) -> dict[str, str]:
    """What is to be said of a job that is only looked at."""
    job = verdict.job
    return {
        "status": _STATUS[verdict.action],
        "preset": job.preset,
        "input": job.inputs.show(job.source),
        "output": job.outputs.show(job.target),
        "reason": verdict.reason,
    }


def _list(verdicts: Sequence[Verdict], left_out: Sequence[LeftOut]) -> None:
    from dreamer.batching.left_out import told

    for verdict in verdicts:
        line = f"{verdict.action:<5}  {verdict.job.source} -> {verdict.job.target}: {verdict.reason}"
        print_line(line)
    for one in left_out:
        print_line(f"left out  {one.name}: {one.reason}")
    counts = Counter(verdict.action for verdict in verdicts)
    say(f"{counts['dream']} to dream, {counts['skip']} to skip, {counts['fail']} that cannot be done")
    if left_out:
        say(told(left_out))
