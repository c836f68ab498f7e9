"""How many steps a chunk has."""

from __future__ import annotations

import pytest

from dreamer.ascent.pacing import SECONDS, Pace


@pytest.mark.parametrize(("step_seconds", "length"), [(1e-4, 16), (0.01, 16), (0.06, 8), (0.1, 4), (0.2, 2), (3, 1)])
def test_it_settles_and_stays(step_seconds, length):
    pace, lengths = Pace(16), []
    for _ in range(12):
        lengths.append(pace.length)
        pace.took(pace.length, pace.length * step_seconds)
    assert lengths[0] == 1
    assert set(lengths[6:]) == {length}
    assert length * step_seconds <= SECONDS or length == 1


def test_a_machine_that_gets_busy_makes_chunks_shorter_again():
    pace = Pace(8)
    for _ in range(4):
        pace.took(pace.length, 0)
    assert pace.length == 8
    pace.took(8, 1)
    assert pace.length == 4


def test_a_chunk_that_was_cut_short_says_nothing_of_longer_ones():
    pace = Pace(8)
    pace.took(1, 0)
    pace.took(1, 0)  # Where two were allowed.
    assert pace.length == 2
