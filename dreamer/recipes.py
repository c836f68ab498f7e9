"""What every picture says of itself: with what it was made, and how. Written here, and checked when it is read back.

(How each format keeps it, ``images.recipes`` knows.)

Must not import Keras or anything heavy before a recipe is written: the command line checks what it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dreamer.errors import SettingsError
from dreamer.shapes import Shape, problem
from dreamer.version import __version__
from dreamer.wording import shown

if TYPE_CHECKING:
    from pathlib import Path

    from dreamer.models.layered import Layered
    from dreamer.priors.loading import Prior

FORMAT = 1
"""Of the recipes written today. Those before the first number are the same without it."""

_PREPROCESSING: Shape = {"mean": [float], "std": [float], "order": str}
_FOLDED: Shape = {"settings": {str: object}, "files_sha256": {str: str}, "preset": str}
"""Of what recipes of dreams share; whole again, each of them is checked as one."""

SHAPE: Shape = {
    "format": int,
    "program": str,
    "version": str,
    "command": str,
    "settings": {str: object},  # The settings themselves check these.
    "files_sha256": {str: str},
    "weights_sha256": (str, None),
    "jointly_with_sha256": {str: str},
    "prior_sha256": str,
    "preprocessing": (_PREPROCESSING, None),
    "libraries": {str: str},
    "preset": str,
    "preset_sha256": str,
    # Of a dream.
    "source": {"name": str, "sha256": str, "damaged": bool},
    "looks": [{"weights_sha256": (str, None), "prior_sha256": str, "preprocessing": (_PREPROCESSING, None)}],
    "preview": bool,
    "octave": int,
    "frame": int,
    "partial": {str: int},
    # Of a visualization. A score that overflowed is none.
    "targets": [str],
    "scores": [{"target": str, "start": (float, None), "end": (float, None)}],
    "variant": int,
    "step": int,
    # Of a sheet: recipes of dreams, folded as dreamer.choosing.told does it.
    "varies": [str],
    "common": _FOLDED,
    "groups": [_FOLDED],
    "cells": [{"number": int, "group": int, "failed": bool, **_FOLDED}],
}
"""What a recipe holds, as :mod:`dreamer.shapes` writes it; other keys are left alone."""


def recipe_of(
    network: Layered, settings: Mapping[str, Any], files: Mapping[str, str], prior: Prior | None = None
) -> dict[str, object]:
    """What every recipe says, as JSON can hold it.

    Args:
        network: What it was made with.
        settings: All that was set.
        files: The SHA-256 of each file that the settings name.
        prior: What kept the picture likely.
    """
    import keras
    import numpy as np

    return (
        head()
        | {"settings": dict(settings), "files_sha256": dict(files)}
        | made_with(network, prior)
        | {
            "libraries": {"keras": keras.__version__, "backend": keras.backend.backend(), "numpy": np.__version__},
        }
    )


def made_with(network: Layered, prior: Prior | None) -> dict[str, object]:
    """What a recipe says of a network and a prior: their weights, and how pictures were prepared."""
    prepared = network.spec.preprocessing
    pulled = {} if prior is None else {"prior_sha256": prior.sha256}
    return {
        "weights_sha256": network.weights_sha256,
        "preprocessing": prepared.to_dict() if prepared else None,
        **pulled,
    }


def head() -> dict[str, object]:
    """What stands first in every recipe: its format, and what wrote it."""
    return {"format": FORMAT, "program": "dreamer", "version": __version__}


def check(recipe: Mapping[str, Any], file: Path) -> None:
    """Make sure that what a picture says can be used.

    Args:
        recipe: As ``images.read_recipe`` gives it.
        file: The picture.

    Raises:
        SettingsError: Something in it is of another kind, or a newer version of dreamer wrote it.
    """
    version = recipe.get("format", FORMAT)
    if isinstance(version, int) and version > FORMAT:
        raise SettingsError(
            f"a newer dreamer made {file}: its recipe has the format {shown(version)}, and this one reads up to "
            f"{FORMAT}. Update dreamer"
        )
    found = problem(dict(recipe), SHAPE)
    if found is None and version < 1:
        found = f"format is {version}; expected 1"
    if found is not None:
        raise SettingsError(f"the recipe in {file} cannot be used: {found}")
