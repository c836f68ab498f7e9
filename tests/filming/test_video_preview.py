"""Previews: some frames as a sheet, and a short piece, both small."""

from __future__ import annotations

import numpy as np
import pytest
from filming_case import TINY, InMemory, clip, structured

from dreamer import DreamSettings
from dreamer.filming import preview
from dreamer.filming.run import VideoDream
from dreamer.filming.scanning import scan
from dreamer.filming.settings import VideoSettings
from dreamer.filming.timeline import Look, Timeline


def scanned(count, **keywords):
    return scan(InMemory([structured(1)] * count), VideoSettings(**keywords))


@pytest.mark.parametrize(("count", "expected"), [(1, [0]), (2, [0, 1]), (9, [*range(9)]), (27, [*range(1, 27, 3)])])
def test_frames_in_even_distances(count, expected):
    assert [shot.first for shot in preview.single_frames(scanned(count))] == expected


def test_each_has_its_time_and_stamp_wherever_its_shot_begins():
    found = preview.single_frames(scanned(30, cuts=[0.4, 0.8], start=0.2), 5)
    assert [shot.pts[0] for shot in found] == [shot.first + 5 for shot in found]
    assert [shot.times[0] for shot in found] == pytest.approx([(shot.first + 5) / 25 for shot in found])
    assert len(found) == 5


def test_a_piece_of_two_seconds_from_the_middle():
    found = preview.piece(scanned(250, cuts=[1.0, 5.0, 9.0]), VideoSettings(cuts=[1.0, 5.0, 9.0]))
    assert (found.start, found.end) == (pytest.approx(4.0, abs=0.05), pytest.approx(6.0, abs=0.05))
    assert found.cuts == (5.0,)
    assert preview.piece(scanned(250, cuts=[1.0]), VideoSettings(cuts=[1.0])).cuts == "none"
    assert preview.piece(scanned(250), VideoSettings()).cuts == "auto"


def test_all_of_a_short_video():
    settings = VideoSettings(cuts=[0.2])
    assert preview.piece(scanned(50), settings) is settings


def test_frames_are_small():
    looks = (Look(0, DreamSettings(max_size=900)), Look(3, DreamSettings(max_size=900, strength=0.5)))
    assert [look.settings.max_size for look in preview.small(Timeline(looks)).looks] == [320, 320]
    assert preview.small(Timeline((Look(0, DreamSettings(max_size=99)),))).looks[0].settings.max_size == 99
    assert preview.small(Timeline((Look(0, DreamSettings()),))).looks[0].settings.max_size == 320


def test_a_sheet_shows_frames_dreamt_alone(tmp_path, tiny_network):
    source = clip(tmp_path / "clip.mkv", [structured(number) for number in range(4)])
    timeline = Timeline((Look(0, DreamSettings(**TINY)),))
    with VideoDream(source, timeline, VideoSettings(cuts="none"), network=tiny_network, note=pytest.fail) as dream:
        sheet = dream.sheet()
        frames = [step.frame for step in dream.steps()]
    assert sheet.recipe["preview"] is True
    pixels = sheet.pixels
    assert any(
        np.abs(pixels[y : y + 45, x : x + 64] - frames[0]).max() < 0.01
        for y in range(40) for x in range(40)
    )  # fmt: skip


def test_times_as_a_person_reads_them():
    assert [preview.clock(time) for time in (0, 3.256, 59.999, 62.5, 600)] == [
        "0.00 s", "3.26 s", "1:00.00", "1:02.50", "10:00.00",
    ]  # fmt: skip
