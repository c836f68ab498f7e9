"""A photo cut into squares of the size that a network was built for, and what it takes each of them for.

The one idea: a network looks at a photo as a whole, made small; what is small in the photo is lost. So where the photo
has the pixels, squares of the network's own size are looked at besides, that overlap by half or more: across the whole
as it is seen, and across it twice as large.

Must not import: files, the command line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dreamer.arrays import FloatArray, Size, StoredArray, as_float, resize_stored, scaled
from dreamer.models.network import Network, Prediction, probabilities
from dreamer.models.positions import Box

_SCALES = (1, 2)
_LONGEST = 4  # Times the shorter side: as far as a network looks at all.


@dataclass(frozen=True)
class Crops:
    """What a network takes squares of a photo for.

    Attributes:
        boxes: ``(top, left, height, width)`` of each as shares of the photo.
        best: What it takes each of them for.
        mean: The classes by the mean of their probabilities, the likeliest first.
    """

    boxes: tuple[Box, ...]
    best: tuple[Prediction, ...]
    mean: tuple[Prediction, ...]

    @property
    def how(self) -> str:
        """How the photo was cut, in a sentence."""
        return (
            f"{len(self.boxes)} squares of the network's own size, overlapping by half or more, across the photo as it "
            "is seen as a whole and, where it has the pixels, twice as large"
        )


def crops(network: Network, photo: StoredArray, top: int) -> Crops | None:
    """Look at the squares of a photo.

    Args:
        network: One with classes.
        photo: ``(height, width, 3)``.
        top: How many classes.

    Returns:
        None where there is but one square, all of the photo.
    """
    own = network.graph.own_size
    found: list[tuple[Box, FloatArray]] = []
    for scale in _SCALES:
        size = _size(photo.shape[:2], own, scale)
        if size is None:
            continue
        picture = np.clip(as_float(resize_stored(photo, size)), 0, 1)
        for y in _starts(size[0], own[0]):
            for x in _starts(size[1], own[1]):
                box = (y / size[0], x / size[1], own[0] / size[0], own[1] / size[1])
                found.append((box, np.asarray(picture[y : y + own[0], x : x + own[1]], np.float32)))
    if len(found) < 2 or network.logits is None:
        return None
    logits = network.activations(np.stack([picture for _, picture in found]), [network.logits])[network.logits]
    shares = probabilities(logits)
    mean = shares.mean(axis=0)
    best = tuple(network.called(one, [int(one.argmax())])[0] for one in shares)
    likeliest = network.called(mean, np.argsort(-mean, kind="stable")[:top])
    return Crops(tuple(box for box, _ in found), best, likeliest)


def _size(photo: Size, own: Size, scale: int) -> Size | None:
    """The size at which squares are cut; None where the photo has not the pixels, or is much too long."""
    share = scale * max(mine / side for mine, side in zip(own, photo, strict=True))
    if share > 1 or max(photo) > _LONGEST * min(photo):
        return None
    return tuple(max(mine, side) for mine, side in zip(own, scaled(photo, share), strict=True))  # type: ignore[return-value]


def _starts(length: int, side: int) -> Sequence[int]:
    """Where squares begin along an axis: evenly, overlapping by half or more.

    Example:
        >>> list(_starts(224, 224)), list(_starts(336, 224)), list(_starts(448, 224))
        ([0], [0, 112], [0, 112, 224])
    """
    count = math.ceil((length - side) / (side / 2)) + 1
    return [round(one) for one in np.linspace(0, length - side, count)]
