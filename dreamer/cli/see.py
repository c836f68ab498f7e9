"""``dreamer see PHOTO``: what a network sees in a photo, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.answers import print_answer
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_label, complete_layer, remember_layers
from dreamer.cli.help_page import CLIMB, DRAW, RESULT, option
from dreamer.cli.looking import ensure_network, kept_on_interrupt, looking_options, shown_photos, shown_share
from dreamer.cli.mistyping import InputFile, WholeRange
from dreamer.cli.options import given_options
from dreamer.cli.outputs import check_not_photo, print_path, print_text, write_result
from dreamer.cli.progress import import_keras, note, silent, work_progress
from dreamer.cli.tables import table
from dreamer.files.names import free_name
from dreamer.seeing.settings import DATA, PAGE, SeeSettings

if TYPE_CHECKING:
    from dreamer.seeing.photo import LayerSeen, PhotoSeen


@click.command(cls=Command)
@click.argument("photo", type=InputFile())
@option(
    RESULT, "-o", "--output", type=click.Path(path_type=Path), metavar="DIR|FILE",
    help="A folder for a page with all of it, or a picture's name for a sheet.  [default: PHOTO with -seen, a PNG]",
)  # fmt: skip
@option(RESULT, "--overwrite", is_flag=True, help="Replace what is there.")
@option(
    DRAW, "--layer", "layers", multiple=True, metavar="LAYER", shell_complete=complete_layer,
    help="A layer to look at; may be given several times.  [default: three that dream well]",
)  # fmt: skip
@option(DRAW, "--top", type=WholeRange(min=1, max=64), metavar="N",
        help=f"How many channels of each layer are shown.  [default: {SeeSettings.top}]")  # fmt: skip
@option(
    DRAW, "--class", "for_class", metavar="CLASS", shell_complete=complete_label,
    help="Which places and channels speak for this class, and which against it.",
)  # fmt: skip
@option(
    DRAW, "--against", metavar="CLASS", shell_complete=complete_label,
    help="What speaks for --class rather than for this one.",
)  # fmt: skip
@option(
    DRAW, "--groups", type=WholeRange(min=0, max=32), metavar="N",
    help="With --class: split the channels into N groups that fire together; needs the extra [embedding].",
)  # fmt: skip
@option(
    DRAW, "--photos", metavar="FOLDER|URL",
    help="Photos by which it is told what channels usually give.  [default: what is known of the network]",
)  # fmt: skip
@option(
    DRAW, "--atlas", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
    help="Take pictures of channels from this atlas; those that it lacks are drawn.",
)  # fmt: skip
@option(
    CLIMB, "--steps", type=WholeRange(min=0), metavar="N",
    help=f"In how many steps channels are drawn; 0 for not at all.  [default: {SeeSettings.steps}]",
)  # fmt: skip
@looking_options
def see(
    ctx: click.Context,
    /,
    photo: str,
    output: Path | None,
    overwrite: bool,
    photos: str | None,
    atlas: Path | None,
    offline: bool | None,
    mirror: str | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Show what a network sees in PHOTO: its classes, the channels that stand out, and where each of them fires.

    Channels stand out by what they usually give: 0 is what half of all photos reach, 1 what one in twenty does.

    \b
    dreamer see cat.jpg
    dreamer see cat.jpg --layer block4b --top 12 -o page/
    dreamer see cat.jpg --class 'tabby cat' --against tiger -o page/
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    given = given_options(chosen)
    settings = SeeSettings.of(**{**given, "layers": tuple(given.get("layers") or ())})
    path = Path(photo)
    _check(path, output, overwrite=overwrite)
    ensure_network(settings.model, settings.preprocessing, offline=offline, mirror=mirror, quiet=quiet)
    with work_progress(quiet=quiet) as progress, kept_on_interrupt(ctx, silent if quiet else note):
        import_keras()
        from dreamer.models import registry
        from dreamer.seeing.calls import see as seen
        from dreamer.workers.places import Place

        network = registry.load(settings.model, settings.preprocessing)  # Kept, so that it is not loaded twice.
        found = seen(
            path,
            settings,
            photos=photos,
            atlas=atlas,
            place=Place(),
            on_photo=shown_photos(progress),
            on_step=shown_share(progress, "drawing channels"),
            note=silent if quiet else progress.say,
        )
    remember_layers(network)
    target = _written(found, path, output, overwrite=overwrite)
    if as_json:
        print_answer("see", [_answer(found, photo, target)])
    elif not quiet:
        _tell(found)
        print_path(target)


def is_picture(output: Path) -> bool:
    """Whether an output is the name of a picture, and not of a folder."""
    from dreamer import images

    return images.is_read(output.suffix) and not output.is_dir()


def _names(photo: Path) -> Any:
    from dreamer.sources import result_names

    return result_names(photo, "seen", ".png")


def _check(photo: Path, output: Path | None, *, overwrite: bool) -> None:
    """Find out now, not after the work, that the result could not be written."""
    from dreamer import images
    from dreamer.errors import SettingsError
    from dreamer.images import folders

    if overwrite and output is None:
        raise SettingsError("--overwrite has nothing to do here: without -o a name is taken that no file has")
    if output is not None and not is_picture(output):
        folders.check(output, (PAGE, DATA), overwrite=overwrite)
        return
    target = output or free_name(_names(photo))
    check_not_photo(target, photo)
    images.check_target(target, overwrite=overwrite)


def _written(found: PhotoSeen, photo: Path, output: Path | None, *, overwrite: bool) -> Path:
    if output is not None and not is_picture(output):
        return found.save(output, overwrite=overwrite)
    return write_result(found.sheet(), output, _names(photo), overwrite=overwrite, note=silent)


def _tell(found: PhotoSeen) -> None:
    height, width = found.seen
    print_text(f"seen at {width}x{height}: {_classes(found.predictions)}")
    if found.crops is not None:
        print_text(f"in {found.crops.how}: {_classes(found.crops.mean)}")
    for layer in found.layers:
        print_text(f"\n{layer.name}")
        print_text(table(*_rows(layer)))
        if layer.attribution is not None and found.question is not None:
            _tell_attribution(layer, found)


def _classes(predictions: Any) -> str:
    return ", ".join(f"{one.name.split(', ')[0] or f'class {one.index}'} {one.probability:.1%}" for one in predictions)


def _rows(layer: LayerSeen) -> tuple[list[str], list[list[Any]]]:
    heads = ["channel", "gives", "stands out", "more than", "at row, column"]
    rows = [
        [
            f"{layer.name}:{unit.channel}",
            f"{unit.score:.3g}",
            f"{unit.stands_out:.1f}",
            "-" if unit.beats is None else f"{unit.beats:.1%} of photos",
            "-" if unit.at is None else f"{unit.at[0]}, {unit.at[1]}",
            *([] if unit.attribution is None else [f"{unit.attribution:+.3f}"]),
        ]
        for unit in layer.units
    ]
    return [*heads, *(["says"] if layer.attribution is not None else [])], rows


def _tell_attribution(layer: LayerSeen, found: PhotoSeen) -> None:
    if layer.attribution is None or found.question is None:
        return
    wanted, against = found.question
    said = layer.attribution.by_channel
    ours, others = layer.speaking(found.top)
    asked = wanted if against is None else f"{wanted} rather than {against}"

    def listed(channels: list[int]) -> str:
        return ", ".join(f"{layer.name}:{one} {said[one]:+.2f}" for one in channels) or "none"

    print_text(f"for {asked}, of {layer.attribution.total:+.2f} in all: {listed(ours)}; against: {listed(others)}")
    for number, group in enumerate(layer.attribution.groups, start=1):
        best = group.direction.argsort()[::-1][:3]
        print_text(
            f"group {number} {group.attribution:+.2f}: mostly {', '.join(f'{layer.name}:{one}' for one in best)}"
        )


def _answer(found: PhotoSeen, photo: str, target: Path) -> dict[str, Any]:
    """What was seen, for a script, as ``answers.ITEMS["see"]`` says."""
    return {
        "photo": photo,
        "path": str(target),
        "seen": list(found.seen),
        "predictions": [vars(one) for one in found.predictions],
        "crops": 0 if found.crops is None else len(found.crops.boxes),
        "crop_predictions": [] if found.crops is None else [vars(one) for one in found.crops.mean],
        "layers": [
            {
                "name": layer.name,
                "total": None if layer.attribution is None else layer.attribution.total,
                "units": [
                    {
                        "channel": unit.channel,
                        "score": unit.score,
                        "unusual": unit.stands_out,
                        "beats": unit.beats,
                        "at": None if unit.at is None else list(unit.at),
                        "attribution": unit.attribution,
                    }
                    for unit in layer.units
                ],
            }
            for layer in found.layers
        ],
        "recipe": dict(found.recipe),
    }
