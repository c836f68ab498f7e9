"""Records: which pictures are done, and which are ours at all.

The one idea: a record says with which settings and from which photo a picture was made, and what its bytes are, all
as digests. It is written after the picture. So a picture is done if its record and the three digests agree, whatever
the clock says and whatever happened in between.

Between picture and record a run can be killed. Then the picture is there and nothing says whose it is. So before it a
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

from dreamer import images
from dreamer.batching.folder import FileEntry, is_same
from dreamer.batching.jobs import Candidate, PhotoJob, all_names, pending_name, record_name
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import ImageReadError
from dreamer.files.documents import parse_json
from dreamer.images.recipes import recipe_in

_FORMAT = 1
_READERS = 16  # Threads, which wait for disks and networks.


@dataclass(frozen=True)
class Record:
    """How a picture came about.

    Attributes:
        source: Name of the photo.
        source_sha256: Digest of the photo's file.
        source_stamp: What the store vouched it by; None where nothing does.
        preset: Name of the preset.
        settings_sha256: Digest of the settings.
        output_sha256: Digest of the picture's file.
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
        job: The job, which knows by now whether a picture may be replaced.
        action: ``"dream"``, ``"skip"`` or ``"fail"``.
        reason: In a few words; of a failure all that is to be said.
        is_noted: Whether a note says that its picture is about to be put in its place.
    """

    job: PhotoJob
    action: Literal["dream", "skip", "fail"]
    reason: str
    is_noted: bool = False


def judge_all(found: Sequence[Candidate], *, overwrite: bool) -> list[Verdict]:
    """What is to be done about each job, in their order. Only reads.

    Args:
        found: All jobs of a run, whose pictures go to the same folder.
        overwrite: Whether everything is done again, and files that are not ours may be replaced.
    """
    if not found:
        return []
    outputs = found[0].job.outputs
    unsettled = _unsettled({candidate.job.settings for candidate in found})
    there = outputs.entries(name for candidate in found for name in all_names(candidate.job.target))

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
    is_known = record is not None or pending is not None

    def verdict(action: Literal["dream", "skip", "fail"], reason: str) -> Verdict:
        is_noted = pending_name(job.target) in there
        return Verdict(dataclasses.replace(job, replaces=job.target in there), action, reason, is_noted)

    picture = there.get(job.target)
    if candidate.problem:
        return verdict("fail", candidate.problem)
    if job.outputs.leads_out(job.target):
        return verdict("fail", f"its picture would be written outside of {job.outputs.show()}, by way of a link")
    if picture is not None and picture.problem:
        return verdict("fail", f"{job.outputs.show(job.target)} is in the way: it {picture.problem}")
    if overwrite:
        return verdict("dream", "done again" if is_known else "new")
    if picture is None:
        return verdict("dream", "its picture is missing" if record else "not finished" if pending else "new")
    if record and is_same(job.outputs, picture, record.output_sha256, record.output_stamp):
        return verdict(*_compared(candidate, record, unsettled))
    if pending and is_same(job.outputs, picture, pending.output_sha256, None):
        return verdict("dream", "not finished")
    if not is_known:
        return verdict("fail", f"{job.outputs.show(job.target)} is there and is none of ours; --overwrite replaces it")
    if _is_whole(job):
        what = f"{job.outputs.show(job.target)} was changed since it was made; --overwrite replaces it"
        return verdict("fail", what)
    return verdict("dream", "its picture is broken")


def _kept(job: PhotoJob, name: str, there: Mapping[str, FileEntry]) -> Record | None:
    return Record.from_json(job.outputs.read(name)) if name in there else None


def _compared(
    candidate: Candidate, record: Record, unsettled: Mapping[DreamSettings, str]
) -> tuple[Literal["dream", "skip"], str]:
    job = candidate.job
    if record.settings_sha256 != job.settings_sha256 and not _is_settled_so(job, record, unsettled):
        return "dream", "the settings changed"
    if record.damaged and not job.damaged_ok:
        return "dream", "made of a damaged photo, which --damaged-ok takes"
    if not is_same(job.inputs, candidate.photo, record.source_sha256, record.source_stamp):
        return "dream", "the photo changed"
    return "skip", "done"


def _is_settled_so(job: PhotoJob, record: Record, unsettled: Mapping[DreamSettings, str]) -> bool:
    """Whether a picture was made in this very precision, though its record says no more than that it was chosen.

    So do the records of early versions; the picture's recipe says what was chosen.
    """
    if record.settings_sha256 != unsettled.get(job.settings):
        return False
    try:
        settings = recipe_in(job.outputs.read(job.target), job.target).get("settings")
    except ImageReadError:
        return False
    return isinstance(settings, dict) and settings.get("precision") == job.settings.precision


def _is_whole(job: PhotoJob) -> bool:
    """Whether what lies in a picture's place is a whole picture, which somebody may have worked on."""
    try:
        images.decode(job.outputs.read(job.target), job.target, compact=True)
    except ImageReadError:
        return False
    return True
