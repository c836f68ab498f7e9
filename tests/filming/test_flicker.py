"""How much a video flickers, as it is measured and as it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from filming_case import SMALL, numbered, panned

import dreamer
from dreamer.filming.flicker import warping_error
from dreamer.filming.motion import Ground, small_grey


def still(height, width):
    return np.zeros((height, width, 2), np.float32), np.ones((height, width), np.float32)


def test_the_squared_difference_is_summed_over_colours_in_the_mean_over_visible_places():
    frame, before = np.zeros((4, 5, 3), np.float32), np.zeros((4, 5, 3), np.float32)
    frame[0, 0] = (0.1, 0.2, 0.3)
    frame[2, 3] = 0.5
    back, seen = still(4, 5)
    assert warping_error(frame, before, back, seen) == pytest.approx((0.01 + 0.04 + 0.09 + 0.75) / 20)
    seen[2:] = 0
    assert warping_error(frame, before, back, seen) == pytest.approx(0.14 / 10)
    seen[0, 0] = 0.5
    assert warping_error(frame, before, back, seen) == pytest.approx(0.07 / 9.5)


def test_where_nothing_is_visible_all_places_count():
    """As in the authors' program: nothing differs there, and the sum is over no place."""
    frame, before = np.ones((4, 5, 3), np.float32), np.zeros((4, 5, 3), np.float32)
    back, seen = still(4, 5)
    assert warping_error(frame, before, back, 0 * seen) == 0


def test_levels_are_values():
    frame, before = np.full((4, 5, 3), 51, np.uint8), np.zeros((4, 5, 3), np.uint8)
    assert warping_error(frame, before, *still(4, 5)) == pytest.approx(3 * 0.04)


def test_what_has_moved_along_does_not_flicker():
    wide = np.random.default_rng(0).random((20, 34, 3)).astype(np.float32)
    back, seen = still(20, 30)
    back[..., 0] = -4
    seen[:, :4] = 0
    frame, before = wide[:, 0:30], wide[:, 4:34]
    assert warping_error(frame, before, back, seen) == pytest.approx(0, abs=1e-9)
    assert warping_error(frame, before, 0 * back, seen) > 0.1


def measured(dreams, sources):
    """The flicker of each frame but the first, by the motion of the sources alone."""
    found = []
    for (before, dream), (source_before, source) in zip(pairwise(dreams), pairwise(sources), strict=True):
        motion = Ground(small_grey(source_before)).to_next(small_grey(source))
        found.append(warping_error(dream, before, motion.flow, motion.seen))
    return found


def test_a_panned_photo_flickers_a_fifth_as_much_as_frame_by_frame(cat, tmp_path):
    frames = panned(cat, 12, 1.5, (96, 160))
    pattern = numbered(tmp_path / "frames", frames)
    # Of the network whose dreams flicker most by themselves; those of the robust one are quieter either way.
    told = SMALL | {"model": "efficientnet_lite0"}
    ours = list(dreamer.video_steps(pattern, **told))
    alone = list(dreamer.video_steps(pattern, carry=0, **told))
    flicker = measured([step.frame for step in ours], frames)
    most = measured([step.frame for step in alone], frames)
    assert np.mean(flicker) < 0.2 * np.mean(most)
    # Which is what the steps say themselves; there the frames are those of 8 bits.
    assert [step.flicker for step in ours[1:]] == pytest.approx(flicker, rel=0.1, abs=1e-5)
    assert ours[0].flicker is None
    assert {step.flicker for step in alone} == {None}
