"""What the tests of videos share: clips made with PyAV, and looks into files with it, past the package's own reader."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer import videos

av = pytest.importorskip("av")

HEIGHT, WIDTH = 36, 52
VARIABLE = [0, 3003, 6006, 10000, 15001, 20000, 25000, 30007, 35000, 40001]
MPEG_CLOCK = Fraction(1, 90000)
CLOCK = Fraction(1, 1000)
STYLES = (
    b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour\n"
    b"Style: Default,Arial,16,&Hffffff\n\n[Events]\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def moving(number: int, height: int = HEIGHT, width: int = WIDTH, top: int = 255) -> np.ndarray:
    """A soft picture that differs from frame to frame, uint8, or uint16 with a top beyond 255."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    waves = [np.sin(x / 9 + number / 3), np.cos(y / 7 - number / 4), np.sin((x + y) / 11 + number / 5)]
    picture = np.stack([0.5 + 0.4 * wave for wave in waves], axis=-1)
    return np.rint(picture * top).astype(np.uint8 if top == 255 else np.uint16)


def clip(
    path: Path,
    pictures: Iterable[np.ndarray] | None = None,
    *,
    pts: list[int] | None = None,
    clock: Fraction = CLOCK,
    container: str | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
    colours: tuple[int, int, int, int] = (1, 1, 1, 1),
    matrix: int | None = None,
    sound: str | None = None,
    sound_begins: int = 0,
    lines: tuple[int, ...] = (),
    chapters: bool = False,
    words: dict[str, str] | None = None,
    turned: int = 0,
    aspect: Fraction | None = None,
    videos: int = 1,
) -> Path:
    """Write a clip. Colours are primaries, transfer, matrix and range; times of sound and lines are milliseconds."""
    pictures = [moving(number) for number in range(10)] if pictures is None else list(pictures)
    pts = [round(Fraction(number, 25) / clock) for number in range(len(pictures))] if pts is None else pts
    ticks = {"video_track_timescale": str(clock.denominator), "movie_timescale": str(clock.denominator)}
    is_mp4 = path.suffix in (".mp4", ".mov")
    with av.open(str(path), "w", format=container, container_options=muxing or (ticks if is_mp4 else {})) as out:
        out.metadata.update(words or {})
        streams = []
        for _ in range(videos):
            video = out.add_stream(codec, rate=25, options=options or ({"crf": "4"} if codec == "libx264" else {}))
            video.height, video.width = pictures[0].shape[:2]
            video.pix_fmt = pix_fmt
            video.time_base = video.codec_context.time_base = clock
            context = video.codec_context
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = colours
            if turned:
                video.set_display_rotation(turned)
            if aspect:
                context.sample_aspect_ratio = aspect
            streams.append(video)
        listened = out.add_stream(sound, rate=48000) if sound else None
        text = out.add_stream("mov_text" if is_mp4 else "subrip") if lines else None
        if text is not None:
            text.time_base = text.codec_context.time_base = CLOCK
            text.codec_context.subtitle_header = STYLES
            text.metadata["language"] = "fra"
        if listened is not None:
            listened.metadata["language"] = "eng"
        if chapters:
            marks = [(0, 200, "one"), (200, 400, "two")]
            out.set_chapters(
                [
                    {"id": one, "start": begin, "end": end, "time_base": CLOCK, "metadata": {"title": title}}
                    for one, (begin, end, title) in enumerate(marks)
                ]
            )
        out.start_encoding()
        for video in streams:
            for picture, at in zip(pictures, pts, strict=True):
                out.mux(video.encode(_frame(picture, pix_fmt, matrix or colours[2], colours[3], at, clock)))
            out.mux(video.encode())
        if text is not None:
            for at in lines:
                out.mux(_line(text, at))
        if listened is not None:
            for number in range(25):
                out.mux(listened.encode(_samples(number, sound_begins)))
            out.mux(listened.encode())
    return path


def _frame(picture: np.ndarray, pix_fmt: str, matrix: int, levels: int, at: int, clock: Fraction) -> Any:
    kind = "rgb24" if picture.dtype == np.uint8 else "rgb48le"
    swscale = {1: "ITU709", 5: "ITU601", 6: "ITU601", 9: "BT2020"}[matrix]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), kind)
    # By several threads swscale makes now and then another frame of a small picture.
    frame = frame.reformat(format=pix_fmt, dst_colorspace=swscale, dst_color_range=levels, threads=1)
    frame.pts, frame.time_base = at, clock
    return frame


def _line(stream: Any, at: int) -> Any:
    from av.subtitles.subtitle import SubtitleSet

    packet = stream.codec_context.encode_subtitle(
        SubtitleSet.create(text=b"0,0,Default,,0,0,0,,Line at %d" % at, start=0, end=100, pts=at)
    )
    packet.pts = packet.dts = at
    packet.duration, packet.time_base, packet.stream = 100, CLOCK, stream
    return packet


def _samples(number: int, begins: int) -> Any:
    wave = np.sin(np.arange(number * 960, (number + 1) * 960) * (2 * np.pi * 440 / 48000)) * 12000
    frame = av.AudioFrame.from_ndarray(np.repeat(wave.astype(np.int16), 2)[None], "s16", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48000, number * 960 + begins * 48, Fraction(1, 48000)
    return frame


def times(path: Path) -> tuple[list[int], Fraction]:
    """When frames appear, in ticks, and the clock; as PyAV alone sees it."""
    with av.open(str(path)) as container:
        return [frame.pts for frame in container.decode(video=0)], Fraction(container.streams.video[0].time_base)


def packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """The packets of a stream with content: when, and which bytes."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [
            (packet.pts * Fraction(stream.time_base), bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]


def copied(source: Path, target: Path, *, frames: Any = None, **options: Any) -> list[str]:
    """Write a video again as it is."""
    with videos.open_video(source) as video:
        return videos.write_video(
            target,
            video.frames() if frames is None else frames,
            size=options.pop("size", video.size),
            source=video,
            time_base=options.pop("time_base", video.time_base),
            rate=video.rate,
            **options,
        )


def rms(one: np.ndarray, other: np.ndarray) -> float:
    """The difference of two pictures in levels of 8 bits."""
    top = [255 if picture.dtype == np.uint8 else 65535 for picture in (one, other)]
    return float(np.sqrt(np.mean((one / top[0] - other / top[1]) ** 2)) * 255)
