"""A user's own network: a ``.keras`` file, and what a small TOML beside it says of it.

The one idea: everything that a known network has in the table, one's own has in ``net.toml`` beside
``net.keras``, and none of it must be there:

    preprocessing = "-1..1"      # or a table: { mean = [0.5, 0.5, 0.5], std = 0.25, order = "RGB" }
    layer = "block4_conv3"       # to dream with where none is named
    labels = "names.txt"         # class names, one a line; a file beside it, or in a folder there; or a list of them
    vocabulary = "chars.txt"     # of a network of characters or tokens, likewise

Tables of it are the columns that a network of rows takes, as :mod:`dreamer.tabular.columns` reads them.

The file is loaded in Keras's safe mode: no code in it is run.

Must not import Keras or anything heavy before a network is built.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.errors import ModelError, SettingsError, UnknownModelError, close_matches
from dreamer.files.documents import read_toml
from dreamer.files.regular import lies_within
from dreamer.models import foreign_files
from dreamer.models.preprocessing import GENERAL, PREPROCESSINGS, RGB, Preprocessing
from dreamer.models.specs import ModelSpec, Takes
from dreamer.models.weights import FileWeights
from dreamer.wording import shown

if TYPE_CHECKING:
    import keras

_SUFFIX = ".keras"
_LEAST_STD = 1e-6  # Dividing by less leaves the range of float32.
_KEYS = ("preprocessing", "layer", "labels", "vocabulary")
_RANK_OF_SEQUENCES = 3  # (batch, steps, one number for each of the vocabulary)


def is_path(name: str) -> bool:
    """Whether what a person typed is the path of a file rather than a name.

    Example:
        >>> is_path("nets/mine.keras"), is_path("keras:VGG16")
        (True, False)
    """
    return name.lower().endswith((_SUFFIX, *foreign_files.SUFFIXES)) or "/" in name or "\\" in name


def spec(name: str) -> ModelSpec:
    """What is known of a network in a file.

    Args:
        name: Its path.

    Raises:
        UnknownModelError: There is no such file, or it has another format.
        SettingsError: The TOML beside it is wrong.
    """
    path = Path(name)
    if not os.path.exists(path):  # noqa: PTH110  It takes any name.
        raise UnknownModelError(f"there is no file {name}")
    if path.suffix.lower() != _SUFFIX or not path.is_file():
        raise UnknownModelError(foreign_files.explained(path))
    said = described(path.with_suffix(".toml"))
    return ModelSpec(
        name=name,
        title="a network of your own",
        build="dreamer.models.keras_file:build",
        weights=FileWeights(path.absolute()),
        preprocessing=said.get("preprocessing"),
        default_layer=said.get("layer"),
        labels=said.get("labels"),
        vocabulary=said.get("vocabulary"),
    )


def build(weights: Path, spec: ModelSpec) -> keras.Model:
    """Load a network of pictures from its file, and make it end in logits.

    Args:
        weights: The ``.keras`` file.
        spec: What is known of it.

    Returns:
        A network of one picture, with the softmax taken off its end.

    Raises:
        WeightsError: The file is damaged, or needs code that is not in Keras.
        ModelError: The network is not one of a single picture.
    """
    from dreamer.models import keras_archive

    network = keras_archive.load(weights)
    check(network, spec.name)
    take_off_softmax(network)
    return network


def check_whole(network: Any, name: str) -> None:
    """Make sure that a Keras network can be taken apart.

    Raises:
        ModelError: It cannot.
    """
    import keras

    if isinstance(network, keras.Sequential) and not network.built:
        raise ModelError(
            f"{name} was saved before it saw anything; start it with keras.Input, as keras.Input((height, width, 3))"
        )
    if not isinstance(network, keras.Sequential) and not hasattr(network, "operations"):
        raise ModelError(
            f"{name} is a {type(network).__name__}, a model of its own class; dreamer needs a functional or sequential "
            "network"
        )


def check(network: Any, name: str) -> None:
    """Make sure that a Keras network is one of a single picture.

    Raises:
        ModelError: It is not.
    """
    check_whole(network, name)
    commands = {"row": "dreamer row", "sequence": "dreamer text"}
    command = commands.get(takes(network))
    elsewhere = f". Networks of {command.split()[-1]}s are for {command}" if command else ""
    if len(network.inputs) != 1:
        raise ModelError(
            f"{name} has {len(network.inputs)} inputs; dreamer needs a network of a single picture{elsewhere}"
        )
    shape = tuple(network.inputs[0].shape)
    if len(shape) != 4 or shape[-1] not in (1, 3):
        raise ModelError(
            f"{name} takes {shape}; dreamer needs (batch, height, width, channels) with 1 or 3 channels"
            f"{elsewhere}{_before(shape)}"
        )


def takes(network: Any) -> Takes:
    """What a Keras network takes: a picture, a row of a table, or a sequence of characters or tokens.

    Example:
        >>> import keras
        >>> takes(keras.Sequential([keras.Input((7,)), keras.layers.Dense(2)]))
        'row'
    """
    ranks = [len(one.shape) for one in network.inputs]
    if max(ranks) > _RANK_OF_SEQUENCES:
        return "picture"
    return "sequence" if max(ranks) == _RANK_OF_SEQUENCES or _has_recurrent(network) else "row"


def _has_recurrent(network: Any) -> bool:
    """Whether some layer goes from step to step."""
    import keras

    kinds = (keras.layers.RNN, keras.layers.Bidirectional)
    inner = [one for one in network.layers if hasattr(one, "layers")]
    return any(isinstance(one, kinds) for one in network.layers) or any(map(_has_recurrent, inner))


def _before(shape: tuple[int | None, ...]) -> str:
    """What to put before a network of rows, or of channels first, to make it one of pictures; nothing for others."""
    if len(shape) == 4 and shape[1] in (1, 3):
        picture, layer = (*shape[2:], shape[1]), "Permute((3, 1, 2))"
    elif len(shape) == 3 and None not in shape[1:]:
        picture, layer = (*shape[1:], 1), f"Reshape({shape[1:]})"
    elif len(shape) == 2 and shape[1] and math.isqrt(shape[1]) ** 2 == shape[1]:
        picture, layer = (math.isqrt(shape[1]), math.isqrt(shape[1]), 1), "Flatten()"
    else:
        return ""
    layers = f"[keras.Input({picture}), keras.layers.{layer}, network]"
    return f". If those are pictures, save this one: keras.Sequential({layers})"


def take_off_softmax(network: Any) -> None:
    """Make a network end in logits: a probability has next to no gradient where it is near 0 or 1."""
    import keras

    for output in network.outputs:
        last = output._keras_history.operation
        if hasattr(last, "outputs"):
            take_off_softmax(last)
        elif getattr(last, "activation", None) is keras.activations.softmax:
            last.activation = keras.activations.linear


def tables(path: Path) -> dict[str, Any]:
    """What a TOML file beside a network says, unchecked; nothing where there is none.

    Raises:
        SettingsError: It cannot be read.
    """
    try:
        return read_toml(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SettingsError(f"cannot read {path}: {reason}") from error


def described(path: Path) -> dict[str, Any]:
    """What a TOML file says of a network, its columns left out; nothing where there is none.

    Raises:
        SettingsError: It cannot be read, or says what nobody knows.
    """
    said = tables(path)
    said = {key: value for key, value in said.items() if not is_column(value)}
    for key in said:
        if key not in _KEYS:
            raise SettingsError(
                f"{path} has an unknown key {shown(key)}.{close_matches(key, _KEYS)} Known: {', '.join(_KEYS)}"
            )
    names = said.get("labels")
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        said["labels"] = tuple(names)
    for key in ("layer", "labels", "vocabulary"):
        if not isinstance(said.get(key, ""), (str, tuple) if key == "labels" else str):
            raise SettingsError(f"{path}: {key} is {shown(said[key])}; expected text")
    for key in ("labels", "vocabulary"):
        if isinstance(said.get(key), str):
            said[key] = _beside(path, key, said[key])
    if "preprocessing" in said:
        said["preprocessing"] = _preprocessing(said["preprocessing"], path)
    return said


def is_column(value: object) -> bool:
    """Whether a value in such a file is the column of a table; :mod:`dreamer.tabular.columns` reads those."""
    return isinstance(value, Mapping) and "kind" in value


def _beside(path: Path, key: str, file: str) -> str:
    """A file that the TOML names: one that lies beside it, since the two may come from somebody else."""
    place = path.parent / file
    if not lies_within(path.parent, place):
        raise SettingsError(
            f"{path}: {key} is {shown(file)}, which does not lie beside it, so it is not read. Copy the file there"
        )
    return str(place.absolute())


def _preprocessing(said: object, path: Path) -> Preprocessing:
    if isinstance(said, str) and said in GENERAL:
        return PREPROCESSINGS[said]
    known = ("mean", "std", "order")
    if not isinstance(said, Mapping) or not set(said) <= set(known):
        raise SettingsError(
            f"{path}: preprocessing is {shown(said)}; expected one of {', '.join(GENERAL)}, or a table with "
            f"{', '.join(known)}"
        )
    order = said.get("order", "RGB")
    if order not in ("RGB", "BGR"):
        raise SettingsError(f"{path}: order is {shown(order)}; expected 'RGB' or 'BGR'")
    std = _colors(said.get("std", 1.0), "std", path)
    if min(map(abs, std)) < _LEAST_STD:
        raise SettingsError(f"{path}: std is {shown(said['std'])}; expected numbers of {_LEAST_STD:g} or more")
    return Preprocessing(_colors(said.get("mean", 0.0), "mean", path), std, order)


def _colors(value: object, key: str, path: Path) -> RGB:
    numbers: list[Any] = value if isinstance(value, list) else [value] * 3
    if len(numbers) != 3 or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        raise SettingsError(f"{path}: {key} is {shown(value)}; expected a number, or three for red, green and blue")
    try:
        red, green, blue = (float(number) for number in numbers)
    except OverflowError:
        red = green = blue = math.inf
    if not all(math.isfinite(number) for number in (red, green, blue)):
        raise SettingsError(f"{path}: {key} is {shown(value)}; expected finite numbers")
    return red, green, blue
