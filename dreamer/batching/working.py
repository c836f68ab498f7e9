"""One job, done where it is told to be: read, dream, write, record. Of a video: ``video_jobs``.

The one idea: all that is shared between jobs is what a process keeps anyway, the network and its compiled programs.
So these functions run the same in this process, in one of a pool, and on a cluster.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from dreamer import images
from dreamer.batching.folder import Folder
from dreamer.batching.jobs import FileJob
from dreamer.batching.local import LocalFolder
from dreamer.batching.placing import put
from dreamer.batching.records import Record
from dreamer.dreaming.settings import DreamSettings
from dreamer.images.encoding import check_size, format_name
from dreamer.images.opening import file_bytes
from dreamer.images.recipes import source_of
from dreamer.workers import limits, process

Notes = tuple[str, ...]
"""One-line remarks on a finished dream."""


def dream_job(job: FileJob) -> Notes:
    """Dream a photo or a video; put the dream in its place, then its record.

    Raises:
        ImageError: The photo or video cannot be read, or the dream not written.
        OSError: A folder cannot be reached, or a file is in the way by now.
        DreamerError: As for ``dreamer.dream`` and ``dreamer.video``.
    """
    from dreamer.models import registry

    for part in job.settings.parts:
        registry.load(part.model, part.preprocessing)  # Not in the job's time: it is kept for others.
    process.allow(job.timeout or limits.READING)
    if not job.is_video:
        return _dream_photo(job)
    from dreamer.batching.video_jobs import dream_video

    return dream_video(job)


def _dream_photo(job: FileJob) -> Notes:
    from dreamer.dreaming.photo import PhotoDream
    from dreamer.dreaming.sizes import check_room

    data = _bytes_of(job.inputs, job.source)
    digest = hashlib.sha256(data).hexdigest()
    photo = images.decode(data, job.inputs.show(job.source), **_terms(job), compact=True)
    notes, damaged = list(photo.notes), photo.is_damaged
    check_room((photo.pixels.shape[0], photo.pixels.shape[1]), job.settings, max_pixels=job.max_pixels)
    source = source_of(PurePosixPath(job.source).name, digest, photo)
    dream = PhotoDream(photo, job.settings, source=source, preset=job.origin)
    if job.timeout is None:
        pixels = sum(height * width for height, width in dream.octave_sizes)
        process.allow(limits.of_steps(pixels, sum(part.steps for part in job.settings.parts)))
    del data, photo
    suffix = PurePosixPath(job.target).suffix
    check_size(format_name(suffix), dream.size)  # Now, not after the dream.
    for _ in dream.steps(note=notes.append):
        pass
    result = dream.result(compact=True)
    del dream
    picture, remarks = result.encoded(suffix)
    record = Record.of(job, source_sha256=digest, output_sha256=hashlib.sha256(picture).hexdigest(), damaged=damaged)
    put(job, record, partial(job.outputs.write, job.target, picture))
    return (*notes, *remarks)


def _terms(job: FileJob) -> dict[str, Any]:
    """How a photo is read, as keywords of ``images.decode``."""
    return {
        "max_pixels": job.max_pixels,
        "damaged_ok": job.damaged_ok,
        **job.settings.reading,
    }


def chosen_precision(settings: DreamSettings) -> str:
    """In which type of number settings have the network computed on this machine; networks of looks share one.

    Raises:
        ModelError: There is no such network, or the backend is not installed.
    """
    from dreamer.backends import precision
    from dreamer.models import registry

    specs = [registry.spec(part.model, part.preprocessing) for part in settings.parts]
    return precision.shared(settings.precision, {spec.name: spec.low_precisions for spec in specs})


def check_settings(settings: DreamSettings) -> None:
    """Find out what would make every file fail, by loading the network, which is needed anyway.

    Raises:
        SettingsError, ModelError, ImageReadError: As for ``dreamer.dream``.
    """
    from dreamer.dreaming.ascent import Ascent
    from dreamer.dreaming.mixing import finish_of
    from dreamer.dreaming.plan import DreamPlan

    finish_of(settings)
    plan = DreamPlan.of(settings)
    for one in plan.looks or (plan,):
        Ascent(one, note=lambda _: None)


def _bytes_of(held: Folder, name: str) -> bytes:
    # Of a file of this machine more can be said than the system does.
    return file_bytes(held.path(name)) if isinstance(held, LocalFolder) else held.read(name)
