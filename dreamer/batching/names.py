"""Names of files within a folder: which may be used, and where they lie. The one place that says so.

The one idea: a name comes out of a listing, and whoever fills a store decides what is listed. So a name is looked at
before it becomes a path, and again when something is written under it, after all links are followed.

Must not import: networks, Keras or anything heavy.
"""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from pathlib import Path

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
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return "is one that no disk can hold"
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
    if not is_within(path, root):
        raise OSError(errno.EPERM, f"is not written to, since a link leads from there out of {root}", str(path))
    return path


def is_within(path: str | Path, root: str | Path) -> bool:
    """Whether a path lies in a folder, or is the folder, after all links are followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
