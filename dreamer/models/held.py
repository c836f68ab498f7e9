"""Networks that this process holds: a Keras network in memory made into what the rest of the package takes.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

import hashlib

import keras
import numpy as np

from dreamer.errors import ModelError, in_one_line
from dreamer.models import keras_file
from dreamer.models.network import Network
from dreamer.models.plain import PlainNetwork
from dreamer.models.preprocessing import Preprocessing
from dreamer.models.specs import ModelSpec
from dreamer.models.weights import HeldWeights


def network_of(
    model: keras.Model,
    *,
    preprocessing: Preprocessing | None,
    labels: str | tuple[str, ...] | None,
    layer: str | None,
) -> Network:
    """A network from a copy of a Keras network, so that training goes on without changing what was loaded.

    Args:
        model: A functional or sequential network of one picture.
        preprocessing: How pictures are prepared for it; None where nobody has said.
        labels: Its classes, or the path of a text file with a name a line.
        layer: To dream with where none is named.

    Raises:
        ModelError: It is another kind of network, or Keras cannot copy it.
    """
    name = str(model.name)
    keras_file.check(model, name)
    copy = _copied(model, name)
    keras_file.take_off_softmax(copy)
    digest = _digest(copy)
    spec = ModelSpec(
        name=name,
        title="a network of your own",
        build="",
        weights=HeldWeights(digest),
        preprocessing=preprocessing,
        default_layer=layer,
        labels=labels,
    )
    return Network(spec, copy, digest)


def plain_of(model: keras.Model, *, labels: str | tuple[str, ...] | None) -> PlainNetwork:
    """A network of rows or sequences from a copy of a Keras network.

    Raises:
        ModelError: Keras cannot copy it, or it cannot be taken apart.
    """
    name = str(model.name)
    keras_file.check_whole(model, name)
    copy = _copied(model, name)
    digest = _digest(copy)
    spec = ModelSpec(
        name=name,
        title="a network of your own",
        build="",
        weights=HeldWeights(digest),
        preprocessing=None,
        labels=labels,
    )
    return PlainNetwork(spec, copy, digest)


def _copied(model: keras.Model, name: str) -> keras.Model:
    try:
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
    # What the layers of others raise when they are made again from what they say of themselves.
    except Exception as error:
        raise ModelError(
            f"Keras cannot copy {name}: {type(error).__name__}: {in_one_line(error)}. Expected a network whose layers "
            "have get_config and from_config"
        ) from error
    return copy


def _digest(model: keras.Model) -> str:
    digest = hashlib.sha256()
    for variable in model.variables:
        values = np.array(variable.numpy(), order="C")
        digest.update(f"{variable.path} {values.dtype} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
