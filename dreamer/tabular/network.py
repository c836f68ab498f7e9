"""Rows as a network is given them: exactly as they are, and mixed, so that they can be climbed.

The one idea: a row is climbed as a vector, in which a number is in units of its deviation and a category has a share of
each of its values. Each input of the network is an affine map of that vector: shares of the numbers, or of the vectors,
that stand for each value. Where a network looks values up itself (StringLookup, Embedding, CategoryEncoding), the map
leads behind that: the table of what the network makes of each value.

Must not import: pictures, dreams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from dreamer import targets
from dreamer.arrays import FloatArray
from dreamer.ascent import scoring
from dreamer.backends import backend
from dreamer.errors import ModelError, SettingsError, close_matches, in_one_line
from dreamer.models.plain import PlainNetwork
from dreamer.models.replay import Node
from dreamer.objectives import Objective
from dreamer.tabular.columns import Column
from dreamer.tabular.tables import Codes
from dreamer.wording import shown

_LOOKS_UP = frozenset({
    "StringLookup", "IntegerLookup", "CategoryEncoding", "Hashing", "Discretization", "Embedding", "TextVectorization",
})  # fmt: skip
"""Layers of Keras that take the place of a category for what it is, so that nothing can be between two of them."""

_AT_ONCE = 8192  # Rows that go through the network together.
_LEAST = 1e-6  # Keeps the slope of a distance finite where it is 0.


@dataclass(frozen=True, eq=False)
class _Input:
    """An input of the network, and the columns that it is made of.

    Attributes:
        name: Of the input.
        places: Which of the columns.
        tensor: Keras's, of the network taken apart.
        is_text: Whether it takes text.
    """

    name: str
    places: tuple[int, ...]
    tensor: Any
    is_text: bool


class RowNetwork:
    """A network that can be asked about rows.

    Args:
        network: It.
        columns: What a row is made of.

    Attributes:
        columns: The same, each with the encoding that the network needs.

    Raises:
        SettingsError: The columns are not those of the network.
    """

    def __init__(self, network: PlainNetwork, columns: Sequence[Column]) -> None:
        self.network = network
        self.columns, self._inputs = _matched(network, columns)
        widths = [len(one.values) if one.is_category and len(one.values) != 2 else 1 for one in self.columns]
        ends = np.cumsum(widths)
        self._slots = [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]
        self._length = int(ends[-1])
        self._models: dict[tuple[str, ...], Any] = {}
        self._programs: dict[Any, Any] = {}

    def resolved(self, objective: Objective) -> Objective:
        """An objective whose layers and classes are known.

        Raises:
            UnknownLayerError, UnknownClassError: The network does not have them.
            SettingsError: It looks at pictures.
        """
        for _, term in objective.terms:
            if getattr(term, "kind", "") == "penalty" or (
                getattr(term, "files", ()) and term.kind in ("guided", "like", "near", "style")
            ):
                raise SettingsError(f"{term} is about pictures, and {self.network.spec.name} takes rows; leave it out")
        return targets.resolve(objective, self.network)

    def scores(self, codes: Codes, objective: Objective) -> NDArray[np.float64]:
        """What an objective gives for rows, by the network as it is.

        Args:
            codes: ``(rows, columns)``.
            objective: Resolved.
        """
        if not len(codes):
            return np.zeros(0)
        forms = scoring.forms(objective)
        layers = sorted({layer for form in forms for layer in form.layers})
        score = scoring.score(forms)
        found = []
        for start in range(0, len(codes), _AT_ONCE):
            some = codes[start : start + _AT_ONCE]
            given = self._run(layers, some)
            numbers = [
                {name: ops.convert_to_tensor(np.repeat(array, len(some), 0)) for name, array in one.items()}
                for one in scoring.parameters([objective])
            ]
            found.append(ops.convert_to_numpy(score(given, numbers)))
        return np.concatenate(found).astype(np.float64)

    def activations(self, codes: Codes, layer: str) -> FloatArray:
        """What a layer gives for rows: ``(rows, ...)``."""
        parts = [
            ops.convert_to_numpy(self._run([layer], codes[start : start + _AT_ONCE])[layer])
            for start in range(0, len(codes), _AT_ONCE)
        ]
        return np.asarray(np.concatenate(parts), np.float32)

    def _run(self, layers: Sequence[str], codes: Codes) -> dict[str, Any]:
        key = tuple(layers)
        if key not in self._models:
            self._models[key] = self.network.model(layers)
        try:
            found: dict[str, Any] = self._models[key]([self._given(one, codes) for one in self._inputs], training=False)
        except Exception as error:
            raise ModelError(
                f"Keras cannot compute {', '.join(layers)} of {self.network.spec.name} for these rows: "
                f"{type(error).__name__}: {in_one_line(error)[:300]}"
            ) from error
        return {name: ops.cast(value, "float32") for name, value in found.items()}

    def _given(self, one: _Input, codes: Codes) -> Any:
        """What an input is given for rows."""
        if one.is_text:
            (place,) = one.places
            values = self.columns[place].values
            texts = np.array([values[round(code)] for code in codes[:, place]], object)[:, None]
            return ops.convert_to_tensor(texts.tolist(), dtype="string")
        parts = [_encoded(self.columns[place], codes[:, place]) for place in one.places]
        whole = np.concatenate(parts, axis=1)
        return ops.convert_to_tensor(whole.reshape(len(codes), *_open_shape(one.tensor)), dtype=one.tensor.dtype)

    # Below, what is climbed.

    def mixed(self, codes: Codes) -> FloatArray:
        """Rows as vectors that are climbed: ``(rows, length)``."""
        found = np.zeros((len(codes), self._length), np.float32)
        for place, (column, slot) in enumerate(zip(self.columns, self._slots, strict=True)):
            if not column.is_category:
                found[:, slot] = ((codes[:, place] - column.mean) / column.std)[:, None]
            elif slot.stop - slot.start == 1:
                found[:, slot] = codes[:, place][:, None]
            else:
                found[:, slot] = np.eye(len(column.values))[codes[:, place].round().astype(int)]
        return found

    def unmixed(self, vectors: FloatArray) -> Codes:
        """The nearest rows that there can be."""
        found = np.zeros((len(vectors), len(self.columns)))
        for place, (column, slot) in enumerate(zip(self.columns, self._slots, strict=True)):
            part = vectors[:, slot].astype(np.float64)
            if not column.is_category:
                part = part * column.std + column.mean
            best = part[:, 0] if part.shape[1] == 1 else part.argmax(1)
            found[:, place] = [column.rounded(one) for one in best]
        return found

    def projected(self, vectors: FloatArray, first: FloatArray, free: Sequence[int]) -> FloatArray:
        """Vectors brought back to what a row can be: numbers into their ranges, shares of a category to a sum of 1.

        Args:
            vectors: ``(rows, length)``.
            first: What columns that are not free have.
            free: The places of columns that may change.
        """
        found = first.copy()
        for place in free:
            column, slot = self.columns[place], self._slots[place]
            part = vectors[:, slot]
            if not column.is_category:
                low, high = ((side - column.mean) / column.std for side in (column.low, column.high))
                found[:, slot] = np.clip(part, low, high)
            else:
                found[:, slot] = np.clip(part, 0, 1) if part.shape[1] == 1 else onto_simplex(part)
        return found

    def distances(self, codes: Codes, others: Codes, free: Sequence[int] | None = None) -> NDArray[np.float64]:
        """How far rows are from others: ``(rows, others)``; 1 where every column differs by its deviation.

        Another category is as far as one deviation.
        """
        total = np.zeros((len(codes), len(others)))
        places = range(len(self.columns)) if free is None else free
        for place in places:
            column = self.columns[place]
            if column.is_category:
                total += codes[:, place][:, None] != others[:, place][None]
            else:
                total += ((codes[:, place][:, None] - others[:, place][None]) / column.std) ** 2
        return np.sqrt(total / max(len(places), 1))

    def ascent(
        self, vectors: FloatArray, objectives: Sequence[Objective], near: FloatArray, pull: float, slack: float = 0.0
    ) -> tuple[FloatArray, FloatArray]:
        """Scores of vectors, less what they lose by their distance from some, and the gradients of that.

        Args:
            vectors: ``(rows, length)``.
            objectives: One for each, of the same forms.
            near: ``(others, length)``: what they are to lie near to.
            pull: What a distance of 1 costs.
            slack: A distance that costs nothing.
        """
        forms = scoring.forms(objectives[0])
        numbers = scoring.parameters(objectives)
        names = [(index, name) for index, one in enumerate(numbers) for name in sorted(one)]
        key = (forms, tuple(names))
        if key not in self._programs:
            program, variables = self._program(forms, names)
            self._programs[key] = backend.compile_chunk(program, variables)
        flat = [numbers[index][name] for index, name in names]
        scores, gradients = self._programs[key](vectors, near, np.float32(pull), np.float32(slack), *flat)
        return backend.to_host(scores), backend.to_host(gradients)

    def _program(self, forms: Sequence[Any], names: Sequence[tuple[int, str]]) -> tuple[Any, Any]:
        layers = sorted({layer for form in forms for layer in form.layers})
        maps = [self._map_of(one) for one in self._inputs]
        outputs = {layer: self.network.output(layer) for layer in layers}
        model = keras.Model([one.tensor for one in maps], outputs)
        score, weights = scoring.score(forms), ops.convert_to_tensor(self._weights)

        def forward(vectors: Any, _given: Any) -> dict[str, Any]:
            given = [
                ops.reshape(ops.matmul(vectors, one.matrix) + one.offset, (-1, *_open_shape(one.tensor)))
                for one in maps
            ]
            found = model(given, training=False)
            return {name: ops.cast(value, "float32") for name, value in found.items()} | {_ROWS: vectors}

        def scored(activations: Any, given: Any) -> Any:
            near, pull, slack, *flat = given
            numbers: list[dict[str, Any]] = [{} for _ in forms]
            for (index, name), array in zip(names, flat, strict=True):
                numbers[index][name] = array
            apart = (activations[_ROWS][:, None] - near[None]) * weights
            distance = ops.sqrt(ops.min(ops.sum(ops.square(apart), axis=-1), axis=-1) + _LEAST)
            return score(activations, numbers) - pull * ops.maximum(distance - slack, 0.0)

        gradient = backend.current().gradient(forward, scored, model.variables)

        def program(vectors: Any, *given: Any) -> tuple[Any, Any]:
            found: tuple[Any, Any] = gradient(vectors, given)
            return found

        return program, model.variables

    @cached_property
    def _weights(self) -> FloatArray:
        """What each number of a vector counts in a distance: two shares change where a category does."""
        found = np.ones(self._length, np.float32)
        for slot in self._slots:
            if slot.stop - slot.start > 1:
                found[slot] = np.sqrt(0.5)
        return found / np.float32(np.sqrt(len(self.columns)))

    def _map_of(self, one: _Input) -> _Map:
        """How an input, or what the network makes of it, is made of a vector."""
        found = self._behind_lookup(one)
        parts, offset = [], []
        tables = [found[1]] if found else [_table(self.columns[place]) for place in one.places]
        for place, table in zip(one.places, tables, strict=True):
            column, slot = self.columns[place], self._slots[place]
            width = table.shape[1]
            matrix = np.zeros((self._length, width))
            if not column.is_category:
                # table holds what 0 and 1 become.
                matrix[slot] = (table[1] - table[0]) * column.std
                offset.append(table[0] + (table[1] - table[0]) * column.mean)
            elif slot.stop - slot.start == 1:
                matrix[slot] = table[-1] - table[0]
                offset.append(table[0])
            else:
                matrix[slot] = table
                offset.append(np.zeros(width))
            parts.append(matrix)
        return _Map(
            found[0] if found else one.tensor,
            ops.convert_to_tensor(np.concatenate(parts, axis=1), dtype="float32"),
            ops.convert_to_tensor(np.concatenate(offset), dtype="float32"),
        )

    def _behind_lookup(self, one: _Input) -> tuple[Any, NDArray[np.float64]] | None:
        """What the network makes of a category by looking it up, and the table of that; None where it does not."""
        if len(one.places) != 1 or not self.columns[one.places[0]].is_category:
            return None
        node = _last_lookup(self.network.nodes, one.tensor)
        if node is None:
            if one.is_text:
                raise SettingsError(
                    f"{self.network.spec.name} makes numbers of the text {one.name} by layers that dreamer does not "
                    f"know; expected one of {', '.join(sorted(_LOOKS_UP))} next to the input"
                )
            return None
        count = len(self.columns[one.places[0]].values)
        codes = np.zeros((count, len(self.columns)))
        codes[:, one.places[0]] = np.arange(count)
        made = keras.Model([one.tensor], node.output)(self._given(one, codes), training=False)
        return node.output, np.asarray(ops.convert_to_numpy(made), np.float64).reshape(count, -1)


_ROWS = "\0rows"
"""The name by which activations hold the vectors themselves. No layer has it."""


@dataclass(frozen=True, eq=False)
class _Map:
    tensor: Any
    matrix: Any
    offset: Any


def onto_simplex(shares: FloatArray) -> FloatArray:
    """The nearest shares that are none below 0 and have a sum of 1.

    References:
        Duchi et al., "Efficient projections onto the l1-ball", 2008, figure 1.

    Example:
        >>> onto_simplex(np.array([[0.5, 1.5, -1.0]], np.float32)).tolist()
        [[0.0, 1.0, 0.0]]
    """
    ordered = -np.sort(-shares, axis=1)
    above = np.cumsum(ordered, axis=1) - 1
    counts = np.arange(1, shares.shape[1] + 1)
    rho = (ordered - above / counts > 0).sum(1)
    theta = above[np.arange(len(shares)), rho - 1] / rho
    return np.asarray(np.maximum(shares - theta[:, None], 0), np.float32)


def _encoded(column: Column, codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a network is given for the codes of a column: ``(rows, width)``."""
    table = _table(column)
    if column.is_category:
        return np.asarray(table[codes.round().astype(int)], np.float64)
    return np.asarray(table[0] + (table[1] - table[0]) * codes[:, None], np.float64)


def _table(column: Column) -> NDArray[np.float64]:
    """What a network is given for each category; for a number what it is given for 0 and 1, as all lies on a line."""
    if not column.is_category:
        ends = np.array([[0.0], [1.0]])
        if column.scaled == "standard":
            return (ends - column.mean) / column.std
        return (ends - column.low) / ((column.high - column.low) or 1.0) if column.scaled == "0..1" else ends
    count = len(column.values)
    if column.encoding in ("one-hot", "dummies"):
        return np.eye(count)[:, 1 if column.encoding == "dummies" else 0 :]
    return np.array(column.codes or range(count), np.float64)[:, None]


def _open_shape(tensor: Any) -> tuple[int, ...]:
    return tuple(int(side) for side in tensor.shape[1:])


def _last_lookup(nodes: Sequence[Node], tensor: Any) -> Node | None:
    """The last layer of those that look a category up, in the chain that begins at an input."""
    at = next(index for index, node in enumerate(nodes) if node.output is tensor)
    found: Node | None = None
    while True:
        following = [index for index, node in enumerate(nodes) if at in node.parents]
        if len(following) != 1 or len(nodes[following[0]].parents) != 1:
            return found
        at = following[0]
        if nodes[at].kind in _LOOKS_UP:
            found = nodes[at]
        elif found is not None and "float" in str(found.output.dtype):
            return found


def _matched(network: PlainNetwork, columns: Sequence[Column]) -> tuple[tuple[Column, ...], list[_Input]]:
    """Which columns go into which input, and how each is encoded there.

    Raises:
        SettingsError: They do not fit.
    """
    inputs = network.inputs
    known = list(inputs)
    found: dict[str, list[int]] = {name: [] for name in known}
    for place, column in enumerate(columns):
        wanted = column.input or (known[0] if len(known) == 1 else column.name)
        if wanted not in found:
            raise SettingsError(
                f"{network.spec.name} has no input {shown(wanted)} for the column {column.name}."
                f"{close_matches(wanted, known)} It has {', '.join(known)}; name one in the file of columns: "
                f'[{column.name}] input = "{known[0]}"'
            )
        found[wanted].append(place)
    encoded = list(columns)
    made = []
    for name, places in found.items():
        tensor = inputs[name]
        if not places:
            there = ", ".join(one.name for one in columns)
            raise SettingsError(f"no column is for the input {name} of {network.spec.name}. There are {there}")
        is_text = str(tensor.dtype) == "string"
        width = int(np.prod([side or 0 for side in tensor.shape[1:]]))
        for place, one in zip(places, _encodings([columns[p] for p in places], width, is_text, name), strict=True):
            encoded[place] = one
        made.append(_Input(name, tuple(places), tensor, is_text))
    return tuple(encoded), made


def _encodings(columns: Sequence[Column], width: int, is_text: bool, name: str) -> list[Column]:
    """Columns of an input with the encoding that fills it."""
    if is_text:
        if len(columns) != 1 or not columns[0].is_category:
            raise SettingsError(f"the input {name} takes text; expected a single column of categories for it")
        return [replace(columns[0], encoding="text")]
    widths = {}
    for encoding in ("one-hot", "code", "dummies"):
        tried = [_with_encoding(one, encoding) for one in columns]
        widths[encoding] = sum(_table(one).shape[1] for one in tried)
        if widths[encoding] == width:
            return tried
    names = ", ".join(one.name for one in columns)
    ways = ", ".join(f"{count} as {encoding}" for encoding, count in widths.items())
    raise SettingsError(
        f"the {len(columns)} columns {names} fill {ways}, and the network takes {width} numbers there. "
        f"Leave columns out with --ignore NAME, or describe them in a file of columns"
    )


def _with_encoding(column: Column, encoding: Any) -> Column:
    if not column.is_category or column.encoding is not None:
        return column
    # No and yes are a single number whatever is done with categories.
    return replace(column, encoding="code" if column.kind == "yes/no" else encoding)
