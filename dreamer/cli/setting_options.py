"""Options for the settings of dreams and visualizations: a table of them, and what adds them to a command.

The one idea: what an option is called, takes and does by default comes from the settings themselves; a table says only
where in the help it stands and in what words. On a sheet each takes several values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from dreamer.backends import PRECISIONS
from dreamer.cli.completing import (
    Completer,
    complete_choice,
    complete_model,
    complete_prior,
)
from dreamer.cli.help_page import CLIMB, DRAW, DREAM, LOOK, MACHINE, NETWORK, RESULT, option
from dreamer.cli.mistyping import FromTo, InputFile, Number, Point, Whole, WidthHeight
from dreamer.cli.ranging import Several
from dreamer.dreaming.settings import BLENDS, GROUNDS, DreamSettings
from dreamer.mask_kinds import KINDS
from dreamer.models.preprocessing import GENERAL
from dreamer.transforms import SETS
from dreamer.visualizing.looks import LOOKS, OF_CLASSES, OF_OTHERS
from dreamer.visualizing.settings import OPTIMIZERS, PARAMETRIZATIONS, VisualizeSettings, parametrization_names
from dreamer.wording import shown

Command = TypeVar("Command", bound=Callable[..., Any])


class _Setting(NamedTuple):
    """An option that sets a setting; everything else about it follows from that setting.

    Attributes:
        group: Where help has it.
        name: Of the setting.
        kind: Type of its value.
        placeholder: What stands for a value in help.
        text: What it does, in a phrase; the default follows by itself.
        complete: What completes its value in a shell.
        many: Whether it may be given several times.
    """

    group: str
    name: str
    kind: Any
    placeholder: str
    text: str
    complete: Completer | None = None
    many: bool = False


_TYPES: Mapping[Any, click.ParamType[Any]] = {
    **{int: Whole(), float: Number(), Path: InputFile(), tuple: FromTo()},
    Point: Point(),
}
"""What reads a type, where Click itself would not say what to type instead of something else."""

_NETWORK: tuple[_Setting, ...] = (
    _Setting(
        NETWORK, "model", str, "NAME|FILE", "The network: one of `dreamer models list`, or a .keras file.",
        complete_model,
    ),
    _Setting(
        NETWORK, "preprocessing", str, "NAME", f"How pictures are prepared for a .keras file: {', '.join(GENERAL)}.",
        complete_choice(lambda: GENERAL),
    ),
)  # fmt: skip

_PRIOR: tuple[_Setting, ...] = (
    _Setting(
        LOOK, "prior", str, "NAME|FILE",
        "What keeps the picture likely: one of `dreamer priors list`, or a .keras file.", complete_prior,
    ),
    _Setting(
        LOOK, "prior_weight", float, "0..1",
        "How far the prior pulls after each step.  [default: 0.1, of a code not at all]",
    ),
    _Setting(LOOK, "prior_noise", tuple, "FROM..TO", "Which noise the prior takes off, at first and at last."),
)  # fmt: skip

_PRECISION = _Setting(
    MACHINE, "precision", str, "TYPE", f"What the network is computed in: {', '.join(PRECISIONS)}.",
    complete_choice(lambda: PRECISIONS),
)  # fmt: skip

_DREAM: tuple[_Setting, ...] = (
    _Setting(DREAM, "size", WidthHeight(), "WxH", "Dream of nothing, without a photo, a picture of this size."),
    _Setting(
        DREAM, "ground", str, "NAME", f"What a dream of nothing begins with: {', '.join(GROUNDS)}.",
        complete_choice(lambda: GROUNDS),
    ),
    _Setting(DREAM, "guide", Path, "FILE", "Dream of what the layers find in this picture."),
    _Setting(LOOK, "strength", float, "0..1", "How much of the dream is laid over the photo."),
    _Setting(
        LOOK, "blend", str, "MODE", f"How the dream is laid over the photo: {', '.join(BLENDS)}.",
        complete_choice(lambda: BLENDS),
    ),
    _Setting(LOOK, "contrast", float, "F", "The contrast of the dream, as a multiple of what it is."),
    _Setting(LOOK, "saturation", float, "F", "How colourful the dream is, as a multiple; 0 is grey."),
    _Setting(
        LOOK, "mask", Path, "KIND|FILE",
        f"Dream only where this picture is opaque, or white; or on what is found in the photo: {', '.join(KINDS)}.",
        complete_choice(lambda: KINDS, files=True),
    ),
    _Setting(LOOK, "feather", float, "FRACTION", "How softly the mask ends, as a share of the photo's longer side."),
    _Setting(LOOK, "calm", float, "0..1", "How quiet the dream is where the photo is calm, as in skies and on walls."),
    *_PRIOR,
    _Setting(CLIMB, "octaves", int, "N", "How many sizes to dream at, small to large.  [default: as fit the photo]"),
    _Setting(CLIMB, "octave_scale", float, "F", "Ratio of the sides of neighbouring octaves."),
    _Setting(CLIMB, "steps", int, "N", "Steps in each octave."),
    _Setting(CLIMB, "step_size", float, "F", "How far a step changes the picture in the mean, of its range 0..1."),
    _Setting(CLIMB, "jitter", int, "PX", "Largest random shift in each step."),
    _Setting(CLIMB, "rotate", float, "DEGREES", "Largest random rotation in each step."),
    _Setting(CLIMB, "scale", float, "FRACTION", "Largest random change of size in each step."),
    _Setting(CLIMB, "seed", int, "N", "The number that chance begins with; the same gives the same dream."),
    _Setting(RESULT, "max_size", int, "PX", "Make a photo with a longer side smaller first.  [default: keep its size]"),
    _Setting(RESULT, "upscale", float, "F", "How many times the size of the photo to make the dream, 1 to 8."),
    _Setting(RESULT, "frames", int, "N", "How many pictures of an endless zoom to make, as an animation or a folder."),
    _Setting(RESULT, "zoom", float, "F", "How much each picture of a zoom is magnified in the next."),
    _Setting(RESULT, "focus", Point, "X,Y", "Where a zoom goes, or --aspect cuts: shares of the sides, from top left."),
    _Setting(RESULT, "turn", float, "DEGREES", "How far each picture of a zoom is turned in the next, clockwise."),
    _Setting(RESULT, "aspect", str, "W:H", "Cut the photo to this ratio, around the focus.  [default: all of it]"),
    *_NETWORK,
    _Setting(MACHINE, "tile", int, "PX", "Longest side of the tiles that a large photo is cut into."),
    _PRECISION,
)  # fmt: skip


class _Flag(NamedTuple):
    """A flag that gives a setting one of its values."""

    group: str
    name: str
    value: str | bool
    flag: str
    text: str


_DREAM_FLAGS: tuple[_Flag, ...] = (
    _Flag(LOOK, "colors", "free", "--free-colors", "Let the dream have its own colours."),
    _Flag(LOOK, "colors", "keep", "--keep-colors", "Give the dream the palette of the photo."),
    _Flag(LOOK, "colors", "luminance", "--luminance-only", "Change nothing but the brightness of the photo."),
    _Flag(CLIMB, "conditioning", "smooth", "--smooth", "Blur the gradient more and more, for soft shapes."),
    _Flag(CLIMB, "conditioning", "laplacian", "--laplacian", "Strengthen every size of detail alike, for bold shapes."),
    _Flag(CLIMB, "conditioning", "none", "--plain", "Use the gradient as it is, for fine grain."),
)  # fmt: skip


class _Switch(NamedTuple):
    """A setting that is on or off; a preset's or a recipe's can be turned off."""

    group: str
    name: str
    text: str


_DREAM_SWITCHES: tuple[_Switch, ...] = (
    _Switch(LOOK, "mask_invert", "Exchange white and black of the mask."),
    _Switch(RESULT, "tileable", "Let opposite edges meet, so that it can be laid beside itself."),
    _Switch(RESULT, "ease", "Let a zoom begin and end at rest."),
    _Switch(RESULT, "loop", "Let a zoom lead back to its first picture, which comes up within the last ones."),
)


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


_AS_NEEDED = "  [default: the look's]"

_VISUALIZE: tuple[_Setting, ...] = (
    _Setting(DRAW, "diversity", int, "N", "Draw N pictures of each target, as different as can be."),
    _Setting(DRAW, "diversity_weight", float, "F", "How much the difference counts, as a share of the score."),
    _Setting(
        LOOK, "look", str, "NAME",
        f"How pictures are drawn: {', '.join(LOOKS)}.  [default: {OF_CLASSES} for classes, {OF_OTHERS} for others]",
        complete_choice(lambda: LOOKS),
    ),
    _Setting(
        LOOK, "parametrization", str, "NAME",
        f"What pictures are made from: {', '.join(PARAMETRIZATIONS)}.{_AS_NEEDED}",
        complete_choice(parametrization_names),
    ),
    _Setting(
        LOOK, "spectrum", Path, "FILE",
        "The magnitudes of photos that maco keeps to, of `dreamer spectrum`.  [default: 1/f]",
    ),
    *_PRIOR,
    _Setting(CLIMB, "start", Path, "FILE", "Begin with this picture, not with noise."),
    _Setting(CLIMB, "steps", int, "N", "Steps of the optimizer."),
    _Setting(
        CLIMB, "transforms", str, "NAME|FILE",
        f"How each step sees the picture: {', '.join(SETS)}, or a .toml file.{_AS_NEEDED}",
        complete_choice(lambda: SETS, files=True),
    ),
    _Setting(
        CLIMB, "optimizer", str, "NAME", f"What takes the steps: {', '.join(OPTIMIZERS)}.{_AS_NEEDED}",
        complete_choice(lambda: OPTIMIZERS),
    ),
    _Setting(CLIMB, "learning_rate", float, "F", f"How far a step goes.{_AS_NEEDED}"),
    _Setting(CLIMB, "seed", int, "N", "The number that chance begins with; the same gives the same pictures."),
    *_NETWORK,
    _PRECISION,
)  # fmt: skip


_JOINT = tuple(
    one._replace(text="The network: one of `dreamer models list`, or a .keras file; several draw jointly.", many=True)
    if one.name == "model"
    else one
    for one in _VISUALIZE
)
"""The same where several networks may be named."""


def dream_options(command: Command) -> Command:
    """Add an option for every setting of a dream; those not given are passed as None."""
    command = _setting_options(command, DreamSettings, _DREAM)
    for group, name, value, flag, text in reversed(_DREAM_FLAGS):
        text += "  [default]" if value == getattr(DreamSettings, name) else ""
        command = option(group, flag, name, flag_value=value, default=None, help=text)(command)
    for group, name, text in reversed(_DREAM_SWITCHES):
        typed = name.replace("_", "-")
        command = option(group, f"--{typed}/--no-{typed}", name, default=None, help=text)(command)
    return command


def visualize_options(*, jointly: bool) -> Callable[[Command], Command]:
    """Add an option for every setting of a visualization; those not given are passed as None.

    Args:
        jointly: Whether several networks may be named, which then see the same pictures.
    """
    return partial(_visualize_options, table=_JOINT if jointly else _VISUALIZE)


def _visualize_options(command: Command, table: Sequence[_Setting]) -> Command:
    text = "Make transparent what never mattered."
    command = option(RESULT, "--alpha", is_flag=True, default=None, help=text)(command)
    command = _setting_options(command, VisualizeSettings, table)
    height, width = VisualizeSettings.size
    text = f"Size of each picture in pixels.  [default: {height}x{width}]"
    return option(RESULT, "--size", metavar="HxW|N", callback=_size, help=text)(command)


def _in_words(default: object, kind: Any) -> str:
    """A default as it would be typed."""
    sign = "," if kind is Point else ".."
    return sign.join(f"{one:g}" for one in default) if isinstance(default, tuple) else str(default)


def _setting_options(command: Command, settings: type, table: Sequence[_Setting]) -> Command:
    defaults = {field.name: field.default for field in fields(settings)}
    for group, name, kind, placeholder, text, complete, many in reversed(table):
        default = defaults[name]
        command = option(
            group,
            f"--{name.replace('_', '-')}",
            name,
            type=_TYPES.get(kind, kind),
            metavar=placeholder,
            help=text if default is None else f"{text}  [default: {_in_words(default, kind)}]",
            shell_complete=complete,
            multiple=many,
        )(command)
    return command


_OF_OTHER_SHAPES = ("frames", "zoom", "focus", "turn", "aspect", "size", "ground", "upscale")
_STILL = tuple(one for one in _DREAM if one.name not in _OF_OTHER_SHAPES)
"""What single pictures of one shape depend on."""


def range_options(command: Command) -> Command:
    """Add an option for every setting of a single picture, each of which takes several values.

    Those not given are passed as None or nothing, and flags that were by the names ``SETTING__VALUE``.
    """
    for one in reversed(_STILL):
        # A file's name may hold commas, so several are given by repeating the option.
        kind, many = (_TYPES[Path], True) if one.kind is Path else (Several(_TYPES.get(one.kind, one.kind)), False)
        placeholder = one.placeholder if many else f"{one.placeholder},..."
        ranged = one._replace(kind=kind, placeholder=placeholder, many=many)
        command = _setting_options(command, DreamSettings, [ranged])
    for group, name, value, flag, text in reversed(_DREAM_FLAGS):
        command = option(group, flag, f"{name}__{value}", is_flag=True, default=None, help=text)(command)
    return command


def ranges_of(chosen: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The values of each option of :func:`range_options` that was given, in the order in which they were."""
    told: dict[str, list[Any]] = {}
    for key, values in chosen.items():
        name, _, flag = key.partition("__")
        if values:
            told.setdefault(name, []).extend([flag] if flag else values)
    return told
