"""Which photo becomes which picture, and with what settings: jobs, as values.

The one idea: a picture has the whole name of its photo, suffix included, in a tree of the same shape. So ``a/x.jpg``
and ``b/x.jpg`` never meet, nor do ``x.jpg`` and ``x.png``, and nobody has to remember what was called what.

Must not import: networks, Keras.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from types import MappingProxyType

from dreamer.batch.folders import HIDDEN, Entry, Folder
from dreamer.errors import FolderError
from dreamer.images import READ_SUFFIXES, dream_suffix, is_read
from dreamer.settings import DreamSettings

DEFAULT_MAX_PIXELS = 500_000_000


@dataclass(frozen=True)
class Job:
    """One photo to be dreamt with one preset.

    Attributes:
        inputs: Where the photo is.
        source: The photo's name there.
        outputs: Where the picture goes.
        target: The picture's name there.
        preset: Name of the preset, "" for none.
        settings: How to dream.
        settings_sha256: Their digest.
        max_pixels: Photos with more are refused.
        source_stamp: What the store vouches the photo by; None where nothing does.
        damaged_ok: Whether the photo is taken if it is not whole.
        replaces: Whether a picture may be there that is to be replaced.
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
    preset_sha256: str = ""

    @property
    def origin(self) -> dict[str, str]:
        """Which preset it is, as recipes say it."""
        return {"preset": self.preset, "preset_sha256": self.preset_sha256} if self.preset else {}


@dataclass(frozen=True)
class Candidate:
    """A job that may have to be done, and why it cannot be, if that is known by now."""

    job: Job
    photo: Entry
    problem: str | None


def candidates(
    inputs: Folder,
    outputs: Folder,
    presets: Mapping[str, DreamSettings],
    *,
    digests: Mapping[str, str] = MappingProxyType({}),
    glob: str | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    damaged_ok: bool = False,
) -> list[Candidate]:
    """A job for every photo of a folder with every preset, preset by preset, so that each is compiled once.

    Args:
        inputs: Where the photos are.
        outputs: Where the pictures go; of a folder within *inputs*, the pictures are no photos.
        presets: Settings by name; if there are several, each gets a folder of that name.
        digests: Of the files of presets, by their names, for the recipes.
        glob: Which files are photos, as in ``"**/*.jpg"``, capital letters or not; None for all that have a suffix
            of a picture.
        max_pixels: Refuse photos with more.
        damaged_ok: Take photos that are not whole.

    Raises:
        FolderError: There is no such folder, no photo in it, or one folder lies in the other so that photos would
            be replaced.
        SettingsError: A file that settings name cannot be read.
    """
    if inputs.within(outputs) is not None:
        raise FolderError(
            f"the photos in {inputs.show()} lie within the output folder {outputs.show()}, where they could be "
            "replaced. Choose another output folder"
        )
    photos = [entry for entry in _outside(inputs, outputs) if _is_chosen(entry, glob)]
    if not photos:
        which = f"files that match {glob!r}" if glob else f"photos, such as {', '.join(list(READ_SUFFIXES)[:3])}"
        raise FolderError(f"there are no {which} in {inputs.show()}")
    names = Counter(_picture_name(entry.name) for entry in photos)
    found = []
    for preset, settings in presets.items():
        digest = settings.digest()
        for entry in photos:
            name = _picture_name(entry.name)
            target = f"{preset}/{name}" if len(presets) > 1 else name
            job = Job(
                *(inputs, entry.name, outputs, target, preset, settings, digest, max_pixels, entry.stamp),
                damaged_ok=damaged_ok,
                preset_sha256=digests.get(preset, ""),
            )
            # With a suffix of a picture the name is the photo's own, and nobody else's.
            clash = f"would be written as {name}, as another is; rename it" if name != entry.name else None
            found.append(Candidate(job, entry, entry.problem or (clash if names[name] > 1 else None)))
    return found


def _outside(inputs: Folder, outputs: Folder) -> Iterator[Entry]:
    """The entries of a folder that do not lie in the output folder."""
    within = outputs.within(inputs)
    for entry in inputs.walk():
        if within is None or not f"{entry.name}/".startswith(f"{within}/"):
            yield entry


def _is_chosen(entry: Entry, glob: str | None) -> bool:
    if entry.hides:
        return True
    is_named_so = is_read(PurePosixPath(entry.name).suffix)
    if glob is None:
        return is_named_so
    # Of folders, those that are called as pictures are worth a word.
    matches = _matches(entry.name.lower().split("/"), glob.lower().split("/"))
    return matches and (is_named_so or entry.problem is None)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a name match those of a pattern, ``**`` standing for any number of them."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _picture_name(source: str) -> str:
    """The photo's own name; with another suffix behind it if its own names no format that can be written."""
    suffix = PurePosixPath(source).suffix
    written = dream_suffix(suffix)
    return source if suffix and suffix == written else source + written


def record_name(target: str) -> str:
    """Where the record of a picture is, within the output folder."""
    return f"{HIDDEN}/records/{target}.json"


def pending_name(target: str) -> str:
    """Where it says that a picture is about to be put in its place."""
    return f"{HIDDEN}/pending/{target}.json"


def all_names(target: str) -> tuple[str, str, str]:
    """All that is written for a picture: itself, its record, and the note before it."""
    return target, record_name(target), pending_name(target)
