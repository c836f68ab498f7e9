# ruff: noqa: PTH110, PTH111, PTH112, PTH113, PTH208  pathlib makes errors of names that are too long, os.path does not.
"""What people type instead of what was meant, and what to say to it: one line with what to type.

The one idea: each mistake is caught where the command line is read, by its kind: a command that there is none of
(:class:`Group`), a file (:class:`InputFile`, :class:`PhotoFile`), a number (:class:`Number` and the like).

Must not import anything heavy.
"""

from __future__ import annotations

import math
import os
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click

from dreamer.errors import ImageReadError, ImageWriteError, close_matches
from dreamer.wording import as_typed, shown

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_OPTION_NAME = re.compile(r"[A-Za-z][a-z-]*")
_DASHES = "-\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{HORIZONTAL BAR}\N{MINUS SIGN}"
_OPENING, _CLOSING = "“„«‘‚", "”“»’‘"  # noqa: RUF001


class Group(click.Group):
    """Commands of which one can be mistyped."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; those of the whole program are looked through for signs out of documents."""
        if ctx.parent is None and not ctx.resilient_parsing:
            _check_signs(ctx, args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant, or what to type instead of what is none."""
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing and not name.startswith("-"):
            ctx.fail(self._instead(ctx, name))
        return super().resolve_command(ctx, args)

    def _instead(self, ctx: click.Context, name: str) -> str:
        path, quoted = Path(name), shlex.quote(name)
        if ctx.parent is None:
            if os.path.isdir(path):
                return f"{shown(name)} is a folder; dream its photos with: dreamer batch {quoted} OUTPUT_DIR"
            if path.suffix == ".keras":
                return f"{shown(name)} is a network; see its layers with: dreamer layers {quoted}"
            if os.path.isfile(path) or re.fullmatch(r"\.[A-Za-z0-9]{2,5}", path.suffix):
                return f"there is no command {shown(name)}; dream a photo with: dreamer dream {quoted}"
        known = self.list_commands(ctx)
        groups = {one: command for one in known if isinstance(command := self.get_command(ctx, one), click.Group)}
        inner = [f"{ctx.command_path} {group} {name}" for group, command in groups.items() if name in command.commands]
        hint = f" Perhaps {' or '.join(inner)}." if inner else close_matches(name, known)
        return f"there is no command {shown(name)}.{hint} See all: {ctx.command_path} --help"


def _check_signs(ctx: click.Context, args: list[str]) -> None:
    """Refuse dashes and quotation marks that a document sets, of which a shell knows nothing."""
    for place, arg in enumerate(args):
        if arg == "--":
            return
        value = arg.partition("=")[2] if arg.startswith("--") else arg
        if os.path.lexists(arg) or not value:
            continue
        rest = arg.lstrip(_DASHES)
        if rest and as_typed(arg[: len(arg) - len(rest)]) != arg[: len(arg) - len(rest)]:
            name = rest.partition("=")[0]
            dashes = "--" if len(name) > 1 and _OPTION_NAME.fullmatch(name) else "-"
            ctx.fail(f"{shown(arg)} begins with a dash as documents set it; type {dashes}{rest}")
        if value[0] in _OPENING:
            ends = next((end for end in range(place, len(args)) if args[end][-1:] in _CLOSING), place)
            words = " ".join([value, *args[place + 1 : ends + 1]])
            plain = shlex.quote(as_typed(words.strip(_OPENING + _CLOSING)))
            ctx.fail(f"{shown(words)} is in quotation marks as documents set them; type {plain}")


class InputFile(click.Path):
    """The path of a file that is to be read, as text; a shell has done its work on it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as it is; an error where it is something else."""
        text = os.fsdecode(super().convert(value, param, ctx))
        mistake = None if os.path.lexists(text) else _mistake(text)
        if mistake:
            raise ImageReadError(f"{text} {mistake}")
        return text


class PhotoFile(InputFile):
    """The path of a photo."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; an error that says what to type where it cannot be a photo."""
        path = Path(super().convert(value, param, ctx))
        if os.path.isdir(path):
            raise ImageReadError(
                f"{path} is a directory; a picture file is expected. "
                f"Dream all its photos with: dreamer batch {shlex.quote(str(path))} OUTPUT_DIR"
            )
        if str(path) == "help" and ctx is not None and not os.path.exists(path):
            ctx.fail(f"there is no photo 'help'. For help type: {ctx.command_path} --help")
        return path


class OutputFile(click.Path):
    """The path that a result is written to."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; an error where a shell would have made another of it, or where it is an address."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if _ADDRESS.match(os.fsdecode(value)):
            raise ImageWriteError(f"{value} is an address; results are written to files of this machine, as dream.png")
        at_home = None if os.path.exists(path.parent) else _at_home(str(path))
        if at_home:
            raise ImageWriteError(f"{path} cannot be written: {at_home}")
        return path


def _at_home(text: str) -> str | None:
    """What to say to a ~ that no shell has put a folder for."""
    path = os.path.expanduser(text)
    return f"within quotes a shell leaves ~ as it is. Type {shlex.quote(path)}" if path != text else None


def _mistake(text: str) -> str | None:
    """What a path that leads to nothing could be, and what to type instead."""
    address = _ADDRESS.match(text)
    if address:
        scheme = address[1].lower()
        if scheme in ("http", "https", "ftp"):
            return f"is an address; a file is expected. Download it first: curl -LO {shlex.quote(text)}"
        if scheme == "file":
            return f"is an address; a file is expected: type {shlex.quote(text.removeprefix('file://'))}"
        return "is an address; a file is expected. Folders elsewhere are dreamt with: dreamer batch ADDRESS OUTPUT_DIR"
    at_home = _at_home(text)
    if at_home:
        return f"does not exist: {at_home}"
    if any(sign in text for sign in "*?["):
        return _pattern(text)
    return None


def _pattern(text: str) -> str:
    """What to say to a pattern that no shell has put names for."""
    path = Path(text)
    folder = str(path.parent)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = next((path.with_name(name) for name in names if fnmatch(name, path.name)), None)
    many = f"dreamer batch {shlex.quote(folder)} OUTPUT_DIR --glob {shlex.quote(path.name)}"
    if found is None:
        return f"is a pattern that no file matches; name one photo, or dream a folder with: {many}"
    return f"is a pattern; name one photo, as {shlex.quote(str(found))}, or dream all with: {many}"


def photos_as_typed(ctx: click.Context, _parameter: click.Parameter, photos: tuple[Path, ...]) -> tuple[Path, ...]:
    """The photos that were named; what to type instead where several words were meant as one."""
    if len(photos) < 2 or all(os.path.exists(photo) or str(photo) == "-" for photo in photos):
        return photos
    whole = " ".join(map(str, photos))
    command = ctx.command_path
    if os.path.exists(whole):
        raise click.UsageError(f"a name with spaces needs quotes: {command} {shlex.quote(whole)}")
    if len(photos) == 2 and os.path.exists(photos[0]):
        first, second = (shlex.quote(str(photo)) for photo in photos)
        raise click.UsageError(
            f"there is no photo {photos[1]}; if it is to be the result: {command} {first} -o {second}"
        )
    return photos


def cell_as_typed(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> int | str | None:
    """The number of a picture of a sheet, or the name of a preset."""
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,9}", value) else value


class _Numeric:
    """A number, with what to type instead of one that is written otherwise."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        try:
            return super().convert(value, param, ctx)  # type: ignore[misc]
        except click.BadParameter as error:
            instead = number_as_typed(str(value), whole=isinstance(self, click.types.IntParamType))
            message = error.message if len(str(value)) < 100 else f"{shown(value)} is no number that can be used."
            raise click.BadParameter(f"{message}{f' Type {instead}.' if instead else ''}", ctx, param) from None


class Whole(_Numeric, click.types.IntParamType):
    """A whole number."""


class Number(_Numeric, click.types.FloatParamType):
    """Any number."""


class WholeRange(_Numeric, click.IntRange):
    """A whole number in a range."""


class NumberRange(_Numeric, click.FloatRange):
    """Any number in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. "nan" passes every comparison, and "inf" is none to work with."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            raise click.BadParameter(f"{shown(value)} is no finite number.", ctx, param)
        return found


class FromTo(click.ParamType[Any]):
    """A number, or two with dots between them: what something is at first and at last."""

    name = "from..to"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Both numbers."""
        parts = str(value).split("..")
        try:
            found = tuple(float(part) for part in parts)
        except ValueError:
            found = ()
        if len(found) not in (1, 2) or not all(map(math.isfinite, found)):
            raise click.BadParameter(
                f"{shown(value)} is no range; expected a number, or two as in 0.2..0.02", param=param, ctx=ctx
            )
        return found[0], found[-1]


class Point(click.ParamType[Any]):
    """Two numbers with a comma between them: a point of a photo."""

    name = "x,y"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Both numbers; whether they lie in a photo, the settings say."""
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            found = ()
        if len(found) != 2 or not all(map(math.isfinite, found)):
            raise click.BadParameter(
                f"{shown(value)} is no point; expected shares of the photo's width and height from the top left, as in "
                "0.3,0.6",
                param=param,
                ctx=ctx,
            )
        return found


class WidthHeight(click.ParamType[Any]):
    """The size of a picture as screens have it: width first."""

    name = "wxh"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """``(height, width)``."""
        sides = re.split("[x\N{MULTIPLICATION SIGN}]", str(value).lower())
        if len(sides) != 2 or not all(re.fullmatch(r"\s*[0-9]{1,9}\s*", side) for side in sides):
            raise click.BadParameter(
                f"{shown(value)} is no size; expected WIDTHxHEIGHT in pixels, as in 1920x1080", param=param, ctx=ctx
            )
        return int(sides[1]), int(sides[0])


_AMOUNT = re.compile(r"([+-]?[0-9]+(?:[.,][0-9]+)*|[+-]?[.,][0-9]+)\s*(%|[A-Za-z°]*)")


def number_as_typed(text: str, *, whole: bool = False) -> str | None:
    """How a number is typed that somebody wrote as in a letter: with a comma, in percent, with a unit."""
    found = _AMOUNT.fullmatch(as_typed(text).strip()) if len(text) < 100 else None
    if not found:
        return None
    digits, unit = found.groups()
    if whole and re.fullmatch(r"[+-]?[0-9]{1,3}([.,][0-9]{3})+", digits):
        digits = digits.replace(",", "").replace(".", "")
    try:
        value = float(digits.replace(",", "."))
    except ValueError:
        return None
    value = value / 100 if unit == "%" and not whole else value
    if whole and not value.is_integer():
        return None
    typed = str(int(value)) if whole else f"{value:.15g}"
    return typed if typed != text else None
