"""What a picture is made from while it is optimized: pixels, waves, or the phases of waves.

The one idea: gradients with respect to pixels favour fine noise. Written as waves whose size falls with
their frequency, and in colours that vary independently in photos, the same gradient draws shapes. The
picture is always ``sigmoid`` of something unbounded, so no step leaves [0, 1].

Must not import: networks, files.

References:
    Olah, Mordvintsev and Schubert, "Feature Visualization", 2017, "Preconditioning and Parameterization";
    the constants are those of Lucid. Fel et al., "Unlocking Feature Visualization for Deeper Networks with
    MAgnitude Constrained Optimization", 2023, arXiv:2306.06805.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from keras import ops

from dreamer.arrays import FloatArray, Size
from dreamer.ascent.schedule import GROWING, Schedule
from dreamer.backends.backend import Tensor

_COLORS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
COLORS: FloatArray = _COLORS / np.linalg.norm(_COLORS, axis=0).max()
"""Red, green and blue, each from brightness and two axes of colour that do not vary together in photos."""

_DECORRELATED: FloatArray = np.linalg.inv(COLORS.T.astype(np.float64)).astype(np.float32)

_FIRST_DEVIATION = 0.1  # Of the first coefficients.
_OF_MEAN = 0.3  # How much the mean colour of a standing wave picture counts: where a network is smooth, pale things
# would otherwise be climbed to white, since all of the picture agrees on that one coefficient.
_ENCODABLE = 1e-3  # Black and white are infinitely far away; a picture is brought as near to them as this.


@dataclass(frozen=True, eq=False)
class Parametrization:
    """A way to make pictures of one size.

    Attributes:
        draw: ``(generator, count)`` -> what the first pictures are made from, ``(count, ...)``.
        render: What pictures are made from -> ``(count, height, width, 3)`` in [0, 1].
        encode: Pictures -> what they are made from, so that ``render(encode(pictures))`` is about the same: where a
            run starts that is given a picture, and how a prior's pull on pictures reaches what they are made from.
        variables: Keras's variables that *render* reads, as the weights of a generator; they are arguments of the
            compiled program.
    """

    draw: Callable[[np.random.Generator, int], FloatArray]
    render: Callable[[Tensor], Tensor]
    encode: Callable[[Tensor], Tensor]
    variables: tuple[Any, ...] = ()


class Kind(NamedTuple):
    """A kind of parametrization, with what goes with it where the settings do not say otherwise.

    Attributes:
        make: ``(size, spectrum)`` -> the parametrization of pictures of ``(height, width)``; the spectrum is that of
            the settings, or None.
        transforms: The name of a set of transforms.
        optimizer: Its name.
        learning_rate: How far a step goes, at first.
        schedule: How a run proceeds.
    """

    make: Callable[[Size, FloatArray | None], Parametrization]
    transforms: str
    optimizer: str
    learning_rate: float
    schedule: Schedule = Schedule()


def pixels(size: Size) -> Parametrization:
    """Each pixel by itself, in decorrelated colours.

    Args:
        size: ``(height, width)``.
    """
    return Parametrization(
        draw=lambda rng, count: _normal(rng, (count, *size, 3)),
        render=_colored,
        encode=_uncolored,
    )


def fourier(size: Size) -> Parametrization:
    """Waves, the slow ones first: coefficients count less the higher their frequency.

    Args:
        size: ``(height, width)``.

    Returns:
        Made from ``(count, 2, height, width // 2 + 1, 3)``: real and imaginary parts of a real picture's spectrum.

    Example:
        >>> picture = np.full((1, 5, 8, 3), 0.25, np.float32)
        >>> waves = fourier((5, 8))
        >>> bool(np.allclose(waves.render(waves.encode(picture)), 0.25, atol=1e-5))
        True
    """
    height, width = size
    # Lucid divides by four for pictures of 128 pixels to come out with the contrast of a photo.
    scale = (np.sqrt(height * width) / 4 / frequencies(size))[..., None].astype(np.float32)

    def render(waves: Tensor) -> Tensor:
        return _colored(_inverse(ops.multiply(waves[:, 0], scale), ops.multiply(waves[:, 1], scale), size))

    def encode(pictures: Tensor) -> Tensor:
        return ops.stack([ops.divide(part, scale) for part in _spectrum(_uncolored(pictures))], axis=1)

    return Parametrization(
        draw=lambda rng, count: _normal(rng, (count, 2, height, width // 2 + 1, 3)),
        render=render,
        encode=encode,
    )


def cosine(size: Size) -> Parametrization:
    """Standing waves, the slow ones first: coefficients count less the higher their frequency.

    Unlike those of :func:`fourier` they need not go on beyond an edge at the opposite one, so edges are not glued.

    Args:
        size: ``(height, width)``.

    Returns:
        Made from ``(count, height, width, 3)``: coefficients of an orthogonal cosine transform.

    Example:
        >>> picture = np.full((1, 5, 8, 3), 0.25, np.float32)
        >>> waves = cosine((5, 8))
        >>> bool(np.allclose(waves.render(waves.encode(picture)), 0.25, atol=1e-5))
        True
    """
    height, width = size
    rows, columns = _standing(height), _standing(width)
    slow = [np.arange(length) / (2 * length) for length in size]  # In waves per pixel.
    frequency = np.maximum(np.hypot(slow[0][:, None], slow[1][None]), 1 / (2 * max(size)))
    # The same contrast as of Lucid's, whatever the size.
    scale = (1 / (4 * np.sqrt(height * width) * frequency))[..., None].astype(np.float32)
    scale[0, 0] *= _OF_MEAN

    def render(waves: Tensor) -> Tensor:
        waves = ops.reshape(ops.multiply(waves, scale), (-1, height, width * 3))
        down = ops.reshape(ops.matmul(rows, waves), (-1, width, 3))
        return _colored(ops.reshape(ops.matmul(columns, down), (-1, height, width, 3)))

    def encode(pictures: Tensor) -> Tensor:
        colors = ops.reshape(_uncolored(pictures), (-1, height, width * 3))
        down = ops.reshape(ops.matmul(rows.T, colors), (-1, width, 3))
        waves = ops.reshape(ops.matmul(columns.T, down), (-1, height, width, 3))
        return ops.divide(waves, height * width * scale)

    return Parametrization(
        draw=lambda rng, count: _normal(rng, (count, height, width, 3)),
        render=render,
        encode=encode,
    )


def _standing(length: int) -> FloatArray:
    """Cosine waves with a mean square of 1: ``(length, waves)``."""
    waves = np.sqrt(2) * np.cos(np.pi * np.arange(length) * (np.arange(length)[:, None] + 0.5) / length)
    waves[:, 0] = 1
    return np.asarray(waves, np.float32)


def maco(size: Size, spectrum: FloatArray | None = None) -> Parametrization:
    """Waves whose magnitudes are those of photos and stay so; only their phases are made.

    Args:
        size: ``(height, width)``.
        spectrum: Magnitudes of photos in decorrelated colours, ``(side, side // 2 + 1, 3)``; None for 1/f,
            the law that photos follow in the mean.

    Returns:
        Made from phases ``(count, height, width // 2 + 1, 3)`` in radians. Of a picture, encoding
        keeps the phases alone.
    """
    height, width = size
    magnitude = (1 / frequencies(size))[..., None].repeat(3, axis=-1) if spectrum is None else fitted(spectrum, size)
    magnitude[0, 0] = 0  # No mean: it is taken off anyway.
    # Fixed magnitudes mean a fixed deviation, so one factor gives every picture the contrast of a photo.
    full = np.concatenate([magnitude, magnitude[:, 1 : (width + 1) // 2]], axis=1)
    deviation = np.sqrt(np.sum(full**2, axis=(0, 1)).mean()) / (height * width)
    magnitude = (magnitude / deviation).astype(np.float32)

    def render(phases: Tensor) -> Tensor:
        return _colored(
            _inverse(ops.multiply(ops.cos(phases), magnitude), ops.multiply(ops.sin(phases), magnitude), size)
        )

    return Parametrization(
        draw=lambda rng, count: rng.uniform(-np.pi, np.pi, (count, height, width // 2 + 1, 3)).astype(np.float32),
        render=render,
        encode=lambda pictures: ops.arctan2(*reversed(_spectrum(_uncolored(pictures)))),
    )


def frequencies(size: Size) -> FloatArray:
    """The frequency of each coefficient in waves per pixel; that of the mean is set to the lowest there is.

    Args:
        size: ``(height, width)``.

    Returns:
        ``(height, width // 2 + 1)`` float32.
    """
    found = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None])
    return np.asarray(np.maximum(found, 1 / max(size)), np.float32)


def spectrum_of(picture: FloatArray) -> FloatArray:
    """The magnitudes of a photo's waves in decorrelated colours, as :func:`maco` takes them.

    Args:
        picture: ``(side, side, 3)`` in [0, 1].

    Returns:
        ``(side, side // 2 + 1, 3)`` float32.
    """
    decorrelated = np.asarray(ops.convert_to_numpy(_uncolored(picture[None]))[0], np.float64)
    # Its edges do not meet, which would show as a cross of waves that no photo has.
    window = np.outer(np.hanning(picture.shape[0] + 2)[1:-1], np.hanning(picture.shape[1] + 2)[1:-1])[..., None]
    mean = (decorrelated * window).sum(axis=(0, 1)) / window.sum()
    return np.asarray(np.abs(np.fft.rfft2((decorrelated - mean) * window, axes=(0, 1))), np.float32)


def fitted(spectrum: FloatArray, size: Size) -> FloatArray:
    """A spectrum for pictures of another size: read at the frequencies that those have."""
    side = spectrum.shape[0]
    upright = np.fft.fftshift(spectrum, axes=0)
    rows = np.fft.fftfreq(size[0])[:, None] * side + side // 2
    columns = np.fft.rfftfreq(size[1])[None] * side
    rows, columns = np.broadcast_arrays(rows, columns)
    read = cv2.remap(
        upright, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(read, np.float32)


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    return rng.normal(scale=_FIRST_DEVIATION, size=shape).astype(np.float32)


def _colored(decorrelated: Tensor) -> Tensor:
    return ops.sigmoid(ops.matmul(decorrelated, COLORS.T))


def _uncolored(pictures: Tensor) -> Tensor:
    inside = ops.clip(pictures, _ENCODABLE, 1 - _ENCODABLE)
    return ops.matmul(ops.log(inside / (1 - inside)), _DECORRELATED)


def _inverse(real: Tensor, imaginary: Tensor, size: Size) -> Tensor:
    """The picture of a half spectrum, as ``numpy.fft.irfft2``: ``(batch, height, width // 2 + 1, colours)``."""
    # Along the height it is a forward transform of the conjugate; Keras has no inverse one along a single axis.
    turned = [ops.transpose(part, (0, 3, 2, 1)) for part in (real, -imaginary)]
    real, imaginary = ops.fft((turned[0], turned[1]))
    across = [ops.transpose(part, (0, 1, 3, 2)) / size[0] for part in (real, -imaginary)]
    return ops.transpose(ops.irfft((across[0], across[1]), fft_length=size[1]), (0, 2, 3, 1))


def _spectrum(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """The half spectrum of pictures, as ``numpy.fft.rfft2``: its real and its imaginary part."""
    across = ops.rfft(ops.transpose(pictures, (0, 3, 1, 2)))
    real, imaginary = ops.fft(tuple(ops.transpose(part, (0, 1, 3, 2)) for part in across))
    return ops.transpose(real, (0, 3, 2, 1)), ops.transpose(imaginary, (0, 3, 2, 1))


KINDS: dict[str, Kind] = {
    "cosine": Kind(lambda size, _: cosine(size), "robust", "momentum", 0.05, Schedule(0.6, 5.0, GROWING)),
    "fourier": Kind(lambda size, _: fourier(size), "robust", "momentum", 0.05, Schedule(0.6, 5.0, GROWING)),
    "pixels": Kind(lambda size, _: pixels(size), "robust", "adam", 0.05),
    "maco": Kind(maco, "maco", "nadam", 1.0),
}
"""All kinds by name; the names stand in ``visualizing.settings`` too, which must not load this."""
