"""The magnitude spectrum of photos: what a folder of them has in the mean, kept in a file for ``maco``.

Must not import: networks, the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np

from dreamer import images
from dreamer.arrays import FloatArray, StoredArray, as_float, resize_stored
from dreamer.ascent import parametrizations
from dreamer.errors import ImageReadError, SettingsError
from dreamer.files import npy
from dreamer.images import files

_MOST_BYTES = 256_000_000  # Of magnitudes: a little more than those of the largest pictures, in float64.
_SPARE = 2  # Times the wanted size is what photos are read at: the rest of the way takes every pixel into account.


def photos(folder: Path) -> list[Path]:
    """All files of a folder, and of the folders in it, that may be photos by their suffix; in order.

    Raises:
        SettingsError: There is no such folder, or no photo in it.
    """
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder}")
    found = sorted(path for path in folder.rglob("*") if images.is_read(path.suffix) and path.is_file())
    if not found:
        raise SettingsError(
            f"there are no photos in {folder}; expected files such as {', '.join(list(images.READ_SUFFIXES)[:3])}"
        )
    return found


def of_photos(paths: Iterable[Path], side: int) -> Iterator[tuple[Path, FloatArray | ImageReadError]]:
    """The magnitudes of photos, each cut square about its middle, one after the other.

    Args:
        paths: The photos.
        side: To which each is resized, in pixels.

    Yields:
        Each path with ``(side, side // 2 + 1, 3)`` in decorrelated colours, or the error that says why it cannot
        be read.
    """
    for path, photo in images.read_ahead(paths, short_side=_SPARE * side):
        if isinstance(photo, ImageReadError):
            yield path, photo
        else:
            square = as_float(resize_stored(_middle(photo.pixels), (side, side)))
            yield path, parametrizations.spectrum_of(np.clip(square, 0, 1))


def _middle(pixels: StoredArray) -> StoredArray:
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def write(path: Path, magnitude: FloatArray, *, count: int, overwrite: bool = False) -> None:
    """Keep a spectrum in a ``.npz`` file, whole or not at all.

    Args:
        path: Where.
        magnitude: ``(side, side // 2 + 1, 3)``.
        count: Of how many photos it is the mean.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        ImageWriteError: It cannot be written there.
    """
    files.check_place(path, overwrite=overwrite)
    data = BytesIO()
    np.savez(data, magnitude=magnitude, photos=np.array(count))
    files.put(path, data.getvalue(), overwrite=overwrite)


def read(path: str | Path) -> FloatArray:
    """Read what :func:`write` wrote.

    Returns:
        ``(side, side // 2 + 1, 3)`` float32, not negative.

    Raises:
        SettingsError: There is no such file, or it is no spectrum.
    """
    try:
        with np.errstate(over="ignore"):  # What is beyond float32 is refused below.
            found = npy.read_member(Path(path), "magnitude", most=_MOST_BYTES).astype(np.float32)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no spectrum"
        raise SettingsError(f"cannot read {path}: {reason}. Make one with: dreamer spectrum FOLDER") from error
    fits = found.ndim == 3 and found.shape[1:] == (found.shape[0] // 2 + 1, 3)
    if not fits or not np.isfinite(found).all() or found.min() < 0 or not found.any():
        raise SettingsError(f"{path} holds no spectrum of photos. Make one with: dreamer spectrum FOLDER")
    return found
