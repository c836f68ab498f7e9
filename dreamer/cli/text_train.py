"""``dreamer text train FILE...``: a small network of characters of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_choice
from dreamer.cli.help_page import CLIMB, NETWORK, RESULT, option
from dreamer.cli.interrupts import came, exit_status, ignore_interrupts
from dreamer.cli.mistyping import OutputFile, Whole, WholeRange
from dreamer.cli.options import backend_option, debug_option, quiet_option
from dreamer.cli.outputs import print_path
from dreamer.cli.progress import import_keras, note, work_progress
from dreamer.texts.settings import DEFAULT_MODEL, TRAIN_STEPS

_TOLD_EVERY = 200  # Steps, where there is no terminal for a bar.
_SEEN = 64 * 100  # Characters of a batch.


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@option(
    RESULT, "-o", "--output", type=OutputFile(), default=DEFAULT_MODEL,
    help=f"Where to write it; its characters go beside it.  [default: {DEFAULT_MODEL}]",
)  # fmt: skip
@option(RESULT, "--overwrite", is_flag=True, help="Replace files that exist.")
@option(
    NETWORK,
    "--units",
    type=WholeRange(min=1, max=4096),
    default=128,
    metavar="N",
    help="Of each layer.  [default: 128]",
)
@option(NETWORK, "--layers", type=WholeRange(min=1, max=8), default=1, metavar="N", help="How many.  [default: 1]")
@option(
    NETWORK, "--kind", default="lstm", metavar="NAME", shell_complete=complete_choice(lambda: ("lstm", "gru", "rnn")),
    help="lstm, gru or rnn.  [default: lstm]",
)  # fmt: skip
@option(
    CLIMB, "--steps", type=WholeRange(min=1), default=TRAIN_STEPS, metavar="N",
    help=f"Batches of 64 windows of 100 characters.  [default: {TRAIN_STEPS}]",
)  # fmt: skip
@option(CLIMB, "--seed", type=Whole(), default=0, metavar="N", help="The number that chance begins with.  [default: 0]")
@backend_option
@json_option
@quiet_option
@debug_option
@click.pass_context
def train(
    ctx: click.Context,
    /,
    files: tuple[Path, ...],
    output: Path,
    overwrite: bool,
    units: int,
    layers: int,
    kind: str,
    steps: int,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Teach a small network of characters to say what comes next in FILEs.

    Ctrl-C keeps what it has learnt by then.

    \b
    dreamer text train *.py -o char.keras
    dreamer text train book.txt --units 256 --steps 5000 -o book.keras
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    from dreamer.texts import training
    from dreamer.texts.reading import text_of

    training.check(output, units=units, layers=layers, kind=kind, steps=steps, seed=seed, overwrite=overwrite)
    whole = text_of(files)
    with work_progress(quiet=quiet) as progress:
        import_keras()

        # Noted only: raised in the middle of a step it could cost what was learnt.
        ignore_interrupts()

        def show(step: int, bits: float) -> None:
            said = f"step {step:,} of {steps:,}, {bits:.2f} bits a character"
            progress.show(said, min(0.999, step / steps), said if step % _TOLD_EVERY == 0 else None)
            if came():
                raise KeyboardInterrupt

        try:
            found = training.train(
                whole, output, units=units, layers=layers, kind=kind, steps=steps, seed=seed, overwrite=overwrite,
                on_step=show,
            )  # fmt: skip
        except training.Stopped as stopped:
            found = stopped.partial
    ignore_interrupts()
    if not quiet:
        note(
            f"{found.weights:,} weights, {len(found.vocabulary)} characters, {found.steps:,} steps of {_SEEN:,} "
            f"characters: {found.bits:.2f} bits a character on what was held back"
        )
    if as_json:
        item = {"path": str(found.path), "steps": found.steps, "bits": found.bits, "weights": found.weights,
                "characters": len(found.vocabulary), "partial": found.is_partial}  # fmt: skip
        print_answer("text train", [item])
    else:
        print_path(found.path)
    if found.is_partial:
        ctx.exit(exit_status())
