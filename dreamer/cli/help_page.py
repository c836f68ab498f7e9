"""Help pages: which options a short page shows, and under which heads a long one has them all. Data.

The one idea: a person who begins needs ten options, and a person who looks for one needs all of them in groups. So
``--help`` shows the ten that are used most, and ``--help-all`` the rest.

Must not import anything heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import click

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Pictures": ("dream", "presets", "batch", "visualize", "atlas"),
    "Networks": ("models", "layers", "labels"),
    "More": ("recipe", "spectrum", "doctor", "completion"),
}
"""The commands in the order of a person's day."""

USUAL: Mapping[str, tuple[str, ...]] = {
    "dream": (
        "output", "preset", "preview", "layers", "objective", "octaves", "steps", "strength", "max_size", "seed",
    ),
    "batch": (
        "names", "objective", "steps", "strength", "max_size", "seed", "dry_run", "overwrite", "report", "workers",
    ),
    "visualize": (
        "output", "size", "steps", "diversity", "pair", "interpolate", "parametrization", "model", "animation", "seed",
    ),
    "atlas": ("output", "channels", "all_layers", "logits", "negative", "examples", "size", "steps", "model", "resume"),
}  # fmt: skip
"""The ten options of a command that are used most, by the names of their parameters."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "What to dream of": (
        "objective", "layers", "channels", "guide", "minimize", "pair", "interpolate", "all_layers", "logits",
        "negative", "examples", "glob",
    ),
    "The look": (
        "preset", "names", "recipe", "trust", "strength", "mask", "feather", "blend", "colors", "contrast",
        "saturation", "frames", "zoom", "size", "diversity", "diversity_weight", "alpha",
    ),
    "How it climbs": (
        "octaves", "octave_scale", "steps", "step_size", "jitter", "rotate", "scale", "conditioning", "seed",
        "parametrization", "spectrum", "start", "transforms", "optimizer", "learning_rate",
    ),
    "The result": (
        "output", "overwrite", "resume", "dry_run", "report", "preview", "save_octaves", "frame_rate", "max_size",
        "columns", "save_steps", "animation", "as_json", "quiet",
    ),
    "The network": ("model", "preprocessing", "offline", "mirror"),
    "The machine": (),
}  # fmt: skip
"""Heads of the long page, each with its options by the names of their parameters; the last takes all others."""


def commands_in_order(known: Iterable[str]) -> list[str]:
    """The commands as a help page has them: those of the sections, then any others."""
    listed = [name for names in SECTIONS.values() for name in names]
    known = list(known)
    return [name for name in listed if name in known] + [name for name in known if name not in listed]


def write_commands(ctx: click.Context, group: click.Group, formatter: click.HelpFormatter) -> None:
    """Write the commands of the whole program in their sections, each with its first sentence whole."""
    for title, names in SECTIONS.items():
        rows = [(name, sentence(group.commands[name])) for name in names if name in group.commands]
        with formatter.section(title):
            formatter.write_dl(rows)
    formatter.write_paragraph()
    formatter.write_text(f"More about one of them: {ctx.command_path} COMMAND --help")


def sentence(command: click.Command) -> str:
    """What a command does: the first paragraph of its help, on one line."""
    return " ".join((command.help or "").split("\n\n")[0].split())


def write_usual(ctx: click.Context, command: click.Command, formatter: click.HelpFormatter) -> None:
    """Write the options that are used most, and where the others are."""
    _write(formatter, "Options, those used most", _of(ctx, command, USUAL[command.name or ""]))
    formatter.write_paragraph()
    formatter.write_text(f"All options, in groups: {ctx.command_path} --help-all")


def write_all(ctx: click.Context, command: click.Command, formatter: click.HelpFormatter) -> None:
    """Write all options under their heads."""
    grouped = {name for names in GROUPS.values() for name in names}
    rest = [name for one in command.get_params(ctx) if (name := one.name or "") not in grouped]
    for title, names in GROUPS.items():
        _write(formatter, title, _of(ctx, command, names or rest))


def _of(ctx: click.Context, command: click.Command, names: Sequence[str]) -> list[tuple[str, str]]:
    known: dict[str, list[tuple[str, str]]] = {}
    for one in command.get_params(ctx):
        record = one.get_help_record(ctx) if isinstance(one, click.Option) else None
        if record is not None:
            known.setdefault(one.name or "", []).append(record)
    return [record for name in dict.fromkeys(names) for record in known.get(name, [])]


def _write(formatter: click.HelpFormatter, title: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
