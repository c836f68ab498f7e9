"""Where an objective meets a network: its layers are checked, its classes found, its vectors filled in.

Must not import: the ascent, the command line.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from dreamer import images
from dreamer.arrays import FloatArray, Size, resize
from dreamer.digests import stamp_of
from dreamer.errors import ImageReadError, SettingsError, UnknownClassError, UnknownLayerError
from dreamer.models import labels
from dreamer.models.labels import Label
from dreamer.objectives import Objective
from dreamer.terms import Numbers, Term

if TYPE_CHECKING:
    from dreamer.models.vision_model import VisionModel

_LARGEST_GUIDE = 512
"""Longest side of a guide in pixels: its features are compared with each position of the picture."""


def resolve(objective: Objective, network: VisionModel) -> Objective:
    """Make sure that a network has what an objective asks for, and fill in what only it knows.

    Args:
        objective: As written.
        network: The network.

    Returns:
        The same objective with every layer and index known, and a vector over the channels wherever one is meant.

    Raises:
        UnknownLayerError: There is no such layer, channel or position.
        UnknownClassError: There is no such class, its name is ambiguous, or the network has no classifier.
        SettingsError: A vector or a guide does not fit.
        ImageReadError: A guide cannot be read.
    """
    found = Objective(tuple((weight, _RESOLVERS[term.kind](term, network)) for weight, term in objective.terms))
    if not found.layers:
        raise SettingsError(f"{objective.name} looks at no layer of {network.spec.name}; add one, as in block4b:17")
    return found


def check_positions(objective: Objective, network: VisionModel, size: Size) -> None:
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


def title(objective: Objective, network: VisionModel) -> str:
    """What to write under a picture of a resolved objective: its name, and that of a class."""
    (weight, term), *others = objective.terms
    known = _labels(network)
    if others or term.kind != "logit" or abs(weight) != 1 or known is None:
        return objective.name
    index = int(term.unit or 0)
    return f"{'' if weight > 0 else 'not '}{known[index].name.split(', ')[0]} ({index})"


def _layer(term: Term, network: VisionModel) -> Term:
    network.check(term.layer or "")
    return term


def _channel(term: Term, network: VisionModel) -> Term:
    name, index = term.layer or "", int(term.unit or 0)
    network.check(name, index)
    if term.position is not None and len(network.node(name).shape) != 3:
        raise UnknownLayerError(f"{name!r} of {network.spec.name} has no positions; write {name}:{index}")
    return dataclasses.replace(term, values=_one_hot(index, network.channels(name)))


def _logit(term: Term, network: VisionModel) -> Term:
    name = network.logits
    if name is None or name not in network.layers:
        raise UnknownClassError(
            f"{network.spec.name} has no classifier here, so there is no {term}. Name a layer of it: "
            f"dreamer layers {network.spec.name}"
        )
    index = term.unit if isinstance(term.unit, int) else _class(str(term.unit), network)
    classes = network.channels(name)
    if index >= classes:
        raise UnknownClassError(f"{network.spec.name} has no class {index}; expected 0 to {classes - 1}")
    return dataclasses.replace(term, layer=name, unit=index, values=_one_hot(index, classes))


def _class(wanted: str, network: VisionModel) -> int:
    """The index of a class by its name: the one that is called so, or the only one with such a word in its name."""
    known = labels.of(network.spec)
    exact = [label for label in known if wanted.strip().lower() in _names(label)]
    found = exact or _with_word(known, wanted)
    model = network.spec.name
    if not found:
        close = labels.find(known, wanted)
        hint = f"Close matches: {_listed(close)}" if close else f"See all: dreamer labels {model}"
        raise UnknownClassError(f"{model} has no class {wanted!r}. {hint}")
    if len(found) > 1:
        raise UnknownClassError(
            f"{len(found)} classes of {model} are called {wanted!r}: {_listed(found)}. Take one by its number"
        )
    return int(found[0].index)


def _with_word(known: Iterable[Label], wanted: str) -> list[Label]:
    """The classes with this as words of their names, as "cat" is one of "tabby cat" but not of "catamaran"."""
    words = re.compile(rf"\b{re.escape(wanted.strip())}\b", re.IGNORECASE)
    return [label for label in known if words.search(label.name)]


_MOST_LISTED = 8


def _names(label: Label) -> list[str]:
    return [str(label.synset), *(name.strip() for name in label.name.lower().split(","))]


def _listed(found: list[Label]) -> str:
    shown = ", ".join(f"logit:{label.index} ({label.name.split(', ')[0]})" for label in found[:_MOST_LISTED])
    return f"{shown}, ..." if len(found) > _MOST_LISTED else shown


def _labels(network: VisionModel) -> tuple[Label, ...] | None:
    """The class names, where they are known and as many as there are classes."""
    if network.spec.labels is None or network.logits is None:
        return None
    known = labels.of(network.spec)
    return known if len(known) == network.channels(network.logits) else None


def _direction(term: Term, network: VisionModel) -> Term:
    name = term.layer or ""
    network.check(name)
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
    if not np.isfinite(vector).all() or not vector.any():
        raise SettingsError(f"the direction in {name!r} is zero, or holds something that is no number")
    return dataclasses.replace(term, values=Numbers.of(vector))


def _vector(path: Path) -> FloatArray:
    try:
        return np.asarray(np.load(path, allow_pickle=False), np.float32)
    except (OSError, ValueError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no .npy file of numbers"
        raise SettingsError(f"cannot read the direction in {path}: {reason}") from error


def _guided(term: Term, network: VisionModel) -> Term:
    name = term.layer or ""
    network.check(name)
    if term.values is None:
        path = Path(str(term.source))
        try:
            return dataclasses.replace(term, values=_guide(network, name, path, stamp_of(path)))
        except OSError as error:
            raise ImageReadError(f"cannot read the guide {path}: {error.strerror}") from error
    picture = term.values.array
    if picture.ndim != 3 or picture.shape[-1] != 3 or not picture.size:
        raise SettingsError(f"the guide of {name!r} has shape {picture.shape}; expected (height, width, 3)")
    return dataclasses.replace(term, values=_features(network, name, picture))


@lru_cache(maxsize=4)
def _guide(network: VisionModel, name: str, path: Path, _stamp: str) -> Numbers:
    """The features of a guide's file, which is read once for all photos and frames of a process."""
    return _features(network, name, images.read(path).pixels)


def _features(network: VisionModel, name: str, picture: FloatArray) -> Numbers:
    """What a layer finds in a picture: ``(positions, channels)``."""
    height, width = picture.shape[:2]
    shrink: float = min(1.0, _LARGEST_GUIDE / max(height, width))
    size = network.sides([name]).nearest(height * shrink, width * shrink)
    seen = np.clip(resize(picture, size), 0, 1)
    features = ops.convert_to_numpy(network.activations([name])(ops.convert_to_tensor(seen[None]))[name])
    return Numbers.of(features.reshape(-1, features.shape[-1]))


def _custom(term: Term, network: VisionModel) -> Term:
    for name in term.needs:
        network.check(name)
    return term


def _penalty(term: Term, _network: VisionModel) -> Term:
    return term


def _one_hot(index: int, count: int) -> Numbers:
    return Numbers.of(np.eye(1, count, index)[0])


_RESOLVERS: Mapping[str, Callable[[Term, VisionModel], Term]] = {
    "layer": _layer,
    "channel": _channel,
    "logit": _logit,
    "direction": _direction,
    "guided": _guided,
    "diversity": _layer,
    "penalty": _penalty,
    "custom": _custom,
}
