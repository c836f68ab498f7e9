"""Where an objective meets a network: its layers are checked, its classes found, its vectors filled in.

Must not import: the ascent, the command line.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from dreamer import images
from dreamer.arrays import FloatArray, Size, resize
from dreamer.errors import ImageReadError, SettingsError, UnknownClassError, UnknownLayerError
from dreamer.files import npy
from dreamer.files.digests import stamp_of
from dreamer.models import classes
from dreamer.objectives import Objective
from dreamer.objectives.bounds import LEAST_WEIGHT
from dreamer.objectives.terms import Numbers, Term
from dreamer.wording import number, shown

if TYPE_CHECKING:
    from dreamer.models.network import Network

_MOST_BYTES = 16_000_000  # Of the file of a direction: many times as many numbers as any layer has channels.
_LEAST_LENGTH, _MOST_LENGTH = 1e-6, 1e12
"""Of a direction: a cosine is not taken of shorter ones, and longer ones leave nothing but infinities."""

_LARGEST_GUIDE = 512
"""Longest side of a guide in pixels: its features are compared with each position of the picture."""


def resolve(objective: Objective, network: Network) -> Objective:
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
    found = Objective(tuple((weight, _RESOLVERS[term.kind](term, network)) for weight, term in objective.terms))
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
        if term.layer is None or term.position is None or term.position == "centre":
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
    own = [f"the score {term.source!r}" for _, term in (objective.terms if objective else ()) if term.kind == "custom"]
    look = "look at what it computes" if own else "look at its weights and its preprocessing"
    return f"{' or '.join(own) or model} answers with something that is no number, so there is nothing to climb; {look}"


def title(objective: Objective, network: Network) -> str:
    """What to write under a picture of a resolved objective: its name, and that of a class."""
    (weight, term), *others = objective.terms
    if others or term.kind != "logit" or abs(weight) != 1 or not network.labels:
        return objective.label
    index = int(term.unit or 0)
    return f"{'' if weight > 0 else 'not '}{network.labels[index].name.split(', ')[0]} ({index})"


def _layer(term: Term, network: Network) -> Term:
    _checked(network, term.layer or "")
    return term


def _channel(term: Term, network: Network) -> Term:
    name, index = term.layer or "", int(term.unit or 0)
    _checked(network, name, index)
    if term.position is not None and len(network.node(name).shape) != 3:
        raise UnknownLayerError(f"{name!r} of {network.spec.name} has no positions; write {name}:{index}")
    return dataclasses.replace(term, values=_one_hot(index, network.channels(name)))


def _logit(term: Term, network: Network) -> Term:
    name = network.logits
    if name is None or name not in network.layers:
        raise UnknownClassError(
            f"{network.spec.name} has no classifier here, so there is no {term}. Name a layer of it: "
            f"dreamer layers {network.spec.name}"
        )
    index = term.unit if isinstance(term.unit, int) else network.class_index(str(term.unit))
    count = network.channels(name)
    if index >= count:
        raise UnknownClassError(f"{network.spec.name} has no class {index}; expected 0 to {count - 1}")
    return dataclasses.replace(term, layer=name, unit=index, values=_one_hot(index, count))


def _checked(network: Network, name: str, channel: int | None = None) -> None:
    """Make sure that a layer and a channel exist; where the name is that of a class or a thing, say so."""
    try:
        network.check(name, channel)
    except UnknownLayerError as error:
        raise UnknownLayerError(f"{error}{_as_class(name, network)}") from error


def _as_class(name: str, network: Network) -> str:
    """What to type if a class was meant where a layer is expected."""
    if name in network.layers or network.logits is None:
        return ""
    return classes.instead_of_layer(name, network.labels, network.spec.name)


def _direction(term: Term, network: Network) -> Term:
    name = term.layer or ""
    _checked(network, name)
    channels = network.channels(name)
    if term.seed is not None:
        drawn = np.random.default_rng(term.seed).normal(size=channels)
        vector = (drawn / np.linalg.norm(drawn)).astype(np.float32)
    else:
        vector = term.values.array if term.values is not None else _vector(Path(str(term.source)))
    if vector.shape != (channels,):
        raise SettingsError(
            f"the direction in {name!r} has shape {vector.shape}; expected ({channels},), one number per channel"
        )
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not np.isfinite(length) or not length:
        raise SettingsError(f"the direction in {name!r} is zero, or holds something that is no number in float32")
    if not _LEAST_LENGTH <= length <= _MOST_LENGTH:
        raise SettingsError(
            f"the direction in {name!r} has the length {number(length)}; expected {number(_LEAST_LENGTH)} to "
            f"{number(_MOST_LENGTH)}. Divide it by its length"
        )
    return dataclasses.replace(term, values=Numbers.of(vector))


def _vector(path: Path) -> FloatArray:
    try:
        found: FloatArray = Numbers.of(npy.read(path, most=_MOST_BYTES)).array
    except (OSError, ValueError, SettingsError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no .npy file of numbers"
        raise SettingsError(f"cannot read the direction in {path}: {reason}") from error
    return found


def _guided(term: Term, network: Network) -> Term:
    name = term.layer or ""
    _checked(network, name)
    if term.values is None:
        path = Path(str(term.source))
        try:
            return dataclasses.replace(term, values=_guide(network, name, path, stamp_of(path)))
        except OSError as error:
            raise ImageReadError(f"cannot read the guide {path}: {error.strerror}") from error
    picture = term.values.array
    if picture.ndim != 3 or picture.shape[-1] != 3 or not picture.size:
        raise SettingsError(f"the guide of {name!r} has shape {picture.shape}; expected (height, width, 3)")
    if not -0.5 <= picture.min() <= picture.max() <= 1.5:
        raise SettingsError(
            f"the guide of {name!r} has values from {picture.min():g} to {picture.max():g}; expected them in [0, 1]"
        )
    return dataclasses.replace(term, values=_features(network, name, picture))


@lru_cache(maxsize=4)
def _guide(network: Network, name: str, path: Path, _stamp: str) -> Numbers:
    """The features of a guide's file, which is read once for all photos and frames of a process."""
    return _features(network, name, images.read(path).pixels)


def _features(network: Network, name: str, picture: FloatArray) -> Numbers:
    """What a layer finds in a picture: ``(positions, channels)``."""
    height, width = picture.shape[:2]
    shrink: float = min(1.0, _LARGEST_GUIDE / max(height, width))
    size = network.sides([name]).nearest(height * shrink, width * shrink)
    seen = np.clip(resize(picture, size), 0, 1)
    features = ops.convert_to_numpy(network.forward([name])(ops.convert_to_tensor(seen[None]))[name])
    return Numbers.of(features.reshape(-1, features.shape[-1]))


def _custom(term: Term, network: Network) -> Term:
    for name in term.needs:
        _checked(network, name)
    return term


def _penalty(term: Term, _network: Network) -> Term:
    return term


def _one_hot(index: int, count: int) -> Numbers:
    return Numbers.of(np.eye(1, count, index)[0])


_RESOLVERS: Mapping[str, Callable[[Term, Network], Term]] = {
    "layer": _layer,
    "channel": _channel,
    "logit": _logit,
    "direction": _direction,
    "guided": _guided,
    "diversity": _layer,
    "penalty": _penalty,
    "custom": _custom,
}
