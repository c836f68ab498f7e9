"""Whether a file is still the same: its digest, and its stamp, which needs no reading; the one way each is computed.

Must not import anything of the package but :mod:`dreamer.files.regular` and :mod:`dreamer.memory`, nor anything heavy.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from dreamer import memory
from dreamer.files.regular import open_regular


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The digest of a file, as hexadecimal digits.

    Raises:
        OSError: The file cannot be read, is no regular file, or is larger than the memory that is free: nobody could
            use it, and a file of holes can claim to be of any size.

    Example:
        >>> len(digest_of(Path(__file__)))
        64
    """
    with open_regular(path, most=int(memory.free())) as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def stamp_of(path: Path) -> str:
    """What changes when a file is written: a name for its content within a process, without reading it.

    Raises:
        OSError: It is not there.

    Example:
        >>> stamp_of(Path(__file__)) == stamp_of(Path(__file__))
        True
    """
    found = path.stat()
    return f"{found.st_mtime_ns}-{found.st_size}"
