"""``dreamer dream PHOTO``: dreams one photo."""

from __future__ import annotations

import dataclasses
import math
import signal
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import count
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from dreamer.cli.completing import complete_layer, remember_layers
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.options import EXIT_INTERRUPTED, backend_option, debug_option, dream_options, given_options
from dreamer.cli.outputs import free_name, print_path, recipe_of, write_picture
from dreamer.cli.progress import WorkProgress, import_keras, note, silent, work_progress
from dreamer.digests import digest_of
from dreamer.errors import ImageWriteError, SettingsError
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
    tell = silent if quiet else note
    for remark in found.notes:
        tell(remark)
    ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)

    handler = signal.getsignal(signal.SIGINT)
    try:
        last, sized = _climb(found, settings, photo, output, tell, quiet=quiet)
        # A second, nervous Ctrl-C must not throw away what the first one asked to keep.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        result = dataclasses.replace(sized, pixels=last.render("uint16" if sized.bits == 16 else "uint8"))
        reached = _Reached(last.octave, last.num_octaves, last.pictured, last.num_steps)
        # Of a large photo these are gigabytes, which encoding the result can do with.
        del found, sized, last
        network = registry.load(settings.model, settings.preprocessing)
        recipe = _recipe(source, settings, reached, network)
        target = write_picture(result, recipe, output, _names(photo), overwrite=overwrite, note=tell)
    finally:
        signal.signal(signal.SIGINT, handler)
    if not quiet:
        print_path(target)
    remember_layers(network)
    if reached.is_partial:
        tell(
            f"interrupted in octave {reached.octave + 1} of {reached.num_octaves}, after step {reached.step + 1} of "
            f"{reached.num_steps}; {target} is partial"
        )
        ctx.exit(EXIT_INTERRUPTED)


def _climb(
    found: Photo,
    settings: DreamSettings,
    photo: Path,
    output: Path | None,
    tell: Callable[[str], None],
    *,
    quiet: bool,
) -> tuple[DreamStep, Photo]:
    """Dream until the end or Ctrl-C; gives the last finished step, and the photo at the dream's size."""
    last: DreamStep | None = None
    with work_progress(quiet=quiet) as progress:
        import_keras()
        from dreamer import images
        from dreamer.dreaming import dream_steps, output_size

        size = output_size(found.pixels, settings)
        images.check_target(output or free_name(_names(photo)), overwrite=True, size=size)
        found = images.resized(found, size)
        try:
            for last in dream_steps(found.pixels, settings, note=tell):
                _show(last, progress)
        except KeyboardInterrupt:
            if last is None:
                raise
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The settings ask for at least one step, so a dream that was not interrupted has a last one.
    return cast("DreamStep", last), found


def _show(step: DreamStep, progress: WorkProgress) -> None:
    height, width = step.size
    octave = f"octave {step.octave + 1}/{step.num_octaves}"
    is_over = step.step + 1 == step.num_steps
    done = f"{octave} ({width}x{height}) done: {step.num_steps} steps, score {step.score:.4g}" if is_over else None
    progress.show(f"{octave} step {step.step + 1}/{step.num_steps}", step.progress, done)


class _Reached(NamedTuple):
    """How far a dream came: what is told of its last step, without the picture."""

    octave: int
    num_octaves: int
    step: int
    num_steps: int

    @property
    def is_partial(self) -> bool:
        return (self.octave + 1, self.step + 1) != (self.num_octaves, self.num_steps)


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

    target = output or free_name(_names(photo))
    if output is None and photo.suffix.lower() not in images.SUFFIXES:
        raise ImageWriteError(f"{photo} has no suffix that names a format; say where to write with -o NAME.png")
    if target.exists() and target.samefile(photo):
        raise ImageWriteError(
            f"the output {target} is the photo itself, which is never written to. Choose another name"
        )
    images.check_target(target, overwrite=overwrite)


def _names(photo: Path) -> Iterator[Path]:
    """``<stem>-dream<suffix>`` beside the photo, and more of the kind."""
    return (photo.with_name(f"{photo.stem}-dream{'' if n == 1 else f'-{n}'}{photo.suffix}") for n in count(1))


def _recipe(
    source: dict[str, str], settings: DreamSettings, reached: _Reached, network: VisionModel
) -> dict[str, object]:
    """All that is needed to make the picture again, as JSON can hold it."""
    from dreamer.dreaming import resolved

    recipe = recipe_of(network, resolved(settings).to_dict()) | {"source": source}
    if reached.is_partial:
        recipe["partial"] = {"octave": reached.octave, "step": reached.step}
    return recipe
