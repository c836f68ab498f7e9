"""Putting an encoded picture in its place: whole or not at all, and never over a file that was not to be lost."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from dreamer.arrays import Size
from dreamer.errors import ImageExistsError, ImageWriteError
from dreamer.images.encoding import check_size, encode, format_name
from dreamer.images.opening import one_line
from dreamer.images.photo import Photo


def check_target(path: Path, *, overwrite: bool, size: Size | None = None) -> None:
    """Find out before the work starts what would make `write` fail.

    Args:
        path: Where the picture is to go.
        overwrite: Whether a file that is there may be replaced.
        size: ``(height, width)`` of the picture, if it is known by now.

    Raises:
        ImageWriteError: Unknown suffix; too large for the format; the
            directory is missing, no directory or not writable; the path is a
            directory, or a file that may not be replaced.

    Example:
        >>> check_target(Path("dream.png"), overwrite=True)
    """
    path = Path(path)
    check_no_folder(path, ".png")
    try:
        name = format_name(path.suffix)
        if size is not None:
            check_size(name, size)
    except ImageWriteError as error:
        raise ImageWriteError(f"{path} cannot be written: {error}") from None
    check_place(path, overwrite=overwrite)


def check_no_folder(path: Path, suffix: str) -> None:
    """Make sure that a picture is given a name, not only a folder.

    Args:
        path: Where it is to go.
        suffix: One that it could have, for an example.

    Raises:
        ImageWriteError: The path is a folder.
    """
    if os.path.isdir(path):  # noqa: PTH112  A name that is too long is no folder, and is said later.
        raise ImageWriteError(f"{path} is a directory; the name of a file is expected, as {path / f'dream{suffix}'}.")


def check_place(path: Path, *, overwrite: bool) -> None:
    """Find out whether a file of any format may be put somewhere.

    Raises:
        ImageWriteError: As `check_target` says, but for the suffix and the size.
    """
    try:
        real = _real(path)
        parent = real.parent
        if not parent.exists():
            raise ImageWriteError(f"{path} cannot be written: the directory {parent} does not exist. Create it first.")
        if not parent.is_dir():
            raise ImageWriteError(f"{path} cannot be written: {parent} is not a directory. Choose another place.")
        if real.is_dir():
            raise ImageWriteError(f"{path} is a directory; the name of a file is expected.")
        if real.exists() and not real.is_file():
            raise ImageWriteError(f"{path} is not a regular file, and is not replaced. Choose another name.")
        if real.exists() and not overwrite:
            raise _exists(path)
        if not os.access(parent, os.W_OK | os.X_OK):
            raise ImageWriteError(f"{path} cannot be written: no permission to write in {parent}.")
    except (OSError, ValueError) as error:
        raise ImageWriteError(f"{path} cannot be written: {one_line(error)}.") from error


def write(path: Path, photo: Photo, *, recipe: Mapping[str, object] | None, overwrite: bool = False) -> tuple[str, ...]:
    """Write a photo, in the format that the suffix names, whole or not at all.

    Args:
        path: Where it goes; a symbolic link is written through.
        photo: The picture and what travels along.
        recipe: How it was made, kept in the file; None for no recipe.
        overwrite: Replace a file that is there, keeping its permissions.

    Returns:
        One-line notes on what the format could not hold.

    Raises:
        ImageWriteError: As `check_target` and `encode` say, or the disk is full or failing.

    Example:
        >>> write(Path("dream.png"), photo, recipe={"seed": 0})  # doctest: +SKIP
        ()
    """
    path = Path(path)
    check_target(path, overwrite=overwrite)
    try:
        data, notes = encode(photo, path.suffix, recipe=recipe)
    except ImageWriteError as error:
        raise ImageWriteError(f"{path}: {error}") from error
    put(path, data, overwrite=overwrite)
    return notes


def put(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Put the bytes of a whole file in its place in one move, or leave everything as it was.

    Args:
        path: Where they go; a symbolic link is written through.
        data: The encoded file.
        overwrite: Replace a file that is there, keeping its permissions.

    Raises:
        ImageWriteError: A file is there by now that may not be replaced, or the disk is full or failing.
    """
    with placed(path, overwrite=overwrite) as file:
        file.write(data)


def move(part: Path, path: Path, *, overwrite: bool) -> None:
    """Bring a whole file, which is down on the disk, to its place in one move, or leave everything as it was.

    Args:
        part: The file; gone from there afterwards.
        path: Its place; a symbolic link is written through. On another disk it is copied there first.
        overwrite: Replace a file that is there, keeping its permissions.

    Raises:
        ImageWriteError: A file is there by now that may not be replaced, or the disk is full or failing.
    """
    real = _real(path)
    try:
        _like(real, part)
        _take_place(part, real, overwrite=overwrite)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise ImageWriteError(f"{path} cannot be written: {_meaning(error)}") from error
        with placed(path, overwrite=overwrite) as file, part.open("rb") as there:
            shutil.copyfileobj(there, file)
    part.unlink(missing_ok=True)


@contextlib.contextmanager
def placed(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """A file that comes to its place in one move, once the body has written it; if that fails, all is as it was.

    Args:
        path: Its place; a symbolic link is written through.
        overwrite: Replace a file that is there, keeping its permissions.

    Raises:
        ImageWriteError: A file is there by now that may not be replaced, or the disk is full or failing.
    """
    real = _real(path)
    part = real.parent / f".dreamer-{secrets.token_hex(8)}.part"
    try:
        with part.open("xb") as file:
            _like(real, part)
            yield file
            _settle(file, real)
        _take_place(part, real, overwrite=overwrite)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise ImageWriteError(f"{path} cannot be written: {_meaning(error)}") from error
    finally:
        # Also after a KeyboardInterrupt; gone already when all went well.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _exists(path: Path) -> ImageExistsError:
    return ImageExistsError(f"{path} exists already and is not replaced. Choose another name, or allow overwriting.")


def _settle(file: BinaryIO, _real: Path) -> None:
    """Write a file down to the disk, before it takes its place."""
    file.flush()
    os.fsync(file.fileno())


def _like(real: Path, part: Path) -> None:
    """Give a file the permissions of the one whose place it takes."""
    if real.exists():
        part.chmod(stat.S_IMODE(real.stat().st_mode))


def _take_place(part: Path, real: Path, *, overwrite: bool) -> None:
    if overwrite:
        part.replace(real)
    else:
        _place(part, real)


def _place(part: Path, real: Path) -> None:
    """Give the finished file its name, unless another has it by now."""
    try:
        # A hard link, unlike a rename, fails when the name is taken.
        real.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        # FAT and some network file systems have no hard links.
        if real.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(real)) from None
        part.replace(real)


def _meaning(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space is left on the disk. Free some, or choose another place."
    return f"{one_line(error)}."
