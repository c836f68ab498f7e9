"""``dreamer dream PHOTO``: dreams one photo."""

from __future__ import annotations

from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import click

from dreamer import presets
from dreamer.cli import still, zoom
from dreamer.cli.commands import Command, check_settings
from dreamer.cli.completing import complete_layer, complete_preset
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.interrupts import exit_status
from dreamer.cli.mistyping import NumberRange, OutputFile, PhotoFile, number_as_typed, one_photo
from dreamer.cli.options import (
    backend_option,
    damaged_option,
    debug_option,
    dream_options,
    given_options,
    max_pixels_option,
    objective_option,
    trust_option,
)
from dreamer.cli.order import Order, read_photo
from dreamer.cli.progress import note, silent
from dreamer.dreaming.settings import DreamSettings
from dreamer.earlier import Earlier
from dreamer.errors import SettingsError
from dreamer.memory import DREAM_BYTES
from dreamer.objectives import Objective

_FRAME_RATE = 15


@click.command(cls=Command)
@click.argument("photo", type=PhotoFile(), nargs=-1, metavar="[PHOTO]", callback=one_photo)
@click.option(
    "-o", "--output", type=OutputFile(),
    help="Where to write; the suffix gives the format. With --frames a .gif, a .webp, or a folder.  "
    "[default: PHOTO with -dream before the suffix]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option(
    "--preset", metavar="NAME|FILE", help="A look, of `dreamer presets list`; other options change it.",
    shell_complete=complete_preset,
)  # fmt: skip
@click.option(
    "--recipe", type=click.Path(path_type=Path), metavar="FILE",
    help="Dream again as FILE, an earlier result, tells; other options change it.",
)  # fmt: skip
@trust_option
@click.option("--preview", is_flag=True, help="Only the first octaves: a small picture, composed like the whole.")
@click.option(
    "--save-octaves", type=click.Path(path_type=Path), metavar="FOLDER", help="Also write each finished octave there."
)
@objective_option
@click.option(
    "--layer", "layers", multiple=True, metavar="NAME[=WEIGHT]", help="A layer to dream with; repeatable.",
    shell_complete=complete_layer,
)  # fmt: skip
@click.option(
    "--channel", "channels", multiple=True, metavar="LAYER:INDEX[=WEIGHT]", help="A single channel; repeatable.",
    shell_complete=complete_layer,
)  # fmt: skip
@dream_options
@click.option(
    "--frame-rate", type=NumberRange(min=0.1, max=50), metavar="F",
    help=f"Frames per second of a zoom.  [default: {_FRAME_RATE}]",
)  # fmt: skip
@backend_option
@fetch_options
@max_pixels_option
@damaged_option
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@debug_option
@click.pass_context
def dream(
    ctx: click.Context,
    /,
    photo: Path | None,
    output: Path | None,
    overwrite: bool,
    preset: str | None,
    recipe: Path | None,
    trust: bool,
    preview: bool,
    save_octaves: Path | None,
    objective: str | None,
    layers: tuple[str, ...],
    channels: tuple[str, ...],
    frame_rate: float | None,
    max_pixels: int,
    damaged_ok: bool,
    offline: bool | None,
    mirror: str | None,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Dream PHOTO: enhance in it what a network sees.

    Ctrl-C keeps what there is.

    \b
    dreamer dream photo.jpg
    dreamer dream photo.jpg --preset fur-and-eyes --preview
    dreamer dream photo.jpg --layer block4b --layer block6b=0.5 --laplacian --seed 7
    dreamer dream photo.jpg --objective 'block4b:17 - 0.5*block2a' --max-size 1024 -o art.png
    dreamer dream photo.jpg --frames 60 --max-size 512 -o zoom.gif
    dreamer dream --recipe photo-dream.jpg --seed 8
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    earlier = None if recipe is None else Earlier.read(recipe, trust=trust)
    if photo is None:
        if earlier is None:
            raise click.UsageError("Missing argument 'PHOTO', or --recipe FILE with the photo beside it.")
        photo = earlier.photo()
    chosen = given_options({**chosen, "objective": _objective(objective, layers, channels)})
    settings, origin = _settings(preset, earlier, chosen, trust=trust)
    check_settings(settings, chosen)
    if frame_rate is not None and settings.frames == 1:
        raise SettingsError("--frame-rate is for an endless zoom; say how long it is, as in --frames 60")
    if frame_rate is not None and output is not None and not output.suffix:
        raise SettingsError(f"--frame-rate is for an animation, and {output} becomes a folder of frames; leave it out")
    if save_octaves is not None and settings.frames > 1:
        raise SettingsError("--save-octaves is for a single picture; leave out --frames")

    from dreamer.models import registry

    spec = registry.spec(settings.model, settings.preprocessing)  # An unknown one is said before anything is loaded.
    settings.file_digests()  # So is a file that is not there.
    found, source = read_photo(
        photo,
        max_pixels=max_pixels,
        max_side=settings.max_size,
        damaged_ok=damaged_ok or (earlier is not None and earlier.took_damaged),
        work_bytes=0 if preview else DREAM_BYTES,
    )
    tell = silent if quiet else note
    if settings.strength == 0:
        tell("with a strength of 0 the photo stays as it is, and nothing of the dream is to be seen")
    order = Order(
        photo=photo,
        found=found,
        source=source,
        settings=settings,
        preset=origin,
        output=output,
        overwrite=overwrite,
        preview=preview,
        octave_folder=save_octaves,
        frame_rate=frame_rate or _FRAME_RATE,
        earlier=earlier,
        quiet=quiet,
        tell=tell,
    )
    for remark in found.notes:
        tell(remark)
    del found
    if earlier is not None:
        earlier.compare(order.source, settings, tell)
    ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)
    make = still.make if settings.frames == 1 else zoom.make
    if make(order):
        ctx.exit(exit_status())


def _settings(
    preset: str | None, earlier: Earlier | None, chosen: dict[str, Any], *, trust: bool
) -> tuple[DreamSettings, dict[str, str]]:
    """How to dream, and which preset says so."""
    if earlier is not None:
        return earlier.settings(**chosen), earlier.preset
    if preset is None:
        return DreamSettings.of(**chosen), {}
    found = presets.find(preset, trust=trust)
    return found.settings(**chosen), found.origin


def _objective(written: str | None, layers: tuple[str, ...], channels: tuple[str, ...]) -> Objective | None:
    """The sum of all that was asked for; None where nothing was."""
    parts = [] if written is None else [Objective.parse(written)]
    for texts, kind, example in ((layers, "layer", "--layer block5c"), (channels, "channel", "--channel block5c:17")):
        parts += [_weighted(text, kind, example) for text in texts]
    return reduce(add, parts) if parts else None


def _weighted(text: str, kind: str, example: str) -> Objective:
    """What ``NAME[=WEIGHT]`` means."""
    name, equals, weight = text.rpartition("=") if "=" in text else (text, "", "1")
    try:
        found = (float(weight) if equals else 1.0) * Objective.parse(name)
    except ValueError:
        hint = f"something like {example}=0.5" if not (typed := number_as_typed(weight)) else f"{name}={typed}"
        raise SettingsError(f"the weight in {text!r} is no number; expected {hint}") from None
    if [term.kind for _, term in found.terms] != [kind]:
        raise SettingsError(f"cannot use {text!r} here; expected something like {example}. Sums go to --objective")
    return found
