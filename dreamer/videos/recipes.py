"""Where a video keeps the recipe of its dream: in the container's own words about the file, under a name of ours."""

from __future__ import annotations

from pathlib import Path

from dreamer.errors import ImageReadError
from dreamer.images.recipes import KEYWORD, parsed
from dreamer.videos.pyav import reading


def read_recipe(path: Path) -> dict[str, object]:
    """Read how a video was made.

    Args:
        path: A video that `write_video` or :class:`Film` made.

    Returns:
        The recipe, as JSON gives it back.

    Raises:
        ImageReadError: The file cannot be read, or holds no recipe.
        MissingExtraError: PyAV is not installed.

    Example:
        >>> read_recipe(Path("clip-dream.mp4"))["settings"]  # doctest: +SKIP
        {'seed': 0}
    """
    path = Path(path)
    with reading(path) as container:
        # Matroska writes names in capitals.
        told = {name.lower(): words for name, words in container.metadata.items()}
    found = parsed(told.get(KEYWORD))
    if found is None:
        raise ImageReadError(
            f"{path} holds no recipe; a video made by dreamer is expected. "
            "A program that saved it since may have dropped the recipe."
        )
    return found
