"""Directions and guides: terms whose numbers come from elsewhere, a seed, a file or another picture.

Must not import NumPy, Keras or anything heavy when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from dreamer.errors import ImageReadError, SettingsError
from dreamer.objectives import bounds
from dreamer.objectives.terms import Asked, Form, Numbers, Reader, Term, array_name, quoted, quoted_layer
from dreamer.wording import number

_SCORES = "dreamer.ascent.scoring"
_MOST_BYTES = 16_000_000  # Of the file of a direction: many times as many numbers as any layer has channels.
_LEAST_LENGTH, _MOST_LENGTH = 1e-6, 1e12
"""Of a direction: a cosine is not taken of shorter ones, and longer ones leave nothing but infinities."""

Place = Callable[[str], str]
"""From where a file is said to be to where it is."""


class Sourced(Term):
    """A term whose numbers come from a file, or were given: the base of such kinds, which are dataclasses.

    Attributes:
        layer: The layer.
        source: The file; None where the numbers were given.
        values: The numbers, where they were given, or once the network is known.
    """

    layer: str
    source: str | None
    values: Numbers | None

    @property
    def label(self) -> str:
        """Its name, an array's digest cut short."""
        return short_label(self, self.source, self.values)

    @property
    def files(self) -> tuple[str, ...]:
        """Its file."""
        return () if self.source is None else (self.source,)

    def with_files(self, place: Place) -> Self:
        """The same with its file elsewhere."""
        return self if self.source is None else replace(self, source=place(self.source))  # type: ignore[type-var]

    @classmethod
    def read_picture(cls, reader: Reader, what: str) -> tuple[str, str]:
        """Read ``block4b@"photo.jpg"``: the layer and the file.

        Args:
            reader: Behind the prefix.
            what: What the picture is called: "photo".
        """
        name = reader.layer()
        if not reader.take("@"):
            reader.fail(f'@ and a {what}, as in {cls.kind}:block4b@"{what}.jpg"')
        return name, bounds.file(reader.string())

    def __str__(self) -> str:
        return f"{self.kind}:{quoted_layer(self.layer)}@{source_name(self.source, self.values)}"

    def looked_at(self, network: Asked, what: str) -> Numbers:
        """What the layer finds in the picture that its numbers come from: ``(positions, channels)``.

        Args:
            network: Whose layer it is.
            what: What the picture is called: "guide".

        Raises:
            ImageReadError: Its file cannot be read.
            SettingsError: What was given is no picture.
        """
        if self.values is not None:
            check_pixels(self.values.array, f"the {what} of {self.layer!r}")
            picture = self.values.array
        else:
            picture = Path(str(self.source))
        try:
            found: Numbers = network.features(self.layer, picture)
        except OSError as error:
            raise ImageReadError(f"cannot read the {what} {picture}: {error.strerror}") from error
        return found


@dataclass(frozen=True)
class Direction(Sourced):
    """A direction over the channels of a layer: random by its seed, from a file, or given.

    Attributes:
        seed: Of a random one.
        power: To which power its cosine is multiplied with the score.
        source: Its file.
        values: The vector, where it was given, or once the network is known.
    """

    kind: ClassVar[str] = "direction"
    layer: str
    seed: int | None = None
    power: float = 0.0
    source: str | None = None
    values: Numbers | None = field(default=None, repr=False)

    @classmethod
    def read(cls, reader: Reader) -> Term:
        """Read ``block4b#7``, ``block4b#7^2`` or ``block4b@"cats.npy"``."""
        name = reader.layer()
        if reader.take("#"):
            seed = bounds.seed(reader.whole_number("a seed"))
            return cls(name, seed=seed, power=_power(reader, name))
        if not reader.take("@"):
            reader.fail('# and a seed, or @ and a file, as in direction:block4b#7 or direction:block4b@"cats.npy"')
        source = bounds.file(reader.string())
        return cls(name, power=_power(reader, name), source=source)

    def __str__(self) -> str:
        power = f"^{number(self.power)}" if self.power else ""
        if self.seed is not None:
            return f"direction:{quoted_layer(self.layer)}#{self.seed}{power}"
        return f"direction:{quoted_layer(self.layer)}@{source_name(self.source, self.values)}{power}"

    def resolve(self, network: Asked) -> Term:
        """Draw or read the vector, and make sure that it fits."""
        import numpy as np

        network.check(self.layer)
        channels = network.channels(self.layer)
        if self.seed is not None:
            drawn = np.random.default_rng(self.seed).normal(size=channels)
            vector = (drawn / np.linalg.norm(drawn)).astype(np.float32)
        else:
            vector = self.values.array if self.values is not None else _vector(Path(str(self.source)))
        if vector.shape != (channels,):
            raise SettingsError(
                f"the direction in {self.layer!r} has shape {vector.shape}; expected ({channels},), one number per "
                "channel"
            )
        length = float(np.linalg.norm(vector.astype(np.float64)))
        if not np.isfinite(length) or not length:
            raise SettingsError(
                f"the direction in {self.layer!r} is zero, or holds something that is no number in float32"
            )
        if not _LEAST_LENGTH <= length <= _MOST_LENGTH:
            raise SettingsError(
                f"the direction in {self.layer!r} has the length {number(length)}; expected {number(_LEAST_LENGTH)} to "
                f"{number(_MOST_LENGTH)}. Divide it by its length"
            )
        return replace(self, values=Numbers.of(vector))

    @property
    def form(self) -> Form:
        """Its score reads the layer."""
        return Form(f"{_SCORES}:along", (self.layer,), options=(False, self.power > 0))

    def numbers(self, _group: int, _size: tuple[int, int] | None) -> dict[str, Any]:
        """The vector, and the power of its cosine."""
        import numpy as np

        vector = {} if self.values is None else {"vector": self.values.array}
        return vector | ({"power": np.float32(self.power)} if self.power > 0 else {})


@dataclass(frozen=True)
class Guided(Sourced):
    """The features of another picture, each position of a layer by the best of them.

    Attributes:
        source: The picture's file.
        values: Its pixels where they were given; once the network is known, ``(positions, channels)`` of features.
    """

    kind: ClassVar[str] = "guided"
    layer: str
    source: str | None = None
    values: Numbers | None = field(default=None, repr=False)

    @classmethod
    def read(cls, reader: Reader) -> Term:
        """Read ``block4b@"photo.jpg"``."""
        return cls(*cls.read_picture(reader, "picture"))

    def resolve(self, network: Asked) -> Term:
        """Look at the picture."""
        network.check(self.layer)
        return replace(self, values=self.looked_at(network, "guide"))

    @property
    def form(self) -> Form:
        """Its score reads the layer, and depends on how many features there are."""
        return Form(f"{_SCORES}:guided", (self.layer,), options=(len(self.values.array) if self.values else 0,))

    def numbers(self, _group: int, _size: tuple[int, int] | None) -> dict[str, Any]:
        """The features."""
        return {} if self.values is None else {"features": self.values.array}


def _power(reader: Reader, layer: str) -> float:
    return bounds.power(reader.number("a power"), layer) if reader.take("^") else 0.0


def _vector(path: Path) -> Any:
    from dreamer.files import npy

    try:
        return Numbers.of(npy.read(path, most=_MOST_BYTES)).array
    except (OSError, ValueError, SettingsError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no .npy file of numbers"
        raise SettingsError(f"cannot read the direction in {path}: {reason}") from error


def check_pixels(picture: Any, what: str) -> None:
    """Make sure that an array is a picture.

    Raises:
        SettingsError: It has another shape or range.
    """
    if picture.ndim != 3 or picture.shape[-1] != 3 or not picture.size:
        raise SettingsError(f"{what} has shape {picture.shape}; expected (height, width, 3)")
    if not -0.5 <= picture.min() <= picture.max() <= 1.5:
        raise SettingsError(f"{what} has values from {picture.min():g} to {picture.max():g}; expected them in [0, 1]")


def source_name(source: str | None, values: Numbers | None) -> str:
    """Where numbers come from; an array has no name but its digest."""
    return quoted(source) if source is not None else array_name(values.digest if values else "")


def short_label(term: Term, source: str | None, values: Numbers | None) -> str:
    """The name of a term, the digest of its array cut short."""
    if source is not None or values is None:
        return str(term)
    return str(term).replace(array_name(values.digest), f"<{values.digest[:8]}>")
