"""``dreamer dream PHOTO``: dreams one photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from dreamer import presets as library
from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command, check_settings
from dreamer.cli.completing import complete_channel, complete_layer_term
from dreamer.cli.dream_wish import STANDARD, Made, Wish, named, planned, read
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.help_page import DREAM, LOOK, RESULT, option
from dreamer.cli.interrupts import came, exit_status, ignore_interrupts, interrupt_once
from dreamer.cli.mistyping import NumberRange, OutputFile, PhotoFile, cell_as_typed, photos_as_typed
from dreamer.cli.options import (
    backend_option,
    damaged_option,
    debug_option,
    given_options,
    max_pixels_option,
    mixed_preset_option,
    objective_option,
    quiet_option,
    regions_option,
    trust_option,
)
from dreamer.cli.outputs import print_path
from dreamer.cli.progress import note, say, silent
from dreamer.cli.setting_options import dream_options
from dreamer.cli.single_terms import objective_of
from dreamer.cli.still import still
from dreamer.cli.zoom import zoom
from dreamer.dreaming.settings import DreamSettings
from dreamer.earlier import Earlier
from dreamer.errors import DreamerError, SettingsError

_FRAME_RATE = 15
EXIT_FAILURE = 1


@click.command(cls=Command)
@click.argument("photos", type=PhotoFile(), nargs=-1, metavar="[PHOTO]...", callback=photos_as_typed)
@option(
    RESULT, "-o", "--output", type=OutputFile(),
    help="Where to write, in the format of the suffix; a folder for several photos, - for standard output.  "
    "[default: PHOTO with -dream before the suffix]",
)  # fmt: skip
@option(RESULT, "--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@mixed_preset_option
@regions_option
@option(
    LOOK, "--recipe", type=click.Path(path_type=Path), metavar="FILE",
    help="Dream as this earlier result was dreamt, which other options change.",
)  # fmt: skip
@option(
    LOOK, "--pick", callback=cell_as_typed, metavar="N|NAME",
    help="Of a sheet, given in the place of PHOTO or with --recipe, the picture with this number or preset.",
)  # fmt: skip
@trust_option
@option(
    RESULT, "--preview", is_flag=True, help="Dream the first octaves only, a small picture composed like the whole."
)
@option(
    RESULT, "--save-octaves", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Also write each finished octave there.",
)  # fmt: skip
@objective_option
@option(
    DREAM, "--layer", "layers", multiple=True, metavar="NAME[=WEIGHT]", help="A layer to dream with; repeatable.",
    shell_complete=complete_layer_term,
)  # fmt: skip
@option(
    DREAM, "--channel", "channels", multiple=True, metavar="LAYER:INDEX[=WEIGHT]",
    help="A single channel to dream with; repeatable.", shell_complete=complete_channel,
)  # fmt: skip
@dream_options
@option(
    RESULT, "--frame-rate", type=NumberRange(min=0.1, max=50), metavar="F",
    help=f"Frames per second of a zoom.  [default: {_FRAME_RATE}]",
)  # fmt: skip
@backend_option
@fetch_options
@max_pixels_option
@damaged_option
@json_option
@quiet_option
@debug_option
@click.pass_context
def dream(
    ctx: click.Context,
    /,
    photos: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
    presets: tuple[str, ...],
    regions: tuple[tuple[str, str], ...],
    recipe: Path | None,
    pick: int | str | None,
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
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Dream PHOTO: enhance in it what a network sees.

    Several are dreamt one after the other; - stands for standard input. Ctrl-C keeps what there is.

    \b
    dreamer dream photo.jpg
    dreamer dream one.jpg two.jpg three.jpg
    dreamer dream photo.jpg --preset fur-and-eyes --preview
    dreamer dream photo.jpg --preset lace:0.6 --preset eyes:0.4
    dreamer dream photo.jpg --at sky.png cobwebs --at ground.png fleece
    dreamer dream photo.jpg --layer block4b --layer block6b=0.5 --laplacian --seed 7
    dreamer dream photo.jpg --objective 'block4b:17 - 0.5*block2a' --max-size 1024 -o art.png
    dreamer dream photo.jpg --frames 60 --max-size 512 -o zoom.gif
    dreamer dream photo.jpg --frames 120 --focus 0.3,0.6 --turn 2 --ease --loop --aspect 9:16 -o zoom.mp4
    dreamer dream --recipe photo-dream.jpg --seed 8
    dreamer dream --pick 7 photo-sheet.png
    dreamer dream --size 3840x2160 --preset stained-glass --tileable -o wallpaper.png
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    if pick is not None and recipe is None:
        recipe, photos = _sheet(photos, pick), ()
    earlier = None if recipe is None else Earlier.read(recipe, trust=trust, pick=pick)
    if output == STANDARD and as_json:
        raise SettingsError("-o - and --json both write to standard output; give one of them")
    if photos == (STANDARD,) and output is None:
        raise SettingsError("a photo from standard input has no name; say where to write with -o NAME.png, or -o -")
    chosen = given_options({**chosen, "objective": objective_of(objective, layers, channels)})
    if photos and "size" in chosen:
        raise SettingsError("--size is for a dream of nothing; leave out PHOTO, or give --max-size or --upscale")
    of_photo = {"size": None} if photos else {}  # Whatever a preset or a recipe has: it is of the photo.
    settings, origin = _settings(presets, regions, earlier, chosen | of_photo, trust=trust)
    check_settings(settings, chosen)
    sources = _sources(photos, earlier, settings)
    if frame_rate is not None and settings.frames == 1:
        raise SettingsError("--frame-rate is for an endless zoom; say how long it is, as in --frames 60")
    if frame_rate is not None and output is not None and not output.suffix and len(sources) == 1:
        raise SettingsError(f"--frame-rate is for an animation, and {output} becomes a folder of frames; leave it out")
    if save_octaves is not None and settings.frames > 1:
        raise SettingsError("--save-octaves is for a single picture; leave out --frames")

    from dreamer.models import registry
    from dreamer.models.fetching import Described
    from dreamer.priors import specs as priors

    needed: dict[Described, None] = {}
    for part in settings.parts:  # An unknown network is said before anything is loaded.
        needed[registry.spec(part.model, part.preprocessing)] = None
        needed |= dict.fromkeys(priors.needed(priors.check_use(part.prior, dreams=True)))
    settings.file_digests()  # So is a file that is not there.
    folder = _folder(photos, output, save_octaves) if len(photos) > 1 else None
    tell = silent if quiet else note
    if settings.strength == 0:
        tell("with a strength of 0 the photo stays as it is, and nothing of the dream is to be seen")
    damaged_ok = damaged_ok or (earlier is not None and earlier.took_damaged)
    wish = Wish(
        settings=settings,
        preset=origin,
        output=output if len(sources) == 1 else None,
        folder=folder,
        overwrite=overwrite,
        preview=preview,
        octave_folder=save_octaves,
        frame_rate=frame_rate or _FRAME_RATE,
        earlier=earlier,
        reading={"max_pixels": max_pixels, "damaged_ok": damaged_ok},
        fetch=lambda: [ensure_weights(one, offline=offline, mirror=mirror, quiet=quiet) for one in needed],
        quiet=quiet,
        tell=tell,
    )
    status = _dream_all(sources, wish, as_json=as_json)
    if status:
        ctx.exit(status)


def _sheet(photos: Sequence[Path], pick: int | str) -> Path:
    """The sheet that stands in the place of a photo."""
    if len(photos) != 1:
        given = f"{len(photos)} are given" if photos else "none is given"
        raise click.UsageError(
            f"--pick takes one sheet, and {given}: dreamer dream --pick {pick} SHEET. To dream another photo like a "
            f"picture of a sheet: dreamer dream PHOTO --recipe SHEET --pick {pick}"
        )
    return photos[0]


def _sources(photos: tuple[Path, ...], earlier: Earlier | None, settings: DreamSettings) -> tuple[Path | None, ...]:
    """What is dreamt: the photos, or that of an earlier dream, or nothing, which is None."""
    if photos:
        return photos
    if settings.size is not None:
        return (None,)
    if earlier is None:
        raise click.UsageError(
            "Missing argument 'PHOTO', or --recipe FILE with the photo beside it, or --size WxH to dream of nothing."
        )
    return (earlier.photo(),)


def _dream_all(photos: Sequence[Path | None], wish: Wish, *, as_json: bool) -> int:
    """Dream photos one after the other, tell where the results are, and give the exit status."""
    if len(photos) > 1:
        return _dream_several(photos, wish, as_json=as_json)
    made = _dream_photo(photos[0], wish)
    if as_json:
        print_answer("dream", [made.answer])
    else:
        _print(made, wish)
    return exit_status() if made.is_partial else 0


def _dream_several(photos: Sequence[Path | None], wish: Wish, *, as_json: bool) -> int:
    """The same of several: one that fails is said, and the others go on; an interrupt ends all."""
    wish = planned(wish)
    answers: list[dict[str, Any]] = []
    try:
        for photo in photos:
            with interrupt_once():
                made = _one_of_several(photo, named(photo, wish, [answer["path"] for answer in answers]))
            answers.append(made.answer)
            if not as_json:
                _print(made, wish)
            if came():
                break
    except KeyboardInterrupt:  # In a photo of which there was nothing yet.
        if not answers:
            raise
    ignore_interrupts()
    if came():
        wish.tell(f"interrupted after {len(answers)} of {len(photos)} photos")
    if as_json:
        print_answer("dream", answers)
    if came():
        return exit_status()
    return EXIT_FAILURE if any("error" in answer for answer in answers) else 0


def _one_of_several(photo: Path | None, wish: Wish) -> Made:
    """Dream one of several photos; what goes wrong with it is said."""
    try:
        return _dream_photo(photo, wish)
    except (DreamerError, MemoryError) as error:
        parts = [str(error).rstrip(".") or "out of memory", *getattr(error, "__notes__", [])]
        message = ". ".join(parts)
        is_named = message.startswith((f"{photo} ", f"{photo}:"))
        say(f"Failed: {message if is_named else f'{photo}: {message}'}")
        failure = {"kind": type(error).__name__, "message": message}
        return Made(None, {"photo": str(photo), "path": None, "error": failure}, is_partial=False)


def _print(made: Made, wish: Wish) -> None:
    if made.path is not None and not wish.quiet:
        print_path(made.path)


def _dream_photo(photo: Path | None, wish: Wish) -> Made:
    """Dream a photo and write the result.

    Raises:
        ImageError: The photo cannot be read, or the result not written.
        DreamerError: As for :func:`dreamer.dream`.
    """
    found, source = read(photo, wish)
    for remark in found[0].notes:
        wish.tell(remark)
    if wish.earlier is not None:
        wish.earlier.compare(source, wish.settings, wish.tell)
    if wish.plan is None:
        wish.fetch()
    return (still if wish.settings.frames == 1 else zoom)(photo, wish, found, source)


def _folder(photos: Sequence[Path], output: Path | None, octave_folder: Path | None) -> Path | None:
    """The folder that the dreams of several photos go to; None for beside them.

    Raises:
        SettingsError: Something is asked for that several photos cannot share.
        ImageWriteError: There can be no such folder.
    """
    if octave_folder is not None:
        raise SettingsError(f"--save-octaves is for one photo, and {len(photos)} are given; leave it out")
    if STANDARD in photos:
        raise SettingsError("- stands for standard input, which cannot be one of several photos")
    if output is None or output.is_dir():
        return output
    if output == STANDARD or output.suffix or output.exists():
        raise SettingsError(
            f"-o is {output}, and {len(photos)} photos are given; expected a folder for their dreams, or leave it out "
            "for names beside the photos"
        )
    from dreamer import images

    images.check_place(output, overwrite=False)
    return output


def _settings(
    names: Sequence[str],
    regions: Sequence[tuple[str, str]],
    earlier: Earlier | None,
    chosen: dict[str, Any],
    *,
    trust: bool,
) -> tuple[DreamSettings, dict[str, str]]:
    """How to dream, and which preset says so."""
    if earlier is not None:
        return earlier.settings(**chosen), earlier.preset
    return library.of_words(names, regions, chosen, trust=trust)
