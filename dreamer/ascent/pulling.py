"""Pulls: after each step of a dream a prior brings the picture nearer to likelier ones.

The one idea: what a prior would change in the photo as it is, it must not change in the dream of it, or the photo's own
grain goes where nothing was dreamt. So the way to a likelier dream is taken less the way to a likelier photo; where the
two are the same picture, nothing moves.

The noise falls along an octave in a few levels, so that on the host the way of the photo is found once for each.

Must not import: networks, pictures, files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from keras import ops

from dreamer import wrapping
from dreamer.arrays import FloatArray
from dreamer.ascent.conditioning import MARGIN
from dreamer.ascent.schedule import falling
from dreamer.backends.backend import Tensor

LEVELS = 4
"""Of the noise in an octave."""


class Prior(Protocol):
    """What knows the way from a picture to a likelier one, as ``priors.pulls.Pull`` does."""

    @property
    def variables(self) -> Sequence[Any]:
        """What it reads."""

    def of_pictures(self, pictures: Tensor, noise: Tensor) -> Tensor:
        """The way of pictures ``(batch, height, width, 3)``, within a program."""

    def of_picture(self, picture: FloatArray, noise: float) -> FloatArray:
        """The way of one picture ``(height, width, 3)`` of any size, a new array."""


class Pulling(NamedTuple):
    """How dreams are pulled.

    Attributes:
        prior: Knows the way.
        weight: Which share of it is taken after each step.
        noise: Which the prior takes off, at the first and at the last step of an octave.
        wraps: Whether the opposite edges of pictures meet; on a device the plan says that.
    """

    prior: Prior
    weight: float
    noise: tuple[float, float]
    wraps: bool = False

    def deviation(self, step: int, num_steps: int) -> float:
        """The standard deviation of the noise at a step, from 0."""
        return falling(self.noise, step * LEVELS // num_steps / (LEVELS - 1))

    def on_host(self, photo: FloatArray, num_steps: int) -> Callable[[FloatArray, int], None]:
        """The pull of an octave on the host.

        Args:
            photo: The photo at the size of the octave, ``(height, width, 3)``.
            num_steps: Of the octave.

        Returns:
            A function that changes a picture in place, after a step.
        """
        known: tuple[float, FloatArray] | None = None

        def pull(picture: FloatArray, step: int) -> None:
            nonlocal known
            noise = self.deviation(step, num_steps)
            if known is None or known[0] != noise:
                known = noise, self._way(photo, noise)
            way = self._way(picture, noise)
            way -= known[1]
            way *= np.float32(self.weight)
            picture += way
            np.clip(picture, 0, 1, out=picture)

        return pull

    def _way(self, picture: FloatArray, noise: float) -> FloatArray:
        if not self.wraps:
            return self.prior.of_picture(picture, noise)
        inner = slice(MARGIN, -MARGIN)
        return self.prior.of_picture(wrapping.margined(picture, MARGIN), noise)[inner, inner]


def pulled(
    prior: Prior, picture: Tensor, photo: Tensor, noise: Tensor, weight: Tensor, extended: Callable[[Tensor], Tensor]
) -> Tensor:
    """A picture after its pull, within a program. There the way of the photo is found anew at each step, beside it.

    Args:
        prior: Knows the way.
        picture: ``(height, width, 3)`` on its canvas.
        photo: The same.
        noise: Of this step.
        weight: Which share of the way is taken.
        extended: Continues pictures on their canvas by their mirror image, over it and around it.
    """
    both = extended(ops.stack([picture, photo]))
    way = prior.of_pictures(both, noise)
    height, width = ops.shape(picture)[:2]
    down, across = ((ops.shape(both)[1] - height) // 2, (ops.shape(both)[2] - width) // 2)
    inside = way[:, down : down + height, across : across + width]
    return ops.clip(picture + weight * (inside[0] - inside[1]), 0, 1)
