"""What all settings share: values that are checked once, never change, and serialise.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

from dreamer.errors import SettingsError, close_matches
from dreamer.files.digests import digest_of
from dreamer.wording import shown


class Settings:
    """What all settings share: they are built from keywords, and check their numbers, texts and choices."""

    @classmethod
    def of(cls, /, **keywords: Any) -> Self:
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

    def _told(self) -> dict[str, Any]:
        """All settings by name, those of a prior only where there is one, so that what needs none stays as it was."""
        values = self.values()
        if values["prior"] is None:
            return {name: value for name, value in values.items() if not name.startswith("prior")}
        return values | {"prior_noise": list(values["prior_noise"])}

    def _check(
        self,
        ranges: Mapping[str, Range],
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
        texts = {
            "model": "the name of a network, or the path of a .keras file",
            "preprocessing": "a name, as '-1..1'",
            "prior": "the name of a prior, or the path of a .keras file",
        }
        for name, expected in (texts | dict.fromkeys(files, "the path of a file")).items():
            value = getattr(self, name, None)
            if value is None and (name != "model" or not hasattr(self, name)):
                continue
            if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
                raise SettingsError(f"{name} is {shown(value)}; expected {expected}")
            object.__setattr__(self, name, str(value))


def falling(name: str, value: Any, most: float) -> tuple[float, float]:
    """A number that falls in the course of a run: its first and its last value, or one that stays.

    Args:
        name: Of the setting.
        value: What it is given.
        most: The largest that it may be.

    Raises:
        SettingsError: It is no such thing.

    Example:
        >>> falling("prior_noise", 0.1, 1), falling("prior_noise", [0.2, 0.02], 1)
        ((0.1, 0.1), (0.2, 0.02))
    """
    numbers = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(numbers) != 2 or not all(_is_number(one) and 0 <= one <= most for one in numbers):
        raise SettingsError(
            f"{name} is {shown(value)}; expected its first and its last value, or one that stays, from 0 to {most:g}"
        )
    return float(numbers[0]), float(numbers[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


Range = tuple[type, float, float, str]
"""Kind (whole or any real number, of Python's or NumPy's), least, largest, and how to say that."""


TINY = 1e-9  # Stands for "above" in a closed range.

PRIOR_WEIGHT: Range = (Real, 0, 1, "a share from 0 to 1")
MOST_NOISE = 1.0  # Of prior_noise, in units of a picture's range.

SEEDS: Range = (Integral, 0, 2**64 - 1, "a whole number: 0 to 2**64 - 1")


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
