"""The network of a prior, built from its weights.

Must not import: networks that are drawn, pictures.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras

from dreamer.errors import MissingWeightsError, PriorError
from dreamer.models import fetching
from dreamer.models.weights import Located
from dreamer.priors.specs import PriorSpec


def stamp(spec: PriorSpec) -> str:
    """Tells whether the weights are still the same; they are fetched if they are not there.

    Raises:
        WeightsError: They cannot be had.
    """
    try:
        return spec.weights.stamp()
    except MissingWeightsError:
        fetching.ensure(spec)
        return spec.weights.stamp()


def load(spec: PriorSpec) -> tuple[Any, str]:
    """A network from one tensor to one, and the digest of its weights.

    Raises:
        PriorError: It is of something else.
        WeightsError: Its weights are damaged, or cannot be had.
    """
    stamp(spec)
    located: Located = spec.weights.locate()
    module, function = spec.build.split(":")
    network = getattr(import_module(module), function)(located.path)
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise PriorError(
            f"the prior {spec.name} is a {type(network).__name__}; expected a functional or sequential network"
        )
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise PriorError(
            f"the prior {spec.name} has {len(network.inputs)} inputs and {len(network.outputs)} outputs; expected a "
            "network of one picture, or one code, to one picture"
        )
    # Of a tensor, not of a list or a table of one, as networks can be saved.
    return keras.Model(network.inputs[0], network.outputs[0]), located.sha256
