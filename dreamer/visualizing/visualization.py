"""Visualizations: pictures of units as values, alone or as a labelled sheet.

Must not import Keras, or anything that makes pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from dreamer import images
from dreamer.arrays import FloatArray, Size
from dreamer.images import LabelledPicture, Photo
from dreamer.objectives import Objective
from dreamer.results import Result
from dreamer.visualizing.settings import VisualizeSettings

_LONGEST_STEM = 60


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Visualization(Result):
    """The picture of one target.

    Attributes:
        objective: What it was drawn for, its classes as numbers.
        title: The same as a person would put it, with the name of a class.
        variant: Which of several pictures of the same target, from 0.
        num_variants: How many there are.
        alpha: ``(height, width)`` in [0, 1]: how much each part of it mattered; None where not asked for.
        first_score: What the objective gave for what the picture began with.

    Example:
        >>> import dreamer
        >>> cat = dreamer.visualize("logit:tabby cat")  # doctest: +SKIP
        >>> cat  # doctest: +SKIP
        <Visualization: tabby (281), 224x224 pixels, score 24.1>
        >>> cat.save("cat.png")  # doctest: +SKIP
    """

    objective: Objective
    title: str
    variant: int = 0
    num_variants: int = 1
    alpha: FloatArray | None = None
    first_score: float = 0.0

    @property
    def label(self) -> str:
        """What is written under it on a sheet."""
        return self.title if self.num_variants == 1 else f"{self.title} ({self.variant + 1} of {self.num_variants})"

    def _title(self) -> str:
        return f"{self.label}, "


def photo_of(picture: FloatArray, alpha: FloatArray | None) -> Photo:
    """A picture that was drawn, as it is written."""
    return Photo(picture, alpha=None if alpha is None else (alpha * 255).round().astype("uint8"))


def sheet(
    visualizations: Sequence[Visualization],
    *,
    columns: int | None = None,
    recipe: Mapping[str, Any] | None = None,
    first: LabelledPicture | None = None,
) -> Result:
    """Lay visualizations out side by side, each with its title.

    Args:
        visualizations: One or more, of one size.
        columns: How many stand in a row; None for about a square.
        recipe: How all of them were made; by default that of the first, with the targets and scores of all.
        first: What stands before them, of the same size, as the photo that they were made from.

    Raises:
        ValueError: There are none.

    Example:
        >>> dreamer.sheet(dreamer.visualize(["block4b:1", "block4b:2"])).save("two.png")  # doctest: +SKIP
    """
    if not visualizations:
        raise ValueError("there is no picture for a sheet; expected one or more")
    pictures = [LabelledPicture(one.pixels, one.label, one.alpha) for one in visualizations]
    pictures = pictures if first is None else [first, *pictures]
    whole = images.sheet(pictures, columns=columns)
    if recipe is None:
        recipe = {
            **visualizations[0].recipe,
            "targets": list(dict.fromkeys(target for one in visualizations for target in one.recipe["targets"])),
            "scores": [score for one in visualizations for score in one.recipe["scores"]],
        }
    return Result(Photo(whole), recipe, float(np.mean([one.score or 0.0 for one in visualizations])))


def columns_of(settings: VisualizeSettings, columns: int | None = None) -> int | None:
    """How many pictures of a sheet stand in a row: as many as asked for, or all of a target; None for a square."""
    return columns or (settings.diversity if settings.diversity > 1 else None)


def least_size(settings: VisualizeSettings, count: int, columns: int | None = None) -> Size:
    """The ``(height, width)`` of so many pictures as they are written.

    The labels of a sheet may take more lines than one, which only the network knows: it is that much taller then.
    """
    if count == 1:
        return settings.size
    return images.sheet_size(settings.size, [""] * count, columns=columns_of(settings, columns))


def target_names(objectives: Sequence[Objective], targets: int) -> Iterator[Path]:
    """Names for the picture of some targets: ``<first target>.png``, and more of the kind.

    Args:
        objectives: What is drawn.
        targets: How many targets were named.

    Example:
        >>> next(target_names([Objective.parse("block4b:17")], 3)).name
        'block4b-17-and-2-more.png'
    """
    stem = target_stem(objectives, targets)
    return (Path(f"{stem}{'' if number == 1 else f'-{number}'}.png") for number in count(1))


def target_stem(objectives: Sequence[Objective], targets: int) -> str:
    """What those names begin with."""
    bare = re.sub(r"[^A-Za-z0-9._-]+", "-", objectives[0].name).strip("-.")[:_LONGEST_STEM] or "unit"
    return bare if targets == 1 else f"{bare}-and-{targets - 1}-more"
