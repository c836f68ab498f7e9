"""The photos of a folder that excite each unit most, and the part of them that it saw.

The one idea: one pass for all units. Each photo goes through the network once; of all layers together, a unit keeps
its nine best so far, as numbers. A photo is kept small, once, however many units it excites; the page cuts out what
a unit saw of it.

References:
    Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014, figure 2; the "dataset examples"
    of Olah et al., "Feature Visualization", 2017.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from dreamer import images
from dreamer.arrays import StoredArray
from dreamer.atlases.catalog import Catalog, Example, ExamplePhoto, UnitEntry
from dreamer.batching.names import inside, is_within
from dreamer.errors import ImageReadError
from dreamer.images import files
from dreamer.models import reach
from dreamer.searching import duplicates, filling, looking
from dreamer.searching.looking import SIDE

if TYPE_CHECKING:
    from dreamer.models.network import Network
    from dreamer.models.positions import Positions

COUNT = 9
_LEAST_BOX = 48  # Pixels: less around what a unit saw is hard to recognise.


def digest(paths: Sequence[Path], catalog: Catalog) -> str:
    """Of all that examples depend on: which photos there are, by name, size and date, and which units."""
    stats = [(str(path), status.st_size, status.st_mtime_ns) for path in paths for status in [path.stat()]]
    held = json.dumps([SIDE, stats, sorted(catalog.entries), catalog.weights_sha256])
    return hashlib.sha256(held.encode()).hexdigest()


def find(
    folder: Path,
    catalog: Catalog,
    network: Network,
    paths: Sequence[Path],
    *,
    read: Callable[[Sequence[Path]], Iterable[StoredArray | str]] = looking.here,
    on_photo: Callable[[int], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> None:
    """Find the nine photos that excite each unit of an atlas most, and keep them small in its folder.

    Of near-duplicates the first is taken.

    Args:
        folder: Of the atlas, locked.
        catalog: Its units are given their examples.
        network: The atlas's own.
        paths: The photos.
        read: Reads them, in order; :mod:`dreamer.searching.looking` has two ways.
        on_photo: Told how many photos have been looked at. What it raises ends the work, and changes nothing.
        note: Told in a line which photo cannot be read.

    Raises:
        ImageReadError: None of the photos can be read.
        ImageWriteError: The folder cannot be written to.
    """
    layers = catalog.layers
    activations = filling.program(network, layers)
    best = {layer: _Best(entries) for layer, entries in layers.items()}
    known = duplicates.Known()
    kept: dict[int, ExamplePhoto] = {}
    inside(folder, "examples").mkdir(exist_ok=True)
    for number, (path, shown) in enumerate(zip(paths, read(paths), strict=True)):
        if isinstance(shown, str):
            note(f"left out: {shown}")
            on_photo(number + 1)
            continue
        if known.alike(duplicates.thumbnail(shown)) is not None:
            on_photo(number + 1)
            continue
        seen = looking.seen(shown, network.sides(layers))
        found = activations(seen[None])
        places = network.positions(list(layers), seen.shape[:2])
        taken = [
            best[name].take(number, ops.convert_to_numpy(found[name])[0], _in_effect(network, name, places[name]))
            for name in layers
        ]
        if any(taken):
            kept[number] = _keep(folder, shown, path.name)
        on_photo(number + 1)
    if not kept:
        raise ImageReadError(f"none of the {len(paths)} photos can be read")
    _record(catalog, best, kept)


def sweep(folder: Path, catalog: Catalog) -> None:
    """Take away the photos that no unit's examples are taken from any more; after the catalog is written."""
    wanted = {folder / photo.path for photo in catalog.photos}
    if not is_within(folder / "examples", folder):
        return
    for path in (folder / "examples").glob("*.webp"):
        if path not in wanted:
            path.unlink(missing_ok=True)


def _record(catalog: Catalog, best: dict[str, _Best], kept: dict[int, ExamplePhoto]) -> None:
    numbers = sorted({int(number) for one in best.values() for number in one.photos.flat if number >= 0})
    places = {number: place for place, number in enumerate(numbers)}
    catalog.photos = [kept[number] for number in numbers]
    for one in best.values():
        for entry, examples in zip(one.entries, one.examples(places), strict=True):
            entry.examples = examples


def _keep(folder: Path, shown: StoredArray, name: str) -> ExamplePhoto:
    data, _ = images.encode(images.Photo(shown), ".webp", recipe=None)
    height, width = shown.shape[:2]
    photo = ExamplePhoto(name, height, width, hashlib.sha256(data).hexdigest())
    files.put(inside(folder, photo.path), data, overwrite=True)
    return photo


class _Best:
    """The best photos so far of the units of a layer."""

    def __init__(self, entries: Sequence[UnitEntry]) -> None:
        self.entries = entries
        self._indices = [entry.unit.index for entry in entries]
        self.scores = np.full((len(entries), COUNT), -np.inf)
        self.photos = np.full((len(entries), COUNT), -1)
        self._boxes = np.zeros((len(entries), COUNT, 4))

    def take(self, photo: int, activation: NDArray[Any], places: Positions | None) -> bool:
        """Take note of the activations ``(height, width, channels)`` or ``(units,)`` of a photo; whether it is kept."""
        flat = activation.reshape(-1, activation.shape[-1])[:, self._indices]
        where = flat.argmax(axis=0)
        scores = flat.max(axis=0)
        rows = np.arange(len(scores))
        worst = self.scores.argmin(axis=1)
        better = np.flatnonzero(scores > self.scores[rows, worst])
        self.scores[better, worst[better]] = scores[better]
        self.photos[better, worst[better]] = photo
        boxes = [_around(places, int(one)) for one in where[better]]
        self._boxes[better, worst[better]] = np.reshape(boxes, (-1, 4))
        return bool(len(better))

    def examples(self, places: dict[int, int]) -> list[list[Example]]:
        """Of each unit, the best first."""
        order = np.argsort(-self.scores, axis=1)
        return [
            [
                Example(places[int(self.photos[row, one])], float(self.scores[row, one]), self._box(row, one))
                for one in order[row]
                if self.photos[row, one] >= 0
            ]
            for row in range(len(self.entries))
        ]

    def _box(self, row: int, one: int) -> tuple[float, float, float, float]:
        top, left, height, width = (round(float(share), 4) for share in self._boxes[row, one])
        return top, left, height, width


def _in_effect(network: Network, layer: str, places: Positions | None) -> Positions | None:
    return None if places is None else reach.in_effect(network, layer, places)


def _around(places: Positions | None, where: int) -> tuple[float, ...]:
    """The square around what a unit at a position sees, as shares of a photo; all of it where it has no position."""
    if places is None:
        return 0.0, 0.0, 1.0, 1.0
    box = places.square(*divmod(where, places.grid[1]), least=_LEAST_BOX)
    return tuple(np.divide(box, (*places.size, *places.size)))
