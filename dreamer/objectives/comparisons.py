"""Comparisons: terms that hold what a layer finds in the picture against what it finds in a photo.

The one idea: the photo goes through the same views as the picture, whatever those are, so that only what differs
counts. Its activations have no gradient.

Must not import NumPy, Keras or anything heavy when it is imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from dreamer.errors import ImageReadError
from dreamer.objectives import bounds
from dreamer.objectives.directions import Sourced, check_pixels
from dreamer.objectives.terms import Asked, Form, Numbers, Reader, Term
from dreamer.wording import number

_SCORES = "dreamer.ascent.scoring"


@dataclass(frozen=True)
class _Comparison(Sourced):
    """What both kinds have: a layer, and a photo.

    Attributes:
        source: The photo's file.
        values: Its pixels, where they were given, or once the network is known.
    """

    layer: str
    source: str | None = None
    values: Numbers | None = field(default=None, repr=False)

    def resolve(self, network: Asked) -> Self:
        """Read the photo."""
        network.check(self.layer)
        if self.source is None and self.values is not None:
            check_pixels(self.values.array, f"the photo for {self.layer!r}")
            return replace(self, values=network.pixels(self.values.array))
        path = Path(str(self.source))
        try:
            return replace(self, values=network.pixels(path))
        except OSError as error:
            raise ImageReadError(f"cannot read the photo {path}: {error.strerror}") from error

    def numbers(self, _group: int, size: tuple[int, int] | None) -> dict[str, Any]:
        """The photo, as large as the pictures are."""
        if self.values is None or size is None:
            return {}
        from dreamer.arrays import resize

        return {"reference": resize(self.values.array, size).clip(0, 1)}


@dataclass(frozen=True)
class Like(_Comparison):
    """How much a layer finds of what it finds in a photo, at the same places.

    Attributes:
        power: To which power the cosine of all activations is multiplied with the score.
    """

    kind: ClassVar[str] = "like"
    power: float = 0.0

    @classmethod
    def read(cls, reader: Reader) -> Term:
        """Read ``block4b@"photo.jpg"`` or ``block4b@"photo.jpg"^2``."""
        name, source = cls.read_picture(reader, "photo")
        power = bounds.power(reader.number("a power"), name) if reader.take("^") else 0.0
        return cls(name, source, power=power)

    def __str__(self) -> str:
        return f"{super().__str__()}^{number(self.power)}" if self.power else super().__str__()

    @property
    def form(self) -> Form:
        """Its score reads the layer, of both pictures."""
        return Form(f"{_SCORES}:like", (self.layer,), reference=True, options=(self.power > 0,))

    def numbers(self, group: int, size: tuple[int, int] | None) -> dict[str, Any]:
        """The photo, and the power of the cosine."""
        import numpy as np

        power = {"power": np.float32(self.power)} if self.power > 0 else {}
        return super().numbers(group, size) | power


@dataclass(frozen=True)
class Near(_Comparison):
    """Minus the distance between what a layer finds in the picture and in a photo.

    Attributes:
        squared: Whether distances are squared.
    """

    kind: ClassVar[str] = "near"
    squared: bool = False

    @classmethod
    def read(cls, reader: Reader) -> Term:
        """Read ``block4b@"photo.jpg"`` or ``block4b@"photo.jpg"^2``."""
        name, source = cls.read_picture(reader, "photo")
        power = reader.number("a power") if reader.take("^") else 1
        if power not in (1, 2):
            reader.fail("1 or 2 as the power of a distance")
        return cls(name, source, squared=power == 2)

    def __str__(self) -> str:
        return f"{super().__str__()}^2" if self.squared else super().__str__()

    @property
    def form(self) -> Form:
        """Its score reads the layer, of both pictures."""
        return Form(f"{_SCORES}:near", (self.layer,), reference=True, options=(self.squared,))
