"""A first look: time stamps, pieces, and where shots end."""

from __future__ import annotations

import numpy as np
import pytest
from filming_case import InMemory, structured

from dreamer.errors import ImageReadError, SettingsError
from dreamer.filming.scanning import found_cuts, scan
from dreamer.filming.settings import VideoSettings


def shots(frames, **keywords):
    return [list(shot.indices) for shot in scan(InMemory(frames), VideoSettings(**keywords)).shots]


def moving(number, count):
    """Frames in which things move, and nothing is cut."""
    wide = structured(number, 45, 120)
    return [wide[:, 2 * index : 2 * index + 64] for index in range(count)]


CUT = moving(1, 6) + moving(2, 5)


def test_a_cut_is_found_and_motion_is_none():
    assert shots(CUT) == [[*range(6)], [*range(6, 11)]]
    assert shots(moving(1, 11)) == [[*range(11)]]


def test_a_cut_is_found_beside_the_ends():
    assert shots(moving(1, 1) + moving(2, 6)) == [[0], [*range(1, 7)]]
    assert shots(moving(1, 6) + moving(2, 1)) == [[*range(6)], [6]]


def test_a_shaken_camera_is_no_cut():
    """A frame that differs much, among others that do."""
    assert found_cuts([0, 40, 38, 41, 39, 40]) == []
    assert found_cuts([0, 1, 14, 1, 1]) == []
    assert found_cuts([0, 6, 16, 7, 5]) == []


def test_a_flash_ends_a_shot_and_begins_another():
    frames = [*moving(1, 10)]
    frames[5] = np.full_like(frames[5], 255)
    assert shots(frames) == [[*range(5)], [5], [*range(6, 10)]]


def test_a_dream_without_cuts_has_one_shot_and_one_without_memory_as_many_as_frames():
    assert shots(CUT, cuts="none") == [[*range(11)]]
    assert shots(CUT[:4], carry=0) == [[0], [1], [2], [3]]


def test_cuts_are_where_they_are_said_to_be():
    # 25 frames a second; times read off a player are rounded.
    assert shots(CUT, cuts=[0.08, 0.28]) == [[0, 1], [2, 3, 4, 5, 6], [7, 8, 9, 10]]
    assert shots(CUT, cuts="0.0805s") == [[0, 1], [*range(2, 11)]]
    assert shots(CUT, cuts=[0.0, 0.1]) == [[0, 1, 2], [*range(3, 11)]]
    with pytest.raises(SettingsError, match="no frame at the cut at 3 s; expected 0 to 0.4 s"):
        shots(CUT, cuts=[0.08, 3])


def test_a_piece_has_the_times_of_the_whole():
    found = scan(InMemory(CUT), VideoSettings(start=0.1, end=0.32))
    assert [list(shot.indices) for shot in found.shots] == [[0, 1, 2], [3, 4]]
    assert [one for shot in found.shots for one in shot.pts] == [3, 4, 5, 6, 7]
    assert found.shots[0].times == pytest.approx((0.12, 0.16, 0.2))
    assert (found.begin, found.end, found.origin, found.count) == (3, 8, 0, 5)


def test_a_piece_begins_with_the_frame_at_its_time():
    """0.28 / 0.04 is a little more than 7 to a computer."""
    assert scan(InMemory(CUT), VideoSettings(start=0.28)).begin == 7


def test_a_piece_without_frames_is_said():
    with pytest.raises(SettingsError, match="no frame from 5 s on; expected an earlier beginning"):
        scan(InMemory(CUT), VideoSettings(start=5))
    with pytest.raises(
        SettingsError, match=r"no frame from 0.09 s to 0.1 s; expected an earlier beginning, or a later end"
    ):
        scan(InMemory(CUT), VideoSettings(start=0.09, end=0.1))


def test_a_video_without_frames_is_said():
    empty = InMemory(CUT)
    empty._frames = []
    with pytest.raises(ImageReadError, match="no frame that can be decoded"):
        scan(empty, VideoSettings())


def test_whoever_waits_is_told_how_far_it_is():
    counts = []
    scan(InMemory(CUT), VideoSettings(), counts.append)
    assert counts == [*range(1, 12)]
