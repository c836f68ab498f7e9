"""Which masks can be had without painting one, by name.

Must not import NumPy, Keras or anything heavy: the command line reads the names from here.
"""

from __future__ import annotations

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "subject": "what the network takes the photo for, cut out of the rest",
    "sky": "the sky",
    "edges": "a soft band along the strong edges",
}
"""What each mask of a name is white on. A file of such a name is written ``./subject``."""


def is_kind(mask: str | None) -> bool:
    """Whether a mask is named, to be made from the photo at hand, and no file.

    Example:
        >>> is_kind("sky"), is_kind("./sky"), is_kind("sky.png"), is_kind(None)
        (True, False, False, False)
    """
    return mask in KINDS


def as_file(path: str) -> str:
    """The path of a mask, written so that it names no kind.

    Example:
        >>> as_file("sky"), as_file("masks/sky")
        ('./sky', 'masks/sky')
    """
    return f"./{path}" if path in KINDS else path
