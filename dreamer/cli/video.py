"""``dreamer video VIDEO``: dreams a video without flicker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command, check_settings
from dreamer.cli.completing import complete_choice
from dreamer.cli.dream_wish import STANDARD
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.help_page import CLIMB, LOOK, RESULT, option
from dreamer.cli.interrupts import exit_status, ignore_interrupts
from dreamer.cli.mistyping import NumberRange, OutputFile, WholeRange
from dreamer.cli.options import (
    backend_option,
    debug_option,
    given_options,
    max_pixels_option,
    no_single_terms,
    objective_option,
    preset_option,
    quiet_option,
    trust_option,
)
from dreamer.cli.outputs import print_path, write_result
from dreamer.cli.pools import place_of, pool_options
from dreamer.cli.progress import import_keras, note, silent, work_progress
from dreamer.cli.setting_options import dream_options
from dreamer.errors import SettingsError
from dreamer.files.refuge import noted
from dreamer.filming.settings import CUTS, DRIVEN, HEARD, VideoSettings, seconds

if TYPE_CHECKING:
    from dreamer.dreaming.settings import DreamSettings
    from dreamer.filming.made import DreamtVideo, Output
    from dreamer.filming.run import VideoDream
    from dreamer.models.fetching import Described


def _codecs() -> Iterable[str]:
    from dreamer import videos

    return videos.CODECS


class _Time(click.ParamType[float]):
    """A time as people write it."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return seconds(value)
        except SettingsError as error:
            self.fail(str(error), param, ctx)


@click.command(cls=Command)
@click.argument("video", type=click.Path(path_type=Path), metavar="VIDEO")
@option(
    RESULT, "-o", "--output", type=OutputFile(),
    help="Where to write, in the format of the suffix: .mp4, .webm, .mkv, .mov, .gif, .webp, .apng.  "
    "[default: VIDEO with -dream before the suffix]",
)  # fmt: skip
@option(RESULT, "--overwrite", is_flag=True, help="Replace OUTPUT if it exists, and frames of another dream.")
@preset_option
@option(
    LOOK, "--at", "looks", nargs=2, multiple=True, metavar="TIME NAME",
    help="From TIME on this look, a preset or PRESET:STRENGTH or a strength; it grows out of the look before.",
)  # fmt: skip
@option(RESULT, "--from", "start", type=_Time(), metavar="TIME", help="Where to begin, as 3s or 1:02.5.")
@option(RESULT, "--to", "end", type=_Time(), metavar="TIME", help="Where to end.")
@option(
    CLIMB, "--carry", type=NumberRange(min=0, max=1), metavar="0..1",
    help="How much of the dream stays as it is carried to the next frame, where things move; 0 dreams each frame "
    f"alone.  [default: {VideoSettings.carry}]",
)  # fmt: skip
@option(
    CLIMB, "--next-steps", type=WholeRange(min=1), metavar="N",
    help="Steps in each octave of a frame that goes on from another.  [default: a quarter of --steps]",
)  # fmt: skip
@option(
    CLIMB, "--cuts", metavar="auto|none|TIME,...", shell_complete=complete_choice(lambda: CUTS),
    help="Where the dream begins anew: found, nowhere, or these times, as 3.2s,7s.  [default: auto]",
)  # fmt: skip
@option(
    LOOK, "--listen", multiple=True, metavar="SETTING=FROM..TO",
    help=f"Let the sound drive {', '.join(DRIVEN[:-1])} or {DRIVEN[-1]}; with '{HEARD[1]}' behind it, its beats.",
)  # fmt: skip
@option(RESULT, "--preview", is_flag=True, help="Dream some frames, small, as a sheet; then a short piece.")
@option(
    RESULT, "--codec", metavar="NAME", shell_complete=complete_choice(_codecs),
    help="How the video is encoded: h264, h265, av1, vp9, prores, ffv1.  [default: h264; vp9 for .webm]",
)  # fmt: skip
@option(RESULT, "--quality", type=NumberRange(min=0, max=100), metavar="0..100", help="Of the encoding.  [default: 75]")
@option(
    RESULT, "--frame-rate", type=NumberRange(min=0.1, max=240), metavar="F",
    help="Frames per second of a sequence of pictures, as frames/%05d.png.  [default: 25]",
)  # fmt: skip
@pool_options("How many shots at a time, each in a process of its own.  [default: one, in this process]")
@objective_option
@no_single_terms
@dream_options
@trust_option
@backend_option
@fetch_options
@max_pixels_option
@json_option
@quiet_option
@debug_option
@click.pass_context
def video(
    ctx: click.Context,
    /,
    video: Path,
    output: Path | None,
    overwrite: bool,
    preset: str | None,
    looks: tuple[tuple[str, str], ...],
    trust: bool,
    preview: bool,
    codec: str | None,
    quality: float | None,
    frame_rate: float | None,
    max_pixels: int,
    offline: bool | None,
    mirror: str | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Dream VIDEO: its sound is copied, every time stamp kept, and the dream clings to the things in it.

    VIDEO may also be an animated GIF, WebP or APNG, or a sequence of pictures, frames/%05d.png. Finished frames are
    kept in OUTPUT.frames until all are there: after Ctrl-C or a crash the same command goes on.

    \b
    dreamer video clip.mp4
    dreamer video clip.mp4 --preset fur-and-eyes --from 3s --to 8s --max-size 640 -o out.webm
    dreamer video clip.mp4 --preview
    dreamer video clip.mp4 --preset lace --at 4s eyes --at 8s lace
    dreamer video clip.mp4 --listen strength=0.3..1
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    place = place_of(chosen)
    given = given_options(chosen)
    at = _by_time(looks)

    from dreamer import videos
    from dreamer.filming import preview as previews
    from dreamer.filming.wish import result_of, wish_of
    from dreamer.models import registry
    from dreamer.priors import specs as priors

    if output == STANDARD:
        raise SettingsError("-o - writes a picture to standard output, and a video needs a file; name one, as out.mp4")
    timeline, told = wish_of(None, given, preset=preset, at=at, trust=trust)
    needed: dict[Described, None] = {}
    for look in timeline.looks:
        settings = look.settings
        check_settings(settings, given)
        settings.file_digests()
        needed[registry.spec(settings.model, settings.preprocessing)] = None
        needed |= dict.fromkeys(priors.needed(priors.check_use(settings.prior, dreams=True)))
    with videos.open_video(video, frame_rate=frame_rate, max_pixels=max_pixels) as found:
        # What cannot be read or written is said before anything is loaded.
        target = output or result_of(video, "preview" if preview else "dream")
        videos.check_video_target(target, codec=codec, overwrite=overwrite, size=found.size)
    tell = silent if quiet else note
    for spec in needed:
        ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)
    with work_progress(quiet=quiet) as progress:
        import_keras()
        from dreamer.filming.made import Output
        from dreamer.filming.run import VideoDream

        opened = partial(
            VideoDream, video, frame_rate=frame_rate, max_pixels=max_pixels, place=place, note=tell, show=progress.show
        )
        where = Output(target, codec, quality, overwrite)
        sheet = None
        if preview:
            timeline = previews.small(timeline)
            with opened(timeline=timeline, settings=told) as dream:
                sheet = _sheet(dream, target, overwrite=overwrite, tell=tell)
                told = previews.piece(dream.scan, told)
        with opened(timeline=timeline, settings=told) as dream:
            made = _made(dream, where)
    for line in made.notes:
        tell(line)
    if made.is_partial:
        tell(f"interrupted after {made.frames} of {made.planned} frames, which {made.path} shows; the same command "
             "goes on")  # fmt: skip
    if as_json:
        print_answer("video", [_answer(video, made, sheet)])
    elif not quiet:
        for path in (sheet, made.path):
            if path is not None:
                print_path(path)
    if made.is_partial:
        ctx.exit(exit_status())


def _by_time(looks: Sequence[tuple[str, str]]) -> dict[float, str | DreamSettings]:
    at: dict[float, str | DreamSettings] = {seconds(time): name for time, name in looks}
    if len(at) < len(looks):
        raise SettingsError("two looks are to hold at the same time; expected one at a time")
    return at


def _sheet(dream: VideoDream, target: Path, *, overwrite: bool, tell: Callable[[str], None]) -> Path:
    """Write some frames as a sheet beside the piece."""
    return write_result(
        dream.sheet(),
        target.with_suffix(".png") if overwrite else None,
        (target.with_name(f"{target.stem}{number}.png") for number in ("", *(f"-{count}" for count in range(2, 999)))),
        overwrite=overwrite,
        note=tell,
    )


def _made(dream: VideoDream, output: Output) -> DreamtVideo:
    """Dream to the end or an interrupt, after which there is a video of what is done."""

    def kept() -> str | None:
        count = output.kept.count()
        return (
            f"The {count} frames that are done are in {output.kept.path}; the same command goes on" if count else None
        )

    with noted(kept):
        try:
            return dream.make(output, settle=ignore_interrupts)
        except KeyboardInterrupt:
            ignore_interrupts()
            made = dream.so_far(output)
            if made is None:
                raise
            return made


def _answer(video: Path, made: DreamtVideo, sheet: Path | None) -> dict[str, Any]:
    height, width = made.size
    return {
        "video": str(video),
        "path": str(made.path),
        "sheet": None if sheet is None else str(sheet),
        "width": width,
        "height": height,
        "frames": made.frames,
        "planned": made.planned,
        "flicker": made.flicker,
        "partial": made.is_partial,
        "notes": list(made.notes),
        "recipe": dict(made.recipe),
    }
