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
from typing import Any

import keras
from keras import ops

from dreamer.arrays import Size
from dreamer.errors import ModelError, SettingsError, UnknownLayerError, close_matches, in_one_line
from dreamer.models import inference, resampling
from dreamer.models.cost import Cost, cost
from dreamer.models.layer_graph import LayerGraph, Node, Shape, ancestors
from dreamer.models.receptive_field import Field, fields
from dreamer.models.specs import ModelSpec
from dreamer.sides import Seen

Tensor = Any  # A tensor of whichever backend Keras runs on.

_MERGING = ("Add", "Concatenate")
_SHAPING = ("Flatten", "Reshape", "Softmax", "Activation")  # These see nothing that is not in the layer below.
_USUAL_STRIDE, _USUAL_FIELD = 16, 350  # Pixels; see default_layer.
_LEAST_STRIDE, _MOST_STRIDE = 8, 32  # Finer layers see lines, coarser ones have hardly any positions.
_TRIAL_SIDE = 75  # Pixels, odd as photos may be.


class Network:
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
        ends = meeting | named | {self._spatial[-1]} if meeting | named else convolutions or set(nodes)
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
        EfficientNet-Lite0. In a network without positions it is the last one before the classes.
        """
        if self.spec.default_layer:
            return self.spec.default_layer
        landmarks = self._landmarks()
        if not landmarks:
            below = [name for name in self.layers if name != self.logits and self.node(name).kind not in _SHAPING]
            return (below or list(self.layers))[-1]

        def unlikeness(name: str) -> tuple[float, float]:
            field = self.fields[name]
            return abs(math.log2((field.stride or 1) / _USUAL_STRIDE)), abs((field.size or math.inf) - _USUAL_FIELD)

        return min(landmarks, key=unlikeness)

    def node(self, layer: str) -> Node:
        """A layer, with its kind and the shape of its output.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        return self.graph.nodes[self._index(layer)]

    def _index(self, layer: str) -> int:
        if layer not in self._indices:
            raise UnknownLayerError(
                f"{self.spec.name} has no layer {layer!r}.{close_matches(layer, self.layers)} "
                f"See all: dreamer layers {self.spec.name}"
            )
        return self._indices[layer]

    def shapes(self, size: Size, layers: Sequence[str]) -> dict[str, Shape]:
        """The shape of some layers' outputs, without the batch, for pictures of a size.

        Raises:
            UnknownLayerError: There is no such layer.
            SettingsError: They cannot see pictures of that size.
        """
        seen: defaultdict[Size, list[str]] = defaultdict(list)
        for name in layers:
            seen[self.graph.seen_size([self._index(name)], size)].append(name)
        found: dict[str, Shape] = {}
        for seen_size, names in seen.items():
            shapes = self.graph.shapes([self._index(name) for name in names], seen_size)
            if shapes is None:
                raise SettingsError(
                    f"{self.spec.name} cannot see pictures of {size[0]}x{size[1]} there; {self.sides(names)}"
                )
            found |= zip(names, shapes, strict=True)
        return {name: found[name] for name in layers}

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

    def sides(self, layers: Iterable[str]) -> Seen:
        """Which pictures some layers can see. A layer tied to the network's own size sees any: they are resized.

        Raises:
            UnknownLayerError: There is no such layer.
            ModelError: No size can be seen by all of them.
        """
        return self._sides(tuple(sorted(set(layers))))

    def _find_sides(self, names: tuple[str, ...]) -> Seen:
        return Seen(*self.graph.sides([self._index(name) for name in names]))

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
        wanted = [self._indices[name] for name in names]
        nodes = self.graph.nodes_at(self.graph.tied(wanted))
        folded = inference.folded(nodes, wanted)
        needed = sorted(ancestors(nodes, wanted) - {0})
        self.shapes(size, names)
        seen_size = self.graph.seen_size(wanted, size)
        found = self.graph.shapes(needed, seen_size) or []
        return cost(nodes, dict(zip(needed, found, strict=True)), (*seen_size, self.graph.num_colors), folded)

    def forward(
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
        fit = self._fit([self._indices[name] for name in names])

        def run(pictures: Tensor) -> dict[str, Tensor]:
            pictures = prepare(fit(pictures))
            try:
                found = cut(pictures, training=False)
            # What a layer raises that Keras can build but not compute; memory that ran out is none of these.
            except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, NotImplementedError) as error:
                reason = in_one_line(error)
                raise ModelError(
                    f"Keras cannot compute {', '.join(names)} of {self.spec.name} for pictures of any size: "
                    f"{type(error).__name__}: {reason}"
                ) from error
            # A network of mixed precision answers in its own.
            return {name: ops.cast(activation, "float32") for name, activation in found.items()}

        return run

    def _fit(self, wanted: Sequence[int]) -> Callable[[Tensor], Tensor]:
        """How pictures are resized for some layers, where they are; their sides may be open while it is traced."""
        tied, own_size = self.graph.tied(wanted), self.graph.own_size

        def resized(pictures: Tensor, size: Size) -> Tensor:
            if tuple(pictures.shape[1:3]) == size:
                return pictures
            return ops.image.resize(pictures, size, interpolation="bilinear", antialias=True)

        if not any(tied):
            return lambda pictures: pictures
        if all(tied):
            return lambda pictures: resized(pictures, own_size)
        fixed, follows = self.graph.following(wanted)

        def fit(pictures: Tensor) -> Tensor:
            size = tuple(pictures.shape[1:3])
            if None not in size:
                return resized(pictures, self.graph.seen_size(wanted, size))
            sides = ops.shape(pictures)[1:3]
            wish = (sides[1 - fixed] * own_size[fixed] + sides[fixed] // 2) // sides[fixed]
            side = ops.take(follows, ops.clip(wish, 1, len(follows) - 1))
            return resampling.resized(pictures, (own_size[0], side) if fixed == 0 else (side, own_size[1]))

        return fit

    def variables(self, layers: Iterable[str], precision: str = "float32") -> list[keras.Variable]:
        """What :meth:`forward` of the same layers in the same precision read. It does not change."""
        return list(self._cuts(tuple(sorted(set(layers))), precision).variables)

    def _cut(self, names: tuple[str, ...], precision: str) -> keras.Model:
        wanted = [self._indices[name] for name in names]
        nodes = self.graph.nodes_at(self.graph.tied(wanted))
        cut = keras.Model(nodes[0].output, {name: nodes[self._indices[name]].output for name in names})
        cut = resampling.at_open_sizes(cut)
        folded = inference.fold(cut, nodes, wanted, self._trial_size(names), self._made["float32"])
        return folded if precision == "float32" else inference.lower(folded, precision, self._made[precision])

    def _trial_size(self, names: Sequence[str]) -> Size:
        """A size of picture that some layers can see, neither tiny nor large."""
        size = self.sides(names).nearest(_TRIAL_SIDE, _TRIAL_SIDE)
        return self.graph.seen_size([self._indices[name] for name in names], size)

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
    def _spatial(self) -> list[str]:
        """The layers with positions: those that see pictures of any size, or where there are none, the others."""
        found = [name for name in self.layers if len(self.node(name).shape) == 3 and self.fields[name].stride]
        return [name for name in found if not any(self.graph.tied([self._index(name)]))] or found

    def _landmarks(self) -> list[str]:
        """Where branches meet; in a network that has none, every convolution."""
        spatial = self._spatial
        merging = [name for name in spatial if self.node(name).kind in _MERGING]
        convolutions = [name for name in spatial if "Conv" in self.node(name).kind]
        return (merging if len(merging) > 2 else convolutions) or spatial
