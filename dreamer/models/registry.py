"""Finding a network by what a person types, and loading it.

Imports nothing heavy; :func:`load` does, when it is called.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from dreamer.errors import MissingWeightsError, ModelError, SettingsError, UnknownModelError, close_matches
from dreamer.models import fetching, foreign_files, keras_file, store
from dreamer.models.preprocessing import GENERAL, PREPROCESSINGS, Preprocessing
from dreamer.models.specs import KERAS_PREFIX, ModelSpec, Takes, known
from dreamer.models.weights import HeldWeights, has_classifier
from dreamer.wording import shown

if TYPE_CHECKING:
    import keras

    from dreamer.models.layered import Layered
    from dreamer.models.network import Network
    from dreamer.models.plain import PlainNetwork

    Builder = Callable[[Path, ModelSpec], keras.Model]

Chosen = TypeVar("Chosen", bound="_Chosen")

_ALIASES = {f"{KERAS_PREFIX}InceptionV3": "inception_v3"}


def spec(name: str, preprocessing: str | Preprocessing | None = None) -> ModelSpec:
    """Look a network up.

    Args:
        name: A known name, ``keras:NAME``, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file; a name in ``GENERAL``.

    Raises:
        UnknownModelError: There is none of that name, or no such file.
        SettingsError: The file beside a ``.keras`` file is wrong, or the preprocessing is unknown.

    Example:
        >>> spec("keras:VGG16").preprocessing.order
        'BGR'
    """
    if keras_file.is_path(name):
        found = keras_file.spec(name)
    else:
        found = _known(name)
        if preprocessing is not None:
            raise SettingsError(
                f"how pictures are prepared for {name} is known; preprocessing is for networks of your own"
            )
    return found if preprocessing is None else dataclasses.replace(found, preprocessing=_preprocessing(preprocessing))


def _preprocessing(said: str | Preprocessing) -> Preprocessing:
    if isinstance(said, Preprocessing):
        return said
    if said not in GENERAL:
        raise SettingsError(
            f"there is no preprocessing {said!r}; expected one of {', '.join(GENERAL)}. "
            "Others can be described in a .toml beside the network"
        )
    return PREPROCESSINGS[said]


def _known(name: str) -> ModelSpec:
    try:
        return known()[_ALIASES.get(name, name)]
    except KeyError:
        if os.path.exists(name):  # noqa: PTH110  It takes any name.
            raise UnknownModelError(foreign_files.explained(Path(name))) from None
        named = [known_name for known_name in known() if not known_name.startswith(KERAS_PREFIX)]
        raise UnknownModelError(
            f"there is no network {shown(name)}.{close_matches(name, known())} "
            f"Known: {', '.join(named)}, {KERAS_PREFIX}NAME, and the path of a .keras file"
        ) from None


def load(
    network: str | Path | keras.Model | Network,
    preprocessing: str | Preprocessing | None = None,
    *,
    labels: Sequence[str] | str | Path | None = None,
    layer: str | None = None,
) -> Network:
    """Load a network with its weights; fetches them if they are not there.

    The networks that were loaded last are kept, and given again while their weights are the same.

    Args:
        network: A known name, ``keras:NAME``, the path of a ``.keras`` file, or a Keras network, of which a copy is
            taken. A :class:`Network` is given back as it is.
        preprocessing: How pictures are prepared for a network of your own: ``"0..1"``, ``"0..255"``, ``"-1..1"``,
            ``"imagenet"``, ``"caffe"``, or a :class:`~dreamer.models.preprocessing.Preprocessing`.
        labels: The classes of a network of your own in the order of its logits, or a text file with a name a line.
        layer: To dream with where none is named.

    Returns:
        The network, ready to be cut to the layers asked for.

    Raises:
        UnknownModelError: There is none of that name.
        SettingsError: What is said of it is unknown, or known already.
        ModelError: A Keras network is not one of a single picture.
        WeightsError: Its weights are damaged, or cannot be fetched.

    Example:
        >>> load("efficientnet_lite0").channels("block4b")
        80
    """
    from dreamer.models.network import Network

    if isinstance(network, Network):
        if (preprocessing, labels, layer) != (None, None, None):
            raise SettingsError(f"{network.spec.name} is loaded already; say how when it is loaded")
        return network
    said = None if labels is None else str(labels) if isinstance(labels, str | Path) else tuple(labels)
    if not isinstance(network, str | Path):
        from dreamer.models import held

        prepared = None if preprocessing is None else _preprocessing(preprocessing)
        return held.network_of(network, preprocessing=prepared, labels=said, layer=layer)
    found = spec(str(network), preprocessing)
    found = dataclasses.replace(found, labels=said or found.labels, default_layer=layer or found.default_layer)
    try:
        stamp = found.weights.stamp()
    except MissingWeightsError:
        fetching.ensure(found)
        stamp = found.weights.stamp()
    return _loaded(found, stamp)


def load_plain(
    network: str | Path | keras.Model | PlainNetwork,
    *,
    takes: Takes,
    labels: Sequence[str] | str | Path | None = None,
) -> PlainNetwork:
    """Load a network that takes rows of a table, or sequences.

    Args:
        network: The path of a ``.keras`` file, or a Keras network, of which a copy is taken. A
            :class:`~dreamer.models.plain.PlainNetwork` is given back as it is.
        takes: What it is to take: ``"row"`` or ``"sequence"``.
        labels: Its classes in the order of its logits, or a text file with a name a line.

    Raises:
        UnknownModelError: There is no such file.
        WeightsError: It is damaged.
        ModelError: The network takes something else; the message says which command is for it.
    """
    from dreamer.models.plain import PlainNetwork

    said = None if labels is None else str(labels) if isinstance(labels, str | Path) else tuple(labels)
    if isinstance(network, PlainNetwork):
        found = network
    elif isinstance(network, str | Path):
        if not keras_file.is_path(str(network)) and str(network) in known():
            raise _taken_otherwise(str(network), "picture", takes)
        described = keras_file.spec(str(network))
        found = _loaded_plain(
            dataclasses.replace(described, labels=said or described.labels), described.weights.stamp()
        )
    else:
        from dreamer.models import held

        found = held.plain_of(network, labels=said)
    if found.takes != takes:
        raise _taken_otherwise(found.spec.name, found.takes, takes)
    return found


_COMMANDS: dict[Takes, str] = {
    "picture": "dreamer visualize and dreamer dream", "row": "dreamer row", "sequence": "dreamer text",
}  # fmt: skip
"""What looks at a network, by what it takes."""


def _taken_otherwise(name: str, takes: Takes, wanted: Takes) -> ModelError:
    return ModelError(f"{name} takes a {takes}, and a network that takes a {wanted} is expected here; {name} is for "
                      f"{_COMMANDS[takes]}")  # fmt: skip


@lru_cache(maxsize=4)
def _loaded_plain(found: ModelSpec, _stamp: str) -> PlainNetwork:
    from dreamer.models import keras_archive
    from dreamer.models.plain import PlainNetwork

    located = found.weights.locate()
    return PlainNetwork(found, keras_archive.load(located.path), located.sha256)


def load_for(settings: Chosen, network: Network | str | None = None) -> tuple[Network, Chosen]:
    """Load the network of settings, or another in its place.

    Args:
        settings: They have ``model`` and ``preprocessing``.
        network: A name, a path, or what :func:`load` gave, in place of what they name; None for what they name.

    Returns:
        The network, and settings that name it, as far as words can.

    Raises:
        ModelError: As for :func:`load`.
    """
    from dreamer.models.network import Network

    if not isinstance(network, Network):
        named = settings if network is None else dataclasses.replace(settings, model=network)
        return load(named.model, named.preprocessing), named
    general = {PREPROCESSINGS[name]: name for name in GENERAL} if keras_file.is_path(network.spec.name) else {}
    known = None if network.spec.preprocessing is None else general.get(network.spec.preprocessing)
    return network, dataclasses.replace(settings, model=network.spec.name, preprocessing=known)


def ensure(name: str, preprocessing: str | None = None) -> None:
    """Make sure that the weights of a network are there; fetches them if they are not.

    Raises:
        UnknownModelError: There is none of that name.
        WeightsError: They cannot be fetched.
    """
    fetching.ensure(spec(name, preprocessing))


def name_of(network: Network) -> str:
    """The name or path by which another process can load a network.

    Raises:
        SettingsError: It is in the memory of this process only.
    """
    if isinstance(network.spec.weights, HeldWeights):
        raise SettingsError(
            f"the network {network.spec.name} is in the memory of this process only, and others are to work with it; "
            "save it with network.save('mine.keras') and name the file"
        )
    return network.spec.name


@lru_cache(maxsize=4)
def _loaded(found: ModelSpec, _stamp: str) -> Network:
    from dreamer.models.network import Network

    located = found.weights.locate()
    module, function = found.build.split(":")
    builder: Builder = getattr(import_module(module), function)
    return Network(found, builder(located.path, found), located.sha256)


def sketch(name: str) -> Layered:
    """A network to look at its layers, whatever it takes: without weights where it can be built without them.

    Raises:
        UnknownModelError: There is none of that name.
        WeightsError: Its layers cannot be known without the weights, and those cannot be had.
    """
    found = spec(name)
    if keras_file.is_path(name):
        plain = _loaded_plain(found, found.weights.stamp())
        return load(name) if plain.takes == "picture" else plain
    if found.application is None:
        return load(name)
    from dreamer.models import keras_applications
    from dreamer.models.network import Network

    installed = store.find(found.name)
    classifier = installed is None or has_classifier(installed.network)
    return Network(found, keras_applications.architecture(found, classifier=classifier))


class _Chosen(Protocol):
    """Settings that name a network; a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def model(self) -> str: ...

    @property
    def preprocessing(self) -> str | None: ...
