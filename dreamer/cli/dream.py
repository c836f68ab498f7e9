"""``dreamer dream PHOTO``: dreams one photo."""

from __future__ import annotations

import dataclasses
import math
import secrets
import signal
import tempfile
from collections.abc import Callable
from functools import reduce
from itertools import count
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from dreamer import __version__
from dreamer.cli.completing import complete_layer, remember_layers
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.options import EXIT_INTERRUPTED, backend_option, debug_option, dream_options, given_options
from dreamer.cli.progress import dream_progress, import_keras, say
from dreamer.digests import digest_of
from dreamer.errors import ImageExistsError, ImageWriteError, SettingsError
from dreamer.objectives import Objective
from dreamer.settings import DreamSettings

if TYPE_CHECKING:
    from dreamer.dreaming import DreamStep
    from dreamer.images import Photo
    from dreamer.models.vision_model import VisionModel


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to write; the suffix gives the format.  [default: PHOTO with -dream before the suffix]",
)
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option(
    "--objective", metavar="OBJECTIVE", help="What to enhance, as in 'block4b:17 - 0.5*block2a'; see docs/targets.md.",
    shell_complete=complete_layer,
)  # fmt: skip
@click.option(
    "--layer", "layers", multiple=True, metavar="NAME[=WEIGHT]", help="A layer to dream with; repeatable.",
    shell_complete=complete_layer,
)  # fmt: skip
@click.option(
    "--channel", "channels", multiple=True, metavar="LAYER:INDEX[=WEIGHT]", help="A single channel; repeatable.",
    shell_complete=complete_layer,
)  # fmt: skip
@dream_options
@backend_option
@fetch_options
@click.option(
    "--max-megapixels", type=click.FloatRange(min=0, min_open=True, max=1e6), default=500, show_default=True,
    help="Refuse photos with more pixels than this.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@debug_option
@click.pass_context
def dream(
    ctx: click.Context,
    /,
    photo: Path,
    output: Path | None,
    overwrite: bool,
    objective: str | None,
    layers: tuple[str, ...],
    channels: tuple[str, ...],
    max_megapixels: float,
    offline: bool | None,
    mirror: str | None,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Dream PHOTO: enhance in it what a network sees.

    Ctrl-C keeps what there is.

    \b
    dreamer dream photo.jpg
    dreamer dream photo.jpg --layer block4b --layer block6b=0.5 --laplacian --seed 7
    dreamer dream photo.jpg --objective 'block4b:17 - 0.5*block2a' --max-size 1024 -o art.png
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    if math.isnan(max_megapixels):
        raise click.BadParameter("expected a number", param_hint="--max-megapixels")
    settings = DreamSettings.of(objective=_objective(objective, layers, channels), **given_options(chosen))

    from dreamer import images
    from dreamer.models import registry

    spec = registry.spec(settings.model, settings.preprocessing)  # An unknown one is said before anything is loaded.
    found = images.read(photo, max_pixels=round(max_megapixels * 1e6), compact=True)
    source = {"name": photo.name, "sha256": digest_of(photo)}
    _check_output(photo, output, overwrite=overwrite)
    note = _silent if quiet else _note
    for remark in found.notes:
        note(remark)
    ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)

    handler = signal.getsignal(signal.SIGINT)
    try:
        last, sized = _climb(found, settings, photo, output, note, quiet=quiet)
        # A second, nervous Ctrl-C must not throw away what the first one asked to keep.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        result = dataclasses.replace(sized, pixels=last.render("uint16" if sized.bits == 16 else "uint8"))
        reached = _Reached(last.octave, last.num_octaves, last.pictured, last.num_steps)
        # Of a large photo these are gigabytes, which encoding the result can do with.
        del found, sized, last
        network = registry.load(settings.model, settings.preprocessing)
        recipe = _recipe(source, settings, reached, network)
        target = _write(result, recipe, photo, output, overwrite=overwrite, note=note)
    finally:
        signal.signal(signal.SIGINT, handler)
    if not quiet:
        _print_path(target)
    remember_layers(network)
    if reached.is_partial:
        note(
            f"interrupted in octave {reached.octave + 1} of {reached.num_octaves}, after step {reached.step + 1} of "
            f"{reached.num_steps}; {target} is partial"
        )
        ctx.exit(EXIT_INTERRUPTED)


def _climb(
    found: Photo,
    settings: DreamSettings,
    photo: Path,
    output: Path | None,
    note: Callable[[str], None],
    *,
    quiet: bool,
) -> tuple[DreamStep, Photo]:
    """Dream until the end or Ctrl-C; gives the last finished step, and the photo at the dream's size."""
    last: DreamStep | None = None
    with dream_progress(quiet=quiet) as progress:
        import_keras()
        from dreamer import images
        from dreamer.dreaming import dream_steps, output_size

        size = output_size(found.pixels, settings)
        images.check_target(output or _free_name(photo), overwrite=True, size=size)
        found = images.resized(found, size)
        try:
            for last in dream_steps(found.pixels, settings, note=note):
                progress.show(last)
        except KeyboardInterrupt:
            if last is None:
                raise
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The settings ask for at least one step, so a dream that was not interrupted has a last one.
    return cast("DreamStep", last), found


class _Reached(NamedTuple):
    """How far a dream came: what is told of its last step, without the picture."""

    octave: int
    num_octaves: int
    step: int
    num_steps: int

    @property
    def is_partial(self) -> bool:
        return (self.octave + 1, self.step + 1) != (self.num_octaves, self.num_steps)


def _print_path(target: Path) -> None:
    try:
        click.echo(str(target))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImageWriteError(f"{target} is written, but its name cannot be printed: {error.strerror}") from error


def _note(text: str) -> None:
    say(f"Note: {text}")


def _silent(_text: str) -> None:
    return None


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
        raise SettingsError(f"the weight in {text!r} is no number; expected something like {example}=0.5") from None
    if [term.kind for _, term in found.terms] != [kind]:
        raise SettingsError(f"cannot use {text!r} here; expected something like {example}. Sums go to --objective")
    return found


def _check_output(photo: Path, output: Path | None, *, overwrite: bool) -> None:
    """Find out now, not after the dream, that the result could not be written."""
    from dreamer import images

    target = output or _free_name(photo)
    if output is None and photo.suffix.lower() not in images.SUFFIXES:
        raise ImageWriteError(f"{photo} has no suffix that names a format; say where to write with -o NAME.png")
    if target.exists() and target.samefile(photo):
        raise ImageWriteError(
            f"the output {target} is the photo itself, which is never written to. Choose another name"
        )
    images.check_target(target, overwrite=overwrite)


def _free_name(photo: Path) -> Path:
    """``<stem>-dream<suffix>`` beside the photo, or the next number that is free."""
    names = (photo.with_name(f"{photo.stem}-dream{'' if n == 1 else f'-{n}'}{photo.suffix}") for n in count(1))
    return next(name for name in names if not name.exists() and not name.is_symlink())


def _recipe(
    source: dict[str, str], settings: DreamSettings, reached: _Reached, network: VisionModel
) -> dict[str, object]:
    """All that is needed to make the picture again, as JSON can hold it."""
    import keras
    import numpy as np

    from dreamer.dreaming import resolved

    prepared = network.spec.preprocessing
    recipe: dict[str, object] = {
        "program": "dreamer",
        "version": __version__,
        "settings": resolved(settings).to_dict(),
        "weights_sha256": network.weights_sha256,
        "preprocessing": prepared.to_dict() if prepared else None,
        "source": source,
        "libraries": {"keras": keras.__version__, "backend": keras.backend.backend(), "numpy": np.__version__},
    }
    if reached.is_partial:
        recipe["partial"] = {"octave": reached.octave, "step": reached.step}
    return recipe


def _write(
    result: Photo,
    recipe: dict[str, object],
    photo: Path,
    output: Path | None,
    *,
    overwrite: bool,
    note: Callable[[str], None],
) -> Path:
    """Write the result; if it cannot be written where it should be, keep it elsewhere and say where."""
    from dreamer import images

    try:
        while True:
            target = output or _free_name(photo)
            try:
                for remark in images.write(target, result, recipe=recipe, overwrite=overwrite):
                    note(remark)
            except ImageExistsError:
                if output is not None:
                    raise
            else:
                return target
    except ImageWriteError as error:
        raise ImageWriteError(f"{error} {_keep_elsewhere(result, recipe, target.stem)}") from error


def _keep_elsewhere(result: Photo, recipe: dict[str, object], stem: str) -> str:
    """Save a finished dream from, say, a full disk; says where it is, or that even that failed."""
    from dreamer import images

    refuge = Path(tempfile.gettempdir()) / f"{stem[:100]}-{secrets.token_hex(4)}.png"
    try:
        images.write(refuge, result, recipe=recipe)
    except ImageWriteError as error:
        return f"The finished picture is lost: {error}"
    return f"The finished picture was kept as {refuge}"
