"""TAESD's decoder and encoder as Keras networks, filled from the published checkpoints.

The one idea: a checkpoint numbers its layers in order, and their names tell them apart: a convolution, a block of three
with a shortcut, and a convolution without a bias, before which a decoder doubles the sides, and with which an encoder
halves them. So one walk over the names builds any of the published variants, whatever its latent channels.

A code is ``(batch, height / 8, width / 8, channels)``; a picture is in [0, 1].

Must not import: networks that are drawn, ascent, pictures.

References:
    Ollin Boer Bohan, "TAESD: Tiny AutoEncoder for Stable Diffusion", 2023, MIT licence; its ``taesd.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from dreamer.errors import WeightsError
from dreamer.models import kept, torch_checkpoint

_FILE = "network.npz"
_RANGE = 3.0  # Of a code, to either side, as the decoder was taught: it is bent into it, 3 tanh(x / 3).
_GROUPS, _EPSILON = 4, 1e-5
_NAME = re.compile(r"(\d{1,3})\.(?:(conv|pool)\.(\d)\.)?(weight|bias)")

Arrays = Mapping[str, NDArray[Any]]


def convert(source: Path, folder: Path, _spec: object) -> str:
    """Keep a published checkpoint in the cache.

    Returns:
        The name of the file there.

    Raises:
        WeightsError: It is damaged, or something else.
    """
    arrays = torch_checkpoint.read(source)
    build(arrays)
    kept.write(folder / _FILE, arrays)
    return _FILE


def kept_network(path: Path) -> keras.Model:
    """The network of a file that :func:`convert` wrote."""
    return build(kept.read(path))


def build(arrays: Arrays) -> keras.Model:
    """A decoder or an encoder, as its arrays say: a decoder's first layer is the one that bends the code.

    Args:
        arrays: Of a checkpoint, by name.

    Returns:
        From codes to pictures, or from pictures to codes.

    Raises:
        WeightsError: They are of something else.
    """
    try:
        numbers = sorted({int(_parts(name)[0]) for name in arrays})
        return _decoder(arrays, numbers) if numbers[0] else _encoder(arrays, numbers)
    except (LookupError, ValueError, TypeError) as error:
        raise WeightsError(f"it is no checkpoint of TAESD: {error}") from error


def _decoder(arrays: Arrays, numbers: list[int]) -> keras.Model:
    code = keras.Input((None, None, arrays[f"{numbers[0]}.weight"].shape[1]), name="code")
    x = layers.Rescaling(1 / _RANGE, name="narrowed")(code)
    x = layers.Rescaling(_RANGE, name="bent")(layers.Activation("tanh", name="tanh")(x))
    for number, following in _with_next(numbers):
        if _is_bare(arrays, number):
            x = _convolved(arrays, f"{number}", layers.UpSampling2D(2, name=f"{number}_doubled")(x))
        elif f"{number}.weight" in arrays:
            x = _convolved(arrays, f"{number}", x)
            x = x if following is None else layers.ReLU(name=f"{number}_relu")(x)
        else:
            x = _block(arrays, number, x)
    return keras.Model(code, x, name="decoder")


def _encoder(arrays: Arrays, numbers: list[int]) -> keras.Model:
    picture = keras.Input((None, None, 3), name="picture")
    x = picture
    for number in numbers:
        if _is_bare(arrays, number):
            x = _convolved(arrays, f"{number}", x, stride=2)
        elif f"{number}.weight" in arrays:
            x = _convolved(arrays, f"{number}", x)
        else:
            x = _block(arrays, number, x)
    return keras.Model(picture, x, name="encoder")


def _block(arrays: Arrays, number: int, x: Any) -> Any:
    """Three convolutions with a shortcut; before them, where there is one, what looks over all channels."""
    if f"{number}.pool.0.weight" in arrays:
        pooled = _convolved(arrays, f"{number}.pool.0", x)
        norm = layers.GroupNormalization(_GROUPS, epsilon=_EPSILON, name=f"{number}_pool_norm")
        pooled = norm(pooled)
        norm.set_weights([arrays[f"{number}.pool.1.{kind}"].astype(np.float32) for kind in ("weight", "bias")])
        pooled = layers.ReLU(name=f"{number}_pool_relu")(pooled)
        x = layers.Add(name=f"{number}_pool")([x, _convolved(arrays, f"{number}.pool.3", pooled)])
    y = x
    for place in (0, 2, 4):
        y = _convolved(arrays, f"{number}.conv.{place}", y)
        y = y if place == 4 else layers.ReLU(name=f"{number}_relu_{place}")(y)
    return layers.ReLU(name=f"{number}_relu")(layers.Add(name=f"{number}_sum")([y, x]))


def _convolved(arrays: Arrays, name: str, x: Any, stride: int = 1) -> Any:
    kernel = arrays[f"{name}.weight"].transpose(2, 3, 1, 0).astype(np.float32)
    if kernel.shape[2] != x.shape[-1]:  # Said before a layer takes memory for as much as it would need.
        raise ValueError(f"{name} is given {x.shape[-1]} channels, and its kernel is {kernel.shape}")
    weights = [kernel, *([arrays[f"{name}.bias"].astype(np.float32)] if f"{name}.bias" in arrays else [])]
    padding = "same"
    if stride > 1:  # Keras would pad one side alone.
        x, padding = layers.ZeroPadding2D(1, name=f"{name.replace('.', '_')}_padded")(x), "valid"
    layer = layers.Conv2D(
        kernel.shape[-1], kernel.shape[0], stride, padding, use_bias=len(weights) > 1, name=name.replace(".", "_")
    )
    made = layer(x)
    layer.set_weights(weights)
    return made


def _is_bare(arrays: Arrays, number: int) -> bool:
    return f"{number}.weight" in arrays and f"{number}.bias" not in arrays


def _parts(name: str) -> tuple[str, ...]:
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"there is an array {name[:60]!r}")
    return tuple(part or "" for part in found.groups())


def _with_next(numbers: list[int]) -> Iterator[tuple[int, int | None]]:
    return zip(numbers, [*numbers[1:], None], strict=True)
