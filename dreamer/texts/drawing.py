"""The text that a unit answers to, searched over characters.

The one idea: a text cannot be climbed, for there is nothing between two characters. It is written from left to right,
keeping the best beginnings (beam search), and then corrected: the gradient of the unit with respect to what the
network makes of each character says which other one would help at each place, those are tried, and the best is taken,
until none is better. What is told is the unit at the end of the text itself, with the network as it is.

Must not import: the command line.

References:
    Ebrahimi et al., "HotFlip", arXiv:1712.06751, for substitutions by the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from dreamer.arrays import FloatArray
from dreamer.backends import backend
from dreamer.errors import SettingsError
from dreamer.recipes import head
from dreamer.texts.reading import ONE_AT_A_TIME, TextNetwork, Told
from dreamer.texts.recurrent import Recurrent, is_recurrent, shown_names
from dreamer.texts.vocabulary import Vocabulary

_TRIED = 24  # Substitutions that the gradient recommends, tried at once.
_MOST_ROUNDS = 400
_LEAST_GAIN = 1e-6
_EXPONENT = 60.0  # Beyond it probabilities are 0 or 1.


@dataclass(frozen=True)
class Drawn:
    """A text that a unit answers to.

    Attributes:
        unit: As it was asked for.
        text: It.
        score: What the unit has after its last character, by the network as it is.
        shown: Which of the layer that is, of ``SHOWN``.
        plausible: Whether it was to be like the texts that the network learnt.
        bits: For a character, as the network expects it; None where it says nothing of the next character.
        recipe: How it was found.
    """

    unit: str
    text: str
    score: float
    shown: str
    plausible: bool = False
    bits: float | None = None
    recipe: dict[str, Any] = field(default_factory=dict)


def draw(
    network: Any,
    layer: str,
    unit: int,
    *,
    length: int = 40,
    show: str | None = None,
    sign: int = 1,
    beam: int = 24,
    plausible: float = 1.0,
    seed: int = 0,
    vocabulary: Vocabulary | str | Path | None = None,
    on_step: Told | None = None,
) -> list[Drawn]:
    """Find texts after which a unit is high, or low.

    Args:
        network: As for :func:`dreamer.texts.states`.
        layer: A recurrent layer.
        unit: Its number.
        length: Of the texts, in characters or tokens.
        show: What of the layer is to be high; None for the cell of an LSTM, else the hidden state.
        sign: 1 for high, -1 for low.
        beam: How many beginnings are kept.
        plausible: What a bit more for a character costs a text that is to be like those that the network learnt, in
            deviations of the unit; 0 for no such text. It needs a network that says the next character.
        seed: Of the text of chance that is corrected besides.
        vocabulary: As for :func:`dreamer.texts.states`.
        on_step: Told what is done, and how much of all is done.

    Returns:
        The text with the highest score, and one that is like what the network learnt, where it says the next character.

    Raises:
        SettingsError, ModelError: As for :func:`dreamer.texts.states`; or the layer has nothing of that name.

    Example:
        >>> [most, *_] = dreamer.texts.draw("char.keras", "lstm", 37)  # doctest: +SKIP
        >>> most.text[-8:], round(most.score, 2)  # doctest: +SKIP
        ('# TODO: ', 0.99)
    """
    return drawn(
        TextNetwork(network, vocabulary), layer, unit, length=length, show=show, sign=sign, beam=beam,
        plausible=plausible, seed=seed, on_step=on_step,
    )  # fmt: skip


def drawn(
    asked: TextNetwork,
    layer: str,
    unit: int,
    *,
    length: int = 40,
    show: str | None = None,
    sign: int = 1,
    beam: int = 24,
    plausible: float = 1.0,
    seed: int = 0,
    on_step: Told | None = None,
) -> list[Drawn]:
    """The same as :func:`draw`, of a network that is loaded."""
    if not 1 <= length <= 10_000 or not 1 <= beam <= 10_000:
        raise SettingsError(f"length is {length} and beam {beam}; expected whole numbers: 1 to 10000")
    search = _Search(asked, layer, unit, show, sign)
    found = [(search.written(length, beam, 0.0, on_step, 0.0), 0.0, False)]
    rng = np.random.default_rng(seed)
    chance = np.array([rng.choice(asked.vocabulary.writable, length)], np.int32)
    found.append((chance[0], 0.0, False))
    better = max(
        (search.corrected(numbers, on_step, 0.3 + 0.2 * index) for index, (numbers, _, _) in enumerate(found)),
        key=lambda numbers: float(search.scores(numbers[None])[0]),
    )
    kept = [(better, False)]
    if search.predicts and plausible:
        weight = plausible * search.deviation(rng, length)
        kept.append((search.written(length, beam, weight, on_step, 0.7), True))
    return [search.drawn(numbers, is_plausible, _recipe(asked, layer, unit, length=length, show=search.show, sign=sign,
                                                        beam=beam, plausible=plausible, seed=seed))
            for numbers, is_plausible in kept]  # fmt: skip


def _recipe(asked: TextNetwork, layer: str, unit: int, **settings: Any) -> dict[str, Any]:
    return head() | {
        "command": "text",
        "settings": {"objective": f"{layer}:{unit}", "model": asked.network.spec.name, **settings},
        "weights_sha256": asked.network.weights_sha256,
    }


class _Search:
    """A unit, and how texts are made better for it."""

    def __init__(self, asked: TextNetwork, layer: str, unit: int, show: str | None, sign: int) -> None:
        found = asked.check(layer, unit)
        names = shown_names(found)
        self.show = show or ("cell" if found.has_cell else "hidden")
        if self.show not in names:
            raise SettingsError(f"{layer} has no {self.show!r} to show; expected one of {', '.join(names)}")
        self._asked, self._layer, self._unit, self._sign = asked, layer, unit, sign
        self._vocabulary = asked.vocabulary
        self._path = _path_to(asked, layer)
        self._model: Any = None
        logits = asked.network.nodes[-1]
        self.predicts = self._path is not None and logits.shape[-1] == len(self._vocabulary) and len(logits.shape) > 1
        self._behind = _path_behind(asked, layer) if self.predicts else None
        self.predicts = self._behind is not None

    def drawn(self, numbers: NDArray[np.int32], is_plausible: bool, recipe: dict[str, Any]) -> Drawn:
        """A text as a value."""
        bits = None
        if self.predicts:
            _, cost = self._read(numbers[None])
            bits = float(cost[0] / max(len(numbers) - 1, 1))
        score = float(self._sign * self.scores(numbers[None])[0])
        text = self._vocabulary.text(numbers)
        return Drawn(f"{self._layer}:{self._unit}", text, score, self.show, is_plausible, bits, recipe)

    def deviation(self, rng: np.random.Generator, length: int) -> float:
        """How much the unit differs between texts of chance."""
        some = rng.choice(self._vocabulary.writable, (32, length)).astype(np.int32)
        return float(self.scores(some).std()) or 1.0

    def scores(self, numbers: NDArray[np.int32]) -> FloatArray:
        """What the unit has after each of some texts ``(batch, steps)``, times the sign."""
        if self._path is None:
            rows = [self._asked.states(self._vocabulary.text(one), self._layer) for one in numbers]
            return np.array([self._sign * row.of(self.show)[-1, self._unit] for row in rows], np.float32)
        return self._read(numbers, bits=False)[0]

    def _read(self, numbers: NDArray[np.int32], *, bits: bool = True) -> tuple[FloatArray, FloatArray]:
        """The unit after some texts, and the bits that they cost the network."""
        steps = _Steps(self, len(numbers))
        cost = np.zeros(len(numbers), np.float32)
        for place in range(numbers.shape[1]):
            if bits and place and self.predicts:
                cost -= np.log2(np.maximum(steps.expected()[np.arange(len(numbers)), numbers[:, place]], 1e-12))
            steps.take(numbers[:, place])
        return steps.values(), cost

    def written(self, length: int, beam: int, weight: float, on_step: Told | None, done: float) -> NDArray[np.int32]:
        """A text from left to right, of which the best beginnings are kept."""
        entries = np.array(self._vocabulary.writable, np.int32)
        if self._path is None:
            return np.resize(entries, length)
        steps = _Steps(self, 1)
        texts, costs = np.zeros((1, 0), np.int32), np.zeros(1, np.float32)
        for place in range(length):
            expected = steps.expected()[:, entries] if weight and place else None
            count = len(texts)
            owners, taken = np.repeat(np.arange(count), len(entries)), np.tile(entries, count)
            grown = steps.of(owners)
            grown.take(taken)
            more = costs[owners]
            if expected is not None:
                more = more - np.log2(np.maximum(expected.reshape(-1), 1e-12))
            worth = grown.values() - weight * more / max(place, 1)
            best = np.argsort(-worth, kind="stable")[:beam]
            texts = np.concatenate([texts[owners[best]], taken[best, None]], axis=1)
            costs, steps = more[best], grown.of(best)
            if on_step is not None:
                on_step(f"character {place + 1}", min(0.999, done + 0.3 * (place + 1) / length))
        return np.asarray(texts[0], np.int32)

    def corrected(self, numbers: NDArray[np.int32], on_step: Told | None, done: float) -> NDArray[np.int32]:
        """A text in which no other character that the gradient recommends is better."""
        score = float(self.scores(numbers[None])[0])
        for turn in range(_MOST_ROUNDS):
            gains = self._gains(numbers)
            gains[np.arange(len(numbers)), numbers] = -np.inf
            best = np.argsort(-gains, axis=None)[:_TRIED]
            places, taken = np.unravel_index(best, gains.shape)
            tried = np.repeat(numbers[None], len(best), 0)
            tried[np.arange(len(best)), places] = np.array(self._vocabulary.writable)[taken]
            values = self.scores(tried)
            if values.max() <= score + _LEAST_GAIN:
                break
            numbers, score = tried[values.argmax()], float(values.max())
            if on_step is not None:
                on_step(f"correction {turn + 1}", min(0.999, done + 0.2 * turn / _MOST_ROUNDS))
        return numbers

    def _gains(self, numbers: NDArray[np.int32]) -> FloatArray:
        """What each entry would bring at each place, by the slope: ``(steps, entries)``."""
        if self._model is None:
            self._model = _Slope(self._asked, self._layer, self._unit)
        slope, made = self._model.at(numbers)
        entries = self._model.table[list(self._vocabulary.writable)]
        own = (slope * made).sum(-1, keepdims=True)
        return np.asarray(self._sign * (slope @ entries.T - own), np.float32)


class _Steps:
    """Some texts, read up to some character: the state of every recurrent layer."""

    def __init__(self, search: _Search, batch: int, states: dict[str, Any] | None = None) -> None:
        self._search = search
        self._states: dict[str, Any] = states or {}
        self._batch = batch
        self._values: FloatArray | None = None
        self._last: FloatArray | None = None

    def of(self, rows: Sequence[int] | NDArray[np.int64]) -> _Steps:
        """Some of the texts, or some of them several times."""
        made = _Steps(self._search, len(rows), {
            name: tuple(one[rows] for one in state) for name, state in self._states.items()
        })  # fmt: skip
        made._values = None if self._values is None else self._values[rows]
        made._last = None if self._last is None else self._last[rows]
        return made

    def take(self, numbers: NDArray[np.int32]) -> None:
        """Read one character more of each."""
        search = self._search
        value: Any = search._asked.given(numbers[:, None])
        for node, layer in (*(search._path or ()), *(search._behind or ())):
            if layer is None:
                value = np.asarray(ops.convert_to_numpy(node.layer(ops.convert_to_tensor(value))), np.float32)
                continue
            state = self._states.get(node.name) or layer.first(len(numbers))
            state, gates = layer.step(layer.driven(np.asarray(value, np.float32)[:, 0]), state)
            self._states[node.name] = state
            if node.name == search._layer:
                inside = dict(zip(layer.gates, gates, strict=True)) | {"hidden": state[0]}
                if layer.has_cell:
                    inside["cell"] = np.tanh(state[1])
                self._values = search._sign * inside[search.show][:, search._unit]
            value = state[0][:, None]
        self._last = np.asarray(value, np.float32)[:, 0]

    def values(self) -> FloatArray:
        """The unit after what was read, times the sign."""
        return np.zeros(self._batch, np.float32) if self._values is None else np.asarray(self._values, np.float32)

    def expected(self) -> FloatArray:
        """How likely the network takes each entry to come next: ``(batch, entries)``."""
        if self._last is None:
            count = len(self._search._vocabulary)
            return np.full((self._batch, count), 1 / count, np.float32)
        logits = np.clip(self._last - self._last.max(-1, keepdims=True), -_EXPONENT, 0)
        shares = np.exp(logits)
        return np.asarray(shares / shares.sum(-1, keepdims=True), np.float32)


class _Slope:
    """The gradient of a unit with respect to what the network makes of each character."""

    def __init__(self, asked: TextNetwork, layer: str, unit: int) -> None:
        nodes = asked.network.nodes
        embedding = next((node for node in nodes if node.kind in ("Embedding", "CategoryEncoding")), None)
        entry = embedding.output if embedding is not None and not asked.is_one_hot else nodes[0].output
        made = np.arange(len(asked.vocabulary), dtype=np.int32)[:, None]
        given = asked.given(made)
        if embedding is not None and not asked.is_one_hot:
            given = np.asarray(ops.convert_to_numpy(embedding.layer(ops.convert_to_tensor(given))), np.float32)
        self.table = np.asarray(given, np.float32)[:, 0]
        target = asked.network.output(layer)
        model = keras.Model([entry], target)
        width = self.table.shape[1]

        def forward(inputs: Any, _given: Any) -> dict[str, Any]:
            return {layer: model([ops.reshape(inputs, (1, -1, width))], training=False)}

        def score(activations: Any, _given: Any) -> Any:
            found = activations[layer]
            # A layer that hands on all its steps: the last one.
            return found[:, unit] if len(found.shape) == 2 else found[:, -1, unit]

        gradient = backend.current().gradient(forward, score, model.variables)

        def program(inputs: Any) -> tuple[Any, Any]:
            found: tuple[Any, Any] = gradient(inputs, ())
            return found

        self._program: Callable[..., Any] = backend.compile_chunk(program, model.variables)

    def at(self, numbers: NDArray[np.int32]) -> tuple[FloatArray, FloatArray]:
        """The slope at each place of a text ``(steps, features)``, and what the characters are there."""
        made = self.table[numbers]
        _, slope = self._program(made[None])
        return backend.to_host(slope)[0], made


Chain = Sequence[tuple[Any, Recurrent | None]]


def _path_to(asked: TextNetwork, layer: str) -> Chain | None:
    """The chain of layers from the text to a layer, each read step by step; None where it is no such chain."""
    nodes = asked.network.nodes
    at = next(index for index, node in enumerate(nodes) if node.name == layer and node.layer is not None)
    found = []
    while nodes[at].layer is not None:
        if len(nodes[at].parents) != 1:
            return None
        found.append(nodes[at])
        at = nodes[at].parents[0]
    return _readable(found[::-1])


def _path_behind(asked: TextNetwork, layer: str) -> Chain | None:
    """The chain from a layer to what the network puts out; None where it is no such chain."""
    nodes = asked.network.nodes
    at = next(index for index, node in enumerate(nodes) if node.name == layer and node.layer is not None)
    found: list[Any] = []
    while True:
        following = [index for index, node in enumerate(nodes) if at in node.parents]
        if not following:
            return _readable(found)
        if len(following) != 1 or len(nodes[following[0]].parents) != 1:
            return None
        at = following[0]
        found.append(nodes[at])


def _readable(nodes: Sequence[Any]) -> Chain | None:
    """Layers that can be read one step after the other, forwards and without a mask."""
    found: list[tuple[Any, Recurrent | None]] = []
    for node in nodes:
        if is_recurrent(node.layer):
            if isinstance(node.layer, keras.layers.Bidirectional) or node.layer.go_backwards:
                return None
            found.append((node, Recurrent(node.layer)))
        elif node.kind in ONE_AT_A_TIME:
            found.append((node, None))
        else:
            return None
    return found
