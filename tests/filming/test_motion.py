"""How the things of a video move, and where that cannot be told."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from dreamer.filming.motion import Ground, Motion, flow, hidden, moved, small_grey

SIZE = (97, 131)


def texture(seed, size=SIZE):
    """Soft spots of all sizes, uint8: what a photo is to whoever looks for motion."""
    random = np.random.default_rng(seed)
    found = sum(cv2.resize(random.normal(0, 1, (side, side)), size[::-1], interpolation=cv2.INTER_CUBIC)
                for side in (6, 14, 30))  # fmt: skip
    return np.clip(128 + 40 * found, 0, 255).astype(np.uint8)


def turned(grey, degrees=0.0, across=0.0, down=0.0):
    """A picture turned about its middle and moved, and the flow from the new one back to the old."""
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    matrix[:, 2] += across, down
    new = cv2.warpAffine(grey, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    back = cv2.invertAffineTransform(matrix)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    came = np.stack([back[0, 0] * x + back[0, 1] * y + back[0, 2], back[1, 0] * x + back[1, 1] * y + back[1, 2]], -1)
    return new, came - np.stack([x, y], -1)


def inner(values, rim=16):
    return values[rim:-rim, rim:-rim]


@pytest.mark.parametrize(("degrees", "across", "down"), [(0, 3, -2), (0, -1.5, 0.7), (0, 8, 5), (2, 0, 0), (-3, 1, 2)])
def test_shifts_and_turns_are_recovered(degrees, across, down):
    here = texture(1)
    there, expected = turned(here, degrees, across, down)
    found = Ground(here).to_next(there)
    apart = np.hypot(*np.moveaxis(inner(found.flow - expected), -1, 0))
    assert apart.mean() < 0.12
    assert inner(found.seen).mean() > 0.97
    assert np.abs(inner(moved(here, found.flow) - there)).mean() < 0.3 * np.abs(inner(here.astype(int) - there)).mean()


def test_equal_frames_have_not_moved_at_all():
    here = texture(1)
    assert not flow(here, here.copy()).any()
    motion = Ground(here).to_next(here.copy())
    assert motion.still.all()
    assert not motion.flow.any()
    assert (motion.seen == 1).all()


def square_on_ground(at):
    ground, thing = texture(2), texture(3, (33, 33))
    ground[30:63, at : at + 33] = thing
    return ground


def test_what_an_object_uncovers_was_hidden():
    motion = Ground(square_on_ground(40)).to_next(square_on_ground(46))
    uncovered = motion.seen[33:60, 41:45]
    assert uncovered.mean() < 0.15
    assert motion.seen[36:57, 54:72].mean() > 0.9  # The thing itself.
    assert motion.seen[:, 100:].mean() > 0.99
    assert np.abs(motion.flow[36:57, 54:72] - (-6, 0)).mean() < 0.5


def test_what_was_outside_of_the_picture_was_hidden():
    back, forth = np.zeros((*SIZE, 2), np.float32), np.zeros((*SIZE, 2), np.float32)
    back[..., 0], forth[..., 0] = -6, 6
    expected = np.zeros(SIZE, bool)
    expected[:, :6] = True
    assert np.array_equal(hidden(back, forth), expected)
    back[..., 0], back[..., 1], forth[..., 0], forth[..., 1] = 0, 4, 0, -4
    expected = np.zeros(SIZE, bool)
    expected[-4:] = True
    assert np.array_equal(hidden(back, forth), expected)


def test_a_camera_that_turns_away_sees_what_was_not_to_be_seen():
    wide = texture(4, (97, 160))
    motion = Ground(wide[:, :131].copy()).to_next(wide[:, 12:143].copy())
    assert motion.seen[:, -8:].mean() < 0.1
    assert motion.seen[:, 20:-20].mean() > 0.97


def test_ways_that_do_not_lead_back_have_come_from_elsewhere():
    back, forth = np.zeros((*SIZE, 2), np.float32), np.zeros((*SIZE, 2), np.float32)
    forth[20:40, 30:50] = 3
    expected = np.zeros(SIZE, bool)
    expected[20:40, 30:50] = True
    assert np.array_equal(hidden(back, forth), expected)


def test_a_motion_too_slow_for_two_frames_is_followed_once_it_adds_up():
    here = texture(1)
    frames = [turned(here, across=0.1 * number)[0] for number in range(21)]
    assert Ground(frames[0]).to_next(frames[1]).still.all()
    ground, way, steps = Ground(frames[0]), np.zeros((*SIZE, 2), np.float32), 0
    for frame in frames[1:]:
        motion = ground.to_next(frame)
        way = motion.flow + moved(way, motion.flow)
        steps += not inner(motion.still).all()
    assert inner(way)[..., 0].mean() == pytest.approx(-2, abs=0.25)
    assert abs(inner(way)[..., 1].mean()) < 0.1
    assert 3 <= steps <= 12
    # From frame to frame alone it would never have been seen.
    assert all(Ground(one).to_next(other).still.all() for one, other in pairwise(frames))


def test_noise_is_no_motion():
    here, random = texture(1), np.random.default_rng(5)
    ground = Ground(here)
    for _ in range(5):
        noisy = np.clip(here + random.normal(0, 2, SIZE), 0, 255).astype(np.uint8)
        motion = ground.to_next(noisy)
        assert motion.still.all()
        assert not motion.flow.any()
        assert (motion.seen == 1).all()
    assert np.array_equal(ground.grey, here)


def test_the_rest_stays_still_where_a_part_moves():
    motion = Ground(square_on_ground(40)).to_next(square_on_ground(46))
    assert motion.still[:, 100:].all()
    assert not motion.flow[:, 100:].any()
    assert not motion.still[36:57, 54:72].any()


def test_what_becomes_brighter_is_looked_at_anew_and_is_there_still():
    here = texture(1)
    motion = Ground(here).to_next(np.clip(here.astype(int) + 20, 0, 255).astype(np.uint8))
    assert motion.still.mean() < 0.1
    assert motion.seen.mean() > 0.95


def test_another_picture_is_lost_and_a_moved_one_is_not():
    here = texture(1)
    assert Ground(here).to_next(texture(9)).is_lost
    assert Ground(here).to_next(np.full_like(here, 255)).is_lost
    assert not Ground(here).to_next(turned(here, 1, 4, 3)[0]).is_lost
    assert not Ground(here).to_next(here).is_lost


@pytest.mark.parametrize("size", [(1, 1), (9, 13), (15, 300), (300, 15), (16, 17)])
def test_a_picture_of_any_size_does(size):
    random = np.random.default_rng(0)
    motion = Ground(random.integers(0, 255, size).astype(np.uint8)).to_next(
        random.integers(0, 255, size).astype(np.uint8)
    )
    assert motion.flow.shape == (*size, 2)
    assert np.isfinite(motion.flow).all()
    assert ((motion.seen >= 0) & (motion.seen <= 1)).all()


def test_motion_is_measured_on_small_grey_frames():
    assert small_grey(np.zeros((45, 64, 3), np.uint8)).shape == (45, 64)
    assert small_grey(np.zeros((700, 1281, 3), np.uint16)).shape == (350, 640)
    levels = np.full((45, 64, 3), (10, 200, 90), np.uint8)
    expected = round(0.299 * 10 + 0.587 * 200 + 0.114 * 90)
    assert (small_grey(levels) == expected).all()
    assert (small_grey(levels.astype(np.uint16) * 257) == expected).all()


def test_the_motion_of_larger_frames_is_longer():
    back = np.zeros((30, 40, 2), np.float32)
    back[:, 20:] = (2, -1)
    still = np.zeros((30, 40), bool)
    still[:, :20] = True
    motion = Motion(back, np.ones((30, 40), np.float32), still)
    assert motion.at((30, 40)) is motion
    larger = motion.at((90, 80))
    assert larger.flow.shape == (90, 80, 2)
    assert np.allclose(larger.flow[:, 45:], (4, -3))
    assert not larger.flow[larger.still].any()
    assert larger.still[:, :39].all()
    assert not larger.still[:, 41:].any()
