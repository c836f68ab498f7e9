"""Options that several commands share, and the ones that set a dream."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from dreamer.cli.completing import complete_model
from dreamer.models.preprocessing import GENERAL
from dreamer.settings import BACKENDS, PRECISIONS, DreamSettings

Command = TypeVar("Command", bound=Callable[..., Any])

DEBUG_KEY = "dreamer.debug"
EXIT_INTERRUPTED = 130  # What shells expect after Ctrl-C: 128 and the number of the signal.


def _remember_debug(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[DEBUG_KEY] = True


debug_option = click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_remember_debug,
    help="Show the traceback of an error.",
)


def _choose_backend(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        os.environ["KERAS_BACKEND"] = value


backend_option = click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    is_eager=True,
    expose_value=False,
    callback=_choose_backend,
    help="What Keras runs on.  [default: KERAS_BACKEND, or tensorflow]",
)

_DEFAULTS = {field.name: field.default for field in fields(DreamSettings)}

# Name, type, placeholder, help. Everything else about these options follows from DreamSettings.
_SETTINGS: tuple[tuple[str, type, str, str], ...] = (
    ("model", str, "NAME|FILE", "The network: a name of `dreamer models list`, or a .keras file."),
    (
        "preprocessing",
        str,
        "NAME",
        f"How pictures are prepared for a .keras file: {', '.join(GENERAL)}.",
    ),
    ("octaves", int, "N", "How many sizes to dream at, small to large.  [default: as the photo is large]"),
    ("octave_scale", float, "F", "Ratio of the sides of neighbouring octaves."),
    ("steps", int, "N", "Steps in each octave."),
    ("step_size", float, "F", "How far a step changes the picture, of its range 0..1, in the mean."),
    ("jitter", int, "PX", "Largest random shift in each step."),
    ("rotate", float, "DEGREES", "Largest random rotation in each step."),
    ("scale", float, "FRACTION", "Largest random change of size in each step."),
    ("strength", float, "0..1", "How much of the dream is laid over the photo."),
    ("max_size", int, "PX", "Make the photo smaller first if a side is longer.  [default: keep its size]"),
    ("tile", int, "PX", "Longest side of the tiles a large photo is cut into."),
    ("precision", str, "TYPE", f"What the network is computed in: {', '.join(PRECISIONS)}."),
    ("seed", int, "N", "The same seed gives the same dream."),
)


def given_options(chosen: dict[str, Any]) -> dict[str, Any]:
    """Those options that were given; the others are left to the settings' defaults."""
    return {name: value for name, value in chosen.items() if value is not None}


def dream_options(command: Command) -> Command:
    """Add an option for every setting of a dream; those not given are passed as None."""
    for name, kind, placeholder, text in reversed(_SETTINGS):
        default = _DEFAULTS[name]
        command = click.option(
            f"--{name.replace('_', '-')}",
            name,
            type=kind,
            metavar=placeholder,
            help=text if default is None else f"{text}  [default: {default}]",
            shell_complete=complete_model if name == "model" else None,
        )(command)
    flags = (
        ("none", "--plain", "Use the gradient as it is: fine-grained, like the first DeepDream."),
        ("laplacian", "--laplacian", "Give every size of detail the same strength: bold, colourful shapes."),
        ("smooth", "--smooth", "Blur the gradient, more and more: soft, well-formed shapes."),
    )
    for value, flag, text in flags:
        text += "  [default]" if value == _DEFAULTS["conditioning"] else ""
        command = click.option(flag, "conditioning", flag_value=value, default=None, help=text)(command)
    return command
