"""Finding a network by what a person types, and loading it.

Imports nothing heavy; :func:`load` does, when it is called.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.errors import MissingWeightsError, SettingsError, UnknownModelError, close_matches
from dreamer.models import fetching, keras_file
from dreamer.models.preprocessing import PREPROCESSINGS
from dreamer.models.specs import KERAS_PREFIX, ModelSpec, known

if TYPE_CHECKING:
    import keras

    from dreamer.models.vision_model import VisionModel

    Builder = Callable[[Path, ModelSpec], keras.Model]

_ALIASES = {f"{KERAS_PREFIX}InceptionV3": "inception_v3"}


def spec(name: str, preprocessing: str | None = None) -> ModelSpec:
    """Look a network up.

    Args:
        name: A known name, ``keras:NAME``, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file; a name in ``PREPROCESSINGS``.

    Raises:
        UnknownModelError: There is none of that name, or no such file.
        SettingsError: The file beside a ``.keras`` file is wrong, or the preprocessing is unknown.

    Example:
        >>> spec("keras:VGG16").preprocessing.order
        'BGR'
    """
    if keras_file.is_path(name):
        found = keras_file.spec(name)
    elif preprocessing is not None:
        raise SettingsError(
            f"preprocessing is for a network of your own; how pictures are prepared for {name} is known"
        )
    else:
        found = _known(name)
    if preprocessing is None:
        return found
    if preprocessing not in PREPROCESSINGS:
        raise SettingsError(
            f"there is no preprocessing {preprocessing!r}; expected one of {', '.join(PREPROCESSINGS)}. "
            "Others can be described in a .toml beside the network"
        )
    return dataclasses.replace(found, preprocessing=PREPROCESSINGS[preprocessing])


def _known(name: str) -> ModelSpec:
    try:
        return known()[_ALIASES.get(name, name)]
    except KeyError:
        shown = [known_name for known_name in known() if not known_name.startswith(KERAS_PREFIX)]
        raise UnknownModelError(
            f"there is no network {name!r}.{close_matches(name, known())} "
            f"Known: {', '.join(shown)}, {KERAS_PREFIX}NAME, and the path of a .keras file"
        ) from None


@cache
def load(name: str, preprocessing: str | None = None) -> VisionModel:
    """Load a network with its weights, once per process; fetches them if they are not there.

    Args:
        name: A known name, ``keras:NAME``, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file.

    Returns:
        The network, ready to be cut to the layers asked for.

    Raises:
        UnknownModelError: There is none of that name.
        WeightsError: Its weights are damaged, or cannot be fetched.

    Example:
        >>> load("efficientnet_lite0").channels("block4b")
        80
    """
    from dreamer.models.vision_model import VisionModel

    found = spec(name, preprocessing)
    try:
        located = found.weights.locate()
    except MissingWeightsError:
        fetching.ensure(found)
        located = found.weights.locate()
    return VisionModel(found, _builder(found)(located.path, found), located.sha256)


def sketch(name: str) -> VisionModel:
    """Load a network to look at its layers: without weights where it can be built without them.

    Raises:
        UnknownModelError: There is none of that name.
        WeightsError: Its layers cannot be known without the weights, and those cannot be had.
    """
    found = spec(name)
    if found.application is None or fetching.is_installed(found):
        return load(name)
    from dreamer.models import keras_applications
    from dreamer.models.vision_model import VisionModel

    return VisionModel(found, keras_applications.architecture(found))


def _builder(found: ModelSpec) -> Builder:
    module, function = found.build.split(":")
    builder: Builder = getattr(import_module(module), function)
    return builder
