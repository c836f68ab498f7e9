"""Style: a term that compares what occurs together in a layer with what occurs together there in a painting.

The one idea: where something lies is averaged away. What is left, the Gram matrix of a layer, is the same for the whole
painting and for a part of it, so it stands for any picture and any tile of one, and is computed once.

Must not import NumPy, Keras or anything heavy when it is imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from dreamer.errors import UnknownLayerError
from dreamer.objectives.directions import Sourced
from dreamer.objectives.terms import Asked, Form, Numbers, Reader, Term

_A_POWER = re.compile(r"(?=\^)")


@dataclass(frozen=True)
class Style(Sourced):
    """Minus the distance between a layer's Gram matrix and that of a painting.

    Attributes:
        source: The painting's file.
        values: Its pixels where they were given; once the network is known, its Gram matrix ``(channels, channels)``.
    """

    kind: ClassVar[str] = "style"
    layer: str
    source: str | None = None
    values: Numbers | None = field(default=None, repr=False)

    @classmethod
    def read(cls, reader: Reader) -> Term:
        """Read ``block4b@"painting.jpg"``."""
        name, source = cls.read_picture(reader, "painting")
        if reader.take(_A_POWER):
            reader.fail('no power: a style has none, only a weight, as in 2*style:block4b@"painting.jpg"')
        return cls(name, source)

    def resolve(self, network: Asked) -> Term:
        """Look at the painting, and keep what occurs together in it."""
        network.check(self.layer)
        if not network.has_positions(self.layer):
            raise UnknownLayerError(
                f"{self.layer!r} of {network.title} has no positions, and a style is what occurs together at the "
                "positions of a layer; name one that has some"
            )
        features = self.looked_at(network, "painting").array
        return replace(self, values=Numbers.of(features.T @ features / len(features)))

    @property
    def form(self) -> Form:
        """Its score reads the layer."""
        return Form("dreamer.ascent.scoring:style", (self.layer,))

    def numbers(self, _group: int, _size: tuple[int, int] | None) -> dict[str, Any]:
        """The Gram matrix of the painting."""
        return {} if self.values is None else {"gram": self.values.array}
