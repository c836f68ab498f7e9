"""Arrays by name in an ``.npz`` of our own: how weights are kept that were read from another format, or that ship.

Must not import Keras.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import WeightsError, in_one_line
from dreamer.models import claims


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays in float16, packed.

    Raises:
        OSError: It cannot be written.
        WeightsError: A number is none, or too large for that.
    """
    with np.errstate(over="ignore"):
        halved: dict[str, Any] = {name: np.asarray(array, np.float16) for name, array in arrays.items()}
    for name, array in halved.items():
        if not np.isfinite(array).all():
            raise WeightsError(f"the weights {name} have numbers that float16 cannot hold")
    with path.open("wb") as file:
        np.savez_compressed(file, **halved)


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Read such a file.

    Returns:
        Each array in float32.

    Raises:
        WeightsError: It cannot be read, or claims more than it can hold.
    """
    try:
        # Opened here, since np.load would leave a damaged file open.
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            claims.check_arrays(archive)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return {name: held[name].astype(np.float32) for name in held.files}
    except (OSError, ValueError, LookupError, zipfile.BadZipFile) as error:
        raise WeightsError(f"cannot read the weights at {path}: {in_one_line(error)}") from error
