"""The parts of an objective: what is scored, with which numbers, and how each is written.

(``grammar`` reads what is written here.)

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

PENALTIES = ("total_variation", "l1", "l2", "blur", "high_frequency")
"""What a picture itself may be scored by; see ``dreamer.ascent.scoring``."""

Position = tuple[int, int] | Literal["centre"]
"""``(y, x)`` of a neuron in its layer, or the middle one."""

Kind = Literal["layer", "channel", "logit", "direction", "guided", "diversity", "penalty", "custom"]


@dataclass(frozen=True)
class Numbers:
    """A NumPy array that can be compared, by its digest.

    Attributes:
        array: float32; not to be changed.
        digest: Of its bytes and its shape, hexadecimal digits.
    """

    array: Any = field(compare=False)
    digest: str

    @classmethod
    def of(cls, values: Any) -> Numbers:
        """Numbers from anything that NumPy takes."""
        import numpy as np

        array = np.ascontiguousarray(values, np.float32)
        return cls(array, hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest())


@dataclass(frozen=True)
class Term:
    """One thing that is scored.

    Attributes:
        kind: What is done with the activations; which of the other fields count depends on it.
        layer: The layer it is about; None for a penalty, and for a class until the network is known.
        unit: Index of a channel, a unit or a class; of a class also its name.
        position: Of a neuron.
        seed: Of a random direction.
        power: To which power a direction's cosine is multiplied with its score.
        source: The file of a direction or a guide, the name of a penalty or of a function of your own.
        values: Its numbers where they were given as an array, or once the network is known: a vector over the
            channels, or features of a guide.
        function: A score of your own, as ``objectives.custom`` says.
        needs: The layers it reads.
    """

    kind: Kind
    layer: str | None = None
    unit: int | str | None = None
    position: Position | None = None
    seed: int | None = None
    power: float = 0.0
    source: str | None = None
    values: Numbers | None = field(default=None, repr=False)
    function: Callable[[Any], Any] | None = field(default=None, repr=False)
    needs: tuple[str, ...] = ()

    @property
    def layers(self) -> frozenset[str]:
        """The layers whose activations it needs, as far as they are named."""
        return frozenset(self.needs if self.layer is None else [self.layer])

    def __str__(self) -> str:
        name = _quoted_layer(self.layer) if self.layer is not None else ""
        power = f"^{self.power:g}" if self.power else ""
        if self.kind == "logit":
            return f"logit:{self.unit}" if isinstance(self.unit, int) else f"logit:{_quoted(str(self.unit))}"
        if self.kind == "channel":
            return f"{name}:{self.unit}{_at(self.position)}"
        if self.kind == "direction" and self.seed is not None:
            return f"direction:{name}#{self.seed}{power}"
        if self.kind in ("direction", "guided"):
            return f"{self.kind}:{name}@{self._source}{power}"
        if self.kind == "diversity":
            return f"diversity:{name}"
        return name or str(self.source)

    @property
    def _source(self) -> str:
        """Where its numbers come from; an array has no name but its digest."""
        if self.source is not None:
            return _quoted(self.source)
        return f"<{self.values.digest[:8]}>" if self.values else "<>"


BARE = re.compile(r"[A-Za-z0-9_./]+")
"""The name of a layer that needs no quotes."""


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'


def _quoted_layer(name: str) -> str:
    reserved = name in PENALTIES or name in ("logit", "direction", "guided", "diversity")
    return name if BARE.fullmatch(name) and not reserved else _quoted(name)


def _at(position: Position | None) -> str:
    if position is None:
        return ""
    return "@centre" if position == "centre" else f"@{position[0]},{position[1]}"
