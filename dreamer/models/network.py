"""A network as the ascent needs it: preprocessing, and activations by name.

The one idea: a network is cut to exactly the layers asked for, so nothing above them is computed. It
takes pictures of any size where its layers can; where one is tied to the size that the network was
built for, as a classifier behind a flattened feature map is, pictures are resized to that first.

Must not import: anything about pictures or ascent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size, as_batch, resize
from dreamer.errors import ModelError, SettingsError, UnknownClassError, in_one_line
from dreamer.models import inference, landmarks, resampling
from dreamer.models.cost import Cost, cost
from dreamer.models.layer_graph import LayerGraph, Shape
from dreamer.models.layered import Layered
from dreamer.models.positions import Positions, axes
from dreamer.models.receptive_field import Field, fields
from dreamer.models.replay import ancestors
from dreamer.models.specs import ModelSpec
from dreamer.sides import Seen

Tensor = Any  # A tensor of whichever backend Keras runs on.

_AT_ONCE = 16  # Pictures of a batch that activations are asked for.
_TRIAL_SIDE = 75  # Pixels, odd as photos may be.
_LONGEST = 4  # Times the network's own side that a photo is looked at.


@dataclass(frozen=True)
class Prediction:
    """A class that a network takes a picture for.

    Attributes:
        index: Its place among the logits, from 0.
        name: Its names, separated by commas; empty where they are not known.
        probability: In [0, 1], by the softmax of all logits.
    """

    index: int
    name: str
    probability: float


def probabilities(logits: NDArray[Any]) -> NDArray[np.float64]:
    """What the softmax makes of scores ``(..., classes)``: probabilities of the same shape.

    Example:
        >>> probabilities(np.log([1.0, 3.0])).round(2).tolist()
        [0.25, 0.75]
    """
    found = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=-1, keepdims=True))
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


class Network(Layered):
    """A loaded network of pictures.

    Example:
        >>> import dreamer
        >>> network = dreamer.load("efficientnet_lite0")  # doctest: +SKIP
        >>> network.layers[:2], network.labels[281].name  # doctest: +SKIP
        (('stem_conv', 'stem'), 'tabby, tabby cat')

    Attributes:
        spec: What is known about it.
        graph: Its layers.
        weights_sha256: Digest of its weights as they were published; ``""`` for random ones.
    """

    takes = "picture"

    def __init__(self, spec: ModelSpec, network: keras.Model, weights_sha256: str = "") -> None:
        self.graph = LayerGraph(network)
        super().__init__(spec, self.graph.nodes, weights_sha256)
        # Each takes a walk over the layers, and is asked for with every picture.
        self._sides = lru_cache(maxsize=64)(self._find_sides)
        self._costs = lru_cache(maxsize=64)(self._find_cost)
        self._cuts = lru_cache(maxsize=8)(self._cut)
        self._made: defaultdict[str, inference.Made] = defaultdict(dict)

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
    def blocks(self) -> tuple[str, ...]:
        """Layers that end a block, and the last with positions, as :func:`landmarks.blocks` finds them."""
        return landmarks.blocks(self)

    @cached_property
    def dreams_well(self) -> tuple[str, ...]:
        """Layers worth a try: those known to be, or likely ones."""
        if self.spec.dreams_well:
            return tuple(name for name, _ in self.spec.dreams_well if name in self._indices)
        return landmarks.worth_a_try(self)

    @cached_property
    def default_layer(self) -> str:
        """The layer to dream with where none is named: the one that is known to dream well, or is likely to."""
        return self.spec.default_layer or landmarks.likely(self)

    def is_tied(self, layer: str) -> bool:
        """Whether a layer sees pictures of the network's own size only, so that others are resized."""
        return any(self.graph.tied([self._index(layer)]))

    def seen_at(self, layer: str, size: Size) -> Size:
        """The size at which photos are looked at as the network is used to: its own along the shorter side.

        Args:
            layer: What looks.
            size: ``(height, width)`` of a photo.

        Returns:
            The nearest that the layer can see, in the photo's proportions where it can see those and the longer side is
            no more than four times the network's own: a longer photo is squeezed.

        Example:
            >>> network.seen_at("logits", (600, 800))  # doctest: +SKIP
            (224, 299)
        """
        own = self.graph.own_size
        share = max(mine / side for mine, side in zip(own, size, strict=True))
        wish = (min(max(1, round(side * share)), _LONGEST * mine) for mine, side in zip(own, size, strict=True))
        nearest = self.sides([layer]).nearest(*wish)
        return self.graph.seen_size([self._index(layer)], nearest)

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

    def positions(self, layers: Sequence[str], size: Size) -> dict[str, Positions | None]:
        """Where the positions of some layers lie on pictures of a size.

        Args:
            layers: Their names. They are looked at together, as :meth:`activations` gives them.
            size: ``(height, width)`` of the pictures, one that the layers can see.

        Returns:
            By layer; None for one without positions.

        Raises:
            UnknownLayerError: There is no such layer.
            SettingsError: They cannot see pictures of that size.

        Example:
            >>> where = network.positions(["block4b"], (224, 299))["block4b"]  # doctest: +SKIP
            >>> where.grid, where.rows.stride  # doctest: +SKIP
            ((14, 19), 16.0)
        """
        wanted = [self._index(name) for name in layers]
        seen = self.graph.seen_size(wanted, size)
        nodes = self.graph.nodes_at(self.graph.tied(wanted))
        self.shapes(size, layers)
        found: dict[str, Positions | None] = {}
        for name, index in zip(layers, wanted, strict=True):
            needed = sorted(ancestors(nodes, [index]) - {0})
            shapes = dict(zip(needed, self.graph.shapes(needed, seen) or [], strict=True))
            if len(shapes[index]) != 3:
                found[name] = None
                continue
            rows, columns = axes(nodes, {0: (*seen, self.graph.num_colors), **shapes}, index)
            extent = None if self.fields[name].extent is None else (rows.reach, columns.reach)
            where = Positions(rows, columns, seen, extent)
            found[name] = where.on(size)
        return found

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

    def activations(self, pictures: Any, layers: Sequence[str]) -> dict[str, FloatArray]:
        """What some layers give for pictures, as NumPy has it.

        Args:
            pictures: One picture ``(height, width, 3)`` or a batch of them ``(batch, height, width, 3)``, RGB: float
                in [0, 1], or uint8. Anything that NumPy takes, a result of :func:`dreamer.dream` too. A size that
                the layers cannot see is resized to the nearest that they can.
            layers: Their names.

        Returns:
            By layer its activations ``(batch, height, width, channels)``, or ``(batch, units)`` above the pooling;
            for one picture without the batch.

        Raises:
            UnknownLayerError: There is no such layer.
            ImageError: The pictures have another shape or range.

        Example:
            >>> network.activations(picture, ["block4b"])["block4b"].shape  # doctest: +SKIP
            (27, 40, 80)
        """
        layers = [layers] if isinstance(layers, str) else list(layers)
        batch, is_one = as_batch(pictures)
        run, size = self.forward(layers), self.sides(layers).nearest(*batch.shape[1:3])
        parts = []
        for start in range(0, len(batch), _AT_ONCE):
            seen = np.stack([np.clip(resize(picture, size), 0, 1) for picture in batch[start : start + _AT_ONCE]])
            given = run(ops.convert_to_tensor(seen))
            parts.append({name: np.asarray(ops.convert_to_numpy(given[name]), np.float32) for name in layers})
        whole = {name: np.concatenate([part[name] for part in parts]) for name in layers}
        return {name: array[0] for name, array in whole.items()} if is_one else whole

    def predict(self, pictures: Any, top: int = 5) -> list[Prediction] | list[list[Prediction]]:
        """What the network takes pictures for.

        Args:
            pictures: As for :meth:`activations`.
            top: How many classes, the likeliest first.

        Returns:
            For one picture its predictions, for a batch those of each.

        Raises:
            UnknownClassError: The network has no classifier.
            ImageError: The pictures have another shape or range.

        Example:
            >>> [best, *_] = network.predict(picture)  # doctest: +SKIP
            >>> best.name, round(best.probability, 2)  # doctest: +SKIP
            ('tabby, tabby cat', 0.62)
        """
        if self.logits is None:
            raise UnknownClassError(f"{self.spec.name} has no classifier, so it cannot say what it sees in a picture")
        found = probabilities(self.activations(pictures, [self.logits])[self.logits])

        def ranked(shares: NDArray[np.float64]) -> list[Prediction]:
            return list(self.called(shares, np.argsort(-shares, kind="stable")[:top]))

        return ranked(found) if found.ndim == 1 else [ranked(one) for one in found]

    def called(self, shares: NDArray[np.float64], indices: Iterable[int]) -> tuple[Prediction, ...]:
        """Some classes with their names.

        Args:
            shares: ``(classes,)``: their probabilities.
            indices: Which classes, in order.
        """
        names = {label.index: label.name for label in self.labels}
        return tuple(Prediction(int(one), names.get(int(one), ""), float(shares[one])) for one in indices)

    def __repr__(self) -> str:
        count = 0 if self.logits is None else self.channels(self.logits)
        return f"<Network {self.spec.name}: {len(self.layers)} layers, {f'{count} classes' if count else 'no classes'}>"

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
        cut, prepare = self._cuts(tuple(names), precision), self.prepare()
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

    def model(self, layers: Iterable[str]) -> keras.Model:
        """Some layers as a Keras network, with the network's own variables: to be trained, or saved.

        Args:
            layers: Their names.

        Returns:
            From pictures as :meth:`prepare` gives them to activations by layer name.

        Raises:
            UnknownLayerError: There is no such layer.

        Example:
            >>> [*network.model(["block4b"]).output]  # doctest: +SKIP
            ['block4b']
        """
        names = sorted(set(layers))
        wanted = [self._index(name) for name in names]
        nodes = self.graph.nodes_at(self.graph.tied(wanted))
        return resampling.at_open_sizes(
            keras.Model(nodes[0].output, {name: nodes[index].output for name, index in zip(names, wanted, strict=True)})
        )

    def _cut(self, names: tuple[str, ...], precision: str) -> keras.Model:
        wanted = [self._indices[name] for name in names]
        nodes = self.graph.nodes_at(self.graph.tied(wanted))
        cut = self.model(names)
        folded = inference.fold(cut, nodes, wanted, self._trial_size(names), self._made["float32"])
        return folded if precision == "float32" else inference.lower(folded, precision, self._made[precision])

    def _trial_size(self, names: Sequence[str]) -> Size:
        """A size of picture that some layers can see, neither tiny nor large."""
        size = self.sides(names).nearest(_TRIAL_SIDE, _TRIAL_SIDE)
        return self.graph.seen_size([self._indices[name] for name in names], size)

    def prepare(self) -> Callable[[Tensor], Tensor]:
        """How pictures ``(batch, height, width, 3)`` in [0, 1] become what the network is given.

        Raises:
            ModelError: Nobody has said how pictures are prepared for this network.
        """
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
