"""The one door to PyAV, and the leash it is on.

The one idea: what FFmpeg opens is a file that we opened. A crafted container or playlist may name others, on the disk
or in a network, so nothing that it asks for is opened, and formats that consist of such names are not even tried.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from io import BufferedReader
from pathlib import Path
from typing import Any

from dreamer.errors import ImageReadError, MissingExtraError
from dreamer.files.regular import open_regular
from dreamer.images.opening import EMPTY, one_line
from dreamer.videos.formats import DEMUXERS

_BUFFER = 1 << 18  # Bytes that FFmpeg asks for at once.
_KEEPS_WORDS = 19  # The version that does without being told, and does not take the argument.
_COMMAND = "python -m pip install 'deepdreamer[video]'"


def check_installed() -> None:
    """Make sure that PyAV is there, without importing it.

    Raises:
        MissingExtraError: It is not; the message says how to install it.
    """
    if find_spec("av") is None:
        raise MissingExtraError(f"video files need a package that is not installed. Install it: {_COMMAND}")


def pyav() -> Any:
    """PyAV itself, silenced.

    Raises:
        MissingExtraError: It is not installed; the message says how to install it.
    """
    check_installed()
    os.environ.setdefault("SVT_LOG", "1")  # The AV1 encoder asks this alone what it may print: errors.
    import av

    av.logging.set_level(None)
    return av


@contextmanager
def reading(path: Path, **options: Any) -> Iterator[Any]:
    """A video file, opened for reading.

    Args:
        path: Where it is.
        **options: Of FFmpeg.

    Raises:
        ImageReadError: It is missing, no regular file, empty or nothing that is read.
        MissingExtraError: PyAV is not installed.
    """
    av = pyav()
    with opened(path) as file:
        if not os.fstat(file.fileno()).st_size:
            raise ImageReadError(f"{path} {EMPTY.replace('a picture', 'a video')}")
        try:
            container = av.open(
                file,
                mode="r",
                options={"format_whitelist": ",".join(DEMUXERS), "protocol_whitelist": "none", **options},
                **words_as_bytes(),
                buffer_size=_BUFFER,
                io_open=_refused,
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise ImageReadError(
                f"{path} is not a video that can be read, or it is damaged ({reason(error)}); a video file is "
                "expected. Copy or download it again, or convert it first."
            ) from error
        with container:
            yield container


def words_as_bytes() -> dict[str, str]:
    """What has PyAV keep a file's words to the byte, whatever alphabet they are in; from 19 on it does by itself."""
    return {"metadata_errors": "surrogateescape"} if int(pyav().__version__.split(".")[0]) < _KEEPS_WORDS else {}


def opened(path: Path) -> BufferedReader:
    """A regular file, open for reading.

    Raises:
        ImageReadError: It is missing, unreadable or something else.
    """
    try:
        return open_regular(path)
    except FileNotFoundError as error:
        raise ImageReadError(f"{path} does not exist; a video file is expected. Check the path.") from error
    except OSError as error:
        why = one_line(error)
        raise ImageReadError(f"{path} {why if why[:3] == 'is ' else f'cannot be read: {why}'}.") from error


def reason(error: BaseException) -> str:
    """What an error of FFmpeg says, without the name of the file and the code behind it."""
    words = getattr(error, "strerror", None) or str(error)
    return " ".join(words.split()).rstrip(".") or type(error).__name__


def _refused(url: str, *_: object) -> Any:
    raise PermissionError(f"a video may not open {url}")
