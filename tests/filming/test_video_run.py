"""Whole runs: here or in a pool, interrupted or not, and what is written in the end."""

from __future__ import annotations

import numpy as np
import pytest
from filming_case import TINY, clip, frames_of, panned, structured

import dreamer
from dreamer import images, videos
from dreamer.dreaming.settings import DreamSettings
from dreamer.filming.made import Output
from dreamer.filming.run import VideoDream
from dreamer.filming.settings import VideoSettings
from dreamer.filming.timeline import Look, Timeline
from dreamer.models.weights import HeldWeights
from dreamer.workers.places import Place


@pytest.fixture
def two_shots(tmp_path, cat):
    return clip(tmp_path / "clip.mkv", panned(cat, 3, 1, (45, 64)) + panned(cat, 3, 1, (45, 64), top=200, left=300))


def test_two_workers_give_the_frames_of_one(two_shots, tmp_path, tiny_file):
    given = {"codec": "ffv1", "network": tiny_file, **TINY}
    here = dreamer.video(two_shots, tmp_path / "here.mkv", **given)
    there = dreamer.video(two_shots, tmp_path / "there.mkv", place=Place(workers=2), **given)
    for one, other in zip(frames_of(here.path), frames_of(there.path), strict=True):
        assert np.array_equal(one, other)
    assert there.flicker == pytest.approx(here.flicker)
    assert there.path.read_bytes() == here.path.read_bytes()


def test_a_network_that_is_only_in_memory_does_not_go_to_a_pool(two_shots, tmp_path, monkeypatch):
    import keras

    monkeypatch.setattr(Place, "pool", lambda _self: pytest.fail("a pool"))
    picture = keras.Input((None, None, 3))
    model = keras.Model(picture, keras.layers.Conv2D(4, 3, padding="same", name="first")(picture))
    network = dreamer.load(model, preprocessing="-1..1")
    assert isinstance(network.spec.weights, HeldWeights)
    made = dreamer.video(two_shots, tmp_path / "out.mkv", network=network, place=Place(workers=2), **TINY)
    assert made.frames == 6


def opened(path, network, show=lambda *_: None, **keywords):
    timeline = Timeline((Look(0, DreamSettings(**TINY)),))
    settings = VideoSettings(**keywords)
    return VideoDream(path, timeline, settings, network=network, note=pytest.fail, show=show)


def test_whoever_waits_is_shown_how_far_it_is(two_shots, tmp_path, tiny_network):
    shown = []
    with opened(two_shots, tiny_network, lambda *given: shown.append(given)) as dream:
        dream.make(Output(tmp_path / "out.mkv"))
    texts, shares, lines = zip(*shown, strict=True)
    assert texts[0] == "looking through the video, frame 1"
    assert any(text.startswith("frame 3 of 6, octave 1/1") for text in texts)
    assert [line for line in lines if line is not None] == [f"{texts[-1]} done"]
    assert texts[-1].startswith("frame 6 of 6")
    assert all(0 < share <= 1 for share in shares)
    dreamt = shares[6:]
    assert list(dreamt) == sorted(dreamt)
    assert shares[-1] == 1


def test_what_there_is_of_a_stopped_run_can_be_played(two_shots, tmp_path, tiny_network):
    output = Output(tmp_path / "out.mkv", codec="ffv1")

    def stop(text, _share, _line):
        if text.startswith("frame 4 of 6,") and "octave" not in text:
            raise KeyboardInterrupt

    with opened(two_shots, tiny_network, stop) as dream:
        with pytest.raises(KeyboardInterrupt):
            dream.make(output)
        made = dream.so_far(output)
    assert made.path == tmp_path / "out.mkv.frames" / "so-far.mkv"
    assert (made.frames, made.planned, made.is_partial) == (4, 6, True)
    assert made.recipe["partial"] == {"frames": 4}
    assert len(frames_of(made.path)) == 4
    with opened(two_shots, tiny_network) as dream:
        whole = dream.make(output)
    assert not made.path.parent.exists()
    assert not whole.is_partial
    assert "partial" not in whole.recipe


def test_a_run_that_did_not_come_to_its_frames_has_nothing_to_show(two_shots, tmp_path, tiny_network):
    """Those in the folder may be of another dream."""
    output = Output(tmp_path / "out.mkv", codec="ffv1")

    def stop(text, _share, _line):
        if text.startswith("frame 2 of 6,") and "octave" not in text:
            raise KeyboardInterrupt

    with opened(two_shots, tiny_network, stop) as dream, pytest.raises(KeyboardInterrupt):
        dream.make(output)

    shown = []

    def stop_at_once(*given):
        shown.append(given)
        if len(shown) == 1:
            raise KeyboardInterrupt

    with opened(two_shots, tiny_network, stop_at_once, carry=0.3) as dream:
        with pytest.raises(KeyboardInterrupt):
            dream.make(output)
        assert dream.so_far(output) is None
    assert not (output.kept.path / "so-far.mkv").exists()


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.gif"])
def test_what_is_written_has_the_frames_times_and_recipe(two_shots, tmp_path, tiny_network, name):
    made = dreamer.video(two_shots, tmp_path / name, network=tiny_network, **TINY)
    assert made.size == (45, 64)
    with videos.open_video(made.path) as video:
        frames = list(video.frames())
        seconds = [float(frame.pts * video.time_base) for frame in frames]
    assert len(frames) == made.frames == 6
    assert seconds == pytest.approx([number / 25 for number in range(6)], abs=0.006)
    steps = [step.frame for step in dreamer.video_steps(two_shots, network=tiny_network, **TINY)]
    # Encoders want even sizes; a row is added.
    loss = np.mean([np.abs(one.pixels[:45] / 255 - other).mean() for one, other in zip(frames, steps, strict=True)])
    assert loss < 0.05
    read = images.read_recipe if made.path.suffix == ".gif" else videos.read_recipe
    assert read(made.path)["command"] == "video"


def test_a_piece_is_written_from_0_on_with_its_frames(two_shots, tmp_path, tiny_network):
    made = dreamer.video(
        two_shots, tmp_path / "piece.mkv", network=tiny_network, codec="ffv1", start=0.08, end=0.2, **TINY
    )
    steps = list(dreamer.video_steps(two_shots, network=tiny_network, start=0.08, end=0.2, **TINY))
    assert [step.index for step in steps] == [0, 1, 2]
    assert [step.time for step in steps] == pytest.approx([0.08, 0.12, 0.16])
    with videos.open_video(made.path) as video:
        frames = list(video.frames())
    assert [float(frame.pts * video.time_base) for frame in frames] == pytest.approx([0, 0.04, 0.08], abs=0.001)
    for frame, step in zip(frames, steps, strict=True):
        assert np.abs(frame.pixels / 255 - step.frame).max() < 0.51 / 255 + 1e-6


def test_the_sound_is_copied(tmp_path, tiny_network):
    sound = (0.3 * np.sin(np.arange(22050) / 7)).astype(np.float32)
    source = clip(tmp_path / "clip.mkv", [structured(1)] * 10, rate=10, sound=sound)
    made = dreamer.video(source, tmp_path / "out.mkv", network=tiny_network, **TINY)
    with videos.open_video(made.path) as video, videos.open_video(source) as before:
        assert np.array_equal(video.sound(), before.sound())


def test_a_recipe_says_how_it_was_made(two_shots, tmp_path, tiny_network):
    made = dreamer.video(
        two_shots, tmp_path / "out.mkv", network=tiny_network, at={0.1: "0.5"}, carry=0.5, saturation=0.4, **TINY
    )
    assert made.recipe["settings"]["saturation"] == 0.4
    assert made.recipe["settings"]["steps"] == 4
    video = made.recipe["video"]
    assert (video["carry"], video["cuts"], video["start"]) == (0.5, "auto", 0)
    assert [(look["time"], look["settings"]["strength"]) for look in video["looks"]] == [(0, 1), (0.1, 0.5)]
    assert made.recipe["source"]["name"] == "clip.mkv"
    assert len(made.recipe["source"]["sha256"]) == 64
