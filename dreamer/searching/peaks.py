"""What channels usually give, from an index of photos.

Must not import: the command line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dreamer.models.usual import Usual
from dreamer.searching.filling import Index


def usual(index: Index, layers: Sequence[str]) -> Usual:
    """The quantiles of what each channel of some layers gives at the most in the photos of an index.

    Args:
        index: Filled for these layers.
        layers: Their names.
    """
    each = [index.found(name) for name in index.names]
    peaks = {
        layer: np.stack([np.asarray(one[layer]).reshape(-1, one[layer].shape[-1]).max(axis=0) for one in each])
        for layer in layers
    }
    return Usual.of_peaks(peaks)
