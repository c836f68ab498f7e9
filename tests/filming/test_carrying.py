"""The dream of a frame carried to the next: nothing drifts, nothing adds up, and what is still stays to the bit."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from filming_case import SMALL, TINY, InMemory, levels, numbered, panned, structured

import dreamer
from dreamer.arrays import as_float
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.filming import carrying
from dreamer.filming.settings import VideoSettings
from dreamer.filming.shots import ShotDream
from dreamer.filming.timeline import Look, Timeline


def shot_steps(frames, network, settings=None, **keywords):
    """Dream frames as one shot; what each leaves to the next is seen as well."""
    video, given = InMemory(frames), DreamSettings(**TINY | keywords)
    timeline = Timeline((Look(0, given),))
    plans = tuple(DreamPlan.of(one, network) for one in timeline.climbs)
    return list(ShotDream(video, timeline, plans, settings or VideoSettings(), note=pytest.fail).frames(video.shot, {}))


def test_a_hundred_equal_frames_stay_equal_to_the_bit(dreamt):
    steps = dreamt([structured(1)] * 100)
    assert len(steps) == 100
    assert {step.frame.tobytes() for step in steps} == {steps[0].frame.tobytes()}
    assert [step.flicker for step in steps] == [None] + [0] * 99
    assert np.abs(steps[0].frame - as_float(structured(1))).mean() > 0.01


@pytest.fixture(scope="module")
def pan(cat, tmp_path_factory):
    """Sixty frames of a slow pan over a photo, and what names them."""
    frames = panned(cat, 60, 0.5, (96, 160))
    return frames, numbered(tmp_path_factory.mktemp("pan"), frames)


def drift(pan):
    """How mean and strength of the detail change, frame by frame: the first's mean by its strength, and the ratio."""
    frames, pattern = pan
    details = [
        step.frame - as_float(frame)
        for step, frame in zip(dreamer.video_steps(pattern, cuts="none", **SMALL), frames, strict=True)
    ]
    rms = np.array([np.sqrt((detail**2).mean()) for detail in details])
    mean = np.array([detail.mean((0, 1)) for detail in details])
    return np.abs(mean - mean[0]).max(1) / rms[0], rms / rms[0]


def test_nothing_adds_up_while_a_camera_moves(pan, monkeypatch):
    mean, strength = drift(pan)
    assert strength.min() > 0.9
    assert strength.max() < 1.1
    assert mean.max() < 0.1
    monkeypatch.setattr(carrying, "_held", not_held)
    _, free_strength = drift(pan)
    # Without what holds it, the same dream drifts.
    assert np.abs(free_strength - 1).max() > 2 * np.abs(strength - 1).max()


def not_held(detail, _ripe, riper, before, _motion):
    half = np.float16
    return carrying.Carried(detail.astype(half), riper.astype(half), before.mean, before.strength)


def test_the_first_frame_is_the_dream_of_it(tiny_network, dreamt):
    frames = [structured(1), structured(2)]
    steps = dreamt(frames, cuts="none")
    expected = dreamer.dream(frames[0], network=tiny_network, **TINY).pixels
    assert np.abs(levels(steps[0].frame).astype(int) - levels(expected)).max() <= 1


@pytest.mark.parametrize("finish", [{}, {"strength": 0.5, "blend": "soft-light", "contrast": 1.3, "saturation": 0.4}])
@pytest.mark.parametrize("size", [{}, {"max_size": 40}])
def test_without_carrying_each_frame_is_the_dream_of_it(tiny_network, dreamt, cat, finish, size):
    frames = panned(cat, 3, 3, (45, 64))
    steps = dreamt(frames, carry=0, **finish, **size)
    for step, frame in zip(steps, frames, strict=True):
        expected = dreamer.dream(frame, network=tiny_network, **TINY, **finish, **size).pixels
        assert step.frame.shape == expected.shape
        assert np.abs(levels(step.frame).astype(int) - levels(expected)).max() <= 1


def test_a_still_place_keeps_its_detail_to_the_bit_under_noise_while_others_move(tiny_network):
    random = np.random.default_rng(0)
    ground, thing = structured(1, 61, 180), structured(2, 31, 31)
    frames = []
    for number in range(6):
        frame = np.clip(ground + random.normal(0, 1.5, ground.shape), 0, 255).astype(np.uint8)
        frame[15:46, 10 + 4 * number : 41 + 4 * number] = thing
        frames.append(frame)
    steps = shot_steps(frames, tiny_network)
    details = [step.state.carried[0].detail for step in steps]
    assert len({detail[:, 120:].tobytes() for detail in details}) == 1
    assert len({detail[:, :90].tobytes() for detail in details}) == 6


def test_a_still_picture_is_not_climbed_again(tiny_network, monkeypatch):
    climbed = []
    steps = carrying.planned_steps
    monkeypatch.setattr(carrying, "planned_steps", lambda *a, **k: (climbed.append(1), steps(*a, **k))[1])
    shot_steps([structured(1)] * 5, tiny_network)
    assert len(climbed) == 1


def test_what_comes_into_sight_ripens(tiny_network):
    """It had no whole dream, and has a little more of one with every frame."""
    wide = structured(3, 61, 200)
    steps = shot_steps([wide[:, 8 * number : 8 * number + 120].copy() for number in range(6)], tiny_network)
    assert (steps[0].state.carried[0].ripe == 1).all()
    # What came into sight with the second frame is 8 pixels farther to the left in each.
    ripe = [step.state.carried[0].ripe[20:40, 113 - 8 * number].mean() for number, step in enumerate(steps[1:])]
    assert ripe[0] < 0.5
    assert all(after > before - 0.05 for before, after in pairwise(ripe))
    assert ripe[-1] > 0.95


def test_the_detail_moves_along_with_the_thing_below_it(tiny_network):
    wide = structured(3, 61, 200)
    frames = [wide[:, 4 * number : 4 * number + 120].copy() for number in range(4)]
    first, *_, last = (step.picture - as_float(frame) for step, frame in zip(
        shot_steps(frames, tiny_network, VideoSettings(carry=1)), frames, strict=True))  # fmt: skip
    along = np.corrcoef(first[10:-10, 32:-10].ravel(), last[10:-10, 20:-22].ravel())[0, 1]
    in_place = np.corrcoef(first[10:-10, 20:-22].ravel(), last[10:-10, 20:-22].ravel())[0, 1]
    assert along > 0.95
    assert along > in_place + 0.2


@pytest.mark.parametrize("size", [(9, 13), (1, 30)])
def test_a_video_smaller_than_a_patch_is_dreamt(tiny_network, size):
    frames = [structured(number, *size) for number in (1, 2)]
    assert [step.picture.shape for step in shot_steps(frames, tiny_network)] == [(*size, 3)] * 2


def test_memory_does_not_grow_with_the_video(tiny_network):
    """Nothing of a frame is kept once the next is there."""
    import psutil

    wide = structured(4, 45, 500)
    frames = [wide[:, number : number + 64] for number in range(200)]
    own = psutil.Process()
    video = InMemory(frames)
    timeline = Timeline((Look(0, DreamSettings(**TINY)),))
    plans = tuple(DreamPlan.of(one, tiny_network) for one in timeline.climbs)
    dream = ShotDream(video, timeline, plans, VideoSettings(next_steps=1), note=pytest.fail)
    used = [own.memory_info().rss for _ in dream.frames(video.shot, {})]
    assert used[199] - used[19] < 6e6


def test_what_is_carried_is_small(tiny_network):
    carried = shot_steps([structured(1)], tiny_network)[0].state.carried[0]
    assert {array.dtype for array in carried.arrays().values()} == {np.dtype(np.float16)}
    assert carried.size == (45, 64)
    assert dataclasses.asdict(carried).keys() == carried.arrays().keys()
