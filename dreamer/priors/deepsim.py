"""DeePSiM's generator of fc6 as a Keras network, filled from the published Caffe model.

From what AlexNet's sixth layer says of a photo, 4096 numbers, it makes the photo again, 256 pixels square: the
generator of DGN-AM. Its licence allows research, so it is imported by hand and never fetched:

    dreamer models import deepsim_fc6 release_deepsim_v0.zip

Must not import: networks that are drawn, ascent, pictures.

References:
    Dosovitskiy and Brox, "Generating Images with Perceptual Similarity Metrics based on Deep Networks", 2016,
    arXiv:1602.02644. Nguyen et al. 2016, arXiv:1605.09304.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from dreamer.errors import WeightsError, in_one_line
from dreamer.files import regular
from dreamer.models import caffemodel, claims, kept

_FILE = "network.npz"
_MEMBER = "fc6/generator.caffemodel"
_MOST_BYTES = 400_000_000
_SLOPE = 0.3  # Of what is below zero.
_FIRST_SIDE = 4  # Pixels, where numbers become a picture.


class _Deconvolution(NamedTuple):
    """A transposed convolution: its kernel's side, and by what it enlarges."""

    kernel: int
    stride: int


_DENSE = ("defc7", "defc6", "defc5")
_DECONVOLUTIONS: Mapping[str, _Deconvolution] = {
    "deconv5": _Deconvolution(4, 2), "conv5_1": _Deconvolution(3, 1),
    "deconv4": _Deconvolution(4, 2), "conv4_1": _Deconvolution(3, 1),
    "deconv3": _Deconvolution(4, 2), "conv3_1": _Deconvolution(3, 1),
    "deconv2": _Deconvolution(4, 2), "deconv1": _Deconvolution(4, 2), "deconv0": _Deconvolution(4, 2),
}  # fmt: skip
_LAST = "deconv0"

Arrays = Mapping[str, NDArray[Any]]


def convert(source: Path, folder: Path, _spec: object) -> str:
    """Keep the published archive, or the Caffe model in it, in the cache.

    Returns:
        The name of the file there.

    Raises:
        WeightsError: It is damaged, or something else.
    """
    blobs = caffemodel.read(_content(source))
    arrays = {
        f"{name}.{kind}": blob
        for name in (*_DENSE, *_DECONVOLUTIONS)
        for kind, blob in zip(("weight", "bias"), blobs.get(name, ()), strict=False)
    }
    build(arrays)
    kept.write(folder / _FILE, arrays)
    return _FILE


def _content(source: Path) -> bytes:
    """The Caffe model, by itself or out of the archive; nothing is unpacked to a path that the archive chose."""
    try:
        if not zipfile.is_zipfile(source):
            return regular.read_bytes(source, most=_MOST_BYTES)
        with zipfile.ZipFile(source) as archive:
            found = [name for name in archive.namelist() if f"/{name}".endswith(f"/{_MEMBER}")]
            if len(found) != 1:
                raise WeightsError(f"{source.name} holds no {_MEMBER}; expected release_deepsim_v0.zip")
            if archive.getinfo(found[0]).file_size > _MOST_BYTES:
                raise WeightsError(f"{source.name} holds {_MEMBER} of an impossible size")
            claims.check_archive(archive)
            return archive.read(found[0])
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        raise WeightsError(f"cannot read {source.name}: {in_one_line(error)}") from error


def kept_network(path: Path) -> keras.Model:
    """The network of a file that :func:`convert` wrote."""
    return build(kept.read(path))


def build(arrays: Arrays) -> keras.Model:
    """The generator, as wide as its arrays are.

    Args:
        arrays: ``layer.weight`` and ``layer.bias`` for each layer, as Caffe has them.

    Returns:
        From codes ``(batch, numbers)`` to pictures ``(batch, height, width, 3)``, blue first, 0..255 less a mean.

    Raises:
        WeightsError: They are of something else.
    """
    try:
        code = keras.Input((arrays[f"{_DENSE[0]}.weight"].shape[-1],), name="code")
        x: Any = code
        for name in _DENSE:
            kernel: Any = arrays[f"{name}.weight"].reshape(arrays[f"{name}.weight"].shape[-2:]).T
            x = _filled(layers.Dense(kernel.shape[1], name=name), kernel, arrays[f"{name}.bias"], x)
            x = layers.LeakyReLU(_SLOPE, name=f"{name}_relu")(x)
        # Caffe has channels first.
        x = layers.Reshape((x.shape[-1] // _FIRST_SIDE**2, _FIRST_SIDE, _FIRST_SIDE), name="reshape")(x)
        x = layers.Permute((2, 3, 1), name="channels_last")(x)
        for name, shape in _DECONVOLUTIONS.items():
            kernel = arrays[f"{name}.weight"].transpose(2, 3, 1, 0)
            layer = layers.Conv2DTranspose(kernel.shape[2], shape.kernel, shape.stride, "same", name=name)
            x = _filled(layer, kernel, arrays[f"{name}.bias"], x)
            x = x if name == _LAST else layers.LeakyReLU(_SLOPE, name=f"{name}_relu")(x)
    except (LookupError, ValueError, TypeError) as error:
        raise WeightsError(f"it is not DeePSiM's generator of fc6: {in_one_line(error)}") from error
    return keras.Model(code, x, name="generator")


def _filled(layer: Any, kernel: Any, bias: Any, x: Any) -> Any:
    """The output of a layer with its weights, which are looked at before the layer takes memory for any.

    A kernel is ``(inputs, outputs)``, or ``(height, width, outputs, inputs)`` of a transposed convolution.
    """
    sides = tuple(kernel.shape[:-2])
    inputs, outputs = kernel.shape[:-3:-1] if sides else kernel.shape
    if sides != tuple(getattr(layer, "kernel_size", ())) or inputs != x.shape[-1] or bias.size != outputs:
        raise ValueError(f"{layer.name} is given {x.shape[-1]} channels, and its kernel is {kernel.shape}")
    made = layer(x)
    layer.set_weights([np.asarray(kernel, np.float32), np.asarray(bias, np.float32).ravel()])
    return made
