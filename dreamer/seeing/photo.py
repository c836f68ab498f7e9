"""What a network sees in a photo, as values: classes, channels that stand out and where, what speaks for a class.

Must not import: the command line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dreamer import images, pages
from dreamer.arrays import FloatArray, StoredArray, as_float, fitted, greyscale, resize
from dreamer.files import names
from dreamer.images import LabelledPicture, folders
from dreamer.models.network import Prediction
from dreamer.models.positions import Positions
from dreamer.results import Result
from dreamer.seeing.attributing import Attribution
from dreamer.seeing.crops import Crops
from dreamer.seeing.settings import DATA, PAGE

_FIRES, _AGAINST = (1.0, 0.45, 0.0), (0.1, 0.35, 1.0)  # Orange and blue, told apart by any eyes.
_COVER = 0.8
_PALE = 0.8  # Of its colours a photo is without beneath: an orange cat would hide what is orange.
_SHEET_SIDE = 224  # Pixels: the longer side of a photo on a sheet.
_AT_A_PLACE = 5  # Channels that are named where somebody points.


@dataclass(frozen=True, eq=False)
class UnitSeen:
    """A channel in a photo.

    Attributes:
        channel: Its number.
        score: What it gives at its best place.
        stands_out: How far that stands out: 0 for what half of all photos reach, 1 for what one in twenty does. Where
            nobody knows what the channel usually gives, its share of what the layer gives at the most.
        beats: The share of photos in which it peaks lower; None where nobody knows.
        at: Its best place, ``(row, column)``; None in a layer without places.
        attribution: What it says for the class that was asked for; None where none was.
    """

    channel: int
    score: float
    stands_out: float
    beats: float | None
    at: tuple[int, int] | None
    attribution: float | None = None


@dataclass(frozen=True, eq=False)
class LayerSeen:
    """A layer in a photo.

    Attributes:
        name: The layer.
        where: Where its positions lie on the photo; None for a layer without.
        found: What it finds, ``(rows, columns, channels)``, or ``(units,)``.
        stands_out: How far each of that stands out, of the same shape.
        units: The channels that stand out, most first.
        attribution: What it says for the class that was asked for; None where none was.
        pictures: By channel what it looks like when it is drawn, ``(height, width, 3)``; those that were drawn.
        group_pictures: The same of the groups.
    """

    name: str
    where: Positions | None
    found: FloatArray
    stands_out: FloatArray
    units: tuple[UnitSeen, ...]
    attribution: Attribution | None = None
    pictures: Mapping[int, StoredArray] = field(default_factory=dict)
    group_pictures: Sequence[StoredArray] = ()

    def heat(self, channel: int) -> FloatArray | None:
        """Where a channel fires, laid over the photo: ``(height, width)`` in [0, 1], 1 at its best place.

        0 is what it gives at half of the places. None for a layer without places.
        """
        if self.where is None:
            return None
        values = self.found[..., channel]
        low, high = float(np.median(values)), float(values.max())
        return np.asarray(np.clip((self.where.laid(values) - low) / max(high - low, 1e-9), 0, 1), np.float32)

    def said(self) -> FloatArray | None:
        """What each place says for the class, laid over the photo: ``(height, width)`` in [-1, 1].

        None where no class was asked for, and for a layer without places.
        """
        if self.where is None or self.attribution is None:
            return None
        by_place = self.attribution.by_place
        return self.where.laid(by_place / max(float(np.abs(by_place).max()), 1e-9))

    def speaking(self, count: int) -> tuple[list[int], list[int]]:
        """The channels that say most for the class, and those that say most against it."""
        if self.attribution is None:
            return [], []
        said = self.attribution.by_channel
        order = [int(one) for one in np.argsort(-said, kind="stable")]
        return [one for one in order[:count] if said[one] > 0], [one for one in order[::-1][:count] if said[one] < 0]

    def at_places(self) -> list[int]:
        """All channels that are among those that stand out most at some place, in order."""
        return sorted({int(channel) for place in _places(self) for channel, _ in place})

    def shown(self, count: int) -> list[int]:
        """All channels that a page shows."""
        ours, others = self.speaking(count)
        return list(dict.fromkeys([*(unit.channel for unit in self.units), *ours, *others]))


@dataclass(frozen=True, eq=False, repr=False)
class PhotoSeen:
    """What a network sees in a photo.

    Attributes:
        pixels: The photo as it is shown, ``(height, width, 3)`` in [0, 1].
        seen: ``(height, width)`` at which the network saw it.
        predictions: What it takes it for, the likeliest first; none for a network without classes.
        crops: What it takes parts of it for; None where there are none.
        question: The class that was asked for, and the one that it is compared with, as a person would put them.
        layers: What its layers find.
        recipe: How it was looked at, as JSON can hold it.
        title: What the photo is called.
        top: How many channels are shown.

    Example:
        >>> import dreamer
        >>> seen = dreamer.see("cat.jpg", layers="block4b")  # doctest: +SKIP
        >>> seen.predictions[0].name, seen.layers[0].units[0].channel  # doctest: +SKIP
        ('tabby, tabby cat', 17)
    """

    pixels: FloatArray
    seen: tuple[int, int]
    predictions: tuple[Prediction, ...]
    crops: Crops | None
    question: tuple[str, str | None] | None
    layers: tuple[LayerSeen, ...]
    recipe: Mapping[str, Any]
    title: str
    top: int

    def __repr__(self) -> str:
        best = f"{self.predictions[0].name.split(', ')[0]}, " if self.predictions else ""
        return f"<{type(self).__name__}: {best}{', '.join(one.name for one in self.layers)}>"

    def sheets(self) -> dict[str, Result]:
        """For each layer a sheet: the photo, and where its channels fire beside what they look like."""
        return {layer.name: Result(images.Photo(self._sheet(layer)), self.recipe) for layer in self.layers}

    def sheet(self) -> Result:
        """The sheets of all layers, one below the other."""
        some = [as_float(one.photo.pixels) for one in self.sheets().values()]
        width = max(one.shape[1] for one in some)
        wide = [np.pad(one, ((0, 0), (0, width - one.shape[1]), (0, 0)), mode="edge") for one in some]
        return Result(images.Photo(np.concatenate(wide)), self.recipe)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it, without pictures."""
        shown = self._shown(None)
        del shown["photo"]["path"]
        return shown | {"recipe": dict(self.recipe)}

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write it as a folder: a page, its pictures, a sheet of each layer, and all of it as JSON.

        Args:
            folder: Where; it is made where it is not there.
            overwrite: Whether an earlier one that is there is replaced.

        Returns:
            The page.

        Raises:
            ImageWriteError: It cannot be written.
        """
        folder = Path(folder)
        check(folder, overwrite=overwrite)
        folder.mkdir(exist_ok=True)
        if (folder / DATA).exists():
            for held, pattern in (("heat", "*.png"), ("units", "*.png"), (".", "sheet-*.png")):
                folders.sweep(folder / held, pattern)
        shown = self._shown(folder)
        for layer, sheet in self.sheets().items():
            folders.put(folder, f"sheet-{names.slug(layer)}.png", sheet.encoded(".png")[0])
        folders.put(folder, DATA, json.dumps(self.to_dict(), indent=1).encode())
        folders.put(folder, PAGE, pages.page("dreamer.seeing", "see", shown, pictures=True))
        return folder / PAGE

    def _sheet(self, layer: LayerSeen) -> FloatArray:
        size = fitted(self.pixels.shape[:2], _SHEET_SIDE, enlarge=True)
        said = layer.said()
        first = self.pixels if said is None else laid_over(self.pixels, said)
        label = (
            f"what stands out in {layer.name}" if self.question is None else f"{layer.name}: {_asked(self.question)}"
        )
        cells = [LabelledPicture(_beside(first, None, size), label)]
        for channel in layer.shown(self.top):
            heat = layer.heat(channel)
            over = self.pixels if heat is None else laid_over(self.pixels, heat)
            cells.append(LabelledPicture(_beside(over, layer.pictures.get(channel), size), self._told(layer, channel)))
        return as_float(images.sheet(cells, columns=min(len(cells), self.top + 1)))

    def _told(self, layer: LayerSeen, channel: int) -> str:
        unit = next((one for one in layer.units if one.channel == channel), None)
        told = f"{layer.name}:{channel}"
        if unit is not None:
            told += f" stands out {unit.stands_out:.1f}"
        if layer.attribution is not None:
            told += f" says {layer.attribution.by_channel[channel]:+.2f}"
        return told

    def _shown(self, folder: Path | None) -> dict[str, Any]:
        """What the page shows; its pictures are written into the folder, where there is one."""
        height, width = self.pixels.shape[:2]
        photo = "photo.webp"
        if folder is not None:
            folders.put_picture(folder, photo, self.pixels)
        crops = self.crops
        question = None
        if self.question is not None:
            attribution = self.layers[0].attribution
            score = 0.0 if attribution is None else attribution.score
            question = {"for": self.question[0], "against": self.question[1], "score": score}
        return {
            "title": self.title,
            "model": self.recipe.get("settings", {}).get("model", ""),
            "about": self._about(),
            "start": max(self.layers, key=lambda layer: layer.units[0].stands_out).name if self.layers else None,
            "photo": {"path": photo, "width": width, "height": height},
            "predictions": [vars(one) for one in self.predictions],
            "crops": None
            if crops is None
            else {
                "count": len(crops.boxes),
                "how": crops.how,
                "predictions": [vars(one) for one in crops.mean],
                "boxes": [[round(float(side), 5) for side in box] for box in crops.boxes],
                "best": [vars(one) for one in crops.best],
            },
            "question": question,
            "layers": [self._shown_layer(layer, folder) for layer in self.layers],
        }

    def _shown_layer(self, layer: LayerSeen, folder: Path | None) -> dict[str, Any]:
        where, stem = layer.where, names.slug(layer.name)

        def put(kind: str, name: str, pixels: StoredArray, alpha: FloatArray | None = None) -> str | None:
            place = f"{kind}/{stem}-{name}.png"
            return None if folder is None else folders.put_picture(folder, place, pixels, alpha)

        def heat(name: str, values: FloatArray | None) -> str | None:
            return None if values is None else put("heat", name, *coloured(values))

        pictures = {channel: put("units", str(channel), pixels) for channel, pixels in layer.pictures.items()}
        listed = {unit.channel: unit for unit in layer.units}
        return {
            "name": layer.name,
            "rows": 1 if where is None else where.grid[0],
            "columns": 1 if where is None else where.grid[1],
            "first": None if where is None else [where.rows.first, where.columns.first],
            "stride": None if where is None else [where.rows.stride, where.columns.stride],
            "extent": None if where is None or where.extent is None else list(where.extent),
            "sees": None if where is None or where.extent is None else self._as_seen(where.extent),
            "units": [
                {
                    "channel": channel,
                    "name": f"{layer.name}:{channel}",
                    **self._numbers(layer, channel, listed.get(channel)),
                    "picture": pictures.get(channel),
                    "heat": heat(str(channel), layer.heat(channel)),
                }
                for channel in layer.shown(self.top)
            ],
            "places": _places(layer),
            "attribution": self._shown_attribution(layer, heat, put),
            "pictures": {str(channel): path for channel, path in pictures.items()},
        }

    def _about(self) -> str:
        about = f"The network saw the photo at {self.seen[1]}x{self.seen[0]} pixels."
        if self.question is not None:
            about += " What places, channels or a layer add up to is a first-order estimate of the score."
        return about

    def _as_seen(self, extent: tuple[float, float]) -> list[float]:
        """What a position looks at, in pixels as the network saw the photo."""
        return [side * seen / shown for side, seen, shown in zip(extent, self.seen, self.pixels.shape, strict=False)]

    def _numbers(self, layer: LayerSeen, channel: int, unit: UnitSeen | None) -> dict[str, Any]:
        said = None if layer.attribution is None else float(layer.attribution.by_channel[channel])
        if unit is None:
            unit = unit_of(layer.found, layer.stands_out, channel, None)
        return {
            "score": unit.score,
            "unusual": unit.stands_out,
            "beats": unit.beats,
            "at": None if unit.at is None or layer.where is None else list(unit.at),
            "attribution": said,
        }

    def _shown_attribution(self, layer: LayerSeen, heat: Any, put: Any) -> dict[str, Any] | None:
        if layer.attribution is None:
            return None
        ours, others = layer.speaking(self.top)
        groups = []
        for place, group in enumerate(layer.attribution.groups):
            laid = (
                None if layer.where is None else layer.where.laid(group.values / max(float(group.values.max()), 1e-9))
            )
            drawn = layer.group_pictures[place] if place < len(layer.group_pictures) else None
            groups.append(
                {
                    "name": f"group {place + 1}",
                    "heat": heat(f"group-{place + 1}", laid),
                    "picture": None if drawn is None else put("units", f"group-{place + 1}", drawn),
                    "attribution": group.attribution,
                }
            )
        return {
            "heat": heat("said", layer.said()),
            "total": layer.attribution.total,
            "for": ours,
            "against": others,
            "groups": groups,
        }


def check(folder: Path, *, overwrite: bool) -> None:
    """Find out whether it can be written into a folder.

    Raises:
        ImageWriteError: It cannot, or one is there already.
    """
    folders.check(folder, (PAGE, DATA), overwrite=overwrite)


def unit_of(found: FloatArray, stands_out: FloatArray, channel: int, beats: float | None) -> UnitSeen:
    """A channel of what a layer finds."""
    values, at = found[..., channel], None
    if values.ndim == 2:
        row, column = np.unravel_index(int(values.argmax()), values.shape)
        at = int(row), int(column)
    return UnitSeen(channel, float(values.max()), float(stands_out[..., channel].max()), beats, at)


def coloured(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values in [-1, 1] as colours and how much they cover: orange above 0, blue below.

    Returns:
        ``(height, width, 3)`` and ``(height, width)``, both in [0, 1].
    """
    colours = np.where((values < 0)[..., None], np.asarray(_AGAINST), np.asarray(_FIRES))
    return np.asarray(colours, np.float32), np.asarray(_COVER * np.abs(values), np.float32)


def laid_over(pixels: FloatArray, values: FloatArray) -> FloatArray:
    """A picture without most of its colours, with :func:`coloured` values over it."""
    colours, cover = coloured(values)
    pixels = _PALE * greyscale(pixels) + (1 - _PALE) * pixels
    return np.asarray(pixels * (1 - cover[..., None]) + colours * cover[..., None], np.float32)


def _places(layer: LayerSeen) -> list[list[list[float]]]:
    """The channels that stand out most at each place, row by row."""
    flat = layer.stands_out.reshape(-1, layer.stands_out.shape[-1])
    if layer.where is None:
        flat = flat.max(axis=0, keepdims=True)
    order = np.argsort(-flat, axis=1, kind="stable")[:, :_AT_A_PLACE]
    return [[[int(one), round(float(flat[place, one]), 2)] for one in some] for place, some in enumerate(order)]


def _beside(picture: FloatArray, drawn: StoredArray | None, size: tuple[int, int]) -> FloatArray:
    """A picture at a size, with what was drawn as a square in its corner."""
    shown = np.array(np.clip(resize(picture, size), 0, 1), np.float32)
    if drawn is not None:
        side = max(1, min(size) * 2 // 5)
        shown[-side:, -side:] = np.clip(resize(as_float(drawn), (side, side)), 0, 1)
    return shown


def _asked(question: tuple[str, str | None]) -> str:
    return question[0] if question[1] is None else f"{question[0]}, not {question[1]}"
