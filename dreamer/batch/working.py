"""One job, done where it is told to be: read, dream, write, record.

The one idea: all that is shared between jobs is what a process keeps anyway, the network and its compiled programs.
So these functions run the same in this process, in one of a pool, and on a cluster.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from dreamer import images
from dreamer.batch.folders import Folder
from dreamer.batch.jobs import Job, pending_name, record_name
from dreamer.batch.records import Record
from dreamer.errors import FolderError, ImageReadError
from dreamer.settings import DreamSettings


@dataclass(frozen=True)
class Finished:
    """What there is to say about a finished picture.

    Attributes:
        notes: One-line remarks.
    """

    notes: tuple[str, ...] = ()


def dream_job(job: Job) -> Finished:
    """Dream a photo, put the picture in its place, then its record.

    Raises:
        ImageError: The photo cannot be read, or the picture not written.
        OSError: A folder cannot be reached.
        DreamerError: As for ``dreamer.dream``.
    """
    from dreamer.photos import PhotoDream

    data = _read(job)
    digest = hashlib.sha256(data).hexdigest()
    photo = images.decode(data, job.inputs.show(job.source), max_pixels=job.max_pixels, compact=True)
    del data
    source = {"name": PurePosixPath(job.source).name, "sha256": digest}
    dream = PhotoDream(photo, job.settings, source=source)
    suffix = PurePosixPath(job.target).suffix
    images.check_suffix(suffix, dream.size)  # Now, not after the dream.
    notes = list(photo.notes)
    del photo
    for _ in dream.steps(note=notes.append):
        pass
    result, recipe = dream.result()
    picture, remarks = images.encode(result, suffix, recipe=recipe)
    stamp = job.inputs.entries([job.source]) if False else None
    record = Record(
        source=job.source,
        source_sha256=digest,
        source_stamp=stamp,
        preset=job.preset,
        settings_sha256=job.settings_sha256,
        output_sha256=hashlib.sha256(picture).hexdigest(),
    )
    _put(job, picture, record)
    return Finished((*notes, *remarks))
