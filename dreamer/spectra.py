"""The magnitude spectrum of photos: what a folder of them has in the mean, kept in a file.

Must not import: networks, the command line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dreamer.arrays import FloatArray
from dreamer.errors import SettingsError


def read(path: str | Path) -> FloatArray:
    """Read what ``dreamer spectrum`` wrote.

    Returns:
        ``(side, side // 2 + 1, 3)`` float32, not negative.

    Raises:
        SettingsError: There is no such file, or it is no spectrum.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            found = np.asarray(held["magnitude"], np.float32)
    except (OSError, ValueError, KeyError, EOFError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no spectrum"
        raise SettingsError(f"cannot read {path}: {reason}. Make one with: dreamer spectrum FOLDER") from error
    fits = found.ndim == 3 and found.shape[1:] == (found.shape[0] // 2 + 1, 3)
    if not fits or not np.isfinite(found).all() or found.min() < 0:
        raise SettingsError(f"{path} holds no spectrum of photos. Make one with: dreamer spectrum FOLDER")
    return found
