"""What is heard in a sound, and what it does to settings."""

from __future__ import annotations

import numpy as np
import pytest
from filming_case import TINY, clip, structured

import dreamer
from dreamer.errors import SettingsError
from dreamer.filming.listening import RATE, beats, driven, loudness
from dreamer.filming.settings import Listen

NOISE = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).clip(-1, 1).astype(np.float32)
TIMES = np.arange(1, 50) / 25


def test_loud_and_silent_places():
    half = np.where(np.arange(2 * RATE) < RATE, 0, NOISE).astype(np.float32)
    heard = loudness(half, TIMES)
    assert (heard[TIMES < 0.9] == 0).all()
    assert (heard[TIMES > 1.1] > 0.9).all()
    assert heard.max() <= 1


def test_thirty_decibels_less_is_silence_and_half_of_that_is_half():
    for decibels, expected in ((0, 1), (-15, 0.5), (-30, 0), (-60, 0)):
        sound = np.concatenate([NOISE, NOISE * np.float32(10 ** (decibels / 20))])
        assert loudness(sound, np.array([3.0]))[0] == pytest.approx(expected, abs=0.08)


def test_how_loud_it_is_recorded_does_not_matter():
    assert np.allclose(loudness(NOISE, TIMES), loudness(NOISE / 50, TIMES), atol=1e-4)


@pytest.mark.parametrize("hear", [loudness, beats])
@pytest.mark.parametrize("length", [0, 1, 100, RATE])
def test_silence_and_a_sound_that_is_too_short_are_silent(hear, length):
    assert hear(np.zeros(length, np.float32), TIMES).tolist() == [0] * len(TIMES)


def test_beats_are_where_something_begins():
    sound = np.zeros(2 * RATE, np.float32)
    begins = [0.4, 0.8, 1.2, 1.6]
    for begin in begins:
        at = int(begin * RATE)
        fading = np.exp(-np.arange(8000) / 800).astype(np.float32)
        sound[at : at + 8000] = 0.5 * fading * np.sin(2 * np.pi * 330 * np.arange(8000) / RATE)
    heard = beats(sound, TIMES)
    near = np.min([np.abs(TIMES - begin) for begin in begins], axis=0)
    assert all(heard[np.abs(TIMES - begin) < 0.05].max() > 0.9 for begin in begins)
    assert (heard[near > 0.1] < 0.1).all()
    # Which is another thing than how loud it is: a steady sound has no beats.
    steady = np.sin(2 * np.pi * 330 * np.arange(2 * RATE) / RATE).astype(np.float32)
    assert loudness(steady, TIMES)[10:40].min() > 0.9


def test_it_rises_at_once_and_falls_to_a_third_in_a_quarter_of_a_second():
    sound = np.where(np.arange(2 * RATE) < RATE, NOISE, 0).astype(np.float32)
    times = [0.5, 1.0, 1.25, 1.5]
    found = [one["strength"] for one in driven(sound, times, [Listen("strength", 0.0, 1.0)])]
    assert found[0] > 0.9
    assert found[2] / found[1] == pytest.approx(np.exp(-1), abs=0.02)
    assert found[3] / found[2] == pytest.approx(np.exp(-1), abs=0.02)


def test_several_are_driven_each_within_its_own_bounds():
    sound = np.where(np.arange(2 * RATE) < RATE, 0, NOISE).astype(np.float32)
    found = driven(sound, [0.5, 1.5], [Listen("strength", 0.2, 0.8), Listen("saturation", 1.5, 0.0)])
    assert found[0] == {"strength": pytest.approx(0.2), "saturation": pytest.approx(1.5)}
    assert found[1] == {"strength": pytest.approx(0.8, abs=0.05), "saturation": pytest.approx(0.0, abs=0.1)}


@pytest.fixture
def half_loud(tmp_path):
    """A still picture for a second, silent and then loud."""
    sound = np.where(np.arange(RATE) < RATE // 2, 0, NOISE[:RATE]).astype(np.float32)
    return clip(tmp_path / "clip.mkv", [structured(1)] * 10, rate=10, sound=sound)


def test_the_sound_of_a_video_drives_its_dream(half_loud, tiny_network):
    def steps(**keywords):
        return list(dreamer.video_steps(half_loud, network=tiny_network, **TINY, **keywords))

    heard, whole = steps(listen="strength=0..1"), steps()
    photo = structured(1).astype(np.float32) / 255
    assert np.array_equal(heard[2].frame, photo)  # Silence: a strength of 0.
    assert np.allclose(heard[9].frame, photo + (whole[9].frame - photo), atol=0.02)
    assert np.abs(heard[9].frame - photo).max() > 0.1


def test_a_piece_hears_what_is_heard_there(half_loud, tiny_network):
    given = {"network": tiny_network, "listen": "strength=0..1"} | TINY
    whole = [step.frame for step in dreamer.video_steps(half_loud, **given)]
    piece = [step.frame for step in dreamer.video_steps(half_loud, start=0.7, **given)]
    assert len(piece) == 3
    assert np.abs(piece[-1] - whole[-1]).max() < 0.01


def test_without_sound_there_is_nothing_to_listen_to(tmp_path, tiny_network):
    silent = clip(tmp_path / "clip.mkv", [structured(1)] * 3)
    with pytest.raises(SettingsError, match="has no sound to listen to; leave out --listen"):
        next(dreamer.video_steps(silent, network=tiny_network, listen="strength=0..1", **TINY))


def test_beats_stand_out_of_a_steady_sound_whose_beginning_is_none():
    random, fading = np.random.default_rng(1), np.exp(-np.arange(8000) / 800)
    sound = 0.02 * random.normal(0, 1, 2 * RATE)
    begins = [0.4, 0.8, 1.2, 1.6]
    for begin in begins:
        sound[int(begin * RATE) :][:8000] += 0.5 * fading * random.normal(0, 1, 8000)
    heard = beats(sound.astype(np.float32), TIMES)
    near = np.min([np.abs(TIMES - begin) for begin in begins], axis=0)
    assert all(heard[np.abs(TIMES - begin) < 0.05].max() > 0.9 for begin in begins)
    assert heard[near > 0.1].mean() < 0.05
    assert heard[0] < 0.1
