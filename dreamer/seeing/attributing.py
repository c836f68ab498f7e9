"""What speaks for a class in what a layer finds: by place, by channel, and by group of channels.

The one idea: to first order, what each activation adds to a class is the activation times the class's gradient at it.
Such numbers add up: over channels to what each place says, over places to what each channel says, over all to what the
layer says. For a network that is linear from there on they add up to the class's score exactly; for any other they are
an approximation at this photo, and nothing beyond it.

Must not import: files, the command line.

References:
    Olah et al., "The Building Blocks of Interpretability", Distill 2018, sections "Where" and "Attribution".
    Lee and Seung, "Learning the parts of objects by non-negative matrix factorization", Nature 1999.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from dreamer.arrays import FloatArray
from dreamer.errors import MissingExtraError, SettingsError
from dreamer.models.opened import Opened

_MOST_ROUNDS = 400  # Of the factorisation.


@dataclass(frozen=True, eq=False)
class Group:
    """Channels that fire together in a photo.

    Attributes:
        values: ``(rows, columns)``: where they do.
        direction: ``(channels,)``: how much of each channel there is in it.
        attribution: What the group says for the class.
    """

    values: FloatArray
    direction: FloatArray
    attribution: float


@dataclass(frozen=True, eq=False)
class Attribution:
    """What a layer says for a class, or for one rather than another.

    Attributes:
        score: The class's score before the softmax, or the difference of two.
        activations: What the layer finds, ``(rows, columns, channels)``, or ``(units,)``.
        gradient: What more of each activation adds to the score, of the same shape.
        groups: Of its channels; none where they were not asked for.
    """

    score: float
    activations: FloatArray
    gradient: FloatArray
    groups: tuple[Group, ...] = ()

    @property
    def by_place(self) -> FloatArray:
        """What each place says, ``(rows, columns)``; of a layer without places a number."""
        return np.asarray((self.activations * self.gradient).sum(axis=-1), np.float32)

    @property
    def by_channel(self) -> FloatArray:
        """What each channel says, ``(channels,)``."""
        said = self.activations * self.gradient
        return np.asarray(said.reshape(-1, said.shape[-1]).sum(axis=0), np.float32)

    @property
    def total(self) -> float:
        """What all of the layer says."""
        return float((self.activations.astype(np.float64) * self.gradient).sum())


def attribution(
    opened: Opened, picture: FloatArray, wanted: FloatArray, *, groups: int = 0, seed: int = 0
) -> Attribution:
    """Find what a layer says for a class in a photo.

    Args:
        opened: The network, opened at the layer.
        picture: ``(height, width, 3)`` in [0, 1], of the size that is seen.
        wanted: ``(classes,)``: 1 for the class, -1 for one that it is compared with.
        groups: Into how many groups its channels are split; 0 for none.
        seed: Of the split.

    Raises:
        MissingExtraError: What splits is not installed.
        SettingsError: The layer has no places, so nothing can be split.
    """
    score, activations, gradient = opened.gradient(picture, wanted)
    found = split(activations, gradient, groups, seed, opened.layer) if groups else ()
    return Attribution(score, activations, gradient, found)


def split(activations: FloatArray, gradient: FloatArray, groups: int, seed: int, layer: str) -> tuple[Group, ...]:
    """Split what a layer finds into groups of channels that fire together, those that say most first.

    What is negative is left out: a group is made of what fires.

    Args:
        activations: ``(rows, columns, channels)``.
        gradient: The same shape.
        groups: How many.
        seed: Of the split.
        layer: What errors call it.
    """
    if activations.ndim != 3:
        raise SettingsError(f"{layer!r} has no places, so its channels cannot be grouped by where they fire")
    try:
        from sklearn.decomposition import NMF
        from sklearn.exceptions import ConvergenceWarning
    except ImportError as error:
        raise MissingExtraError(
            "groups of channels need scikit-learn: python -m pip install 'deepdreamer[embedding]'"
        ) from error
    rows, columns, channels = activations.shape
    fires = np.maximum(activations.reshape(-1, channels), 0).astype(np.float64)
    count = min(groups, *fires.shape)
    factors = NMF(count, init="nndsvda", random_state=seed % 2**32, max_iter=_MOST_ROUNDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # Groups that are nearly settled are groups.
        places = factors.fit_transform(fires)
    said = (places * (gradient.reshape(-1, channels) @ factors.components_.T)).sum(axis=0)
    return tuple(
        Group(
            places[:, one].reshape(rows, columns).astype(np.float32),
            factors.components_[one].astype(np.float32),
            float(said[one]),
        )
        for one in np.argsort(-np.abs(said), kind="stable")
    )
