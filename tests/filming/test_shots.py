"""Shots: where a dream begins anew, and goes on from what was kept."""

from __future__ import annotations

import numpy as np
import pytest
from filming_case import TINY, InMemory, levels, structured

import dreamer
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.filming.settings import VideoSettings
from dreamer.filming.shots import ShotDream, _mixed
from dreamer.filming.timeline import Look, Timeline


def moving(number, count):
    wide = structured(number, 45, 120)
    return [wide[:, 2 * index : 2 * index + 64].copy() for index in range(count)]


def alone(frames, network):
    """The first frame, dreamt by itself."""
    return levels(dreamer.dream(frames[0], network=network, **TINY).pixels)


def same(step, expected):
    return np.abs(levels(step.frame).astype(int) - expected).max() <= 1


def test_behind_a_cut_the_dream_begins_anew(dreamt, tiny_network):
    frames = moving(1, 4) + moving(2, 4)
    steps = dreamt(frames)
    assert [step.flicker is None for step in steps] == [True, *[False] * 3, True, *[False] * 3]
    assert same(steps[4], alone(frames[4:], tiny_network))
    assert not same(steps[5], alone(frames[5:], tiny_network))
    # Nothing of the first shot is in the second.
    other = dreamt(moving(7, 4) + moving(2, 4))
    assert all(np.array_equal(one.frame, two.frame) for one, two in zip(steps[4:], other[4:], strict=True))


def test_a_cut_that_nobody_noticed_begins_anew_all_the_same(dreamt, tiny_network):
    frames = moving(1, 4) + moving(2, 4)
    steps = dreamt(frames, cuts="none")
    assert steps[4].flicker is None
    assert same(steps[4], alone(frames[4:], tiny_network))


def test_a_cut_that_is_said_begins_anew_where_nothing_is_cut(dreamt, tiny_network):
    frames = moving(1, 6)
    steps = dreamt(frames, cuts=[0.12])
    assert [step.flicker is None for step in steps] == [True, False, False, True, False, False]
    assert same(steps[3], alone(frames[3:], tiny_network))
    assert not same(dreamt(frames)[3], alone(frames[3:], tiny_network))


def test_after_a_flash_the_dream_begins_anew(dreamt, tiny_network):
    frames = moving(1, 8)
    frames[4] = np.full_like(frames[4], 255)
    steps = dreamt(frames)
    assert [step.flicker is None for step in steps] == [index in (0, 4, 5) for index in range(8)]
    assert same(steps[5], alone(frames[5:], tiny_network))


@pytest.fixture
def shot(tiny_network):
    """Dream some frames of memory as one shot, or go on behind a state."""
    frames = moving(1, 6)
    video = InMemory(frames)
    timeline = Timeline((Look(0, DreamSettings(**TINY)), Look(0.16, DreamSettings(**TINY | {"steps": 3}))))
    plans = tuple(DreamPlan.of(one, tiny_network) for one in timeline.climbs)

    def steps(state=None):
        dream = ShotDream(video, timeline, plans, VideoSettings(), note=pytest.fail)
        return list(dream.frames(video.shot, {}, state))

    return steps


def test_what_is_handed_on_is_all_that_a_frame_needs_of_those_before(shot):
    whole = shot()
    for place in (0, 2, 4, 5):
        rest = shot(whole[place].state)
        assert [step.state.index for step in rest] == [*range(place + 1, 6)]
        for one, other in zip(rest, whole[place + 1 :], strict=True):
            assert one.picture.tobytes() == other.picture.tobytes()
            assert one.flicker == other.flicker


def test_a_climb_that_no_look_needs_any_more_is_not_handed_on(shot):
    assert [sorted(step.state.carried) for step in shot()] == [[0], [0, 1], [0, 1], [0, 1], [1], [1]]


def test_details_that_cancel_each_other_are_mixed_no_weaker_than_they_are():
    random = np.random.default_rng(0)
    frame = np.full((45, 64, 3), 128, np.uint8)
    photo = frame / np.float32(255)
    one, other = (photo + random.normal(0, 0.05, frame.shape).astype(np.float32) for _ in range(2))
    mixed = _mixed([(0.5, one), (0.5, other)], frame)
    assert (mixed - photo).std() == pytest.approx(0.05, rel=0.05)
    # Of opposite ones little is left, and that is not blown up to what they were.
    opposite = photo - np.float32(0.9) * (one - photo)
    assert (_mixed([(0.5, one), (0.5, opposite)], frame) - photo).std() == pytest.approx(0.05 * 0.05 * 2**0.5, rel=0.05)
    assert _mixed([(1.0, one)], frame) is one
