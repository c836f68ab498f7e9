"""How an objective becomes numbers: activations -> a score for each picture of a batch.

The one idea: what an objective *is* (its forms: kinds of terms, and their layers) is told apart from its
*numbers* (weights, vectors over channels, positions). A program is compiled for the forms and takes the
numbers as arguments, so a hundred channels of a layer cost one compilation, and a batch may hold a
different one in each picture. A channel, a class and a direction are one form: a vector over channels.

Must not import: networks, pictures, files. It sees activations, not where they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, cast

import numpy as np
from keras import ops
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size
from dreamer.backends.backend import Activations, Tensor
from dreamer.objectives import Objective
from dreamer.objectives.kinds import CENTRE
from dreamer.objectives.terms import Form

PICTURE = ""
"""The name by which activations hold the picture itself, which penalties look at. No layer has it."""

Parameters = Sequence[Mapping[str, Any]]
"""For each term its numbers by name, each ``(batch, ...)``: see :func:`parameters`."""

_LEAST_COSINE = 0.1  # As Lucid has it: where nothing points that way yet, there is still a slope.
_LEAST_NORM = 1e-6
_LEAST_SQUARE = _LEAST_NORM**2
_BURT_ADELSON = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


class Seen(NamedTuple):
    """What a score looks at.

    Attributes:
        activations: By layer ``(batch, height, width, channels)``, or ``(batch, units)``.
        picture: ``(batch, height, width, 3)`` in [0, 1], where the score asks for it.
        reference: The activations of a second picture, seen alike, where the score asks for it; they have no gradient.
    """

    activations: Activations
    picture: Tensor | None = None
    reference: Activations | None = None


Score = Callable[[Form, Seen, Mapping[str, Tensor]], Tensor]
"""(form, what is seen, numbers of the terms) -> scores ``(batch,)``."""


def forms(objective: Objective) -> tuple[Form, ...]:
    """What of an objective, whose layers are all known, a program depends on."""
    return tuple(term.form for _, term in objective.terms)


def reads_picture(forms: Sequence[Form]) -> bool:
    """Whether some terms look at the picture itself."""
    return any(form.picture for form in forms)


def parameters(
    objectives: Sequence[Objective], groups: Sequence[int] | None = None, size: Size | None = None
) -> list[dict[str, NDArray[Any]]]:
    """The numbers of a batch of objectives that have the same forms.

    Args:
        objectives: One for each picture, as ``targets.resolve`` gives them: their vectors are known.
        groups: For each picture the number of its target; diversity compares those of the same.
        size: ``(height, width)`` of the pictures, which second pictures are resized to.

    Returns:
        For each term: ``weight (batch,)``, and what it needs besides, each ``(batch, ...)``: ``vector (batch,
        channels)``, ``position (batch, 2)``, ``power (batch,)``, ``features (batch, positions, channels)``, ``gram
        (batch, channels, channels)``, ``group
        (batch,)``, ``reference (batch, height, width, 3)``.
    """
    groups = groups or [0] * len(objectives)
    return [
        _stacked(
            [
                {"weight": np.float32(weight), **term.numbers(group, size)}
                for (weight, term), group in zip(terms, groups, strict=True)
            ]
        )
        for terms in zip(*(objective.terms for objective in objectives), strict=True)
    ]


def _stacked(numbers: Sequence[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    return {name: np.stack([one[name] for one in numbers]) for name in numbers[0]}


def reference_name(index: int, layer: str) -> str:
    """The name by which activations hold what a layer finds in the second picture of a term. No layer has it."""
    return f"\0{index}\0{layer}"


def second_pictures(objective: Objective, size: Size) -> FloatArray | None:
    """The second pictures of an objective's terms side by side in channels.

    Args:
        objective: As ``targets.resolve`` gives it.
        size: ``(height, width)`` that they are resized to.

    Returns:
        ``(height, width, 3 * terms that have one)`` in [0, 1], in the order of the terms; None where none has one.
    """
    pictures = [term.numbers(0, size)["reference"] for _, term in objective.terms if term.form.reference]
    return np.concatenate(pictures, axis=-1) if pictures else None


def found(
    forms: Sequence[Form], forward: Callable[[Tensor], dict[str, Tensor]], pictures: Tensor, second: Sequence[Tensor]
) -> dict[str, Tensor]:
    """All that the scores of some terms look at: what layers find, in second pictures too, and the picture itself.

    Args:
        forms: Of :func:`forms`.
        forward: From pictures to activations, through the views of a step.
        pictures: ``(batch, height, width, 3)``.
        second: The same of the second picture of each term that has one; what is found there has no gradient.
    """
    everything = forward(pictures)
    having = [index for index, form in enumerate(forms) if form.reference]
    for index, picture in zip(having, second, strict=True):
        seen = forward(picture)
        everything |= {reference_name(index, name): ops.stop_gradient(seen[name]) for name in forms[index].layers}
    return everything | {PICTURE: pictures} if reads_picture(forms) else everything


def score(forms: Sequence[Form], views: int = 1, *, first: int = 0) -> Callable[[Activations, Parameters], Tensor]:
    """The weighted sum of some terms, as a function of activations and of the terms' numbers.

    Args:
        forms: Of :func:`forms`.
        views: How many views of each picture there are, one after the other along the batch of activations;
            the score is the mean over them.
        first: The index of the first of them among all terms.

    Returns:
        A function to scores ``(pictures,)``.
    """
    scores_of = [_function(form.score) for form in forms]

    def run(activations: Activations, numbers: Parameters) -> Tensor:
        total = 0.0
        for index, (form, scored, own) in enumerate(zip(forms, scores_of, numbers, strict=True), start=first):
            seen = _seen(form, index, activations, views)
            if not form.layers:
                scores = scored(form, seen, own)
            else:
                scores = scored(form, seen, own if views == 1 else _for_each_view(own, views))
                scores = scores if views == 1 else ops.mean(ops.reshape(scores, (-1, views)), axis=1)
            total = total + ops.multiply(scores, own["weight"])
        return total

    return run


def _function(score: Score | str) -> Score:
    """A score, or the one that a form names."""
    if not isinstance(score, str):
        return score
    module, name = score.split(":")
    return cast("Score", getattr(import_module(module), name))


def _seen(form: Form, index: int, activations: Activations, views: int) -> Seen:
    picture = activations[PICTURE] if form.picture else None
    if picture is not None and form.layers and views > 1:
        picture = ops.repeat(picture, views, axis=0)
    reference = None
    if form.reference:
        reference = {layer: activations[reference_name(index, layer)] for layer in form.layers}
    return Seen(activations, picture, reference)


def _for_each_view(own: Mapping[str, Any], views: int) -> dict[str, Tensor]:
    each = {name: ops.repeat(array, views, axis=0) for name, array in own.items() if name != "reference"}
    if "group" in own:  # The same view of other pictures, not other views of the same.
        each["group"] = each["group"] * views + ops.arange(ops.shape(each["group"])[0]) % views
    return each


def apart(forms: Sequence[Form], views: int = 1) -> Callable[[Activations, Parameters], Tensor]:
    """The score of all terms but the last, with a gradient that the last has a share in.

    The last counts with its weight times the size of the others' score, which can be anything; so its weight
    is a share. The score itself is left as it is.

    Args:
        forms: Of :func:`forms`, a diversity last.
        views: As for :func:`score`.

    Returns:
        A function to scores ``(pictures,)``.
    """
    own, last = score(forms[:-1], views), score(forms[-1:], views, first=len(forms) - 1)

    def run(activations: Activations, numbers: Parameters) -> Tensor:
        scores = own(activations, numbers[:-1])
        pushed = ops.stop_gradient(ops.abs(scores)) * last(activations, numbers[-1:])
        return scores + pushed - ops.stop_gradient(pushed)

    return run


def alone(objective: Objective) -> Callable[[Activations, Any], Tensor]:
    """The score of a single objective, its numbers built in; what else it is given does not count."""
    scored, numbers = score(forms(objective)), parameters([objective])
    return lambda activations, _given: scored(activations, numbers)


def layer(form: Form, seen: Seen, _own: Mapping[str, Tensor]) -> Tensor:
    """The mean square of a layer."""
    activation = seen.activations[form.layers[0]]
    return _mean(ops.square(activation))


def along(form: Form, seen: Seen, own: Mapping[str, Tensor]) -> Tensor:
    """The dot product of activations with a vector over channels, at one position or in the mean."""
    neuron, cosine = form.options
    activation = seen.activations[form.layers[0]]
    rank = len(activation.shape)
    vector = ops.reshape(own["vector"], (-1, *[1] * (rank - 2), activation.shape[-1]))
    length = ops.sum(activation * vector, axis=-1)
    if cosine:
        norms = _norm(activation) * _norm(vector)
        turned = ops.maximum(length / ops.maximum(norms, _LEAST_NORM), _LEAST_COSINE)
        length = length * turned ** ops.reshape(own["power"], (-1, *[1] * (rank - 2)))
    return ops.sum(length * _at(own["position"], length), axis=(1, 2)) if neuron else _mean(length)


def _norm(vectors: Tensor) -> Tensor:
    """Lengths along the last axis; written so that a vector of zeros has a gradient, which is zero."""
    return ops.sqrt(ops.sum(ops.square(vectors), axis=-1) + _LEAST_SQUARE)


def _at(position: Tensor, like: Tensor) -> Tensor:
    """1 at a position of a layer, 0 elsewhere: ``(batch, height, width)``."""
    height, width = ops.shape(like)[1:3]
    rows = ops.equal(ops.arange(height)[None], _or_middle(position[:, :1], height))
    columns = ops.equal(ops.arange(width)[None], _or_middle(position[:, 1:], width))
    return ops.cast(rows[:, :, None] & columns[:, None, :], "float32")


def _or_middle(index: Tensor, length: Any) -> Tensor:
    return ops.where(ops.equal(index, CENTRE), length // 2, index)


def guided(form: Form, seen: Seen, own: Mapping[str, Tensor]) -> Tensor:
    """Each position by the feature of the guide that it has the largest dot product with."""
    products = ops.matmul(_positions(seen.activations[form.layers[0]]), ops.transpose(own["features"], (0, 2, 1)))
    return _mean(ops.max(products, axis=-1))


def like(form: Form, seen: Seen, own: Mapping[str, Tensor]) -> Tensor:
    """The dot product with what the layer finds in a photo, over that of the photo with itself."""
    here, photo = _both(form, seen)
    product, square = ops.sum(here * photo, axis=(1, 2)), ops.sum(ops.square(photo), axis=(1, 2))
    score = product / ops.maximum(square, _LEAST_SQUARE)
    (cosine,) = form.options
    if not cosine:
        return score
    lengths = ops.sqrt((ops.sum(ops.square(here), axis=(1, 2)) + _LEAST_SQUARE) * (square + _LEAST_SQUARE))
    return score * ops.power(ops.maximum(product / lengths, _LEAST_COSINE), own["power"])


def near(form: Form, seen: Seen, _own: Mapping[str, Tensor]) -> Tensor:
    """Minus the mean distance from what the layer finds in a photo, over the mean length of that."""
    here, photo = _both(form, seen)
    (squared,) = form.options
    if squared:
        apart, lengths = (ops.sum(ops.square(vectors), axis=-1) for vectors in (here - photo, photo))
    else:
        # As long as nothing that has a length is, so that what does not differ is at no distance, and has a slope.
        apart, lengths = _norm(here - photo) - _LEAST_NORM, _norm(photo)
    return -_mean(apart) / ops.maximum(_mean(lengths), _LEAST_SQUARE)


def _both(form: Form, seen: Seen) -> tuple[Tensor, Tensor]:
    """What the layer of a comparison finds in the picture and in the photo: ``(batch, positions, channels)`` each."""
    name, reference = form.layers[0], cast("Activations", seen.reference)
    return _positions(seen.activations[name]), _positions(reference[name])


def diversity(form: Form, seen: Seen, own: Mapping[str, Tensor]) -> Tensor:
    """Minus the mean cosine similarity of a picture's Gram matrix with the others' of its group."""
    positions = _positions(seen.activations[form.layers[0]])
    flat = _gram(positions)
    unit = flat / ops.maximum(_norm(flat), _LEAST_NORM)[:, None]
    likeness = ops.matmul(unit, ops.transpose(unit))
    same = ops.equal(own["group"][:, None], own["group"][None, :])
    each = ops.arange(ops.shape(likeness)[0])
    others = ops.cast(same & ops.not_equal(each[:, None], each[None, :]), "float32")
    return -ops.sum(likeness * others, axis=1) / ops.maximum(ops.sum(others, axis=1), 1.0)


def style(form: Form, seen: Seen, own: Mapping[str, Tensor]) -> Tensor:
    """Minus the distance of the Gram matrix, by positions, from a painting's, over the norm of that."""
    positions = _positions(seen.activations[form.layers[0]])
    found = _gram(positions) / ops.cast(ops.shape(positions)[1], "float32")
    painting = ops.reshape(own["gram"], (-1, found.shape[-1]))
    # As for `near`: no distance where nothing differs, and a slope there.
    return -(_norm(found - painting) - _LEAST_NORM) / ops.maximum(_norm(painting), _LEAST_SQUARE)


def _gram(positions: Tensor) -> Tensor:
    """What occurs together, wherever it is, added up over positions: ``(batch, channels * channels)``."""
    together = ops.matmul(ops.transpose(positions, (0, 2, 1)), positions)
    return ops.reshape(together, (-1, positions.shape[-1] ** 2))


def custom(form: Form, seen: Seen, _own: Mapping[str, Tensor]) -> Tensor:
    """A score of the user's own: of activations, or of all that is seen."""
    function, sees_more = form.options
    activations = {name: seen.activations[name] for name in form.layers}
    return function(seen._replace(activations=activations) if sees_more else activations)


def _positions(activation: Tensor) -> Tensor:
    """``(batch, positions, channels)``; a dense layer has one position."""
    batch = ops.shape(activation)[0]
    return ops.reshape(activation, (batch, -1, activation.shape[-1]))


def _mean(array: Tensor) -> Tensor:
    """Over all but the batch."""
    axes = tuple(range(1, len(array.shape)))
    return ops.mean(array, axis=axes) if axes else array


def _picture(seen: Seen) -> Tensor:
    return cast("Tensor", seen.picture)


def total_variation(_form: Form, seen: Seen, _own: Mapping[str, Tensor]) -> Tensor:
    """The mean difference of neighbours."""
    picture = _picture(seen)
    down = ops.abs(picture[:, 1:] - picture[:, :-1])
    across = ops.abs(picture[:, :, 1:] - picture[:, :, :-1])
    # A picture of one row has no differences down, whose mean would be no number.
    return (ops.sum(down, axis=(1, 2, 3)) + ops.sum(across, axis=(1, 2, 3))) / _count(picture)


def l1(_form: Form, seen: Seen, _own: Mapping[str, Tensor]) -> Tensor:
    """The mean distance from mid-grey."""
    picture = _picture(seen)
    return _mean(ops.abs(picture - 0.5))


def l2(_form: Form, seen: Seen, _own: Mapping[str, Tensor]) -> Tensor:
    """The mean square distance from mid-grey."""
    picture = _picture(seen)
    return _mean(ops.square(picture - 0.5))


def blur(_form: Form, seen: Seen, _own: Mapping[str, Tensor]) -> Tensor:
    """The mean square difference from the picture blurred."""
    picture = _picture(seen)
    blurred = picture
    for axis in (1, 2):
        length, wide = ops.shape(picture)[axis], _continued(blurred, axis, 2)
        blurred = sum(
            weight * _window(wide, axis, start, length) for start, weight in enumerate(_BURT_ADELSON)
        )  # fmt: skip
    return _mean(ops.square(picture - blurred))


def high_frequency(_form: Form, seen: Seen, _own: Mapping[str, Tensor]) -> Tensor:
    """The mean square of the Laplacian, which weighs a frequency by its fourth power."""
    picture = _picture(seen)
    laplacian = -4.0 * picture
    for axis in (1, 2):
        length, wide = ops.shape(picture)[axis], _continued(picture, axis, 1)
        laplacian = laplacian + _window(wide, axis, 0, length) + _window(wide, axis, 2, length)
    return _mean(ops.square(laplacian))


def _continued(picture: Tensor, axis: int, by: int) -> Tensor:
    """Some more rows or columns at both ends, each like the last."""
    length = ops.shape(picture)[axis]
    return ops.take(picture, ops.clip(ops.arange(-by, length + by), 0, length - 1), axis=axis)


def _window(picture: Tensor, axis: int, start: int, length: Any) -> Tensor:
    return picture[:, start : start + length] if axis == 1 else picture[:, :, start : start + length]


def _count(picture: Tensor) -> Tensor:
    _, height, width, colors = ops.shape(picture)
    return ops.cast(height * width * colors, "float32")
