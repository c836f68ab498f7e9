"""The call that searches photos for what an objective answers to.

(The function lives here and not in a module ``search``, because importing that would hide ``dreamer.search``.)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dreamer import targets
from dreamer.arrays import FloatArray
from dreamer.errors import UnknownLayerError
from dreamer.models import registry
from dreamer.models.positions import Box
from dreamer.objectives import Objective
from dreamer.recipes import recipe_of
from dreamer.searching import answers, looking
from dreamer.searching.answers import Answer
from dreamer.searching.duplicates import Known
from dreamer.searching.filling import Index
from dreamer.searching.found import Found, FoundPhoto
from dreamer.searching.looking import Photos
from dreamer.searching.settings import SearchSettings
from dreamer.settings import digests_of
from dreamer.visualizing.run import VisualizeRun
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.workers.places import Place

if TYPE_CHECKING:
    from dreamer.models.network import Network

_LEAST_BOX = 48  # Pixels: less around what a unit saw is hard to recognise.
_MOST_FOR_MEAN = 500  # Photos over which the mean of a layer is taken.
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def search(
    objective: Objective | str,
    photos: str | Path,
    settings: SearchSettings | None = None,
    *,
    network: Network | str | None = None,
    index: str | Path | None = None,
    place: Place | None = None,
    on_photo: Callable[[int, int], None] = lambda _done, _of: None,
    on_step: Callable[[float], None] = lambda _share: None,
    note: Callable[[str], None] | None = None,
    **keywords: Any,
) -> Found:
    """Search photos for those, and for the part of them, that an objective answers to most and least.

    Args:
        objective: What is asked for: classes, channels, neurons, directions, layers, guides, and sums of them.
        photos: A folder, or the URL of one in a store.
        settings: How.
        network: Whose units they are: a name, the path of a ``.keras`` file, or what :func:`dreamer.load` gave; in
            place of ``model`` of the settings.
        index: Where what the layers find in the photos is kept; None for in the cache. With it the next question to
            the same layers needs seconds.
        place: Where the photos are looked at; by default in this process.
        on_photo: Told how many of how many photos were looked at. What it raises ends the work, and what was looked
            at stays.
        on_step: Told which share of the drawing is done.
        note: Told in a line what is left out; by default a warning.
        **keywords: Fields of :class:`SearchSettings`, in place of ``settings`` or on top of them.

    Returns:
        The photos, and what was drawn to be seen beside them.

    Raises:
        SettingsError: A setting is impossible, a term says nothing of photos, or there are no photos.
        ModelError: The network, a layer, a class or the weights are not there.
        ImageReadError: No photo can be read.
        FolderError: The photos cannot be listed, or the index cannot be written.

    Example:
        >>> import dreamer
        >>> found = dreamer.search("logit:tabby cat", "photos", top=4)  # doctest: +SKIP
        >>> [one.photo for one in found.most]  # doctest: +SKIP
        ['cat.jpg', 'sofa.jpg', 'tiger.jpg', 'lynx.jpg']
    """
    chosen = SearchSettings.merged(settings, keywords)
    asked = Objective.of(objective)
    answers.check(asked)
    loaded, chosen = registry.load_for(chosen, network)
    resolved = targets.resolve(asked, loaded)
    tell = _warn if note is None else note
    listed = Photos.of(str(photos))
    if listed.left_out:
        tell(f"of the photos in {listed.folder} {listed.left_out}")
    held = Index(loaded, listed, sorted(resolved.layers), None if index is None else Path(index))
    held.fill(where=place, on_photo=on_photo, note=tell)
    ranking = _Ranking(resolved, held, tell)
    drawn = _drawn(asked, chosen, loaded, on_step)
    seen = [ranking.answer_of(picture, loaded, least=end == 1) for end, picture in enumerate(drawn)]
    recipe = recipe_of(loaded, chosen.to_dict(), digests_of(asked.files)) | {
        "command": "search", "targets": [asked.name], "photos": listed.folder, "side": held.side,
    }  # fmt: skip
    return Found(
        objective=asked.name,
        title=targets.title(resolved, loaded),
        most=ranking.best(chosen.top, seen[0] if seen else None, least=False),
        least=ranking.best(chosen.top, seen[1] if seen else None, least=True),
        drawn=drawn,
        looked_at=len(held.names),
        left_out=tuple(held.left_out),
        recipe=recipe,
    )


class _Ranking:
    """The photos of an index in the order of what an objective gives for them."""

    def __init__(self, objective: Objective, index: Index, note: Callable[[str], None]) -> None:
        self._objective, self._index = objective, index
        self._ends: tuple[list[tuple[float, tuple[int, int]]], list[tuple[float, tuple[int, int]]]] = ([], [])
        self._names: list[str] = []
        self._layer: str | None = None
        outside: UnknownLayerError | None = None
        for name in index.names:
            try:
                found = answers.answer(objective, index.found(name), index.where(name))
            except UnknownLayerError as error:
                outside = error
                continue
            self._names.append(name)
            self._layer = found.layer
            self._ends[0].append(found.most())
            self._ends[1].append(found.least())
        if outside is not None:
            if not self._names:
                raise outside
            note(f"left out: {len(index.names) - len(self._names)} photos, since {outside}")

    def best(self, top: int, drawn: NDArray[Any] | None, *, least: bool) -> tuple[FoundPhoto, ...]:
        """The photos at one end; of near-duplicates the best, with the names of the others."""
        found = self._ends[int(least)]
        order = np.argsort([score if least else -score for score, _ in found], kind="stable")
        known = Known()
        chosen: list[int] = []
        alike: list[list[str]] = []
        for place in order:
            twin = known.alike(self._index.entry(self._names[place]).thumbnail)
            if twin is not None:
                if twin < top:
                    alike[twin].append(self._names[place])
            elif len(chosen) == top:
                break
            else:
                chosen.append(int(place))
                alike.append([])
        mean = None if drawn is None else self._mean()
        return tuple(
            self._photo(self._names[place], *found[place], others, drawn, mean)
            for place, others in zip(chosen, alike, strict=True)
        )

    def answer_of(self, picture: FloatArray, network: Network, *, least: bool) -> NDArray[Any]:
        """What is found at the best place of a picture that was drawn, or at the least of one drawn for that."""
        layers = sorted(self._objective.layers)
        found = network.activations(picture, layers)
        size = network.sides(layers).nearest(*picture.shape[:2])
        where = {name: network.positions([name], size)[name] for name in layers}
        answer = answers.answer(self._objective, found, where)
        return self._vector(found, (answer.least() if least else answer.most())[1])

    def _photo(
        self, name: str, score: float, at: tuple[int, int], others: Sequence[str], drawn: NDArray[Any] | None,
        mean: NDArray[Any] | None,
    ) -> FoundPhoto:  # fmt: skip
        agrees = None
        if drawn is not None and mean is not None:
            agrees = _cosine(self._vector(self._index.found(name), at) - mean, drawn - mean)
        where = None if self._layer is None else self._index.looked_at(name, self._layer)
        box = _WHOLE
        if where is not None:
            top, left, height, width = np.divide(where.square(*at, least=_LEAST_BOX), (*where.size, *where.size))
            box = float(top), float(left), float(height), float(width)
        return FoundPhoto(
            name, score, None if where is None else at, box, looking.load(self._index.place_of(name)), agrees,
            tuple(others),
        )  # fmt: skip

    def _vector(self, found: Any, at: tuple[int, int]) -> NDArray[Any]:
        """What the layer that is cut by finds at a place, or the first layer without places."""
        if self._layer is not None:
            return np.asarray(found[self._layer][at], np.float32)
        return _mean(found[min(self._objective.layers)])

    def _mean(self) -> NDArray[Any]:
        """What that layer finds in the mean, without which all are alike."""
        some = self._names[:: max(1, len(self._names) // _MOST_FOR_MEAN)]
        layer = self._layer or min(self._objective.layers)
        return np.asarray(np.mean([_mean(self._index.found(name)[layer]) for name in some], axis=0))


def _drawn(
    objective: Objective, settings: SearchSettings, network: Network, on_step: Callable[[float], None]
) -> tuple[FloatArray, ...]:
    """What the objective and its opposite look like when they are drawn."""
    if not settings.steps:
        return ()
    how = VisualizeSettings(model=settings.model, steps=settings.steps, seed=settings.seed)
    run = VisualizeRun([objective, -objective], how, network=network)
    for step in run.steps(note=lambda _line: None):
        on_step(step.progress)
    return tuple(one.pixels for one in run.results())


def _mean(found: NDArray[Any]) -> NDArray[Any]:
    """Of what a layer found, over all places."""
    return np.asarray(found.reshape(-1, found.shape[-1]).mean(axis=0, dtype=np.float32))


def _cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=2)


def scores(objective: Objective, index: Index, names: Iterable[str] | None = None) -> list[Answer]:
    """What a resolved objective gives for photos of an index.

    Args:
        objective: As ``targets.resolve`` gives it.
        index: Filled.
        names: Of the photos; None for all.
    """
    return [answers.answer(objective, index.found(name), index.where(name)) for name in names or index.names]
