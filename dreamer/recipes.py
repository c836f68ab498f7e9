"""What every picture says of itself: with what it was made, and how.

(How each format keeps it, ``images.recipes`` knows.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from dreamer import __version__
from dreamer.models.vision_model import VisionModel


def recipe_of(network: VisionModel, settings: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, object]:
    """What every recipe says, as JSON can hold it.

    Args:
        network: What the picture was made with.
        settings: All that was set.
        files: The SHA-256 of each file that the settings name.
    """
    prepared = network.spec.preprocessing
    return {
        "program": "dreamer",
        "version": __version__,
        "settings": dict(settings),
        "files_sha256": dict(files),
        "weights_sha256": network.weights_sha256,
        "preprocessing": prepared.to_dict() if prepared else None,
        "libraries": {"keras": keras.__version__, "backend": keras.backend.backend(), "numpy": np.__version__},
    }
