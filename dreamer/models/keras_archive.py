"""Opening a ``.keras`` file of somebody else's: what it claims is checked first, and what goes wrong is explained.

The one idea: Keras builds a network of whatever size the file describes, and only then looks for its weights. So the
network is first described without memory for its weights, and compared with what the file can hold.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
from keras.src.backend.common import global_state

from dreamer.errors import WeightsError, in_one_line
from dreamer.files import regular
from dreamer.models import claims
from dreamer.models.foreign_files import hdf5, saved_by_words, this_keras

_CONFIG, _METADATA = "config.json", "metadata.json"
_WEIGHTS = ("model.weights.h5", "model.weights.npz")
_MOST_TEXT = 32_000_000  # Bytes; the description of the largest network of keras.applications has two million.
_PACKED = 2  # Numbers to a byte, for weights of four bits.
_STEPWISE = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN"})
_SMALL = 1_000_000  # Numbers that a network may have besides those in the file.


def load(path: Path) -> Any:
    """Load what is in a ``.keras`` file, in Keras's safe mode: no code in it is run.

    Args:
        path: The file.

    Returns:
        Whatever Keras makes of it.

    Raises:
        WeightsError: It is damaged, claims more than it can hold, or cannot be loaded by this version of Keras.
    """
    version = ""
    try:
        with regular.open_regular(path) as file, zipfile.ZipFile(file) as archive:
            claims.check_archive(archive)
            version = str(json.loads(_text(archive, _METADATA)).get("keras_version", ""))
            _check_weights(archive)
            _check_size(archive)
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except WeightsError as error:
        raise WeightsError(f"cannot read {path}: {error}") from error
    except zipfile.BadZipFile as error:
        raise WeightsError(hdf5(path) if h5py.is_hdf5(path) else _reason(path, version, error)) from error
    # Keras raises what its layers raise, for files that are damaged, unsafe or need code of their own.
    except Exception as error:
        raise WeightsError(_reason(path, version, error)) from error


def _text(archive: zipfile.ZipFile, name: str) -> str:
    size = archive.getinfo(name).file_size
    if size > _MOST_TEXT:
        raise WeightsError(f"{name} has {size / 1e6:,.0f} MB; no network needs that to be described")
    return archive.read(name).decode("utf-8")


def _check_weights(archive: zipfile.ZipFile) -> None:
    for name in set(_WEIGHTS) & set(archive.namelist()):
        stored = archive.getinfo(name).compress_type == zipfile.ZIP_STORED
        # To go back and forth in a compressed member takes for ever; it is small enough, or it was refused.
        with archive.open(name) if stored else io.BytesIO(archive.read(name)) as member:
            if name.endswith(".npz"):
                with zipfile.ZipFile(member) as arrays:
                    claims.check_archive(arrays)
            else:
                with h5py.File(member) as weights:
                    claims.check_hdf5(weights)


def _check_size(archive: zipfile.ZipFile) -> None:
    """Refuse a network that is larger than its weights in the file."""
    described = _without_states(_text(archive, _CONFIG))
    described["compile_config"] = None
    # Other members hold no weights, however many there are.
    held = sum(archive.getinfo(name).file_size for name in set(_WEIGHTS) & set(archive.namelist()))
    waiting = list(global_state.get_global_attribute("uninitialized_variables", []))
    # In this scope variables have a shape, and memory only when somebody asks for it.
    with keras.StatelessScope(initialize_variables=False):
        network = keras.saving.deserialize_keras_object(described, safe_mode=True)
    global_state.set_global_attribute("uninitialized_variables", waiting)
    count = sum(math.prod(weight.shape) for weight in getattr(network, "weights", []))
    if count > _PACKED * held + _SMALL:
        raise WeightsError(
            f"it describes a network of {count:,} weights, but has {held:,} bytes, which cannot hold them; "
            "none of it was built"
        )


def _without_states(text: str) -> dict[str, Any]:
    """What a file describes, with recurrent layers that keep no state from batch to batch.

    Such a layer has variables for its state, which nothing can make where a network is only described.

    Raises:
        WeightsError: The states would be larger than anybody needs.
    """
    batches, states = [1], [0]

    def seen(one: dict[str, Any]) -> dict[str, Any]:
        config = one.get("config")
        shape = one.get("batch_shape")
        if isinstance(shape, list) and shape and isinstance(shape[0], int):
            batches.append(shape[0])
        if one.get("class_name") not in _STEPWISE or not isinstance(config, dict) or config.get("stateful") is not True:
            return one
        cell = config.get("cell")
        sized = cell.get("config", {}) if isinstance(cell, dict) else config
        states.append(sized["units"] if isinstance(sized.get("units"), int) else 1)
        return one | {"config": config | {"stateful": False}}

    described: dict[str, Any] = json.loads(text, object_hook=seen)
    if max(batches) * sum(states) > _SMALL:
        raise WeightsError(
            f"it keeps states of {sum(states):,} numbers for a batch of {max(batches):,}; none of it was built"
        )
    return described


def _reason(path: Path, version: str, error: Exception) -> str:
    cause = _cause(path, error)
    saved = f"saved by {saved_by_words(version)}, this is {this_keras()}"
    if re.search(r"\blambda\b", cause, re.IGNORECASE):
        return (
            f"{path} holds code of its own (a Lambda layer), which dreamer does not run. Save the network without it "
            f"({saved}; {cause})"
        )
    foreign = re.search(r"Could not locate (class|function) '([^']*)'", cause)
    if foreign:
        kind = "layers" if foreign[1] == "class" else "functions"
        return (
            f"{path} needs {kind} that are not in Keras: {foreign[2]!r}. dreamer can only load networks of Keras's own "
            f"layers and functions ({saved}; {cause})"
        )
    if version:
        return f"cannot read {path}: it is damaged, or needs another version of Keras: {saved} ({cause})"
    return f"cannot read {path}: it is damaged or no .keras file ({cause})"


def _cause(path: Path, error: Exception) -> str:
    """What went wrong in the first place, whole, but without the descriptions of layers that Keras prints with it."""
    first = (
        in_one_line(error)
        .replace(str(path), "it")
        .rpartition("Exception encountered: ")[2]
        .partition(" Full object config: ")[0]
    )
    return f"{type(error).__name__}: {first}"
