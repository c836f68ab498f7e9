"""Kinds of objective: layers, channels, classes, directions, guides, diversity, penalties, functions of your own.

(``comparisons`` has those that compare with a photo, ``style`` that with a painting.)

The one idea: a kind is one class here (how it is written and read, its layers and files, how it is resolved, which
numbers it has) and one function that scores it, in ``ascent.scoring``. Everything else finds them by dispatch.
Plug-ins add kinds by entry points of the group ``dreamer.objectives``, whose name is the prefix that is typed.

Must not import NumPy, Keras or anything heavy when it is imported: settings hold objectives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from dreamer import plugins
from dreamer.errors import SettingsError, UnknownClassError, UnknownLayerError
from dreamer.objectives import bounds
from dreamer.objectives.comparisons import Like, Near
from dreamer.objectives.directions import Direction, Guided
from dreamer.objectives.style import Style
from dreamer.objectives.terms import (
    PENALTIES,
    RESERVED,
    Asked,
    Form,
    Numbers,
    Position,
    Reader,
    Term,
    mark,
    quoted,
    quoted_layer,
)
from dreamer.wording import shown

_SCORES = "dreamer.ascent.scoring"


@dataclass(frozen=True)
class Layer(Term):
    """A layer: the mean square of its activations."""

    kind: ClassVar[str] = "layer"
    layer: str

    def __str__(self) -> str:
        return quoted_layer(self.layer)

    def resolve(self, network: Asked) -> Term:
        """Make sure that there is such a layer."""
        network.check(self.layer)
        return self

    @property
    def form(self) -> Form:
        """Its score reads the layer."""
        return Form(f"{_SCORES}:layer", (self.layer,))


@dataclass(frozen=True)
class Channel(Term):
    """A channel of a layer, a unit of a dense layer, or one neuron of a channel.

    Attributes:
        values: A vector over the channels, once the network is known.
    """

    kind: ClassVar[str] = "channel"
    layer: str
    unit: int
    position: Position | None = None
    values: Numbers | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{quoted_layer(self.layer)}:{self.unit}{_at(self.position)}"

    def resolve(self, network: Asked) -> Term:
        """Find the channel as a vector over all of them."""
        network.check(self.layer, self.unit)
        if self.position is not None and not network.has_positions(self.layer):
            raise UnknownLayerError(
                f"{self.layer!r} of {network.title} has no positions; write {self.layer}:{self.unit}"
            )
        return replace(self, values=_one_hot(self.unit, network.channels(self.layer)))

    @property
    def form(self) -> Form:
        """Its score reads the layer, at one position or in the mean."""
        return Form(f"{_SCORES}:along", (self.layer,), options=(self.position is not None, False))

    def numbers(self, _group: int, _size: tuple[int, int] | None) -> dict[str, Any]:
        """The vector, and the position of a neuron."""
        return _vector_of(self.values) | _position_of(self.position)


@dataclass(frozen=True)
class Logit(Term):
    """A class, before the softmax.

    Attributes:
        unit: Its index, or its name until the network is known.
        layer: The layer of the classes, once the network is known.
        values: A vector over the classes, once the network is known.
    """

    kind: ClassVar[str] = "logit"
    unit: int | str
    layer: str | None = None
    values: Numbers | None = field(default=None, repr=False)

    @classmethod
    def read(cls, reader: Reader) -> Term:
        """Read ``281``, ``tabby cat`` or ``"tabby cat"``."""
        name = reader.quoted()
        if name is not None:
            return cls(bounds.text(name, "a class", "tabby cat"))
        return cls(bounds.class_name(reader.bare_class()))  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return f"logit:{self.unit}" if isinstance(self.unit, int) else f"logit:{quoted(str(self.unit))}"

    def resolve(self, network: Asked) -> Term:
        """Find the class."""
        name = network.logits
        if name is None or name not in network.layers:
            raise UnknownClassError(
                f"{network.title} has no classifier here, so there is no {self}. Name a layer of it: "
                f"dreamer layers {network.title}"
            )
        index = self.unit if isinstance(self.unit, int) else network.class_index(self.unit)
        count = network.channels(name)
        if index >= count:
            raise UnknownClassError(f"{network.title} has no class {index}; expected 0 to {count - 1}")
        return Logit(index, name, _one_hot(index, count))

    @property
    def form(self) -> Form:
        """Its score reads the layer of the classes."""
        return Form(f"{_SCORES}:along", tuple(sorted(self.layers)), options=(False, False))

    def numbers(self, _group: int, _size: tuple[int, int] | None) -> dict[str, Any]:
        """The vector."""
        return _vector_of(self.values)


@dataclass(frozen=True)
class Diversity(Term):
    """How much each picture of a batch differs from the others of the same target."""

    kind: ClassVar[str] = "diversity"
    layer: str

    @classmethod
    def read(cls, reader: Reader) -> Term:
        """Read ``block4b``."""
        return cls(reader.layer())

    def __str__(self) -> str:
        return f"diversity:{quoted_layer(self.layer)}"

    def resolve(self, network: Asked) -> Term:
        """Make sure that there is such a layer."""
        network.check(self.layer)
        return self

    @property
    def form(self) -> Form:
        """Its score reads the layer."""
        return Form(f"{_SCORES}:diversity", (self.layer,))

    def numbers(self, group: int, _size: tuple[int, int] | None) -> dict[str, Any]:
        """The number of its target."""
        import numpy as np

        return {"group": np.int32(group)}


@dataclass(frozen=True)
class Penalty(Term):
    """What a picture itself is scored by, to be subtracted.

    Attributes:
        source: Its name, one of ``PENALTIES``.
    """

    kind: ClassVar[str] = "penalty"
    source: str

    def __post_init__(self) -> None:
        if self.source not in PENALTIES:
            raise SettingsError(f"there is no penalty {shown(self.source)}; expected one of {', '.join(PENALTIES)}")

    def __str__(self) -> str:
        return self.source

    @property
    def form(self) -> Form:
        """Its score reads the picture."""
        return Form(f"{_SCORES}:{self.source}", picture=True)


@dataclass(frozen=True)
class Custom(Term):
    """A score of your own, as ``objectives.custom`` says.

    Attributes:
        source: What a person reads.
        function: The score.
        needs: The layers that it reads.
        picture: Whether it reads the picture.
        reference: The pixels of a second picture, if it reads one.
    """

    kind: ClassVar[str] = "custom"
    source: str
    function: Callable[[Any], Any] = field(repr=False)
    needs: tuple[str, ...] = ()
    picture: bool = False
    reference: Numbers | None = field(default=None, repr=False)

    def __str__(self) -> str:
        needs = ", ".join(map(quoted_layer, self.needs))
        return f"custom:{quoted(self.source)}<function {mark(self.function)} of {needs}>"

    @property
    def label(self) -> str:
        """What a person reads."""
        return self.source

    @property
    def layers(self) -> frozenset[str]:
        """The layers that it reads."""
        return frozenset(self.needs)

    def resolve(self, network: Asked) -> Term:
        """Make sure that there are such layers."""
        for name in self.needs:
            network.check(name)
        return self

    @property
    def form(self) -> Form:
        """Its score is the function itself."""
        has_reference = self.reference is not None
        return Form(
            f"{_SCORES}:custom", self.needs, self.picture, has_reference, (self.function, self.picture or has_reference)
        )

    def numbers(self, _group: int, size: tuple[int, int] | None) -> dict[str, Any]:
        """The second picture, as large as the pictures are."""
        if self.reference is None or size is None:
            return {}
        from dreamer.arrays import resize

        return {"reference": resize(self.reference.array, size)}


KINDS: Mapping[str, type[Term]] = {
    "logit": Logit,
    "direction": Direction,
    "guided": Guided,
    "like": Like,
    "near": Near,
    "diversity": Diversity,
    "style": Style,
}
"""Kinds that are read after a prefix and a colon. Layers, channels, neurons and penalties have none; what functions
score cannot be typed."""


def prefixes() -> tuple[str, ...]:
    """What may stand before a colon, that of plug-ins included."""
    return (*RESERVED, *plugins.names("dreamer.objectives"))


def of_prefix(prefix: str) -> type[Term]:
    """The kind that a prefix means; that of a plug-in is imported now.

    Raises:
        SettingsError: A plug-in's kind cannot be used.
    """
    if prefix in KINDS:
        return KINDS[prefix]
    kind: type[Term] | None = plugins.load("dreamer.objectives", prefix, _check_kind)
    if kind is None:
        raise SettingsError(f"the plug-in {prefix!r} for objectives cannot be used; the warning before says why")
    return kind


def _check_kind(value: Any) -> None:
    if not (isinstance(value, type) and issubclass(value, Term)):
        raise TypeError(f"it is {shown(value)}; a class that derives from dreamer.objectives.Term is expected")


def _one_hot(index: int, count: int) -> Numbers:
    import numpy as np

    return Numbers.of(np.eye(1, count, index)[0])


def _vector_of(values: Numbers | None) -> dict[str, Any]:
    return {} if values is None else {"vector": values.array}


def _position_of(position: Position | None) -> dict[str, Any]:
    if position is None:
        return {}
    import numpy as np

    return {"position": np.array([CENTRE] * 2 if position == "centre" else position, np.int32)}


CENTRE = -1
"""Stands for the middle of a layer, in a neuron's position."""


def _at(position: Position | None) -> str:
    if position is None:
        return ""
    return "@centre" if position == "centre" else f"@{position[0]},{position[1]}"
