"""``dreamer completion SHELL``: prints the script that makes a shell complete dreamer's commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dreamer.cli.commands import Command


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a completion script for SHELL.

    \b
    bash:  dreamer completion bash >> ~/.bashrc
    zsh:   dreamer completion zsh >> ~/.zshrc
    fish:  dreamer completion fish > ~/.config/fish/completions/dreamer.fish
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell!r}")
    click.echo(kind(ctx.find_root().command, {}, "dreamer", "_DREAMER_COMPLETE").source())
