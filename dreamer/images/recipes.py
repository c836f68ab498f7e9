"""Where each format keeps the recipe of a dream, a JSON object.

PNG: a text chunk "dreamer". JPEG, WebP, TIFF and AVIF: the EXIF tag ImageHistory, which means "what was done to the
image" and takes no caption's or comment's place. GIF: at the end of the comment. BMP has no room, so the recipe
follows the pixels, where readers do not look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from dreamer.errors import ImageReadError
from dreamer.files.documents import parse_json
from dreamer.images import exif, heif
from dreamer.images.opening import DAMAGE, explained, file_bytes, guarded, opened
from dreamer.images.photo import Photo

KEYWORD = "dreamer"
_MARKER = b"dreamer-recipe"
Recipe = Mapping[str, object] | None
"""How a picture was made, as JSON can hold it; None to keep nothing of it."""

_MOST_BYTES = 4_000_000  # Of a recipe; those of the largest sheets have a tenth of it.


def dumped(recipe: Mapping[str, object]) -> bytes:
    """A recipe as ASCII JSON."""
    return json.dumps(dict(recipe), ensure_ascii=True).encode("ascii")


def source_of(name: str, sha256: str, photo: Photo) -> dict[str, object]:
    """What a recipe says of the photo that a picture is made from.

    Args:
        name: Of its file, without the folder.
        sha256: The digest of the file.
        photo: What it held. If it was not whole, the recipe says so, and whoever does it again takes it again.
    """
    return {"name": name, "sha256": sha256} | ({"damaged": True} if photo.is_damaged else {})


def marked(before: bytes, recipe: bytes) -> bytes:
    """Append a recipe to bytes that have another meaning."""
    return before + _MARKER + recipe


def split_marked(data: bytes) -> tuple[bytes, bytes | None]:
    """Undo `marked`: what was there before, and the recipe or None."""
    before, marker, recipe = data.rpartition(_MARKER)
    return (before, recipe) if marker and parsed(recipe) is not None else (data, None)


def without_recipe(block: exif.Block) -> exif.Block:
    """An EXIF block without our recipe; another program's image history stays."""
    if parsed(block.data(exif.IMAGE_HISTORY)) is None:
        return block
    return exif.Block(block.order, {tag: e for tag, e in block.entries.items() if tag != exif.IMAGE_HISTORY})


def parsed(data: bytes | str | None) -> dict[str, object] | None:
    """A recipe out of what a file keeps of it; None where that is none."""
    if data is None or len(data) > _MOST_BYTES:
        return None
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        value = parse_json(text.rstrip("\0"))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def read_recipe(path: Path) -> dict[str, object]:
    """Read how a picture was made.

    Args:
        path: A picture that `write` made.

    Returns:
        The recipe that was given to `write`, as JSON gives it back.

    Raises:
        ImageReadError: The file cannot be read, or holds no recipe.

    Example:
        >>> read_recipe(Path("photo_dream.jpg"))  # doctest: +SKIP
        {'dreamer': '1.0', 'seed': 0}
    """
    return recipe_in(file_bytes(path), path)


def recipe_in(data: bytes, path: str | Path) -> dict[str, object]:
    """Read how a picture was made out of the bytes of its file; *path* is what to call it.

    Raises:
        ImageReadError: They are no picture, or hold no recipe.
    """
    limit = 2**40  # nothing is decoded here, so no size is too large
    try:
        with guarded(limit):
            found = parsed(_stored(data))
    except DAMAGE as error:
        raise ImageReadError(f"{path} {explained(error, limit)}") from error
    if found is None:
        raise ImageReadError(
            f"{path} holds no recipe; a picture made by dreamer is expected. "
            "A program that saved it since may have dropped the recipe."
        )
    return found


def _stored(data: bytes) -> bytes | str | None:
    block = exif.parse(data)
    if block is not None:
        return block.data(exif.IMAGE_HISTORY)
    if heif.is_heif(data):  # Which is never written here.
        return None
    with opened(data) as image:
        if image.format == "PNG":
            text = image.info.get(KEYWORD)
            return text if isinstance(text, str) else None
        if image.format == "BMP":
            return split_marked(data)[1]
        if image.format == "GIF":
            comment = image.info.get("comment", b"")
            return split_marked(comment)[1]
        block = exif.parse(image.info.get("exif", b"").removeprefix(b"Exif\0\0"))
        return block.data(exif.IMAGE_HISTORY) if block else None
