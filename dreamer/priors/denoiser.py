"""The denoiser as a Keras network: a noisy picture and how noisy it is to the picture.

The one idea: no bias anywhere, so that what it does to a picture and its noise it does to half of both (seen from
grey), and a noise that it was never taught is no surprise. The first layer halves the sides and the last doubles them,
which is FFDNet's "pixel shuffle and convolution" in one, so most of the work is done on a quarter of the pixels.

Must not import: networks that are drawn, ascent, pictures.

References:
    Zhang, Zuo and Zhang, "FFDNet: Toward a Fast and Flexible Solution for CNN based Image Denoising", 2018,
    arXiv:1710.04026. Mohan et al., "Robust And Interpretable Blind Image Denoising Via Bias-Free Convolutional Neural
    Networks", 2020, arXiv:1906.05478.
"""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from dreamer.errors import WeightsError, in_one_line
from dreamer.models import kept

CHANNELS, DEPTH = 48, 8


def build(channels: int = CHANNELS, depth: int = DEPTH) -> keras.Model:
    """The network, its weights drawn from Keras's seed.

    Args:
        channels: Of each layer but the last.
        depth: How many convolutions there are: the first, the last, and pairs between them.

    Returns:
        A network from ``(batch, height, width, 4)`` - red, green and blue in [0, 1], and the standard deviation of
        their noise in the same units - to ``(batch, height, width, 3)``. Height and width are even.

    Example:
        >>> build().output_shape
        (None, None, None, 3)
    """
    noisy = keras.Input((None, None, 4), name="noisy")
    kept = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    x = layers.Rescaling(1.0, offset=[-0.5, -0.5, -0.5, 0.0], name="around_grey")(noisy)
    x = layers.Conv2D(channels, 6, strides=2, activation="leaky_relu", name="halve", **kept)(x)
    for number in range(2, depth, 2):
        # A pair finds a difference: so it learns ten times as fast as one layer behind the other.
        found = layers.Conv2D(channels, 3, activation="leaky_relu", name=f"conv{number}", **kept)(x)
        small = kept | {"kernel_initializer": keras.initializers.VarianceScaling(0.25)}
        x = layers.Add(name=f"pair{number // 2}")(
            [x, layers.Conv2D(channels, 3, name=f"conv{number + 1}", **small)(found)]
        )
    kept["kernel_initializer"] = keras.initializers.VarianceScaling(0.1)
    noise = layers.Conv2DTranspose(3, 6, strides=2, name="noise", **kept)(x)
    return keras.Model(noisy, layers.Subtract(name="picture")([noisy[..., :3], noise]), name="denoiser")


def filled(path: Path) -> keras.Model:
    """The network with the weights of a file, as ``training.denoiser --write`` writes it.

    Args:
        path: An ``.npz`` with an array for each kernel, named ``layer.kernel``.

    Raises:
        WeightsError: The file cannot be read, or its arrays do not fit.
    """
    kernels = {name.removesuffix(".kernel"): array for name, array in kept.read(path).items()}
    try:
        network = build(kernels["halve"].shape[-1], len(kernels))
        for name, kernel in kernels.items():
            network.get_layer(name).set_weights([kernel])
    except (ValueError, LookupError) as error:
        raise WeightsError(f"the weights at {path} are not those of a denoiser: {in_one_line(error)}") from error
    return network
