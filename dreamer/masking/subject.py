"""The subject of a photo: where the classes are that a network takes it for.

The one idea: behind the last layer with positions a network is linear, so what each place there adds to its likeliest
classes is exact. That is a blot in the right place; what it covers says which colours the subject has, and GrabCut cuts
it out. Calm places are never sure to be of it, and a sky is none of it.

Must not import: files, the command line.

References:
    Zhou, Khosla, Lapedriza, Oliva and Torralba, "Learning Deep Features for Discriminative Localization", CVPR 2016
    (what a place adds to a class: class activation maps).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, as_float, resize_stored
from dreamer.masking import cutting
from dreamer.masking.calming import busy
from dreamer.masking.cutting import Region
from dreamer.masking.sky import sky
from dreamer.models import registry
from dreamer.models.network import Network
from dreamer.models.opened import Opened

MODEL = "efficientnet_lite0"
"""Who looks: the network that ships with the package, whatever a dream is dreamt with."""

_CLASSES = 5  # The likeliest, weighted by how likely they are: a photo has several names, as cup, espresso and saucer.
_OF_ALL = 0.3  # How much counts what fires at all, beside what speaks for the classes.
_SOFT = 6.0  # Pixels of deviation: positions lie 32 pixels apart.
_STRONGEST = 0.985  # Share of the positions that are weaker than what counts as the strongest.
_SURE, _LIKELY, _MAYBE = 0.7, 0.4, 0.13  # Shares of the strongest evidence.
_CALM = 0.25  # Below it a place is calm.
_PART = 0.05  # Of all the evidence: what a part of the subject has at the least.
_HOLE = 0.02  # Of the photo: the largest hole that is filled.
_OF_SKY = 0.5  # Evidence in the mean over a sky, at the most: with more it is the subject, as calm as a sky.
_LEAST, _MOST = 0.002, 0.97  # Share of the photo that a subject takes.


def subject(pixels: FloatArray) -> Region | None:
    """Find the subject.

    Args:
        pixels: ``(height, width, 3)`` in [0, 1], as :func:`cutting.small` gives it.

    Returns:
        Where it is; None where none is found.

    Raises:
        ModelError: The network cannot be loaded.
    """
    found = evidence(pixels)
    if found is None:
        return None
    region = cutting.cut(pixels, _marks(pixels, found))
    region = cutting.parts(region, found, _PART * float((found * region).sum()))
    region = cutting.without_holes(region, _HOLE)
    return region if _LEAST < region.mean() < _MOST else None


def evidence(pixels: FloatArray) -> FloatArray | None:
    """How much each place has to do with what a network takes a picture for.

    Args:
        pixels: ``(height, width, 3)`` in [0, 1].

    Returns:
        ``(height, width)`` in [0, 1], 1 at the strongest; None where all places are alike.
    """
    opened = _opened()
    size = pixels.shape[0], pixels.shape[1]
    seen = opened.seen(size)
    picture = np.asarray(np.clip(as_float(resize_stored(pixels, seen)), 0, 1), np.float32)
    _, activations, gradient = opened.gradient(picture, _classes(opened.network, picture))
    for_classes = np.maximum((activations * gradient).sum(axis=-1), 0)
    at_all = np.sqrt((activations**2).mean(axis=-1))
    found = _capped(for_classes) * (1 - _OF_ALL) + _capped(at_all) * _OF_ALL
    where = opened.network.positions([opened.layer], seen)[opened.layer]
    if where is None or float(np.ptp(found)) <= 0:
        return None
    laid = cv2.GaussianBlur(where.on(size).laid(found), (0, 0), _SOFT)
    return _scaled(np.asarray(laid, np.float32))


@lru_cache(maxsize=1)
def _opened() -> Opened:
    network = registry.load(MODEL)
    return Opened(network, network.blocks[-1])


def _classes(network: Network, picture: FloatArray) -> FloatArray:
    """The likeliest classes, as weights that add up to 1."""
    weights = np.zeros(network.channels(str(network.logits)), np.float32)
    for one in network.predict(picture[None], top=_CLASSES)[0]:  # type: ignore[union-attr]
        weights[one.index] = one.probability
    return np.asarray(weights / max(float(weights.sum()), 1e-9), np.float32)


def _scaled(values: FloatArray) -> FloatArray:
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) / max(high - low, 1e-9), np.float32)


def _capped(values: FloatArray) -> FloatArray:
    """The same, but for the few that stand out of all others."""
    return _scaled(np.minimum(values, np.quantile(values, _STRONGEST)))


def _marks(pixels: FloatArray, found: FloatArray) -> NDArray[np.uint8]:
    marks = np.full(found.shape, cutting.LIKELY_OUTSIDE, np.uint8)
    marks[found > _LIKELY] = cutting.LIKELY_INSIDE
    sure = found > _SURE
    structured = sure & (busy(pixels, (found.shape[0], found.shape[1])) > _CALM)
    marks[structured if structured.mean() > sure.mean() / 4 else sure] = cutting.INSIDE
    marks[found < _MAYBE] = cutting.OUTSIDE
    above = sky(pixels)
    if above is not None and found[above].mean() < _OF_SKY:
        marks[above] = cutting.OUTSIDE
    return marks
