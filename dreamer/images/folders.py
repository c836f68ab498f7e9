"""Folders that a command fills: whether it may, and pictures put into them.

Must not import: networks, Keras.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import StoredArray, as_stored
from dreamer.errors import ImageWriteError
from dreamer.images import files
from dreamer.images.encoding import encode
from dreamer.images.photo import Photo


def check(folder: Path, names: Iterable[str], *, overwrite: bool) -> None:
    """Find out whether a folder can be filled.

    Args:
        folder: Where; it need not be there, but the folder above it.
        names: Of the files by which one knows that it is filled already.
        overwrite: Whether those may be replaced.

    Raises:
        ImageWriteError: It cannot, or is filled already.
    """
    if folder.exists() and not folder.is_dir():
        raise ImageWriteError(f"{folder} is a file; a folder is expected")
    if not folder.absolute().parent.is_dir():
        raise ImageWriteError(f"{folder} cannot be written: the directory {folder.absolute().parent} does not exist")
    if folder.exists():
        for name in names:
            files.check_place(folder / name, overwrite=overwrite)


def put_picture(folder: Path, name: str, pixels: StoredArray, alpha: NDArray[Any] | None = None) -> str:
    """Write a picture into a folder of ours, in place of one that is there.

    Args:
        folder: Where.
        name: Relative to it; its suffix gives the format.
        pixels: ``(height, width, 3)``, in [0, 1] or in levels.
        alpha: ``(height, width)`` in [0, 1]; None for an opaque picture.

    Returns:
        The name.

    Raises:
        ImageWriteError: It cannot be written.
    """
    put(folder, name, encoded(Path(name).suffix, pixels, alpha))
    return name


def put(folder: Path, name: str, data: bytes) -> None:
    """Write a file into a folder of ours, in place of one that is there.

    Raises:
        ImageWriteError: It cannot be written, or a link leads out of the folder.
    """
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageWriteError(f"{path.parent} cannot be made: {error.strerror}") from error
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise ImageWriteError(f"{path} leads out of {folder}; take away the link, or choose another folder")
    files.put(path, data, overwrite=True)


def encoded(suffix: str, pixels: StoredArray, alpha: NDArray[Any] | None = None) -> bytes:
    """A picture as the bytes of a file."""
    levels = pixels if pixels.dtype == np.uint8 else as_stored(np.clip(pixels, 0, 1), np.uint8)
    opacity = None if alpha is None else np.asarray(np.rint(255 * np.clip(alpha, 0, 1)), np.uint8)
    return encode(Photo(levels, alpha=opacity), suffix, recipe=None)[0]


def sweep(folder: Path, pattern: str) -> None:
    """Take away what an earlier run left in a folder of ours.

    Raises:
        ImageWriteError: It cannot be taken away.
    """
    if Path(os.path.realpath(folder)) != folder.absolute() and folder.is_symlink():
        return
    for path in folder.glob(pattern):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ImageWriteError(f"{path} cannot be taken away: {error.strerror}") from error
