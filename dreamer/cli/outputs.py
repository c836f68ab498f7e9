"""What commands share: free names, files that are never lost, and what is printed to standard output."""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreamer.errors import ImageExistsError, ImageWriteError
from dreamer.files import names as filenames
from dreamer.wording import harmless, one_line

if TYPE_CHECKING:
    from dreamer.arrays import StoredArray
    from dreamer.images import Photo

Ways = Mapping[str, Callable[[Path], object]]
"""What writes something, by the suffix of its file; "" for a folder."""


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
        ImageWriteError: It is not where it should be; a note of it says where it was kept.
    """
    from dreamer import images

    names = iter(names)
    target = output or free_name(names)
    with rescued(target.stem, {".png": lambda refuge: images.write(refuge, result, recipe=recipe)}):
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


@contextmanager
def rescued(stem: str, ways: Ways, *, when: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Keep what was computed, whatever goes wrong in the body; a note of the error says where it is.

    Args:
        stem: What the name of what is kept begins with.
        ways: What writes it, by suffix; the first that works is taken.
        when: Whether there is anything to keep.
    """
    with noted(lambda: keep_elsewhere(stem, ways) if when() else None):
        yield


@contextmanager
def noted(sentence: Callable[[], str | None]) -> Iterator[None]:
    """Add a sentence, if there is one, to whatever goes wrong in the body; the command line says it with the error."""
    try:
        yield
    except Exception as error:
        words = sentence()
        if words is not None:
            error.add_note(words)
        raise


def keep_elsewhere(stem: str, ways: Ways) -> str:
    """Save what was computed from, say, a full disk.

    Args:
        stem: What its name begins with.
        ways: What writes it, by suffix; the first that works is taken.

    Returns:
        A sentence that says where it is, or that even that failed.
    """
    reasons = []
    for folder in (tempfile.gettempdir, Path.cwd, Path.home):
        for suffix, write in ways.items():
            try:
                refuge = Path(folder()) / filenames.joined(stem, f"-{secrets.token_hex(4)}{suffix}")
                write(refuge)
            except Exception as error:  # noqa: BLE001  What went wrong first must not be hidden by this.
                reasons.append(" ".join(str(error).split()))
            else:
                return f"What was computed is kept as {refuge}"
    return f"What was computed is lost: {reasons[0]}"


def frame_writer(
    frames: Callable[[], Iterable[StoredArray]], recipe: Callable[[], Mapping[str, object]]
) -> Callable[[Path], None]:
    """What writes frames into a folder, which it makes: ``0001.png``, ..."""

    def write(folder: Path) -> None:
        from dreamer import images

        folder.mkdir()
        for number, frame in enumerate(frames(), start=1):
            images.write(folder / f"{number:04d}.png", images.Photo(frame), recipe={**recipe(), "frame": number})

    return write


def check_not_photo(target: Path, photo: Path) -> None:
    """Make sure that a result does not take the place of the photo.

    Raises:
        ImageWriteError: It would.
    """
    if target.exists() and target.samefile(photo):
        raise ImageWriteError(
            f"the output {target} is the photo itself, which is never written to. Choose another name"
        )


def check_picture_folder(folder: Path, pattern: str, photo: Path, *, overwrite: bool) -> None:
    """Find out now that numbered pictures could not be written into a folder, which may have to be made.

    Args:
        folder: Where they go.
        pattern: Which files are in their way.
        photo: What they are made from, which is never written to.
        overwrite: Whether files of that pattern may be replaced.

    Raises:
        ImageWriteError: They could not.
    """
    from dreamer import images

    if folder.exists() and not folder.is_dir():
        raise ImageWriteError(f"{folder} is no folder; expected one for the pictures, or a new name")
    images.check_place(folder / "picture.png" if folder.exists() else folder, overwrite=True)
    if not folder.exists():
        return
    if photo.absolute().parent.samefile(folder):
        raise ImageWriteError(f"the photo {photo} lies in {folder}; expected a folder of their own for the pictures")
    there = min(folder.glob(pattern), default=None)
    if there is not None and not overwrite:
        raise ImageExistsError(f"{there} exists; give another folder, or --overwrite")


def print_path(target: Path | str) -> None:
    """Print where a result is to standard output, for another program to the byte."""
    try:
        print_exactly(str(target), os.fsencode(target))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImageWriteError(f"{target} is written, but its name cannot be printed: {error.strerror}") from error


def print_exactly(text: str, exact: bytes) -> None:
    """Print to standard output what another program may read: exact there, made harmless on a terminal."""
    has_bytes = hasattr(sys.stdout, "buffer") and not sys.stdout.isatty()
    click.echo(exact if has_bytes else harmless(text))


def print_text(text: str) -> None:
    """Print lines to standard output that a person reads: harmless, and in letters that it can take."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(harmless(text).encode(encoding, "backslashreplace").decode(encoding))


def print_line(text: str) -> None:
    """The same of a single line, which nothing in it ends."""
    print_text(one_line(text))


def print_json(value: object) -> None:
    """Print to standard output what JSON can hold: in ASCII, with nothing that a terminal obeys."""
    click.echo(json.dumps(value, indent=2).replace("\x7f", "\\u007f"))
