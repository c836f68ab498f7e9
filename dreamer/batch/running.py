"""A whole run over a folder: what is to be done, done by a pool, told as it happens.

The one idea: a run is a generator of what became of each photo. Who asks it decides what to show, and when to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from dreamer import errors
from dreamer.batch import pools
from dreamer.batch.folders import Folder
from dreamer.batch.jobs import DEFAULT_MAX_PIXELS, Job, all_names, candidates
from dreamer.batch.pools import RETRIES, Failure, Pool
from dreamer.batch.records import Verdict, judge_all
from dreamer.batch.report import Finished
from dreamer.batch.working import check_settings, dream_job
from dreamer.errors import DreamerError, FolderError
from dreamer.settings import DreamSettings


def plan(
    inputs: Folder,
    outputs: Folder,
    presets: Mapping[str, DreamSettings],
    *,
    glob: str | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    overwrite: bool = False,
    resume: bool = False,
) -> list[Verdict]:
    """Find out what is to be done. Only reads.

    Args:
        inputs: Where the photos are.
        outputs: Where the pictures go, and their records are.
        presets: Settings by name.
        glob: Which files are photos; None for all with a suffix of a picture.
        max_pixels: Refuse photos with more.
        overwrite: Do everything again, and replace files that are not ours.
        resume: Insist that there is something to go on with.

    Raises:
        FolderError: As ``jobs.candidates`` says, or there is nothing to go on with.
        SettingsError: A file that settings name cannot be read.
    """
    found = judge_all(candidates(inputs, outputs, presets, glob=glob, max_pixels=max_pixels), overwrite=overwrite)
    if resume and not any(verdict.is_known for verdict in found):
        raise FolderError(
            f"there is nothing to go on with: {outputs.show()} has no record of any of these pictures. "
            "Look for a mistyped folder, or leave out --resume to begin"
        )
    return found


def carry_out(
    verdicts: Sequence[Verdict],
    pool: Pool,
    *,
    retries: int = RETRIES,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Finished]:
    """Do what is to be done. Whoever calls holds the output folder.

    Args:
        verdicts: As :func:`plan` gives them.
        pool: Where the photos are dreamt.
        retries: How often a photo is tried again after what may pass: a network or a disk that fails, memory that
            runs out, a process that dies.
        stop: Asked before a photo is begun; once it says True, those under way are the last.

    Yields:
        What became of each photo: first of those that are skipped or cannot be done, then of the others as they end.

    Raises:
        SettingsError, ModelError: No photo can be dreamt with some of the settings.
    """
    reasons: dict[Job, str] = {}
    for verdict in verdicts:
        if verdict.action == "dream":
            reasons[verdict.job] = verdict.reason
        elif verdict.action == "skip":
            yield Finished(verdict.job, "skipped", verdict.reason)
        else:
            failure = Failure("FolderError", f"{verdict.job.inputs.show(verdict.job.source)}: {verdict.reason}")
            yield Finished(verdict.job, "failed", "cannot be done", failure)
    if not reasons:
        return
    next(iter(reasons)).outputs.sweep(name for job in reasons for name in all_names(job.target))
    _check(dict.fromkeys(job.settings for job in reasons), pool, retries)
    for outcome in pools.run(reasons, dream_job, pool, retries=retries, stop=stop):
        yield Finished(
            outcome.job,
            "failed" if outcome.failure else "done",
            reasons[outcome.job],
            outcome.failure,
            outcome.attempts,
            outcome.seconds,
            outcome.result or (),
        )


def _check(settings: Iterable[DreamSettings], pool: Pool, retries: int) -> None:
    """Say once what would be said of every photo."""
    for outcome in pools.run(settings, check_settings, pool, retries=retries):
        if outcome.failure is not None:
            kind = getattr(errors, outcome.failure.kind, DreamerError)
            raise kind(outcome.failure.message)
