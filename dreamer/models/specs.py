"""What there is to know about a network before it is loaded: data, and how it is read.

The one idea: ``networks.toml`` is the one place that describes the known networks, where their
weights come from and under which licence; everything else asks a :class:`ModelSpec`.

Must not import Keras, NumPy or anything heavy.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from dreamer import plugins
from dreamer.models.preprocessing import PREPROCESSINGS, Preprocessing
from dreamer.models.weights import BundledWeights, FileWeights, HeldWeights, PublishedWeights

Takes = Literal["picture", "row", "sequence"]
"""What a network takes: a picture, a row of a table, or a sequence of characters or tokens."""

KERAS_PREFIX = "keras:"
"""What stands before the name of a network of ``keras.applications``, as in ``keras:VGG16``."""


@dataclass(frozen=True)
class ModelSpec:
    """What there is to know about a network before it is loaded.

    Attributes:
        name: What a person types.
        title: What it is, in a line.
        build: ``module:function`` that takes the path of the weights and this, and gives a Keras network.
        weights: Where the weights come from.
        preprocessing: How pictures are prepared for it; None where nobody has said yet.
        default_layer: The layer to dream with where none is named; None for a likely one.
        dreams_well: Layers that are known to dream well, and what grows with them.
        labels: Whose class names it has: ``"imagenet"``, ``"archive"`` for a file that comes with
            the weights, the path of a text file with a name a line, or the names; None for none.
        logits: The layer that scores the classes, before the softmax; None for the last one.
        application: Its name in ``keras.applications``.
        low_precisions: Types of fewer bits than float32 in which its dreams were found as good.
        vocabulary: The path of what the numbers of a network of characters or tokens stand for; None where nobody said.
    """

    name: str
    title: str
    build: str
    weights: BundledWeights | PublishedWeights | FileWeights | HeldWeights
    preprocessing: Preprocessing | None
    default_layer: str | None = None
    dreams_well: tuple[tuple[str, str], ...] = ()
    labels: str | tuple[str, ...] | None = None
    logits: str | None = None
    application: str | None = None
    low_precisions: tuple[str, ...] = ()
    vocabulary: str | None = None

    def grows_with(self, layer: str) -> str | None:
        """What grows with a layer, where that is known."""
        return dict(self.dreams_well).get(layer)


@cache
def known() -> Mapping[str, ModelSpec]:
    """All networks that can be loaded by name: those of plug-ins after our own, those of ``keras.applications`` last.

    Example:
        >>> known()["keras:VGG16"].weights.license
        'CC-BY-4.0'
    """
    table = tomllib.loads(resources.files("dreamer.models").joinpath("networks.toml").read_text(encoding="utf-8"))
    families = table.pop("families")
    applications = table.pop("keras")
    specs = [_spec(name, row) for name, row in table.items()]
    taken = {spec.name for spec in specs}
    specs += [spec for spec in plugins.load_all("dreamer.networks", _check_spec).values() if spec.name not in taken]
    specs += [_application(name, families[row["family"]] | row) for name, row in applications.items()]
    return MappingProxyType({spec.name: spec for spec in specs})


def _check_spec(value: Any) -> None:
    if not isinstance(value, ModelSpec):
        raise TypeError(f"it is {type(value).__name__}; a dreamer.models.specs.ModelSpec is expected")


def _spec(name: str, row: dict[str, Any]) -> ModelSpec:
    weights = row.pop("weights")
    return ModelSpec(
        name=name,
        weights=_published(name, weights) if "url" in weights else BundledWeights(**{"distribution": None} | weights),
        preprocessing=PREPROCESSINGS[row.pop("preprocessing")],
        dreams_well=tuple(row.pop("dreams_well", {}).items()),
        low_precisions=tuple(row.pop("low_precisions", ())),
        **row,
    )


def _published(name: str, row: dict[str, Any]) -> PublishedWeights:
    return PublishedWeights(name=name, **row | {"also": tuple(row.get("also", ()))})


def _application(name: str, row: dict[str, Any]) -> ModelSpec:
    full_name = f"{KERAS_PREFIX}{name}"
    keys = ("url", "digest", "size", "also", "license", "made_by")
    return ModelSpec(
        name=full_name,
        title=f"{name} of keras.applications",
        build="dreamer.models.keras_applications:build",
        weights=_published(
            full_name, {key: row[key] for key in keys} | {"convert": "dreamer.models.keras_applications:convert"}
        ),
        preprocessing=PREPROCESSINGS[row["preprocessing"]],
        default_layer=row["default_layer"],
        labels="imagenet",
        application=name,
    )
