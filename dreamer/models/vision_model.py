"""A network as the ascent needs it: preprocessing, and activations by name.

The one idea: a network is cut to exactly the layers asked for, so nothing above them is computed. It
takes pictures of any size where its layers can; where one is tied to the size that the network was
built for, as a classifier behind a flattened feature map is, pictures are resized to that first.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import keras
from keras import ops

from dreamer.arrays import Size
from dreamer.errors import ModelError, SettingsError, UnknownLayerError, close_matches
from dreamer.models import inference
from dreamer.models.cost import Cost, cost
from dreamer.models.layer_graph import LayerGraph, Node, ancestors
from dreamer.models.receptive_field import Field, fields
from dreamer.models.specs import ModelSpec

Tensor = Any  # A tensor of whichever backend Keras runs on.

_MERGING = ("Add", "Concatenate")
_USUAL_STRIDE, _USUAL_FIELD = 16, 350  # Pixels; see default_layer.
_LEAST_STRIDE, _MOST_STRIDE = 8, 32  # Finer layers see lines, coarser ones have hardly any positions.
_LARGEST_MULTIPLE = 64
_TRIAL_SIDE = 75  # Pixels, odd as photos may be.
_PRIMES = (1021, 1543)  # Sides of this many multiples are multiples of nothing else that is tried.


class Sides(NamedTuple):
    """Which pictures some layers can see: those whose sides are multiples, and not too small.

    Attributes:
        least: The smallest side, in pixels.
        multiple: What every side must be a multiple of.
    """

    least: int
    multiple: int


class VisionModel:
    """A loaded network.

    Attributes:
        spec: What is known about it.
        graph: Its layers.
        weights_sha256: Digest of its weights as they were published; ``""`` for random ones.
    """

    def __init__(self, spec: ModelSpec, network: keras.Model, weights_sha256: str = "") -> None:
        self.spec = spec
        self.weights_sha256 = weights_sha256
        self.graph = LayerGraph(network)
        self._indices: dict[str, int] = {}
        for index, node in enumerate(self.graph.nodes):
            # A layer that is applied twice is known by its first application.
            if index and isinstance(node.output, keras.KerasTensor) and len(node.shape) > 0:
                self._indices.setdefault(node.name, index)
        # Each takes a walk over the layers, and is asked for with every picture.
        self._sides = lru_cache(maxsize=64)(self._find_sides)
        self._costs = lru_cache(maxsize=64)(self._find_cost)
        self._cuts = lru_cache(maxsize=8)(self._cut)
        self._made: defaultdict[str, inference.Made] = defaultdict(dict)
        if not self._indices:
            raise ModelError(f"{spec.name} has no layers to look at")

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of all layers that can be asked for, from the picture to the classes."""
        return tuple(self._indices)

    @property
    def is_grey(self) -> bool:
        """Whether the network sees brightness only."""
        return bool(self.graph.num_colors == 1)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """What a unit of each layer sees of the picture."""
        found = fields(self.graph.nodes)
        return {name: found[index] for name, index in self._indices.items()}

    @cached_property
    def logits(self) -> str | None:
        """The layer that scores the classes, before the softmax; None for a network without a classifier."""
        if self.spec.logits:
            return self.spec.logits
        last = self.graph.nodes[-1]
        if last.kind == "Softmax":
            last = self.graph.nodes[last.parents[0]]
        return last.name if len(last.shape) == 1 else None

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """Layers that end a block, and the last with positions.

        A block ends where branches meet, or where an identity names its end. In a network that has neither, every
        convolution counts.
        """
        nodes = {name: self.graph.nodes[self._indices[name]] for name in self._spatial}
        meeting = {name for name, node in nodes.items() if node.kind in _MERGING}
        named = {
            name
            for name, node in nodes.items()
            if node.kind == "Identity" and self.graph.nodes[node.parents[0]].kind not in (*_MERGING, "Identity")
        }
        convolutions = {name for name, node in nodes.items() if "Conv" in node.kind}
        ends = meeting | named | {self._spatial[-1]} if meeting | named else convolutions
        return tuple(name for name in nodes if name in ends)

    @cached_property
    def dreams_well(self) -> tuple[str, ...]:
        """Layers worth a try: those known to be, or the default and the ends of the network's middle stages."""
        if self.spec.dreams_well:
            return tuple(name for name, _ in self.spec.dreams_well if name in self._indices)
        ends = {self.fields[name].stride: name for name in self._landmarks()}
        middle = {name for stride, name in ends.items() if stride and _LEAST_STRIDE <= stride <= _MOST_STRIDE}
        return tuple(name for name in self.layers if name in {self.default_layer} | middle)

    @cached_property
    def default_layer(self) -> str:
        """The layer to dream with where none is named.

        If nobody has said which, it is the one most like those that are known to dream well: with a
        stride of 16 and a field of 350 pixels, as ``mixed4`` of Inception v3 and ``block5c`` of
        EfficientNet-Lite0.

        Raises:
            ModelError: No layer has positions.
        """
        if self.spec.default_layer:
            return self.spec.default_layer
        landmarks = self._landmarks()
        if not landmarks:
            raise ModelError(f"{self.spec.name} has no layer with positions to dream with; name one with --layer")

        def unlikeness(name: str) -> tuple[float, float]:
            field = self.fields[name]
            return abs(math.log2((field.stride or 1) / _USUAL_STRIDE)), abs((field.size or math.inf) - _USUAL_FIELD)

        return min(landmarks, key=unlikeness)

    def node(self, layer: str) -> Node:
        """A layer, with its kind and the shape of its output.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        if layer not in self._indices:
            raise UnknownLayerError(
                f"{self.spec.name} has no layer {layer!r}.{close_matches(layer, self.layers)} "
                f"See all: dreamer layers {self.spec.name}"
            )
        return self.graph.nodes[self._indices[layer]]

    def shapes(self, size: Size, layers: Sequence[str]) -> dict[str, tuple[int | None, ...]]:
        """The shape of some layers' outputs, without the batch, for pictures of a size.

        Raises:
            UnknownLayerError: There is no such layer.
            SettingsError: They cannot see pictures of that size.
        """
        open_layers = [name for name in layers if not self._is_tied([name])]
        found = self.graph.shapes([self._indices[name] for name in open_layers])(size) if open_layers else []
        if found is None:
            rule = _in_words(self.sides(open_layers))
            raise SettingsError(f"{self.spec.name} cannot see pictures of {size[0]}x{size[1]} there; {rule}")
        return {name: self.node(name).shape for name in layers} | dict(zip(open_layers, found, strict=True))

    def channels(self, layer: str) -> int:
        """How many channels, or units, a layer has.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        return int(self.node(layer).shape[-1] or 0)

    def check(self, layer: str, channel: int | None = None) -> None:
        """Make sure that a layer, and one channel of it, exist.

        Raises:
            UnknownLayerError: There is no such layer, or it has fewer channels.
        """
        channels = self.channels(layer)
        if channel is not None and not 0 <= channel < channels:
            raise UnknownLayerError(
                f"layer {layer!r} of {self.spec.name} has no channel {channel}; expected 0 to {channels - 1}"
            )

    def sides(self, layers: Iterable[str]) -> Sides:
        """Which pictures some layers can see. A layer tied to the network's own size sees any: they are resized."""
        return self._sides(tuple(sorted(set(layers))))

    def _find_sides(self, names: tuple[str, ...]) -> Sides:
        if self._is_tied(names):
            return Sides(1, 1)
        shapes_at = self.graph.shapes([self._indices[name] for name in names])

        def sees(size: Size) -> bool:
            return shapes_at(size) is not None

        multiple = next((n for n in range(1, _LARGEST_MULTIPLE + 1) if sees((n * _PRIMES[0], n * _PRIMES[1]))), None)
        if multiple is None:
            raise ModelError(
                f"{', '.join(names)} of {self.spec.name} cannot be computed for any size of picture that was tried; "
                "dream with a lower layer"
            )
        if multiple == 1 and sees((1, 1)):
            return Sides(1, 1)
        low, high = 0, _PRIMES[0]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if sees((middle * multiple,) * 2) else (middle, high)
        return Sides(high * multiple, multiple)

    def cost(self, layers: Iterable[str], size: Size) -> Cost:
        """What a gradient of some layers costs for a picture of a size, at the least.

        Raises:
            UnknownLayerError: There is no such layer.
            SettingsError: They cannot see pictures of that size.
        """
        return self._costs(tuple(sorted(set(layers))), size)

    def _find_cost(self, names: tuple[str, ...], size: Size) -> Cost:
        for name in names:
            self.check(name)
        tied = self._is_tied(names)
        nodes = self.graph.own_nodes if tied else self.graph.nodes
        wanted = [self._indices[name] for name in names]
        folded = inference.folded(nodes, wanted)
        needed = sorted(ancestors(nodes, wanted) - {0})
        if tied:
            size = self.graph.own_size or size
            found = [tuple(side or 0 for side in nodes[index].shape) for index in needed]
        else:
            self.shapes(size, names)
            found = self.graph.shapes(needed)(size) or []
        return cost(nodes, dict(zip(needed, found, strict=True)), (*size, self.graph.num_colors), folded)

    def activations(
        self, layers: Iterable[str], precision: str = "float32", *, redirected: bool = False
    ) -> Callable[[Tensor], dict[str, Tensor]]:
        """Cut the network to some layers, and make what is left quick.

        Args:
            layers: Their names.
            precision: What is computed in: ``"float32"``, ``"bfloat16"`` or ``"float16"``. What goes
                in and comes out is float32.
            redirected: Whether units that are off let gradients through that would turn them on.

        Returns:
            A function from pictures ``(batch, height, width, 3)`` in [0, 1] to activations by layer
            name, each ``(batch, height, width, channels)``, or ``(batch, units)`` above the pooling.
            Which sizes it takes, :meth:`sides` says.

        Raises:
            UnknownLayerError: There is no such layer.
            ModelError: Nobody has said how pictures are prepared for this network.
        """
        names = sorted(set(layers))
        for name in names:
            self.check(name)
        cut, prepare = self._cuts(tuple(names), precision), self._prepare()
        if redirected:
            cut = inference.redirect(cut)
        own_size = self.graph.own_size if self._is_tied(names) else None

        def run(pictures: Tensor) -> dict[str, Tensor]:
            if own_size is not None and tuple(pictures.shape[1:3]) != own_size:
                pictures = ops.image.resize(pictures, own_size, interpolation="bilinear", antialias=True)
            found = cut(prepare(pictures), training=False)
            # A network of mixed precision answers in its own.
            return {name: ops.cast(activation, "float32") for name, activation in found.items()}

        return run

    def variables(self, layers: Iterable[str], precision: str = "float32") -> list[keras.Variable]:
        """What :meth:`activations` of the same layers in the same precision read. It does not change."""
        return list(self._cuts(tuple(sorted(set(layers))), precision).variables)

    def _cut(self, names: tuple[str, ...], precision: str) -> keras.Model:
        nodes = self.graph.own_nodes if self._is_tied(names) else self.graph.nodes
        cut = keras.Model(nodes[0].output, {name: nodes[self._indices[name]].output for name in names})
        wanted = [self._indices[name] for name in names]
        folded = inference.fold(cut, nodes, wanted, self._trial_size(names), self._made["float32"])
        return folded if precision == "float32" else inference.lower(folded, precision, self._made[precision])

    def _trial_size(self, names: Sequence[str]) -> Size:
        """A size of picture that some layers can see, neither tiny nor large."""
        if self._is_tied(names):
            return self.graph.own_size or (_TRIAL_SIDE, _TRIAL_SIDE)
        sides = self.sides(names)
        side = max(sides.least, math.ceil(_TRIAL_SIDE / sides.multiple) * sides.multiple)
        return side, side

    def _is_tied(self, names: Iterable[str]) -> bool:
        return any(self._indices[name] in self.graph.tied for name in names)

    def _prepare(self) -> Callable[[Tensor], Tensor]:
        preprocessing = self.spec.preprocessing
        if preprocessing is None:
            raise ModelError(
                f"nobody has said how pictures are prepared for {self.spec.name}. Say it with --preprocessing, or in a "
                'file of the same name with the suffix .toml beside it: preprocessing = "-1..1"'
            )
        # Where they are needed already, so that no step has to wait for them.
        mean, std = (ops.convert_to_tensor(values, "float32") for values in (preprocessing.mean, preprocessing.std))

        def prepare(pictures: Tensor) -> Tensor:
            prepared = (pictures - mean) / std
            if self.is_grey:
                return ops.mean(prepared, axis=-1, keepdims=True)
            return ops.flip(prepared, axis=-1) if preprocessing.order == "BGR" else prepared

        return prepare

    @property
    def _open_layers(self) -> list[str]:
        return [name for name, index in self._indices.items() if index not in self.graph.tied]

    @property
    def _spatial(self) -> list[str]:
        """The layers with positions."""
        return [name for name in self._open_layers if len(self.node(name).shape) == 3 and self.fields[name].stride]

    def _landmarks(self) -> list[str]:
        """Where branches meet; in a network that has none, every convolution."""
        spatial = self._spatial
        merging = [name for name in spatial if self.node(name).kind in _MERGING]
        convolutions = [name for name in spatial if "Conv" in self.node(name).kind]
        return (merging if len(merging) > 2 else convolutions) or spatial


def _in_words(sides: Sides) -> str:
    rule = f"sides from {sides.least} pixels"
    return f"{rule}, multiples of {sides.multiple}" if sides.multiple > 1 else rule
