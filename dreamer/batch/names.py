"""Names of files within a folder: which may be used, and where they lie. The one place that says so.

The one idea: a name comes out of a listing, and whoever fills a store decides what is listed. So a name is looked at
before it becomes a path, and again when something is written under it, after all links are followed.

Must not import: networks, Keras or anything heavy.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import unicodedata
from pathlib import Path

_MOST_BYTES = 255  # Of one part of a name, on nearly every file system.
_DRIVE = re.compile(r"[A-Za-z]:")


def flaw(name: str, *, foreign: bool = os.sep != "/") -> str | None:
    """Why a name is not one of a file below a folder: what completes the sentence "its name ...".

    Args:
        name: With ``/`` between its parts.
        foreign: Whether it is from elsewhere, so that it must be a name on every system and in every terminal.

    Returns:
        None if it is one.

    Example:
        >>> flaw("a/x.jpg"), flaw("/etc/x.jpg"), flaw("a/../../x.jpg")
        (None, 'has an empty part', "has the part '..'")
    """
    parts = name.split("/")
    if "" in parts:
        return "has an empty part"
    wrong = next((part for part in parts if part in (".", "..")), None)
    if wrong:
        return f"has the part {wrong!r}"
    if "\0" in name:
        return "holds a NUL"
    if not foreign:
        return None
    if "\\" in name:
        return "has a backslash"
    if _DRIVE.match(name):
        return "begins with a drive"
    if not name.isprintable() and any(unicodedata.category(character) == "Cc" for character in name):
        return "holds a control character"
    return None


def inside(root: str | Path, name: str) -> Path:
    """Where a file of a folder may be written.

    Args:
        root: The folder, which may itself be reached by a link.
        name: The file's name within it.

    Returns:
        Its path, which lies in the folder after all links are followed.

    Raises:
        OSError: The name is none of a file below the folder, or a link leads out of it.

    Example:
        >>> inside("dreams", "a/x.jpg").as_posix()
        'dreams/a/x.jpg'
    """
    wrong = flaw(name)
    if wrong:
        raise OSError(errno.EINVAL, f"is not written to, since its name {wrong}", name)
    path = Path(root, name)
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise OSError(errno.EPERM, f"is not written to, since a link leads from there out of {root}", str(path))
    return path


def fits(part: str) -> bool:
    """Whether a part of a name is short enough for a disk."""
    return len(part.encode("utf-8", "surrogateescape")) <= _MOST_BYTES


def shortened(part: str, suffix: str) -> str:
    """A part of a name that is too long with a suffix, cut so that it fits with it.

    Its digest takes the place of what is cut off, so that names which begin alike stay apart.

    Example:
        >>> len(shortened("x" * 255, ".png"))
        255
    """
    encoded = part.encode("utf-8", "surrogateescape")
    end = f"-{hashlib.sha256(encoded).hexdigest()[:16]}{suffix}"
    return encoded[: _MOST_BYTES - len(end)].decode("utf-8", "ignore") + end
