"""The call that makes an activation atlas of photos.

(It is not called ``map``, which Python has already.)
"""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamer.arrays import FloatArray, StoredArray
from dreamer.mapping import cells as gridding
from dreamer.mapping import icons, layout, points, speaking
from dreamer.mapping.atlas import NEAREST, ActivationMap, MapCell, Placed
from dreamer.mapping.cells import Cell
from dreamer.mapping.points import Points
from dreamer.mapping.settings import MapSettings
from dreamer.models import registry
from dreamer.recipes import recipe_of
from dreamer.searching import looking
from dreamer.searching.duplicates import are_alike, thumbnail
from dreamer.searching.filling import Index
from dreamer.searching.looking import Photos
from dreamer.workers.places import Place

if TYPE_CHECKING:
    from dreamer.models.network import Network

Told = Callable[[str, float], None]
"""Told what is done now, and which share of it is done."""

_OF_A_PLACED = 9  # Positions of a photo of one's own.
_LABELS = 5
_LEAST_NORM = 1e-9


def map_photos(
    layer: str,
    photos: str | Path,
    settings: MapSettings | None = None,
    *,
    network: Network | str | None = None,
    place_photos: Iterable[str | Path] = (),
    index: str | Path | None = None,
    place: Place | None = None,
    on_progress: Told = lambda _what, _share: None,
    note: Callable[[str], None] | None = None,
    **keywords: Any,
) -> ActivationMap:
    """Make an activation atlas: a map of what a layer tells apart in photos.

    Args:
        layer: One with positions.
        photos: A folder, or the URL of one in a store.
        settings: How.
        network: Whose layer: a name, the path of a ``.keras`` file, or what :func:`dreamer.load` gave; in place of
            ``model`` of the settings.
        place_photos: Photos of one's own to be found on the map.
        index: Where what the layer finds in the photos is kept; None for in the cache.
        place: Where the photos are looked at; by default in this process.
        on_progress: Told what is done, and which share of it. What it raises ends the work.
        note: Told in a line what is done otherwise than asked; by default a warning.
        **keywords: Fields of :class:`MapSettings`, in place of ``settings`` or on top of them.

    Returns:
        The map; ``save`` writes its page.

    Raises:
        SettingsError: A setting is impossible, the layer has no positions, or there are no photos.
        MissingExtraError: What lays the points out is not installed.
        ModelError: The network, the layer or the weights are not there.
        ImageReadError: No photo, or one of one's own, cannot be read.

    References:
        Carter, Armstrong, Schubert, Johnson and Olah, "Activation Atlas", Distill 2019.

    Example:
        >>> import dreamer
        >>> dreamer.map_photos("block5c", "photos").save("map")  # doctest: +SKIP
        PosixPath('map/index.html')
    """
    chosen = MapSettings.merged(settings, keywords)
    layout.check(chosen.layout)
    tell = _warn if note is None else note
    loaded, chosen = registry.load_for(chosen, network)
    points.check(loaded, layer)
    own = [(Path(path).name, looking.load(Path(path))) for path in place_photos]
    listed = Photos.of(str(photos))
    if listed.left_out:
        tell(f"of the photos in {listed.folder} {listed.left_out}")
    held = Index(loaded, listed, [layer], None if index is None else Path(index))
    held.fill(where=place, note=tell, on_photo=lambda done, of: on_progress(f"{done} of {of} photos", done / of))
    found = points.sample(held, layer, per_photo=chosen.per_photo, seed=chosen.seed)
    if found.alike:
        tell(f"{found.alike} photos are nearly the same as others, and left out")
    if chosen.per_photo is None and found.per_photo > 1:
        tell(f"{found.per_photo} positions are taken of each photo, since there are few: {len(found)} points")
    on_progress("laying them out", 0.0)
    positions = layout.layout(found.activations, chosen.layout, seed=chosen.seed % 2**31)
    levels = {
        grid: gridding.cells(positions, found.activations, grid, least=gridding.least(len(found), grid))
        for grid in chosen.grids or gridding.grids(len(found))
    }
    placed = [_placed(held, layer, name, pixels, found, positions) for name, pixels in own]
    made = _Cells(loaded, layer, held, found, levels, chosen, on_progress, tell)
    shown = made.cells()
    wanted = sorted({index for some in shown.values() for cell in some for index, _ in cell.labels})
    recipe = recipe_of(loaded, dataclasses.replace(chosen, grids=tuple(levels)).to_dict(), {}) | {
        "command": "map", "layer": layer, "photos": listed.folder, "side": held.side,
    }  # fmt: skip
    return ActivationMap(
        layer=layer,
        title=f"{layer} of {loaded.spec.name}",
        points=found,
        positions=positions,
        levels=shown,
        crops=made.crops([point for one in placed for point in one.near]),
        classes={index: loaded.labels[index].name if loaded.labels else f"class {index}" for index in wanted},
        placed=tuple(placed),
        recipe=recipe,
    )


class _Cells:
    """The cells of a map, with all that is shown of them."""

    def __init__(
        self,
        network: Network,
        layer: str,
        index: Index,
        found: Points,
        levels: Mapping[int, Sequence[Cell]],
        settings: MapSettings,
        on_progress: Told,
        note: Callable[[str], None],
    ) -> None:
        self._network, self._layer, self._index, self._points = network, layer, index, found
        self._levels, self._settings, self._note = levels, settings, note
        self._on_progress = on_progress
        self._all = [cell for some in levels.values() for cell in some]

    def cells(self) -> dict[int, tuple[MapCell, ...]]:
        """By level the cells with icons and labels."""
        said = self._said()
        drawn = self._icons()
        alike = self._alike(drawn)
        found = iter(
            MapCell(cell, drawn[place] if drawn else None, self._labels(cell, said), alike[place] if drawn else None)
            for place, cell in enumerate(self._all)
        )
        return {grid: tuple(next(found) for _ in some) for grid, some in self._levels.items()}

    def crops(self, more: Sequence[int]) -> dict[int, StoredArray]:
        """What was seen at the points that are nearest to the cells' means, and at some more."""
        wanted = sorted({int(one) for cell in self._all for one in cell.members[:NEAREST]} | set(more))
        found: dict[int, StoredArray] = {}
        name, pixels = "", np.zeros((1, 1, 3), np.uint8)
        for done, point in enumerate(wanted, start=1):  # Points of a photo follow each other.
            own = self._points.names[self._points.photos[point]]
            if own != name:
                name, pixels = own, looking.load(self._index.place_of(own))
            where = self._index.looked_at(own, self._layer)
            if where is not None:
                found[point] = points.crop(pixels, where, self._points.at[point])
            self._on_progress("cutting crops", done / len(wanted))
        return found

    def _said(self) -> dict[int, FloatArray]:
        """What the points say for the classes by which cells are labelled."""
        if self._network.logits is None:
            return {}
        return speaking.attributions(
            self._network, self._layer, self._index, self._points, speaking.asked(self._all),
            lambda share: self._on_progress("asking what they speak for", share),
        )  # fmt: skip

    def _labels(self, cell: Cell, said: Mapping[int, FloatArray]) -> tuple[tuple[int, float], ...]:
        some = [said[int(one)] for one in cell.members if int(one) in said]
        if not some:
            return ()
        asked = dataclasses.replace(cell, members=np.arange(len(some)))
        return tuple(one for one in gridding.labels(np.stack(some), asked, _LABELS) if one[1] > 0)

    def _icons(self) -> list[StoredArray]:
        if not self._settings.steps:
            return []
        whitening = gridding.whitening(self._points.activations, icons.WHITENED)
        targets = [icons.target(self._layer, cell, whitening) for cell in self._all]
        began = time.monotonic()

        def on_step(share: float) -> None:
            left = (time.monotonic() - began) * (1 / share - 1) if share else 0.0
            self._on_progress(f"drawing {len(targets)} icons, {left:.0f} s left", share)

        return icons.draw(targets, self._settings, self._network, on_step, self._note)

    def _alike(self, drawn: Sequence[StoredArray]) -> list[float]:
        """How near what the layer finds in each icon is to the mean that it was drawn for: the best of its places."""
        found = []
        for icon, cell in zip(drawn, self._all, strict=False):
            given = self._network.activations(icon, [self._layer])[self._layer]
            flat = given.reshape(-1, given.shape[-1])
            lengths = np.linalg.norm(flat, axis=1) * np.linalg.norm(cell.mean)
            found.append(round(float((flat @ cell.mean / np.maximum(lengths, _LEAST_NORM)).max()), 4))
        return found


def _placed(index: Index, layer: str, name: str, pixels: StoredArray, found: Points, positions: FloatArray) -> Placed:
    """Where a photo of one's own lies: some positions spread over it."""
    network = index.network
    picture = looking.seen(pixels, network.sides([layer]), index.side)
    given = network.activations(picture, [layer])[layer]
    some = points.drawn(given.shape[:2], name, _OF_A_PLACED, 0)
    new = np.stack([given[one] for one in some])
    at = layout.place(new, found.activations, positions)
    products = (_unit(new) @ _unit(found.activations).T).max(axis=0)
    own = thumbnail(pixels)
    near: dict[int, int] = {}  # A point of each photo, but of the very photo that is placed.
    for point in np.argsort(-products, kind="stable"):
        photo = int(found.photos[point])
        if photo not in near and not are_alike(own, index.entry(found.names[photo]).thumbnail):
            near[photo] = int(point)
        if len(near) == NEAREST:
            break
    return Placed(name, pixels, at, tuple(near.values()))


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, _LEAST_NORM), np.float32)


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=2)
