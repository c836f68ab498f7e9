"""Pillow on a leash: which formats it may try, how large a picture may be, and what its many exceptions mean."""

from __future__ import annotations

import errno
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from dreamer import memory
from dreamer.errors import ImageReadError
from dreamer.files import regular
from dreamer.images.formats import FORMATS, known

# MPO, the JPEG of phones with several pictures inside, is opened by Pillow's JPEG plugin.
_MOST_EXIF = 100
_PLUGINS = tuple(one.plugin for one in FORMATS if one.plugin and one.name != "MPO")
_PART = 1 << 20  # Bytes read at once from a stream: nobody knows how many will come.
EMPTY = "is empty (0 bytes); a picture is expected. Copy or download it again."

# What Pillow was seen to raise, or documents to raise, on damaged bytes.
DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, RuntimeError),
    *(AttributeError, AssertionError, struct.error, zlib.error, MemoryError),
    Image.DecompressionBombError,
)

# Pillow's pixel limit and the warning filters are global to the process: one thread at a time may borrow them.
_lock = threading.RLock()


@contextmanager
def guarded(max_pixels: int, *, truncated_ok: bool = False) -> Iterator[None]:
    """Decode with our pixel limit and without warnings; leave Pillow's limits to the host program as they were.

    Args:
        max_pixels: The limit.
        truncated_ok: Whether Pillow gives what there is of a picture that ends early.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        # Pillow refuses beyond twice its limit, and only warns before that.
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = (max_pixels + 1) // 2, truncated_ok
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


def opened(data: bytes) -> ImageFile.ImageFile:
    """Open encoded bytes as one of the formats that are read; decodes nothing yet."""
    # Pillow joins the parts of a JPEG's EXIF one by one, which takes quadratic time.
    if data[:2] == b"\xff\xd8" and data.count(b"Exif\0\0") > _MOST_EXIF:
        raise SyntaxError(f"its EXIF comes in more than {_MOST_EXIF} parts")
    return Image.open(BytesIO(data), formats=_PLUGINS)


def file_bytes(path: Path) -> bytes:
    """Read a whole picture file.

    Raises:
        ImageReadError: It is missing, not a file, unreadable or empty.
    """
    try:
        data = regular.read_bytes(path, most=int(memory.free()))
    except FileNotFoundError as error:
        raise ImageReadError(f"{path} does not exist; a picture file is expected. Check the path.") from error
    except IsADirectoryError as error:
        raise ImageReadError(f"{path} is a directory; a picture file is expected.") from error
    except PermissionError as error:
        raise ImageReadError(f"{path} cannot be read: permission denied. Check the permissions.") from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ImageReadError(
                f"{path} {error.strerror}, for that is the memory that is free. Make it smaller with another program, "
                "or use a machine with more."
            ) from error
        reason = one_line(error)
        # What `regular` says completes the sentence by itself.
        raise ImageReadError(f"{path} {reason if reason[:3] == 'is ' else f'cannot be read: {reason}'}.") from error
    if not data:
        raise ImageReadError(f"{path} {EMPTY}")
    return data


def stream_bytes(stream: BinaryIO, name: str) -> bytes:
    """Read all of a stream, as of standard input, in which a whole picture file comes.

    Args:
        stream: It is read to its end, or until it has more than there is memory for.
        name: What errors call it.

    Raises:
        ImageReadError: It is empty, cannot be read, or has more bytes than there is memory for.

    Example:
        >>> stream_bytes(BytesIO(b"GIF89a"), "standard input")
        b'GIF89a'
    """
    data, most = bytearray(), int(memory.free())
    try:
        while part := stream.read(_PART):
            data += part
            if len(data) > most:
                raise ImageReadError(
                    f"{name} has more than {most:,} bytes, for that is the memory that is free. Send a smaller picture."
                )
    except OSError as error:
        raise ImageReadError(f"{name} cannot be read: {one_line(error)}.") from error
    if not data:
        raise ImageReadError(f"{name} is empty; the bytes of a picture file are expected, as in < photo.jpg")
    return bytes(data)


def explained(error: BaseException, max_pixels: int) -> str:
    """Say what an exception out of a decoder means: the end of a sentence that begins with the path."""
    if isinstance(error, ImageReadError):
        return str(error)
    if isinstance(error, UnidentifiedImageError):
        return f"is not a picture that can be read, or its header is damaged; expected {known()}. Convert it first."
    if isinstance(error, Image.DecompressionBombError):
        return too_large(max_pixels)
    if isinstance(error, MemoryError):
        return str(error) or "is too large for the memory of this machine. Reduce it first."
    if "truncated" in str(error).lower():
        return f"is truncated ({one_line(error)}); the whole picture is expected. Copy or download it again."
    return f"is damaged ({one_line(error)}). Copy or download it again, or save it anew in another program."


def too_large(max_pixels: int) -> str:
    """Say that a picture is beyond the limit."""
    return f"has more pixels than the limit of {max_pixels:,}. Reduce it first, or raise the limit."


def one_line(error: BaseException) -> str:
    """Put an exception on one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
