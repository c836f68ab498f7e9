"""HDR -> SDR: PQ and HLG by the curves of their standard.

The one idea: the light that a reference display would emit, as a multiple of the white of ordinary pictures, which
has 203 cd/m2. Up to there nothing is changed, so that what was SDR before it became HDR comes back as it was; what is
brighter (lamps, reflections) is cut off at white.

Must not import anything of the package but `arrays`.

References:
    ITU-R BT.2100-2, tables 4 (PQ) and 5 (HLG). ITU-R BT.2408-5, table 1: the reference white.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray

WHITE = 203.0  # cd/m2
_PQ_PEAK, _HLG_PEAK, _HLG_GAMMA = 10_000.0, 1_000.0, 1.2
_A = 0.17883277
_B, _C = 1 - 4 * _A, 0.5 - _A * np.log(4 * _A)


def pq_light(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The light of PQ levels in [0, 1], as a multiple of white."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = levels ** (1 / m2)
    return np.asarray(_PQ_PEAK / WHITE * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1))


def hlg_scene(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The light in [0, 1] that the camera saw, of HLG levels in [0, 1]."""
    return np.where(levels <= 0.5, levels**2 / 3, (np.exp((levels - _C) / _A) + _B) / 12)


def hlg_display(scene: FloatArray, luminance: FloatArray) -> FloatArray:
    """The light of a display of 1000 cd/m2, as a multiple of white.

    Args:
        scene: ``(..., 3)`` the camera's linear RGB.
        luminance: ``(3,)`` how much each primary adds to the luminance.
    """
    bright = np.maximum(scene @ luminance, 1e-9)[..., None]
    return np.asarray(np.float32(_HLG_PEAK / WHITE) * bright ** np.float32(_HLG_GAMMA - 1) * scene, np.float32)
