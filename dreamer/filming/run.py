"""A whole run over a video: looked through, dreamt shot by shot, here or in a pool, and put together.

Must not import the command line.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from dreamer import videos
from dreamer.arrays import Size
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.sizes import output_size
from dreamer.dreaming.steps import DreamStep
from dreamer.errors import SettingsError
from dreamer.filming import listening, pooled, preview, scanning
from dreamer.filming.jobs import Flickers, ShotJob, kept_frames
from dreamer.filming.kept import Kept
from dreamer.filming.made import DreamtVideo, Output, VideoStep
from dreamer.filming.scanning import Scan
from dreamer.filming.settings import Listen, VideoSettings
from dreamer.filming.shots import ShotDream, ShotStep
from dreamer.filming.timeline import FINISH, Timeline
from dreamer.models.network import Network
from dreamer.models.weights import HeldWeights
from dreamer.recipes import recipe_of
from dreamer.results import Result
from dreamer.videos import Frame
from dreamer.workers import resources
from dreamer.workers.places import Place

_FRAMES_BETWEEN_LINES = 10
MOST_PIXELS = 500_000_000
"""Of a frame, at the most, where nothing else is said."""


Show = Callable[[str, float, str | None], None]
"""Told where the work is, the share of it that is done, and perhaps a line that is to stay."""


class VideoDream:
    """The dream of a video.

    Args:
        path: The video, an animation, or a sequence of pictures as ``frames/%05d.png``.
        timeline: How frames are dreamt.
        settings: Which piece of it, and how frames are carried on.
        frame_rate: Of a sequence of pictures.
        network: What to dream with, in place of the one that the settings name.
        place: Where shots are dreamt; None for in this process, whatever GPUs there are.
        max_pixels: Refuse frames with more.
        note: Told in a line what is done otherwise than asked.
        show: Told how far it is.

    Raises:
        ImageReadError: There is no such video.
        MissingExtraError: Videos need the extra ``video``.
        SettingsError: It has no sound to listen to.

    Example:
        >>> timeline = Timeline((Look(0, DreamSettings(max_size=640)),))  # doctest: +SKIP
        >>> with VideoDream(Path("clip.mp4"), timeline, VideoSettings(), note=print) as dream:  # doctest: +SKIP
        ...     dream.make(Output(Path("dream.mp4"))).frames
        125
    """

    def __init__(
        self,
        path: Path,
        timeline: Timeline,
        settings: VideoSettings,
        *,
        frame_rate: float | None = None,
        network: Network | str | None = None,
        place: Place | None = None,
        max_pixels: int = MOST_PIXELS,
        note: Callable[[str], None],
        show: Show = lambda _text, _progress, _line: None,
    ) -> None:
        self.path = path
        self._timeline = timeline
        self._settings = settings
        self._frame_rate = frame_rate
        self._network = network
        self._place = place
        self._max_pixels = max_pixels
        self._note = note
        self._show = show
        self._video = videos.open_video(path, frame_rate=frame_rate, max_pixels=max_pixels)
        if settings.listen and not self._video.has_sound:
            self._video.close()
            raise SettingsError(f"{path} has no sound to listen to; leave out --listen")
        self._flickers: Flickers = {}
        self._done = 0
        self._first: tuple[float, int] | None = None
        self._holds = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._video.close()

    @property
    def size(self) -> Size:
        """``(height, width)`` of the dream's frames."""
        return output_size(self._video.size, self._timeline.looks[0].settings)

    @cached_property
    def scan(self) -> Scan:
        """The shots of the piece that is dreamt. Looks through it."""
        length = self._settings.end or self._video.duration or 0.0
        total = max(1.0, (length - self._settings.start) * float(self._video.rate))

        def on_frame(count: int) -> None:
            self._show(f"looking through the video, frame {count}", min(0.999, count / total), None)

        return scanning.scan(self._video, self._settings, on_frame)

    @cached_property
    def plans(self) -> tuple[DreamPlan, ...]:
        """How frames are climbed. Loads the networks.

        Raises:
            SettingsError, ModelError: As for :meth:`DreamPlan.of`.
        """
        return tuple(DreamPlan.of(one, self._network) for one in self._timeline.climbs)

    @cached_property
    def driven(self) -> Mapping[int, Mapping[str, float]]:
        """What the sound drives, by the index of the frame."""
        sound = self._video.sound(listening.RATE) if self._settings.listen else None
        if sound is None:
            return {}
        clock = float(self._video.time_base)
        times = [one * clock for shot in self.scan.shots for one in shot.pts]
        found = listening.driven(sound, times, [Listen.parse(one) for one in self._settings.listen])
        return dict(enumerate(found))

    def recipe(self) -> dict[str, object]:
        """How the video was made, as JSON can hold it."""
        first = self.plans[0]
        files = {file: digest for plan in self.plans for file, digest in plan.files.items()}
        look = self._timeline.looks[0]
        settings = {**first.to_dict(), **{name: getattr(look.settings, name) for name in FINISH}}
        video = self._settings.to_dict()
        if len(self._timeline.looks) > 1:
            video["looks"] = [one.to_dict() for one in self._timeline.looks]
        if self._frame_rate is not None:
            video["frame_rate"] = self._frame_rate
        return (
            recipe_of(first.network, settings, files, first.prior)
            | dict(look.preset)
            | {"command": "video", "video": video, "source": {"name": self.path.name, "sha256": self._sha256}}
        )

    def steps(self) -> Iterator[VideoStep]:
        """Dream frame by frame, in this process; nothing is written."""
        dream = self._dream()
        for shot in self.scan.shots:
            for step in dream.frames(shot, self.driven):
                yield self._told(step)

    def sheet(self) -> Result:
        """Some frames, each dreamt alone, as a picture with their times."""
        dream = self._dream()
        frames = [step for shot in preview.single_frames(self.scan) for step in dream.frames(shot, self.driven)]
        picture = preview.sheet((step.time, step.picture) for step in frames)
        return Result(picture, self.recipe() | {"preview": True})

    def make(
        self,
        output: Output,
        *,
        settle: Callable[[], None] = lambda: None,
        written: Callable[[DreamtVideo], None] = lambda _made: None,
    ) -> DreamtVideo:
        """Dream what is missing, each frame kept in a folder beside the video; then put the video together.

        Args:
            output: Where it goes, and how.
            settle: Called once all frames are there, and the video is to be put together.
            written: Called once it is written, while its frames are still there, so that a run that is killed
                meanwhile goes on with them.

        Raises:
            ImageError: The video cannot be read, or a frame or the video not written.
            FolderError: The frames cannot be kept.
            SettingsError, ModelError: As for :func:`dreamer.dream`.
        """
        videos.check_video_target(output.path, codec=output.codec, overwrite=output.overwrite, size=self.size)
        kept = output.kept
        with kept.held(self._digest(), overwrite=output.overwrite):
            self._holds = True
            self._missing(kept)
            settle()
            made = self._written(output, kept, self.scan.count)
            written(made)
        kept.remove()
        return made

    def so_far(self, output: Output) -> DreamtVideo | None:
        """Put together what there is of an interrupted run, within the folder of its frames; None for no frame."""
        kept = output.kept
        if not self._holds:  # What is there may be of another dream.
            return None
        count = kept.done(self.scan.shots)
        if not count:
            return None
        suffix = output.path.suffix
        partial = Output(kept.path / f"so-far{suffix}", output.codec, output.quality, overwrite=True)
        return self._written(partial, kept, count)

    def _missing(self, kept: Kept) -> None:
        """Dream the shots that are not finished."""
        shots = [shot for shot in self.scan.shots if kept.begun(shot) < shot.indices.stop]
        if shots and self._place is not None and self._is_pooled(self._place, len(shots)):
            self._in_pool(self._place, shots, kept)
            return
        dream = self._dream()
        for shot in shots:
            self._done = kept.begun(shot)
            for step in kept_frames(dream, self._video, shot, self.driven, kept):
                self._told(step)

    def _is_pooled(self, place: Place, shots: int) -> bool:
        """Whether processes of their own dream, which take some seconds to start."""
        if any(isinstance(plan.network.spec.weights, HeldWeights) for plan in self.plans):
            return False
        return place.is_named or (shots > 1 and len(resources.gpus()) > 1)

    def _in_pool(self, place: Place, shots: list[scanning.Shot], kept: Kept) -> None:
        timeline = self._settled()
        jobs = [
            ShotJob(
                video=str(self.path.absolute()),
                frame_rate=self._frame_rate,
                max_pixels=self._max_pixels,
                timeline=timeline,
                settings=self._settings,
                shot=shot,
                driven={index: self.driven[index] for index in shot.indices if index in self.driven},
                folder=str(kept.path.absolute()),
                timeout=place.timeout,
            )
            for shot in shots
        ]
        for flickers, notes in pooled.dreamt(jobs, place, kept, self._counted):
            self._flickers |= flickers
            for line in notes:
                self._note(line)

    def _counted(self, count: int) -> None:
        """Show how many frames others have finished."""
        self._done, total = count, self.scan.count
        self._show(f"frame {count} of {total}{self._pace()}", min(1.0, count / total), None)

    def _settled(self) -> Timeline:
        """The timeline with the network that was given and the precision that was chosen here, for other processes."""
        looks = []
        for look in self._timeline.looks:
            planned = self.plans[self._timeline.climb_of(look)].settings
            decided = {name: getattr(planned, name) for name in ("model", "preprocessing", "precision")}
            looks.append(replace(look, settings=replace(look.settings, **decided)))
        return Timeline(tuple(looks))

    def _dream(self) -> ShotDream:
        return ShotDream(
            self._video, self._timeline, self.plans, self._settings, note=self._note, on_step=self._on_step
        )

    def _on_step(self, step: DreamStep) -> None:
        """Show that there is life in a frame that takes long."""
        done, total = self._done, self.scan.count
        text = f"frame {done + 1} of {total}, octave {step.octave + 1}/{step.num_octaves}"
        self._show(text, min(0.9999, (done + step.progress) / total), None)

    def _told(self, step: ShotStep) -> VideoStep:
        index, total = step.state.index, self.scan.count
        self._done = index + 1
        if step.flicker is not None:
            self._flickers[index] = step.flicker
        progress = self._done / total
        is_milestone = self._done == total or self._done % _FRAMES_BETWEEN_LINES == 0
        text = f"frame {self._done} of {total}{self._pace()}"
        self._show(text, progress, f"{text} done" if is_milestone else None)
        return VideoStep(step.picture, index, step.time, step.flicker, progress)

    def _pace(self) -> str:
        """How many frames a second are done, once there is something to measure: the first one compiles."""
        now = time.monotonic()
        self._first = self._first or (now, self._done)
        since, done = self._first
        return f", {(self._done - done) / (now - since):.2g} a second" if self._done > done and now > since else ""

    def _written(self, output: Output, kept: Kept, count: int) -> DreamtVideo:
        recipe = self.recipe()
        if count < self.scan.count:
            recipe |= {"partial": {"frames": count}}
        pts = [one for shot in self.scan.shots for one in shot.pts][:count]
        durations = [one for shot in self.scan.shots for one in shot.durations][:count]
        frames = (
            Frame(stamp, duration, kept.picture(index))
            for index, (stamp, duration) in enumerate(zip(pts, durations, strict=True))
        )
        is_whole = self._settings.start == 0 and self._settings.end is None and count == self.scan.count
        notes = videos.write_video(
            output.path,
            frames,
            size=self.size,
            source=self._video,
            time_base=self._video.time_base,
            rate=self._video.rate,
            codec=output.codec,
            quality=output.quality,
            bits=self._video.bits,
            recipe=recipe,
            begin=None if is_whole else self.scan.begin,
            end=None if is_whole else pts[-1] + durations[-1],
            overwrite=output.overwrite,
        )
        flicker = sum(self._flickers.values()) / len(self._flickers) if self._flickers else None
        every = tuple(dict.fromkeys([*self._video.notes, *notes]))
        return DreamtVideo(output.path, self.size, count, self.scan.count, flicker, recipe, every)

    @cached_property
    def _sha256(self) -> str:
        """Of the video, which may be long to read."""
        return self._video.sha256()

    def _digest(self) -> str:
        """Of all that the frames depend on."""
        shots = [list(shot.indices) for shot in self.scan.shots]
        plans = [plan.digest() for plan in self.plans]
        known = {"recipe": self.recipe(), "plans": plans, "shots": shots}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
