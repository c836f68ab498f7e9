"""What commands that make pictures share: free names, and files that are never lost."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreamer.errors import ImageExistsError, ImageWriteError

if TYPE_CHECKING:
    from dreamer.images import Photo


def free_name(names: Iterable[Path]) -> Path:
    """The first of some names that no file has."""
    return next(name for name in names if not name.exists() and not name.is_symlink())


def write_picture(
    result: Photo,
    recipe: Mapping[str, object],
    output: Path | None,
    names: Iterable[Path],
    *,
    overwrite: bool,
    note: Callable[[str], None],
) -> Path:
    """Write a result; if it cannot be written where it should be, keep it elsewhere and say where.

    Args:
        result: The picture.
        recipe: How it was made.
        output: Where it goes; None for the first of *names* that is free.
        names: Without end.
        overwrite: Whether a file at *output* may be replaced.
        note: Told what the format could not hold.

    Returns:
        Where it is.

    Raises:
        ImageWriteError: It is not where it should be; the message says where it was kept.
    """
    from dreamer import images

    names = iter(names)
    target = output or free_name(names)
    try:
        while True:
            try:
                for remark in images.write(target, result, recipe=recipe, overwrite=overwrite):
                    note(remark)
            except ImageExistsError:
                # Somebody took the name meanwhile.
                if output is not None:
                    raise
                target = free_name(names)
            else:
                return target
    except ImageWriteError as error:
        raise ImageWriteError(f"{error} {_keep_elsewhere(result, recipe, target.stem)}") from error


def _keep_elsewhere(result: Photo, recipe: Mapping[str, object], stem: str) -> str:
    """Save a finished picture from, say, a full disk; says where it is, or that even that failed."""
    from dreamer import images

    refuge = Path(tempfile.gettempdir()) / f"{stem[:100]}-{secrets.token_hex(4)}.png"
    try:
        images.write(refuge, result, recipe=recipe)
    except ImageWriteError as error:
        return f"The finished picture is lost: {error}"
    return f"The finished picture was kept as {refuge}"


def print_path(target: Path | str) -> None:
    """Print where a result is to standard output."""
    try:
        click.echo(str(target))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImageWriteError(f"{target} is written, but its name cannot be printed: {error.strerror}") from error
