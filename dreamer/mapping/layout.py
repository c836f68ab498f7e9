"""Where activations lie on a map: what is alike lies side by side.

The one idea: a map is any two numbers for each point. A method finds them from cosines between activations, or a file
brings them; what comes after sees only places in [0, 1].

Must not import openTSNE, scikit-learn or UMAP before a layout is asked for: they are extras, and slow to import.
"""

from __future__ import annotations

import os
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray
from dreamer.errors import MissingExtraError, SettingsError, close_matches
from dreamer.files import npy
from dreamer.wording import shown

METHODS = ("tsne", "umap")
"""The methods by name; anything else is a file of coordinates."""

_NEEDS = {
    "tsne": ("openTSNE", "pip install 'deepdreamer[embedding]'"),
    "umap": ("umap", "pip install umap-learn"),
}
_FEW = 3  # So many points have no neighbourhoods to keep; a line says all.
_PERPLEXITY = 50.0
_UMAP_NEIGHBOURS, _UMAP_DISTANCE = 20, 0.01  # As in the notebook of the article.
_EXACT = 20_000  # Up to so many points each is compared to each; above, that takes minutes.
_ALONE = 1000  # Up to so many points, cores wait for each other longer than they work.
_PERCENTILES, _MARGIN = (1.0, 99.0), 0.1
_NEIGHBOURS = 5
_MOST_BYTES = 1 << 30
_ROWS = 4096  # Compared at once, so that cosines of many points take no gigabytes.


def check(how: str) -> None:
    """Find out whether points can be laid out so, before anything is computed.

    Args:
        how: One of :data:`METHODS`, or the path of an ``.npy`` file.

    Raises:
        SettingsError: It is neither.
        MissingExtraError: What the method needs is not installed; the message says how to install it.

    Example:
        >>> check("tsna")
        Traceback (most recent call last):
        dreamer.errors.SettingsError: 'tsna' is no layout: expected tsne, umap, or an .npy file. Close matches: tsne.
    """
    if how in METHODS:
        package, command = _NEEDS[how]
        if find_spec(package) is None:
            raise MissingExtraError(f"the layout {how} needs a package that is not installed. Install it: {command}")
    elif not how.endswith(".npy"):
        raise SettingsError(
            f"{shown(how)} is no layout: expected {', '.join(METHODS)}, or an .npy file.{close_matches(how, METHODS)}"
        )
    elif not Path(how).is_file():
        raise SettingsError(f"{shown(how)} is no file; expected two coordinates for each point, as NumPy saves them")


def layout(activations: FloatArray, how: str = "tsne", *, seed: int = 0) -> FloatArray:
    """Lay points out on a map.

    t-SNE (van der Maaten & Hinton, 2008, "Visualizing Data using t-SNE") is that of openTSNE (Poličar, Stražar &
    Zupan, 2019 and 2024, "openTSNE: A Modular Python Library for t-SNE Dimensionality Reduction and Embedding"), UMAP
    that of umap-learn (McInnes, Healy & Melville, 2018, "UMAP: Uniform Manifold Approximation and Projection"). Both
    compare activations by cosine, as Carter et al. (2019, "Activation Atlas") do.

    Args:
        activations: ``(points, channels)``.
        how: One of :data:`METHODS`, or the path of an ``.npy`` file of ``(points, 2)`` coordinates. Three points or
            fewer lie along their principal components, whichever method is asked for.
        seed: The same one gives the same map.

    Returns:
        ``(points, 2)`` in [0, 1]: x to the right, y downwards.

    Raises:
        SettingsError: The activations hold what is no number, or the file does not hold what it should.
        MissingExtraError: What the method needs is not installed.

    Example:
        >>> layout(np.array([[1, 0], [0, 1]], np.float32)).shape
        (2, 2)
        >>> layout(np.ones((4, 8), np.float32))[0].tolist()
        [0.5, 0.5]
    """
    if not np.isfinite(activations).all():
        raise SettingsError("the activations hold what is no number, so they have no place on a map")
    if how not in METHODS:
        check(how)
        return normalized(_read(how, len(activations)))
    directions = _directions(activations)
    # Points that are all alike have no neighbours to tell apart; the methods would divide by their spread.
    if len(activations) <= _FEW or np.ptp(directions, axis=0).max(initial=0) < 1e-6:
        return normalized(_principal(directions))
    check(how)
    with warnings.catch_warnings():
        # The libraries' remarks on their own parts are nothing that a person who wants a map could act on.
        warnings.simplefilter("ignore")
        return normalized(_by_tsne(directions, seed) if how == "tsne" else _by_umap(directions, seed))


def normalized(points: NDArray[Any]) -> FloatArray:
    """Scale coordinates so that nearly all lie well within [0, 1], each axis for itself; outliers lie on the edge.

    The 1st and the 99th percentile, with a tenth of what lies between them on each side, become 0 and 1, as in the
    notebooks of Carter et al. (2019).

    Args:
        points: ``(points, 2)``.

    Example:
        >>> print(normalized(np.array([[0.0, 3.0], [50.0, 3.0], [100.0, 3.0]])))
        [[0.07482993 0.5       ]
         [0.5        0.5       ]
         [0.92517006 0.5       ]]
    """
    points = np.asarray(points, np.float64)
    if not len(points):
        return np.zeros((0, 2), np.float32)
    low, high = np.percentile(points, _PERCENTILES, axis=0)
    margin = _MARGIN * (high - low)
    low, width = low - margin, high - low + 2 * margin
    # An axis on which all points agree has no width; they lie in its middle.
    scaled = np.where(width > 0, (points - low) / np.where(width > 0, width, 1), 0.5)
    return np.clip(scaled, 0, 1).astype(np.float32)


def place(new: FloatArray, activations: FloatArray, positions: FloatArray) -> FloatArray:
    """Where further points lie on a map that is there already.

    Each lies at the mean of the places of its five nearest neighbours by cosine, weighted by that cosine.

    Args:
        new: ``(further points, channels)``.
        activations: ``(points, channels)``, of the map.
        positions: ``(points, 2)``, of the map.

    Returns:
        ``(further points, 2)``.

    Example:
        >>> activations = np.array([[1, 0], [0, 1]], np.float32)
        >>> place(activations[:1], activations, np.array([[0.25, 0.5], [1, 1]], np.float32)).tolist()
        [[0.25, 0.5]]
    """
    known, count = _directions(activations), min(_NEIGHBOURS, len(activations))
    placed = [np.zeros((0, 2), np.float32)]
    for start in range(0, len(new), _ROWS):
        cosines = _directions(new[start : start + _ROWS]) @ known.T
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        # Nobody is drawn towards an opposite; and who has only such lies amid them.
        weights = np.maximum(np.take_along_axis(cosines, nearest, axis=1), 0) + 1e-12
        weights /= weights.sum(axis=1, keepdims=True)
        placed.append((weights[..., None] * positions[nearest]).sum(axis=1).astype(np.float32))
    return np.concatenate(placed)


def _directions(activations: FloatArray) -> FloatArray:
    """Activations of length 1, with a channel more: the direction of points that are silent in all others.

    A point of length zero has no cosine to anything, and layers that end in a ReLU have many such.
    """
    lengths = np.linalg.norm(activations, axis=1, keepdims=True)
    is_silent = lengths == 0
    return np.asarray(np.hstack([activations / np.where(is_silent, 1, lengths), is_silent]), np.float32)


def _principal(directions: FloatArray) -> NDArray[np.float64]:
    """The two principal components of points, of which there may be too few for two."""
    centred = directions.astype(np.float64) - (directions.mean(axis=0) if len(directions) else 0)
    left, scales, _ = np.linalg.svd(centred, full_matrices=False)
    # What is left by rounding would become as wide as the map.
    kept = np.where(scales > 1e-6, scales, 0)[:2]
    found = np.zeros((len(directions), 2))
    found[:, : len(kept)] = left[:, :2] * kept
    return found


def _by_tsne(directions: FloatArray, seed: int) -> NDArray[Any]:
    from openTSNE import TSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.initialization import pca

    points = len(directions)
    # One core: how the approximate search shares out its trees would depend on how many there are.
    affinities = PerplexityBasedNN(
        directions,
        perplexity=min(_PERPLEXITY, (points - 1) / 3),
        method="exact" if points <= _EXACT else "annoy",
        metric="cosine",
        n_jobs=1,
        random_state=seed,
    )
    jobs = min(2, os.cpu_count() or 1) if points > _ALONE else 1
    method = TSNE(n_jobs=jobs, negative_gradient_method="auto", random_state=seed)
    start = pca(directions, random_state=seed)
    return np.asarray(method.fit(affinities=affinities, initialization=start))


def _by_umap(directions: FloatArray, seed: int) -> NDArray[Any]:
    from umap import UMAP

    neighbours = min(_UMAP_NEIGHBOURS, len(directions) - 1)
    # Its seed leaves it one core, so that is what it is given.
    method = UMAP(metric="cosine", n_neighbors=neighbours, min_dist=_UMAP_DISTANCE, random_state=seed, n_jobs=1)
    return np.asarray(method.fit_transform(directions))


def _read(file: str, points: int) -> NDArray[Any]:
    try:
        found = npy.read(Path(file), most=_MOST_BYTES)
    except (OSError, ValueError) as error:
        raise SettingsError(f"the layout {shown(file)} cannot be read: {error}") from error
    if found.shape != (points, 2):
        raise SettingsError(f"the layout {shown(file)} has the shape {found.shape}; expected {(points, 2)}")
    if not np.isfinite(found).all():
        raise SettingsError(f"the layout {shown(file)} holds what is no number")
    return found
