"""Options that several commands share; ``setting_options`` has those of settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from dreamer.backends import BACKENDS
from dreamer.cli.completing import (
    complete_preset,
    complete_target,
)
from dreamer.cli.help_page import DREAM, LOOK, MACHINE, MESSAGES, option
from dreamer.cli.mistyping import NumberRange

Command = TypeVar("Command", bound=Callable[..., Any])

DEBUG_KEY = "dreamer.debug"
COMMAND_KEY = "dreamer.command"  # Which command runs, at the end of a group's name.


def _remember_debug(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    ctx.meta[COMMAND_KEY] = ctx.command
    if value:
        ctx.meta[DEBUG_KEY] = True


debug_option = option(
    MESSAGES, "--debug", is_flag=True, is_eager=True, expose_value=False, callback=_remember_debug,
    help="Show the traceback of an error.",
)  # fmt: skip

quiet_option = option(MESSAGES, "-q", "--quiet", is_flag=True, help="Say nothing but errors.")


def _choose_backend(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        os.environ["KERAS_BACKEND"] = value


backend_option = option(
    MACHINE, "--backend", type=click.Choice(BACKENDS), is_eager=True, expose_value=False, callback=_choose_backend,
    help="What Keras runs on.  [default: KERAS_BACKEND, or tensorflow]",
)  # fmt: skip

objective_option = option(
    DREAM, "--objective", metavar="OBJECTIVE", shell_complete=complete_target,
    help="What to enhance, written as in 'block4b:17 - 0.5*block2a' and docs/targets.md.",
)  # fmt: skip


def _pixels(_ctx: click.Context, _parameter: click.Parameter, megapixels: float) -> int:
    return round(megapixels * 1e6)


max_pixels_option = option(
    DREAM, "--max-megapixels", "max_pixels", type=NumberRange(min=0, min_open=True, max=1_000_000), default=500,
    show_default=True, callback=_pixels, metavar="N", help="Refuse photos with more pixels than this.",
)  # fmt: skip

damaged_option = option(
    DREAM, "--damaged-ok", is_flag=True, help="Take photos of which rows are missing, instead of refusing them."
)

preset_option = option(
    LOOK, "--preset", metavar="NAME|FILE", shell_complete=complete_preset,
    help="A look to begin with, one of `dreamer presets list`, which other options change.",
)  # fmt: skip

mixed_preset_option = option(
    LOOK, "--preset", "presets", multiple=True, metavar="NAME|FILE[:WEIGHT]", shell_complete=complete_preset,
    help="A look to begin with, one of `dreamer presets list`, which other options change; several with weights, as "
    "lace:0.6, are mixed.",
)  # fmt: skip

regions_option = option(
    LOOK, "--at", "regions", nargs=2, multiple=True, metavar="MASK NAME[:WEIGHT]",
    help="Where this picture is opaque, or white, another preset, as in --at sky.png lace; repeatable.",
)  # fmt: skip

trust_option = option(
    MACHINE, "--trust", is_flag=True,
    help="Let a recipe, a preset or an atlas from elsewhere name any file, not only those beside it.",
)  # fmt: skip


def no_single_terms(command: Command) -> Command:
    """Answer ``--layer`` and ``--channel``, which only ``dream`` has, with the objective that they mean."""
    add = click.option("--layer", "--channel", multiple=True, hidden=True, expose_value=False, callback=_as_objective)
    return add(command)


def _as_objective(_ctx: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> None:
    if texts:
        raise click.UsageError(
            "--layer and --channel are options of `dreamer dream`, for single photos. Type instead: "
            f"--objective '{' + '.join(map(_term, texts))}'"
        )


def _term(text: str) -> str:
    name, equals, weight = text.rpartition("=")
    return f"{weight}*{name}" if equals else text


def given_options(chosen: dict[str, Any]) -> dict[str, Any]:
    """Those options that were given; the others are left to the settings' defaults.

    Of several networks the first is the model, and the others see pictures jointly with it.
    """
    given = {name: value for name, value in chosen.items() if value is not None and value != ()}
    if isinstance(given.get("model"), tuple):
        given["model"], *others = given["model"]
        given |= {"jointly_with": others} if others else {}
    return given
