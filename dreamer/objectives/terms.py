"""The parts of an objective: what is scored, with which numbers, and how each is written.

(``grammar`` reads what is written here.)

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakKeyDictionary

from dreamer.errors import SettingsError
from dreamer.wording import number, shown

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
        """Numbers from anything that NumPy takes; a copy, so that nobody can change them.

        Raises:
            SettingsError: NumPy makes no numbers of it.
        """
        import numpy as np

        try:
            given = np.asarray(values)
            if given.dtype.kind not in "biufO":
                raise TypeError(f"it holds {given.dtype}")
            # What is too large for float32 becomes infinite, and is refused where its meaning is known.
            with np.errstate(over="ignore"):
                array = np.array(given, np.float32, order="C")
        except (TypeError, ValueError, OverflowError) as error:
            raise SettingsError(f"cannot make an array of numbers of {shown(values)}: {error}") from error
        array.flags.writeable = False
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

    @property
    def label(self) -> str:
        """It as a person should read it in a picture's label: its name, but for what only tells it from others."""
        if self.kind == "custom":
            return str(self.source)
        if self.source is None and self.values is not None and self.kind in ("direction", "guided"):
            return str(self).replace(_array(self.values.digest), f"<{self.values.digest[:8]}>")
        return str(self)

    def __str__(self) -> str:
        name = quoted_layer(self.layer) if self.layer is not None else ""
        power = f"^{number(self.power)}" if self.power else ""
        if self.kind == "logit":
            return f"logit:{self.unit}" if isinstance(self.unit, int) else f"logit:{quoted(str(self.unit))}"
        if self.kind == "channel":
            return f"{name}:{self.unit}{_at(self.position)}"
        if self.kind == "direction" and self.seed is not None:
            return f"direction:{name}#{self.seed}{power}"
        if self.kind in ("direction", "guided"):
            return f"{self.kind}:{name}@{self._source}{power}"
        if self.kind == "diversity":
            return f"diversity:{name}"
        if self.kind == "custom":
            needs = ", ".join(map(quoted_layer, self.needs))
            return f"custom:{quoted(str(self.source))}<function {mark(self.function)} of {needs}>"
        return name or str(self.source)

    @property
    def _source(self) -> str:
        """Where its numbers come from; an array has no name but its digest."""
        if self.source is not None:
            return quoted(self.source)
        return _array(self.values.digest if self.values else "")


BARE = re.compile(r"[A-Za-z0-9_./]+")
"""The name of a layer that needs no quotes."""

ARRAY = re.compile(r"<(array sha256:)?[0-9a-f]*>")
"""What stands in a name for an array, which no text can give back."""


def quoted(text: str) -> str:
    """Text in quotes, as ``grammar`` reads it; a quotation mark that is part of it is doubled if it must be."""
    if '"' not in text:
        return f'"{text}"'
    return f"'{text}'" if "'" not in text else '"' + text.replace('"', '""') + '"'


def quoted_layer(name: str) -> str:
    """The name of a layer as it is typed: in quotes where it needs them."""
    reserved = name in PENALTIES or name in ("logit", "direction", "guided", "diversity")
    return name if BARE.fullmatch(name) and not reserved else quoted(name)


_MARKS: WeakKeyDictionary[Callable[[Any], Any], str] = WeakKeyDictionary()


def mark(function: Callable[[Any], Any] | None) -> str:
    """What tells a function from every other, here and elsewhere, as long as this process keeps it."""
    return _MARKS.setdefault(function, secrets.token_hex(8)) if function else ""


def _array(digest: str) -> str:
    return f"<array sha256:{digest}>"


def _at(position: Position | None) -> str:
    if position is None:
        return ""
    return "@centre" if position == "centre" else f"@{position[0]},{position[1]}"
