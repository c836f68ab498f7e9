"""Conditionings: what is done to a raw gradient before it becomes a step.

Each is one object, with what it does on the host and on a device. On the host it takes the gradient of the whole
picture and how far the octave has come, and works in place, since a large photo's gradient is as large as the photo.
The loop normalises last, so every one ends in a step of the same size.

On a CPU the device's way does not pay: there OpenCV blurs three times as fast.

Must not import: networks, files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from keras import ops

from dreamer import wrapping
from dreamer.arrays import FloatArray, strips
from dreamer.backends.backend import Tensor

OnHost = Callable[[FloatArray, float], None]
"""(gradient ``(height, width, 3)``, changed in place; progress through the octave in (0, 1])."""

OnDevice = Callable[["Raw"], Tensor]
"""The same as part of a program: a raw gradient -> the conditioned one, on its canvas."""

_BLURRED_ROWS, _BLURRED_COLUMNS = 256, 1024
"""Of a block that is blurred at once. A blur needs some sixty more, so smaller ones would mostly work on those."""
LEVELS = 4
"""Frequency bands that :func:`laplacian` splits off."""

_LEAST_ON_DEVICE = 1e-30  # Keeps an empty gradient, or an empty band of one, empty.
_BURT_ADELSON = np.array([1, 4, 6, 4, 1], np.float32) / 16
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


def laplacian(gradient: FloatArray, _progress: float) -> None:
    """Give every frequency band of the gradient the same strength, which brings out large shapes.

    Args:
        gradient: ``(height, width, 3)``; changed in place.

    References:
        TensorFlow's 2015 DeepDream tutorial, "Laplacian pyramid gradient normalization".
    """
    bands = laplacian_levels(gradient, LEVELS)
    for band in bands:
        normalize(band)
    gradient[:] = merge_levels(bands)


def leave(_gradient: FloatArray, _progress: float) -> None:
    """Leave the gradient as it is."""


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


MARGIN = 64
"""Pixels that no conditioning reaches beyond; in whole pixels of the smallest band, so that all bands lie as before."""


def live(like: Tensor, size: Tensor) -> Tensor:
    """1 where a canvas holds the picture, 0 elsewhere: ``(height, width, 1)``."""
    height, width = ops.shape(like)[:2]
    rows = ops.cast(ops.arange(height) < size[0], "float32")
    columns = ops.cast(ops.arange(width) < size[1], "float32")
    return rows[:, None, None] * columns[None, :, None]


def normalized(array: Tensor, live: Tensor, count: Tensor) -> Tensor:
    """An array whose living part has root mean square 1, as :func:`normalize`.

    It is divided by its largest value first, since squares of small numbers vanish.
    """
    bounded = array / (ops.max(ops.abs(array * live)) + _LEAST_ON_DEVICE)
    return bounded / (ops.sqrt(ops.sum(ops.square(bounded * live)) / count) + _LEAST_ON_DEVICE)


class Raw(NamedTuple):
    """A gradient on its canvas, to be conditioned within a program.

    Attributes:
        gradient: ``(height, width, 3)`` of the canvas.
        rows: For each row of the canvas, and a margin of ``REACH`` around it, the row of the picture there.
        columns: The same for columns.
        kernels: ``(3, taps)`` of :func:`blur_kernels` for this step.
        size: ``(2,)`` the picture's height and width.
        live: ``(height, width, 1)``: 1 where the canvas holds the picture, 0 elsewhere.
        pixels: How many numbers the picture has.
    """

    gradient: Tensor
    rows: Tensor
    columns: Tensor
    kernels: Tensor
    size: Tensor
    live: Tensor
    pixels: Tensor

    def with_margin(self) -> Tensor:
        """The gradient continued over its canvas and the margin of a blur, by its mirror image or around it."""
        return ops.take(ops.take(self.gradient, self.rows, axis=0), self.columns, axis=1)


def leave_on_device(raw: Raw) -> Tensor:
    """See :func:`leave`."""
    return raw.gradient


def smooth_on_device(raw: Raw) -> Tensor:
    """See :func:`smooth`."""
    total = 0.0
    for number in range(3):
        kernel = raw.kernels[number]
        blurred = _blurred(raw.with_margin(), kernel)
        total = total + blurred
        raw = raw._replace(gradient=blurred)
    mean = ops.sum(total * raw.live) / raw.pixels
    return total - mean


def _blurred(padded: Tensor, kernel: Tensor) -> Tensor:
    """Blur along both axes; the margin is used up."""
    taps = ops.tile(ops.reshape(kernel, (2 * REACH + 1, 1, 1, 1)), (1, 1, 3, 1))
    down = ops.depthwise_conv(padded[None], taps, data_format="channels_last")
    return ops.depthwise_conv(down, ops.transpose(taps, (1, 0, 2, 3)), data_format="channels_last")[0]


def laplacian_on_device(raw: Raw) -> Tensor:
    """See :func:`laplacian`."""
    inner = slice(REACH, -REACH)
    low = raw.with_margin()[inner, inner]
    size, bands = raw.size, []
    for _ in range(LEVELS):
        # A side of one pixel has no structure left; what there is stays in this band, the others are empty.
        lower = _halved(low) * ops.cast(ops.min(size) > 1, "float32")
        bands.append(_scaled(low - _doubled(lower, low), size))
        low, size = lower, (size + 1) // 2
    merged = _scaled(low, size)
    for band in reversed(bands):
        merged = _doubled(merged, band) + band
    return merged


def _scaled(band: Tensor, size: Tensor) -> Tensor:
    return normalized(band, live(band, size), ops.cast(3 * ops.prod(size), "float32"))


def _halved(picture: Tensor) -> Tensor:
    taps = np.broadcast_to(np.outer(_BURT_ADELSON, _BURT_ADELSON)[:, :, None, None], (5, 5, 3, 1))
    padded = _continued(_continued(picture, 0), 1)
    return ops.depthwise_conv(padded[None], ops.convert_to_tensor(taps), strides=2, data_format="channels_last")[0]


def _continued(picture: Tensor, axis: int) -> Tensor:
    """Two more pixels at both ends of an axis, each the mirror image of its neighbours where there are any."""
    length = ops.shape(picture)[axis]
    around = ops.abs(ops.arange(-2, length + 2))
    return ops.take(picture, ops.maximum(ops.minimum(around, 2 * length - 2 - around), 0), axis=axis)


def _doubled(low: Tensor, like: Tensor) -> Tensor:
    height, width = ops.shape(like)[:2]
    taller = _doubled_down(low)[:height]
    return ops.transpose(_doubled_down(ops.transpose(taller, (1, 0, 2)))[:width], (1, 0, 2))


def _doubled_down(low: Tensor) -> Tensor:
    """Rows interpolated by the pyramid's kernel: between each two rows a new one."""
    length, width, _ = ops.shape(low)
    before = ops.take(low, ops.maximum(ops.arange(length) - 1, 0), axis=0)
    after = ops.take(low, ops.minimum(ops.arange(length) + 1, length - 1), axis=0)
    both = ops.stack([(before + 6 * low + after) / 8, (low + after) / 2], axis=1)
    return ops.reshape(both, (2 * length, width, 3))


def around(condition: OnHost) -> OnHost:
    """The same for a picture whose opposite edges meet: it sees beyond each of them what lies at the other."""

    def conditioned(gradient: FloatArray, progress: float) -> None:
        wide = wrapping.margined(gradient, MARGIN)
        condition(wide, progress)
        gradient[:] = wide[MARGIN:-MARGIN, MARGIN:-MARGIN]

    return conditioned


class Conditioning(NamedTuple):
    """One way to condition the gradient, on the host and on a device: the same to rounding.

    Attributes:
        host: What it does to a picture's gradient in place.
        device: What it does within a program.
        wraps_on_device: Whether it does that also where the opposite edges of the picture meet.
    """

    host: OnHost
    device: OnDevice
    wraps_on_device: bool = True


CONDITIONINGS: dict[str, Conditioning] = {
    "none": Conditioning(leave, leave_on_device),
    "smooth": Conditioning(smooth, smooth_on_device),
    "laplacian": Conditioning(laplacian, laplacian_on_device, wraps_on_device=False),
}
"""All by name; the names stand in ``dreaming.settings`` too, which must not load this."""
