"""A shot as a job: dreamt where it is told to be, its frames kept in the folder of the video.

Must not import the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dreamer import videos
from dreamer.arrays import as_stored
from dreamer.dreaming.plan import DreamPlan
from dreamer.filming.kept import Kept
from dreamer.filming.scanning import Shot
from dreamer.filming.settings import VideoSettings
from dreamer.filming.shots import ShotDream, ShotStep
from dreamer.filming.timeline import Timeline
from dreamer.videos import Video
from dreamer.workers import limits, process


@dataclass(frozen=True, eq=False)
class ShotJob:
    """All that the dream of a shot needs, to be done in any process that reaches the files.

    Attributes:
        video: Path of the video.
        frame_rate: Of a sequence of pictures.
        max_pixels: Refuse frames with more.
        timeline: How frames are dreamt.
        settings: How they are carried on.
        shot: Which frames.
        driven: What the sound drives, by the index of the frame.
        folder: Where the frames are kept.
        timeout: Seconds that the shot may take; None for what goes with its size.
    """

    video: str
    frame_rate: float | None
    max_pixels: int
    timeline: Timeline
    settings: VideoSettings
    shot: Shot
    driven: Mapping[int, Mapping[str, float]]
    folder: str
    timeout: float | None = None


Flickers = dict[int, float]
"""How much frames flicker, by their index."""


def shot_job(job: ShotJob) -> tuple[Flickers, tuple[str, ...]]:
    """Dream what is missing of a shot.

    Returns:
        How much its frames flicker, and remarks.

    Raises:
        ImageError: The video cannot be read, or a frame not written.
        DreamerError: As for ``dreamer.dream``.
    """
    process.allow(job.timeout or limits.READING)
    plans = tuple(DreamPlan.of(one) for one in job.timeline.climbs)
    notes: dict[str, None] = {}
    flickers: Flickers = {}
    with videos.open_video(Path(job.video), frame_rate=job.frame_rate, max_pixels=job.max_pixels) as video:
        if job.timeout is None:
            pixels = video.size[0] * video.size[1] * len(job.shot.pts)
            process.allow(limits.of_steps(pixels, 2 * max(one.steps for one in job.timeline.climbs)))
        dream = ShotDream(video, job.timeline, plans, job.settings, note=lambda line: notes.update({line: None}))
        for step in kept_frames(dream, video, job.shot, job.driven, Kept(Path(job.folder))):
            if step.flicker is not None:
                flickers[step.state.index] = step.flicker
        return flickers, (*notes, *video.notes)


def kept_frames(
    dream: ShotDream, video: Video, shot: Shot, driven: Mapping[int, Mapping[str, float]], kept: Kept
) -> Iterator[ShotStep]:
    """Dream what is missing of a shot, each frame kept before it is handed out."""
    for step in dream.frames(shot, driven, kept.state(shot)):
        kept.keep(as_stored(step.picture, "uint16" if video.bits == 16 else "uint8"), step.state, shot)
        yield step
