"""What the commands share that draw from a photo: their options, and the way from the photo to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.completing import complete_model, remember_layers
from dreamer.cli.drawing import answer_of, climb
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.help_page import CLIMB, NETWORK, RESULT, option
from dreamer.cli.interrupts import exit_status
from dreamer.cli.mistyping import InputFile, OutputFile, Whole, WholeRange
from dreamer.cli.options import backend_option, debug_option, quiet_option
from dreamer.cli.outputs import check_not_photo, print_path, write_result
from dreamer.cli.progress import import_keras, note, silent, work_progress
from dreamer.files.names import free_name
from dreamer.visualizing.looks import FROM_PHOTOS, PHOTO_SIDE
from dreamer.visualizing.settings import VisualizeSettings

if TYPE_CHECKING:
    from dreamer.results import Result
    from dreamer.visualizing.run import VisualizeRun

Command = TypeVar("Command", bound=Callable[..., Any])

_SETTINGS = ("size", "steps", "seed", "model", "preprocessing", "alpha")


def photo_options(command: str, word: str) -> Callable[[Command], Command]:
    """Add the photo, and what all of these commands take.

    Args:
        command: Its name.
        word: What is put behind the photo's name for that of the result.
    """
    own = [
        option(
            RESULT, "-o", "--output", type=OutputFile(),
            help=f"Where to write; the suffix gives the format.  [default: PHOTO with -{word}, a PNG]",
        ),
        option(RESULT, "--overwrite", is_flag=True, help="Replace files that exist."),
        option(
            RESULT, "--size", type=WholeRange(min=16, max=4096), metavar="PX",
            help=f"Longer side of the result, which has the proportions of the photo.  [default: {PHOTO_SIDE}]",
        ),
    ]  # fmt: skip
    shared = [
        option(
            CLIMB, "--steps", type=WholeRange(min=1), metavar="N",
            help=f"Steps of the optimizer.  [default: {FROM_PHOTOS[command]['steps']}]",
        ),
        option(CLIMB, "--seed", type=Whole(), metavar="N", help="The number that chance begins with.  [default: 0]"),
        option(
            NETWORK, "--model", metavar="NAME|FILE", shell_complete=complete_model,
            help=f"The network: one of `dreamer models list`, or a .keras file.  [default: {VisualizeSettings.model}]",
        ),
        option(NETWORK, "--preprocessing", metavar="NAME", help="How pictures are prepared for a .keras file."),
        backend_option,
        fetch_options,
        json_option,
        quiet_option,
        debug_option,
        click.pass_context,
    ]  # fmt: skip

    def add(function: Command) -> Command:
        for one in (*reversed(shared), *reversed(own)):
            function = one(function)
        return click.argument("photo", type=InputFile())(function)

    return add


@dataclass(frozen=True)
class Asked:
    """What somebody asked of one of these commands.

    Attributes:
        command: Its name.
        word: What is put behind the photo's name for that of the result.
        photo: The photo.
        output: Where to write; None for a free name beside the photo.
        overwrite: Whether files may be replaced.
        offline: Whether nothing is fetched.
        mirror: Where weights are fetched instead.
        as_json: Whether to answer a script.
        quiet: Whether to say nothing but errors.
        settings: Those of a visualization that were given.
    """

    command: str
    word: str
    photo: Path
    output: Path | None
    overwrite: bool
    offline: bool | None
    mirror: str | None
    as_json: bool
    quiet: bool
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, command: str, word: str, photo: str, chosen: dict[str, Any]) -> Asked:
        """What was asked, from the options of :func:`photo_options`."""
        given = {name: chosen.pop(name) for name in _SETTINGS if name in chosen}
        told = {name: value for name, value in given.items() if value is not None}
        return cls(command, word, Path(photo), settings=told, **chosen)

    def names(self) -> Iterator[Path]:
        """Names for the result."""
        from dreamer.sources import result_names

        return result_names(self.photo, self.word, ".png")

    def check(self) -> None:
        """Find out now, not after the work, what cannot be: a setting, the photo, where the result goes.

        Raises:
            SettingsError, ModelError, ImageReadError, ImageWriteError: Something cannot.
        """
        from dreamer import images
        from dreamer.models import registry

        settings = VisualizeSettings.of(**{**FROM_PHOTOS[self.command], **self.settings})
        spec = registry.spec(settings.model, settings.preprocessing)
        images.read(self.photo, max_side=2 * max(settings.size))
        target = self.output or free_name(self.names())
        check_not_photo(target, self.photo)
        images.check_target(target, overwrite=self.overwrite)
        ensure_weights(spec, offline=self.offline, mirror=self.mirror, quiet=self.quiet)


def draw(
    ctx: click.Context,
    asked: Asked,
    begun: Callable[[], VisualizeRun],
    told: Callable[[VisualizeRun, Result], dict[str, Any]],
    *,
    say: Callable[[VisualizeRun, Result], Iterable[str]] = lambda _run, _result: (),
) -> None:
    """Draw from a photo until the end or an interrupt, and write what there is.

    Args:
        ctx: Of the command.
        asked: What is asked.
        begun: Makes the run; called when Keras is there.
        told: What a script is told besides what every visualization tells.
        say: What a person is told in lines.
    """
    asked.check()
    tell = silent if asked.quiet else note
    with work_progress(quiet=asked.quiet) as progress:
        import_keras()
        run = begun()
        climb(run, [], progress, tell, stem=asked.photo.stem)
    result = run.result()
    target = write_result(result, asked.output, asked.names(), overwrite=asked.overwrite, note=tell)
    if asked.as_json:
        own = {"photo": str(asked.photo), **told(run, result)}
        print_answer(asked.command, [own | answer_of(run, result.recipe, target)])
    elif not asked.quiet:
        for line in say(run, result):
            note(line)
        print_path(target)
    remember_layers(run.plan.network)
    if run.reached is not None:
        tell(f"interrupted after step {run.reached + 1} of {run.settings.steps}; {target} is partial")
        ctx.exit(exit_status())
