"""dreamer: DeepDream and feature visualization on Keras.

    >>> import dreamer
    >>> picture = dreamer.dream("photo.jpg", seed=7)  # doctest: +SKIP

Public names load when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamer import lazy, moved
from dreamer.version import __version__

if TYPE_CHECKING:
    from dreamer import images, objectives, presets
    from dreamer.dreaming.settings import DreamSettings
    from dreamer.dreaming.steps import DreamStep, dream, dream_steps
    from dreamer.dreaming.zoom import ZoomStep, zoom_steps
    from dreamer.errors import DreamerError
    from dreamer.models.network import Network
    from dreamer.models.registry import load
    from dreamer.objectives import Objective
    from dreamer.transforms import Transforms
    from dreamer.visualizing.batch import Visualization
    from dreamer.visualizing.settings import VisualizeSettings
    from dreamer.visualizing.steps import VisualizeStep, visualize, visualize_steps

__all__ = [
    "DreamSettings",
    "DreamStep",
    "DreamerError",
    "Network",
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
    "load",
    "objectives",
    "presets",
    "visualize",
    "visualize_steps",
    "zoom_steps",
]

__getattr__, __dir__ = lazy.exports(
    "dreamer",
    {
        "DreamSettings": "dreamer.dreaming.settings",
        "DreamStep": "dreamer.dreaming.steps",
        "DreamerError": "dreamer.errors",
        "Network": "dreamer.models.network",
        "Objective": "dreamer.objectives",
        "Transforms": "dreamer.transforms",
        "Visualization": "dreamer.visualizing.batch",
        "VisualizeSettings": "dreamer.visualizing.settings",
        "VisualizeStep": "dreamer.visualizing.steps",
        "ZoomStep": "dreamer.dreaming.zoom",
        "dream": "dreamer.dreaming.steps",
        "dream_steps": "dreamer.dreaming.steps",
        "images": "dreamer.images",
        "load": "dreamer.models.registry",
        "objectives": "dreamer.objectives",
        "presets": "dreamer.presets",
        "visualize": "dreamer.visualizing.steps",
        "visualize_steps": "dreamer.visualizing.steps",
        "zoom_steps": "dreamer.dreaming.zoom",
    },
)
moved.watch()
