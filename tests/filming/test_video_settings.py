"""What the dream of a video is told besides how its frames are dreamt."""

from __future__ import annotations

import pytest

from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.filming.settings import Listen, VideoSettings, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3s", 3), (" 3.25 ", 3.25), ("1:02.5", 62.5), ("250ms", 0.25), ("1:00:00", 3600), ("12:34", 754), ("0", 0)],
)
def test_times_as_people_write_them(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "three", "3m", "-1", "1:2:3:4", "1e3", "nan", "inf", "3,5", "1:ab", ":30"])
def test_what_is_no_time(text):
    with pytest.raises(SettingsError, match="is no time; expected seconds, as 3.5s"):
        seconds(text)


def test_cuts_are_sorted_and_each_is_there_once():
    assert VideoSettings(cuts=[7, 3.25, 7]).cuts == VideoSettings(cuts="7s,3.25s").cuts == (3.25, 7.0)
    assert VideoSettings(cuts="none").cuts == "none"
    assert VideoSettings().cuts == "auto"


@pytest.mark.parametrize("cuts", [3, [-1], [True], [float("nan")], ["3s"], {3: 4}, "", "often"])
def test_what_are_no_cuts(cuts):
    with pytest.raises(SettingsError, match="expected auto, none, or times|is no time"):
        VideoSettings(cuts=cuts)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"carry": 1.1}, "a share from 0 to 1"),
        ({"next_steps": 0}, "a whole number: 1 to"),
        ({"next_steps": 2.5}, "a whole number: 1 to"),
        ({"start": -1}, "seconds, 0 or more"),
        ({"start": 3, "end": 3}, "is to end at 3 s, and starts at 3 s; expected a later end"),
        ({"listen": ["strength=0.3..1", "strength=0..1 beats"]}, "drives one setting twice"),
    ],
)
def test_what_is_impossible(wrong, words):
    with pytest.raises(SettingsError, match=words):
        VideoSettings(**wrong)


def test_a_misspelt_setting_has_a_likely_one():
    with pytest.raises(SettingsError, match="carry"):
        VideoSettings.of(cary=0.5)


@pytest.mark.parametrize(
    ("text", "name", "low", "high", "heard"),
    [
        ("strength=0.3..1", "strength", 0.3, 1, "loudness"),
        (" saturation = 0 .. 1.5 beats ", "saturation", 0, 1.5, "beats"),
        ("contrast=1..0.5 loudness", "contrast", 1, 0.5, "loudness"),
        ("strength=.5...75", "strength", 0.5, 0.75, "loudness"),
    ],
)
def test_what_sound_drives(text, name, low, high, heard):
    found = Listen.parse(text)
    assert found == Listen(name, low, high, heard)
    assert Listen.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("strength", "cannot listen for 'strength'; expected a setting and its values"),
        ("strength=1", "cannot listen for"),
        ("strength=0..1 smell", "cannot listen for"),
        ("steps=1..20", "sound cannot drive 'steps'; expected one of strength, contrast, saturation"),
        ("strength=0..7", "strength is 7"),
    ],
)
def test_what_sound_cannot_drive(text, words):
    with pytest.raises(SettingsError, match=words):
        VideoSettings(listen=text)


def test_settings_travel_as_json():
    made = VideoSettings(cuts=[4.5], start=3, end=8, listen="strength=0.3..1", next_steps=2, carry=0.5)
    assert made.listen == ("strength=0.3..1",)
    assert made.to_dict() == {
        "carry": 0.5, "next_steps": 2, "cuts": [4.5], "start": 3, "end": 8, "listen": ["strength=0.3..1"],
    }  # fmt: skip
    assert VideoSettings.of(**made.to_dict()) == made


def test_a_frame_that_goes_on_takes_a_quarter_of_the_steps():
    steps = [VideoSettings().steps_of_next(DreamSettings(steps=count)) for count in (1, 3, 20)]
    assert steps == [1, 1, 5]
    assert VideoSettings(next_steps=7).steps_of_next(DreamSettings(steps=20)) == 7
