"""How a raw gradient is conditioned before it becomes a step.

Each transform takes the gradient of the whole picture and how far the octave has come, and works
in place, since a large photo's gradient is as large as the photo. They chain; the loop normalises
last, so every chain ends in a step of the same size.

Must not import: networks, Keras, files.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from dreamer.arrays import FloatArray, strips

Conditioning = Callable[[FloatArray, float], None]
"""(gradient ``(height, width, 3)``, changed in place; progress through the octave in (0, 1])."""

_BLURRED_ROWS, _BLURRED_COLUMNS = 256, 1024
"""Of a block that is blurred at once. A blur needs some sixty more, so smaller ones would mostly work on those."""
_LEAST_RMS = float(np.finfo(np.float32).tiny)  # Keeps an empty gradient, or an empty band of one, empty.


def rms(array: FloatArray) -> float:
    """Root mean square of all elements."""
    return float(cv2.norm(array, cv2.NORM_L2) / np.sqrt(array.size))


def normalize(gradient: FloatArray, _progress: float = 1.0) -> None:
    """Scale a gradient to root mean square 1; one that is zero everywhere stays so.

    Example:
        >>> gradient = np.full((2, 2, 3), -4, np.float32)
        >>> normalize(gradient)
        >>> gradient.min()
        np.float32(-1.0)
    """
    gradient /= np.float32(max(rms(gradient), _LEAST_RMS))


def chain(*transforms: Conditioning) -> Conditioning:
    """One transform that applies several in order; none at all leaves the gradient alone."""

    def apply(gradient: FloatArray, progress: float) -> None:
        for transform in transforms:
            transform(gradient, progress)

    return apply


def laplacian_levels(gradient: FloatArray, levels: int) -> list[FloatArray]:
    """Split a gradient into frequency bands that :func:`merge_levels` puts together again.

    Args:
        gradient: ``(height, width, 3)``; left as it is.
        levels: How many bands are split off, finest first; fewer where a side reaches one pixel.

    Returns:
        The bands, each half the size of the one before, and what is left under them.

    References:
        Burt and Adelson, "The Laplacian pyramid as a compact image code", 1983, with the kernel
        [1, 4, 6, 4, 1], as in TensorFlow's 2015 DeepDream tutorial.
    """
    bands: list[FloatArray] = []
    low = gradient
    while len(bands) < levels and min(low.shape[:2]) > 1:
        lower = np.asarray(cv2.pyrDown(low), np.float32)
        bands.append(low - _enlarged(lower, low))
        low = lower
    return [*bands, low]


def merge_levels(levels: list[FloatArray]) -> FloatArray:
    """The sum of all bands at the size of the first; undoes :func:`laplacian_levels`."""
    merged = levels[-1]
    for band in reversed(levels[:-1]):
        merged = _enlarged(merged, band)
        merged += band
    return merged


def _enlarged(low: FloatArray, like: FloatArray) -> FloatArray:
    return np.asarray(cv2.pyrUp(low, dstsize=like.shape[1::-1]), np.float32)


def laplacian(levels: int = 4) -> Conditioning:
    """Give every frequency band of the gradient the same strength, which brings out large shapes.

    Args:
        levels: How many bands are split off.

    Returns:
        A transform.

    References:
        TensorFlow's 2015 DeepDream tutorial, "Laplacian pyramid gradient normalization".
    """

    def apply(gradient: FloatArray, _progress: float) -> None:
        bands = laplacian_levels(gradient, levels)
        for band in bands:
            normalize(band)
        gradient[:] = merge_levels(bands)

    return apply


def smooth(gradient: FloatArray, progress: float) -> None:
    """Replace a gradient by the mean of three blurs of it that widen as the octave proceeds.

    Args:
        gradient: ``(height, width, 3)``; changed in place, to mean 0 and standard deviation 1.
        progress: Through the octave, in (0, 1]; sigma is ``2 * progress + 0.5`` pixels, and the
            blurs are at half of it, at it and at twice it.

    References:
        The "cascade Gaussian smoothing" of gordicaleksa's pytorch-deepdream, 2020.
    """
    sigmas = blur_sigmas(progress)
    above = gradient[:0]
    total = 0.0
    reach = sum(map(_reach, sigmas))
    for rows in strips(len(gradient), _BLURRED_ROWS):
        window = np.concatenate([above, gradient[rows.start : rows.stop + reach]])
        strip = slice(len(above), len(above) + rows.stop - rows.start)
        # The strip below looks back on these rows as they were.
        above = window[: strip.stop][-reach:].copy()
        for columns in strips(gradient.shape[1], _BLURRED_COLUMNS):
            left = max(columns.start - reach, 0)
            block = _sum_of_blurs(window[:, left : columns.stop + reach], sigmas)
            gradient[rows, columns] = block[strip, columns.start - left : columns.stop - left]
        total += sum(cv2.sumElems(gradient[rows]))
    gradient -= np.float32(total / gradient.size)
    normalize(gradient)


def _sum_of_blurs(block: FloatArray, sigmas: tuple[float, ...]) -> FloatArray:
    """The sum of blurs, each made from the one before."""
    total = np.zeros(block.shape, np.float32)
    for sigma in sigmas:
        side = 2 * _reach(sigma) + 1
        block = np.asarray(cv2.GaussianBlur(block, (side, side), sigma), np.float32)
        total += block
    return total


def blur_sigmas(progress: float) -> tuple[float, float, float]:
    """The three blurs of :func:`smooth`, each made from the one before, since their variances add up."""
    sigma = 2.0 * progress + 0.5
    return sigma * 0.5, sigma * (1.0**2 - 0.5**2) ** 0.5, sigma * (2.0**2 - 1.0**2) ** 0.5


def blur_kernels(progress: float) -> FloatArray:
    """Those blurs as kernels along one axis: ``(3, 2 * REACH + 1)``, each of sum 1."""
    kernels = np.zeros((3, 2 * REACH + 1), np.float32)
    for kernel, sigma in zip(kernels, blur_sigmas(progress), strict=True):
        reach = _reach(sigma)
        kernel[REACH - reach : REACH + reach + 1] = cv2.getGaussianKernel(2 * reach + 1, sigma)[:, 0]
    return kernels


def _reach(sigma: float) -> int:
    """How far OpenCV's blur of float32 reaches to either side, in pixels."""
    return (round(8 * sigma + 1) | 1) // 2


REACH = max(map(_reach, blur_sigmas(1.0)))
"""How far one of the blurs reaches at the most, in pixels."""
