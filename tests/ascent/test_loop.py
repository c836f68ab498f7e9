from __future__ import annotations

import numpy as np
import pytest

from dreamer.ascent import conditioning
from dreamer.ascent.loop import ascend
from dreamer.ascent.tile_view import View


def climb(picture, gradient, **keywords):
    defaults = {
        "views": lambda _step: View((0, 0)),
        "num_steps": 4,
        "step_size": 0.01,
        "conditioning": conditioning.leave,
    }
    return ascend(picture.copy(), gradient, **(defaults | keywords))


def towards_white(picture, _view, out):
    out[:] = 12.5
    return float(picture.mean())


def test_a_step_changes_the_picture_by_the_step_size(picture):
    before = picture
    for step in climb(picture, towards_white, step_size=0.02):
        change = step.picture() - before
        assert np.sqrt((change**2).mean()) == pytest.approx(0.02, rel=1e-4)
        before = step.picture().copy()


def test_the_picture_stays_displayable(picture):
    *_, last = climb(picture, towards_white, num_steps=30, step_size=0.2)
    assert last.picture().max() == 1
    assert last.picture().min() >= 0


def test_scores_and_indices_are_those_of_each_step(picture):
    steps = list(climb(picture, towards_white))
    assert [step.index for step in steps] == [0, 1, 2, 3]
    assert np.diff([step.score for step in steps]) == pytest.approx(0.01, rel=1e-3)


def test_an_interrupted_step_leaves_the_last_picture_whole(picture):
    calls = []

    def interrupted(current, view, out):
        calls.append(1)
        out[:] = 1
        if len(calls) == 3:
            out[5:] = np.nan
            raise KeyboardInterrupt
        return 0.0

    steps = climb(picture, interrupted)
    _first, second = next(steps), next(steps)
    with pytest.raises(KeyboardInterrupt):
        next(steps)
    assert second.picture() == pytest.approx(np.clip(picture + 0.02, 0, 1), abs=1e-5)


def test_conditioning_hears_how_far_the_octave_has_come(picture):
    heard = []
    list(climb(picture, towards_white, conditioning=lambda _gradient, progress: heard.append(progress)))
    assert heard == [0.25, 0.5, 0.75, 1.0]


def test_a_flat_score_changes_nothing(picture):
    def flat(_picture, _view, out):
        out[:] = 0
        return 1.0

    *_, last = climb(picture, flat)
    assert (last.picture() == picture).all()
