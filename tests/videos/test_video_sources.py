"""Animations and numbered pictures as videos, both ways."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageSequence
from video_case import clip, moving, rms, times

from dreamer import images, videos
from dreamer.errors import ImageReadError, ImageWriteError, SettingsError
from dreamer.images import Timing

TIMES = [30, 70, 40, 250]


def animation(path, milliseconds=TIMES, alpha=False):
    pictures = [Image.fromarray(moving(number)) for number in range(len(milliseconds))]
    if alpha:
        for picture in pictures:
            layer = Image.new("L", picture.size, 255)
            layer.paste(0, (0, 0, 10, 10))
            picture.putalpha(layer)
    options = {".gif": {"disposal": 2}, ".webp": {"lossless": True}}.get(path.suffix, {"format": "PNG"})
    first, *others = pictures
    first.save(path, save_all=True, append_images=others, duration=milliseconds, loop=0, **options)
    return path


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng", ".png"])
def test_an_animation_is_a_video_with_its_own_times(tmp_path, suffix):
    path = animation(tmp_path / f"a{suffix}")
    with videos.open_video(path) as video:
        frames = list(video.frames())
        assert video.time_base == Fraction(1, 1000)
        assert [frame.pts for frame in frames] == [0, 30, 100, 140]
        assert [frame.duration for frame in frames] == TIMES
        assert (video.size, video.bits, video.has_sound, video.sound()) == ((36, 52), 8, False, None)
        assert video.duration == 0.39
        assert video.notes == ()
        assert video.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
        for number, frame in enumerate(frames):
            assert frame.pixels.dtype == np.uint8
            assert rms(frame.pixels, moving(number)) < (12 if suffix == ".gif" else 2)
        assert [frame.pts for frame in video.frames(31)] == [100, 140]
        assert next(video.frames(max_side=26)).pixels.shape == (18, 26, 3)
        assert np.array_equal(next(video.frames()).pixels, frames[0].pixels)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
def test_transparency_is_laid_on_white_and_said(tmp_path, suffix):
    with videos.open_video(animation(tmp_path / f"a{suffix}", alpha=True)) as video:
        frames = list(video.frames())
        assert video.notes == ("it is transparent in places, and was laid on white",)
        assert all((frame.pixels[2:8, 2:8] > 250).all() for frame in frames)


def test_a_gif_that_says_no_times_is_shown_as_browsers_do(tmp_path):
    animation(tmp_path / "a.gif", [0, 0, 0])
    with videos.open_video(tmp_path / "a.gif") as video:
        assert [frame.pts for frame in video.frames()] == [0, 100, 200]
        assert "no time is said" in video.notes[0]


@pytest.mark.parametrize("source", [".gif", ".webp", ".apng"])
@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng", ".mp4", ".webm"])
def test_times_of_an_animation_survive(tmp_path, source, suffix):
    path, target = animation(tmp_path / f"a{source}"), tmp_path / f"b{suffix}"
    with videos.open_video(path) as video:
        clock = {"time_base": video.time_base, "rate": video.rate}
        recipe = {"settings": {"seed": 3}}
        notes = videos.write_video(target, video.frames(), size=video.size, source=video, recipe=recipe, **clock)
    assert notes == []
    if suffix in (".mp4", ".webm"):
        assert times(target) == ([0, 30, 100, 140], Fraction(1, 1000))
        assert videos.read_recipe(target) == recipe
        return
    with Image.open(target) as image:
        assert [(frame.load(), frame.info["duration"])[1] for frame in ImageSequence.Iterator(image)] == TIMES
    assert images.read_recipe(target) == recipe


def test_milliseconds_survive_where_the_format_has_them(tmp_path):
    path = animation(tmp_path / "a.webp", [33, 34, 33, 67])
    for suffix, kept in ((".apng", [33, 34, 33, 67]), (".webp", [33, 34, 33, 67]), (".gif", [30, 40, 30, 70])):
        with videos.open_video(path) as video:
            clock = {"time_base": video.time_base, "rate": video.rate}
            target = tmp_path / f"b{suffix}"
            videos.write_video(target, video.frames(), size=video.size, source=video, **clock)
        with Image.open(target) as image:
            assert [(frame.load(), frame.info["duration"])[1] for frame in ImageSequence.Iterator(image)] == kept


def test_a_video_becomes_an_animation_without_its_sound(tmp_path):
    source = clip(tmp_path / "a.mp4", sound="aac")
    with videos.open_video(source) as video:
        clock = {"time_base": video.time_base, "rate": video.rate}
        notes = videos.write_video(tmp_path / "b.gif", video.frames(), size=video.size, source=video, **clock)
    assert notes == ["its sound is left out: pictures hold none"]
    with videos.open_video(tmp_path / "b.gif") as video:
        assert [frame.duration for frame in video.frames()] == [40] * 10


def test_a_video_becomes_numbered_pictures_and_those_a_video(tmp_path):
    frames = [videos.Frame(number, 1, moving(number, top=65535)) for number in range(4)]
    clock = {"time_base": Fraction(1, 24), "rate": Fraction(24)}
    videos.write_video(tmp_path / "frames", iter(frames), size=(36, 52), source=None, **clock)
    with videos.open_video(tmp_path / "frames" / "%04d.png", frame_rate=24) as video:
        assert (video.rate, video.time_base, video.bits, video.size) == (24, Fraction(1, 24), 16, (36, 52))
        again = list(video.frames())
        assert [frame.pts for frame in again] == [0, 1, 2, 3]
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(again, frames, strict=True))
        assert [frame.pts for frame in video.frames(2)] == [2, 3]
        assert next(video.frames(max_side=26)).pixels.shape == (18, 26, 3)
        data = b"".join((tmp_path / "frames" / f"{number:04d}.png").read_bytes() for number in (1, 2, 3, 4))
        assert video.sha256() == hashlib.sha256(data).hexdigest()
        videos.write_video(tmp_path / "b.mp4", video.frames(), size=video.size, source=video, **clock)
    pts, ticks = times(tmp_path / "b.mp4")
    assert [one * ticks for one in pts] == [Fraction(number, 24) for number in range(4)]


def numbered(folder, *numbers, size=(36, 52), pattern="%03d.png"):
    folder.mkdir(exist_ok=True)
    for number in numbers:
        images.write(folder / (pattern % number), images.Photo(moving(number, *size)), recipe=None)
    return folder / pattern


def test_numbered_pictures_begin_with_the_first_that_is_there(tmp_path):
    with videos.open_video(numbered(tmp_path / "a", 8, 9, 10, 11)) as video:
        assert video.rate == 25
        assert [frame.pts for frame in video.frames()] == [0, 1, 2, 3]
        assert np.array_equal(next(video.frames(3)).pixels, moving(11))
    with videos.open_video(numbered(tmp_path / "b", 8, 9, 10, 11, pattern="x-%d.png")) as video:
        assert len(list(video.frames())) == 4


def test_numbered_pictures_that_are_none(tmp_path):
    with pytest.raises(ImageReadError, match=r"002\.png is missing between others"):
        videos.open_video(numbered(tmp_path / "gap", 1, 3))
    with pytest.raises(ImageReadError, match="names no picture that is there"):
        videos.open_video(tmp_path / "gap" / "%05d.png")
    with pytest.raises(ImageReadError, match="is no folder"):
        videos.open_video(tmp_path / "none" / "%05d.png")
    numbered(tmp_path / "odd", 1, 2)
    path = numbered(tmp_path / "odd", 3, size=(30, 52))
    with videos.open_video(path) as video, pytest.raises(ImageReadError, match=r"003\.png has 52 x 30 .* 52 x 36"):
        list(video.frames())
    with pytest.raises(SettingsError, match="frame rate is 0"):
        videos.open_video(path, frame_rate=0)
    with pytest.raises(SettingsError, match="has times of its own"):
        videos.open_video(animation(tmp_path / "a.gif"), frame_rate=12)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
def test_animations_that_cannot_be_read(tmp_path, suffix):
    path = animation(tmp_path / f"a{suffix}")
    with pytest.raises(ImageReadError, match="limit of 100"):
        videos.open_video(path, max_pixels=100)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ImageReadError, match=rf"a\{suffix} "):
        videos.open_video(path)
    with pytest.raises(ImageReadError, match="does not exist"):
        videos.open_video(tmp_path / f"none{suffix}")


def test_times_one_by_one():
    timing = Timing.of([33, 33, 34, 5])
    assert timing.milliseconds(4) == [30, 40, 30, 10]
    assert timing.milliseconds(4, 1) == [33, 33, 34, 5]
    assert sum(Timing.of([33] * 100).milliseconds(100)) == 3300
    assert Timing.of([1, 1]).milliseconds(2) == [10, 10]


@pytest.mark.parametrize(("asked", "rate"), [(24, 24), (30, 30), (29.97, Fraction(2997, 100)), (12.5, Fraction(25, 2))])
def test_a_rate_is_kept_exactly(asked, rate):
    assert Timing(1 / asked).rate == rate


def test_numbered_pictures_cannot_go_where_others_are(tmp_path):
    path = numbered(tmp_path / "a", 1)
    with pytest.raises(ImageWriteError, match="exists"):
        videos.check_video_target(path.parent, codec=None, overwrite=False)
