"""Options that several commands share, and the ones that set a dream."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from dreamer.backends import BACKENDS, PRECISIONS
from dreamer.cli.completing import Completer, complete_choice, complete_model, complete_target
from dreamer.cli.mistyping import InputFile, Number, NumberRange, Whole
from dreamer.dreaming.settings import BLENDS, DreamSettings
from dreamer.models.preprocessing import GENERAL
from dreamer.transforms import SETS
from dreamer.visualizing.settings import OPTIMIZERS, PARAMETRIZATIONS, VisualizeSettings, parametrization_names
from dreamer.wording import shown

Command = TypeVar("Command", bound=Callable[..., Any])

DEBUG_KEY = "dreamer.debug"
COMMAND_KEY = "dreamer.command"  # Which command runs, at the end of a group's name.


def _remember_debug(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    ctx.meta[COMMAND_KEY] = ctx.command
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

objective_option = click.option(
    "--objective",
    metavar="OBJECTIVE",
    help="What to enhance, as in 'block4b:17 - 0.5*block2a'; see docs/targets.md.",
    shell_complete=complete_target,
)


def _pixels(_ctx: click.Context, _parameter: click.Parameter, megapixels: float) -> int:
    return round(megapixels * 1e6)


max_pixels_option = click.option(
    "--max-megapixels",
    "max_pixels",
    type=NumberRange(min=0, min_open=True, max=1e6),
    default=500,
    show_default=True,
    callback=_pixels,
    help="Refuse photos with more pixels than this.",
)

trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Let a recipe, a preset or an atlas from elsewhere name any file, not only those beside it.",
)

damaged_option = click.option(
    "--damaged-ok", is_flag=True, help="Take photos of which rows are missing, with a note, instead of refusing them."
)

_Setting = tuple[str, Any, str, str]
"""Name, type, placeholder, help. Everything else about an option follows from the settings it sets."""

_TYPES: Mapping[Any, click.ParamType[Any]] = {int: Whole(), float: Number(), Path: InputFile()}
"""What reads a type, where Click itself would not say what to type instead of something else."""

_COMPLETE: Mapping[str, Completer] = {
    "model": complete_model,
    "preprocessing": complete_choice(lambda: GENERAL),
    "precision": complete_choice(lambda: PRECISIONS),
    "blend": complete_choice(lambda: BLENDS),
    "parametrization": complete_choice(parametrization_names),
    "optimizer": complete_choice(lambda: OPTIMIZERS),
    "transforms": complete_choice(lambda: SETS, files=True),
}
"""What completes a setting's option in a shell."""

_NETWORK: tuple[_Setting, ...] = (
    ("model", str, "NAME|FILE", "The network: a name of `dreamer models list`, or a .keras file."),
    ("preprocessing", str, "NAME", f"How pictures are prepared for a .keras file: {', '.join(GENERAL)}."),
)

_PRECISION: _Setting = ("precision", str, "TYPE", f"What the network is computed in: {', '.join(PRECISIONS)}.")

_DREAM: tuple[_Setting, ...] = (
    *_NETWORK,
    ("octaves", int, "N", "How many sizes to dream at, small to large.  [default: as the photo is large]"),
    ("octave_scale", float, "F", "Ratio of the sides of neighbouring octaves."),
    ("steps", int, "N", "Steps in each octave."),
    ("step_size", float, "F", "How far a step changes the picture, of its range 0..1, in the mean."),
    ("jitter", int, "PX", "Largest random shift in each step."),
    ("rotate", float, "DEGREES", "Largest random rotation in each step."),
    ("scale", float, "FRACTION", "Largest random change of size in each step."),
    ("strength", float, "0..1", "How much of the dream is laid over the photo."),
    ("mask", Path, "FILE", "Dream only where this picture is opaque, or white."),
    ("feather", float, "FRACTION", "How softly the mask ends, of the longer side."),
    ("guide", Path, "FILE", "Dream of what the layers find in this picture."),
    ("blend", str, "MODE", f"How the dream is laid over the photo: {', '.join(BLENDS)}."),
    ("contrast", float, "F", "Of the dream: 1 leaves it."),
    ("saturation", float, "F", "Of the dream: 1 leaves it, 0 has no colours."),
    ("frames", int, "N", "Zoom into the dream without end, N pictures long."),
    ("zoom", float, "F", "How much each of these pictures is magnified in the next."),
    ("max_size", int, "PX", "Make the photo smaller first if a side is longer.  [default: keep its size]"),
    ("tile", int, "PX", "Longest side of the tiles a large photo is cut into."),
    _PRECISION,
    ("seed", int, "N", "The same seed gives the same dream."),
)


_DREAM_FLAGS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "conditioning": (
        ("smooth", "--smooth", "Blur the gradient, more and more: soft, well-formed shapes."),
        ("laplacian", "--laplacian", "Give every size of detail the same strength: bold, colourful shapes."),
        ("none", "--plain", "Use the gradient as it is: fine-grained, like the first DeepDream."),
    ),
    "colors": (
        ("free", "--free-colors", "Let the dream have its own colours."),
        ("keep", "--keep-colors", "Give the dream the palette of the photo."),
        ("luminance", "--luminance-only", "Change nothing but the brightness of the photo."),
    ),
}
"""Settings that have a flag for each of their values: value, flag, help."""


def _size(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> int | tuple[int, int] | None:
    """A number of pixels, or HEIGHTxWIDTH."""
    if value is None:
        return None
    sides = re.split("[x\N{MULTIPLICATION SIGN}]", value.lower())
    if len(sides) > 2 or not all(re.fullmatch(r"\s*[0-9]{1,9}\s*", side) for side in sides):
        raise click.BadParameter(
            f"{shown(value)} is no size; expected a number of pixels, or HEIGHTxWIDTH as in 200x300"
        )
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


_VISUALIZE: tuple[_Setting, ...] = (
    *_NETWORK,
    ("steps", int, "N", "Steps of the optimizer."),
    ("parametrization", str, "NAME", f"What pictures are made from: {', '.join(PARAMETRIZATIONS)}."),
    ("spectrum", Path, "FILE", "For maco: magnitudes of photos, made by `dreamer spectrum`.  [default: 1/f]"),
    ("start", Path, "FILE", "Begin with this picture, not with noise."),
    (
        "transforms",
        str,
        "NAME|FILE",
        f"How each step sees the picture: {', '.join(SETS)}, or a .toml file.  [default: as the parametrization needs]",
    ),
    ("optimizer", str, "NAME", f"{' or '.join(OPTIMIZERS)}.  [default: as the parametrization needs]"),
    ("learning_rate", float, "F", "How far a step goes.  [default: as the parametrization needs]"),
    ("diversity", int, "N", "Draw N pictures of each target, as different as can be."),
    ("diversity_weight", float, "F", "How much the difference counts, as a share of the score."),
    _PRECISION,
    ("seed", int, "N", "The same seed gives the same pictures."),
)


def given_options(chosen: dict[str, Any]) -> dict[str, Any]:
    """Those options that were given; the others are left to the settings' defaults."""
    return {name: value for name, value in chosen.items() if value is not None}


def dream_options(command: Command) -> Command:
    """Add an option for every setting of a dream; those not given are passed as None."""
    command = _setting_options(command, DreamSettings, _DREAM)
    for name, flags in _DREAM_FLAGS.items():
        for value, flag, text in reversed(flags):
            text += "  [default]" if value == getattr(DreamSettings, name) else ""
            command = click.option(flag, name, flag_value=value, default=None, help=text)(command)
    return command


def visualize_options(command: Command) -> Command:
    """Add an option for every setting of a visualization; those not given are passed as None."""
    command = click.option("--alpha", is_flag=True, default=None, help="Make transparent what never mattered.")(command)
    command = _setting_options(command, VisualizeSettings, _VISUALIZE)
    height, width = VisualizeSettings.size
    text = f"Size of each picture in pixels.  [default: {height}x{width}]"
    return click.option("--size", metavar="HxW|N", callback=_size, help=text)(command)


def _setting_options(command: Command, settings: type, table: Sequence[_Setting]) -> Command:
    defaults = {field.name: field.default for field in fields(settings)}
    for name, kind, placeholder, text in reversed(table):
        default = defaults[name]
        command = click.option(
            f"--{name.replace('_', '-')}",
            name,
            type=_TYPES.get(kind, kind),
            metavar=placeholder,
            help=text if default is None else f"{text}  [default: {default}]",
            shell_complete=_COMPLETE.get(name),
        )(command)
    return command
