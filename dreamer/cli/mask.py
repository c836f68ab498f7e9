"""``dreamer mask PHOTO KIND``: a mask to start from, made from the photo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command
from dreamer.cli.help_page import RESULT, option
from dreamer.cli.mistyping import OutputFile, PhotoFile
from dreamer.cli.options import backend_option, debug_option, quiet_option
from dreamer.cli.outputs import check_not_photo, print_path, write_result
from dreamer.cli.progress import import_keras, note, silent, work_progress
from dreamer.files.names import free_name
from dreamer.mask_kinds import KINDS


@click.command(cls=Command)
@click.argument("photo", type=PhotoFile())
@click.argument("kind", type=click.Choice(list(KINDS)))
@option(
    RESULT, "-o", "--output", type=OutputFile(), metavar="FILE",
    help="Where the mask goes.  [default: PHOTO with -subject, -sky or -edges, a PNG]",
)  # fmt: skip
@option(RESULT, "--invert", is_flag=True, help="Exchange black and white.")
@option(RESULT, "--overwrite", is_flag=True, help="Replace the file that is there.")
@backend_option
@json_option
@quiet_option
@debug_option
def mask(
    *, photo: Path, kind: str, output: Path | None, invert: bool, overwrite: bool, as_json: bool, quiet: bool
) -> None:
    """Make a mask from PHOTO to start from: white on its subject, its sky or its edges.

    It is found by colours, edges and a small network. Look at it, and mend it in any editor.

    \b
    dreamer mask photo.jpg sky
    dreamer mask photo.jpg subject -o mask.png
    dreamer dream photo.jpg --mask mask.png
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    _check(photo, kind, output, overwrite=overwrite)
    with work_progress(quiet=quiet, opening=f"Looking for the {kind}"):
        if kind == "subject":
            import_keras()
        from dreamer.masking.calls import mask as made

        result = made(photo, kind, invert=invert)
    names = _names(photo, kind)
    target = write_result(result, output, names, overwrite=overwrite, note=silent if quiet else note)
    if as_json:
        print_answer("mask", [_answer(photo, kind, target, result)])
        return
    if not quiet:
        note("the mask is a start: look at it, and mend it in an editor before a dream is masked with it")
        print_path(target)


def _names(photo: Path, kind: str) -> Any:
    from dreamer.sources import result_names

    return result_names(photo, kind, ".png")


def _check(photo: Path, kind: str, output: Path | None, *, overwrite: bool) -> None:
    """Find out now, not after the work, that the mask could not be written."""
    from dreamer import images

    target = output or free_name(_names(photo, kind))
    check_not_photo(target, photo)
    images.check_target(target, overwrite=overwrite)


def _answer(photo: Path, kind: str, target: Path, result: Any) -> dict[str, Any]:
    """What was made, for a script, as ``answers.ITEMS["mask"]`` says."""
    height, width = result.photo.pixels.shape[:2]
    return {
        "photo": str(photo),
        "path": str(target),
        "kind": kind,
        "width": width,
        "height": height,
        "share": float(result.photo.pixels[..., 0].mean()),
        "recipe": dict(result.recipe),
    }
