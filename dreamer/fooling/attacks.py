"""Attacks: from a photo to one that is taken for something else, in whole levels.

The one idea: an attack knows a photo and a :class:`Sight`, which says how far it is from the goal and which way it
lies; it looks at what a file would hold and not at what lies between two levels. Distances are in levels, lengths
(``l2``) in units of the range from black to white.

Must not import: networks, files.

References:
    FGSM: Goodfellow, Shlens and Szegedy, "Explaining and Harnessing Adversarial Examples", 2015, arXiv:1412.6572.
    PGD: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", 2018, arXiv:1706.06083.
    C&W: Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks", 2017, arXiv:1608.04644.
    Gradients through what has none, a JPEG or rounding: Athalye, Carlini and Wagner, "Obfuscated Gradients Give a False
    Sense of Security", 2018, arXiv:1802.00420.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from dreamer.arrays import FloatArray
from dreamer.fooling.levels import TOP, length, rounded, within

PGD_STEPS, SEARCH_STEPS = 40, 60
_SEARCHES = 6  # For the weight of the goal against the length of the change.
_TRAVEL = 2.5  # What all of PGD's steps together are, as a multiple of the bound.
_FASTEST, _SLOWEST = 0.05, 5e-5  # Rates of Adam.
_MOST_LEVELS, _MOST_LENGTH = 128, 128.0  # Where the search for the least bound gives up.
_THINNINGS = 12
_KEPT = 0.7  # Of the gradients before.
_MENDINGS, _FURTHER = 30, 1.1  # How often levels are added, and how much more than what is missing.


class Sighted(Protocol):
    """What an attack asks of a network, as :class:`~dreamer.fooling.classifier.Sight` answers."""

    def gradient(self, levels: FloatArray) -> tuple[float, FloatArray]:
        """The score of a photo, above 0 where it fools, and its gradient."""


class Found(NamedTuple):
    """Where an attack came to.

    Attributes:
        levels: ``(height, width, 3)`` float32, whole levels.
        score: Of the network for it; above 0 where it is fooled.
    """

    levels: FloatArray
    score: float


def fgsm(sight: Sighted, start: FloatArray, norm: str, bound: float) -> Found:
    """One step, as far as the bound allows."""
    _, gradient = sight.gradient(start)
    reached = _stepped(start, gradient, norm, bound)
    return Found(reached, sight.gradient(reached)[0])


def pgd(
    sight: Sighted,
    start: FloatArray,
    norm: str,
    bound: float,
    *,
    steps: int,
    rng: np.random.Generator,
    until_fooled: bool = False,
) -> Found:
    """Many steps within the bound, from a start by chance; the best place that was seen.

    Args:
        sight: What the network says.
        start: ``(height, width, 3)`` whole levels.
        norm: ``"linf"`` or ``"l2"``.
        bound: How far the change may go, in levels or as a length.
        steps: How many.
        rng: Where chance comes from.
        until_fooled: Whether the first place that fools the network will do.
    """
    rate = _TRAVEL / steps
    move = rng.uniform(-1, 1, start.shape).astype(np.float32)
    move = bound * move if norm == "linf" else _shortened(TOP * move, bound / 2)
    best = Found(start, -np.inf)
    for step in range(steps + 1):
        # What is looked at is what a file would hold; the way there goes on between the levels.
        seen = rounded(start, move) if norm == "linf" else within(start, move, bound)
        score, gradient = sight.gradient(seen)
        if score > best.score:
            best = Found(seen, score)
        if step == steps or (until_fooled and score > 0):
            break
        if norm == "linf":
            move = np.clip(move + rate * bound * np.sign(gradient), -bound, bound)
        else:
            size = float(np.sqrt(np.square(gradient, dtype=np.float64).sum()))
            move = _shortened(move + np.float32(rate * bound * TOP / max(size, 1e-12)) * gradient, bound)
        move = np.clip(start + move, 0, TOP) - start
    return best


def least(attack: Callable[[float], Found], norm: str) -> Found | None:
    """The least bound with which an attack fools the network, found by doubling and halving.

    Args:
        attack: From a bound to where it came.
        norm: ``"linf"``: whole levels; ``"l2"``: lengths, to a twentieth.

    Returns:
        Where it came with that; None where 128 levels, or a length of 128, do not do.
    """
    low, high, most = (0.0, 1.0, float(_MOST_LEVELS)) if norm == "linf" else (0.0, 0.25, _MOST_LENGTH)
    found = attack(high)
    while found.score <= 0 and high < most:
        low, high = high, 2 * high
        found = attack(high)
    if found.score <= 0:
        return None
    while high - low > (1 if norm == "linf" else 0.05 * high):
        middle = (low + high) / 2 if norm == "l2" else float((low + high) // 2)
        tried = attack(middle)
        low, high, found = (low, middle, tried) if tried.score > 0 else (middle, high, found)
    return found


def carlini_wagner(sight: Sighted, start: FloatArray, *, steps: int, searches: int = _SEARCHES) -> FloatArray | None:
    """The least change by its length, not yet in whole levels.

    What is minimised is the squared length plus *c* times what is missing to the goal. *c* begins where a linear
    network would need it, and is then sought between what failed and what did. Pixels are held in their range after
    each step: the hyperbolic tangent of the paper has no gradient left where one is black or white, as most of a
    drawing are.

    Args:
        sight: What the network says.
        start: ``(height, width, 3)`` whole levels.
        steps: Of each search.
        searches: How many values of *c* are tried.

    Returns:
        The change, in levels; None where none was found.
    """
    score, gradient = sight.gradient(start)
    if score > 0:
        return np.zeros_like(start)
    slope = TOP * float(np.sqrt(np.square(gradient, dtype=np.float64).sum()))
    if slope == 0:
        return None
    weight, low, high = 2 * (max(-score, 1e-3)) / slope**2, 0.0, np.inf
    # A step is to be small against the change that a linear network would need, spread over all pixels.
    rate = float(np.clip(2 * -score / slope / np.sqrt(start.size), _SLOWEST, _FASTEST))
    best: tuple[float, FloatArray] | None = None
    for _ in range(searches):
        found = _searched(sight, start, weight, steps, rate)
        if found is not None:
            high = weight
            best = found if best is None or found[0] < best[0] else best
        else:
            low = weight
        weight = low * 10 if np.isinf(high) else (low + high) / 2
    return None if best is None else best[1]


def _searched(
    sight: Sighted, start: FloatArray, weight: float, steps: int, rate: float
) -> tuple[float, FloatArray] | None:
    """The shortest change that a search with a weight came by, and its length before it."""
    origin = np.asarray(start / TOP, np.float32)
    place = origin
    first, second = np.zeros_like(origin), np.zeros_like(origin)
    best: tuple[float, FloatArray] | None = None
    before = np.inf
    for step in range(steps + 1):
        move: FloatArray = np.asarray(place - origin, np.float32)
        score, gradient = sight.gradient(np.asarray(TOP * place, np.float32))
        size = float(np.square(move, dtype=np.float64).sum())
        if score > 0 and (best is None or size < best[0]):
            best = size, np.asarray(TOP * move, np.float32)
        if step == steps:
            break
        if (step + 1) % max(1, steps // 10) == 0:
            loss = size + weight * max(0.0, -score)
            if loss > 0.9999 * before:  # It no longer becomes less.
                break
            before = loss
        down = 2 * move - (weight * TOP * gradient if score <= 0 else 0)
        first = np.asarray(0.9 * first + 0.1 * down, np.float32)
        second = np.asarray(0.999 * second + 0.001 * down**2, np.float32)
        falling = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        scaled = (first / (1 - 0.9 ** (step + 1))) / (np.sqrt(second / (1 - 0.999 ** (step + 1))) + 1e-8)
        place = np.asarray(np.clip(place - falling * scaled, 0, 1), np.float32)
    return best


def in_levels(sight: Sighted, start: FloatArray, move: FloatArray) -> Found | None:
    """A change made one of whole levels that still fools the network, and is as short as can be found.

    Args:
        sight: What the network says.
        start: ``(height, width, 3)`` whole levels.
        move: The change, in levels.

    Returns:
        Where it came; None where the change, however long, does not fool the network in whole levels.
    """
    seen = within(start, move, max(length(move), 1 / TOP))
    found = mended(sight, start, Found(seen, sight.gradient(seen)[0]))
    return thinned(sight, start, found) if found.score > 0 else None


def mended(sight: Sighted, start: FloatArray, found: Found) -> Found:
    """The same with levels changed until the network is fooled: those first that bring most for what they cost."""
    kept = np.zeros_like(start)
    for _ in range(_MENDINGS):
        score, gradient = sight.gradient(found.levels)
        if score > 0:
            return Found(found.levels, score)
        # Where two classes take turns at being the one in the way, the way is between what helps against either.
        kept = np.asarray(_KEPT * kept + (1 - _KEPT) * gradient if kept.any() else gradient, np.float32)
        toward = np.sign(kept)
        reached = found.levels + toward
        gain = np.where((reached >= 0) & (reached <= TOP), np.abs(kept), 0).ravel()
        # What leads back to the photo costs nothing.
        cost = np.maximum(2 * (found.levels - start) * toward + 1, 0.1).ravel()
        order = np.argsort(-gain / cost, kind="stable")
        count = 1 + int(np.searchsorted(np.cumsum(gain[order]), -_FURTHER * score))
        tried = found.levels.copy()
        tried.ravel()[order[:count]] += np.where(gain > 0, toward.ravel(), 0)[order[:count]]
        found = Found(tried, score)
    return Found(found.levels, sight.gradient(found.levels)[0])


def thinned(sight: Sighted, start: FloatArray, found: Found) -> Found:
    """The same with levels taken back that are not needed: those first that save most for what they cost."""
    share = 0.9
    for _ in range(_THINNINGS):
        score, gradient = sight.gradient(found.levels)
        move = found.levels - start
        changed = np.flatnonzero(move)
        sizes, toward = np.abs(move.ravel()[changed]), np.sign(move.ravel()[changed])
        cost = gradient.ravel()[changed] * toward
        order = np.argsort(cost / (2 * sizes - 1), kind="stable")
        count = int(np.searchsorted(np.cumsum(np.maximum(cost[order], 0)), share * score))
        while count:
            tried = found.levels.copy()
            tried.ravel()[changed[order[:count]]] -= toward[order[:count]]
            reached = Found(tried, sight.gradient(tried)[0])
            if reached.score > 0:
                found = reached
                break
            count //= 2
        else:
            return found
    return found


def _stepped(start: FloatArray, gradient: FloatArray, norm: str, bound: float) -> FloatArray:
    if norm == "linf":
        return rounded(start, np.sign(gradient), bound)
    return within(start, gradient, bound)


def _shortened(move: FloatArray, bound: float) -> FloatArray:
    size = length(move)
    return move if size <= bound else np.asarray(move * np.float32(bound / size), np.float32)
