"""Folders by their paths and URLs: of this machine, or of an object store or file server.

Must not import: networks, Keras or anything heavy.
"""

from __future__ import annotations

from pathlib import Path

from dreamer.batching.folder import Folder
from dreamer.batching.local import LocalFolder
from dreamer.batching.remote import RemoteFolder


def folder(text: str) -> Folder:
    """The folder of a path or a URL.

    Raises:
        MissingExtraError: What reads such URLs is not installed.

    Example:
        >>> folder("photos/2024").show("a.jpg").endswith("photos/2024/a.jpg")
        True
    """
    if "://" in text and not text.startswith("file://"):
        return RemoteFolder.at(text)
    return LocalFolder(str(Path(text.removeprefix("file://")).absolute()))
