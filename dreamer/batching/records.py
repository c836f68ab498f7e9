"""Records: which dreams are done, and which are ours at all.

The one idea: a record says with which settings and from which photo or video a dream was made, and what its bytes
are, all as digests. It is written after the dream. So a dream is done if its record and the three digests agree,
whatever the clock says and whatever happened in between.

Between dream and record a run can be killed. Then the dream is there and nothing says whose it is. So before it a
note with the same content is put into ``.dreamer/pending``, and removed after the record.

Must not import: networks, Keras.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Literal

from dreamer import images, videos
from dreamer.batching.folder import FileEntry, is_same
from dreamer.batching.jobs import Candidate, FileJob, all_names, pending_name, record_name, room_name
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import ImageReadError
from dreamer.files.documents import parse_json
from dreamer.images.recipes import recipe_in

_FORMAT = 1
_LOOKED_AT = 160  # Pixels of the longer side of frames.
_READERS = 16  # Threads, which wait for disks and networks.


@dataclass(frozen=True)
class Record:
    """How a picture or a video came about.

    Attributes:
        source: Name of the photo or video.
        source_sha256: Digest of its file.
        source_stamp: What the store vouched it by; None where nothing does.
        preset: Name of the preset.
        settings_sha256: Digest of the settings.
        output_sha256: Digest of the dream's file.
        output_stamp: What the store vouches it by.
        damaged: Whether the photo was not whole.
    """

    source: str
    source_sha256: str
    source_stamp: str | None
    preset: str
    settings_sha256: str
    output_sha256: str
    output_stamp: str | None = None
    damaged: bool = False

    @classmethod
    def of(cls, job: FileJob, *, source_sha256: str, output_sha256: str, damaged: bool = False) -> Record:
        """What there is to say of a job, before its dream is in its place."""
        return cls(
            source=job.source,
            source_sha256=source_sha256,
            source_stamp=job.source_stamp,
            preset=job.preset,
            settings_sha256=job.settings_sha256,
            output_sha256=output_sha256,
            damaged=damaged,
        )

    def stamped(self, stamp: str | None) -> Record:
        """The same of a picture that is in its place by now."""
        return dataclasses.replace(self, output_stamp=stamp)

    def to_json(self) -> bytes:
        """As it is kept."""
        return json.dumps({"format": _FORMAT} | asdict(self), indent=2).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Record | None:
        """Read what was kept; None if it is damaged, which counts as no record."""
        try:
            found = parse_json(data)
            if found.pop("format") != _FORMAT:
                return None
            return cls(**found)
        except (ValueError, TypeError, AttributeError, LookupError):
            return None


@dataclass(frozen=True)
class Verdict:
    """What is to be done about a job, and why.

    Attributes:
        job: The job, which knows by now whether a file may be replaced.
        action: ``"dream"``, ``"skip"`` or ``"fail"``.
        reason: In a few words; of a failure all that is to be said.
        is_noted: Whether there is a note that its dream is about to be put in its place, or what a video is made in.
    """

    job: FileJob
    action: Literal["dream", "skip", "fail"]
    reason: str
    is_noted: bool = False


def judge_all(found: Sequence[Candidate], *, overwrite: bool) -> list[Verdict]:
    """What is to be done about each job, in their order. Only reads.

    Args:
        found: All jobs of a run, whose dreams go to the same folder.
        overwrite: Whether everything is done again, and files that are not ours may be replaced.
    """
    if not found:
        return []
    outputs = found[0].job.outputs
    unsettled = _unsettled({candidate.job.settings for candidate in found})
    there = outputs.entries(name for candidate in found for name in all_names(candidate.job))

    def judge(candidate: Candidate) -> Verdict:
        try:
            return _judge(candidate, there, unsettled, overwrite=overwrite)
        except OSError as error:
            reason = f"cannot find out whether it is done: {error.strerror or error}"
            return Verdict(candidate.job, "fail", reason)

    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(judge, found))


def _unsettled(settings: Collection[DreamSettings]) -> Mapping[DreamSettings, str]:
    """The digests that settings have before it is known which precision ``auto`` is."""
    return {one: dataclasses.replace(one, precision="auto").digest() for one in settings if one.precision != "auto"}


def _judge(
    candidate: Candidate, there: Mapping[str, FileEntry], unsettled: Mapping[DreamSettings, str], *, overwrite: bool
) -> Verdict:
    job = candidate.job
    record = _kept(job, record_name(job.target), there)
    pending = _kept(job, pending_name(job.target), there)
    is_begun = pending is not None or (job.is_video and room_name(job.target) in there)
    is_known = record is not None or pending is not None
    _, kind = job.kinds

    def verdict(action: Literal["dream", "skip", "fail"], reason: str) -> Verdict:
        is_noted = not there.keys().isdisjoint((pending_name(job.target), room_name(job.target)))
        return Verdict(dataclasses.replace(job, replaces=job.target in there), action, reason, is_noted)

    dream = there.get(job.target)
    if candidate.problem:
        return verdict("fail", candidate.problem)
    if job.outputs.leads_out(job.target):
        return verdict("fail", f"its {kind} would be written outside of {job.outputs.show()}, by way of a link")
    if dream is not None and dream.problem:
        return verdict("fail", f"{job.outputs.show(job.target)} is in the way: it {dream.problem}")
    if overwrite:
        return verdict("dream", "done again" if is_known else "new")
    if dream is None:
        return verdict("dream", f"its {kind} is missing" if record else "not finished" if is_begun else "new")
    if record and is_same(job.outputs, dream, record.output_sha256, record.output_stamp):
        return verdict(*_compared(candidate, record, unsettled))
    if pending and is_same(job.outputs, dream, pending.output_sha256, None):
        return verdict("dream", "not finished")
    if not is_known:
        return verdict("fail", f"{job.outputs.show(job.target)} is there and is none of ours; --overwrite replaces it")
    if _is_whole(job):
        what = f"{job.outputs.show(job.target)} was changed since it was made; --overwrite replaces it"
        return verdict("fail", what)
    return verdict("dream", f"its {kind} is broken")


def _kept(job: FileJob, name: str, there: Mapping[str, FileEntry]) -> Record | None:
    return Record.from_json(job.outputs.read(name)) if name in there else None


def _compared(
    candidate: Candidate, record: Record, unsettled: Mapping[DreamSettings, str]
) -> tuple[Literal["dream", "skip"], str]:
    job = candidate.job
    if record.settings_sha256 != job.settings_sha256 and not _is_settled_so(job, record, unsettled):
        return "dream", "the settings changed"
    if record.damaged and not job.damaged_ok:
        return "dream", "made of a damaged photo, which --damaged-ok takes"
    if not is_same(job.inputs, candidate.file, record.source_sha256, record.source_stamp):
        return "dream", f"the {job.kinds[0]} changed"
    return "skip", "done"


def _is_settled_so(job: FileJob, record: Record, unsettled: Mapping[DreamSettings, str]) -> bool:
    """Whether a picture was made in this very precision, though its record says no more than that it was chosen.

    So do the records of early versions; the picture's recipe says what was chosen.
    """
    if job.is_video or record.settings_sha256 != unsettled.get(job.settings):
        return False
    try:
        settings = recipe_in(job.outputs.read(job.target), job.target).get("settings")
    except ImageReadError:
        return False
    return isinstance(settings, dict) and settings.get("precision") == job.settings.precision


def _is_whole(job: FileJob) -> bool:
    """Whether what lies in a dream's place is a whole picture or a video, which somebody may have worked on."""
    try:
        if job.is_video:
            return _is_whole_video(job)
        images.decode(job.outputs.read(job.target), job.target, compact=True)
    except ImageReadError:
        return False
    return True


def _is_whole_video(job: FileJob) -> bool:
    with job.outputs.fetched(job.target) as path, videos.open_video(path, max_pixels=job.max_pixels) as video:
        return any(True for _ in video.frames(max_side=_LOOKED_AT))
