"""A whole run over a folder: what is to be done (``records``) is done by a pool, and told as it happens.

The one idea: a run is a generator of what became of each photo and video. Who asks it decides what to show, and when
to stop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dreamer import errors
from dreamer.batching.jobs import Candidate, FileJob, all_names, pending_name, room_name
from dreamer.batching.records import Verdict
from dreamer.batching.report import Finished
from dreamer.batching.working import check_settings, chosen_precision, dream_job
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import DreamerError, FolderError
from dreamer.workers import pools
from dreamer.workers.outcomes import Failure, Outcome
from dreamer.workers.pools import RETRIES, Pool


def check_begun(found: Sequence[Candidate]) -> None:
    """Make sure that there is something to go on with.

    Raises:
        FolderError: There is no record of any of the dreams, nor a video that was begun.
    """
    outputs = found[0].job.outputs
    if not outputs.entries(name for candidate in found for name in all_names(candidate.job)[1:]):
        raise FolderError(
            f"there is nothing to go on with: {outputs.show()} has no record of any of these dreams. "
            "Look for a mistyped folder, or leave out --resume to begin"
        )


def settled(found: Sequence[Candidate], pool: Pool, *, retries: int = RETRIES) -> list[Candidate]:
    """Settle the precision of jobs that leave it to the machine, by asking one machine for all.

    So jobs that say the same give the same dream, whichever machine does them.

    Args:
        found: As ``jobs.candidates`` gives them.
        pool: Of the machine that is asked.
        retries: As for :func:`carry_out`.

    Raises:
        ModelError: There is no such network, or the backend is not installed.
    """
    open_ones = dict.fromkeys(one.job.settings for one in found if one.job.settings.precision == "auto")
    chosen: dict[DreamSettings, tuple[DreamSettings, str]] = {}
    for outcome in pools.run(open_ones, chosen_precision, pool, retries=retries):
        _check_done(outcome)
        settings = dataclasses.replace(outcome.job, precision=str(outcome.result))
        chosen[outcome.job] = settings, settings.digest()

    def of(candidate: Candidate) -> Candidate:
        if candidate.job.settings not in chosen:
            return candidate
        settings, digest = chosen[candidate.job.settings]
        return dataclasses.replace(
            candidate, job=dataclasses.replace(candidate.job, settings=settings, settings_sha256=digest)
        )

    return [of(candidate) for candidate in found]


def carry_out(
    verdicts: Sequence[Verdict],
    pool: Pool,
    *,
    retries: int = RETRIES,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Finished]:
    """Do what is to be done. Whoever calls holds the output folder.

    Args:
        verdicts: As ``records.judge_all`` gives them.
        pool: Where the photos and videos are dreamt.
        retries: How often a job is tried again after what may pass: a network or a disk that fails, memory that
            runs out, a process that dies.
        stop: Asked before a job is begun; once it says True, those under way are the last.

    Yields:
        What became of each: first of those that are skipped or cannot be done, then of the others as they end.

    Raises:
        SettingsError, ModelError: Nothing can be dreamt with some of the settings.
    """
    reasons = {verdict.job: verdict.reason for verdict in verdicts if verdict.action == "dream"}
    if reasons:
        _check(dict.fromkeys(job.settings for job in reasons), pool, retries)
        next(iter(reasons)).outputs.sweep(name for job in reasons for name in all_names(job))
    for verdict in verdicts:
        if verdict.action == "skip" and verdict.is_noted:  # A run was killed right before it could remove these.
            _clear(verdict.job)
    yield from (_ended(verdict) for verdict in verdicts if verdict.action != "dream")
    for outcome in pools.run(reasons, dream_job, pool, retries=retries, stop=stop):
        yield Finished(
            outcome.job,
            "failed" if outcome.failure else "done",
            reasons[outcome.job],
            outcome.failure and _of_file(outcome.failure, outcome.job),
            outcome.attempts,
            outcome.seconds,
            outcome.result or (),
        )


def _clear(job: FileJob) -> None:
    """Remove what is left over of a dream that is done."""
    job.outputs.remove(pending_name(job.target))
    if job.is_video:
        with job.outputs.room(room_name(job.target)):
            pass


def _ended(verdict: Verdict) -> Finished:
    """What became of a file with which nothing is to be done."""
    if verdict.action == "skip":
        return Finished(verdict.job, "skipped", verdict.reason)
    failure = Failure("FolderError", f"{verdict.job.inputs.show(verdict.job.source)}: {verdict.reason}")
    return Finished(verdict.job, "failed", "cannot be done", failure)


def _of_file(failure: Failure, job: FileJob) -> Failure:
    """A failure that says which file it is about; one of a pool cannot know."""
    name = job.inputs.show(job.source)
    if failure.kind not in ("WorkerDied", "TimeLimitError"):
        return failure
    return dataclasses.replace(failure, message=f"{name}: {failure.message}")


def _check(settings: Iterable[DreamSettings], pool: Pool, retries: int) -> None:
    """Say once what would be said of every file."""
    for outcome in pools.run(settings, check_settings, pool, retries=retries):
        _check_done(outcome)


def _check_done(outcome: Outcome[Any, Any]) -> None:
    """Raise what made a job fail that is done for all files."""
    if outcome.failure is not None:
        kind = getattr(errors, outcome.failure.kind, DreamerError)
        raise kind(outcome.failure.message)
