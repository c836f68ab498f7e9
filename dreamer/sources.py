"""Photos that something is made from: pictures of any kind as photos, with what recipes say of them.

Must not import Keras, or anything that needs it: a photo that cannot be read is said at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from dreamer import images, videos
from dreamer.arrays import check_levels
from dreamer.errors import ImageReadError
from dreamer.files import names
from dreamer.images import Photo
from dreamer.images.opening import file_bytes
from dreamer.images.recipes import source_of
from dreamer.results import Result


def opened(
    picture: Any,
    *,
    max_side: int | None = None,
    short_side: int | None = None,
    work_bytes: int = 0,
    damaged_ok: bool = False,
) -> tuple[Photo, dict[str, object]]:
    """A picture as a photo, and what recipes say of where it comes from.

    Args:
        picture: A path, a Pillow image, a photo, a result, or an array ``(height, width, 3)`` of RGB.
        max_side: How long the longer side of a file's picture may be, in pixels; None for any length.
        short_side: The same of the shorter side.
        work_bytes: Memory that will be taken for each of its pixels.
        damaged_ok: Whether a file is taken that is not whole.

    Raises:
        ImageReadError: It cannot be read, or is an array of another shape or range.
    """
    if isinstance(picture, str | Path):
        options = {"max_side": max_side, "short_side": short_side, "work_bytes": work_bytes}
        return read_photo(Path(picture), damaged_ok=damaged_ok, **options)
    if isinstance(picture, Photo):
        return picture, {}
    if isinstance(picture, Result):
        return picture.photo, {}
    if not isinstance(picture, np.ndarray):
        return images.from_pil(picture, compact=True), {}
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ImageReadError(f"the array has shape {picture.shape}; expected (height, width, 3)")
    check_levels(picture)
    stored = picture if picture.dtype in (np.uint8, np.uint16) else np.ascontiguousarray(picture, np.float32)
    return Photo(stored, bits=16 if stored.dtype == np.uint16 else 8), {}


def read_photo(path: Path, **options: Any) -> tuple[Photo, dict[str, object]]:
    """Read a photo once: what it holds, and what recipes say of it.

    Args:
        path: Where it is.
        **options: Of ``images.decode``.

    Raises:
        ImageReadError: It cannot be read.
    """
    return photo_of(file_bytes(path), path.name, str(path), **options)


def photo_of(data: bytes, name: str, shown_as: str, **options: Any) -> tuple[Photo, dict[str, object]]:
    """The same of the bytes of a picture file, wherever they come from.

    Args:
        data: The bytes.
        name: What recipes call the file; "" for one without a name.
        shown_as: What errors call it.
        **options: Of ``images.decode``.

    Raises:
        ImageReadError: They are no picture.
    """
    photo = images.decode(data, shown_as, compact=True, **options)
    source = source_of(name, hashlib.sha256(data).hexdigest(), photo)
    return photo, {key: value for key, value in source.items() if value != ""}


def read_recipe(path: Path) -> dict[str, object]:
    """How a picture or a video was made, as it says itself; which of the two it is, its suffix tells.

    Args:
        path: A file that dreamer made.

    Raises:
        ImageReadError: It cannot be read, or holds no recipe.
        MissingExtraError: It is a video, and what reads those is not installed.

    Example:
        >>> read_recipe(Path("clip-dream.mp4"))["settings"]  # doctest: +SKIP
        {'seed': 0}
    """
    return videos.read_recipe(path) if videos.is_video(path.name) else images.read_recipe(path)


def result_names(photo: Path, what: str, suffix: str | None = None) -> Iterator[Path]:
    """Names for what is made of a photo: ``<stem>-<what><suffix>`` beside it, and more of the kind.

    Args:
        photo: Its file.
        what: A word for what is made.
        suffix: Of the result; None for that of the photo, or ``.png`` where that is not written.

    Example:
        >>> next(result_names(Path("cats/tabby.heic"), "dream")).as_posix()
        'cats/tabby-dream.png'
    """
    suffix = images.dream_suffix(photo.suffix) if suffix is None else suffix
    endings = (f"-{what}{'' if number == 1 else f'-{number}'}{suffix}" for number in count(1))
    return (photo.with_name(names.joined(photo.stem, ending)) for ending in endings)
