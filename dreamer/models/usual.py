"""What the channels of a network usually give, so that what stands out in a photo can be told from what always fires.

The one idea: of each channel the peaks in many photos are kept as a few quantiles, under the digest of the weights
that gave them. A peak is then told in words that need no unit: more than so many of a hundred photos give.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray
from dreamer.models import kept

if TYPE_CHECKING:
    from dreamer.models.network import Network

SHARES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
"""Of the photos, at which the peaks of a channel are kept."""

_HALF, _RARE = SHARES.index(0.5), SHARES.index(0.95)
_LEAST_SPAN = (
    0.02  # Of all that a channel gives: one that hardly ever fires has no span between the usual and the rare.
)
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Usual:
    """What channels usually give.

    Attributes:
        layers: By layer the quantiles of each channel's peaks, ``(shares, channels)``.

    Example:
        >>> peaks = np.linspace(0, 10, 101)[:, None]
        >>> usual = Usual.of_peaks({"conv": peaks})
        >>> usual.beats("conv", 0, 9.0), usual.stands_out("conv", np.array([5.0, ])).tolist()
        (0.9, [0.0])
    """

    layers: Mapping[str, FloatArray]

    @classmethod
    def of_peaks(cls, peaks: Mapping[str, NDArray[Any]]) -> Usual:
        """From the peaks in many photos, by layer ``(photos, channels)``."""
        return cls({name: np.asarray(np.quantile(one, SHARES, axis=0), np.float32) for name, one in peaks.items()})

    @classmethod
    def shipped(cls, network: Network) -> Usual | None:
        """Those that come with the package; None where it has none for the network.

        Raises:
            WeightsError: The file is damaged.
        """
        if not network.weights_sha256:
            return None
        path = Path(str(resources.files("dreamer.models").joinpath("usual", _name(network.weights_sha256))))
        return cls(kept.read(path)) if path.is_file() else None

    def save(self, folder: Path, weights_sha256: str) -> Path:
        """Keep them beside those that are shipped.

        Args:
            folder: Where.
            weights_sha256: Of the network.
        """
        path = folder / _name(weights_sha256)
        kept.write(path, self.layers)
        return path

    def stands_out(self, layer: str, values: NDArray[Any]) -> FloatArray:
        """How far values stand out: 0 for what half of the photos reach, 1 for what one in twenty does.

        Args:
            layer: The layer.
            values: ``(..., channels)``.
        """
        held = self.layers[layer]
        span = np.maximum(held[_RARE] - held[_HALF], _LEAST_SPAN * (held[-1] - held[0]) + _TINY)
        return np.asarray((np.asarray(values, np.float32) - held[_HALF]) / span, np.float32)

    def beats(self, layer: str, channel: int, value: float) -> float:
        """The share of photos in which a channel peaks lower."""
        held = self.layers[layer][:, channel]
        if value >= held[-1]:
            return 1.0
        return round(float(np.interp(value, held + np.arange(len(held)) * _TINY, SHARES)), 4)


def _name(weights_sha256: str) -> str:
    return f"{weights_sha256[:16]}.npz"
