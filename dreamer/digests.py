"""The digest of a file, the one way it is computed. Must not import anything of the package, nor anything heavy."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The digest of a file, as hexadecimal digits.

    Raises:
        OSError: The file cannot be read.

    Example:
        >>> len(digest_of(Path(__file__)))
        64
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
