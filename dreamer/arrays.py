"""The array types that the whole package shares. Must not import anything heavier than NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
"""float32; a picture is ``(height, width, 3)`` RGB in [0, 1]."""

Size = tuple[int, int]
"""``(height, width)`` in pixels."""
