"""Frames -> packets: one stream of pictures in a container."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from dreamer.arrays import Size
from dreamer.errors import ImageWriteError
from dreamer.videos import colours
from dreamer.videos.colours import Tags
from dreamer.videos.formats import codec_for
from dreamer.videos.frame import Frame

_QSCALE, _BITEXACT = 1 << 1, 1 << 23
# PyAV has no way to tell Matroska of it; these codecs say it themselves.
_ASPECTLESS, _ASPECTS = ("matroska", "webm"), ("h264", "h265")


class PictureEncoder:
    """The pictures of a video that is written.

    Args:
        container: The file, open for writing.
        suffix: Of its name.
        codec: A name in :data:`CODECS`; None for the container's default.
        quality: 0 to 100, which is best; None for the codec's default.
        size: ``(height, width)`` of the frames.
        bits: 8, or more.
        time_base: Seconds in a tick of their clock.
        rate: Frames in a second, on the average.
        tags: Their colours in the file.
        aspect: How much wider than high a pixel is shown.

    Attributes:
        notes: What is to be said of it.
        stream: PyAV's.
    """

    def __init__(
        self,
        container: Any,
        suffix: str,
        *,
        codec: str | None,
        quality: float | None,
        size: Size,
        bits: int,
        time_base: Fraction,
        rate: Fraction,
        tags: Tags,
        aspect: Fraction,
    ) -> None:
        name, self._codec = codec_for(suffix, codec)
        self.notes: list[str] = []
        self._size = size
        self._time_base = time_base
        self._tags = tags
        self._pix_fmt = self._codec.formats[bits > 8]
        self._deep = self._pix_fmt.endswith("le")  # FFmpeg's names of formats of more than a byte.
        if bits > 8 and not self._deep:
            self.notes.append(f"{name} is written with 8 bits: what is finer is rounded")
        self._sides = self._even()
        self._durations: dict[int, int] = {}
        self._count = 0
        level = self._codec.level(quality)
        options = dict(self._codec.options)
        if self._codec.setting == "crf":
            options["crf"] = f"{round(level)}" if name in ("av1", "vp9") else f"{level:g}"
        self.stream = container.add_stream(self._codec.encoder, rate=rate, options=options)
        context = self.stream.codec_context
        if self._codec.setting == "qscale":
            context.flags |= _QSCALE
            context.global_quality = round(level)
        context.height, context.width = self._sides
        context.pix_fmt = self._pix_fmt
        context.time_base = self.stream.time_base = time_base
        context.flags |= _BITEXACT
        if aspect != 1:
            context.sample_aspect_ratio = aspect
        colours.tag(context, tags, is_rgb=self._codec.is_rgb)
        if aspect != 1 and container.format.name in _ASPECTLESS and name not in _ASPECTS:
            self.notes.append(
                f"its pixels are not square ({aspect.numerator}:{aspect.denominator}), which {name} in this container "
                "does not keep; an .mp4 keeps it"
            )
        if container.format.name in self._codec.tags:
            context.codec_tag = self._codec.tags[container.format.name]
        if self._deep and name == "h264":
            self.notes.append(
                "its 10 bits are kept; not every player shows these in H.264, and --codec h265 makes a file for more"
            )

    def _even(self) -> Size:
        """The sides that the pixel format takes: it halves the colours' width, and often height."""
        if self._codec.is_rgb:
            return self._size
        height, width = self._size
        sides = height + (height % 2 if "420" in self._pix_fmt else 0), width + width % 2
        if sides != self._size:
            self.notes.append(
                f"its codec takes even sides alone: the last row or column is there twice, {sides[1]} x {sides[0]} "
                f"pixels for {width} x {height}"
            )
        return sides

    def packets(self, frames: Iterator[Frame]) -> Iterator[Any]:
        """Encode frames; each is taken when the encoder has room for it.

        Raises:
            ImageWriteError: There is none, or one has another size or does not come after the one before.
        """
        last: int | None = None
        for frame in frames:
            if last is not None and frame.pts <= last:
                raise ImageWriteError(f"frame {self._count} appears at {frame.pts}, and the one before at {last}.")
            last = frame.pts
            yield from self._encoded(self._picture(frame))
            self._count += 1
            del frame
        if last is None:
            raise ImageWriteError("it has no frame; one or more are expected.")
        yield from self._encoded(None)

    def _picture(self, frame: Frame) -> Any:
        pixels = frame.pixels
        if pixels.dtype not in (np.uint8, np.uint16) or pixels.shape != (*self._size, 3):
            raise ImageWriteError(
                f"frame {self._count} is {pixels.dtype} of shape {pixels.shape}; uint8 or uint16 of shape "
                f"{(*self._size, 3)} is expected."
            )
        (height, width), (rows, columns) = self._size, self._sides
        if (height, width) != (rows, columns):
            pixels = np.pad(pixels, ((0, rows - height), (0, columns - width), (0, 0)), mode="edge")
        picture = colours.to_frame(pixels, self._pix_fmt, self._tags, deep=self._deep, is_rgb=self._codec.is_rgb)
        picture.pts, picture.time_base = frame.pts, self._time_base
        self._durations[frame.pts] = frame.duration
        return picture

    def _encoded(self, picture: Any) -> Iterator[Any]:
        for packet in self.stream.encode(picture):
            packet.duration = self._durations.pop(packet.pts, 0)  # Encoders say 0 where frames are not equally long.
            yield packet
