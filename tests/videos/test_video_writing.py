"""Frames -> video files: what is copied to the byte, what is encoded anew, and what cannot be written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from video_case import (
    CLOCK,
    HEIGHT,
    MPEG_CLOCK,
    VARIABLE,
    WIDTH,
    av,
    clip,
    copied,
    moving,
    packets,
    rms,
    times,
)

from dreamer import videos
from dreamer.errors import ImageExistsError, ImageReadError, ImageWriteError, SettingsError
from dreamer.images.animation import ENCODERS
from dreamer.videos import formats

RECIPE = {"format": 1, "settings": {"seed": 7}, "note": "a \u2192 b"}
WORDS = {"title": "A walk", "creation_time": "2020-01-02T03:04:05.000000Z"}
WRITTEN = [(suffix, codec) for suffix in (".mp4", ".mov", ".mkv", ".webm") for codec in videos.SUFFIXES[suffix].codecs]


def write(path: Path, number: int = 3, **options) -> list[str]:
    frames = options.pop("frames", None)
    if frames is None:
        frames = [videos.Frame(one, 1, moving(one)) for one in range(number)]
    given = {"size": (HEIGHT, WIDTH), "source": None, "time_base": Fraction(1, 25), "rate": Fraction(25)}
    return videos.write_video(path, iter(frames), **given | options)


# ---------------------------------------------------------------- times and pictures


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v"])
@pytest.mark.parametrize("first", [0, 12345])
def test_times_of_a_variable_rate_are_those_of_the_source(tmp_path, suffix, first):
    pts = [first + one for one in VARIABLE]
    source = clip(tmp_path / "a.mp4", pts=pts, clock=MPEG_CLOCK)
    assert copied(source, tmp_path / f"b{suffix}") == []
    assert times(tmp_path / f"b{suffix}") == (pts, MPEG_CLOCK)


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_a_clock_of_milliseconds_has_the_nearest_and_says_so(tmp_path, suffix):
    source = clip(tmp_path / "a.mp4", pts=VARIABLE, clock=MPEG_CLOCK)
    assert "rounded to 1/1000 of a second" in copied(source, tmp_path / f"b{suffix}")[0]
    assert times(tmp_path / f"b{suffix}") == ([round(one / 90) for one in VARIABLE], CLOCK)


def test_milliseconds_are_exact_and_nothing_is_said(tmp_path):
    pts = [0, 33, 70, 111, 400]
    source = clip(tmp_path / "a.mkv", [moving(one) for one in range(5)], pts=pts)
    assert copied(source, tmp_path / "b.mkv") == []
    assert times(tmp_path / "b.mkv") == (pts, CLOCK)
    assert copied(source, tmp_path / "b.mp4") == []
    assert times(tmp_path / "b.mp4") == (pts, CLOCK)


@pytest.mark.parametrize(("suffix", "codec"), WRITTEN)
def test_every_codec_in_every_container(tmp_path, suffix, codec):
    path = tmp_path / f"a{suffix}"
    write(path, 6, codec=codec, recipe=RECIPE)
    with videos.open_video(path) as video:
        frames = list(video.frames())
        assert len(frames) == 6
        for number, frame in enumerate(frames):
            assert rms(frame.pixels, moving(number)) < (0.01 if codec == "ffv1" else 6)
    assert videos.read_recipe(path) == RECIPE


@pytest.mark.parametrize(("suffix", "codec"), WRITTEN)
def test_the_same_gives_the_same_bytes(tmp_path, suffix, codec):
    source = clip(tmp_path / "a.mp4", sound="aac", chapters=True)
    for name in ("b", "c"):
        copied(source, tmp_path / f"{name}{suffix}", codec=codec, recipe=RECIPE)
    assert (tmp_path / f"b{suffix}").read_bytes() == (tmp_path / f"c{suffix}").read_bytes()


def test_more_quality_is_nearer_and_larger(tmp_path):
    for codec in ("h264", "h265", "av1", "vp9", "prores"):
        sizes, errors = [], []
        for quality in (10, 75, 100):
            path = tmp_path / f"{codec}-{quality}.mkv"
            write(path, codec=codec, quality=quality)
            sizes.append(path.stat().st_size)
            with videos.open_video(path) as video:
                errors.append(rms(next(video.frames()).pixels, moving(0)))
        assert sizes == sorted(set(sizes)), codec
        assert errors == sorted(errors, reverse=True), codec
    write(tmp_path / "default.mkv")
    assert (tmp_path / "default.mkv").read_bytes() == (tmp_path / "h264-75.mkv").read_bytes()


@pytest.mark.parametrize("size", [(37, 53), (36, 53), (37, 52), (1, 1)])
def test_odd_sides_become_even_and_it_is_said(tmp_path, size):
    pictures = [moving(one, *size) for one in range(3)]
    frames = [videos.Frame(one, 1, picture) for one, picture in enumerate(pictures)]
    [note] = write(tmp_path / "a.mp4", frames=frames, size=size)
    assert "even sides" in note
    with videos.open_video(tmp_path / "a.mp4") as video:
        assert video.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
        assert rms(next(video.frames()).pixels[: size[0], : size[1]], pictures[0]) < 6
    assert write(tmp_path / "a.mkv", frames=frames, size=size, codec="ffv1") == []


def test_10_bits_are_kept_and_what_h264_means_is_said(tmp_path):
    pictures = [moving(one, top=65535) for one in range(3)]
    frames = [videos.Frame(one, 1, picture) for one, picture in enumerate(pictures)]
    for codec, said in (("h264", 1), ("h265", 0), ("av1", 0), ("ffv1", 0)):
        notes = write(tmp_path / f"{codec}.mkv", frames=frames, bits=16, codec=codec)
        assert len(notes) == said
        assert all("10 bits" in note and "--codec h265" in note for note in notes)
        with videos.open_video(tmp_path / f"{codec}.mkv") as video:
            assert video.bits == 16
            assert rms(next(video.frames()).pixels, pictures[0]) < 6


def test_a_codec_of_8_bits_says_so(tmp_path):
    assert "8 bits" in write(tmp_path / "a.webm", bits=16)[0]
    with videos.open_video(tmp_path / "a.webm") as video:
        assert video.bits == 8


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("top", [255, 65535])
def test_levels_of_either_kind_are_taken(tmp_path, bits, top):
    frames = [videos.Frame(one, 1, moving(one, top=top)) for one in range(2)]
    write(tmp_path / "a.mkv", frames=frames, bits=bits, codec="ffv1")
    with videos.open_video(tmp_path / "a.mkv") as video:
        assert video.bits == bits
        assert rms(next(video.frames()).pixels, moving(0)) < 0.6


PATCHES = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128], [255, 255, 255], [0, 0, 0]], np.uint8)


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ((1, 1, 1, 1), (1, 1, 1, 1)),
        ((6, 6, 6, 1), (6, 6, 6, 1)),
        ((5, 6, 5, 2), (5, 6, 5, 1)),
        ((1, 13, 1, 1), (1, 13, 1, 1)),
        ((2, 2, 2, 0), (6, 6, 6, 1)),
        ((9, 14, 9, 1), (1, 1, 1, 1)),
    ],
)
@pytest.mark.parametrize(("suffix", "bits"), [(".mp4", 8), (".mkv", 16), (".webm", 8)])
def test_colours_are_written_as_the_source_has_them_and_named(tmp_path, told, written, suffix, bits):
    picture = np.ascontiguousarray(np.broadcast_to(np.repeat(PATCHES, 16, axis=0)[None], (HEIGHT, 96, 3)))
    matrix = 6 if told[2] == 2 else None
    source = clip(tmp_path / "a.mp4", [picture] * 3, colours=told, matrix=matrix)
    copied(source, tmp_path / f"b{suffix}", quality=100, bits=bits)
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        frame = next(container.decode(video=0))
        tags = (frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range)
        assert tuple(map(int, tags)) == written
    with videos.open_video(tmp_path / f"b{suffix}") as video, videos.open_video(source) as before:
        shown = [next(one.frames()).pixels[18, 8::16] / (1 if one.bits == 8 else 257) for one in (video, before)]
        assert np.abs(shown[0] - shown[1]).max() <= 3
        if told[2] != 9:
            assert np.abs(shown[0] - PATCHES).max() <= 3


def test_without_a_source_colours_are_those_of_bt709(tmp_path):
    write(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)) == (1, 1, 1)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(("turned", "aspect"), [(0, Fraction(4, 3)), (90, Fraction(3, 4)), (180, Fraction(4, 3))])
def test_pixels_are_turned_once_and_stay_as_wide(tmp_path, suffix, turned, aspect):
    source = clip(tmp_path / "a.mp4", turned=turned, aspect=Fraction(4, 3))
    assert copied(source, tmp_path / f"b{suffix}") == []
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        assert container.streams.video[0].sample_aspect_ratio == aspect
        assert next(container.decode(video=0)).rotation == 0
    with videos.open_video(tmp_path / f"b{suffix}") as video:
        assert rms(next(video.frames()).pixels, np.rot90(moving(0), turned // 90)) < 6


def test_what_cannot_keep_the_shape_of_pixels_says_so(tmp_path):
    source = clip(tmp_path / "a.mp4", aspect=Fraction(4, 3))
    assert "not square (4:3)" in copied(source, tmp_path / "b.webm")[0]


def test_hdr_is_written_as_sdr(tmp_path):
    source = clip(tmp_path / "a.mp4", pix_fmt="yuv420p10le", colours=(9, 16, 9, 1))
    copied(source, tmp_path / "b.mp4")
    with videos.open_video(tmp_path / "b.mp4") as video:
        assert video.notes == ()
        assert video.colours.tags[:3] == (1, 1, 1)


# ---------------------------------------------------------------- what lies beside the pictures


@pytest.mark.parametrize("sound", ["aac", "ac3", "mp3"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_is_copied_to_the_byte(tmp_path, sound, suffix):
    source = clip(tmp_path / "a.mp4", sound=sound)
    assert copied(source, tmp_path / f"b{suffix}") == []
    before, after = packets(source, "audio"), packets(tmp_path / f"b{suffix}", "audio")
    if suffix == ".mkv":  # Which has no time before 0: what only gets a decoder going is left out.
        before = [one for one in before if one[0] >= 0]
    assert [data for _, data in after] == [data for _, data in before]
    assert all(abs(a[0] - b[0]) < Fraction(1, 900) for a, b in zip(after, before, strict=True))
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        assert container.streams.audio[0].metadata["language"] == "eng"


@pytest.mark.parametrize(
    ("source", "sound", "suffix", "became"),
    [(".mkv", "libopus", ".mov", "aac"), (".mp4", "aac", ".webm", "opus"), (".mkv", "flac", ".mov", "aac")],
)
def test_sound_that_a_container_does_not_hold_is_encoded_anew_and_said(tmp_path, source, sound, suffix, became):
    path = clip(tmp_path / f"a{source}", sound=sound)
    [note] = [one for one in copied(path, tmp_path / f"b{suffix}") if "sound" in one]
    assert f"holds no {sound.removeprefix('lib')}, so it is {became}" in note
    with videos.open_video(path) as before, videos.open_video(tmp_path / f"b{suffix}") as after:
        one, other = before.sound(8000), after.sound(8000)
        assert np.corrcoef(one[400:3600], other[400:3600])[0, 1] > 0.95
        assert len(other) == pytest.approx(len(one), abs=300)


@pytest.mark.parametrize(
    ("source", "suffix", "made", "text"),
    [
        (".mkv", ".mkv", None, b"{\\an0}Line at 80"),
        (".mp4", ".mp4", None, b"\x00\x0aLine at 80"),
        (".mkv", ".mp4", "mov_text", b"\x00\x0aLine at 80"),
        (".mkv", ".mov", "mov_text", b"\x00\x0aLine at 80"),
        (".mkv", ".webm", "webvtt", b"Line at 80"),
        (".mp4", ".mkv", "subrip", b"Line at 80"),
    ],
)
def test_subtitles(tmp_path, source, suffix, made, text):
    path = clip(tmp_path / f"a{source}", lines=(80, 240))
    notes = [one for one in copied(path, tmp_path / f"b{suffix}") if "subtitles" in one]
    assert len(notes) == (made is not None)
    assert all(f"were made {made}" in note for note in notes)
    found = [one for one in packets(tmp_path / f"b{suffix}", "subtitles") if len(one[1]) > 2]
    assert [round(at * 1000) for at, _ in found] == [80, 240]
    assert found[0][1] == text
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        assert container.streams.subtitles[0].metadata["language"] == "fra"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_chapters_and_words(tmp_path, suffix):
    source = clip(tmp_path / "a.mp4", chapters=True, words=WORDS)
    notes = copied(source, tmp_path / f"b{suffix}", recipe=RECIPE)
    assert notes == []
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        marks = [(one["metadata"]["title"], one["start"] * one["time_base"]) for one in container.chapters()]
        assert marks == [("one", 0), ("two", Fraction(1, 5))]
        assert {name: container.metadata[name] for name in WORDS} == WORDS
        assert "rotate" not in container.metadata
    assert videos.read_recipe(tmp_path / f"b{suffix}") == RECIPE


def test_words_in_another_alphabet_are_kept_to_the_byte(tmp_path):
    source = clip(tmp_path / "a.mkv", words={"title": "Caf____ noir"})
    source.write_bytes(source.read_bytes().replace(b"Caf____", b"Caf\xe9\xe8\xea!"))
    copied(source, tmp_path / "b.mkv")
    copied(source, tmp_path / "c.mp4")
    assert b"Caf\xe9\xe8\xea! noir" in (tmp_path / "b.mkv").read_bytes()
    assert b"Caf\xe9\xe8\xea! noir" in (tmp_path / "c.mp4").read_bytes()


def test_an_older_recipe_is_not_kept(tmp_path):
    write(tmp_path / "a.mp4", recipe=RECIPE)
    copied(tmp_path / "a.mp4", tmp_path / "b.mp4")
    with pytest.raises(ImageReadError, match="holds no recipe; a video made by dreamer"):
        videos.read_recipe(tmp_path / "b.mp4")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_a_piece(tmp_path, suffix):
    pictures = [moving(one) for one in range(20)]
    source = clip(tmp_path / "a.mkv", pictures, sound="libopus", lines=(80, 150, 390, 500), chapters=True)
    with videos.open_video(source) as video:
        frames = [frame for frame in video.frames(160) if frame.pts < 400]
    copied(source, tmp_path / f"b{suffix}", frames=iter(frames), begin=160, end=400)
    pts, clock = times(tmp_path / f"b{suffix}")
    assert [one * clock for one in pts] == [Fraction(40 * one, 1000) for one in range(6)]
    with videos.open_video(tmp_path / f"b{suffix}") as piece:
        assert rms(next(piece.frames()).pixels, pictures[4]) < 7
        assert len(piece.sound(8000)) == pytest.approx(0.24 * 8000, abs=400)
    lines = [one for one in packets(tmp_path / f"b{suffix}", "subtitles") if len(one[1]) > 2]
    assert [round(at * 1000) for at, _ in lines] == [0, 0, 230]
    heard = packets(tmp_path / f"b{suffix}", "audio")
    assert -0.05 < heard[0][0] < 0.03
    assert heard[-1][0] < 0.25
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        marks = [
            (one["metadata"]["title"], float(one["start"] * one["time_base"]), float(one["end"] * one["time_base"]))
            for one in container.chapters()
        ]
        assert marks == [("one", 0.0, pytest.approx(0.04)), ("two", pytest.approx(0.04), pytest.approx(0.24))]


def test_sound_of_a_piece_is_copied_to_the_byte(tmp_path):
    source = clip(tmp_path / "a.mp4", sound="aac")
    with videos.open_video(source) as video:
        frames = [frame for frame in video.frames(160) if frame.pts < 400]
    copied(source, tmp_path / "b.mp4", frames=iter(frames), begin=160, end=400)
    whole = dict.fromkeys(data for at, data in packets(source, "audio") if Fraction(160, 1000) <= at < Fraction(2, 5))
    assert [data for _, data in packets(tmp_path / "b.mp4", "audio")] == list(whole)


def test_a_broadcast_with_a_clock_of_its_own_keeps_its_sound_in_step(tmp_path):
    pts = [900_000 + 40 * number for number in range(10)]
    source = clip(tmp_path / "a.ts", pts=pts, sound="mp2", sound_begins=900_000)
    copied(source, tmp_path / "b.mp4")
    begin = [times(path)[0][0] * times(path)[1] for path in (source, tmp_path / "b.mp4")]
    heard = [packets(path, "audio")[0][0] for path in (source, tmp_path / "b.mp4")]
    assert begin[0] > 800
    assert begin[1] < 0.05
    assert abs((begin[1] - heard[1]) - (begin[0] - heard[0])) < 0.001


def test_what_a_container_cannot_hold_is_left_out_and_said(tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        out.add_attachment("font.ttf", "font/ttf", b"letters")
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(moving(number), "rgb24").reformat(format="yuv420p", threads=1)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode())
    assert copied(tmp_path / "a.mkv", tmp_path / "b.mp4") == ["its attachments are left out: this container holds none"]
    assert copied(tmp_path / "a.mkv", tmp_path / "b.mkv") == []
    with av.open(str(tmp_path / "b.mkv")) as container:
        assert container.streams.attachments[0].data == b"letters"


# ---------------------------------------------------------------- what cannot be written


def test_targets_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"old")
    (tmp_path / "dir.mp4").mkdir()
    cases = [
        ("a.avi", None, ImageWriteError, r"names no video that is written.*\.mp4.*\.gif"),
        ("a.txt", None, ImageWriteError, "names no video that is written"),
        ("none/a.mp4", None, ImageWriteError, "does not exist"),
        ("dir.mp4", None, ImageWriteError, "is a directory"),
        ("a.mp4", None, ImageExistsError, "exists already"),
        ("b.webm", "h264", SettingsError, r"holds no h264; expected vp9, av1.*\.mp4"),
        ("b.mp4", "h256", SettingsError, "'h256' is no codec.*Close matches: h26"),
    ]
    for name, codec, kind, words in cases:
        with pytest.raises(kind, match=words) as caught:
            videos.check_video_target(tmp_path / name, codec=codec, overwrite=False)
        assert "\n" not in str(caught.value)
        with pytest.raises(kind, match=words):
            write(tmp_path / name, frames=_never(), codec=codec)
    videos.check_video_target(tmp_path / "a.mp4", codec=None, overwrite=True)
    with pytest.raises(ImageWriteError, match="at most 16384"):
        videos.check_video_target(tmp_path / "b.mp4", codec=None, overwrite=True, size=(10, 20000))
    with pytest.raises(SettingsError, match="0 to 100"):
        write(tmp_path / "b.mp4", frames=_never(), quality=101)
    monkeypatch.setattr(av.codec, "Codec", _missing)
    with pytest.raises(ImageWriteError, match="this build of FFmpeg has no encoder libx265, which h265 needs"):
        videos.check_video_target(tmp_path / "b.mp4", codec="h265", overwrite=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "dir.mp4"]


def _never():
    raise AssertionError("asked for frames in vain")
    yield


def _missing(name: str, _mode: str) -> None:
    raise ValueError(name)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.gif", "a.webp", "a.apng"])
@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([], "has no frame"),
        ([videos.Frame(0, 1, np.zeros((4, 6), np.uint8))], r"frame 0 is uint8 of shape \(4, 6\)"),
        ([videos.Frame(0, 1, moving(0)), videos.Frame(1, 1, moving(1, 40, 52))], r"frame 1 .*\(40, 52, 3\)"),
    ],
)
def test_frames_that_do_not_fit(tmp_path, name, frames, words):
    with pytest.raises(ImageWriteError, match=words) as caught:
        write(tmp_path / name, frames=frames)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_frames_out_of_order(tmp_path):
    frames = [videos.Frame(5, 1, moving(0)), videos.Frame(5, 1, moving(1))]
    with pytest.raises(ImageWriteError, match="appears at 5, and the one before at 5"):
        write(tmp_path / "a.mp4", frames=frames)


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_an_error_of_whoever_makes_the_frames_comes_through(tmp_path, name):
    def broken():
        yield videos.Frame(0, 1, moving(0))
        raise ValueError("not mine")

    with pytest.raises(ValueError, match="not mine"):
        write(tmp_path / name, frames=broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, suffix, number):
    """Full from the beginning, and when the file is nearly done."""
    from dreamer.images import files

    real = Path.open
    calls = []

    def opened(path, *arguments, **options):
        file = real(path, *arguments, **options)
        if path.suffix != ".part":
            return file
        write_really = file.write

        class Full:
            def __getattr__(self, name):
                return getattr(file, name)

            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

            def write(self, data):
                calls.append(len(data))
                if len(calls) > number:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return write_really(data)

        return Full()

    monkeypatch.setattr(files.Path, "open", opened)
    with pytest.raises(ImageWriteError, match=rf"a\{suffix} cannot be written: no space is left on the disk"):
        write(tmp_path / f"a{suffix}", 60)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_of_a_real_system(tmp_path):
    """As the system says it: a limit of a file's size, without its signal."""
    code = (
        "import resource, signal, sys\n"
        "from fractions import Fraction\nfrom pathlib import Path\nimport numpy as np\n"
        "from dreamer import videos\nfrom dreamer.errors import ImageWriteError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "random = np.random.default_rng(0)\n"
        "frames = (videos.Frame(n, 1, random.integers(0, 256, (90, 120, 3), np.uint8)) for n in range(30))\n"
        "clock = {'time_base': Fraction(1, 25), 'rate': Fraction(25)}\n"
        "try: videos.write_video(Path(sys.argv[1]), frames, size=(90, 120), source=None, **clock)\n"
        "except ImageWriteError as error: print(error)\n"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "a.mp4")]
    said = subprocess.run(run, check=True, timeout=120, capture_output=True, text=True).stdout
    assert "a.mp4 cannot be written: File too large" in said
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_when_asked_and_keeps_its_permissions(tmp_path):
    write(tmp_path / "a.mp4")
    before = (tmp_path / "a.mp4").read_bytes()
    with pytest.raises(ImageExistsError):
        write(tmp_path / "a.mp4", 5)
    assert (tmp_path / "a.mp4").read_bytes() == before
    (tmp_path / "a.mp4").chmod(0o604)
    write(tmp_path / "a.mp4", 5, overwrite=True)
    assert len(times(tmp_path / "a.mp4")[0]) == 5
    assert (tmp_path / "a.mp4").stat().st_mode & 0o777 == 0o604


# ---------------------------------------------------------------- tables


def test_tables_agree_with_each_other_and_with_ffmpeg():
    for suffix, container in videos.SUFFIXES.items():
        assert set(container.codecs) <= set(videos.CODECS)
        assert bool(container.name) == bool(container.codecs) == videos.is_written(f"a{suffix}")
        assert videos.is_video(f"A{suffix.upper()}")
    for codec in videos.CODECS.values():
        found = av.codec.Codec(codec.encoder, "w")
        assert {one.name for one in found.video_formats} >= set(codec.formats) - {"bgr0", "gbrp16le"}
    assert all(videos.is_written(f"a{suffix}") for suffix in ENCODERS)
    assert set(formats.DEMUXERS) <= set(av.formats_available) | {"live_flv", "obu"}


@pytest.mark.parametrize(
    ("suffix", "becomes"), [(".MOV", ".MOV"), (".avi", ".mp4"), (".webp", ".webp"), (".png", ".apng"), ("", ".mp4")]
)
def test_suffixes_of_dreams(suffix, becomes):
    assert videos.video_suffix(suffix) == becomes
