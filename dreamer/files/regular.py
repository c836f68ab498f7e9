"""Regular files: the one way to open what a person, a recipe or a preset names.

The one idea: a device, a FIFO or a socket can block for ever or never end, so what is opened is looked at before a
byte is read, and by the descriptor itself, so that nothing can be put in its place meanwhile. Every refusal is an
``OSError`` whose ``strerror`` completes the sentence "PATH: ...".

Must not import anything of the package, nor anything heavy.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_KINDS = (
    (stat.S_ISDIR, "is a directory"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
    (stat.S_ISFIFO, "is a pipe"),
    (stat.S_ISSOCK, "is a socket"),
)


def open_regular(path: Path, *, most: int | None = None) -> BufferedReader:
    """Open a regular file for reading.

    Args:
        path: Where it is; links are followed.
        most: Refuse a larger one, in bytes; None for any size.

    Raises:
        OSError: It is missing, unreadable, larger than *most*, or anything but a regular file.

    Example:
        >>> with open_regular(Path(__file__)) as file:
        ...     len(file.read(3))
        3
    """
    try:
        # Without O_NONBLOCK, to open a FIFO is to wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # A name that no file can have, as one with a NUL in it.
        raise OSError(errno.EINVAL, f"is no name of a file ({error})", str(path)) from error
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        raise OSError(errno.EINVAL, _refusal(path.stat().st_mode), str(path)) from error  # A socket.
    found = os.fstat(descriptor)
    mode = found.st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(number, _refusal(mode), str(path))
    if most is not None and found.st_size > most:
        os.close(descriptor)
        raise OSError(errno.EFBIG, f"has {found.st_size:,} bytes; at most {most:,} are expected", str(path))
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path, *, most: int | None = None) -> bytes:
    """Read all of a regular file.

    Args:
        path: Where it is.
        most: As `open_regular` takes it.

    Raises:
        OSError: As `open_regular` says.

    Example:
        >>> read_bytes(Path(__file__))[:3]
        b'\"\"\"'
    """
    with open_regular(path, most=most) as file:
        return file.read()


def read_text(path: Path, *, most: int | None = None) -> str:
    """Read all of a regular file of UTF-8 text, a byte order mark left out.

    Raises:
        OSError: As `read_bytes` says.
        UnicodeDecodeError: It is no UTF-8; a ``ValueError``.
    """
    return read_bytes(path, most=most).decode("utf-8-sig")


def lies_within(folder: Path, path: Path) -> bool:
    """Whether a file lies in a folder or below it, after links are resolved; it need not be there.

    Example:
        >>> lies_within(Path(__file__).parent, Path(__file__)), lies_within(Path(__file__).parent, Path("/"))
        (True, False)
    """
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except ValueError:  # A name that no file can have.
        return False


def _refusal(mode: int) -> str:
    kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "is no regular file")
    return f"{kind}; a regular file is expected"
