"""Pulls: networks that make a picture likelier, as part of an ascent.

The one idea: a network that was taught to take noise off photos knows what photos look like. From a picture *x* it goes
to *f(x)*, and the difference, for a noise of a given strength, points to where pictures are more likely: it is the
gradient of their log density (Tweedie). So a share of it after each step keeps an ascent among the pictures that exist.
No derivative of *f* is ever taken.

Must not import: networks that are drawn, pictures.

References:
    Romano, Elad and Milanfar, "The Little Engine that Could: Regularization by Denoising (RED)", 2017,
    arXiv:1611.02862. Nguyen et al., "Plug & Play Generative Networks", 2017, arXiv:1612.00005, equation 5.
    Reehorst and Schniter, "Regularization by Denoising: Clarifications and New Interpretations", 2018,
    arXiv:1806.02296.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from keras import ops

from dreamer.arrays import FloatArray
from dreamer.ascent.tiling import mirrored
from dreamer.backends import backend
from dreamer.backends.backend import Tensor
from dreamer.errors import PriorError, in_one_line
from dreamer.priors.specs import PriorSpec

STRIDE = 16
"""Sides of what a network is given are multiples of this: networks that halve a picture four times can take them."""

_AROUND = 16  # Pixels of a picture's mirror image around it, so that its edges are no edges to the network.
_OVERLAP = 32  # Of tiles, to each side; the denoiser that ships sees 17 pixels to each.
_TILE = 512  # Pixels of a side of a tile without its overlap.
_RUNGS = (_TILE // 4, _TILE // 2, _TILE)  # The only sides, for a backend that compiles anew for each.


class Pull:
    """A prior from a picture to a likelier one.

    Args:
        spec: What is known of it.
        network: From ``(batch, height, width, 3)`` in [0, 1], or 4 with the standard deviation of the noise in the
            same units, to ``(batch, height, width, 3)``.
        sha256: Digest of its weights.

    Raises:
        PriorError: The network is not one of that kind.

    Example:
        >>> pull = loading.load("denoiser")  # doctest: +SKIP
        >>> likelier = photo + pull.of_picture(photo, 0.1)  # doctest: +SKIP
    """

    usual_weight = 0.1

    def __init__(self, spec: PriorSpec, network: Any, sha256: str) -> None:
        self.spec = spec
        self.sha256 = sha256
        self._network = network
        self._takes_noise = _channels(spec.name, network) == 4
        self._check()

    @property
    def variables(self) -> list[Any]:
        """What the network reads."""
        return list(self._network.variables)

    def of_pictures(self, pictures: Tensor, noise: Tensor) -> Tensor:
        """The way to likelier pictures, within a program.

        Args:
            pictures: ``(batch, height, width, 3)`` in [0, 1], of any size.
            noise: The standard deviation of the noise that is taken off, in units of [0, 1].

        Returns:
            ``f(x) - x``, like the pictures.
        """
        height, width = ops.shape(pictures)[1:3]
        rows, columns = _around(height), _around(width)
        seen = ops.take(ops.take(pictures, rows, axis=1), columns, axis=2)
        found = self._way(seen, noise)
        return found[:, _AROUND : _AROUND + height, _AROUND : _AROUND + width]

    def of_picture(self, picture: FloatArray, noise: float) -> FloatArray:
        """The same of one picture, tile by tile, so that it may be large.

        Args:
            picture: ``(height, width, 3)`` in [0, 1].
            noise: As for :meth:`of_pictures`.

        Returns:
            ``(height, width, 3)``, a new array. Tiles overlap by more than the denoiser that ships sees, so it
            leaves no seams.
        """
        way = np.empty_like(picture)
        (height, width), deviation = picture.shape[:2], np.float32(noise)
        for (top, down), (left, across) in product(_tiles(height), _tiles(width)):
            rows = mirrored(np.arange(top - _OVERLAP, top + down + _OVERLAP), height)
            columns = mirrored(np.arange(left - _OVERLAP, left + across + _OVERLAP), width)
            found = backend.to_host(self._program(picture[rows[:, None], columns], deviation))
            bottom, right = min(top + down, height), min(left + across, width)
            way[top:bottom, left:right] = found[_OVERLAP:, _OVERLAP:][: bottom - top, : right - left]
        return way

    @cached_property
    def _program(self) -> Callable[[FloatArray, np.float32], Tensor]:
        return backend.compile_chunk(lambda picture, noise: self._way(picture[None], noise)[0], self.variables)

    def _way(self, pictures: Tensor, noise: Tensor) -> Tensor:
        return self._likelier(pictures, noise) - pictures

    def _likelier(self, pictures: Tensor, noise: Tensor) -> Tensor:
        """Of pictures whose sides are multiples of ``STRIDE``."""
        seen = pictures
        if self._takes_noise:
            level = ops.ones_like(pictures[..., :1]) * noise
            seen = ops.concatenate([pictures, level], axis=-1)
        return ops.stop_gradient(ops.cast(self._network(seen, training=False), "float32"))

    def _check(self) -> None:
        """Make sure that it gives pictures of the same size, in [0, 1]."""
        side = 3 * STRIDE
        slope = np.linspace(0.2, 0.8, side, dtype=np.float32)[:, None, None]
        picture = np.broadcast_to(slope, (side, side + STRIDE, 3))
        try:
            likelier = ops.convert_to_numpy(self._likelier(ops.convert_to_tensor(picture[None]), np.float32(0.05)))[0]
        # Layers raise what they like for sizes that they cannot take.
        except Exception as error:
            raise PriorError(
                f"the prior {self.spec.name} cannot be computed for pictures of any size: {in_one_line(error)}"
            ) from error
        if likelier.shape != picture.shape:
            raise PriorError(
                f"the prior {self.spec.name} makes {likelier.shape} of a picture of {picture.shape}; expected one of "
                "the same size"
            )
        low, high = float(likelier.min()), float(likelier.max())
        if not low >= -_MOST_BEYOND or not high <= 1 + _MOST_BEYOND:  # Nor are they, if they are no numbers.
            raise PriorError(
                f"the prior {self.spec.name} gives values from {low:.3g} to {high:.3g}; expected pictures in 0..1. Put "
                "a keras.layers.Rescaling at its end"
            )


_MOST_BEYOND = 0.5  # A denoiser may be wrong by some, but not by another range of values.


def _channels(name: str, network: Any) -> int:
    """How many channels a network from pictures to pictures takes.

    Raises:
        PriorError: It takes pictures of one size alone.
    """
    _, height, width, channels = network.inputs[0].shape
    if (height, width) != (None, None):
        raise PriorError(
            f"the prior {name} takes pictures of {height}x{width} alone; expected one that takes any size, with "
            "keras.Input((None, None, 3))"
        )
    return int(channels)


def _around(length: Tensor) -> Tensor:
    """Which pixel of an axis each one is that a network is given: the picture, mirrored around."""
    whole = (length + 2 * _AROUND + STRIDE - 1) // STRIDE * STRIDE
    around = ops.abs(ops.arange(-_AROUND, whole - _AROUND))
    period = ops.maximum(2 * length - 2, 1)
    around = around % period
    return ops.minimum(around, period - around)


def _tiles(length: int) -> list[tuple[int, int]]:
    """Where the tiles of an axis begin, and how long they are: equal, and multiples of ``STRIDE``."""
    count = -(-length // _TILE)
    side = -(-length // (count * STRIDE)) * STRIDE
    if backend.current().STATIC_SHAPES:
        side = next(rung for rung in _RUNGS if rung >= side)
    return [(start, side) for start in range(0, length, side)]
