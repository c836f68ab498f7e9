"""Which units an atlas shows: layers, channels and classes as a person asks for them.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dreamer import objectives
from dreamer.errors import SettingsError, UnknownClassError, UnknownLayerError
from dreamer.models import labels

if TYPE_CHECKING:
    from dreamer.models.network import Network

_MOST = 1_000_000
_PART = re.compile(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?")


@dataclass(frozen=True)
class Unit:
    """A unit that gets a picture.

    Attributes:
        layer: Its layer.
        index: Its channel, or its class.
        objective: Its target, as :meth:`dreamer.Objective.parse` reads it.
        name: What a person calls it: the names of a class, or the target again.
    """

    layer: str
    index: int
    objective: str
    name: str

    @property
    def is_class(self) -> bool:
        """Whether it is a class."""
        return self.objective.startswith("logit:")


def channels(text: str) -> tuple[range, ...]:
    """Read which channels are wanted.

    Args:
        text: Numbers and ranges, both ends included, with commas between them.

    Raises:
        SettingsError: It has another form.

    Example:
        >>> channels("0-63,80")
        (range(0, 64), range(80, 81))
    """
    parts = [_PART.fullmatch(part) for part in text.split(",")]
    found = [range(int(part[1]), int(part[2] or part[1]) + 1) for part in parts if part]
    if len(found) < len(parts) or not all(found):
        raise SettingsError(f"cannot read the channels {text!r}; expected numbers and ranges, as in 0-63,80")
    return tuple(found)


def chosen(
    network: Network,
    layers: Iterable[str] = (),
    *,
    wanted: Sequence[range] | None = None,
    all_layers: bool = False,
    classes: str | None = None,
) -> list[Unit]:
    """The units that are asked for.

    Args:
        network: Whose.
        layers: Names of layers.
        wanted: Which of their channels, as :func:`channels` reads them; a range is cut to what a layer has.
        all_layers: Every layer that ends a block besides, see :attr:`Network.blocks`.
        classes: A word of the names of classes that are wanted besides, or a part of them where none has it as a
            word, or a number; ``""`` for all classes.

    Returns:
        Each unit once, layer by layer.

    Raises:
        UnknownLayerError: There is no such layer, or none of them has such a channel.
        UnknownClassError: No class is called so, or the network has no classes.
        SettingsError: Nothing is asked for.
    """
    names = list(dict.fromkeys([*layers, *(network.blocks if all_layers else ())]))
    if not names and classes is None:
        raise SettingsError("no layer is named; name some, as in block4b, or give --all-layers or --logits")
    found = [unit for name in names for unit in _of_layer(network, name, wanted)]
    _check_found(network, names, wanted)
    if classes is not None:
        found += _classes(network, classes)
    return list(dict.fromkeys(found))


def _of_layer(network: Network, layer: str, wanted: Sequence[range] | None) -> list[Unit]:
    count = network.channels(layer)
    indices = sorted({index for part in wanted or [range(_MOST)] for index in part[:count] if index < count})
    if layer == network.logits:
        names = _class_names(network)
        return [_class(network, index, names) for index in indices]
    targets = [objectives.channel(layer, index).name for index in indices]
    return [Unit(layer, index, target, target) for index, target in zip(indices, targets, strict=True)]


def _check_found(network: Network, names: Sequence[str], wanted: Sequence[range] | None) -> None:
    """A range that no layer has is a mistake; one that some layer has is cut for the others."""
    most = max((network.channels(name) for name in names), default=0)
    for part in wanted or ():
        if part.start >= most and names:
            where = f"layer {names[0]!r}" if len(names) == 1 else "none of these layers"
            has = "has no" if len(names) == 1 else "has a"
            raise UnknownLayerError(
                f"{where} of {network.spec.name} {has} channel {part.start}; expected 0 to {most - 1}"
            )


def _classes(network: Network, search: str) -> list[Unit]:
    name = network.logits
    if name is None or name not in network.layers:
        raise UnknownClassError(
            f"{network.spec.name} has no classifier here, so there are no classes. Name a layer of it: "
            f"dreamer layers {network.spec.name}"
        )
    count, names = network.channels(name), _class_names(network)
    if not search.strip():
        return [_class(network, index, names) for index in range(count)]
    known = labels.of(network.spec)
    called = [label for label in known if labels.is_called(label, search) and label.index < count]
    # With "cat" a person means no "catamaran", as long as there are cats.
    word = re.compile(rf"\b{re.escape(search.strip())}\b", re.IGNORECASE)
    called = [label for label in called if word.search(label.name)] or called
    if not called:
        close = ", ".join(label.name for label in labels.find(known, search))
        hint = f"Close matches: {close}" if close else f"See all: dreamer labels {network.spec.name}"
        raise UnknownClassError(f"{network.spec.name} has no class {search!r}. {hint}")
    return [_class(network, label.index, names) for label in called]


def _class_names(network: Network) -> dict[int, str]:
    """The names of classes by index; none where nobody has said them."""
    return {label.index: label.name for label in network.labels}


def _class(network: Network, index: int, names: dict[int, str]) -> Unit:
    target = objectives.logit(index).name
    return Unit(str(network.logits), index, target, names.get(index, target))
