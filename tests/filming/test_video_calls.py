"""``dreamer.video`` and ``dreamer.video_steps``: what others call."""

from __future__ import annotations

import numpy as np
import pytest
from filming_case import TINY, InMemory, clip, frames_of, numbered, panned, structured

import dreamer
from dreamer import videos
from dreamer.errors import ImageExistsError, ImageReadError, ImageWriteError, MissingExtraError, SettingsError
from dreamer.filming import shots
from dreamer.results import Interrupted


@pytest.fixture
def source(tmp_path, cat):
    return clip(tmp_path / "clip.mkv", panned(cat, 4, 1, (45, 64)))


def test_a_video_is_dreamt_beside_it(source, tiny_network):
    made = dreamer.video(source, network=tiny_network, **TINY)
    assert isinstance(made, dreamer.DreamtVideo)
    assert made.path == source.with_name("clip-dream.mkv")
    assert (made.size, made.frames, made.planned, made.is_partial) == ((45, 64), 4, 4, False)
    assert 0 < made.flicker < 0.01
    again = dreamer.video(str(source), network=tiny_network, **TINY)
    assert again.path == source.with_name("clip-dream-2.mkv")


def test_the_frames_one_by_one(source, tiny_network):
    steps = list(dreamer.video_steps(source, network=tiny_network, **TINY))
    assert all(isinstance(step, dreamer.VideoStep) for step in steps)
    assert [step.index for step in steps] == [0, 1, 2, 3]
    assert [step.time for step in steps] == pytest.approx([0, 0.04, 0.08, 0.12])
    assert [step.progress for step in steps] == [0.25, 0.5, 0.75, 1]
    assert {(step.frame.shape, step.frame.dtype.name) for step in steps} == {((45, 64, 3), "float32")}
    assert all(0 <= step.frame.min() <= step.frame.max() <= 1 for step in steps)
    assert steps[0].flicker is None
    assert all(step.flicker > 0 for step in steps[1:])
    assert [path.name for path in source.parent.iterdir()] == ["clip.mkv"]  # Nothing is written.


def test_a_bar_follows_where_it_is_asked_for(source, tiny_network, capfd):
    given = {"network": tiny_network, **TINY}
    for progress, shows in ((True, True), (None, False), (False, False)):
        list(dreamer.video_steps(source, progress=progress, **given))
        assert bool(capfd.readouterr().err) == shows
        dreamer.video(source, progress=progress, **given)
        assert bool(capfd.readouterr().err) == shows


def test_an_interrupt_holds_a_video_of_what_there_is_and_the_same_call_goes_on(source, tiny_network, monkeypatch):
    given = {"network": tiny_network, "codec": "ffv1", **TINY}
    whole = dreamer.video(source, source.with_name("whole.mkv"), **given)
    dreamt = shots.ShotDream._frame

    def interrupted(self, pixels, index, *rest):
        if index == 2:
            raise KeyboardInterrupt
        return dreamt(self, pixels, index, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(shots.ShotDream, "_frame", interrupted)
        with pytest.raises(Interrupted) as caught:
            dreamer.video(source, source.with_name("out.mkv"), **given)
    partial = caught.value.partial
    assert partial.is_partial
    assert partial.frames == 2
    for one, other in zip(frames_of(partial.path), frames_of(whole.path), strict=False):
        assert np.array_equal(one, other)
    made = dreamer.video(source, source.with_name("out.mkv"), **given)
    assert made.path.read_bytes() == whole.path.read_bytes()


def test_an_interrupt_before_the_first_frame_is_one(source, tiny_network, monkeypatch):
    def interrupted(*_given):
        raise KeyboardInterrupt

    monkeypatch.setattr(shots.ShotDream, "_frame", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        dreamer.video(source, source.with_name("out.mkv"), network=tiny_network, **TINY)
    assert not isinstance(caught.value, Interrupted)


def test_an_animation_and_a_sequence_of_pictures(source, tmp_path, tiny_network):
    given = {"network": tiny_network, **TINY}
    moving = dreamer.video(source, tmp_path / "moving.gif", **given).path
    made = dreamer.video(moving, **given)
    assert made.path.name == "moving-dream.gif"
    assert len(frames_of(made.path)) == 4
    pattern = numbered(tmp_path / "frames", frames_of(source))
    made = dreamer.video(pattern, frame_rate=10, **given)
    assert made.path == tmp_path / "frames-dream.mp4"
    with videos.open_video(made.path) as video:
        assert [float(frame.pts * video.time_base) for frame in video.frames()] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert made.recipe["video"]["frame_rate"] == 10
    # The same pixels are dreamt alike, wherever they come from.
    steps = [list(dreamer.video_steps(path, **given)) for path in (pattern, source)]
    assert all(np.array_equal(one.frame, other.frame) for one, other in zip(*steps, strict=True))


def test_settings_a_preset_and_keywords_on_top(source, tiny_network):
    settings = dreamer.DreamSettings(**TINY | {"strength": 0.0})
    step = next(dreamer.video_steps(source, settings, network=tiny_network))
    assert np.array_equal(step.frame, frames_of(source)[0].astype(np.float32) / np.float32(255))
    step = next(dreamer.video_steps(source, settings, network=tiny_network, strength=1))
    assert not np.array_equal(step.frame, frames_of(source)[0].astype(np.float32) / np.float32(255))
    with pytest.raises(SettingsError, match="settings and preset are two looks to begin with"):
        dreamer.video(source, settings=settings, preset="lace")


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"stepz": 3}, SettingsError, "there is no setting 'stepz'"),
        ({"carry": 2}, SettingsError, "carry"),
        ({"frames": 3}, SettingsError, "frames is for an endless zoom"),
        ({"cuts": [9]}, SettingsError, "no frame at the cut at 9 s"),
        ({"start": 9}, SettingsError, "no frame from 9 s on"),
        ({"frame_rate": 9}, SettingsError, "frame rate is for numbered pictures"),
        ({"codec": "vp9", "out": "x.mov"}, SettingsError, "holds no vp9"),
        ({"quality": 101}, SettingsError, "quality"),
        ({"out": "x.avi"}, ImageWriteError, "names no video that is written"),
        ({"out": "no/x.mp4"}, ImageWriteError, "does not exist"),
        ({"out": "clip.mkv"}, ImageExistsError, "exists already"),
    ],
)
def test_what_is_impossible_is_said(source, tiny_network, monkeypatch, given, kind, words):
    monkeypatch.chdir(source.parent)
    with pytest.raises(kind, match=words):
        dreamer.video("clip.mkv", network=tiny_network, **TINY | given)
    assert sorted(path.name for path in source.parent.iterdir()) == ["clip.mkv"]


def test_what_is_no_video_is_said(tmp_path):
    (tmp_path / "text.mp4").write_text("no video at all")
    for name in ("text.mp4", "nothing.mp4", "%d.png"):
        with pytest.raises(ImageReadError, match=name):
            dreamer.video(tmp_path / name)


def test_without_the_extra_it_is_said(source, monkeypatch):
    monkeypatch.setattr("dreamer.videos.pyav.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"deepdreamer\[video\]"):
        dreamer.video(source)


def test_frames_of_ten_bits_stay_that_fine(tmp_path, tiny_network, monkeypatch):
    frames = [structured(1).astype(np.uint16) * 257 + 77] * 2
    video = InMemory(frames)
    video.bits = 16
    monkeypatch.setattr("dreamer.filming.run.videos.open_video", lambda *_given, **_more: video)
    video.sha256 = lambda: "0"
    written = {}

    def write(path, frames, *, bits, **_more):
        written.update(bits=bits, frames=[frame.pixels for frame in frames])
        return []

    monkeypatch.setattr("dreamer.filming.run.videos.write_video", write)
    dreamer.video("memory.mkv", tmp_path / "out.mkv", network=tiny_network, **TINY | {"strength": 0.0})
    assert written["bits"] == 16
    assert all(np.array_equal(one, other) for one, other in zip(written["frames"], frames, strict=True))


def test_a_photo_is_no_clip_but_may_be_one_frame(tmp_path, tiny_network):
    """A GIF of one picture is a video of one frame."""
    pattern = numbered(tmp_path / "frames", [structured(1)])
    (step,) = dreamer.video_steps(pattern, network=tiny_network, **TINY)
    assert (step.progress, step.flicker) == (1, None)
