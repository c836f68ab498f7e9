"""What a video has beside its pictures: sound, subtitles, chapters, attachments, words. Copied from source to dream.

The one idea: a packet that the new container takes is put there as it is, to the byte. What it does not take is encoded
anew if it is sound or text, and otherwise left out; both are said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from io import BytesIO
from typing import Any, NamedTuple, Protocol, Self

from dreamer.images.recipes import KEYWORD
from dreamer.videos.file import VideoFile
from dreamer.videos.formats import Container
from dreamer.videos.pyav import pyav, reading
from dreamer.videos.subtitles import TEXTS, Text

# What is about the old file or its pictures, and would be untrue of the new: compared in small letters.
_UNTRUE = frozenset(
    {
        *(KEYWORD, "major_brand", "minor_version", "compatible_brands", "encoder", "rotate", "duration", "vendor_id"),
        *("number_of_frames", "number_of_bytes", "bps", "timecode"),
    }
)
_STATISTICS = "_statistics"
_OF_STREAMS, _OF_MP4_STREAMS = ("language", "title"), ("handler_name", "creation_time")
_LATE = 10  # Seconds after the end of a piece at which no packet of it comes any more.
_NO_TEXT = 2  # Bytes of the length of a text in MP4, which fills pauses with those of none; the muxer makes its own.
_BITS_PER_CHANNEL = 96_000
_USUAL_RATE = 48_000  # The one that Opus has for all that is heard.
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_LAYOUTS = {1: "mono", 6: "5.1"}


class Piece(NamedTuple):
    """Which part of a source is taken, in seconds of its file's clock."""

    begin: Fraction
    end: Fraction | None
    is_cut: bool

    def has(self, time: Fraction) -> bool:
        """Whether something that begins then belongs to it."""
        return (not self.is_cut or time >= self.begin) and (self.end is None or time < self.end)


class Carrier(Protocol):
    """What becomes of the packets of one stream."""

    def carried(self, packet: Any) -> Iterator[Any]:
        """Packets for the new file; that which ends the stream is empty."""


class Luggage:
    """All that is taken from a source beside its pictures.

    Args:
        source: The file; None for nothing.
        container: The new one, open, its pictures declared.
        kind: What it is.
        begin: Seconds of the source's clock at which the piece begins.
        end: Seconds before which it ends; None for all of it.
        note: Told what is not there as it was.

    Attributes:
        words: What the source says of itself.
        picture_words: What it says of its pictures.
    """

    def __init__(
        self,
        source: VideoFile | None,
        container: Any,
        kind: Container,
        begin: Fraction,
        end: Fraction | None,
        note: Callable[[str], None],
    ) -> None:
        self.words: dict[str, str] = {}
        self.picture_words: dict[str, str] = {}
        self._source = source
        self._container = container
        self._kind = kind
        self._note = note
        self._stack = ExitStack()
        self._packets: Iterator[tuple[Fraction, Any]] = iter(())
        self._next: tuple[Fraction, Any] | None = None
        zero = Fraction(0) if source is None else source.zero * source.time_base
        self._piece = Piece(zero + begin, None if end is None else zero + end, bool(begin))

    def __enter__(self) -> Self:
        if self._source is not None:
            origin = self._stack.enter_context(reading(self._source.path))
            self.words = _true_words(origin.metadata)
            pictures = [one for one in origin.streams.video if "attached_pic" not in str(one.disposition)]
            self.picture_words = _of_stream(pictures[0], self._kind)
            self._chapters(origin)
            self._packets = self._carried(origin, self._carriers(origin))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def until(self, time: Fraction | None) -> Iterator[Any]:
        """The packets up to a time in seconds of the new file; None for all that are left."""
        while True:
            if self._next is None:
                self._next = next(self._packets, None)
            if self._next is None or (time is not None and self._next[0] > time):
                return
            packet, self._next = self._next[1], None
            yield packet

    def _carriers(self, origin: Any) -> dict[int, Carrier]:
        found: dict[int, Carrier] = {}
        for stream in origin.streams:
            carrier = self._carrier(stream)
            if carrier is not None:
                found[stream.index] = carrier
        return found

    def _carrier(self, stream: Any) -> Carrier | None:
        if stream.type == "video":
            if "attached_pic" in str(stream.disposition):
                self._note("its cover picture is left out")
            return None
        if stream.type == "data":
            # The text of MP4's chapters, which come by themselves.
            if stream.name is not None and stream.name != "bin_data":
                self._note(f"its data ({stream.name}) are left out")
            return None
        if stream.type == "attachment":
            if self._kind.name == "matroska":
                self._container.add_stream_from_template(stream)
            else:
                self._note("its attachments are left out: this container holds none")
            return None
        return self._copied(stream) or self._anew(stream)

    def _copied(self, stream: Any) -> Carrier | None:
        if stream.codec_context is None or not _takes(self._kind.name, stream):
            return None
        new = self._container.add_stream_from_template(stream)
        _describe(new, stream, self._kind)
        return _Copied(stream, new, self._piece, drops_early=self._kind.clock > 0)

    def _anew(self, stream: Any) -> Carrier | None:
        name = "unknown" if stream.codec_context is None else stream.codec_context.codec.canonical_name
        if stream.type == "audio" and stream.codec_context is not None:
            became = self._kind.audio.removeprefix("lib")
            self._note(f"its sound was encoded anew: this container holds no {name}, so it is {became}")
            return _Sound(stream, self._container, self._kind, self._piece)
        if stream.type == "subtitle" and name in TEXTS:
            self._note(f"its subtitles were made {self._kind.subtitles}: this container holds no {name}")
            text = Text(stream, self._container, self._kind.subtitles, self._piece.begin)
            _describe(text.stream, stream, self._kind)
            return _Within(text, stream, self._piece)
        what = {"audio": "sound", "subtitle": "subtitles"}.get(stream.type, stream.type)
        self._note(f"its {what} ({name}) is left out: this container does not hold it")
        return None

    def _chapters(self, origin: Any) -> None:
        kept = []
        for chapter in origin.chapters():
            clock = Fraction(chapter["time_base"])
            begin, end = chapter["start"] * clock, chapter["end"] * clock
            if end <= self._piece.begin or (self._piece.end is not None and begin >= self._piece.end):
                continue
            last = end if self._piece.end is None else min(end, self._piece.end)
            ticks = [round((time - self._piece.begin) / clock) for time in (max(begin, self._piece.begin), last)]
            kept.append({**chapter, "start": ticks[0], "end": ticks[1], "time_base": clock})
        if kept:
            self._container.set_chapters(kept)

    def _carried(self, origin: Any, carriers: dict[int, Carrier]) -> Iterator[tuple[Fraction, Any]]:
        """Packets for the new file in their order, each with its time there."""
        av = pyav()
        if not carriers:
            return
        packets = origin.demux(*(origin.streams[index] for index in carriers))
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                self._note("its sound or its subtitles end before their end: what there is was taken")
                return
            if packet is None:
                return
            clock, index = Fraction(packet.time_base or 1), packet.stream.index
            if self._piece.end is not None and packet.dts is not None and packet.dts * clock > self._piece.end + _LATE:
                return
            for carried in carriers[index].carried(packet):
                at = carried.pts if carried.dts is None else carried.dts
                yield at * Fraction(carried.time_base), carried


class _Copied:
    """Packets as they are, at their new times."""

    def __init__(self, stream: Any, new: Any, piece: Piece, *, drops_early: bool) -> None:
        self._new = new
        self._clock = Fraction(stream.time_base)
        self._piece = piece
        self._shift = round(piece.begin / self._clock)
        self._drops_early = drops_early
        self._is_text = stream.type == "subtitle"
        self._is_mov_text = stream.codec_context.codec.name == "mov_text"

    def carried(self, packet: Any) -> Iterator[Any]:
        if packet.dts is None or packet.pts is None or (self._is_mov_text and packet.size <= _NO_TEXT):
            return
        ends = packet.pts + (packet.duration or 0)
        if self._is_text and self._piece.is_cut and packet.pts < self._shift < ends:
            # A line that is shown when the piece begins.
            packet.duration = ends - self._shift
            packet.pts = packet.dts = self._shift
        elif not self._piece.has(packet.pts * self._clock):
            return
        packet.pts -= self._shift
        packet.dts -= self._shift
        # What comes before the beginning gets a decoder going, and is not heard. Matroska has no time before 0.
        if self._drops_early and packet.pts < 0:
            return
        packet.stream = self._new
        yield packet


class _Sound:
    """Sound that is encoded anew."""

    def __init__(self, stream: Any, container: Any, kind: Container, piece: Piece) -> None:
        self._stream = stream
        self._piece = piece
        channels = stream.codec_context.channels
        rate = stream.codec_context.sample_rate
        is_kept = kind.audio == "aac" and rate in _AAC_RATES
        self.stream = container.add_stream(kind.audio, rate=int(rate) if is_kept else _USUAL_RATE)
        context = self.stream.codec_context
        context.layout = _LAYOUTS.get(channels, "stereo")
        context.bit_rate = _BITS_PER_CHANNEL * context.channels
        context.flags |= 1 << 23
        _describe(self.stream, stream, kind)

    def carried(self, packet: Any) -> Iterator[Any]:
        av = pyav()
        is_last = not packet.size
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            return
        for frame in frames:
            if frame.pts is None or not self._piece.has(frame.pts * Fraction(frame.time_base)):
                continue
            frame.pts -= round(self._piece.begin / Fraction(frame.time_base))
            yield from self.stream.encode(frame)
        if is_last:
            yield from self.stream.encode(None)


class _Within:
    """Lines of text that are made anew, if they belong to the piece."""

    def __init__(self, text: Text, stream: Any, piece: Piece) -> None:
        self._text = text
        self._clock = Fraction(stream.time_base)
        self._piece = piece

    def carried(self, packet: Any) -> Iterator[Any]:
        if packet.pts is None or not packet.size:
            return
        begin = packet.pts * self._clock
        end = begin + (packet.duration or 0) * self._clock
        if self._piece.has(begin) or (begin < self._piece.begin < end):
            yield from self._text.made(packet, max(begin, self._piece.begin), end)


def _takes(name: str, stream: Any) -> bool:
    """Whether a container takes a stream as it is: FFmpeg knows for certain when it writes a header with it."""
    av = pyav()
    try:
        with av.open(BytesIO(), mode="w", format=name) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _true_words(metadata: Any) -> dict[str, str]:
    return {
        name: words
        for name, words in metadata.items()
        if name.lower() not in _UNTRUE and not name.lower().startswith(_STATISTICS)
    }


def _of_stream(stream: Any, kind: Container) -> dict[str, str]:
    kept = _OF_STREAMS if kind.clock else (*_OF_STREAMS, *_OF_MP4_STREAMS)
    return {name: words for name, words in stream.metadata.items() if name in kept}


def _describe(new: Any, old: Any, kind: Container) -> None:
    new.metadata.update(_of_stream(old, kind))
    new.disposition = old.disposition
