"""Video files -> frames: times, colours, rotation, what is damaged, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from video_case import HEIGHT, MPEG_CLOCK, VARIABLE, WIDTH, av, clip, moving, rms

from dreamer import videos
from dreamer.errors import ImageReadError, MissingExtraError
from dreamer.videos import clock, colours


def read(path: Path, **options) -> list[videos.Frame]:
    with videos.open_video(path) as video:
        return list(video.frames(**options))


def notes(path: Path) -> str:
    with videos.open_video(path) as video:
        for _ in video.frames():
            pass
        return "; ".join(video.notes)


# ---------------------------------------------------------------- times


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("first", [0, 12345])
def test_times_of_a_variable_rate_are_exact(tmp_path, suffix, first):
    pts = [first + one for one in VARIABLE]
    with videos.open_video(clip(tmp_path / f"a{suffix}", pts=pts, clock=MPEG_CLOCK)) as video:
        frames = list(video.frames())
        assert video.time_base == MPEG_CLOCK
        assert [frame.pts for frame in frames] == pts
        assert [frame.duration for frame in frames][:-1] == [b - a for a, b in pairwise(pts)]
        assert frames[-1].duration > 0
        assert video.size == (HEIGHT, WIDTH)
        assert video.bits == 8
        assert not video.has_sound
        assert video.notes == ()


def test_what_is_read_is_what_was_written(tmp_path):
    frames = read(clip(tmp_path / "a.mp4"))
    assert len(frames) == 10
    for number, frame in enumerate(frames):
        assert frame.pixels.dtype == np.uint8
        assert rms(frame.pixels, moving(number)) < 4
        assert rms(frame.pixels, moving(number + 3)) > 20


def test_rate_and_duration(tmp_path):
    with videos.open_video(clip(tmp_path / "a.mkv")) as video:
        assert video.rate == 25
        assert video.duration == pytest.approx(0.4, abs=0.05)


def test_frames_can_be_asked_for_again_and_are_the_same(tmp_path):
    with videos.open_video(clip(tmp_path / "a.mp4")) as video:
        first, second = list(video.frames()), list(video.frames())
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"crf": "4", "g": "7", "bf": "3"}),
        ("a.mp4", "libx264", {"crf": "4", "g": "7", "bf": "3", "x264-params": "open-gop=1"}),
        ("a.mkv", "libx265", {"x265-params": "log-level=none:keyint=7:open-gop=1:bframes=3"}),
        ("a.mov", "libx264", {"crf": "4", "x264-params": "intra-refresh=1:keyint=9"}),
        ("a.webm", "libvpx-vp9", {"g": "7", "crf": "20"}),
        ("a.ts", "libx264", {"crf": "4", "g": "7"}),
        ("a.avi", "mpeg4", {"g": "7"}),
    ],
)
def test_seeking_gives_what_reading_from_the_start_gives(tmp_path, name, codec, options):
    path = clip(tmp_path / name, [moving(number) for number in range(30)], codec=codec, options=options)
    with videos.open_video(path) as video:
        whole = list(video.frames())
        assert len(whole) == 30
        for number in (0, 1, 6, 7, 8, 13, 20, 29):
            part = list(video.frames(whole[number].pts))
            assert [(a.pts, a.duration) for a in part] == [(b.pts, b.duration) for b in whole[number:]]
            assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(part, whole[number:], strict=True))
        assert next(video.frames(whole[8].pts + 1)).pts == whole[9].pts
        assert list(video.frames(whole[-1].pts + 1)) == []


def test_a_clock_that_begins_anywhere_begins_at_0(tmp_path):
    path = clip(tmp_path / "a.ts", pts=[900 * 1000 + 40 * number for number in range(10)])
    with av.open(str(path)) as container:
        assert container.start_time > 800e6
    assert [frame.pts * Fraction(1, 90000) for frame in read(path)][:2] == [0, Fraction(1, 25)]


def test_times_that_are_missing_or_repeated_are_made_up():
    mended = []
    given = [(None, 0, "a"), (5, 2, "b"), (5, 2, "c"), (4, 2, "d"), (None, 0, "e"), (30, 9, "f")]
    timed = list(clock.in_order(given, 3, lambda: mended.append(1)))
    assert [(one.pts, one.duration, name) for one, name in timed] == [
        *[(0, 5, "a"), (5, 3, "b"), (8, 3, "c"), (11, 3, "d"), (14, 16, "e"), (30, 9, "f")]
    ]
    assert len(mended) == 4


def test_one_frame(tmp_path):
    [frame] = read(clip(tmp_path / "a.mp4", [moving(0)]))
    assert frame.pts == 0
    assert frame.duration > 0


def test_smaller_for_a_quick_look(tmp_path):
    path = clip(tmp_path / "a.mp4", [moving(number, 72, 104) for number in range(3)], turned=90)
    with videos.open_video(path) as video:
        assert video.size == (104, 72)
        small = next(video.frames(max_side=26))
        assert small.pixels.shape == (26, 18, 3)
        whole = next(video.frames()).pixels
        assert rms(small.pixels, whole.reshape(26, 4, 18, 4, 3).mean(axis=(1, 3)).round().astype(np.uint8)) < 3


def test_memory_does_not_grow_with_the_frames(tmp_path):
    def peak(number: int) -> int:
        path = clip(tmp_path / f"{number}.mp4", (moving(one, 180, 240) for one in range(number)))
        with videos.open_video(path) as video:
            tracemalloc.start()
            for _ in video.frames():
                pass
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    peak(3)  # What is imported late.
    assert peak(60) < 1.3 * peak(20)


# ---------------------------------------------------------------- turned, interlaced


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_rotation_is_applied(tmp_path, degrees):
    path = clip(tmp_path / "a.mp4", turned=degrees)
    with videos.open_video(path) as video:
        upright = np.rot90(moving(0), degrees // 90)
        assert video.size == upright.shape[:2]
        assert rms(next(video.frames()).pixels, upright) < 4
        assert f"turned by {degrees} degrees" in video.notes[0]


def test_interlaced_frames_are_woven_one_for_one(tmp_path):
    def woven(number: int) -> np.ndarray:
        picture = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
        for field in (0, 1):
            left = 4 + 4 * number + 8 * field
            picture[field::2, left : left + 8] = 220
        return picture

    params = {"crf": "1", "x264-params": "tff=1"}
    path = clip(tmp_path / "a.mp4", [woven(number) for number in range(8)], options=params)
    with videos.open_video(path) as video:
        frames = list(video.frames())
        assert "interlaced" in video.notes[0]
        assert [frame.pts for frame in frames] == [40 * number for number in range(8)]
        for frame, number in zip(frames[1:-1], range(1, 7), strict=True):
            combs = np.abs(np.diff(frame.pixels[2:-2, :, 1].astype(int), axis=0)).mean()
            assert combs < np.abs(np.diff(woven(number)[2:-2, :, 1].astype(int), axis=0)).mean() / 3
        part = list(video.frames(160))
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(part, frames[4:], strict=True))


# ---------------------------------------------------------------- colours

PATCHES = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128], [255, 255, 255], [0, 0, 0]], np.uint8)


def patches(height: int = HEIGHT) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(np.repeat(PATCHES, 8, axis=0)[None], (height, 48, 3)))


def seen(frame: videos.Frame) -> np.ndarray:
    return frame.pixels[frame.pixels.shape[0] // 2, 4::8].astype(float) / (1 if frame.pixels.dtype == np.uint8 else 257)


@pytest.mark.parametrize("matrix", [1, 5, 6])
@pytest.mark.parametrize("levels", [1, 2])
def test_colours_are_read_by_the_matrix_and_the_range_that_the_file_names(tmp_path, matrix, levels):
    path = clip(tmp_path / "a.mp4", [patches()] * 3, colours=(matrix, matrix, matrix, levels))
    assert np.abs(seen(read(path)[1]) - PATCHES).max() <= 3


@pytest.mark.parametrize(("height", "matrix"), [(36, 6), (718, 6), (720, 1), (800, 1)])
def test_colours_that_are_not_named_are_taken_as_players_do(tmp_path, height, matrix):
    path = clip(tmp_path / "a.mp4", [patches(height)], colours=(2, 2, 2, 0), matrix=matrix)
    assert np.abs(seen(read(path)[0]) - PATCHES).max() <= 3


def test_more_than_8_bits_are_16(tmp_path):
    pictures = [moving(number, top=65535) for number in range(4)]
    path = clip(tmp_path / "a.mkv", pictures, pix_fmt="yuv420p10le", options={"crf": "1"})
    with videos.open_video(path) as video:
        assert video.bits == 16
        frame = next(video.frames())
        assert frame.pixels.dtype == np.uint16
        assert rms(frame.pixels, pictures[0]) < 4
        assert len(np.unique(frame.pixels[..., 1])) > 256


def test_white_of_10_bits_is_white():
    """940 of 1023: swscale alone gives 65281."""
    frame = av.VideoFrame(16, 16, "yuv420p10le")
    for plane, level in zip(frame.planes, (940, 512, 512), strict=True):
        plane.update(np.full(plane.buffer_size // 2, level, np.uint16).tobytes())
    frame.colorspace, frame.color_range = 1, 1
    pixels = colours.pixels_of(frame, colours.colours_of(frame), (16, 16), smaller=False)
    assert pixels.min() >= 65530


@pytest.mark.parametrize(("transfer", "name", "white"), [(16, "PQ", 0.5806), (18, "HLG", 0.75)])
def test_hdr_becomes_sdr_and_is_said(tmp_path, transfer, name, white):
    """The levels of 203 cd/m2 by BT.2408, table 1: 58 % in PQ, 75 % in HLG."""
    grey = np.full((HEIGHT, WIDTH, 3), round(white * 65535), np.uint16)
    grey[:, 26:] = 13000
    path = clip(tmp_path / "a.mp4", [grey] * 2, pix_fmt="yuv420p10le", colours=(9, transfer, 9, 1))
    with videos.open_video(path) as video:
        assert any(name in note and "203 cd/m2" in note for note in video.notes)
        pixels = next(video.frames()).pixels / 65535
        assert pixels[18, 10].min() > 0.97
        assert pixels[18, 40].max() < 0.4


def test_a_wide_gamut_is_mapped_and_its_tone_stays(tmp_path):
    picture = np.full((HEIGHT, WIDTH, 3), (120, 120, 120), np.uint8)
    picture[:, 26:] = (140, 120, 100)
    path = clip(tmp_path / "a.mp4", [picture] * 2, colours=(9, 14, 9, 1))
    with videos.open_video(path) as video:
        assert "wider gamut" in video.notes[0]
        frame = next(video.frames()).pixels
        assert frame.dtype == np.uint8
        assert np.abs(frame[18, 10].astype(int) - 120).max() <= 2
        assert frame[18, 40, 0] > 143
        assert frame[18, 40, 2] < 99


# ---------------------------------------------------------------- sound


@pytest.mark.parametrize(("name", "sound"), [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.mov", "pcm_s16le")])
def test_sound_in_one_channel(tmp_path, name, sound):
    with videos.open_video(clip(tmp_path / name, sound=sound)) as video:
        assert video.has_sound
        samples = video.sound(8000)
        assert samples.dtype == np.float32
        assert len(samples) == pytest.approx(4000, abs=300)
        spectrum = np.abs(np.fft.rfft(samples[800:3200]))
        assert np.argmax(spectrum) * 8000 / 2400 == pytest.approx(440, abs=5)
        assert 0.2 < np.abs(samples[800:3200]).max() < 0.6


def test_sound_that_begins_later_has_silence_before(tmp_path):
    with videos.open_video(clip(tmp_path / "a.mkv", sound="pcm_s16le", sound_begins=200)) as video:
        samples = video.sound(8000)
        assert len(samples) == pytest.approx(1600 + 4000, abs=60)
        assert np.abs(samples[:1500]).max() == 0
        assert np.abs(samples[1700:2000]).max() > 0.2


def test_no_sound_is_none(tmp_path):
    with videos.open_video(clip(tmp_path / "a.mp4")) as video:
        assert video.sound() is None


def test_the_digest_is_that_of_the_file(tmp_path):
    import hashlib

    path = clip(tmp_path / "a.mp4")
    with videos.open_video(path) as video:
        assert video.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


# ---------------------------------------------------------------- damaged, refused


def test_of_a_truncated_file_there_is_what_there_is(tmp_path):
    path = clip(tmp_path / "a.mkv", [moving(number) for number in range(60)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with videos.open_video(path) as video:
        frames = list(video.frames())
        assert 10 < len(frames) < 55
        assert "ends before its end" in "; ".join(video.notes)


def test_damaged_packets_are_counted(tmp_path):
    path = clip(tmp_path / "a.mp4", [moving(number) for number in range(40)], options={"crf": "4", "g": "5"})
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for place, size in places[12:16]:
        assert place > start
        data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    with videos.open_video(path) as video:
        frames = list(video.frames())
        assert 30 <= len(frames) < 40
        assert "packets could not be decoded" in "; ".join(video.notes)
        assert all(b.pts > a.pts for a, b in pairwise(frames))


def test_a_whole_file_says_nothing(tmp_path):
    for name in ("a.mp4", "a.mkv", "a.ts"):
        assert notes(clip(tmp_path / name, [moving(number) for number in range(30)])) == ""


def test_several_videos_in_a_file_are_said(tmp_path):
    path = clip(tmp_path / "a.mkv", videos=2)
    with videos.open_video(path) as video:
        assert len(list(video.frames())) == 10
        assert video.notes == ("of 2 videos in the file the first is taken",)


def test_files_that_are_no_videos(tmp_path):
    with av.open(str(tmp_path / "sound.mkv"), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), "s16", "stereo")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
    (tmp_path / "text.mp4").write_text("no video at all" * 100)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "folder.mp4").mkdir()
    cut = clip(tmp_path / "cut.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(cut[: len(cut) // 2])
    cases = {
        "sound.mkv": "holds only sound",
        "text.mp4": r"is not a video that can be read, or it is damaged \(Invalid data found when processing input\);",
        "cut.mp4": "is not a video that can be read",
        "empty.mp4": "is empty",
        "folder.mp4": "is a directory",
        "none.mp4": "does not exist",
    }
    for name, words in cases.items():
        with pytest.raises(ImageReadError, match=words) as caught:
            videos.open_video(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_too_many_pixels_are_refused_before_anything_is_decoded(tmp_path):
    path = clip(tmp_path / "a.mp4")
    with pytest.raises(ImageReadError, match="limit of 1,000"):
        videos.open_video(path, max_pixels=1000)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.mp4", "ffconcat version 1.0\nfile clip.mp4\n"),
        ("list.mkv", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.ts\n#EXT-X-ENDLIST\n"),
        ("list.mov", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
    ],
)
def test_lists_of_other_files_are_not_followed(tmp_path, monkeypatch, name, text):
    monkeypatch.chdir(tmp_path)
    clip(tmp_path / "clip.mp4")
    clip(tmp_path / "clip.ts")
    (tmp_path / name).write_text(text)
    with pytest.raises(ImageReadError, match="is not a video that can be read"):
        videos.open_video(Path(name))


def test_without_the_extra_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    path = clip(tmp_path / "a.mp4")
    monkeypatch.setattr("dreamer.videos.pyav.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'deepdreamer\[video\]'"):
        videos.open_video(path)
    with pytest.raises(MissingExtraError, match=r"pip install 'deepdreamer\[video\]'"):
        videos.check_video_target(tmp_path / "b.mp4", codec=None, overwrite=False)
    with pytest.raises(MissingExtraError):
        videos.read_recipe(path)


def test_pyav_is_imported_when_a_video_is_opened_and_not_before():
    code = (
        "import sys, dreamer, dreamer.videos\n"
        "from dreamer.__main__ import main\n"
        "sys.argv = ['dreamer', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert 'dreamer.cli' in sys.modules and 'av' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_frames_end_when_their_video_is_closed(tmp_path):
    with videos.open_video(clip(tmp_path / "a.mp4", [moving(number) for number in range(40)])) as video:
        frames = video.frames()
        next(frames)
    assert len(list(frames)) < 39
