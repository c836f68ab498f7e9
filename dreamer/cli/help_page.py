"""Help pages: commands in the order of a person's day, and options in groups, those used most first.

The one idea: a person who begins needs ten options, and a person who looks for one needs all of them in groups. So
``--help`` shows the ten that are used most, and ``--help-all`` all. An option says itself in which group it is.

Must not import anything heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Pictures": (
        "dream", "sheet", "presets", "batch", "video", "mask", "visualize", "atlas", "caricature", "invert",
        "accentuate",
    ),
    "What a network sees": ("see", "search", "map"),
    "Networks": ("models", "priors", "layers", "labels", "fool", "row", "text"),
    "The rest": ("recipe", "spectrum", "doctor", "completion", "help"),
}  # fmt: skip
"""The commands in the order of a person's day."""

DREAM, DRAW, LOOK, CLIMB, RESULT, NETWORK, MACHINE, MESSAGES = GROUPS = (
    "What to dream of",
    "What to draw",
    "The look",
    "How it climbs",
    "The result",
    "The network",
    "The machine",
    "Messages and help",
)
"""The groups of options, in the order of a page."""

USUAL: Mapping[str, tuple[str, ...]] = {
    "dream": (
        "--output", "--preset", "--preview", "--layer", "--model", "--steps", "--strength", "--max-size", "--frames",
        "--seed",
    ),
    "sheet": (
        "--output", "--preset", "--objective", "--model", "--steps", "--strength", "--calm", "--max-size", "--columns",
        "--seed",
    ),
    "batch": (
        "--preset", "--model", "--steps", "--strength", "--max-size", "--seed", "--dry-run", "--overwrite", "--report",
        "--workers",
    ),
    "video": (
        "--output", "--preset", "--preview", "--at", "--from", "--to", "--listen", "--carry", "--max-size",
        "--strength",
    ),
    "visualize": (
        "--output", "--size", "--steps", "--diversity", "--pair", "--interpolate", "--look", "--model",
        "--animation", "--seed",
    ),
    "atlas": (
        "--output", "--channels", "--all-layers", "--logits", "--negative", "--examples", "--size", "--steps",
        "--model", "--resume",
    ),
}  # fmt: skip
"""The ten options of a command that are used most; a command that is not here shows all of its few."""


class Option(click.Option):
    """An option that is in a group of a help page."""

    def __init__(self, *given: Any, group: str, **more: Any) -> None:
        super().__init__(*given, **more)
        self.group = group


def option(group: str, *names: str, **more: Any) -> Callable[[Function], Function]:
    """Add an option to a command, as :func:`click.option` does, in one of :data:`GROUPS`."""
    return click.option(*names, cls=Option, group=group, **more)


def write_commands(ctx: click.Context, group: click.Group, formatter: click.HelpFormatter) -> None:
    """Write the commands of a group, those of the whole program in their sections."""
    known = group.list_commands(ctx)
    for title, names in ({"Commands": known} if ctx.parent else SECTIONS).items():
        shown = [name for name in names if name in known]
        _write(formatter, title, [(name, sentence(group.get_command(ctx, name))) for name in shown])
    formatter.write_paragraph()
    formatter.write_text(f"More about one of them: {ctx.command_path} COMMAND --help")


def commands_in_order(known: Iterable[str]) -> list[str]:
    """Commands as the help page has them: those of the sections, then any others."""
    listed = [name for names in SECTIONS.values() for name in names]
    known = list(known)
    return [name for name in listed if name in known] + [name for name in known if name not in listed]


def sentence(command: click.Command | None) -> str:
    """What a command does: the first paragraph of its help, on one line."""
    text = command.help if command else None
    return " ".join((text or "").split("\n\n")[0].split())


def write_usual(ctx: click.Context, command: click.Command, formatter: click.HelpFormatter) -> None:
    """Write the options that are used most, and where the others are."""
    known = {flag: one for one in _options(ctx, command) for flag in one.opts}
    _write(formatter, "Options used most", _records(ctx, [known[flag] for flag in USUAL[command.name or ""]]))
    formatter.write_paragraph()
    formatter.write_text(f"All options: {ctx.command_path} --help-all")


def write_all(ctx: click.Context, command: click.Command, formatter: click.HelpFormatter) -> None:
    """Write all options in their groups, those used most first; what Click itself adds is help."""
    rank = {flag: place for place, flag in enumerate(USUAL[command.name or ""])}
    ordered = sorted(_options(ctx, command), key=lambda one: min(rank.get(flag, len(rank)) for flag in one.opts))
    for group in GROUPS:
        _write(formatter, group, _records(ctx, [one for one in ordered if getattr(one, "group", MESSAGES) == group]))


def _options(ctx: click.Context, command: click.Command) -> list[click.Option]:
    return [one for one in command.get_params(ctx) if isinstance(one, click.Option)]


def _records(ctx: click.Context, options: Iterable[click.Option]) -> list[tuple[str, str]]:
    return [record for one in options if (record := one.get_help_record(ctx)) is not None]


def _write(formatter: click.HelpFormatter, title: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
