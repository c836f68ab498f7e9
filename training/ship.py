"""Writes the student of a training as a network.

    python -m training.ship run mine.keras     any network, for --model mine.keras; mine.toml and mine.txt beside it
    python -m training.ship run robust.npz     an EfficientNet-Lite in half the bits, as dreamer ships one

Prints size and digest of the file.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from dreamer.errors import DreamerError, SettingsError
from dreamer.files.digests import digest_of
from dreamer.models import kept
from training import state

if TYPE_CHECKING:
    import keras

    from dreamer.models.network import Network


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of the training")
    parser.add_argument("file", type=Path, help="what to write: a .keras or an .npz")
    options = parser.parse_args(arguments)
    try:
        path = ship(options.run, options.file)
    except DreamerError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    print(json.dumps({"file": path.name, "size": path.stat().st_size, "sha256": digest_of(path)}))


def ship(run: Path, path: Path) -> Path:
    """Write the student of a training.

    Raises:
        SettingsError: There is no training, or the file exists or has another suffix.
    """
    if path.suffix not in (".keras", ".npz"):
        raise SettingsError(f"{path} has the suffix {path.suffix!r}; expected .keras or .npz")
    beside = [path.with_suffix(".toml"), path.with_suffix(".txt")] if path.suffix == ".keras" else []
    for one in (path, *beside):
        if one.exists():
            raise SettingsError(f"{one} is there already; name another file")
    teacher, built = student(run)
    if path.suffix == ".npz":
        kept.write(path, arrays_of(built))
        return path
    built.save(path)
    _describe(teacher, *beside)
    return path


def student(run: Path) -> tuple[Network, keras.Model]:
    """The teacher of a training, and a Keras network with the mean of the student's weights."""
    import keras
    from keras import ops

    from dreamer.models import registry
    from training.student import Weights

    teacher = registry.load(state.what(run))
    weights = Weights(teacher)
    whole = weights.model
    built = keras.models.clone_model(keras.Model(whole.inputs, whole.output[weights.layer]))
    built.set_weights(whole.get_weights())
    arrays = weights.vector.arrays(ops.convert_to_tensor(state.mean_of(run)))
    for variable, array in zip(built.trainable_variables, arrays, strict=True):
        variable.assign(array)
    return teacher, built


def arrays_of(network: keras.Model) -> dict[str, np.ndarray]:
    """Every variable, by ``layer.kernel`` or ``layer.bias``, as ``models.efficientnet_lite`` reads them."""
    return {f"{layer.name}.{variable.name}": variable.numpy() for layer in network.layers for variable in layer.weights}


def _describe(teacher: Network, table: Path, names: Path) -> None:
    """What is known of the teacher holds for the student: how pictures are prepared, the names of its classes."""
    prepared = teacher.spec.preprocessing
    lines = []
    if prepared is not None:
        lines.append(
            f"preprocessing = {{ mean = {list(prepared.mean)}, std = {list(prepared.std)}, order = "
            f'"{prepared.order}" }}'
        )
    if teacher.labels:
        names.write_text("".join(f"{label.name}\n" for label in teacher.labels), encoding="utf-8")
        lines.append(f'labels = "{names.name}"')
    table.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
