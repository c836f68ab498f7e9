"""The command line: a thin layer of words over the library.

Each command is a file of its own. The modules here import Click and nothing heavier; a command
imports the library in its body, so that ``dreamer --help`` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper

import click

from dreamer.cli import interrupts
from dreamer.cli.accentuate import accentuate
from dreamer.cli.atlas import atlas
from dreamer.cli.batch import batch
from dreamer.cli.caricature import caricature
from dreamer.cli.commands import Group
from dreamer.cli.completion import completion
from dreamer.cli.doctor import doctor
from dreamer.cli.dream import dream
from dreamer.cli.fool import fool
from dreamer.cli.invert import invert
from dreamer.cli.labels import labels
from dreamer.cli.layers import layers
from dreamer.cli.map import map_
from dreamer.cli.mask import mask
from dreamer.cli.models import models
from dreamer.cli.options import COMMAND_KEY, DEBUG_KEY, debug_option
from dreamer.cli.presets import presets
from dreamer.cli.priors import priors
from dreamer.cli.progress import say
from dreamer.cli.recipe import recipe
from dreamer.cli.row import row
from dreamer.cli.search import search
from dreamer.cli.see import see
from dreamer.cli.sheet import sheet
from dreamer.cli.spectrum import spectrum
from dreamer.cli.text import text
from dreamer.cli.video import video
from dreamer.cli.visualize import visualize
from dreamer.errors import (
    DreamerError,
    PriorError,
    SettingsError,
    UnknownClassError,
    UnknownLayerError,
    UnknownModelError,
    in_one_line,
)
from dreamer.version import __version__
from dreamer.wording import harmless

EXIT_FAILURE = 1
EXIT_USAGE = 2
_LONGEST_ERROR = 8000  # Characters: what a file says can be of any length.

_USAGE_ERRORS = (SettingsError, UnknownModelError, UnknownLayerError, UnknownClassError, PriorError)


class _Group(Group):
    """A group that turns the library's errors into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, KeyboardInterrupt, BrokenPipeError):
            raise
        except Exception as error:
            if interrupts.came() and not isinstance(error, DreamerError):
                # An interrupt in the middle of a conversion surfaces as whatever the library makes of it.
                raise KeyboardInterrupt from error
            if ctx.meta.get(DEBUG_KEY):
                traceback.print_exc()
            failure = _failure(error, ctx.meta.get(COMMAND_KEY))
            # Notes say where something was kept that could not be written.
            for kept in getattr(error, "__notes__", []):
                failure = type(failure)(f"{failure.message.rstrip('.')}. {kept}")
            raise failure from error


_SAVINGS = {
    "tile": "a smaller --tile",
    "max_size": "--max-size to make the photo smaller",
    "diversity": "a smaller --diversity",
    "size": "a smaller --size",
}
"""What takes less memory, by the option that a command has for it."""


def _out_of_memory(command: click.Command | None) -> click.ClickException:
    names = {parameter.name for parameter in command.params} if command else set()
    ways = [way for name, way in _SAVINGS.items() if name in names]
    advice = f"Try {', or '.join(ways)}" if ways else "Close other programs, or use a machine with more"
    return click.ClickException(f"out of memory. {advice}")


def _failure(error: Exception, command: click.Command | None = None) -> click.ClickException:
    if isinstance(error, DreamerError):
        return click.UsageError(str(error)) if isinstance(error, _USAGE_ERRORS) else click.ClickException(str(error))
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return _out_of_memory(command)
    if isinstance(error, OSError) and error.strerror:
        return click.ClickException(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    reason = in_one_line(error)
    return click.ClickException(
        f"unexpected {type(error).__name__}: {reason}. This is a fault in dreamer; --debug shows where it happened"
    )


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="dreamer", message="%(prog)s %(version)s")
@debug_option
def cli() -> None:
    """Make pictures out of what a trained network sees."""


for _command in (
    dream,
    sheet,
    batch,
    video,
    visualize,
    atlas,
    see,
    search,
    map_,
    caricature,
    invert,
    accentuate,
    mask,
    fool,
    row,
    text,
    presets,
    models,
    priors,
    layers,
    labels,
    recipe,
    spectrum,
    doctor,
    completion,
):
    cli.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run the command line.

    Args:
        arguments: What follows the program's name.

    Returns:
        The exit status: 0 done, 1 failed, 2 wrong usage, 128 and the number of a signal that interrupted it.
    """
    # TensorFlow's start-up notices are none of the user's business; set before it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # A name that is no text goes out as the bytes that it is.
    with interrupts.listening():
        try:
            status = _answer(arguments)
        except KeyboardInterrupt:  # While something else was being said.
            status = interrupts.exit_status()
        interrupts.ignore_interrupts()
        # Whoever sent a signal waits for its number, whatever came of the work.
        return interrupts.exit_status() if interrupts.came() else status


def _answer(arguments: Sequence[str]) -> int:
    """Carry out a command; says what went wrong, and gives the exit status."""
    try:
        interrupts.take_waiting()
        with _harmless_warnings():
            status = cli.main(list(arguments), prog_name="dreamer", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as help_text:
        click.echo(help_text.format_message())
        return EXIT_USAGE
    except click.ClickException as error:
        say(f"Error: {' '.join(error.format_message().split())[:_LONGEST_ERROR]}")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted: nothing was written.")
        return interrupts.exit_status()
    except OSError as error:
        # Whoever read our output has left, which needs no words, or it goes to a full disk.
        if not isinstance(error, BrokenPipeError):
            say(f"Error: cannot print: {error.strerror}")
        return EXIT_FAILURE
    return status if isinstance(status, int) else 0


@contextmanager
def _harmless_warnings() -> Iterator[None]:
    """Python's warnings, as those of Keras about a layer, said harmlessly."""
    usual = warnings.formatwarning
    warnings.formatwarning = lambda *told, **more: harmless(usual(*told, **more))
    try:
        yield
    finally:
        warnings.formatwarning = usual


def _settle_stdout() -> None:
    """Drop what could not be printed, or Python would try again while it exits, and complain."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """What ``dreamer.__main__`` calls."""
    interrupts.ignore_interrupts()
    status = run(sys.argv[1:])
    _settle_stdout()
    # All is written and said; a late interrupt while TensorFlow is put away must not change the exit status.
    for number in interrupts.SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(status)
