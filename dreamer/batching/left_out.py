"""Files that become no dreams: why, and how many of which kind, so that none is left out in silence.

Must not import: networks, Keras.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from dreamer.batching.folder import FileEntry, Folder
from dreamer.batching.globs import Glob
from dreamer.errors import MissingExtraError
from dreamer.images.formats import missing_extra
from dreamer.videos import is_video
from dreamer.videos.pyav import check_installed

_MOST_KINDS = 8  # That a summary names.


class LeftOut(NamedTuple):
    """A file that becomes no dream.

    Attributes:
        inputs: Where it is.
        name: Its name there.
        reason: Why.
    """

    inputs: Folder
    name: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"status": "left out", "input": f"{self.inputs.show()}/{self.name}", "reason": self.reason}


def why_not(entry: FileEntry, glob: Glob | None, *, takes_videos: bool = False) -> str:
    """Why a file is left out: the end of a sentence that begins with its name.

    Args:
        entry: The file.
        glob: Which files are meant.
        takes_videos: Whether videos are taken, where what reads them is installed.
    """
    if entry.flaw:
        return f"its name {entry.flaw}, so it might be written anywhere; rename it"
    if glob is not None and not glob.matches(entry.name):
        return f"does not match {glob.text!r}"
    if entry.problem:
        return entry.problem
    suffix = suffix_of(entry.name)
    is_lacking = takes_videos and is_video(entry.name) and not reads_videos()
    if extra := "video" if is_lacking else missing_extra(suffix):
        return f"{suffix} needs the extra [{extra}]: python -m pip install 'deepdreamer[{extra}]'"
    kinds = "a picture or a video" if takes_videos else "a picture"
    return f"{suffix} is no suffix of {kinds} that is read" if suffix else f"has no suffix of {kinds}"


def reads_videos() -> bool:
    """Whether what reads videos is installed."""
    try:
        check_installed()
    except MissingExtraError:
        return False
    return True


def counted(left_out: Sequence[LeftOut]) -> dict[str, int]:
    """How many files of each suffix are left out, the most first."""
    counts = Counter(map(_kind, left_out))
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def told(left_out: Sequence[LeftOut]) -> str:
    """The same in words, ``""`` where nothing is left out.

    Example:
        >>> from dreamer.batching.folders import folder
        >>> told([LeftOut(folder("photos"), name, "") for name in ("a.heic", "b.HEIC", "c.mov")])
        'left out: 2 .heic, 1 .mov'
    """
    counts = counted(left_out)
    kinds = [f"{count} {suffix}" for suffix, count in list(counts.items())[:_MOST_KINDS]]
    others = sum(list(counts.values())[_MOST_KINDS:])
    return f"left out: {', '.join([*kinds, *([f'{others} others'] if others else [])])}" if counts else ""


def instead(left_out: Sequence[LeftOut]) -> str:
    """What a folder holds instead of photos; of the most frequent kind, why it is no photo."""
    if not left_out:
        return ""
    most = next(iter(counted(left_out)))
    first = next(one for one in left_out if _kind(one) == most)
    return f"; {told(left_out)}. The first is {first.name}: {first.reason}"


def suffix_of(name: str) -> str:
    """The suffix of a name, with its dot, in small letters; ``""`` for none."""
    return PurePosixPath(name).suffix.lower()


def _kind(one: LeftOut) -> str:
    return suffix_of(one.name) or "without a suffix"
