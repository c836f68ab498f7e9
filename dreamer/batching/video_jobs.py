"""A job whose source is a video: dreamt frame by frame, put together, put in its place.

The one idea: finished frames outlast the run, within the output folder, where that is of this machine. So a run that is
killed loses the frame that it was at, and what the next makes of it is the same, bit for bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from dreamer.arrays import Size
from dreamer.ascent import octaves
from dreamer.batching.jobs import FileJob, made_name, room_name
from dreamer.batching.placing import put
from dreamer.batching.records import Record
from dreamer.errors import ImageError
from dreamer.files.regular import open_regular
from dreamer.filming.made import DreamtVideo, Output
from dreamer.filming.run import VideoDream
from dreamer.filming.settings import VideoSettings
from dreamer.filming.timeline import Look, Timeline
from dreamer.workers import limits, process


def dream_video(job: FileJob) -> tuple[str, ...]:
    """Dream a video in this process; put the result in its place, then its record.

    Args:
        job: The job, whose network is loaded by now.

    Returns:
        One-line remarks.

    Raises:
        ImageError: The video cannot be read, or the result not written.
        OSError: A folder cannot be reached, or a file is in the way by now.
        DreamerError: As for ``dreamer.video``.
    """
    notes: dict[str, None] = {}
    timeline = Timeline((Look(0.0, job.settings, job.origin),))
    with job.inputs.fetched(job.source) as source, job.outputs.room(room_name(job.target)) as room:
        output = Output(room / PurePosixPath(made_name(job.target)).name, overwrite=True)
        alive = _Alive(job)
        with (
            _named(job, source, output.path),
            VideoDream(
                *(source, timeline, VideoSettings()),
                max_pixels=job.max_pixels,
                note=lambda line: notes.update({line: None}),
                show=alive.show,
            ) as dream,
        ):
            alive.size = dream.size
            made = dream.make(output, settle=lambda: alive.allow_encoding(dream.scan.count), written=partial(_put, job))
    return (*notes, *made.notes)


def _put(job: FileJob, made: DreamtVideo) -> None:
    source = made.recipe["source"]["sha256"]
    with open_regular(made.path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    put(
        job,
        Record.of(job, source_sha256=source, output_sha256=digest),
        partial(job.outputs.take, job.target, made.path),
    )


class _Alive:
    """Says at each sign of life how much time there is until the next: as for a photo of a frame's size.

    How long a video takes is known by its frames, and how long a frame takes by its size. So a video may take days, and
    one that is stuck ends in minutes.

    Attributes:
        size: ``(height, width)`` of a frame, once it is known.
    """

    size: Size = (0, 0)

    def __init__(self, job: FileJob) -> None:
        self._settings = job.settings
        self._is_limited = job.timeout is not None  # Which holds for all of it.

    def show(self, _text: str, _progress: float, _line: str | None) -> None:
        """Take a sign of life."""
        sizes = octaves.sizes(self.size, octaves=self._settings.octaves, octave_scale=self._settings.octave_scale)
        self._allow(sum(height * width for height, width in sizes), self._settings.steps)

    def allow_encoding(self, frames: int) -> None:
        """Allow for putting the frames together, which gives no sign of life: as for a step of each."""
        self._allow(self.size[0] * self.size[1] * frames, 1)

    def _allow(self, pixels: int, steps: int) -> None:
        if not self._is_limited:
            process.allow(limits.of_steps(pixels, steps))


@contextmanager
def _named(job: FileJob, source: Path, made: Path) -> Iterator[None]:
    """What goes wrong is said of the files that people know, not of a copy, nor of where the video is made."""
    try:
        yield
    except ImageError as error:
        words = str(error).replace(str(source), job.inputs.show(job.source))
        raise type(error)(words.replace(f"{made} ", f"{job.outputs.show(job.target)} ")) from error
