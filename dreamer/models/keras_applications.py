"""The networks of ``keras.applications``, built by Keras and filled from the files that Keras publishes.

The one idea: Keras builds the network without weights, ours come from the cache, and what Keras
would have done besides on the way is done here: its downloads know no mirror, lock or offline mode.
Every network ends in logits, not in probabilities, and its layers have the same names whatever was
built before in the process.

Must not import: anything about pictures or ascent.

References:
    https://keras.io/api/applications/
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dreamer.errors import WeightsError, in_one_line
from dreamer.models import claims
from dreamer.models.specs import ModelSpec
from dreamer.models.weights import WITHOUT_CLASSIFIER, has_classifier

_HDF5 = b"\x89HDF\r\n\x1a\n"
_IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)


def convert(source: Path, folder: Path, spec: ModelSpec, /) -> str:
    """Take a file of weights into the cache, under a name that says what it is.

    Args:
        source: ``.h5`` or ``.weights.h5``, with or without the classifier; told by content. It is moved.
        folder: Where it is put.
        spec: The network it is for, which is filled with it to see that it fits.

    Returns:
        Its new name.

    Raises:
        WeightsError: The file is damaged, or not of this network.
    """
    suffix = _suffix(source)
    moved = source
    reasons = []
    for classifier in (True, False):
        moved = moved.rename(folder / f"network{'' if classifier else WITHOUT_CLASSIFIER}{suffix}")
        try:
            _fill(architecture(spec, classifier=classifier), moved)
        except WeightsError as error:
            reasons.append(str(error))
        else:
            return moved.name
    raise WeightsError(f"{source.name} does not fit {spec.name}: it is damaged or of another network ({reasons[0]})")


def build(weights: Path, spec: ModelSpec) -> keras.Model:
    """Build a network and fill it.

    Args:
        weights: What :func:`convert` put into the cache.
        spec: The network.

    Returns:
        A network from prepared pictures to logits, or to its last feature map where the weights have
        no classifier.

    Raises:
        WeightsError: The weights do not fit.

    Example:
        >>> network = build(Path("network.h5"), known()["keras:VGG16"])  # doctest: +SKIP
        >>> network.output.shape  # doctest: +SKIP
        (None, 1000)
    """
    network = architecture(spec, classifier=has_classifier(weights))
    _fill(network, weights)
    if spec.application and spec.application.startswith("EfficientNetB"):
        _as_imagenet(network)
    return network


def _fill(network: keras.Model, path: Path) -> None:
    """Load weights and make sure that all of them were in the file: Keras leaves alone what it does not find."""
    _check_claims(path)
    for variable in network.variables:
        if keras.backend.is_float_dtype(variable.dtype):
            variable.assign(np.full(variable.shape, np.nan, variable.dtype))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # That it leaves something alone; that is found out below.
            network.load_weights(path)
    # Keras and h5py have no common error for a file that does not fit.
    except (ValueError, KeyError, OSError, TypeError, AttributeError, RuntimeError) as error:
        raise WeightsError(f"{type(error).__name__}: {in_one_line(error)}") from error
    for variable in network.variables:
        if keras.backend.is_float_dtype(variable.dtype) and not np.isfinite(variable.numpy()).all():
            raise WeightsError(f"it lacks {variable.path}, or has something there that is no number")
    if _count(path) > len(network.variables):
        raise WeightsError(f"it holds {_count(path)} arrays, the network {len(network.variables)}")


def _check_claims(path: Path) -> None:
    import h5py

    try:
        with h5py.File(path) as file:
            claims.check_hdf5(file)
    except (OSError, RuntimeError, KeyError) as error:
        raise WeightsError(f"it is damaged ({error})") from error


def _count(path: Path) -> int:
    """How many arrays a file of weights holds."""
    import h5py

    found: list[str] = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return sum(not name.startswith("optimizer") for name in found)


def architecture(spec: ModelSpec, *, classifier: bool = True) -> keras.Model:
    """A network of ``keras.applications`` with random weights; its names do not depend on what was built before."""
    make = getattr(keras.applications, str(spec.application))
    with warnings.catch_warnings():
        # MobileNetV3 warns that it takes pictures of any size.
        warnings.simplefilter("ignore", UserWarning)
        if classifier:
            network = make(weights=None, classifier_activation=None)
        else:
            network = make(weights=None, include_top=False)
    _number_anew(network)
    return network


def _suffix(source: Path) -> str:
    """Which of Keras's two formats a file has; its loader goes by the name."""
    import h5py

    try:
        with source.open("rb") as file:
            if file.read(len(_HDF5)) != _HDF5:
                raise WeightsError(f"{source.name} is no HDF5 file; expected .h5 or .weights.h5")
        with h5py.File(source) as opened:
            return ".weights.h5" if "layers" in opened or "_layer_checkpoint_dependencies" in opened else ".h5"
    except OSError as error:
        raise WeightsError(f"cannot read {source.name}: it is damaged") from error


def _number_anew(network: keras.Model) -> None:
    """Count layers that Keras named by kind and number from the start of this network, not of the process.

    ``conv2d_94`` becomes ``conv2d`` if it is the first of its kind, ``conv2d_95`` becomes ``conv2d_1``.
    """
    numbered: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for operation in network.operations:
        match = re.fullmatch(r"(.+?)(?:_(\d+))?", operation.name)
        if match and match[1].replace("_", "") == type(operation).__name__.lower():
            numbered[match[1]].append((int(match[2] or 0), operation))
    for kind, found in numbered.items():
        first = min(number for number, _ in found)
        for number, operation in found:
            operation.name = kind if number == first else f"{kind}_{number - first}"


def _as_imagenet(network: keras.Model) -> None:
    """Finish EfficientNet's preprocessing as Keras does when it loads the weights itself.

    Its normalisation divides by the standard deviation, but the network was trained with the
    variance; Keras adds the missing division as a layer, here it goes into the variance.
    """
    normalization = next(layer for layer in network.layers if isinstance(layer, keras.layers.Normalization))
    normalization.adapt_variance.assign(normalization.adapt_variance * _IMAGENET_STD)
    normalization.finalize_state()
