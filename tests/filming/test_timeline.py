"""Looks in the course of time, and what lies between two of them."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from filming_case import TINY, levels, numbered, structured

import dreamer
from dreamer import presets
from dreamer.arrays import as_float
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import DreamerError, SettingsError
from dreamer.filming import carrying
from dreamer.filming.timeline import Look, Timeline
from dreamer.filming.wish import result_of, wish_of

ONE, WEAK, OTHER = DreamSettings(), DreamSettings(strength=0.2, saturation=0), DreamSettings(steps=7)


def line(**looks):
    named = {"one": ONE, "weak": WEAK, "other": OTHER}
    return Timeline(tuple(Look(time, named[name]) for name, time in looks.items()))


def weights(timeline, time):
    names = {ONE: "one", WEAK: "weak", OTHER: "other"}
    return {names[look.settings]: round(weight, 3) for weight, look in timeline.at(time)}


def test_between_two_looks_one_becomes_the_other():
    timeline = line(other=8, one=2, weak=4)  # In any order.
    assert weights(timeline, 0) == weights(timeline, 2) == {"one": 1}
    assert weights(timeline, 2.5) == {"one": 0.75, "weak": 0.25}
    assert weights(timeline, 4) == {"weak": 1}
    assert weights(timeline, 7) == {"weak": 0.25, "other": 0.75}
    assert weights(timeline, 8) == weights(timeline, 100) == {"other": 1}


def test_looks_that_differ_in_their_finish_alone_share_a_climb():
    timeline = line(one=0, weak=4, other=8)
    assert timeline.climbs == (ONE, OTHER)
    assert [timeline.climb_of(look) for look in timeline.looks] == [0, 0, 1]


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        ([], "a video needs one look"),
        ([(0, ONE), (float("inf"), WEAK)], "a look is to hold at inf s; expected seconds, 0 or more"),
        ([(0, ONE), (0, WEAK)], "two looks are to hold at 0 s; expected one at a time"),
        ([(0, ONE), (3, DreamSettings(max_size=99))], "different values of max_size; expected the same in all"),
        ([(0, ONE), (3, DreamSettings(seed=99))], "different values of seed"),
        ([(0, DreamSettings(frames=3))], "frames is for an endless zoom"),
    ],
)
def test_looks_that_cannot_be_of_one_video(looks, words):
    with pytest.raises(SettingsError, match=words):
        Timeline(tuple(Look(*one) for one in looks))


def test_keywords_are_sorted_into_looks_and_the_rest():
    timeline, settings = wish_of(None, {"steps": 3, "carry": 0.5, "cuts": "none"}, preset=None, at={})
    assert [look.settings for look in timeline.looks] == [DreamSettings(steps=3)]
    assert (settings.carry, settings.cuts) == (0.5, "none")
    with pytest.raises(SettingsError, match="there is no setting 'step'"):
        wish_of(None, {"step": 3}, preset=None, at={})


def test_looks_are_presets_presets_with_a_strength_or_a_strength():
    at = {4: "lace", 6: "rope:0.5", 8: "0.25", 9: DreamSettings(steps=2)}
    timeline, _ = wish_of(None, {"max_size": 99}, preset="eyes", at=at)
    eyes, lace, rope = (presets.find(name).settings(max_size=99) for name in ("eyes", "lace", "rope"))
    assert [look.settings for look in timeline.looks] == [
        eyes,
        lace,
        dataclasses.replace(rope, strength=0.5),
        dataclasses.replace(eyes, strength=0.25),
        DreamSettings(steps=2, max_size=99),
    ]
    assert [look.time for look in timeline.looks] == [0, 4, 6, 8, 9]
    assert timeline.looks[1].preset == presets.find("lace").origin
    assert timeline.looks[3].preset == presets.find("eyes").origin


def test_a_look_at_the_beginning_takes_the_place_of_the_first():
    timeline, _ = wish_of(None, {}, preset="eyes", at={0: "lace"})
    assert [look.settings for look in timeline.looks] == [presets.find("lace").settings()]


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ({3: "no-such-look"}, "no-such-look"),
        ({3: "lace:7"}, "strength is 7"),
        ({3: ""}, "names no look; expected a preset, as lace or lace:0.5"),
        ({-1: "lace"}, "a look is to hold at -1 s; expected seconds, 0 or more"),
        ({float("nan"): "lace"}, "a look is to hold at nan s"),
        ({"soon": "lace"}, "'soon' is no time; expected seconds"),
    ],
)
def test_looks_that_are_none(at, words):
    with pytest.raises(DreamerError, match=words):
        wish_of(None, {}, preset=None, at=at)


def test_the_dream_of_a_video_is_named_after_it(tmp_path):
    clip = tmp_path / "clip.avi"
    assert result_of(clip).name == "clip-dream.mp4"
    (tmp_path / "clip-dream.mp4").touch()
    assert result_of(clip).name == "clip-dream-2.mp4"
    assert result_of(tmp_path / "clip.webm", "preview").name == "clip-preview.webm"
    assert result_of(tmp_path / "frames" / "%05d.png") == tmp_path / "frames-dream.mp4"


@pytest.fixture
def still(tmp_path):
    """Nine equal frames, four a second."""
    return numbered(tmp_path / "still", [structured(1)] * 9)


def test_at_its_own_time_a_look_is_alone(still, tiny_network, monkeypatch):
    given = {"network": tiny_network, "frame_rate": 4}
    first, second = DreamSettings(**TINY), DreamSettings(**TINY | {"objective": "second", "steps": 8})
    steps = list(dreamer.video_steps(still, first, at={1.0: second}, **given))
    alone = [dreamer.dream(structured(1), one, network=tiny_network).pixels for one in (first, second)]
    for index, expected in ((0, alone[0]), (4, alone[1]), (8, alone[1])):
        assert np.abs(steps[index].frame - expected).max() < 1.5 / 255
    # In between there is some of both.
    photo = as_float(structured(1))
    shares = []
    for step in steps[:5]:
        columns = np.stack([(one - photo).ravel() for one in alone], axis=1)
        shares.append(np.linalg.lstsq(columns, (step.frame - photo).ravel(), rcond=None)[0])
    assert all(later[0] < before[0] and later[1] > before[1] for before, later in pairwise(shares))


def test_a_strength_grows_without_another_climb(still, tiny_network, monkeypatch):
    climbed = []
    steps = carrying.planned_steps
    monkeypatch.setattr(carrying, "planned_steps", lambda *a, **k: (climbed.append(1), steps(*a, **k))[1])
    given = DreamSettings(**TINY | {"strength": 0.0})
    found = list(dreamer.video_steps(still, given, at={1.0: "1"}, network=tiny_network, frame_rate=4))
    assert len(climbed) == 1
    photo = as_float(structured(1))
    detail = found[8].frame - photo
    assert np.array_equal(found[0].frame, photo)
    for index, strength in ((1, 0.25), (2, 0.5), (4, 1)):
        # The strength of what is seen; pictures that are alike are mixed as loudly as they are.
        assert np.allclose(found[index].frame - photo, strength * detail, atol=2e-3)


def test_presets_by_name_with_a_strength(tmp_path, cat):
    pattern = numbered(tmp_path / "frames", [cat[50:95, 100:164]] * 3)
    steps = list(dreamer.video_steps(pattern, preset="lace", at={1: "lace:0.3"}, frame_rate=2, octaves=1, steps=2))
    photo = as_float(cat[50:95, 100:164])
    strong, weak = steps[0].frame - photo, steps[2].frame - photo
    assert np.allclose(0.3 / presets.find("lace").settings().strength * strong, weak, atol=2 / 255)
    expected = dreamer.dream(cat[50:95, 100:164], presets.find("lace").settings(octaves=1, steps=2)).pixels
    assert np.abs(levels(steps[0].frame).astype(int) - levels(expected)).max() <= 1
