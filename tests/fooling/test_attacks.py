"""Attacks on a linear score, whose least change is known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from dreamer.fooling import attacks, levels


class Linear:
    """A score that is linear in the levels."""

    def __init__(self, start, missing, seed=0):
        weights = np.random.default_rng(seed).standard_normal(start.shape)
        self.weights = (weights / np.abs(weights).sum()).astype(np.float32)
        self._start, self._missing = start, missing
        self.asked = []

    def gradient(self, seen):
        self.asked.append(seen)
        score = (self.weights.astype(np.float64) * (seen - self._start)).sum() - self._missing
        return float(score), self.weights


@pytest.fixture
def start():
    # Far from black and white, so that the range is no bound.
    return np.random.default_rng(1).integers(100, 156, (11, 13, 3)).astype(np.float32)


def least_length(sight, missing):
    """|margin| / |w|, in units of the range."""
    return missing / np.linalg.norm(sight.weights) / 255


def test_the_least_change_by_length_is_that_of_the_closed_form(start):
    sight = Linear(start, 3.0)
    move = attacks.carlini_wagner(sight, start, steps=100)
    assert levels.length(move) == pytest.approx(least_length(sight, 3.0), rel=0.05)


def test_in_whole_levels_it_still_does_and_is_hardly_longer(start):
    sight = Linear(start, 3.0)
    found = attacks.in_levels(sight, start, attacks.carlini_wagner(sight, start, steps=100))
    assert found.score > 0
    assert (found.levels == np.rint(found.levels)).all()
    assert levels.length(found.levels - start) == pytest.approx(least_length(sight, 3.0), rel=0.06)


def test_a_change_of_less_than_half_a_level_becomes_a_sparse_one(start):
    # Every level would be rounded away; what is left is the largest few.
    sight = Linear(start, 0.2)
    move = attacks.carlini_wagner(sight, start, steps=100)
    assert 0 < np.abs(move).max() < 1
    found = attacks.in_levels(sight, start, move)
    changed = found.levels - start
    assert found.score > 0
    assert 0 < np.count_nonzero(changed) < 0.5 * changed.size


@pytest.mark.parametrize("missing", [0.4, 1.5, 6.2])
def test_the_least_bound_is_that_of_the_closed_form(start, missing):
    # With a bound of e the score rises by e times the sum of the weights, which is 1.
    sight = Linear(start, missing)
    for attack in (
        lambda bound: attacks.fgsm(sight, start, "linf", bound),
        lambda bound: attacks.pgd(
            sight, start, "linf", bound, steps=40, rng=np.random.default_rng(0), until_fooled=True
        ),
    ):
        found = attacks.least(attack, "linf")
        assert found.score > 0
        assert np.abs(found.levels - start).max() == np.ceil(missing)


def test_the_least_length_is_found_too(start):
    sight = Linear(start, 3.0)
    found = attacks.least(lambda bound: attacks.fgsm(sight, start, "l2", bound), "l2")
    assert levels.length(found.levels - start) == pytest.approx(least_length(sight, 3.0), rel=0.1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_stays_within_its_bound_and_looks_at_whole_levels(start, norm):
    sight = Linear(start, 1.0)
    bound = 3 if norm == "linf" else 0.2
    found = attacks.pgd(sight, start, norm, bound, steps=20, rng=np.random.default_rng(0))
    move = found.levels - start
    assert (np.abs(move).max() if norm == "linf" else levels.length(move)) <= bound
    assert all((seen == np.rint(seen)).all() for seen in sight.asked)
    assert found.score == max(sight.gradient(seen)[0] for seen in list(sight.asked))


def test_pgd_comes_as_far_as_a_linear_score_lets_it(start):
    sight = Linear(start, 1.0)
    found = attacks.pgd(sight, start, "linf", 4, steps=40, rng=np.random.default_rng(0))
    assert found.score == pytest.approx(4 - 1.0, rel=0.01)


def test_what_cannot_be_fooled_is_told(start):
    class Blind(Linear):
        def gradient(self, seen):
            return -1.0, np.zeros_like(seen)

    sight = Blind(start, 1.0)
    assert attacks.carlini_wagner(sight, start, steps=10) is None
    assert attacks.least(lambda bound: attacks.fgsm(sight, start, "linf", bound), "linf") is None


def test_levels_that_are_not_needed_are_taken_back(start):
    sight = Linear(start, 0.5)
    far = levels.within(start, np.random.default_rng(5).standard_normal(start.shape).astype(np.float32), 0.4)
    far = np.clip(far + 3 * np.sign(sight.weights), 0, 255)
    before = attacks.Found(far, sight.gradient(far)[0])
    assert before.score > 0
    after = attacks.thinned(sight, start, before)
    assert after.score > 0
    assert levels.length(after.levels - start) < 0.8 * levels.length(far - start)


def test_a_search_looks_at_the_place_that_its_last_step_came_to(start):
    sight = Linear(start, 0.5)
    attacks.carlini_wagner(sight, start, steps=1, searches=1)
    assert len(sight.asked) == 3
    assert not np.array_equal(sight.asked[2], sight.asked[1])
