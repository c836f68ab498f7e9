"""Landmarks of a network: where blocks end, and which layers are likely to dream well.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dreamer.models.network import Network

_MERGING = ("Add", "Concatenate")
_SHAPING = ("Flatten", "Reshape", "Softmax", "Activation")  # These see nothing that is not in the layer below.
_USUAL_STRIDE, _USUAL_FIELD = 16, 350  # Pixels; see likely.
_LEAST_STRIDE, _MOST_STRIDE = 8, 32  # Finer layers see lines, coarser ones have hardly any positions.


def blocks(network: Network) -> tuple[str, ...]:
    """Layers that end a block, and the last with positions.

    A block ends where branches meet, or where an identity names its end. In a network that has neither, every
    convolution counts.
    """
    spatial = _spatial(network)
    nodes = {name: network.node(name) for name in spatial}
    meeting = {name for name, node in nodes.items() if node.kind in _MERGING}
    named = {
        name
        for name, node in nodes.items()
        if node.kind == "Identity" and network.graph.nodes[node.parents[0]].kind not in (*_MERGING, "Identity")
    }
    convolutions = {name for name, node in nodes.items() if "Conv" in node.kind}
    ends = meeting | named | {spatial[-1]} if meeting | named else convolutions or set(nodes)
    return tuple(name for name in nodes if name in ends)


def worth_a_try(network: Network) -> tuple[str, ...]:
    """The default layer and the ends of the network's middle stages."""
    ends = {network.fields[name].stride: name for name in _landmarks(network)}
    middle = {name for stride, name in ends.items() if stride and _LEAST_STRIDE <= stride <= _MOST_STRIDE}
    return tuple(name for name in network.layers if name in {network.default_layer} | middle)


def early_to_late(network: Network, most: int = 3) -> list[str]:
    """Some of the layers that dream well, spread from early to late: those that are looked at where none is named.

    Args:
        network: The network.
        most: How many at the most.
    """
    good = sorted(network.dreams_well or [network.default_layer], key=network.layers.index)
    count = min(most, len(good))
    return [good[round(place * (len(good) - 1) / max(count - 1, 1))] for place in range(count)]


def likely(network: Network) -> str:
    """The layer most like those that are known to dream well.

    These have a stride of 16 and a field of 350 pixels, as ``mixed4`` of Inception v3 and ``block5c`` of
    EfficientNet-Lite0. In a network without positions it is the last one before the classes.
    """
    landmarks = _landmarks(network)
    if not landmarks:
        last = network.logits
        below = [name for name in network.layers if name != last and network.node(name).kind not in _SHAPING]
        return (below or list(network.layers))[-1]

    def unlikeness(name: str) -> tuple[float, float]:
        field = network.fields[name]
        return abs(math.log2((field.stride or 1) / _USUAL_STRIDE)), abs((field.size or math.inf) - _USUAL_FIELD)

    return min(landmarks, key=unlikeness)


def _spatial(network: Network) -> list[str]:
    """The layers with positions: those that see pictures of any size, or where there are none, the others."""
    spatial = [name for name in network.layers if len(network.node(name).shape) == 3 and network.fields[name].stride]
    return [name for name in spatial if not network.is_tied(name)] or spatial


def _landmarks(network: Network) -> list[str]:
    """Where branches meet; in a network that has none, every convolution."""
    spatial = _spatial(network)
    merging = [name for name in spatial if network.node(name).kind in _MERGING]
    convolutions = [name for name in spatial if "Conv" in network.node(name).kind]
    return (merging if len(merging) > 2 else convolutions) or spatial
