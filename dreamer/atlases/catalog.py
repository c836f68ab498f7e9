"""What an atlas holds, and ``atlas.json``, the file that says so.

The one idea: the file names everything that was asked for, drawn or not, and is replaced in one move after every
batch. A run that dies leaves pictures that the file does not name; the next run draws them again. Where pictures
lie follows from what they show, so a file from elsewhere cannot point out of the folder.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dreamer.atlases.units import Unit
from dreamer.errors import AtlasError, SettingsError
from dreamer.files.documents import parse_json
from dreamer.files.names import slug
from dreamer.files.regular import read_text
from dreamer.objectives import Objective
from dreamer.shapes import Shape, problem
from dreamer.wording import shown

NAME = "atlas.json"
FORMAT = 1
_MOST_BYTES = 1_000_000_000


_DIGEST = re.compile("[0-9a-f]{64}")
_SCORE: Shape = (float, None)  # One that overflowed is read as nothing.
_SHAPE: Shape = {
    "format": int,
    "model": str,
    "model_title": str,
    "weights_sha256": str,
    "prior_sha256": str,
    "settings": {str: object},  # The settings themselves check these.
    "drawn": {str: str},
    "photos_digest": str,
    "units": [
        {
            **{"layer": str, "index": int, "objective": str, "name": str, "negative": bool},
            "pictures": [
                {
                    **{"negative": bool, "variant": int, "score": _SCORE, "start": _SCORE, "dead": bool},
                    "sha256": _DIGEST,
                }
            ],
            "examples": [{"photo": int, "score": _SCORE, "box": [float]}],
        }
    ],
    "photos": [{"name": str, "height": int, "width": int, "sha256": _DIGEST}],
}
"""What ``atlas.json`` holds, as :mod:`dreamer.shapes` writes it."""


@dataclass(frozen=True)
class UnitPicture:
    """One picture of a unit.

    Attributes:
        negative: Whether it shows what the unit answers to least.
        variant: Which of several, from 0.
        score: What the target gives for it.
        start: What it gave for the noise that it started from.
        dead: Whether the score did not rise, so that there is nothing to see.
        sha256: Digest of its file.
    """

    negative: bool
    variant: int
    score: float
    start: float
    dead: bool
    sha256: str


@dataclass(frozen=True)
class Example:
    """A photo that excites a unit.

    Attributes:
        photo: Index of the photo among those of the atlas.
        score: The largest activation of the unit in it.
        box: ``(top, left, height, width)`` of the part that the unit saw there, as shares of the photo.
    """

    photo: int
    score: float
    box: tuple[float, float, float, float]


@dataclass
class UnitEntry:
    """A unit of an atlas.

    Attributes:
        unit: Which.
        negative: Whether pictures of its opposite are wanted besides.
        pictures: Those that are drawn.
        examples: The photos that excite it most, best first.
    """

    unit: Unit
    negative: bool = False
    pictures: list[UnitPicture] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    @property
    def is_dead(self) -> bool:
        """Whether nothing was found that it answers to."""
        own = [picture.dead for picture in self.pictures if not picture.negative]
        return bool(own) and all(own)

    def path(self, negative: bool, variant: int) -> str:
        """Where a picture of it lies in the folder."""
        sign, number = "-negative" if negative else "", f"-{variant + 1}" if variant else ""
        return f"pictures/{slug(self.unit.layer)}/{self.unit.index}{sign}{number}.webp"


@dataclass(frozen=True)
class ExamplePhoto:
    """A photo that examples are taken from.

    Attributes:
        name: Of its file, where it came from.
        height: In pixels, as it is kept here.
        width: The same.
        sha256: Digest of the file here.
    """

    name: str
    height: int
    width: int
    sha256: str

    @property
    def path(self) -> str:
        """Where it lies in the folder. Another photo never takes its place, so no run that dies mixes them up."""
        return f"examples/{self.sha256[:16]}.webp"


@dataclass
class Catalog:
    """All that is known of an atlas.

    Attributes:
        model: Name of the network, or the path of its file.
        model_title: What a person calls it.
        weights_sha256: Digest of its weights.
        settings: Of all pictures, with nothing left open, as :meth:`VisualizeSettings.to_dict` has them.
        drawn: How ``"classes"`` and ``"others"`` are drawn, for a person; empty where no look is recorded.
        entries: Its units by layer and index.
        photos: What examples are taken from.
        photos_digest: Of the folder they came from, and of the units they were looked at for.
        prior_sha256: Digest of what kept the pictures likely; empty where nothing did.
    """

    model: str
    model_title: str
    weights_sha256: str
    settings: dict[str, Any]
    drawn: dict[str, str] = field(default_factory=dict)
    entries: dict[tuple[str, int], UnitEntry] = field(default_factory=dict)
    photos: list[ExamplePhoto] = field(default_factory=list)
    photos_digest: str = ""
    prior_sha256: str = ""

    @property
    def diversity(self) -> int:
        """How many pictures of each target there are."""
        return int(self.settings["diversity"])

    @property
    def layers(self) -> dict[str, list[UnitEntry]]:
        """The units of each layer, in order."""
        found: dict[str, list[UnitEntry]] = {}
        for entry in self.entries.values():
            found.setdefault(entry.unit.layer, []).append(entry)
        return {layer: sorted(some, key=lambda entry: entry.unit.index) for layer, some in found.items()}

    def to_dict(self, version: str) -> dict[str, Any]:
        """The contents of ``atlas.json``.

        Args:
            version: Of dreamer.
        """
        return {
            "format": FORMAT,
            "program": "dreamer",
            "version": version,
            "model": self.model,
            "model_title": self.model_title,
            "weights_sha256": self.weights_sha256,
            **({"prior_sha256": self.prior_sha256} if self.prior_sha256 else {}),
            "settings": self.settings,
            "drawn": self.drawn,
            "units": [_unit_dict(entry, self.drawn) for some in self.layers.values() for entry in some],
            "photos": [{"file": photo.path, **asdict(photo)} for photo in self.photos],
            "photos_digest": self.photos_digest,
        }


def _unit_dict(entry: UnitEntry, drawn: Mapping[str, str]) -> dict[str, Any]:
    pictures = [{"file": entry.path(one.negative, one.variant), **asdict(one)} for one in entry.pictures]
    return {
        **asdict(entry.unit),
        "negative": entry.negative,
        "dead": entry.is_dead,
        "drawn": drawn.get("classes" if entry.unit.is_class else "others", ""),
        "pictures": pictures,
        "examples": [asdict(one) for one in entry.examples],
    }


def read(folder: Path) -> Catalog | None:
    """Read the ``atlas.json`` of a folder; None where there is none.

    Raises:
        AtlasError: It cannot be read, is damaged, or of another format.
    """
    path = folder / NAME
    try:
        held = parse_json(read_text(path, most=_MOST_BYTES))
        wrong = problem(held, _SHAPE)
        if wrong is not None:
            raise ValueError(wrong)
        if held["format"] != FORMAT:
            raise ValueError(f"its format is {held['format']}, expected {FORMAT}")
        return _parsed(held)
    except (FileNotFoundError, NotADirectoryError):
        return None
    # In a damaged file anything can be missing or something else.
    except (OSError, ValueError, TypeError, LookupError, SettingsError) as error:
        raise AtlasError(
            f"{path} is damaged, or written by another version of dreamer ({error}). "
            "Choose another folder, or draw all anew with --overwrite"
        ) from error


def _parsed(held: Mapping[str, Any]) -> Catalog:
    entries = {(entry.unit.layer, entry.unit.index): entry for entry in map(_entry, held["units"])}
    photos = [ExamplePhoto(**_without_file(one)) for one in held["photos"]]
    known = ("model", "model_title", "weights_sha256", "settings", "photos_digest")
    later = {"drawn": held.get("drawn", {}), "prior_sha256": held.get("prior_sha256", "")}
    return Catalog(**{name: held[name] for name in known}, **later, entries=entries, photos=photos)


def _entry(held: Mapping[str, Any]) -> UnitEntry:
    unit = Unit(held["layer"], held["index"], held["objective"], held["name"])
    if Objective.parse(unit.objective).files:
        raise ValueError(f"the objective of a unit names a file: {shown(unit.objective)}")
    pictures = [
        UnitPicture(**_without_file(one) | {name: _number(one[name]) for name in ("score", "start")})
        for one in held["pictures"]
    ]
    examples = [Example(one["photo"], _number(one["score"]), tuple(one["box"])) for one in held["examples"]]
    return UnitEntry(unit, bool(held["negative"]), pictures, examples)


def _number(held: float | None) -> float:
    return math.nan if held is None else held


def _without_file(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in held.items() if name != "file"}


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Say in which settings two atlases differ; ``""`` if in none.

    Example:
        >>> difference({"steps": 64, "seed": 0}, {"steps": 128, "seed": 0})
        'steps 64, not 128'
    """
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} {old.get(name)}, not {new.get(name)}" for name in names)
