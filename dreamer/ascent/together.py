"""Several climbs of one picture: all step from the same picture, and what they found is laid together after each step.

The one idea: steps of different objectives point in unrelated directions, so a plain mean of them would be shorter than
each: of two by a third. So what is laid together is divided by the length that the weights alone would leave, the root
of the sum of their squares. Where one climb is alone, nothing is changed by that.

Must not import: networks, files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from dreamer.arrays import FloatArray, strips
from dreamer.ascent.loop import Step

Shares = Callable[[slice], Sequence[FloatArray]]
"""How much each climb counts in some rows: arrays that broadcast to ``(rows, width, 1)``, none below 0."""


def ascend_together(
    picture: FloatArray,
    climbs: Sequence[Callable[[FloatArray], Iterator[Step]]],
    *,
    num_steps: Sequence[int],
    shares: Shares,
    weights: Sequence[float],
) -> Iterator[Step]:
    """Climb one picture along several gradients at once.

    Args:
        picture: Where to start, ``(height, width, 3)`` in [0, 1]. It is used as working memory.
        climbs: Each gives its steps from a picture, which it uses as working memory, as ``loop.ascend`` does.
        num_steps: How many steps each takes. One that takes fewer than others takes them evenly among theirs.
        shares: How much each counts, place by place.
        weights: How much the score of each counts; they sum to 1.

    Yields:
        Each step once it is finished; its score is the mean of the last ones of all climbs.
    """
    held = [picture.copy() for _ in climbs]
    running = [climb(copy) for climb, copy in zip(climbs, held, strict=True)]
    scores = [0.0] * len(climbs)
    spare = np.empty_like(picture)
    for index in range(max(num_steps)):
        due = [one for one in range(len(climbs)) if is_due(index, num_steps[one], max(num_steps))]
        for one in due:
            step = next(running[one])
            scores[one], held[one] = step.score, step.picture()
        _lay(picture, [(one, held[one]) for one in due], shares, spare)
        picture, spare = spare, picture
        for copy in held:
            np.copyto(copy, picture)
        score = sum(weight * found for weight, found in zip(weights, scores, strict=True))
        yield Step(index, score, partial(np.asarray, picture), index)


def is_due(index: int, steps: int, most: int) -> bool:
    """Whether a climb of fewer steps takes one of them at an index.

    Args:
        index: Of the step, from 0.
        steps: How many the climb takes.
        most: How many there are.

    Example:
        >>> [is_due(index, 2, 5) for index in range(5)]
        [True, False, True, False, False]
    """
    return steps > 0 and -(-index * steps // most) != -(-(index + 1) * steps // most)


def _lay(picture: FloatArray, climbed: Sequence[tuple[int, FloatArray]], shares: Shares, out: FloatArray) -> None:
    """A picture with the steps that some climbs took from it."""
    for rows in strips(len(picture)):
        share = shares(rows)
        length = np.sqrt(sum(one * one for one in share))
        out[rows] = picture[rows]
        for index, found in climbed:
            # Where no climb counts, nothing is divided by.
            part = np.divide(share[index], length, out=np.zeros_like(length), where=length > 0)
            out[rows] += part * (found[rows] - picture[rows])
        np.clip(out[rows], 0, 1, out=out[rows])
