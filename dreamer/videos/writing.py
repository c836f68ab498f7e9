"""Frames -> a video file: whole or not at all, with everything that its source has beside its pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from dreamer import images
from dreamer.arrays import Size
from dreamer.errors import ImageWriteError
from dreamer.images.animation import ENCODERS as ANIMATIONS
from dreamer.images.files import check_no_folder, check_place, placed
from dreamer.images.recipes import KEYWORD, Recipe, dumped
from dreamer.videos.colours import SCREEN, as_bits
from dreamer.videos.encoding import PictureEncoder
from dreamer.videos.file import VideoFile
from dreamer.videos.formats import SUFFIXES, codec_for, written
from dreamer.videos.frame import Frame, Video
from dreamer.videos.luggage import Luggage
from dreamer.videos.pyav import pyav, reason, words_as_bytes

_BUFFER = 1 << 18
_MOST_SIDE = 16384  # Of x264, which takes the least.
_MOST_TICKS = (1 << 31) - 1  # MP4's ticks in a second.


def check_video_target(path: Path, *, codec: str | None, overwrite: bool, size: Size | None = None) -> None:
    """Find out before the work starts what would keep a video from being written.

    Args:
        path: Where it is to go: a video file, an animation, or a folder for numbered pictures.
        codec: What it is to be encoded with; None for the container's default.
        overwrite: Whether a file that is there may be replaced.
        size: ``(height, width)`` of the frames, if it is known by now.

    Raises:
        ImageWriteError: The suffix names nothing that is written, the codec is missing in this build of FFmpeg, or the
            place is not fit.
        ImageExistsError: A file is there that may not be replaced.
        SettingsError: There is no such codec, or the container does not take it.
        MissingExtraError: PyAV is not installed.

    Example:
        >>> check_video_target(Path("dream.gif"), codec=None, overwrite=True)
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in ANIMATIONS:
        images.check_animation_target(path, overwrite=overwrite, size=size)
        return
    if not suffix:
        images.check_picture_folder(path, overwrite=overwrite)
        return
    check_no_folder(path, ".mp4")
    if not SUFFIXES.get(suffix, SUFFIXES[".avi"]).name:
        raise ImageWriteError(
            f"{path} cannot be written: the suffix {path.suffix!r} names no video that is written. "
            f"Known: {', '.join((*written(), *ANIMATIONS))}."
        )
    if size is not None:
        check_size(path, size)
    name, found = codec_for(suffix, codec)
    av = pyav()
    try:
        av.codec.Codec(found.encoder, "w")
    except (av.error.FFmpegError, ValueError) as error:
        raise ImageWriteError(
            f"{path} cannot be written: this build of FFmpeg has no encoder {found.encoder}, which {name} needs. "
            f"Choose another codec: {', '.join(SUFFIXES[suffix].codecs)}."
        ) from error
    check_place(path, overwrite=overwrite)


def check_size(path: Path, size: Size) -> None:
    """Refuse frames that encoders have no room for.

    Raises:
        ImageWriteError: A side is too long.
    """
    if max(size) > _MOST_SIDE:
        raise ImageWriteError(
            f"{path} cannot be written: its frames have {size[1]} x {size[0]} pixels, and a video holds at most "
            f"{_MOST_SIDE} pixels a side. Make the frames smaller."
        )


def write_video(
    path: Path,
    frames: Iterable[Frame],
    *,
    size: Size,
    source: Video | None,
    time_base: Fraction,
    rate: Fraction,
    codec: str | None = None,
    quality: float | None = None,
    bits: int = 8,
    recipe: Recipe = None,
    begin: int | None = None,
    end: int | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write a video: frames at their times, and beside them all that its source has.

    Args:
        path: Where it goes: a video file, an animation (``.gif``, ``.webp``, ``.apng``), or a folder without suffix.
        frames: In order, taken one by one.
        size: Their ``(height, width)``.
        source: What they were made from: its sound, subtitles, chapters, words and colours are taken; None for none.
        time_base: Seconds in a tick of the frames' clock.
        rate: Frames in a second, on the average.
        codec: A name in :data:`CODECS`; None for the container's default.
        quality: 0 to 100, which is best; None for the codec's default, which is about 75.
        bits: 8, or 16 to keep 10 bits.
        recipe: How it was made, kept in the file.
        begin: The tick of the source's clock at which the piece begins, which becomes 0; None for all of it.
        end: The tick before which the piece ends.
        overwrite: Replace a file that is there, keeping its permissions.

    Returns:
        One-line notes on what the file does not hold as the source did.

    Raises:
        ImageWriteError: As `check_video_target` says; there is no frame, or one does not fit; an encoder fails; or the
            disk is full or failing.
        SettingsError: As `check_video_target` says, or the quality is impossible.

    Example:
        >>> with open_video(Path("clip.mov")) as clip:  # doctest: +SKIP
        ...     clock = {"time_base": clip.time_base, "rate": clip.rate}
        ...     write_video(Path("copy.mp4"), clip.frames(), size=clip.size, source=clip, **clock)
        []
    """
    path = Path(path)
    check_video_target(path, codec=codec, overwrite=overwrite, size=size)
    offset = Fraction(0) if begin is None or source is None else begin * source.time_base
    moved = (replace(frame, pts=frame.pts - round(offset / time_base)) for frame in frames)
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        last = None if end is None or source is None else end * source.time_base
        pictures = {
            "codec": codec,
            "quality": quality,
            "size": size,
            "bits": bits,
            "time_base": time_base,
            "rate": rate,
        }
        origin = source if isinstance(source, VideoFile) else None
        with placed(path, overwrite=overwrite) as file:
            return _write(file, path, moved, origin, recipe, (offset, last), pictures)
    with _says(path):
        count = _animate(path, moved, time_base, recipe, overwrite=overwrite)
    if not count:
        raise ImageWriteError(f"{path} cannot be written: it has no frame; one or more are expected.")
    return ["its sound is left out: pictures hold none"] if source is not None and source.has_sound else []


def _write(
    file: BinaryIO,
    path: Path,
    frames: Iterator[Frame],
    source: VideoFile | None,
    recipe: Recipe,
    piece: tuple[Fraction, Fraction | None],
    pictures: dict[str, Any],
) -> list[str]:
    """Write a container; the piece of the source is in seconds, the pictures are as their encoder takes them."""
    kind = SUFFIXES[path.suffix.lower()]
    clock = pictures["time_base"]
    notes: list[str] = []
    with _says(path), _container(file, path, _muxing(kind.name, kind.options, clock)) as container:
        tags = source.colours.written if source else SCREEN
        encoder = PictureEncoder(container, path.suffix, tags=tags, aspect=_aspect(source), **pictures)
        with Luggage(source, container, kind, *piece, notes.append) as luggage:
            told = {} if recipe is None else {KEYWORD: dumped(recipe).decode("ascii")}
            container.metadata.update(luggage.words | told)
            encoder.stream.metadata.update(luggage.picture_words)
            container.start_encoding()
            for packet in encoder.packets(_watched(frames, kind.clock, clock, notes.append)):
                for other in luggage.until(packet.dts * Fraction(packet.time_base)):
                    container.mux(other)
                container.mux(packet)
            for other in luggage.until(None):
                container.mux(other)
    return [*encoder.notes, *dict.fromkeys(notes)]


def _watched(frames: Iterator[Frame], clock: int, time_base: Fraction, note: Callable[[str], None]) -> Iterator[Frame]:
    """The frames as they come; it is said where the container's clock does not have their times."""
    has_said = not clock
    for frame in frames:
        if not has_said and (frame.pts * time_base * clock).denominator != 1:
            note(f"the times of its frames are rounded to 1/{clock} of a second, as this container has them")
            has_said = True
        yield frame


def _muxing(name: str, options: Any, time_base: Fraction) -> dict[str, str]:
    """The options of the muxer: MP4's clocks are such that every time is exact."""
    told = dict(options)
    ticks = Fraction(time_base).denominator
    if name in ("mp4", "mov") and ticks <= _MOST_TICKS:
        told |= {"video_track_timescale": str(ticks), "movie_timescale": str(ticks if ticks > 1 else 1000)}
    return told


@contextmanager
def _container(file: BinaryIO, path: Path, options: dict[str, str]) -> Iterator[Any]:
    """A file that is written, closed with what its format has at the end."""
    av = pyav()
    container = av.open(
        file,
        mode="w",
        format=SUFFIXES[path.suffix.lower()].name,
        container_options=options,
        buffer_size=_BUFFER,
        **words_as_bytes(),
    )
    container.flags |= av.container.Flags.bitexact.value
    try:
        yield container
    except BaseException:
        # What is left of it goes with the file; what closing may say is no news.
        with _unsaid(av):
            container.close()
        raise
    container.close()


@contextmanager
def _unsaid(av: Any) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, av.error.FFmpegError):
        return


@contextmanager
def _says(path: Path) -> Iterator[None]:
    """What goes wrong in the body is said of the file; what the disk says is left to whoever places it."""
    try:
        yield
    except ImageWriteError as error:
        if str(error).startswith(str(path)):
            raise
        raise ImageWriteError(f"{path} cannot be written: {error}") from error
    except Exception as error:
        # What the disk says is an `OSError` of Python's own.
        if not type(error).__module__.startswith("av."):
            raise
        raise ImageWriteError(f"{path} cannot be written: the encoder failed: {reason(error)}.") from error


def _aspect(source: VideoFile | None) -> Fraction:
    if source is None or not source.aspect:
        return Fraction(1)
    return 1 / source.aspect if source.is_turned else source.aspect


def _animate(path: Path, frames: Iterator[Frame], time_base: Fraction, recipe: Recipe, *, overwrite: bool) -> int:
    """Frames as an animation, or as numbered files; how many there were."""
    milliseconds: list[int] = []
    with images.frame_writer(path, images.Timing(1), overwrite=overwrite) as writer:
        for frame in frames:
            ends = [frame.pts * time_base * 1000, (frame.pts + frame.duration) * time_base * 1000]
            milliseconds.append(max(1, math.floor(ends[1] + Fraction(1, 2)) - math.floor(ends[0] + Fraction(1, 2))))
            writer.add(as_bits(frame.pixels, 8) if path.suffix else frame.pixels, recipe)
            del frame
        if not writer.count:
            return 0
        if isinstance(writer, images.Animation):
            writer.timing = images.Timing.of(milliseconds)
        writer.finish(recipe)
        return writer.count
