"""Names of files, made so that a folder can hold them.

The one idea: a name has at most 255 bytes, of which a Japanese character takes three, so a name that is made from
another by adding to it may be too long. Its stem is then cut, and a digest of all of it put in the place of the rest:
two stems never become one, and the same stem always becomes the same.

Must not import anything of the package, nor anything heavy.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

LONGEST = 255
"""Bytes that a name may have, on nearly every file system."""

_DIGITS = 8
_JOINER = "\N{ZERO WIDTH JOINER}"
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


def joined(stem: str, ending: str) -> str:
    """A stem with something added, short enough for a file system.

    Args:
        stem: What the name begins with, as Python gives it: bytes that are no text are surrogates.
        ending: What it ends with, suffix included; it is kept whole.

    Example:
        >>> joined("photo", "-dream.png")
        'photo-dream.png'
        >>> joined(85 * "夢", "-dream.png")[75:]
        '夢夢夢-7a965e3e-dream.png'
    """
    room = LONGEST - len(os.fsencode(ending))
    if len(os.fsencode(stem)) <= room:
        return stem + ending
    digest = hashlib.sha256(os.fsencode(stem)).hexdigest()[:_DIGITS]
    return f"{_cut(stem, room - _DIGITS - 1)}-{digest}{ending}"


def _cut(text: str, most: int) -> str:
    """The beginning of a text, at most so many bytes, never ending within a character."""
    end = size = 0
    while end < len(text) and size + len(os.fsencode(text[end])) <= most:
        size += len(os.fsencode(text[end]))
        end += 1
    while 0 < end < len(text) and _continues(text[end - 1], text[end]):
        end -= 1
    return text[:end]


def _continues(before: str, after: str) -> bool:
    """Whether two code points are parts of one character, as a letter and its accent are."""
    return _JOINER in (before, after) or unicodedata.category(after).startswith("M")


def slug(layer: str) -> str:
    """A file name for a layer: its own name where that is one.

    Example:
        >>> slug("block4b"), slug("mixed/conv")
        ('block4b', 'mixed-conv-e0d6c831')
    """
    if _PLAIN.fullmatch(layer):
        return layer
    bare = re.sub(r"[^A-Za-z0-9_.-]+", "-", layer).strip("-.")[:60]
    return f"{bare or 'layer'}-{hashlib.sha256(layer.encode(errors='surrogatepass')).hexdigest()[:8]}"


def free_name(names: Iterable[Path]) -> Path:
    """The first of some names that no file has."""
    return next(name for name in names if not name.exists() and not name.is_symlink())
