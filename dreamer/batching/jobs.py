"""Which photo or video becomes which file, and with what settings: jobs, as values; and what becomes none, and why.

The one idea: a dream has the whole name of its source, suffix included, in a tree of the same shape. So ``a/x.jpg``
and ``b/x.jpg`` never meet, nor do ``x.jpg`` and ``x.png``, and nobody has to remember what was called what.

Must not import: networks, Keras.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

from dreamer.batching.folder import HIDDEN, FileEntry, Folder
from dreamer.batching.globs import Glob
from dreamer.batching.left_out import LeftOut, instead, reads_videos, suffix_of, why_not
from dreamer.batching.names import flaw
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import FolderError, SettingsError
from dreamer.files import names as filenames
from dreamer.images import READ_SUFFIXES, dream_suffix, is_read
from dreamer.videos import is_video, video_suffix

_RECORD_SUFFIX = ".json"
_EXAMPLES = ", ".join((*list(READ_SUFFIXES)[:3], ".mp4"))
DEFAULT_MAX_PIXELS = 500_000_000


@dataclass(frozen=True)
class FileJob:
    """One photo or video to be dreamt with one preset.

    Attributes:
        inputs: Where it is.
        source: Its name there.
        outputs: Where the dream goes.
        target: The dream's name there.
        preset: Name of the preset, "" for none.
        settings: How to dream.
        settings_sha256: Their digest.
        max_pixels: Photos, and frames of videos, with more are refused.
        source_stamp: What the store vouches the source by; None where nothing does.
        damaged_ok: Whether a photo is taken if it is not whole.
        replaces: Whether a file may be there that is to be replaced.
        timeout: Seconds that it may take once the network is there; None for ``limits``.
        preset_sha256: Digest of the preset's file, "" for none.
    """

    inputs: Folder
    source: str
    outputs: Folder
    target: str
    preset: str
    settings: DreamSettings
    settings_sha256: str
    max_pixels: int = DEFAULT_MAX_PIXELS
    source_stamp: str | None = None
    damaged_ok: bool = False
    replaces: bool = False
    timeout: float | None = None
    preset_sha256: str = ""

    @property
    def origin(self) -> dict[str, str]:
        """Which preset it is, as recipes say it."""
        return {"preset": self.preset, "preset_sha256": self.preset_sha256} if self.preset else {}

    @property
    def is_video(self) -> bool:
        """Whether it is a video, by its suffix."""
        return is_video(self.source)

    @property
    def kinds(self) -> tuple[str, str]:
        """What the source is and what becomes of it, in a word each."""
        return ("video", "video") if self.is_video else ("photo", "picture")


@dataclass(frozen=True)
class Candidate:
    """A job that may have to be done, and why it cannot be, if that is known by now."""

    job: FileJob
    file: FileEntry
    problem: str | None


class FolderPlan(NamedTuple):
    """All files of a folder, but for those that are hidden: none is in both, and none in neither.

    Attributes:
        candidates: A job for every photo and video with every preset, preset by preset, so that each is compiled once.
        left_out: The other files.
    """

    candidates: list[Candidate]
    left_out: list[LeftOut]


def plan(
    inputs: Folder,
    outputs: Folder,
    presets: Mapping[str, DreamSettings],
    *,
    digests: Mapping[str, str] = MappingProxyType({}),
    glob: str | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    damaged_ok: bool = False,
    timeout: float | None = None,
) -> FolderPlan:
    """Sort the files of a folder into photos and videos, each with every preset, and what is left out.

    Args:
        inputs: Where the photos and videos are.
        outputs: Where the dreams go; of a folder within *inputs*, they are no photos.
        presets: Settings by name; if there are several, each gets a folder of that name.
        digests: Of the files of presets, by their names, for the recipes.
        glob: Which files are meant, as in ``"**/*.jpg"``, capital letters or not; None for all that have a suffix
            of a picture or a video.
        max_pixels: Refuse photos, and frames of videos, with more.
        damaged_ok: Take photos that are not whole.
        timeout: Seconds that a job may take; None for what goes with its size.

    Raises:
        FolderError: There is no such folder, neither photo nor video in it, or one folder lies in the other so that
            photos would be replaced.
        SettingsError: A file that settings name cannot be read, the glob is far too long, or a preset has a name
            that no folder can have.
    """
    if inputs.within(outputs) is not None:
        raise FolderError(
            f"the files in {inputs.show()} lie within the output folder {outputs.show()}, where they could be "
            "replaced. Choose another output folder"
        )
    if len(presets) > 1:
        _check_folders(presets)
    pattern = None if glob is None else Glob(glob)
    chosen, left_out = [], []
    for entry in _outside(inputs, outputs):
        if not entry.flaw and _is_chosen(entry, pattern):
            chosen.append(entry)
        elif not entry.is_folder:
            left_out.append(LeftOut(inputs, entry.name, why_not(entry, pattern, takes_videos=True)))
    if not chosen:
        which = f"files that match {glob!r}" if glob else f"photos or videos, such as {_EXAMPLES}"
        raise FolderError(f"there are no {which} in {inputs.show()}{instead(left_out)}")
    names = Counter(_dream_name(entry.name) for entry in chosen)
    found = []
    for preset, settings in presets.items():
        digest = settings.digest()
        for entry in chosen:
            name = _dream_name(entry.name)
            target = f"{preset}/{name}" if len(presets) > 1 else name
            job = FileJob(
                *(inputs, entry.name, outputs, target, preset, settings, digest, max_pixels, entry.stamp),
                damaged_ok=damaged_ok,
                timeout=timeout,
                preset_sha256=digests.get(preset, ""),
            )
            # With a suffix that is written the name is the source's own, and nobody else's.
            odd = _MIXED_VIDEO if settings.looks and is_video(entry.name) else None
            clash = f"would be written as {name}, as another is; rename it" if name != entry.name else None
            found.append(Candidate(job, entry, entry.problem or odd or (clash if names[name] > 1 else None)))
    return FolderPlan(found, left_out)


_MIXED_VIDEO = (
    "is a video, and a dream of several looks, mixed or in regions, is for photos; give a preset alone for videos"
)


def _check_folders(presets: Iterable[str]) -> None:
    for preset in presets:
        wrong = flaw(preset, foreign=True) or ("has several parts" if "/" in preset else None)
        if wrong or preset.startswith("."):
            raise SettingsError(
                f"the preset {preset!r} cannot have a folder, since its name {wrong or 'begins with a dot'}; "
                "rename it, or give it alone"
            )


def _outside(inputs: Folder, outputs: Folder) -> Iterator[FileEntry]:
    """The entries of a folder that do not lie in the output folder."""
    within = outputs.within(inputs)
    for entry in inputs.walk():
        if within is None or not f"{entry.name}/".startswith(f"{within}/"):
            yield entry


def _is_chosen(entry: FileEntry, glob: Glob | None) -> bool:
    if entry.hides:
        return True
    if is_video(entry.name) and not reads_videos():
        return False
    is_named_so = is_read(suffix_of(entry.name)) or is_video(entry.name)
    if glob is None:
        return is_named_so
    # Of folders, those that are called as pictures or videos are worth a word.
    return glob.matches(entry.name) and (is_named_so or entry.problem is None)


def _dream_name(source: str) -> str:
    """The source's own name; with another suffix behind it if its own names no format that can be written."""
    suffix = PurePosixPath(source).suffix
    written = video_suffix(suffix) if is_video(source) else dream_suffix(suffix)
    if suffix and suffix == written:
        return source
    above, slash, last = source.rpartition("/")
    return f"{above}{slash}{filenames.joined(last, written)}"


def record_name(target: str) -> str:
    """Where the record of a picture is, within the output folder."""
    return _kept_as("records", target)


def pending_name(target: str) -> str:
    """Where it says that a picture is about to be put in its place."""
    return _kept_as("pending", target)


def _kept_as(kind: str, target: str) -> str:
    """A name like the picture's own; by its digest, in a tree apart, where that is too long or is also a folder's.

    So no two pictures share one, as ``a.jpg`` beside a folder ``a.jpg.json`` would.
    """
    *above, last = target.split("/")
    is_short = filenames.joined(last, _RECORD_SUFFIX) == f"{last}{_RECORD_SUFFIX}"
    if is_short and not any(part.lower().endswith(_RECORD_SUFFIX) for part in above):
        return f"{HIDDEN}/{kind}/{target}{_RECORD_SUFFIX}"
    return f"{HIDDEN}/{kind}-by-digest/{_digest(target)}{_RECORD_SUFFIX}"


def room_name(target: str) -> str:
    """The folder in which a video is made, within an output folder of this machine; of any name, so by its digest."""
    return f"{HIDDEN}/videos/{_digest(target)}"


def made_name(target: str) -> str:
    """Where a video is put together before it comes to its place."""
    return f"{room_name(target)}/dream{PurePosixPath(target).suffix}"


def all_names(job: FileJob) -> tuple[str, ...]:
    """All that is written for a job: the dream, its record, the note before it; and where a video is made."""
    names = job.target, record_name(job.target), pending_name(job.target)
    return (*names, room_name(job.target), made_name(job.target)) if job.is_video else names


def _digest(target: str) -> str:
    return hashlib.sha256(os.fsencode(target)).hexdigest()
