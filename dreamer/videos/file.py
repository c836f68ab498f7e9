"""Video files, read frame by frame."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size, fitted
from dreamer.errors import ImageReadError
from dreamer.images.opening import too_large
from dreamer.videos.clock import Timed, in_order
from dreamer.videos.colours import Colours, colours_of, pixels_of
from dreamer.videos.frame import Frame
from dreamer.videos.pyav import opened, pyav, reading, reason
from dreamer.videos.sound import listened

_USUAL_RATE = Fraction(25)
# Where seeking goes by a table of all frames. In other containers it is a guess, so these are read from the start.
_EXACT = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
_INTRA = 1  # FFmpeg's number of a picture that needs no other.
_TRIES = 3  # How often an earlier key frame is looked for.


class Look(NamedTuple):
    """What the first frame says of all.

    Attributes:
        size: ``(height, width)`` as they are stored.
        turns: By how many quarters they are turned, counter-clockwise.
        is_interlaced: Whether a frame holds two moments.
        colours: How its levels are read.
    """

    size: Size
    turns: int
    is_interlaced: bool
    colours: Colours


class VideoFile:
    """A video file.

    Args:
        path: Where it is.
        max_pixels: Of a frame, at the most.

    Raises:
        ImageReadError: It is missing, holds no video, cannot be decoded, or its frames are too large.
        MissingExtraError: PyAV is not installed.

    Example:
        >>> with VideoFile(Path("clip.mp4")) as video:  # doctest: +SKIP
        ...     for frame in video.frames():
        ...         print(frame.pts * video.time_base, frame.pixels.shape)
    """

    def __init__(self, path: Path, *, max_pixels: int = 500_000_000) -> None:
        self.path = path
        self._max_pixels = max_pixels
        self._notes: dict[str, None] = {}
        self._times_closed = 0
        with reading(path) as container:
            stream = self._stream_of(container)
            self.time_base = Fraction(stream.time_base)
            self.rate = Fraction(stream.average_rate or stream.guessed_rate or _USUAL_RATE)
            self.zero = _beginning(container, self.time_base)
            self.duration = _seconds(container, stream)
            self.has_sound = bool(container.streams.audio)
            self.aspect = Fraction(stream.sample_aspect_ratio or 1)
            self._is_exact = container.format.name in _EXACT
            self._declared = _declared(stream)
            self._look_at(container, stream)
        self.size = self._look.size[::-1] if self._look.turns % 2 else self._look.size
        self.bits = self._look.colours.bits

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks of one line each; what is found on the way is there after reading."""
        return tuple(self._notes)

    @property
    def colours(self) -> Colours:
        """How its levels are read."""
        return self._look.colours

    @property
    def is_turned(self) -> bool:
        """Whether its frames lie on their side in the file."""
        return bool(self._look.turns % 2)

    def frames(self, start: int | None = None, *, max_side: int | None = None) -> Iterator[Frame]:
        """The frames in order, as :class:`Video` says."""
        size = self._look.size if max_side is None else fitted(self._look.size, max_side)
        troubles = _Troubles(self)
        for timed, picture in self._timed(start, troubles):
            if start is not None and timed.pts < start:
                continue
            pixels = pixels_of(picture, self._look.colours, size, smaller=size != self._look.size)
            if self._look.turns:
                pixels = np.ascontiguousarray(np.rot90(pixels, self._look.turns))
            del picture
            yield Frame(timed.pts, timed.duration, pixels)

    def sound(self, rate: int = 22050) -> NDArray[np.float32] | None:
        """All of its sound in one channel, as :class:`Video` says."""
        if not self.has_sound:
            return None
        with reading(self.path) as container:
            return listened(container, rate, self.zero * self.time_base)

    def sha256(self) -> str:
        """The digest of the file."""
        with opened(self.path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def close(self) -> None:
        """Let go of what is open; frames that are being read end there."""
        # Each reader closes its own: FFmpeg does not outlive a file that is closed while it reads.
        self._times_closed += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def note(self, words: str) -> None:
        """Keep a remark, once."""
        self._notes[words] = None

    def _stream_of(self, container: Any) -> Any:
        streams = [one for one in container.streams.video if not _is_cover(one)]
        if not streams:
            held = "only sound" if container.streams.audio else "no pictures"
            raise ImageReadError(f"{self.path} is no video: it holds {held}; a video file is expected.")
        if streams[0].codec_context is None:
            raise ImageReadError(f"{self.path} cannot be decoded: its codec is not known. Convert it first.")
        context = streams[0].codec_context
        if context.width * context.height > self._max_pixels:
            raise ImageReadError(f"{self.path} {too_large(self._max_pixels)}")
        return streams[0]

    def _look_at(self, container: Any, stream: Any) -> None:
        first = next((picture for picture in self._decoded(container, stream, _Troubles(self))), None)
        if first is None:
            raise ImageReadError(
                f"{self.path} has no frame that can be decoded; a video is expected. Copy or download it again, or "
                "convert it first."
            )
        colours = colours_of(first)
        turns = round(int(first.rotation or 0) / 90) % 4
        self._look = Look((first.height, first.width), turns, bool(first.interlaced_frame), colours)
        count = sum(not _is_cover(one) for one in container.streams.video)
        if count > 1:
            self.note(f"of {count} videos in the file the first is taken")
        if turns:
            self.note(f"it is turned by {90 * turns if turns < 3 else -90} degrees, as its file says")
        if self._look.is_interlaced:
            self.note("it is interlaced, and was deinterlaced (bwdif), a frame for each frame")
        if colours.note:
            self.note(colours.note)

    def _timed(self, start: int | None, troubles: _Troubles) -> Iterator[tuple[Timed, Any]]:
        """Frames with their times, from some place before the start on."""
        with ExitStack() as stack:
            opened_at = self._times_closed
            container = stack.enter_context(reading(self.path))
            stream = self._stream_of(container)
            has_sought = start is not None and self._seek(container, stream, start + self.zero)
            if start is not None and not has_sought:
                container = stack.enter_context(reading(self.path))
                stream = self._stream_of(container)
            usual = max(1, round(1 / (self.rate * self.time_base)))
            last: Timed | None = None
            for timed, picture in in_order(self._told(container, stream, troubles), usual, troubles.mend):
                if self._times_closed != opened_at:
                    return
                last = timed
                yield timed, picture
                del picture
            troubles.tell(None if has_sought else last, self._declared, usual)

    def _seek(self, container: Any, stream: Any, target: int) -> bool:
        """Go to a key frame that does not come after a place; False where that is not certain."""
        if not self._is_exact or self._look.is_interlaced:  # The filter looks at the frame before.
            return False
        av = pyav()
        at = target
        for _ in range(_TRIES):
            try:
                container.seek(at, stream=stream)
                packet = next(container.demux(stream))
            except (av.error.FFmpegError, StopIteration):
                return False
            if packet.pts is None or packet.dts is None:
                return False
            if packet.is_keyframe and packet.pts <= target:
                is_whole = self._is_whole(container, stream, packet)
                container.seek(at, stream=stream)
                return is_whole
            at = min(at, packet.dts) - 1
        return False

    def _is_whole(self, container: Any, stream: Any, key: Any) -> bool:
        """Whether a key frame needs none before it; in an intra refresh pictures become whole little by little."""
        av, at = pyav(), key.pts
        packets = container.demux(stream)
        while True:
            try:
                for picture in stream.codec_context.decode(key):
                    if picture.pts == at:
                        return int(picture.pict_type) == _INTRA
                key = next(packets)
            except (av.error.FFmpegError, StopIteration):
                return False

    def _told(self, container: Any, stream: Any, troubles: _Troubles) -> Iterator[tuple[int | None, int, Any]]:
        pictures = self._decoded(container, stream, troubles)
        for picture in self._deinterlaced(stream, pictures) if self._look.is_interlaced else pictures:
            pts = None if picture.pts is None else round(picture.pts * picture.time_base / self.time_base) - self.zero
            yield pts, round((picture.duration or 0) * picture.time_base / self.time_base), picture
            del picture

    def _decoded(self, container: Any, stream: Any, troubles: _Troubles) -> Iterator[Any]:
        """What the decoder gives; what it cannot decode is counted and left out."""
        av = pyav()
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except av.error.FFmpegError as error:
                troubles.ends(reason(error))
                packet = av.Packet()  # An empty one has the decoder give what it still holds.
                packet.stream = stream
            troubles.damaged += packet.is_corrupt
            try:
                pictures = stream.codec_context.decode(packet if packet.size else None)
            except av.error.FFmpegError:
                troubles.damaged += 1
                pictures = []
            for picture in pictures:
                if picture.width * picture.height > self._max_pixels:
                    raise ImageReadError(f"{self.path} {too_large(self._max_pixels)}")
                if not picture.time_base:
                    picture.time_base = stream.time_base
                yield picture
            if troubles.has_ended:
                return

    def _deinterlaced(self, stream: Any, pictures: Iterator[Any]) -> Iterator[Any]:
        """A frame for each frame, of those that hold two moments the first."""
        av = pyav()
        graph = av.filter.Graph()
        source = graph.add_buffer(template=stream)
        weave = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        sink = graph.add("buffersink")
        graph.link_nodes(source, weave, sink).configure()
        for picture in pictures:
            graph.push(picture)
            yield from _pulled(graph, av)
        graph.push(None)
        yield from _pulled(graph, av)


class _Troubles:
    """What goes wrong while a video is read, to be said at its end."""

    def __init__(self, video: VideoFile) -> None:
        self.damaged = 0
        self.has_ended = False
        self._mended = 0
        self._why = ""
        self._video = video

    def mend(self) -> None:
        self._mended += 1

    def ends(self, why: str) -> None:
        self.has_ended, self._why = True, why

    def tell(self, last: Timed | None, declared: int | None, usual: int) -> None:
        """Say it.

        Args:
            last: The last frame; None where not all were read.
            declared: The tick at which the file says that it ends.
            usual: Ticks between two frames.
        """
        tell = self._video.note
        if self.damaged:
            tell(f"{_counted(self.damaged, 'packet')} could not be decoded, and were left out")
        if self._mended:
            tell(f"the times of {_counted(self._mended, 'frame')} were missing or repeated, and were made up")
        is_short = last is not None and declared is not None and last.pts + last.duration + 2 * usual < declared
        if self.has_ended or is_short:
            why = f" ({self._why})" if self._why else ""
            tell(f"it ends before its end{why}: what there is was taken")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _pulled(graph: Any, av: Any) -> Iterator[Any]:
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _is_cover(stream: Any) -> bool:
    return "attached_pic" in str(stream.disposition)


def _beginning(container: Any, time_base: Fraction) -> int:
    """The tick that counts as 0: of the stream that begins first, where clocks begin anywhere, as in broadcasts."""
    if container.format.name in _EXACT or not container.start_time:
        return 0
    return math.floor(Fraction(container.start_time, 1_000_000) / time_base)


def _seconds(container: Any, stream: Any) -> float | None:
    if stream.duration:
        return float(stream.duration * Fraction(stream.time_base))
    return container.duration / 1e6 if container.duration else None


def _declared(stream: Any) -> int | None:
    """The tick at which a stream ends, as its file says."""
    if stream.duration:
        return int(stream.duration + (stream.start_time or 0))
    words = stream.metadata.get("DURATION", "").split(":")
    try:
        hours, minutes, seconds = words
        total = int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    except (ValueError, ZeroDivisionError):
        return None
    return round(total / Fraction(stream.time_base))
