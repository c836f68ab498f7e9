"""dreamer: DeepDream and feature visualization on Keras.

    >>> import dreamer
    >>> picture = dreamer.dream("photo.jpg", seed=7)  # doctest: +SKIP

Public names load when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dreamer import images, objectives, presets
    from dreamer.drawing import Visualization
    from dreamer.dreaming import DreamStep, dream, dream_steps
    from dreamer.errors import DreamerError
    from dreamer.objectives import Objective
    from dreamer.robustness import Transforms
    from dreamer.settings import DreamSettings, VisualizeSettings
    from dreamer.visualizing import VisualizeStep, visualize, visualize_steps
    from dreamer.zooming import ZoomStep, zoom_steps

__version__ = "0.1.0"

_HOMES = {
    "DreamSettings": "dreamer.settings",
    "DreamStep": "dreamer.dreaming",
    "DreamerError": "dreamer.errors",
    "Objective": "dreamer.objectives",
    "Transforms": "dreamer.robustness",
    "Visualization": "dreamer.drawing",
    "VisualizeSettings": "dreamer.settings",
    "VisualizeStep": "dreamer.visualizing",
    "dream": "dreamer.dreaming",
    "dream_steps": "dreamer.dreaming",
    "visualize": "dreamer.visualizing",
    "visualize_steps": "dreamer.visualizing",
    "ZoomStep": "dreamer.zooming",
    "zoom_steps": "dreamer.zooming",
}

__all__ = [
    "DreamSettings",
    "DreamStep",
    "DreamerError",
    "Objective",
    "Transforms",
    "Visualization",
    "VisualizeSettings",
    "VisualizeStep",
    "ZoomStep",
    "__version__",
    "dream",
    "dream_steps",
    "images",
    "objectives",
    "presets",
    "visualize",
    "visualize_steps",
    "zoom_steps",
]


def __getattr__(name: str) -> Any:
    if name in ("images", "objectives", "presets"):
        return import_module(f"dreamer.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'dreamer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
