"""Gradient ascent at one size: a generator of steps that shows and writes nothing.

Must not import: networks, files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dreamer.arrays import FloatArray
from dreamer.ascent.gradients import Conditioning, normalize
from dreamer.ascent.tiling import PictureGradient
from dreamer.ascent.transforms import View


@dataclass(frozen=True, eq=False)
class Step:
    """One finished step.

    Attributes:
        index: From 0.
        score: What the objective gave for the picture as it was *before* this step, in this step's view.
        picture: ``(height, width, 3)`` in [0, 1]. Its memory is used again by the step after the
            next; copy it to keep it longer.
    """

    index: int
    score: float
    picture: FloatArray


def ascend(
    picture: FloatArray,
    gradient: PictureGradient,
    *,
    views: Callable[[int], View],
    num_steps: int,
    step_size: float,
    conditioning: Conditioning,
) -> Iterator[Step]:
    """Climb the gradient from a picture.

    Args:
        picture: Where to start, ``(height, width, 3)`` in [0, 1]. It is used as working memory.
        gradient: Score and gradient of a picture in a view.
        views: The view of each step, by its index.
        num_steps: How many steps to take.
        step_size: Root-mean-square change of the picture per step, before clipping to [0, 1].
        conditioning: What is done to the gradient before it is normalised.

    Yields:
        Each step once it is finished. A step that is interrupted leaves the pictures of the steps
        before it whole.
    """
    spare = np.empty_like(picture)
    for index in range(num_steps):
        score = gradient(picture, views(index), spare)
        conditioning(spare, (index + 1) / num_steps)
        normalize(spare)
        spare *= np.float32(step_size)
        spare += picture
        np.clip(spare, 0, 1, out=spare)
        picture, spare = spare, picture
        yield Step(index, score, picture)
