"""The state of a training in its folder: arrays that are replaced whole, and how it was gone on with.

Must not import Keras before there is something to save.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from dreamer.arrays import FloatArray
from dreamer.errors import SettingsError

_FILE = "state.npz"


def save(folder: Path, step: int, arrays: list[Any], of: tuple[str, ...]) -> None:
    """Put the state in place of the one before; an interruption leaves one of the two.

    Args:
        folder: Of the training.
        step: How many steps it has taken.
        arrays: The state; the last of them is the mean of the weights.
        of: What is trained, so that no other goes on with it.
    """
    temporary = folder / "state.tmp"
    from keras import ops

    held = {f"state_{index}": ops.convert_to_numpy(one) for index, one in enumerate(arrays)}
    with temporary.open("wb") as file:
        np.savez(file, step=step, of=np.array(of), **held)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / _FILE)


def begun(folder: Path, of: tuple[str, ...]) -> tuple[list[Any], int] | None:
    """The arrays of a training that was begun, and its steps; None for a new one.

    Raises:
        SettingsError: The folder holds a training of something else.
    """
    if not (folder / _FILE).exists():
        return None
    with _opened(folder) as found:
        there = tuple(str(one) for one in _of(found, folder))
        if there != of:
            raise SettingsError(f"{folder} holds a training of {there[0]}, not of {of[0]}; name another folder")
        return [found[f"state_{index}"] for index in range(_count(found))], int(found["step"])


def what(folder: Path) -> str:
    """What is trained there.

    Raises:
        SettingsError: There is no training in the folder.
    """
    with _opened(folder) as found:
        return str(_of(found, folder)[0])


def mean_of(folder: Path) -> FloatArray:
    """The mean of the weights of a training, as a vector.

    Raises:
        SettingsError: There is no training in the folder.
    """
    with _opened(folder) as found:
        return np.asarray(found[f"state_{_count(found) - 1}"], np.float32)


def note(folder: Path, said: dict[str, Any]) -> None:
    """Add to ``runs.jsonl`` how the training goes on."""
    with (folder / "runs.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(said) + "\n")


def _of(found: Any, folder: Path) -> Any:
    if "of" not in found.files:
        raise SettingsError(f"the training in {folder} is of an earlier version of these programs; begin a new one")
    return found["of"]


def _count(found: Any) -> int:
    return sum(name.startswith("state_") for name in found.files)


def _opened(folder: Path) -> Any:
    path = folder / _FILE
    if not path.exists():
        raise SettingsError(f"there is no training in {folder}; expected {path.name}, which training writes")
    return np.load(path, allow_pickle=False)
