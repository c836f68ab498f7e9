"""What one run is told: frozen values, checked once, that serialise.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

from dreamer.digests import digest_of
from dreamer.errors import SettingsError, close_matches
from dreamer.objectives import Objective
from dreamer.robustness import Transforms
from dreamer.wording import shown

CONDITIONINGS = ("none", "smooth", "laplacian")
"""How the gradient may be conditioned; see ``dreamer.ascent.gradients``."""

BLENDS = ("normal", "multiply", "screen", "overlay", "soft-light", "hard-light", "darken", "lighten", "difference")
"""How a dream may be laid over its photo; see ``dreamer.finishing``."""

COLORS = ("free", "keep", "luminance")
"""Whose colours a dream may have; see ``dreamer.finishing``."""

BACKENDS = ("tensorflow", "jax", "torch")
"""What Keras may run on; see ``dreamer.ascent.backend``."""

PARAMETRIZATIONS = ("cosine", "fourier", "pixels", "maco")
"""What a visualization may be made from; see ``dreamer.ascent.parametrizations``."""

OPTIMIZERS = ("momentum", "adam", "nadam")
"""What may make a visualization; see ``dreamer.ascent.optimizing``."""

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
"""In which type of number a network may be computed; see ``dreamer.ascent.precision``."""


class _Settings:
    """What all settings share: they are built from keywords, and check their numbers, texts and choices."""

    @classmethod
    def of(cls, **keywords: Any) -> Self:
        """Build settings from keywords, with a helpful error for a mistyped one.

        Raises:
            SettingsError: A keyword names no setting, or a value is impossible.
        """
        known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        for name in keywords:
            if name not in known:
                raise SettingsError(f"there is no setting {shown(name)}.{close_matches(name, known)}")
        return cls(**keywords)

    @classmethod
    def merged(cls, settings: Self | None, keywords: Mapping[str, Any]) -> Self:
        """Settings, or the defaults, with some of them changed.

        Raises:
            SettingsError: As for :meth:`of`.
        """
        return cls.of(**({} if settings is None else settings.values()) | dict(keywords))

    def values(self) -> dict[str, Any]:
        """All settings by name, as they are here."""
        return {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]

    def _check(
        self,
        ranges: Mapping[str, _Range],
        optional: Collection[str],
        choices: Mapping[str, Sequence[str]],
        files: Sequence[str] = (),
    ) -> None:
        for name, (kind, low, high, expected) in ranges.items():
            value = getattr(self, name)
            if value is None and name in optional:
                continue
            is_number = isinstance(value, kind) and not isinstance(value, bool)
            if not is_number:
                raise SettingsError(f"{name} is {shown(value)}; expected {expected}")
            if not low <= value <= high:
                raise SettingsError(f"{name} is {str(value)[:60]}; expected {expected}")
            # NumPy's numbers become Python's, which JSON can hold.
            object.__setattr__(self, name, int(value) if kind is Integral else float(value))
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise SettingsError(f"{name} is {shown(getattr(self, name))}; expected one of {', '.join(allowed)}")
        texts = {"model": "the name of a network, or the path of a .keras file", "preprocessing": "a name, as '-1..1'"}
        for name, expected in (texts | dict.fromkeys(files, "the path of a file")).items():
            value = getattr(self, name)
            if value is None and name != "model":
                continue
            if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
                raise SettingsError(f"{name} is {shown(value)}; expected {expected}")
            object.__setattr__(self, name, str(value))


_Range = tuple[type, float, float, str]
"""Kind (whole or any real number, of Python's or NumPy's), least, largest, and how to say that."""


@dataclass(frozen=True)
class DreamSettings(_Settings):
    """All that a dream depends on besides the photo.

    Attributes:
        model: Name of the network, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file, as in ``"-1..1"``; None for
            what is known of it.
        objective: What is made larger, as an :class:`Objective` or as its text; None for the network's own default.
        octaves: How many sizes at the most; None for as many as the picture is large.
        octave_scale: Ratio of the sides of neighbouring octaves, above 1.
        steps: Steps of ascent in each octave.
        step_size: Root-mean-square change of the picture per step, in units of its range [0, 1].
        jitter: Largest random shift in each step, in pixels. A picture of several tiles is shifted
            by up to half a tile instead.
        rotate: Largest random rotation in each step, in degrees.
        scale: Largest random change of size in each step, as a fraction: 0.1 for 0.9 to 1.1.
        conditioning: ``"none"``, ``"smooth"`` or ``"laplacian"``.
        strength: How much of the dream is laid over the photo, from 0 to 1.
        mask: A picture that says where to dream: where it is opaque, or white if nothing of it is transparent.
        feather: How softly the mask ends, as a share of the longer side.
        guide: Another picture, whose features the layers of the objective look for.
        blend: How the dream is laid over the photo: ``"normal"``, ``"multiply"``, ...
        colors: ``"free"`` for those of the dream, ``"keep"`` to give it the palette of the photo, ``"luminance"`` to
            change nothing but the photo's brightness.
        contrast: Of the dream: 1 leaves it, 0 is grey.
        saturation: Of the dream: 1 leaves it, 0 has no colours.
        frames: How many pictures an endless zoom has; a single dream is its first.
        zoom: How much each of them is magnified in the next.
        max_size: Longest side of the result in pixels; a larger photo is made smaller first.
        tile: Longest side of a tile in pixels; it bounds the memory that the network needs.
        precision: ``"float32"``, ``"bfloat16"`` or ``"float16"`` to compute the network in, or ``"auto"``
            for the quickest on this machine in which its dreams are as good.
        seed: Everything random comes from it.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> sorted(DreamSettings(objective="block4b - 0.5*block2a:3").objective.layers)
        ['block2a', 'block4b']
    """

    model: str = "efficientnet_lite0"
    preprocessing: str | None = None
    objective: Objective | None = None
    octaves: int | None = None
    octave_scale: float = 1.4
    steps: int = 20
    step_size: float = 0.01
    jitter: int = 32
    rotate: float = 0.0
    scale: float = 0.0
    conditioning: str = "smooth"
    strength: float = 1.0
    mask: str | None = None
    feather: float = 0.02
    guide: str | None = None
    blend: str = "normal"
    colors: str = "free"
    contrast: float = 1.0
    saturation: float = 1.0
    frames: int = 1
    zoom: float = 1.05
    max_size: int | None = None
    tile: int = 512
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.objective is not None:
            object.__setattr__(self, "objective", Objective.of(self.objective))
        choices = {"conditioning": CONDITIONINGS, "blend": BLENDS, "colors": COLORS, "precision": PRECISIONS}
        self._check(_DREAM_RANGES, ("octaves", "max_size"), choices, ("mask", "guide"))

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them, the objective as text."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "objective": None if self.objective is None else self.objective.name
        }

    @property
    def files(self) -> tuple[str, ...]:
        """The files that a dream depends on besides the photo and the network."""
        named = [*(self.objective.files if self.objective else ()), self.guide, self.mask]
        return tuple(dict.fromkeys(file for file in named if file is not None))

    def file_digests(self) -> dict[str, str]:
        """The SHA-256 of each of its :attr:`files`.

        Raises:
            SettingsError: One cannot be read.
        """
        return digests_of(self.files)

    def digest(self) -> str:
        """A digest of what a dream was told: with equal ones, the same weights and versions, dreams are equal.

        Raises:
            SettingsError: A file that it depends on cannot be read.

        Example:
            >>> DreamSettings().digest() == DreamSettings(seed=1).digest()
            False
        """
        known: dict[str, object] = {"settings": self.to_dict(), "files": self.file_digests()}
        if Path(self.model).is_file():
            known["model"] = digests_of([self.model])
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def digests_of(files: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each of some files.

    Raises:
        SettingsError: One cannot be read.
    """
    try:
        return {file: digest_of(Path(file)) for file in files}
    except OSError as error:
        reason = error.strerror or str(error)
        expected = "" if "expected" in reason else ". Expected a file"
        raise SettingsError(f"cannot read {error.filename}: {reason}{expected}") from error


_TINY = 1e-9  # Stands for "above" in a closed range.

_SEEDS: _Range = (Integral, 0, 2**64 - 1, "a whole number: 0 to 2**64 - 1")

_DREAM_RANGES: Mapping[str, _Range] = {
    "octaves": (Integral, 1, 100, "a whole number: 1 to 100"),
    "octave_scale": (Real, 1.01, 10, "1.01 to 10"),
    "steps": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "step_size": (Real, _TINY, 1, "a number above 0, at most 1"),
    "jitter": (Integral, 0, 4096, "a whole number: 0 to 4096 pixels"),
    "rotate": (Real, 0, 180, "0 to 180 degrees"),
    "scale": (Real, 0, 0.5, "a fraction from 0 to 0.5"),
    "strength": (Real, 0, 1, "0 to 1"),
    "feather": (Real, 0, 0.5, "a share of the longer side, 0 to 0.5"),
    "contrast": (Real, 0, 10, "0 to 10, 1 to leave it"),
    "saturation": (Real, 0, 10, "0 to 10, 1 to leave it"),
    "frames": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "zoom": (Real, 1, 2, "a magnification from 1 to 2"),
    "max_size": (Integral, 1, 1_000_000, "a whole number: 1 to 1000000 pixels"),
    "tile": (Integral, 32, 16_384, "a whole number: 32 to 16384 pixels"),
    "seed": _SEEDS,
}


@dataclass(frozen=True)
class VisualizeSettings(_Settings):
    """All that a visualization depends on besides what is visualized.

    Attributes:
        model: Name of the network, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file, as in ``"-1..1"``; None for
            what is known of it.
        size: ``(height, width)`` of the pictures, or one number for both.
        steps: Steps of the optimizer.
        parametrization: ``"cosine"``, ``"fourier"``, ``"pixels"`` or ``"maco"``: what the pictures are made from.
        spectrum: For ``"maco"``, the file with the magnitudes, as ``dreamer spectrum`` writes it; None for 1/f.
        transforms: How each step sees the pictures, as a :class:`Transforms`, the name of a set, or the path of a
            TOML file; ``None`` for the set that goes with the parametrization.
        optimizer: ``"momentum"``, ``"adam"`` or ``"nadam"``; None for the one that goes with the parametrization.
        learning_rate: How far a step goes; None for what goes with the parametrization.
        diversity: How many pictures of each target there are, as different from each other as they can be.
        diversity_weight: How much their difference counts, as a share of the target's own score.
        alpha: Whether the parts of the picture that never mattered become transparent.
        precision: ``"float32"``, ``"bfloat16"`` or ``"float16"`` to compute the network in, or ``"auto"``
            for the quickest on this machine in which its pictures are as good.
        seed: Everything random comes from it.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> VisualizeSettings(size=96, transforms="none").size
        (96, 96)
    """

    model: str = "efficientnet_lite0"
    preprocessing: str | None = None
    size: tuple[int, int] = (224, 224)
    steps: int = 128
    parametrization: str = "cosine"
    spectrum: str | None = None
    transforms: Transforms | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    diversity: int = 1
    diversity_weight: float = 1.0
    alpha: bool = False
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _size(self.size))
        if self.transforms is not None:
            object.__setattr__(self, "transforms", Transforms.of(self.transforms))
        if self.spectrum is not None and self.parametrization != "maco":
            raise SettingsError(f"spectrum is for the parametrization maco; with {self.parametrization} it has no use")
        choices: dict[str, Sequence[str]] = {"parametrization": PARAMETRIZATIONS, "precision": PRECISIONS}
        if self.optimizer is not None:
            choices["optimizer"] = OPTIMIZERS
        self._check(_VISUALIZE_RANGES, ("learning_rate",), choices, ("spectrum",))
        if not isinstance(self.alpha, bool):
            raise SettingsError(f"alpha is {shown(self.alpha)}; expected true or false")

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "size": list(self.size),
            "transforms": None if self.transforms is None else self.transforms.to_dict(),
        }


_VISUALIZE_RANGES: Mapping[str, _Range] = {
    "steps": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "learning_rate": (Real, _TINY, 100, "a number above 0, at most 100"),
    "diversity": (Integral, 1, 64, "a whole number: 1 to 64"),
    "diversity_weight": (Real, 0, 1000, "a number from 0 to 1000"),
    "seed": _SEEDS,
}

_LEAST_SIDE, _MOST_SIDE = 16, 4096


def _size(value: Any) -> tuple[int, int]:
    sides = (value, value) if isinstance(value, Integral) else value
    whole = isinstance(sides, tuple | list) and len(sides) == 2 and all(isinstance(side, Integral) for side in sides)
    if not whole or not all(_LEAST_SIDE <= int(side) <= _MOST_SIDE for side in sides):
        raise SettingsError(
            f"size is {shown(value)}; expected a number of pixels, or height and width, each {_LEAST_SIDE} to "
            f"{_MOST_SIDE}"
        )
    return int(sides[0]), int(sides[1])
