"""Text subtitles of one kind -> another: what is said stays, at its times."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from dreamer.videos.pyav import pyav

TEXTS = frozenset(
    {"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text", "microdvd", "subviewer", "sami", "realtext", "stl"}
)
"""FFmpeg's names of subtitles that are text, not pictures."""

_CLOCK = Fraction(1, 1000)


class Text:
    """Subtitles that are made anew.

    Args:
        old: PyAV's stream.
        container: The new file, open.
        encoder: FFmpeg's name of the new kind.
        zero: Seconds on the old file's clock that become 0.

    Attributes:
        stream: The new one.
    """

    def __init__(self, old: Any, container: Any, encoder: str, zero: Fraction) -> None:
        self._decoder = old.codec_context
        self._decoder.open(strict=False)
        self._zero = zero
        self.stream = container.add_stream(encoder)
        context = self.stream.codec_context
        context.time_base = self.stream.time_base = _CLOCK
        context.subtitle_header = self._decoder.subtitle_header

    def made(self, packet: Any, begin: Fraction, end: Fraction) -> Iterator[Any]:
        """The new packets of an old one.

        Args:
            packet: PyAV's.
            begin: Seconds on the old file's clock at which it appears.
            end: At which it goes.
        """
        av = pyav()
        try:
            lines = self._decoder.decode2(packet)
            if lines is None or not len(lines):
                return
            made = self.stream.codec_context.encode_subtitle(lines)
        except av.error.FFmpegError:
            return
        made.pts = made.dts = round((begin - self._zero) / _CLOCK)
        made.duration = round((end - begin) / _CLOCK)
        made.time_base = _CLOCK
        made.stream = self.stream
        yield made
