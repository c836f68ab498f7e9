"""The random view of the picture that each step takes: shift, rotation, scale.

The one idea: what is random is drawn with NumPy from the run's seed and handed to the compiled
program as an argument. Nothing is retraced, and the same seed means the same views anywhere. Each
pair of steps draws from a generator of its own, so a view does not depend on what came before it,
and the second of a pair takes the opposite view of the first: shifts and turns cancel, and every
edge of the picture is seen as often as the other.

Must not import: networks, pictures, files.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dreamer.arrays import FloatArray, Size
from dreamer.backends import backend
from dreamer.backends.backend import Tensor

IDENTITY: FloatArray = np.array([1, 0, 0, 0, 1, 0, 0, 0], np.float32)


class View(NamedTuple):
    """How one step sees the picture.

    Attributes:
        shift: Where the grid of tiles is moved, ``(y, x)``, each in [-1, 1]: a fraction of the
            reach that the tiling allows, so that one draw serves any size.
        degrees: Rotation about the centre of each tile, counter-clockwise.
        zoom: Magnification about the same centre; 1 changes nothing.
    """

    shift: tuple[float, float]
    degrees: float = 0.0
    zoom: float = 1.0

    def matrix(self, size: Size) -> FloatArray:
        """The rotation and zoom for a tile of this size, as :func:`warp` takes them.

        Args:
            size: ``(height, width)`` in pixels.

        Returns:
            ``(8,)`` float32: the projective matrix from output to input coordinates, row by row,
            x before y, without its last element, 1.

        Example:
            >>> View((0, 0)).matrix((4, 6)).tolist()
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
        """
        if self.degrees == 0 and self.zoom == 1:
            return IDENTITY
        cos = math.cos(math.radians(self.degrees)) / self.zoom
        sin = math.sin(math.radians(self.degrees)) / self.zoom
        y, x = (size[0] - 1) / 2, (size[1] - 1) / 2
        return np.array([cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y, 0, 0], np.float32)


def draw(*, seed: int, octave: int, step: int, rotate: float, scale: float) -> View:
    """Draw the view of one step.

    Args:
        seed: The run's seed, 0 or more.
        octave: Index of the octave, from 0.
        step: Index of the step within it, from 0.
        rotate: Largest rotation either way, in degrees.
        scale: Largest change of size either way, as a fraction: 0.1 draws from 0.9 to 1.1.

    Returns:
        The view; the same arguments give the same view.
    """
    y, x, turn, zoom = np.random.default_rng((seed, octave, step // 2)).uniform(-1, 1, 4) * (-1) ** step
    return View((float(y), float(x)), float(turn * rotate), float(1 + zoom * scale))


def warp(pictures: Tensor, matrix: Tensor) -> Tensor:
    """Rotate and scale pictures with one bilinear interpolation; what lies outside is mirrored.

    Args:
        pictures: ``(batch, height, width, 3)``.
        matrix: ``(8,)``, as :meth:`View.matrix` gives it.

    Returns:
        Pictures of the same shape; differentiable in ``pictures``. The gradient is that of the
        view alone: what is mirrored, and what the view does not reach, gets none.
    """
    return backend.current().warp(pictures, matrix)
