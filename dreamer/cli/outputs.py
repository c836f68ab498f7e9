"""What commands share: files that are never lost, and what is printed to standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from dreamer.errors import ImageExistsError, ImageReadError, ImageWriteError
from dreamer.files.names import free_name
from dreamer.files.refuge import rescued
from dreamer.wording import harmless, one_line

if TYPE_CHECKING:
    from dreamer.results import Result


def write_result(
    result: Result, output: Path | None, names: Iterable[Path], *, overwrite: bool, note: Callable[[str], None]
) -> Path:
    """Write a result; if it cannot be written where it should be, keep it elsewhere and say where.

    Args:
        result: The picture with its recipe.
        output: Where it goes; None for the first of *names* that is free.
        names: Without end.
        overwrite: Whether a file at *output* may be replaced.
        note: Told what the format could not hold.

    Returns:
        Where it is.

    Raises:
        ImageWriteError: It is not where it should be; a note of it says where it was kept.
    """
    names = iter(names)
    target = output or free_name(names)
    with rescued(target.stem, {".png": result.save}):
        while True:
            try:
                for remark in result.save(target, overwrite=overwrite):
                    note(remark)
            except ImageExistsError:
                # Somebody took the name meanwhile.
                if output is not None:
                    raise
                target = free_name(names)
            else:
                return target


def check_not_photo(target: Path, photo: Path | None) -> None:
    """Make sure that a result does not take the place of the photo, if there is one.

    Raises:
        ImageWriteError: It would.
    """
    if photo is not None and target.exists() and photo.exists() and target.samefile(photo):
        raise ImageWriteError(
            f"the output {target} is the photo itself, which is never written to. Choose another name"
        )


def print_picture(result: Result, suffix: str, *, note: Callable[[str], None]) -> None:
    """Print a result to standard output, as the bytes of a picture file for another program.

    Args:
        result: The picture with its recipe.
        suffix: Of the format.
        note: Told what the format could not hold.

    Raises:
        ImageWriteError: It cannot be encoded, or standard output cannot take it; a note of it says where it was kept.
        BrokenPipeError: Nobody reads it any longer.
    """
    with rescued("dream", {".png": result.save}):
        data, remarks = result.encoded(suffix)
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        with rescued("dream", {".png": result.save}):
            raise ImageWriteError(f"the picture cannot be written to standard output: {error.strerror}") from error
    for remark in remarks:
        note(remark)


def check_standard_output() -> None:
    """Make sure that standard output can take the bytes of a picture.

    Raises:
        ImageWriteError: It is closed, or a terminal, which would show them as garbage.
    """
    if not hasattr(sys.stdout, "buffer"):
        raise ImageWriteError("-o - writes a picture to standard output, which is closed; add | or > and where to")
    if sys.stdout.isatty():
        raise ImageWriteError("-o - writes a picture to standard output, which is a terminal; add | or > and where to")


def standard_input() -> BinaryIO:
    """Standard input, as bytes.

    Raises:
        ImageReadError: It is closed, or a terminal, on which nobody types a picture.
    """
    if not hasattr(sys.stdin, "buffer") or sys.stdin.isatty():
        raise ImageReadError("- reads a picture from standard input, and none comes; add < and the photo, or a pipe")
    return sys.stdin.buffer


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
