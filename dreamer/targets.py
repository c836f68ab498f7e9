"""Where an objective meets a network: its layers are checked, its classes found, its vectors filled in.

Must not import: the ascent, the command line.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from pathlib import Path

import numpy as np
from keras import ops

from dreamer import images
from dreamer.arrays import FloatArray, Size, as_float, resize
from dreamer.errors import SettingsError, UnknownLayerError
from dreamer.files.digests import stamp_of
from dreamer.models import classes
from dreamer.models.layered import Layered
from dreamer.models.network import Network
from dreamer.objectives import Objective
from dreamer.objectives.bounds import LEAST_WEIGHT
from dreamer.objectives.kinds import Channel, Custom, Logit
from dreamer.objectives.terms import Numbers, Term
from dreamer.wording import number, shown

_LARGEST_GUIDE = 512
"""Longest side in pixels of a guide, whose features are compared with each position of the picture, and of a painting,
whose statistics depend on how large it is seen."""

_LARGEST_PHOTO = 2048
"""Longest side in pixels of a photo that is compared with, whose pixels are kept."""


def resolve(objective: Objective, network: Layered) -> Objective:
    """Make sure that a network has what an objective asks for, and fill in what only it knows.

    Args:
        objective: As written.
        network: The network.

    Returns:
        The same objective with every layer and index known, and a vector over the channels wherever one is meant.

    Raises:
        UnknownLayerError: There is no such layer, channel or position.
        UnknownClassError: There is no such class, its name is ambiguous, or the network has no classifier.
        SettingsError: A vector or a guide does not fit, or nothing is left to climb.
        ImageReadError: A guide cannot be read.
    """
    asked = _Asked(network)
    found = Objective(tuple((weight, term.resolve(asked)) for weight, term in objective.terms))
    if not found.layers:
        raise SettingsError(
            f"the objective {shown(objective.name)} looks at no layer of {network.spec.name}; add one, as in block4b:17"
        )
    totals: defaultdict[Term, float] = defaultdict(float)
    for weight, term in found.terms:
        totals[term] += weight
    if all(abs(total) < LEAST_WEIGHT for total in totals.values()):
        raise SettingsError(
            f"nothing is left of the objective {shown(objective.name)}: its weights are 0, or as good as that, or "
            f"cancel each other out; expected one of {number(LEAST_WEIGHT)} or more, above or below 0"
        )
    return found


def check_positions(objective: Objective, network: Network, size: Size) -> None:
    """Make sure that the neurons of a resolved objective exist in pictures of a size.

    Raises:
        UnknownLayerError: A position lies outside its layer.
    """
    for _, term in objective.terms:
        if not isinstance(term, Channel) or term.position is None or term.position == "centre":
            continue
        height, width = network.shapes(size, [term.layer])[term.layer][:2]
        y, x = term.position
        if y >= (height or 0) or x >= (width or 0):
            raise UnknownLayerError(
                f"{term} lies outside {term.layer!r}, which has {height}x{width} positions for a picture of "
                f"{size[0]}x{size[1]}; y and x count from 0"
            )


def no_number(objective: Objective | None, model: str) -> str:
    """What to say where a score is infinite or no number: whose fault that can be, and where to look."""
    own = [
        f"the score {term.source!r}" for _, term in (objective.terms if objective else ()) if isinstance(term, Custom)
    ]
    look = "look at what it computes" if own else "look at its weights and its preprocessing"
    return f"{' or '.join(own) or model} answers with something that is no number, so there is nothing to climb; {look}"


def title(objective: Objective, network: Network) -> str:
    """What to write under a picture of a resolved objective: its name, and that of a class."""
    (weight, term), *others = objective.terms
    if others or not isinstance(term, Logit) or abs(weight) != 1 or not network.labels:
        return objective.label
    index = int(term.unit)
    return f"{'' if weight > 0 else 'not '}{network.labels[index].name.split(', ')[0]} ({index})"


class _Asked:
    """A network as terms ask it, and what they say where a class was meant by the name of a layer."""

    def __init__(self, network: Layered) -> None:
        self._network = network
        self.title = network.spec.name
        self.layers = network.layers
        self.logits = network.logits
        self.channels = network.channels
        self.class_index = network.class_index

    def check(self, layer: str, channel: int | None = None) -> None:
        """Make sure that a layer and a channel exist; where the name is that of a class or a thing, say so."""
        try:
            self._network.check(layer, channel)
        except UnknownLayerError as error:
            raise UnknownLayerError(f"{error}{self._as_class(layer)}") from error

    def _as_class(self, name: str) -> str:
        """What to type if a class was meant where a layer is expected."""
        if name in self.layers or self.logits is None or not self._network.labels:
            return ""
        return classes.instead_of_layer(name, self._network.labels, self.title)

    def has_positions(self, layer: str) -> bool:
        """Whether a layer has positions, and is not a vector."""
        return len(self._network.node(layer).shape) == 3

    def features(self, layer: str, picture: Path | FloatArray) -> Numbers:
        """What a layer finds in a picture or its file: ``(positions, channels)``."""
        if not isinstance(self._network, Network):
            raise SettingsError(f"a guide or a painting is a picture, and {self.title} takes a {self._network.takes}")
        if isinstance(picture, Path):
            return _features_of_file(self._network, layer, picture, stamp_of(picture))
        return _features(self._network, layer, picture)

    def pixels(self, picture: Path | FloatArray) -> Numbers:
        """The pixels of a photo that is compared with, or of its file."""
        if not isinstance(self._network, Network):
            raise SettingsError(f"a photo is compared with pictures, and {self.title} takes a {self._network.takes}")
        if isinstance(picture, Path):
            return _pixels_of_file(picture, stamp_of(picture))
        return Numbers.of(picture)


@lru_cache(maxsize=2)
def _pixels_of_file(path: Path, _stamp: str) -> Numbers:
    """The pixels of a photo's file, which is read once for all layers, photos and frames of a process."""
    return Numbers.of(as_float(images.read(path, max_side=_LARGEST_PHOTO).pixels))


@lru_cache(maxsize=16)
def _features_of_file(network: Network, layer: str, path: Path, stamp: str) -> Numbers:
    """The features of the file of a guide or a painting, which is read once for all photos and frames of a process."""
    return _features(network, layer, _pixels_of_file(path, stamp).array)


def _features(network: Network, layer: str, picture: FloatArray) -> Numbers:
    height, width = picture.shape[:2]
    shrink: float = min(1.0, _LARGEST_GUIDE / max(height, width))
    size = network.sides([layer]).nearest(height * shrink, width * shrink)
    seen = np.clip(resize(picture, size), 0, 1)
    found = ops.convert_to_numpy(network.forward([layer])(ops.convert_to_tensor(seen[None]))[layer])
    return Numbers.of(found.reshape(-1, found.shape[-1]))
