"""Pictures that are made from a photo: caricatures, inversions, accentuations.

The one idea: each is a visualization whose target compares with the photo, so it is drawn, kept and recorded as any
other; only the targets and the usual settings differ.

Must not import: the command line.

References:
    Olah et al., "The Building Blocks of Interpretability", 2018, and Lucid, for caricatures. Mahendran and Vedaldi,
    "Understanding Deep Image Representations by Inverting Them", 2015. Hamblin et al., "Feature Accentuation: Revealing
    'What' Features Respond to in Natural Images", 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from dreamer.arrays import FloatArray, Size, as_float, fitted, resize
from dreamer.errors import SettingsError
from dreamer.images import LabelledPicture
from dreamer.models import landmarks, registry
from dreamer.objectives import Objective, like, near
from dreamer.sources import opened
from dreamer.visualizing.balancing import balanced
from dreamer.visualizing.calls import drawn
from dreamer.visualizing.looks import FROM_PHOTOS, PHOTO_SIDE
from dreamer.visualizing.run import VisualizeRun
from dreamer.visualizing.settings import LEAST_SIDE, VisualizeSettings
from dreamer.visualizing.steps import VisualizeStep
from dreamer.visualizing.visualization import Visualization

if TYPE_CHECKING:
    from dreamer.models.network import Network

_DIGITS = 4  # Of a weight that is measured.


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Inversion(Visualization):
    """A picture in which a layer finds what it finds in a photo.

    Attributes:
        cosine: Between all activations of the layer for both, -1 to 1.
    """

    cosine: float


def caricature(
    picture: Any,
    layers: Sequence[str] | str | None = None,
    *,
    power: float = 0.0,
    network: Network | str | None = None,
    on_step: Callable[[VisualizeStep], None] | None = None,
    progress: bool | None = None,
    **keywords: Any,
) -> list[Visualization]:
    """Exaggerate what layers find in a photo.

    Args:
        picture: The photo: a path, a Pillow image, a result, or an array ``(height, width, 3)`` of RGB.
        layers: One layer or several; None for three of those that dream well, early to late.
        power: Of the cosine, as for :func:`dreamer.objectives.like`: 0 exaggerates most, more stays nearer.
        network: As for :func:`dreamer.visualize`.
        on_step: Called after every step. What it raises ends the run.
        progress: Whether to show a bar; None for only in a notebook.
        **keywords: Fields of :class:`VisualizeSettings`; ``size`` as one number is the longer side of the results,
            which have the photo's proportions.

    Returns:
        A picture for each layer, in their order.

    Raises:
        SettingsError: A setting is impossible or unknown, or the photo is too narrow.
        ModelError: The network, a layer or the weights are not there.
        ImageReadError: The photo cannot be read.
        Interrupted: Ctrl-C after the first step; it holds a list of what there is.

    Example:
        >>> import dreamer
        >>> early, late = dreamer.caricature("cat.jpg", ["block2b", "block5c"])  # doctest: +SKIP
        >>> late.save("cat-caricature.png")  # doctest: +SKIP
    """
    run = caricature_run(picture, layers, power=power, network=network, **keywords)
    return drawn(run, on_step, progress, "caricature")


def invert(
    picture: Any,
    layer: str | None = None,
    *,
    network: Network | str | None = None,
    on_step: Callable[[VisualizeStep], None] | None = None,
    progress: bool | None = None,
    **keywords: Any,
) -> Inversion:
    """Draw, from noise, a picture in which a layer finds what it finds in a photo: what is left of the photo there.

    Args:
        picture: As for :func:`caricature`.
        layer: The layer; None for the network's usual one.
        network: As for :func:`dreamer.visualize`.
        on_step: As for :func:`caricature`.
        progress: As there.
        **keywords: As there.

    Returns:
        The picture, which says how near it came.

    Raises:
        SettingsError, ModelError, ImageReadError, Interrupted: As for :func:`caricature`.

    Example:
        >>> import dreamer
        >>> dreamer.invert("cat.jpg", "block5c").cosine > 0.95  # doctest: +SKIP
        True
    """
    run = inversion_run(picture, layer, network=network, **keywords)
    (found,) = drawn(run, on_step, progress, "invert")
    assert isinstance(found, Inversion)  # noqa: S101  As the run makes it.
    return found


def accentuate(
    picture: Any,
    target: Objective | str,
    anchor: str,
    *,
    anchor_weight: float = 1.0,
    network: Network | str | None = None,
    on_step: Callable[[VisualizeStep], None] | None = None,
    progress: bool | None = None,
    **keywords: Any,
) -> Visualization:
    """Change a photo so that a unit answers to it more, while an early layer goes on to see the photo.

    Args:
        picture: As for :func:`caricature`.
        target: What is made larger, as for :func:`dreamer.visualize`.
        anchor: The early layer.
        anchor_weight: How large the anchor's gradient is beside the target's, above 0.
        network: As for :func:`dreamer.visualize`.
        on_step: As for :func:`caricature`.
        progress: As there.
        **keywords: As there; with ``alpha=False`` the picture is opaque.

    Returns:
        The picture, transparent where it did not matter. Its objective is ``target + w*near:anchor@photo``, with the
        weight *w* that was measured.

    Raises:
        SettingsError, ModelError, ImageReadError, Interrupted: As for :func:`caricature`.

    Example:
        >>> import dreamer
        >>> dreamer.accentuate("cat.jpg", "logit:tabby cat", "block2b").objective.name  # doctest: +SKIP
        'logit:281 + 41.2*near:block2b@"cat.jpg"'
    """
    run = accentuation_run(picture, target, anchor, anchor_weight=anchor_weight, network=network, **keywords)
    return drawn(run, on_step, progress, "accentuate")[0]


def caricature_run(
    picture: Any,
    layers: Sequence[str] | str | None = None,
    *,
    power: float = 0.0,
    network: Network | str | None = None,
    **keywords: Any,
) -> VisualizeRun:
    """A run that draws what :func:`caricature` says. Loads the network where no layer is named."""
    photo, settings = _Photo.of(picture, "caricature", keywords)
    if not layers:
        network = _loaded(network, settings)
        layers = landmarks.early_to_late(network)
    names = [layers] if isinstance(layers, str) else list(layers)
    objectives = [like(name, photo.named, power) for name in names]
    return photo.run(objectives, settings, network, "caricature", titles=names)


def inversion_run(
    picture: Any, layer: str | None = None, *, network: Network | str | None = None, **keywords: Any
) -> VisualizeRun:
    """A run that draws what :func:`invert` says. Loads the network where no layer is named."""
    photo, settings = _Photo.of(picture, "invert", keywords)
    if layer is None:
        network = _loaded(network, settings)
        layer = network.default_layer
    return _Inverting(
        [near(layer, photo.named, squared=True)], settings, network=network, command="invert", titles=[layer]
    )


def accentuation_run(
    picture: Any,
    target: Objective | str,
    anchor: str,
    *,
    anchor_weight: float = 1.0,
    network: Network | str | None = None,
    **keywords: Any,
) -> VisualizeRun:
    """A run that draws what :func:`accentuate` says. Loads the network, and measures the anchor's weight with it.

    Raises:
        SettingsError: The weight of the anchor is out of range.
    """
    if not 0 < anchor_weight <= _MOST_ANCHOR:
        raise SettingsError(f"the weight of the anchor is {anchor_weight:g}; expected above 0, at most {_MOST_ANCHOR}")
    photo, settings = _Photo.of(picture, "accentuate", keywords)
    network, climbed, held = _loaded(network, settings), Objective.of(target), near(anchor, photo.named)
    weight = anchor_weight * balanced(climbed, held, photo.pixels, network)
    objective = climbed + float(f"{weight:.{_DIGITS}g}") * held
    return photo.run([objective], settings, network, "accentuate")


_MOST_ANCHOR = 1000


@dataclass(frozen=True, eq=False)
class _Photo:
    """A photo that pictures are made from.

    Attributes:
        named: How objectives name it: its path, or its pixels where it has none.
        pixels: ``(height, width, 3)`` in [0, 1], as large as the pictures are.
    """

    named: str | FloatArray
    pixels: FloatArray

    @classmethod
    def of(cls, picture: Any, command: str, keywords: Mapping[str, Any]) -> tuple[_Photo, VisualizeSettings]:
        """Read a photo, and find how pictures are made from it where the keywords do not say."""
        for name, usual_value in {"start": None, "jointly_with": (), "diversity": 1}.items():
            if keywords.get(name, usual_value) != usual_value:
                raise SettingsError(f"{name} is for visualize; {command} makes one picture of a photo, for one network")
        usual = FROM_PHOTOS[command]
        if keywords.get("look") or keywords.get("prior"):
            usual = {"steps": usual["steps"]}  # They say what goes with them.
        size = keywords.get("size", PHOTO_SIDE)
        VisualizeSettings(size=size)
        side = max(size) if isinstance(size, tuple | list) else int(size)
        photo, _ = opened(picture, max_side=2 * side)
        height, width = photo.pixels.shape[:2]
        chosen = _fitted((height, width), side) if not isinstance(size, tuple | list) else tuple(size)
        pixels = np.clip(resize(as_float(photo.pixels), chosen), 0, 1)
        named = str(picture) if isinstance(picture, str | Path) else pixels
        return cls(named, pixels), VisualizeSettings.of(**{**usual, **keywords, "size": chosen})

    def run(
        self,
        objectives: Sequence[Objective],
        settings: VisualizeSettings,
        network: Network | str | None,
        command: str,
        titles: Sequence[str] | None = None,
    ) -> VisualizeRun:
        """A run that starts from the photo, which stands first on a sheet of its results."""
        start = None
        if isinstance(self.named, str):
            settings = VisualizeSettings.merged(settings, {"start": self.named})
        else:
            start = self.pixels
        first = LabelledPicture(self.pixels, "photo")
        return VisualizeRun(
            objectives, settings, network=network, start=start, command=command, titles=titles, first=first
        )


def _fitted(size: Size, side: int) -> Size:
    """The size of the results, in the photo's proportions.

    Raises:
        SettingsError: They would be too narrow.
    """
    found = fitted(size, side, enlarge=True)
    if min(found) < LEAST_SIDE:
        raise SettingsError(
            f"the photo is {size[0]}x{size[1]}, so that the shorter side of the result would have {min(found)} pixels; "
            f"expected {LEAST_SIDE} or more. Crop it, or ask for a larger size"
        )
    return found


def _loaded(network: Network | str | None, settings: VisualizeSettings) -> Network:
    return registry.load(settings.model if network is None else network, settings.preprocessing)


class _Inverting(VisualizeRun):
    """A run whose results say how near they came."""

    def results(self) -> list[Visualization]:
        """What was drawn, with the cosine between its activations and the photo's."""
        return [self._with_cosine(one) for one in super().results()]

    def _with_cosine(self, found: Visualization) -> Inversion:
        ((_, term),) = found.objective.terms
        network = self.plan.network
        size = network.sides(term.layers).nearest(*self.settings.size)
        photo = term.numbers(0, self.settings.size)["reference"]
        pair = np.stack([np.clip(resize(one, size), 0, 1) for one in (found.pixels, photo)])
        (activations,) = network.forward(term.layers)(ops.convert_to_tensor(pair)).values()
        here, there = (one.ravel().astype(np.float64) for one in ops.convert_to_numpy(activations))
        lengths = float(np.linalg.norm(here) * np.linalg.norm(there))
        cosine = float(here @ there) / lengths if lengths else 0.0
        values = {one.name: getattr(found, one.name) for one in fields(Visualization)}
        return Inversion(**values | {"recipe": {**found.recipe, "cosine": cosine}}, cosine=cosine)
