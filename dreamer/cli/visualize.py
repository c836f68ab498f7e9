"""``dreamer visualize TARGET...``: draws what units of a network look for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command, check_settings
from dreamer.cli.completing import complete_target, remember_layers
from dreamer.cli.drawing import answer_of, climb
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.help_page import DRAW, RESULT, option
from dreamer.cli.interrupts import exit_status
from dreamer.cli.mistyping import OutputFile, WholeRange
from dreamer.cli.options import backend_option, debug_option, given_options, quiet_option
from dreamer.cli.outputs import print_path, write_result
from dreamer.cli.progress import import_keras, note, silent, work_progress
from dreamer.cli.setting_options import visualize_options
from dreamer.cli.watching import Film, Snapshots
from dreamer.errors import SettingsError
from dreamer.files.names import free_name
from dreamer.files.refuge import noted
from dreamer.objectives import Objective, interpolated
from dreamer.settings import digests_of
from dreamer.visualizing.settings import VisualizeSettings


@click.command(cls=Command)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...", shell_complete=complete_target)
@option(
    RESULT,
    "-o",
    "--output",
    type=OutputFile(),
    help="Where to write; the suffix gives the format.  [default: named after the first target, a PNG]",
)
@option(RESULT, "--overwrite", is_flag=True, help="Replace files that exist.")
@option(DRAW, "--minimize", is_flag=True, help="Draw what each target answers to least.")
@option(DRAW, "--pair", is_flag=True, help="Draw what each target answers to most and least, side by side.")
@option(
    DRAW, "--interpolate", type=WholeRange(min=2, max=64), metavar="N",
    help="Draw N pictures from one target to another.",
)  # fmt: skip
@visualize_options(jointly=True)
@option(RESULT, "--columns", type=WholeRange(min=1), metavar="N", help="How many pictures of a sheet stand in a row.")
@option(
    RESULT, "--save-steps", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Also write pictures of the way there.",
)  # fmt: skip
@option(
    RESULT,
    "--animation",
    type=OutputFile(),
    metavar="FILE",
    help="Also write the way as an animation: a .gif, a .webp or an .apng.",
)
@backend_option
@fetch_options
@json_option
@quiet_option
@debug_option
@click.pass_context
def visualize(
    ctx: click.Context,
    /,
    targets: tuple[str, ...],
    output: Path | None,
    overwrite: bool,
    minimize: bool,
    pair: bool,
    interpolate: int | None,
    columns: int | None,
    save_steps: Path | None,
    animation: Path | None,
    offline: bool | None,
    mirror: str | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Draw what each TARGET looks for: a layer, a channel, a neuron, a class, a direction, or a sum of them.

    Several make a labelled sheet. Ctrl-C keeps what there is.

    \b
    dreamer visualize block4b:17
    dreamer visualize 'logit:tabby cat' logit:broccoli --animation way.gif
    dreamer visualize block5c:{0..11} -o channels.png
    dreamer visualize logit:volcano --model efficientnet_lite0_robust --model efficientnet_lite0
    dreamer visualize 'block4b:17 + 0.5*block5a:3 - block2a' --pair --size 320
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    given = given_options(chosen)
    settings = VisualizeSettings.of(**given)
    check_settings(settings, given)
    objectives = _objectives(targets, minimize=minimize, pair=pair, interpolate=interpolate)
    given_columns = columns

    from dreamer import images, videos
    from dreamer.models import registry
    from dreamer.models.fetching import Described
    from dreamer.priors import specs as priors
    from dreamer.visualizing.visualization import least_size, target_names, target_stem

    # An unknown one is said before anything is loaded.
    specs: list[Described] = [registry.spec(settings.model, settings.preprocessing)]
    specs += map(registry.spec, settings.jointly_with)
    specs += priors.needed(priors.check_use(settings.prior, dreams=False))
    # So is a file that is not there.
    digests_of([*settings.files, *(file for objective in objectives for file in objective.files)])
    names, stem = target_names(objectives, len(targets)), target_stem(objectives, len(targets))
    columns, count = columns or (2 if pair else interpolate), len(objectives) * settings.diversity
    if given_columns is not None and count == 1:
        raise SettingsError("--columns is for a sheet of several pictures, and this is a single one; leave it out")
    if output is not None and animation is not None and output.absolute() == animation.absolute():
        raise SettingsError(f"{output} cannot be both the picture and the animation; give --animation another name")
    size = least_size(settings, count, columns)
    images.check_target(output or free_name(target_names(objectives, len(targets))), overwrite=overwrite, size=size)
    if animation is not None:
        if videos.is_video(animation.name):
            videos.check_video_target(animation, codec=None, overwrite=overwrite, size=size)
        else:
            images.check_animation_target(animation, overwrite=overwrite, size=size)
    film = Film(animation, settings.steps) if animation else None
    if film is not None:
        ctx.call_on_close(film.close)
    snapshots = None
    if save_steps is not None:
        snapshots = Snapshots(save_steps, stem, steps=settings.steps, pictures=count, overwrite=overwrite)
        snapshots.check([path for path in (output, animation) if path is not None])
    tell = silent if quiet else note
    if settings.alpha and animation is not None:
        tell("the frames of an animation are opaque; only the picture has transparency")
    for spec in specs:
        ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)

    with film or nullcontext():
        with work_progress(quiet=quiet) as progress:
            import_keras()
            from dreamer.visualizing.run import VisualizeRun

            run = VisualizeRun(objectives, settings, columns=columns)
            with film.rescued(run) if film else nullcontext():
                climb(run, [watcher for watcher in (snapshots, film) if watcher], progress, tell, stem=stem)
        with film.rescued(run) if film else nullcontext():
            target = write_result(run.result(), output, names, overwrite=overwrite, note=tell)
            if film:
                with noted(lambda: f"The picture is {target}"):
                    film.write(run, overwrite=overwrite)
    if as_json:
        print_answer("visualize", [answer_of(run, run.recipe(), target)])
    elif not quiet:
        print_path(target)
    remember_layers(run.plan.network)
    if run.reached is not None:
        tell(f"interrupted after step {run.reached + 1} of {settings.steps}; {target} is partial")
        ctx.exit(exit_status())


def _objectives(targets: Sequence[str], *, minimize: bool, pair: bool, interpolate: int | None) -> list[Objective]:
    found = [Objective.parse(target) for target in targets]
    if interpolate is not None:
        if len(found) != 2:
            raise SettingsError(f"--interpolate goes from one target to another; expected two, got {len(found)}")
        return interpolated(found[0], found[1], interpolate)
    if pair:
        return [one for objective in found for one in (objective, -objective)]
    return [-objective for objective in found] if minimize else found
