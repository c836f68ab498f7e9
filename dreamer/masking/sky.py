"""The sky of a photo: what is calm, begins at the upper edge, and is unlike what lies below.

The one idea: a horizon is sought first, column by column from above: of all strengths of edge that could end the sky,
the one that parts the photo into the two most uniform pieces. That is a rough start, which GrabCut mends where clouds
or towers cut the columns short. No network is asked.

Must not import: networks, Keras, files.

References:
    Shen and Wang, "Sky Region Detection in a Single Image for Autonomous Ground Robot Navigation", International
    Journal of Advanced Robotic Systems 2013 (the strength of edge, by the uniformity of both pieces; here each piece
    counts by its share of the photo).
"""

from __future__ import annotations

import cv2
import numpy as np

from dreamer.arrays import FloatArray
from dreamer.masking import cutting
from dreamer.masking.calming import busy
from dreamer.masking.cutting import Region

_STRENGTHS = np.geomspace(0.004, 0.12, 24)  # Of edges that may end a sky: change of colour from pixel to pixel.
_UNIFORM = 2.0  # How much more it counts that the sky is uniform than that the ground is.
_BLUR = 1.5  # Pixels of deviation: noise is no edge.
_LEAST, _MOST = 0.02, 0.98  # Share of the photo.
_WIDE = 0.2  # Share of the upper edge that a sky takes at the least.
_MARGIN = 0.02  # Of the height: how far from the horizon it is sure which side a place is on.
_BUSY = 0.3  # In the mean over a sky, at the most.
_APART = 0.05  # Difference of the mean colours above and below, at the least.
_BLUE = -0.02  # Towards blue, of all that a colour can be: below it a sky may be darker than the ground, as at dusk.
_ALL_OVER = 0.9  # Share of the upper edge that one takes that is darker and not blue, as a black night.
_LOW = 0.5  # Of the height: below it, nothing that the horizon leaves out is sky.
_RANGES = np.array([100, 255, 255], np.float32)  # Of lightness and colours.


def sky(pixels: FloatArray) -> Region | None:
    """Find the sky.

    Args:
        pixels: ``(height, width, 3)`` in [0, 1], as :func:`cutting.small` gives it.

    Returns:
        Where it is; None where none is found.
    """
    lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB) / _RANGES, np.float32)
    colours = np.asarray(cv2.GaussianBlur(lab, (0, 0), _BLUR), np.float32)
    above = _above_horizon(colours)
    if above is None:
        return None
    noise = busy(pixels, (pixels.shape[0], pixels.shape[1]))
    found = cutting.cut(pixels, _marks(above, noise))
    top = np.zeros(found.shape)
    top[0] = 1
    found = cutting.parts(found, top, 0)
    found = cutting.parts(found, np.ones(found.shape), _LEAST / 4 * found.size)
    found = cutting.without_holes(found, _LEAST / 10)
    return found if _is_sky(found, colours, noise) else None


def _above_horizon(colours: FloatArray) -> Region | None:
    """What lies above the horizon, column by column, that leaves two pieces as uniform as can be."""
    change = sum(
        cv2.Sobel(one, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(one, cv2.CV_32F, 0, 1) ** 2 for one in cv2.split(colours)
    )
    edges = np.sqrt(np.asarray(change)) / 8
    best: tuple[float, Region] | None = None
    for strength in _STRENGTHS:
        above = ~np.logical_or.accumulate(edges > strength, axis=0)
        share = float(above.mean())
        if not _LEAST / 2 < share < _MOST:
            continue
        # By their shares: else a sliver of a sky that changes its colour would beat all of it.
        unlike = _UNIFORM * share * _spread(colours[above]) + (1 - share) * _spread(colours[~above])
        if best is None or unlike < best[0]:
            best = unlike, above
    return None if best is None else best[1]


def _spread(colours: FloatArray) -> float:
    """How much colours differ: along the way they differ most, and in all."""
    covariance = np.cov(colours.T.astype(np.float64)) + 1e-6 * np.eye(3)
    return float(np.linalg.eigvalsh(covariance)[-1] + np.linalg.det(covariance) ** (1 / 3))


def _marks(above: Region, noise: FloatArray) -> np.ndarray:
    height = above.shape[0]
    kernel = np.ones((2 * max(1, round(_MARGIN * height)) + 1,) * 2, np.uint8)
    sure = cv2.erode(above.astype(np.uint8), kernel, borderValue=1) > 0
    near = cv2.dilate(above.astype(np.uint8), kernel) > 0
    marks = np.full(above.shape, cutting.LIKELY_OUTSIDE, np.uint8)
    marks[above] = cutting.LIKELY_INSIDE
    marks[sure & (noise < 0.5)] = cutting.INSIDE
    marks[~near & (noise > 0.7)] = cutting.OUTSIDE
    marks[(np.arange(height)[:, None] > _LOW * height) & ~near] = cutting.OUTSIDE
    return marks


def _is_sky(found: Region, colours: FloatArray, noise: FloatArray) -> bool:
    if not _LEAST < found.mean() < _MOST or found[0].mean() < _WIDE or noise[found].mean() > _BUSY:
        return False
    sky, ground = colours[found].mean(axis=0), colours[~found].mean(axis=0)
    if sky[0] < ground[0] and sky[2] > _BLUE and (found[0].mean() < _ALL_OVER or found[-1].any()):
        return False  # A dark corner, as of a room, or of water.
    return bool(np.linalg.norm(sky - ground) > _APART)
