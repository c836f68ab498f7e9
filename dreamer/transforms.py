"""How each step of a visualization sees the picture: shifted, scaled, turned, cropped, blurred, with noise.

The one idea: a picture that a unit answers to in one place only is noise that happens to fool it. What it
answers to however it is seen is what it looks for. The sets are data; users keep their own in TOML files.

Must not import NumPy, Keras or anything heavy: settings hold these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Real
from pathlib import Path
from typing import Any

from dreamer.errors import SettingsError, close_matches
from dreamer.files.documents import read_toml
from dreamer.wording import shown


@dataclass(frozen=True)
class Transforms:
    """What is done to the picture before the network sees it, in this order, drawn anew for each step.

    Attributes:
        views: How many views of the picture each step takes; their gradients are averaged.
        pad: Width of a grey border around the picture, in pixels.
        border: Whether a view that reaches beyond the picture sees grey there; without it, and without ``pad``, the
            picture goes on as its mirror image.
        jitter: Largest random shifts either way, in pixels; several are added up.
        scale: Least and largest magnification; 1 changes nothing.
        crop: Sides of random crops as a share of the picture's, at the first step and at the last; 1 sees all of it.
        crop_spread: Standard deviation of a crop's centre about the picture's, as a share of its side.
        flip: Share of the steps that see the picture of a class in a mirror. Only of classes: other units tell left
            from right.
        rotate: Largest rotation either way, in degrees.
        still: Share of the steps that do not rotate.
        blur: Standard deviation of a Gaussian blur, in pixels of the view, at the first step; none at the last.
        noise: Standard deviation of noise that is added, at the first step and at the last.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> Transforms(jitter=[8, 4]).jitter
        (8.0, 4.0)
    """

    views: int = 1
    pad: float = 0.0
    border: bool = False
    jitter: tuple[float, ...] = ()
    scale: tuple[float, ...] = (1.0, 1.0)
    crop: tuple[float, ...] = (1.0, 1.0)
    crop_spread: float = 0.15
    flip: float = 0.0
    rotate: float = 0.0
    still: float = 0.0
    blur: float = 0.0
    noise: tuple[float, ...] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if not isinstance(self.border, bool):
            raise SettingsError(f"border of the transforms is {shown(self.border)}; expected true or false")
        for name, (low, high, count) in _RANGES.items():
            value = getattr(self, name)
            numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
            if not all(isinstance(one, Real) and not isinstance(one, bool) for one in numbers):
                raise SettingsError(
                    f"{name} of the transforms is {shown(value)}; expected {_expected(low, high, count)}"
                )
            if not all(low <= one <= high for one in numbers) or (count not in (None, len(numbers))):
                raise SettingsError(
                    f"{name} of the transforms is {shown(value)}; expected {_expected(low, high, count)}"
                )
            is_tuple = count != 1
            object.__setattr__(self, name, tuple(map(float, numbers)) if is_tuple else float(numbers[0]))
        if self.views != int(self.views):
            raise SettingsError(f"views of the transforms is {self.views}; expected a whole number")
        object.__setattr__(self, "views", int(self.views))

    @classmethod
    def of(cls, value: Transforms | str | Path | Mapping[str, Any]) -> Transforms:
        """Transforms by the name of a set, from a TOML file, or from a table of their fields.

        Raises:
            SettingsError: There is no such set or file, or a field is unknown or impossible.
        """
        if isinstance(value, Transforms):
            return value
        if isinstance(value, Mapping):
            return cls._of_table(value, "the transforms")
        if str(value) in SETS:
            return SETS[str(value)]
        if not isinstance(value, str | Path):
            raise SettingsError(f"the transforms are {shown(value)}; expected the name of a set, or a .toml file")
        path = Path(value)
        if path.suffix != ".toml":
            raise SettingsError(
                f"there are no transforms {shown(str(value))}.{close_matches(str(value), SETS)} "
                f"Known: {', '.join(SETS)}, and the path of a .toml file"
            )
        try:
            table = read_toml(path)
        except OSError as error:
            raise SettingsError(f"cannot read the transforms in {path}: {error.strerror}") from error
        except ValueError as error:
            raise SettingsError(f"cannot read the transforms in {path}: {error}") from error
        return cls._of_table(table, str(path))

    @classmethod
    def _of_table(cls, table: Mapping[str, Any], where: str) -> Transforms:
        known = [field.name for field in fields(cls)]
        for name in table:
            if name not in known:
                raise SettingsError(
                    f"{where} has an unknown key {shown(name)}.{close_matches(name, known)} Known: {', '.join(known)}"
                )
        return cls(**table)

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON can hold them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


# Least, largest, and how many numbers: None for any, 1 for a number by itself.
_RANGES: Mapping[str, tuple[float, float, int | None]] = {
    "views": (1, 64, 1),
    "pad": (0, 1024, 1),
    "jitter": (0, 1024, None),
    "scale": (0.1, 4, 2),
    "crop": (0.02, 1, 2),
    "crop_spread": (0, 1, 1),
    "flip": (0, 1, 1),
    "rotate": (0, 180, 1),
    "still": (0, 1, 1),
    "blur": (0, 32, 1),
    "noise": (0, 2, 2),
}


def _expected(low: float, high: float, count: int | None) -> str:
    many = {None: "numbers from", 1: "a number from"}.get(count, f"{count} numbers from")
    return f"{many} {low:g} to {high:g}"


SETS: Mapping[str, Transforms] = {
    "none": Transforms(),
    "robust": Transforms(scale=(1 / 1.2, 1 / 0.6), crop_spread=0.15, flip=0.5),
    # Views that see all of the picture with a border around it, so that a thing is drawn once and whole.
    "framed": Transforms(border=True, scale=(1 / 1.3, 1 / 0.85), crop_spread=0.1, flip=0.5),
    # Views of parts of the picture, none beyond it.
    "inside": Transforms(scale=(1, 1 / 0.5), crop_spread=0.25, flip=0.5),
    # Lucid's: pad 12, jitter 8, scale 0.90 to 1.10, rotate -10 to 10 degrees or not at all, jitter 4.
    "standard": Transforms(pad=12, jitter=(8, 4), scale=(0.9, 1.1), rotate=10, still=0.2),
    # Hamblin's but for the smallest: boxes whose sides are 0.3 to 0.99 of the picture's, anywhere in it, and noise.
    "boxes": Transforms(views=4, crop=(0.3, 0.3), scale=(0.3 / 0.99, 1), crop_spread=0.3, noise=(0.02, 0.02)),
    # MACO's: crops that shrink, and noise.
    "maco": Transforms(views=6, crop=(0.5, 0.05), noise=(0.08, 0.08)),
}
"""Sets that go by a name.

References:
    Olah, Mordvintsev and Schubert, "Feature Visualization", 2017, and Lucid's ``transform.standard_transforms``.
    Fel et al., arXiv:2306.06805, section 3. Hamblin et al., "Feature Accentuation", 2024.
"""
