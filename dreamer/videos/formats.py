"""The containers and codecs of videos: what each is called, what it takes, how its quality is set. Data, in two tables.

The one idea: what is copied out of a file is decided by FFmpeg, what is made here is decided by these tables.

Must not import PyAV or anything heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import NamedTuple

from dreamer.errors import SettingsError, close_matches
from dreamer.images.animation import ENCODERS as ANIMATIONS


class Container(NamedTuple):
    """A container of videos.

    Attributes:
        name: What FFmpeg's muxer is called; "" for one that is only read.
        codecs: Names in :data:`CODECS` that it takes, the default first.
        audio: The encoder of sound that cannot be copied.
        subtitles: The encoder of text subtitles that cannot be copied.
        options: Of the muxer.
        clock: Its ticks in a second; 0 for any number.
    """

    name: str = ""
    codecs: tuple[str, ...] = ()
    audio: str = ""
    subtitles: str = ""
    options: Mapping[str, str] = MappingProxyType({})
    clock: int = 0


class Codec(NamedTuple):
    """A codec that videos are written with.

    Attributes:
        encoder: FFmpeg's name of it.
        formats: The pixel formats for 8 bits and for more; the same where it has only one of them.
        default: What its setting of quality is at :data:`QUALITY`.
        per_step: How much larger, and so worse, that setting is for each point of quality less.
        setting: The option that takes it; "" for a codec that loses nothing.
        options: The others.
        tags: The code by which a container knows it, where that is not FFmpeg's own choice.
        is_rgb: Whether it keeps RGB as it is.
    """

    encoder: str
    formats: tuple[str, str]
    default: float = 0.0
    per_step: float = 0.0
    setting: str = "crf"
    options: Mapping[str, str] = MappingProxyType({})
    tags: Mapping[str, str] = MappingProxyType({})
    is_rgb: bool = False

    def level(self, quality: float | None) -> float:
        """The encoder's own setting for a quality, where smaller is better.

        Args:
            quality: 0 to 100, which is best; None for the default.

        Raises:
            SettingsError: It is beyond.

        Example:
            >>> CODECS["h264"].level(None), CODECS["h264"].level(100)
            (18.0, 8.0)
        """
        if quality is None:
            return self.default
        if not 0 <= quality <= 100:
            raise SettingsError(f"quality is {quality:g}; expected 0 to 100, which is best")
        return max(0.0, self.default + (QUALITY - quality) * self.per_step)


QUALITY = 75.0
"""The quality of 100 that no word of is the same as."""

# Encoders give other bytes for other numbers of threads, and a dream is to give the same bytes on every machine.
_THREADS = "4"

CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        # CRF 18 is what x264's authors call visually nearly lossless; 0 to 51.
        "h264": Codec(
            *("libx264", ("yuv420p", "yuv420p10le"), 18.0, 0.4),
            # With its macroblock tree x264 was seen to give other bytes for the same frames, by what lay in memory.
            options={"preset": "medium", "threads": _THREADS, "mbtree": "0"},
        ),
        # The same look as x264 at 2 more. Apple plays it in MP4 and MOV under the tag hvc1 alone.
        "h265": Codec(
            *("libx265", ("yuv420p", "yuv420p10le"), 20.0, 0.4),
            options={"preset": "medium", "x265-params": "log-level=none:frame-threads=2"},
            tags={"mp4": "hvc1", "mov": "hvc1"},
        ),
        # 0 to 63.
        "av1": Codec(
            *("libsvtav1", ("yuv420p", "yuv420p10le"), 24.0, 0.5),
            options={"preset": "6", "svtav1-params": f"lp={_THREADS}"},
        ),
        # 0 to 63; a bit rate of 0 makes it a constant quality. PyAV's libvpx is built for 8 bits.
        "vp9": Codec(
            *("libvpx-vp9", ("yuv420p", "yuv420p"), 24.0, 0.5),
            options={"b": "0", "deadline": "good", "cpu-used": "2", "threads": _THREADS},
        ),
        # The quantizer of ProRes HQ: 2 is best, 31 worst.
        "prores": Codec(
            *("prores_ks", ("yuv422p10le", "yuv422p10le"), 5.0, 0.2, "qscale"),
            options={"profile": "3", "vendor": "apl0"},
        ),
        # Nothing is lost.
        "ffv1": Codec(
            *("ffv1", ("bgr0", "gbrp16le"), 0.0, 0.0, ""),
            options={"level": "3", "threads": _THREADS},
            is_rgb=True,
        ),
    }
)
"""What videos can be written with, by the name that people know."""

# Keys of any name, so that phones' words and the recipe are kept.
_MDTA = MappingProxyType({"movflags": "use_metadata_tags"})
_MP4 = Container("mp4", ("h264", "h265", "av1", "vp9"), "aac", "mov_text", _MDTA)
_MOV = Container("mov", ("h264", "h265", "prores"), "aac", "mov_text", _MDTA)
_MKV = Container("matroska", ("h264", "h265", "av1", "vp9", "prores", "ffv1"), "aac", "subrip", clock=1000)
_WEBM = Container("webm", ("vp9", "av1"), "libopus", "webvtt", clock=1000)
_READ = Container()
_ONLY_READ = (
    *(".avi", ".mts", ".m2ts", ".mpg", ".mpeg", ".m2v", ".mpv", ".vob", ".3gp", ".3g2", ".ogv", ".wmv"),
    *(".asf", ".flv", ".f4v", ".mxf", ".dv", ".qt", ".divx", ".nut", ".ivf", ".y4m"),
)

SUFFIXES: Mapping[str, Container] = MappingProxyType(
    {".mp4": _MP4, ".m4v": _MP4, ".mov": _MOV, ".mkv": _MKV, ".webm": _WEBM, **dict.fromkeys(_ONLY_READ, _READ)}
)
"""Suffix -> container, of what is a video by its name; those with a name are written too. Most files called ``.ts`` or
``.ogg`` are programs or sound: they are read where they are named, and are no videos of a folder."""

DEMUXERS = (
    *("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "live_flv", "asf"),
    *("ogg", "mxf", "dv", "nut", "ivf", "yuv4mpegpipe", "m4v", "h264", "hevc", "av1", "obu"),
)
"""FFmpeg's names of what is read: nothing that names other files (HLS, DASH, concat, SDP)."""

_SPARE_SUFFIX = ".mp4"


def is_video(name: str) -> bool:
    """Whether a file is a video by its suffix. An animation such as a GIF is a picture, by that.

    Example:
        >>> is_video("clip.MOV"), is_video("photo.jpg"), is_video("dance.gif")
        (True, False, False)
    """
    return PurePath(name).suffix.lower() in SUFFIXES


def is_written(name: str) -> bool:
    """Whether a video can be written into a file of that name: a container of videos, or an animation.

    Example:
        >>> is_written("a.mkv"), is_written("a.gif"), is_written("a.avi")
        (True, True, False)
    """
    suffix = PurePath(name).suffix.lower()
    return suffix in ANIMATIONS or bool(SUFFIXES.get(suffix, _READ).name)


def video_suffix(suffix: str) -> str:
    """The suffix of a dream of a video with some suffix: the same where that is written, ``.mp4`` otherwise.

    Example:
        >>> video_suffix(".mov"), video_suffix(".avi"), video_suffix(".gif"), video_suffix(".png")
        ('.mov', '.mp4', '.gif', '.apng')
    """
    if suffix.lower() == ".png":
        return ".apng"
    return suffix if is_written(f"video{suffix}") else _SPARE_SUFFIX


def written() -> list[str]:
    """The suffixes of containers that are written, for a message."""
    return [suffix for suffix, container in SUFFIXES.items() if container.name]


def codec_for(suffix: str, codec: str | None) -> tuple[str, Codec]:
    """The codec of a file, with its name.

    Args:
        suffix: Of the file, one that is written.
        codec: A name in :data:`CODECS`; None for the container's default.

    Raises:
        SettingsError: There is no such codec, or the container does not take it.

    Example:
        >>> codec_for(".webm", None)[0]
        'vp9'
    """
    container = SUFFIXES[suffix.lower()]
    name = container.codecs[0] if codec is None else codec.lower()
    if name not in CODECS:
        raise SettingsError(f"{codec!r} is no codec; expected {', '.join(CODECS)}.{close_matches(name, CODECS)}")
    if name not in container.codecs:
        raise SettingsError(
            f"a {suffix} holds no {name}; expected {', '.join(container.codecs)}, or a file that takes it: "
            f"{', '.join(end for end in written() if name in SUFFIXES[end].codecs)}"
        )
    return name, CODECS[name]
