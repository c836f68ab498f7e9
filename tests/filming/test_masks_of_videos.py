"""Masks: a picture for all frames, or a video with one for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from filming_case import TINY, clip, frames_of, levels, panned, structured
from PIL import Image

import dreamer
from dreamer.errors import ImageReadError
from dreamer.filming.masks import MaskVideo
from dreamer.filming.shots import ShotDream


def bar(number, count=6):
    """A white bar that moves to the right."""
    mask = np.zeros((45, 64, 3), np.uint8)
    mask[:, 8 * number : 8 * number + 16] = 255
    return mask


@pytest.fixture
def frames(cat):
    return panned(cat, 6, 2, (45, 64))


@pytest.fixture
def moving_mask(tmp_path):
    return clip(tmp_path / "mask.mkv", [bar(number) for number in range(6)])


def untouched(steps, frames, masks):
    """Whether the photo is what it was to the bit where masks are black, and another where they are white."""
    for step, frame, mask in zip(steps, frames, masks, strict=True):
        shown, black = levels(step.frame), mask[..., 0] == 0
        assert np.array_equal(shown[black], frame[black])
        assert np.abs(shown[~black].astype(int) - frame[~black]).mean() > 1


def test_a_still_mask_holds_for_all_frames(dreamt, frames, tmp_path):
    Image.fromarray(bar(2)).save(tmp_path / "mask.png")
    steps = dreamt(frames, mask=str(tmp_path / "mask.png"), feather=0)
    untouched(steps, frames, [bar(2)] * 6)


def test_a_video_has_a_mask_for_each_frame(dreamt, frames, moving_mask):
    untouched(dreamt(frames, mask=str(moving_mask), feather=0), frames, [bar(number) for number in range(6)])


def test_calm_places_of_each_frame_are_left_as_they_are(dreamt):
    wall = np.full((45, 140, 3), 120, np.uint8)
    wall[:, 70:] = np.random.default_rng(0).integers(60, 180, (45, 70, 3))
    frames = [np.ascontiguousarray(wall[:, 30 + 3 * number : 94 + 3 * number]) for number in range(5)]
    for number, (step, frame) in enumerate(zip(dreamt(frames, calm=1.0), frames, strict=True)):
        shown, edge = levels(step.frame), 40 - 3 * number
        assert np.array_equal(shown[:, : edge - 14], frame[:, : edge - 14])
        assert np.abs(shown[:, edge + 8 :].astype(int) - frame[:, edge + 8 :]).mean() > 1


def test_a_piece_has_the_masks_of_its_time(dreamt, frames, moving_mask):
    steps = dreamt(frames, mask=str(moving_mask), feather=0, start=0.08, end=0.2)
    untouched(steps, frames[2:5], [bar(number) for number in range(2, 5)])


def test_a_mask_of_another_rate_goes_by_time_and_its_last_frame_holds_on(moving_mask, tmp_path):
    with MaskVideo(moving_mask) as masks:
        shown = [int(masks.at(time)[0].argmax()) // 8 for time in (0, 0.039, 0.04, 0.1, 0.2, 7)]
        assert shown == [0, 0, 1, 2, 5, 5]
        assert int(masks.at(0.05)[0].argmax()) // 8 == 1  # Back again.
        assert masks.at(0.05).dtype == np.uint8
        assert set(np.unique(masks.at(0.05))) == {0, 255}


def test_a_dream_that_goes_on_has_the_masks_of_its_frames(frames, moving_mask, tmp_path, tiny_network, monkeypatch):
    source = clip(tmp_path / "clip.mkv", frames)
    given = {"network": tiny_network, "mask": str(moving_mask), "feather": 0, "codec": "ffv1"} | TINY
    expected = dreamer.video(source, tmp_path / "undisturbed.mkv", **given)

    dreamt_frame, taken = ShotDream._frame, []

    def stopped(self, *arguments):
        taken.append(1)
        if len(taken) == 4:
            raise OSError("stopped")
        return dreamt_frame(self, *arguments)

    monkeypatch.setattr(ShotDream, "_frame", stopped)
    with pytest.raises(OSError, match="stopped"):
        dreamer.video(source, tmp_path / "stopped.mkv", **given)
    made = dreamer.video(source, tmp_path / "stopped.mkv", **given)
    assert len(taken) == 4 + 3
    for one, other in zip(frames_of(made.path), frames_of(expected.path), strict=True):
        assert np.array_equal(one, other)


def test_another_mask_is_another_dream(frames, moving_mask, tmp_path, tiny_network):
    source = clip(tmp_path / "clip.mkv", frames)
    recipes = []
    for number in (1, 2):
        clip(moving_mask, [bar(number)] * 6)
        made = dreamer.video(
            source, tmp_path / f"{number}.mkv", network=tiny_network, mask=str(moving_mask), **TINY | {"steps": 1}
        )
        recipes.append(made.recipe["files_sha256"])
    assert recipes[0] != recipes[1]


def test_a_mask_that_is_no_video_is_said(dreamt, tmp_path):
    (tmp_path / "mask.mp4").write_bytes(b"no video" * 99)
    with pytest.raises(ImageReadError, match=r"mask\.mp4"):
        dreamt([structured(1)], mask=str(tmp_path / "mask.mp4"))
    with pytest.raises(ImageReadError):
        MaskVideo(Path(tmp_path / "nothing.mp4"))
