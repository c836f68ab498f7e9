"""The class of all commands: what a person says twice, or against itself, is told and not decided in silence.

The one idea: before a command runs, what was typed is held against tables. An option that takes one value is given
once; flags for the same thing exclude each other; so do the pairs in ``_EXCLUSIVE``; and those in ``_IDLE`` and
``_IDLE_SETTINGS`` need another. (An option over a preset or a recipe is no contradiction: it changes what they say.)

Must not import anything heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

from dreamer.cli import help_page, mistyping
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.visualizing.settings import VisualizeSettings


class _Exclusive(NamedTuple):
    """Options of which only one can be given, by the names of their parameters."""

    names: tuple[str, str]
    why: str


class _Idle(NamedTuple):
    """An option of a command that has nothing to do without one of some others."""

    command: str
    name: str
    needs: tuple[str, ...]
    why: str


_EXCLUSIVE = (
    _Exclusive(("offline", "mirror"), "one says not to fetch anything, the other where to fetch it"),
    _Exclusive(("presets", "recipe"), "a preset and the recipe of an earlier dream both say how to dream"),
    _Exclusive(("regions", "recipe"), "a preset and the recipe of an earlier dream both say how to dream"),
    _Exclusive(("presets", "pick"), "a preset and a picture of a sheet both say how to dream"),
    _Exclusive(("regions", "pick"), "a preset and a picture of a sheet both say how to dream"),
    _Exclusive(("minimize", "pair"), "a pair has the least and the most already, so they cannot be combined"),
    _Exclusive(("minimize", "interpolate"), "they cannot be combined; a target that begins with a minus is minimized"),
    _Exclusive(("pair", "interpolate"), "they cannot be combined"),
    _Exclusive(("quiet", "dry_run"), "one says to list what would be done, the other to say nothing"),
    _Exclusive(("report", "dry_run"), "one tells what was done, the other does nothing"),
    _Exclusive(("resume", "overwrite"), "one goes on with what is there, the other throws it away"),
)

_FREE_NAME = "without -o a name is taken that no file has"
_IDLE = (
    _Idle("dream", "overwrite", ("output", "save_octaves"), _FREE_NAME),
    _Idle("sheet", "overwrite", ("output",), _FREE_NAME),
    _Idle("visualize", "overwrite", ("output", "save_steps", "animation"), _FREE_NAME),
    _Idle("caricature", "overwrite", ("output",), _FREE_NAME),
    _Idle("invert", "overwrite", ("output",), _FREE_NAME),
    _Idle("accentuate", "overwrite", ("output",), _FREE_NAME),
    _Idle("mask", "overwrite", ("output",), _FREE_NAME),
    _Idle("atlas", "channels", ("layers", "all_layers", "resume"), "channels are those of layers, and none is named"),
)


class _IdleSetting(NamedTuple):
    """A setting that has no effect while another has a certain value, wherever that comes from."""

    needs: str
    without: object
    why: str
    or_else: str = ""  # Another setting for which it has one, where that is not None.


_ZOOM = "say how long it is, as in --frames 60"
_IDLE_SETTINGS: Mapping[str, _IdleSetting] = {
    "feather": _IdleSetting("mask", None, "how softly a mask ends, and there is none; give a --mask"),
    "zoom": _IdleSetting("frames", 1, "for an endless zoom; say how long it is, as in --frames 60"),
    "focus": _IdleSetting("frames", 1, f"where a zoom goes; {_ZOOM}, or cut the photo there with --aspect", "aspect"),
    "turn": _IdleSetting("frames", 1, f"for an endless zoom; {_ZOOM}"),
    "ease": _IdleSetting("frames", 1, f"for an endless zoom; {_ZOOM}"),
    "loop": _IdleSetting("frames", 1, f"for an endless zoom; {_ZOOM}"),
    "ground": _IdleSetting("size", None, "what a dream of nothing begins with; say how large, as in --size 1920x1080"),
    "prior_weight": _IdleSetting("prior", None, "how much a prior counts, and there is none; give a --prior"),
    "prior_noise": _IdleSetting("prior", None, "which noise a prior takes off, and there is none; give a --prior"),
    "diversity_weight": _IdleSetting("diversity", 1, "for several pictures of a target; say --diversity 4"),
}


def check_settings(settings: DreamSettings | VisualizeSettings, typed: Iterable[str]) -> None:
    """Make sure that settings that somebody typed have an effect.

    Args:
        settings: All of them, those of a preset or an earlier recipe included.
        typed: The names of those that were typed.

    Raises:
        SettingsError: One has none.
    """
    for name in typed:
        idle = _IDLE_SETTINGS.get(name)
        if idle is None or (idle.or_else and getattr(settings, idle.or_else) is not None):
            continue
        held = [settings, *(settings.parts if isinstance(settings, DreamSettings) else ())]
        if all(getattr(one, idle.needs) == idle.without for one in held):
            raise SettingsError(f"--{name.replace('_', '-')} is {idle.why}, or leave it out")


class Command(click.Command):
    """A command that refuses what contradicts itself."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, as Click does, and look for contradictions."""
        given = [] if ctx.resilient_parsing else self.make_parser(ctx).parse_args(args=list(args))[2]
        _check_once([one for one in given if isinstance(one, click.Option)])
        rest = super().parse_args(ctx, args)
        _check_together(self.name or "", {one.name: one for one in given if _is_said(ctx, one)})
        return rest

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The parameters, with ``--help-all`` where the short page has not all of them."""
        params = super().get_params(ctx)
        return [*params, _HELP_ALL] if self.name in help_page.USUAL else params

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options: those used most, or all of them in groups."""
        if self.name not in help_page.USUAL:
            super().format_options(ctx, formatter)
        elif ctx.meta.get(_ALL):
            help_page.write_all(ctx, self, formatter)
        else:
            help_page.write_usual(ctx, self, formatter)


_ALL = "dreamer.help_all"  # Whether the long page was asked for.


def _print_all(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


_HELP_ALL = click.Option(
    ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=_print_all,
    help="Show this message with all options and exit.",
)  # fmt: skip


class Group(mistyping.Group):
    """A group of such commands, with ``help`` among them."""

    command_class = Command

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        return super().get_command(ctx, cmd_name) or (_HELP if cmd_name == _HELP.name else None)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of a person's day; ``help`` is listed once, in the whole program."""
        known = super().list_commands(ctx)
        return help_page.commands_in_order(known if ctx.parent else [*known, str(_HELP.name)])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each in a whole sentence, and then the options."""
        help_page.write_commands(ctx, self, formatter)
        click.Command.format_options(self, ctx, formatter)


def _print_help(words: tuple[str, ...]) -> None:
    """Print the help of what the words lead to."""
    click.echo(_followed(words).get_help())


def _complete_words(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    with ctx.scope():
        there = _followed(ctx.params.get("words") or ())
    known = there.command.list_commands(there) if isinstance(there.command, click.Group) else []
    return [CompletionItem(name) for name in known if name.startswith(incomplete)]


def _followed(words: Iterable[str]) -> click.Context:
    """Where words lead from the group that ``help`` was asked in: to a group, or a command in it."""
    ctx = click.get_current_context()
    ctx = ctx.parent or ctx
    for word in words:
        if not isinstance(ctx.command, click.Group):
            break
        name, command, _ = ctx.command.resolve_command(ctx, [word])
        if command is not None:
            ctx = click.Context(command, info_name=name, parent=ctx)
    return ctx


_HELP = Command(
    "help",
    callback=_print_help,
    params=[click.Argument(["words"], nargs=-1, metavar="[COMMAND]...", shell_complete=_complete_words)],
    help="Print the help of COMMAND, as in `dreamer help presets new`.",
)


def _is_said(ctx: click.Context, parameter: click.Parameter) -> bool:
    """Whether there is anything to it: arguments are always listed, even those that were left out."""
    return isinstance(parameter, click.Option) or bool(ctx.params.get(parameter.name or ""))


def _check_once(given: Sequence[click.Option]) -> None:
    """Refuse an option of one value that is given twice, and two flags for the same thing."""
    for one, other in combinations(given, 2):
        if one.name != other.name or one.multiple:
            continue
        if one is not other:
            raise click.UsageError(f"{_flag(one)} and {_flag(other)} exclude each other; give one of them")
        if not one.is_flag:
            raise click.UsageError(f"{_flag(one)} is given twice, and only one can count; leave one of them out")


def _check_together(command: str, said: dict[str | None, click.Parameter]) -> None:
    for exclusive in _EXCLUSIVE:
        if said.keys() >= set(exclusive.names):
            flags = " and ".join(_flag(said[name]) for name in exclusive.names)
            raise click.UsageError(f"{flags} exclude each other: {exclusive.why}; leave one of them out")
    for idle in _IDLE:
        if command == idle.command and idle.name in said and not said.keys() & set(idle.needs):
            raise click.UsageError(f"{_flag(said[idle.name])} has nothing to do here: {idle.why}; leave it out")


def _flag(parameter: click.Parameter) -> str:
    """How it is written in full."""
    return max(parameter.opts, key=len)
