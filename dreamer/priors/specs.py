"""What there is to know about a prior before it is loaded: data, and how it is read.

The one idea: as of networks, ``priors.toml`` is the one place that describes the known priors.

Must not import Keras, NumPy or anything heavy.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dreamer.errors import PriorError, close_matches
from dreamer.models import keras_file
from dreamer.models.weights import BundledWeights, FileWeights, PublishedWeights
from dreamer.wording import shown


@dataclass(frozen=True)
class PriorSpec:
    """What there is to know about a prior before it is loaded.

    Attributes:
        name: What a person types.
        title: What it is, in a line.
        kind: ``"pull"``: a network from a picture to a likelier one; ``"code"``: from a code to a picture;
            ``"encoder"``: from a picture to a code; None where the shapes of its network will say.
        build: ``module:function`` that takes the path of the weights and gives a Keras network.
        weights: Where the weights come from.
        good_for: What it is good for, in a line; None where nobody has looked.
        encoder: The prior that finds the code of a picture; None where there is none, or a file's own TOML names it.
        told: Of a code, what would stand in the TOML beside a file, as ``codes`` has it.
    """

    name: str
    title: str
    kind: str | None
    build: str
    weights: BundledWeights | PublishedWeights | FileWeights
    good_for: str | None = None
    encoder: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict, compare=False)


@cache
def known() -> Mapping[str, PriorSpec]:
    """All priors that go by a name.

    Example:
        >>> known()["denoiser"].kind
        'pull'
    """
    table = tomllib.loads(resources.files("dreamer.priors").joinpath("priors.toml").read_text(encoding="utf-8"))
    found = {}
    for name, row in table.items():
        weights = row.pop("weights")
        bundled = "url" not in weights
        found[name] = PriorSpec(
            name=name,
            weights=BundledWeights(**{"distribution": None} | weights)
            if bundled
            else PublishedWeights(**{"name": name} | weights),
            **row,
        )
    return MappingProxyType(found)


def needed(spec: PriorSpec | None) -> list[PriorSpec]:
    """All whose weights a prior needs: its own, and those of its encoder."""
    return [] if spec is None else [spec, *needed(of(spec.encoder))]


def of(name: str | None) -> PriorSpec | None:
    """The prior that settings name, looked up; None where they name none.

    Raises:
        PriorError: There is none of that name, or no such file.
    """
    return None if name is None else spec(name)


def check_use(name: str | None, *, dreams: bool) -> PriorSpec | None:
    """The prior that settings name, looked up, if it may be used so, as far as that is known before it is loaded.

    Args:
        name: As settings have it.
        dreams: Whether it is for a dream, or for pictures from noise.

    Raises:
        PriorError: There is none of that name, no such file, or it is for something else.
    """
    found = of(name)
    if found is not None and found.kind == "encoder":
        raise PriorError(f"{name} finds codes and makes no pictures; name the prior whose encoder it is")
    if found is not None and found.kind == "code" and dreams:
        raise PriorError(
            f"the prior {name} makes pictures from a code, and a dream is made from its photo; it is for visualize. "
            "Name a prior from pictures to pictures, as denoiser"
        )
    return found


def spec(name: str) -> PriorSpec:
    """Look a prior up.

    Args:
        name: A known name, or the path of a ``.keras`` file.

    Raises:
        PriorError: There is none of that name, or no such file.
    """
    if name in known():
        return known()[name]
    path = Path(name)
    if not keras_file.is_path(name):
        raise PriorError(
            f"there is no prior {shown(name)}.{close_matches(name, known())} Known: {', '.join(known())}, and the path "
            "of a .keras file"
        )
    if not os.path.isfile(path) or path.suffix.lower() != ".keras":  # noqa: PTH113  It takes any name.
        raise PriorError(f"there is no file {name} with a Keras network; a prior is a .keras file, or one of "
                         f"{', '.join(known())}")  # fmt: skip
    return PriorSpec(
        name, "a network of your own", None, "dreamer.models.keras_archive:load", FileWeights(path.absolute())
    )
