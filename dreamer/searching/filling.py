"""Photos -> what layers find in them, into an index: in this process, in several, or on a cluster.

The one idea: what is missing is looked at in small groups, and each group is put into the index before the next, so
that a run may end at any moment and the next one goes on. Only a group is in memory.

Must not import: the command line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from dreamer.arrays import FloatArray, StoredArray
from dreamer.backends import backend
from dreamer.errors import ImageReadError
from dreamer.models import reach, registry
from dreamer.models.keras_file import is_path
from dreamer.models.network import Network
from dreamer.models.positions import Positions
from dreamer.models.preprocessing import Preprocessing
from dreamer.models.weights import HeldWeights
from dreamer.searching import duplicates, index, looking
from dreamer.searching.index import Entry, Key, LayerIndex
from dreamer.searching.looking import Photos
from dreamer.workers import limits, pools, process, resources
from dreamer.workers.places import Place as WorkPlace

_AT_ONCE = 16  # Photos of a group: a second's work or two.


@dataclass(frozen=True, eq=False)
class Looked:
    """What layers found in a photo.

    Attributes:
        found: By layer, ``(rows, columns, channels)`` or ``(units,)``.
        seen: ``(height, width)`` at which the network saw it.
        size: ``(height, width)`` of the photo as it is shown.
        thumbnail: It made tiny.
    """

    found: Mapping[str, FloatArray]
    seen: tuple[int, int]
    size: tuple[int, int]
    thumbnail: duplicates.Thumbnail


@dataclass(frozen=True)
class PhotosJob:
    """Photos to be looked at by a process that knows nothing else.

    Attributes:
        numbers: Of the photos.
        places: Where they are.
        model: The network.
        preprocessing: How photos are prepared for it; None for what is known of it.
        layers: Its layers.
        timeout: Seconds for each; None for what is usual.
    """

    numbers: tuple[int, ...]
    places: tuple[looking.Place, ...]
    model: str
    preprocessing: Preprocessing | None
    layers: tuple[str, ...]
    timeout: float | None


class Index:
    """What some layers of a network find in the photos of a folder.

    Args:
        network: The network.
        photos: The photos.
        layers: The layers.
        place: Where it is kept; None for in the cache.

    Attributes:
        layers: The layers, in order.
        place: Where it is.
        side: The shorter side at which photos are looked at, in pixels.
        left_out: Why photos are not in it, a line each.
    """

    def __init__(self, network: Network, photos: Photos, layers: Sequence[str], place: Path | None = None) -> None:
        self.network, self.photos = network, photos
        self.layers = tuple(sorted(layers))
        self._numbers = {name: number for number, name in enumerate(photos.names)}
        self.side = looking.side_of(network.graph.own_size)
        # What Keras calls a network in memory, and what is in it, depends on how many it made before.
        name = "" if isinstance(network.spec.weights, HeldWeights) else network.spec.name
        self._key = Key(name, _digest(network), str(network.spec.preprocessing), self.side)
        self.place = place or index.usual_place(photos.folder, self._key)
        self.left_out: list[str] = []
        self._by_layer: dict[str, LayerIndex] = {}
        self._grids: dict[tuple[str, tuple[int, int]], Positions | None] = {}

    def fill(
        self,
        *,
        where: WorkPlace | None = None,
        on_photo: Callable[[int, int], None] = lambda _done, _of: None,
        note: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Look at the photos that are not in it yet.

        Args:
            where: Where the work is done: None for in this process; a place of which nothing is said for in this
                process, with photos read by others, which can be ended.
            on_photo: Told how many of how many were looked at. What it raises ends the work; what there is stays.
            note: Told in a line which photo cannot be read.

        Raises:
            ImageReadError: None of the photos can be read.
            FolderError: It cannot be written to.
        """
        with index.held(self.place):
            self._by_layer = {name: LayerIndex(self.place, name, self._key) for name in self.layers}
            missing = sorted(
                {one for held in self._by_layer.values() for one in held.missing(self.photos.names, self.photos.stamps)}
            )
            done = 0
            for numbers, looked in self._looked(missing, where):
                self._put(numbers, looked, note)
                done += len(numbers)
                on_photo(done, len(missing))
            for one in self._by_layer.values():
                one.keep()
        if not self.names:
            raise ImageReadError(f"none of the {len(self.photos)} photos in {self.photos.folder} can be read")

    @property
    def bytes(self) -> int:
        """How much it takes on the disk."""
        return sum(one.bytes for one in self._by_layer.values())

    @property
    def names(self) -> list[str]:
        """The photos that are in it, in order."""
        entries = [one.entries for one in self._by_layer.values()]
        return [name for name in self.photos.names if all(name in one for one in entries)]

    def entry(self, photo: str) -> Entry:
        """What is known of a photo."""
        return next(iter(self._by_layer.values())).entries[photo]

    def found(self, photo: str) -> dict[str, Any]:
        """What the layers found in a photo."""
        return {name: one.found(photo) for name, one in self._by_layer.items()}

    def where(self, photo: str) -> Mapping[str, Positions | None]:
        """Where the layers' positions lie on a photo as the network saw it; found out when it is asked for."""
        return _Where(self, photo)

    def looked_at(self, photo: str, layer: str) -> Positions | None:
        """The same of a layer, seeing what it looks at in effect; None for one without positions."""
        found = self.positions(photo, layer)
        return None if found is None else reach.in_effect(self.network, layer, found)

    def place_of(self, photo: str) -> looking.Place:
        """Where a photo is."""
        return self.photos.places[self._numbers[photo]]

    def positions(self, photo: str, layer: str) -> Positions | None:
        """The same of a layer."""
        seen = self._by_layer[layer].entries[photo].seen
        if (layer, seen) not in self._grids:
            self._grids[layer, seen] = self.network.positions([layer], seen)[layer]
        return self._grids[layer, seen]

    def _put(self, numbers: Sequence[int], looked: Sequence[Looked | str], note: Callable[[str], None]) -> None:
        for one in looked:
            if isinstance(one, str):
                self.left_out.append(one)
                note(f"left out: {one}")
        whole = [(number, one) for number, one in zip(numbers, looked, strict=True) if isinstance(one, Looked)]
        for name, held in self._by_layer.items():
            held.add(
                (self._entry(number, one), one.found[name])
                for number, one in whole
                if self.photos.names[number] not in held.entries
            )

    def _entry(self, number: int, one: Looked) -> Entry:
        name, stamp = self.photos.names[number], self.photos.stamps[number]
        return Entry(name, stamp, 0, (1,), one.seen, one.size, one.thumbnail)

    def _looked(
        self, missing: Sequence[int], where: WorkPlace | None
    ) -> Iterator[tuple[Sequence[int], Sequence[Looked | str]]]:
        groups = [missing[first : first + _AT_ONCE] for first in range(0, len(missing), _AT_ONCE)]
        if not groups:
            return
        if where is None:
            for group in groups:
                yield (
                    group,
                    list(look(self.network, self.layers, looking.here([self.photos.places[one] for one in group]))),
                )
            return
        if where.is_named and not isinstance(self.network.spec.weights, HeldWeights):
            yield from self._in_pool(groups, where)
            return
        with closing(pools.Processes([resources.ONE_THREAD] * 2, limit=limits.START_UP)) as pool:
            for group in groups:
                shown = looking.in_pool([self.photos.places[number] for number in group], pool, where.timeout)
                yield group, list(look(self.network, self.layers, shown))

    def _in_pool(
        self, groups: Sequence[Sequence[int]], where: WorkPlace
    ) -> Iterator[tuple[Sequence[int], Sequence[Looked | str]]]:
        spec = self.network.spec
        jobs = [
            PhotosJob(
                tuple(group), tuple(self.photos.places[one] for one in group), registry.name_of(self.network),
                spec.preprocessing if is_path(spec.name) else None, self.layers, where.timeout,
            )
            for group in groups
        ]  # fmt: skip
        with ExitStack() as stack:
            pool = where.pool()
            stack.callback(pool.close)
            for outcome in pools.run(jobs, look_job, pool, retries=where.retries):
                if outcome.result is None:
                    why = outcome.failure.message if outcome.failure else "nothing came back"
                    yield outcome.job.numbers, [f"{place}: {why}" for place in outcome.job.places]
                else:
                    yield outcome.job.numbers, outcome.result


class _Where(Mapping[str, Positions | None]):
    """Where the positions of layers lie on a photo; most questions need none of them, and each takes a walk."""

    def __init__(self, index: Index, photo: str) -> None:
        self._index, self._photo = index, photo

    def __getitem__(self, layer: str) -> Positions | None:
        return self._index.positions(self._photo, layer)

    def __iter__(self) -> Iterator[str]:
        return iter(self._index.layers)

    def __len__(self) -> int:
        return len(self._index.layers)


def _digest(network: Network) -> str:
    """Of a network's weights; of one that is in memory only, of what they hold, by whatever names."""
    if network.weights_sha256 and not isinstance(network.spec.weights, HeldWeights):
        return network.weights_sha256
    held = hashlib.sha256()
    for variable in network.graph.network.variables:
        held.update(np.ascontiguousarray(ops.convert_to_numpy(variable)).tobytes())
    return held.hexdigest()


def program(network: Network, layers: Iterable[str]) -> Callable[[FloatArray], Mapping[str, Any]]:
    """What gives the activations of some layers for a photo ``(1, height, width, 3)``.

    Compiled it takes a fifth of the time; but a backend that compiles for each size would do so for nearly each photo.
    """
    run = network.forward(layers)
    if backend.current().STATIC_SHAPES:
        return lambda photo: run(ops.convert_to_tensor(photo))
    compiled: Callable[[FloatArray], Mapping[str, Any]] = backend.compile_chunk(run, network.variables(layers))
    return compiled


def look(network: Network, layers: Sequence[str], photos: Any) -> Iterator[Looked | str]:
    """What layers find in photos, one after the other.

    Args:
        network: The network.
        layers: Its layers.
        photos: Each as :func:`looking.small` gives it, or in a line why it cannot be read.
    """
    run, sides, side = program(network, layers), network.sides(layers), looking.side_of(network.graph.own_size)
    for shown in photos:
        yield shown if isinstance(shown, str) else _look(run, layers, looking.seen(shown, sides, side), shown)


def _look(run: Callable[..., Any], layers: Sequence[str], seen: FloatArray, shown: StoredArray) -> Looked:
    found = run(seen[None])
    height, width = seen.shape[:2]
    return Looked(
        {name: np.asarray(ops.convert_to_numpy(found[name])[0], np.float32) for name in layers},
        (height, width),
        (shown.shape[0], shown.shape[1]),
        duplicates.thumbnail(shown),
    )


def look_job(job: PhotosJob) -> list[Looked | str]:
    """Look at photos, as a worker of a pool does."""
    network = registry.load(job.model, job.preprocessing)
    process.allow(len(job.places) * (job.timeout or limits.READING))
    return list(look(network, job.layers, map(looking.told_or_loaded, job.places)))
