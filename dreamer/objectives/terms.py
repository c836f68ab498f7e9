"""Terms of an objective: what every kind of them has, and how names and numbers are written.

(``kinds`` has the kinds, ``grammar`` reads them.)

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, NoReturn, Protocol
from weakref import WeakKeyDictionary

from dreamer.errors import SettingsError
from dreamer.wording import shown

PENALTIES = ("total_variation", "l1", "l2", "blur", "high_frequency")
"""What a picture itself may be scored by; see ``dreamer.ascent.scoring``."""

RESERVED = ("logit", "direction", "guided", "like", "near", "diversity", "style")
"""What stands before a colon to say which kind is meant; a layer of that name is written in quotes."""

Position = tuple[int, int] | Literal["centre"]
"""``(y, x)`` of a neuron in its layer, or the middle one."""


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


class Form(NamedTuple):
    """What of a term a compiled program depends on; its numbers are arguments of the program.

    Attributes:
        score: What gives the score: a function, or where it is, as ``"module:function"``.
        layers: The layers whose activations it reads.
        picture: Whether it reads the picture itself.
        reference: Whether it reads what the same layers find in a second picture.
        options: Whatever else of the term the score depends on.
    """

    score: Callable[..., Any] | str
    layers: tuple[str, ...] = ()
    picture: bool = False
    reference: bool = False
    options: tuple[Any, ...] = ()


class Asked(Protocol):
    """What a term asks of a network; :class:`dreamer.Network` answers."""

    @property
    def title(self) -> str:
        """What the network is called."""

    @property
    def logits(self) -> str | None:
        """The layer that scores the classes, before the softmax."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Its layers."""

    def check(self, layer: str, channel: int | None = None) -> None:
        """Make sure that a layer, and one channel of it, exist."""

    def channels(self, layer: str) -> int:
        """How many channels a layer has."""

    def has_positions(self, layer: str) -> bool:
        """Whether a layer has positions, and is not a vector."""

    def class_index(self, name: str) -> int:
        """The index of a class by its name."""

    def features(self, layer: str, picture: Any) -> Any:
        """What a layer finds in a picture: ``(positions, channels)``."""

    def pixels(self, picture: Any) -> Any:
        """The pixels of a picture or its file, ``(height, width, 3)`` in [0, 1], as :class:`Numbers`."""


class Reader(Protocol):
    """What a kind reads its text with; the parser of :mod:`dreamer.objectives.grammar` answers."""

    def layer(self) -> str:
        """The name of a layer."""

    def string(self) -> str:
        """A file, in quotes or without."""

    def quoted(self) -> str | None:
        """What stands in quotes, where something does."""

    def whole_number(self, what: str) -> int:
        """A whole number; *what* says what it is."""

    def number(self, what: str) -> float:
        """A number."""

    def take(self, pattern: re.Pattern[str] | str) -> re.Match[str] | None:
        """What comes next, if it is of this form."""

    def fail(self, expected: str) -> NoReturn:
        """Refuse the text, saying what was expected."""


class Term:
    """One thing that is scored: the base of all kinds. A value: frozen, comparable.

    A kind is a frozen dataclass that derives from this. It is written by ``__str__``, read by :meth:`read` after its
    prefix and a colon, resolved with the network at hand, and scored by the function that its :attr:`form` names.

    Attributes:
        kind: What it is called.
    """

    kind: ClassVar[str]

    @classmethod
    def read(cls, reader: Reader) -> Term:
        """Read what follows the prefix and the colon."""
        raise NotImplementedError

    @property
    def layers(self) -> frozenset[str]:
        """The layers whose activations it needs, as far as they are named: its ``layer``, if it has one."""
        layer = getattr(self, "layer", None)
        return frozenset() if layer is None else frozenset([layer])

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it reads."""
        return ()

    def with_files(self, _place: Callable[[str], str]) -> Term:
        """The same, with its files in other places."""
        return self

    @property
    def label(self) -> str:
        """It as a person should read it in a picture's label."""
        return str(self)

    def resolve(self, _network: Asked) -> Term:
        """Make sure that a network has what it asks for, and fill in what only that knows."""
        return self

    @property
    def form(self) -> Form:
        """What of it a compiled program depends on."""
        raise NotImplementedError

    def numbers(self, _group: int, _size: tuple[int, int] | None) -> dict[str, Any]:
        """Its numbers by name, as arrays without the batch.

        Args:
            _group: The number of its target in a batch.
            _size: ``(height, width)`` of the pictures; None where nobody needs it.
        """
        return {}


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
    reserved = name in PENALTIES or name in RESERVED
    return name if BARE.fullmatch(name) and not reserved else quoted(name)


_MARKS: WeakKeyDictionary[Callable[[Any], Any], str] = WeakKeyDictionary()


def mark(function: Callable[[Any], Any] | None) -> str:
    """What tells a function from every other, here and elsewhere, as long as this process keeps it."""
    return _MARKS.setdefault(function, secrets.token_hex(8)) if function else ""


def array_name(digest: str) -> str:
    """What stands in a name for an array."""
    return f"<array sha256:{digest}>"
