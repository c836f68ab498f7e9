"""The endless zoom."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from dreamer import zoom_steps
from dreamer.dreaming import zoom
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.zoom import frame_steps, magnified

QUICK = DreamSettings(objective="block3b", octaves=2, steps=4, zoom=1.2, frames=3)


def frames(picture, settings):
    found = [step for step in zoom_steps(picture, settings, note=pytest.fail) if step.dream.is_last]
    return found, [step.dream.render() for step in found]


def test_magnified_keeps_the_middle_and_moves_the_rest_outwards():
    picture = np.zeros((41, 61, 3), np.float32)
    picture[20, 30] = picture[20, 40] = 1
    found = magnified(picture, 1.5)[..., 0]
    assert found[20, 30] > 0.9
    assert np.unravel_index(found[:, 35:].argmax(), found[:, 35:].shape) == (20, 10)
    assert np.allclose(magnified(picture, 1), picture, atol=1e-6)


def test_a_step_of_the_zoom_is_a_fraction_of_a_dream():
    assert frame_steps(DreamSettings(steps=20, zoom=1.4, octave_scale=1.4)) == 30
    assert frame_steps(DreamSettings(steps=20, zoom=1.0)) == 1


def test_every_frame_dreams_on_from_the_middle_of_the_one_before(lite0, picture):
    steps, shown = frames(np.tile(picture, (2, 2, 1)), QUICK)
    assert [step.frame for step in steps] == [0, 1, 2]
    assert [step.dream.num_steps for step in steps] == [4, frame_steps(QUICK), frame_steps(QUICK)]
    assert steps[-1].progress == pytest.approx(1)
    for before, after in pairwise(shown):
        assert after.shape == before.shape == (74, 106, 3)
        # Like the frame before, magnified; less like it as it was.
        assert np.abs(after - magnified(before, 1.2)).mean() < 0.7 * np.abs(after - before).mean()


def test_brightness_and_contrast_do_not_drift(lite0, picture):
    _, shown = frames(np.tile(picture, (2, 2, 1)), DreamSettings(**QUICK.to_dict() | {"frames": 6, "step_size": 0.05}))
    assert abs(shown[-1].mean() - shown[0].mean()) < 0.05
    assert abs(shown[-1].std() - shown[0].std()) < 0.06


def test_contrast_is_of_what_is_shown_not_of_what_is_dreamt_on(lite0, picture):
    plain = frames(picture, QUICK)[1]
    strong = frames(picture, DreamSettings(**QUICK.to_dict() | {"saturation": 0}))[1]
    luma = np.array([0.299, 0.587, 0.114], np.float32)
    for one, other in zip(plain, strong, strict=True):
        assert np.allclose((one @ luma)[..., None], other, atol=1e-4)


def test_the_first_frame_is_the_dream_and_frames_have_views_of_their_own(lite0, picture, monkeypatch):
    seen = []
    planned_steps = zoom.planned_steps
    monkeypatch.setattr(zoom, "planned_steps", lambda *a, **k: (seen.append(a[0].settings), planned_steps(*a, **k))[1])
    frames(picture, QUICK)
    assert seen[0] == dataclasses.replace(QUICK, precision=seen[0].precision)
    assert len({settings.seed for settings in seen}) == 3
