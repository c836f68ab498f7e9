"""``dreamer visualize TARGET...``: draws what units of a network look for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.completing import complete_layer, remember_layers
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.interrupts import ignore_interrupts, interrupt_once
from dreamer.cli.mistyping import OutputFile, WholeRange
from dreamer.cli.options import EXIT_INTERRUPTED, backend_option, debug_option, given_options, visualize_options
from dreamer.cli.outputs import free_name, print_path, write_picture
from dreamer.cli.progress import WorkProgress, import_keras, note, silent, work_progress
from dreamer.cli.watching import Frames, Snapshots
from dreamer.errors import SettingsError
from dreamer.objectives import Objective, interpolated
from dreamer.settings import VisualizeSettings, digests_of

if TYPE_CHECKING:
    from dreamer.arrays import StoredArray
    from dreamer.drawing import Visualization
    from dreamer.images import LabelledPicture, Photo
    from dreamer.visualizing import VisualizeStep

_FRAME_SECONDS = 0.08


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...", shell_complete=complete_layer)
@click.option(
    "-o",
    "--output",
    type=OutputFile(),
    help="Where to write; the suffix gives the format.  [default: named after the first target, a PNG]",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--minimize", is_flag=True, help="Draw what each target answers to least.")
@click.option("--pair", is_flag=True, help="Draw what each target answers to most and least, side by side.")
@click.option(
    "--interpolate", type=WholeRange(min=2, max=64), metavar="N", help="Draw N pictures from one target to another."
)
@visualize_options
@click.option("--columns", type=WholeRange(min=1), metavar="N", help="How many pictures of a sheet stand in a row.")
@click.option(
    "--save-steps", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep pictures of the way."
)
@click.option(
    "--animation",
    type=OutputFile(),
    metavar="FILE",
    help="Show the way as an animation: a .gif or a .webp.",
)
@backend_option
@fetch_options
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
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
    quiet: bool,
    **chosen: Any,
) -> None:
    """Draw what each TARGET looks for: a layer, a channel, a neuron, a class, a direction, or a sum of them.

    Several make a labelled sheet. Ctrl-C keeps what there is.

    \b
    dreamer visualize block4b:17
    dreamer visualize 'logit:tabby cat' logit:broccoli --animation way.gif
    dreamer visualize block5c:{0..11} -o channels.png
    dreamer visualize 'block4b:17 + 0.5*block5a:3 - block2a' --pair --size 320
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    settings = VisualizeSettings.of(**given_options(chosen))
    objectives = _objectives(targets, minimize=minimize, pair=pair, interpolate=interpolate)

    from dreamer import images
    from dreamer.models import registry

    spec = registry.spec(settings.model, settings.preprocessing)  # An unknown one is said before anything is loaded.
    stem = _slug(objectives, targets)
    run = _Run(objectives, settings, columns=columns or (2 if pair else interpolate))
    images.check_target(output or free_name(_names(stem)), overwrite=overwrite)
    if animation is not None:
        images.check_animation_target(animation, overwrite=overwrite)
    frames = Frames(settings.steps) if animation else None
    snapshots = None
    if save_steps is not None:
        snapshots = Snapshots(
            save_steps, stem, steps=settings.steps, pictures=run.count, recipe=run.recipe_on_way, overwrite=overwrite
        )
        snapshots.check()
    tell = silent if quiet else note
    ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)

    with interrupt_once():
        _climb(run, [watcher for watcher in (snapshots, frames) if watcher], tell, quiet=quiet)
        ignore_interrupts()
        recipe = run.recipe()
        target = write_picture(run.photo(), recipe, output, _names(stem), overwrite=overwrite, note=tell)
        if animation is not None and frames is not None:
            images.write_animation(
                animation,
                map(run.arranged, frames.until(run.labelled())),
                seconds_per_frame=_FRAME_SECONDS,
                recipe=recipe,
                overwrite=overwrite,
            )
    if not quiet:
        print_path(target)
    remember_layers(registry.load(settings.model, settings.preprocessing))
    if run.reached is not None:
        tell(f"interrupted after step {run.reached + 1} of {settings.steps}; {target} is partial")
        ctx.exit(EXIT_INTERRUPTED)


def _objectives(targets: Sequence[str], *, minimize: bool, pair: bool, interpolate: int | None) -> list[Objective]:
    found = [Objective.parse(target) for target in targets]
    if sum((minimize, pair, interpolate is not None)) > 1:
        raise SettingsError("--minimize, --pair and --interpolate cannot be combined; choose one")
    if interpolate is not None:
        if len(found) != 2:
            raise SettingsError(f"--interpolate goes from one target to another; expected two, got {len(found)}")
        return interpolated(found[0], found[1], interpolate)
    if pair:
        return [one for objective in found for one in (objective, -objective)]
    return [-objective for objective in found] if minimize else found


_LONGEST_STEM = 60


def _slug(objectives: Sequence[Objective], targets: Sequence[str]) -> str:
    """A name for a file: the first target, and how many more there are."""
    bare = re.sub(r"[^A-Za-z0-9._-]+", "-", objectives[0].name).strip("-.")[:_LONGEST_STEM] or "unit"
    return bare if len(targets) == 1 else f"{bare}-and-{len(targets) - 1}-more"


def _names(stem: str) -> Iterator[Path]:
    """``<stem>.png`` in the working directory, and more of the kind."""
    return (Path(f"{stem}{'' if n == 1 else f'-{n}'}.png") for n in count(1))


class _Run:
    """What a run has drawn so far, and how."""

    def __init__(self, objectives: Sequence[Objective], settings: VisualizeSettings, *, columns: int | None) -> None:
        self.objectives = objectives
        self.settings = settings
        self.count = len(objectives) * settings.diversity
        self.reached: int | None = None
        self._columns = columns or (settings.diversity if settings.diversity > 1 else None)
        self._found: dict[int, Visualization] = {}
        self._last: VisualizeStep | None = None
        files = [file for objective in objectives for file in objective.files]
        self._files = digests_of(files if settings.spectrum is None else [*files, settings.spectrum])

    def saw(self, step: VisualizeStep) -> None:
        """Take note of a step; the pictures of a batch are kept when it is done."""
        self._last = step
        if step.step + 1 == step.num_steps:
            self._keep(step)
            self._last = None

    def interrupted(self) -> bool:
        """Keep the pictures of the batch that was going on; whether there are any at all."""
        if self._last is not None:
            self.reached = self._last.step
            self._keep(self._last)
        elif self._found and len(self._found) < self.count:
            self.reached = self.settings.steps - 1
        return bool(self._found)

    def _keep(self, step: VisualizeStep) -> None:
        found = self._found | dict(zip(step.indices, step.render(), strict=True))
        self._found = {index: found[index] for index in sorted(found)}  # In the order of their targets.

    def labelled(self) -> dict[int, LabelledPicture]:
        """The pictures by their index, in order, with what is written under them."""
        from dreamer import images

        return {
            index: images.LabelledPicture(one.picture, self._label(one), one.alpha)
            for index, one in self._found.items()
        }

    def _label(self, one: Visualization) -> str:
        variants = self.settings.diversity
        return one.title if variants == 1 else f"{one.title} ({one.variant + 1} of {variants})"

    def arranged(self, pictures: Sequence[LabelledPicture]) -> StoredArray:
        """The only picture of a run as it is, some of several as a sheet."""
        from dreamer import images

        return images.sheet(pictures, columns=self._columns) if self.count > 1 else pictures[0].picture

    def photo(self) -> Photo:
        """All that was drawn, as it is written."""
        from dreamer import images

        pictures = list(self.labelled().values())
        alpha = pictures[0].alpha if self.count == 1 else None
        levels = None if alpha is None else (alpha * 255).round().astype("uint8")
        return images.Photo(self.arranged(pictures), alpha=levels)

    @cached_property
    def _made_with(self) -> Mapping[str, object]:
        """What every recipe of the run says. Loads the network."""
        from dreamer.models import registry
        from dreamer.recipes import recipe_of
        from dreamer.visualizing import resolved

        network = registry.load(self.settings.model, self.settings.preprocessing)
        return recipe_of(network, resolved(self.settings).to_dict(), self._files) | {"command": "visualize"}

    def recipe(self) -> dict[str, object]:
        """All that is needed to draw it again, as JSON can hold it."""
        found = self._found.values()
        recipe = {
            **self._made_with,
            "targets": [objective.name for objective in self.objectives],
            "scores": [{"target": one.title, "start": one.start, "end": one.score} for one in found],
        }
        if self.reached is not None:
            recipe["partial"] = {"step": self.reached, "pictures": len(found)}
        return recipe

    def recipe_on_way(self, index: int, step: int) -> dict[str, object]:
        """The same for one picture, after a step."""
        target, variant = divmod(index, self.settings.diversity)
        return {**self._made_with, "targets": [self.objectives[target].name], "variant": variant, "step": step}


def _climb(run: _Run, watchers: Sequence[Snapshots | Frames], tell: Callable[[str], None], *, quiet: bool) -> None:
    """Draw until the end or Ctrl-C."""
    # All watchers find the pictures at their own steps.
    pause_every = gcd(*(watcher.every for watcher in watchers)) or None
    with work_progress(quiet=quiet) as progress:
        import_keras()
        from dreamer.visualizing import visualize_steps

        try:
            for step in visualize_steps(run.objectives, run.settings, note=tell, pause_every=pause_every):
                run.saw(step)
                _show(step, progress)
                for watcher in watchers:
                    watcher.saw(step)
        except KeyboardInterrupt:
            if not run.interrupted():
                raise


def _show(step: VisualizeStep, progress: WorkProgress) -> None:
    pictures = f"{len(step.indices)} picture{'s' if len(step.indices) > 1 else ''}"
    batch = f"batch {step.batch + 1}/{step.num_batches}: {pictures}" if step.num_batches > 1 else pictures
    is_over = step.step + 1 == step.num_steps
    done = f"{batch} done: {step.num_steps} steps, score {step.scores.mean():.4g} in the mean" if is_over else None
    progress.show(f"{batch}, step {step.step + 1}/{step.num_steps}", step.progress, done)
