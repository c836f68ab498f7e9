"""dreamer: DeepDream and feature visualization on Keras.

    >>> import dreamer
    >>> picture = dreamer.dream("photo.jpg", seed=7)  # doctest: +SKIP

Public names load when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dreamer import images
    from dreamer.dreaming import DreamStep, dream, dream_steps
    from dreamer.errors import DreamerError
    from dreamer.settings import DreamSettings, Target

__version__ = "0.1.0"

_HOMES = {
    "DreamSettings": "dreamer.settings",
    "DreamStep": "dreamer.dreaming",
    "DreamerError": "dreamer.errors",
    "Target": "dreamer.settings",
    "dream": "dreamer.dreaming",
    "dream_steps": "dreamer.dreaming",
}

__all__ = ["DreamSettings", "DreamStep", "DreamerError", "Target", "__version__", "dream", "dream_steps", "images"]


def __getattr__(name: str) -> Any:
    if name == "images":
        return import_module("dreamer.images")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'dreamer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
