"""What is made larger: parts of a network as values that add up, and how they are written.

The one idea: an :class:`Objective` is a weighted sum of terms, and its name says all of it. A
name can be typed, kept in a file and read back by :meth:`Objective.parse` (``grammar`` reads it); nothing here
is computed (``ascent.scoring`` does that), and no network is needed.

    block4b                          a layer: the mean square of its activations
    block4b:17                       a channel of it, or a unit of a dense layer
    block4b:17@3,5                   one neuron of that channel, at y, x; block4b:17@centre for the middle one
    logit:281    logit:"tabby cat"   a class, before the softmax
    direction:block4b#7              a direction over the channels, random by its seed; #7^2 with its cosine squared
    direction:block4b@"cats.npy"     a direction from a file
    guided:block4b@"photo.jpg"       the features of another picture
    like:block4b@"photo.jpg"^2       more of what the layer finds in a photo, at the same places; ^ keeps to it alone
    near:block4b@"photo.jpg"         minus the distance from what the layer finds in a photo; ^2 for its square
    style:block4b@"painting.jpg"     minus the distance from what occurs together in a painting
    diversity:block4b                how much the pictures of a batch differ
    total_variation  l1  l2  blur  high_frequency     penalties on the picture itself, to be subtracted
    block4b:17 + 0.5*block5a:3 - block2a              sums, with weights; brackets work too

Names of layers that hold other characters than letters, digits, "_", "." and "/" are put in quotes; a quotation
mark within quotes of its kind is doubled. Arrays and functions can't be typed: the names of their terms say so,
with digits that no other array or function has.

Must not import NumPy, Keras or anything heavy: settings hold objectives, and the command line reads those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamer.errors import SettingsError
from dreamer.objectives import bounds, comparisons, directions, kinds
from dreamer.objectives.grammar import parsed
from dreamer.objectives.style import Style
from dreamer.objectives.terms import Numbers, Position, Term, mark
from dreamer.wording import number, shown


@dataclass(frozen=True)
class Objective:
    """What is made as large as possible: a weighted sum of terms. A value: operators give new ones.

    Attributes:
        terms: Each weight with its term, in the order they were written.

    Example:
        >>> goal = 2 * layer("mixed3") - channel("mixed5", 7)
        >>> goal.name, sorted(goal.layers)
        ('2*mixed3 - mixed5:7', ['mixed3', 'mixed5'])
        >>> Objective.parse("2*mixed3 - mixed5:7") == goal
        True
    """

    terms: tuple[tuple[float, Term], ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise SettingsError("an objective needs at least one term, as in 'block5c' or 'block4b:17'")
        bounds.check_count(len(self.terms))
        object.__setattr__(self, "terms", tuple((bounds.weight(weight, term), term) for weight, term in self.terms))

    @classmethod
    def parse(cls, text: str) -> Objective:
        """Read what a person types; the grammar is in the docstring of this module.

        Raises:
            SettingsError: The text has another form; the message says where.

        Example:
            >>> Objective.parse("0.5*(block4b:17 - block2a)").name
            '0.5*block4b:17 - 0.5*block2a'
        """
        if not isinstance(text, str):
            raise SettingsError(f"an objective is {shown(text)}; expected text such as 'block4b:17 - 0.5*block2a'")
        return cls(tuple(parsed(text)))

    @classmethod
    def of(cls, value: Objective | str) -> Objective:
        """An objective, or what its text says."""
        return value if isinstance(value, Objective) else cls.parse(value)

    @property
    def name(self) -> str:
        """All of it as text, weights and signs included."""
        return _written((weight, str(term)) for weight, term in self.terms)

    @property
    def label(self) -> str:
        """Its name as a person should read it under a picture: short where arrays and functions are meant."""
        return _written((weight, term.label) for weight, term in self.terms)

    @property
    def layers(self) -> frozenset[str]:
        """The layers whose activations it needs. Which one scores the classes, only a network knows."""
        return frozenset().union(*(term.layers for _, term in self.terms))

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it reads: directions, and pictures that guide or are compared with."""
        return tuple(dict.fromkeys(file for _, term in self.terms for file in term.files))

    def with_files(self, place: Callable[[str], str]) -> Objective:
        """The same, with the files that it reads in other places.

        Args:
            place: From where a file is said to be to where it is.

        Example:
            >>> guided("block4b", "bees.jpg").with_files(lambda file: f"art/{file}").name
            'guided:block4b@"art/bees.jpg"'
        """
        return Objective(tuple((weight, term.with_files(place)) for weight, term in self.terms))

    def guided_by(self, picture: str) -> Objective:
        """The same, but what its layers look for is what they find in another picture.

        Args:
            picture: Its path.

        Raises:
            SettingsError: No layer as a whole is among its terms.

        Example:
            >>> layer("block4b").guided_by("bees.jpg").name
            'guided:block4b@"bees.jpg"'
        """
        if not any(isinstance(term, kinds.Layer) for _, term in self.terms):
            raise SettingsError(f"a guide is for whole layers; the objective {self.name} has none. Add one, as block4b")
        return Objective(
            tuple(
                (weight, directions.Guided(term.layer, picture) if isinstance(term, kinds.Layer) else term)
                for weight, term in self.terms
            )
        )

    def __str__(self) -> str:
        return self.name

    def __add__(self, other: Objective) -> Objective:
        return Objective(self.terms + other.terms)

    def __sub__(self, other: Objective) -> Objective:
        return self + -1.0 * other

    def __neg__(self) -> Objective:
        return -1.0 * self

    def __mul__(self, weight: float) -> Objective:
        factor = bounds.weight(weight)
        return Objective(tuple((factor * own, term) for own, term in self.terms))

    __rmul__ = __mul__


def _written(terms: Iterable[tuple[float, str]]) -> str:
    (weight, first), *others = terms
    start = f"{'-' if weight < 0 else ''}{_weighted(weight, first)}"
    return start + "".join(f" {'-' if weight < 0 else '+'} {_weighted(weight, one)}" for weight, one in others)


def _weighted(weight: float, term: str) -> str:
    """A term with its weight, but for the sign."""
    return term if abs(weight) == 1 else f"{number(abs(weight))}*{term}"


def layer(name: str) -> Objective:
    """Score a layer by the mean square of its activations.

    Args:
        name: The layer.

    Returns:
        The objective; its gradient is that of the 2015 notebook's half squared norm, which the
        ascent normalises anyway, but its value does not grow with the picture.

    References:
        Mordvintsev, Olah and Tyka, "Inceptionism", 2015, and the notebook published with it.
    """
    return _single(kinds.Layer(_named(name)))


def channel(name: str, index: int) -> Objective:
    """Score a channel of a layer, or a unit of a dense layer, by the mean of its activations.

    Args:
        name: The layer.
        index: The channel, from 0.

    Returns:
        The objective, named ``"layer:index"``.
    """
    return _single(kinds.Channel(_named(name), bounds.index(index)))


def neuron(name: str, index: int, *, y: int | None = None, x: int | None = None) -> Objective:
    """Score a single neuron: one channel of a layer at one position.

    Args:
        name: The layer.
        index: The channel, from 0.
        y: Row in the layer, from 0; without y and x it is the neuron in the middle.
        x: Column in the layer, from 0.
    """
    if (y is None) != (x is None):
        raise SettingsError(f"the position of a neuron is y={y}, x={x}; expected both or neither")
    position: Position = "centre" if y is None or x is None else (bounds.index(y), bounds.index(x))
    return _single(kinds.Channel(_named(name), bounds.index(index), position))


def logit(which: int | str) -> Objective:
    """Score a class by its logit, the neuron before the softmax: never by its probability.

    Args:
        which: Its index, or its name: ``"tabby cat"``. The name is looked up once the network is known.

    References:
        Simonyan, Vedaldi and Zisserman, arXiv:1312.6034, section 2, on why not the probability.
    """
    unit = bounds.text(which, "a class", "tabby cat") if isinstance(which, str) else bounds.index(which)
    return _single(kinds.Logit(unit))


def direction(
    name: str, vector: Iterable[float] | str | Path | None = None, *, seed: int | None = None, power: float = 0.0
) -> Objective:
    """Score how far the activations of a layer go in a direction over its channels.

    Args:
        name: The layer.
        vector: A number per channel, or the path of a ``.npy`` file with them.
        seed: Draw a random direction instead, the same for the same seed.
        power: Multiply the score with the cosine between activations and direction, to this power, up to 10;
            0.1 stands for a cosine below it. So it asks for the direction alone, not for much of everything.

    References:
        Lucid's ``direction`` objective; Carter et al., "Activation Atlas", 2019, for the cosine.
    """
    if (vector is None) == (seed is None):
        raise SettingsError(f"a direction in {name} needs either a vector or a seed")
    power = bounds.power(power, name)
    if seed is not None:
        return _single(directions.Direction(_named(name), seed=bounds.seed(seed), power=power))
    if isinstance(vector, str | Path):
        return _single(directions.Direction(_named(name), power=power, source=bounds.file(vector)))
    return _single(directions.Direction(_named(name), power=power, values=Numbers.of(vector)))


def guided(name: str, picture: Any) -> Objective:
    """Score each position of a layer by the best of another picture's features.

    Args:
        name: The layer.
        picture: The path of the other picture, or its pixels ``(height, width, 3)``, RGB in [0, 1].

    References:
        The "guided dreaming" of the 2015 notebook: the feature with the largest dot product.
    """
    if isinstance(picture, str | Path):
        return _single(directions.Guided(_named(name), bounds.file(picture)))
    return _single(directions.Guided(_named(name), values=Numbers.of(picture)))


def like(name: str, picture: Any, power: float = 0.0) -> Objective:
    """Score how much a layer finds of what it finds in a photo, at the same places: 1 for the photo itself.

    Args:
        name: The layer.
        picture: The path of the photo, or its pixels ``(height, width, 3)``, RGB in [0, 1]. It is resized to the
            picture and seen through the same views.
        power: Multiply the score with the cosine between the layer's activations for both, to this power, up to 10;
            0.1 stands for a cosine below it. 0 exaggerates what is found, a caricature; the more, the nearer it stays.

    Returns:
        The objective: the mean over positions of the dot product of both activations, divided by that of the photo's
        with themselves.

    Raises:
        SettingsError: The power is out of range, or the array is no picture.

    Example:
        >>> like("block4b", "cat.png", power=1).name
        'like:block4b@"cat.png"^1'

    References:
        Lucid's caricatures and ``dot_compare``; Olah et al., "The Building Blocks of Interpretability", 2018.
    """
    return _single(comparisons.Like(_named(name), power=bounds.power(power, name), **_photo(picture, name)))


def near(name: str, picture: Any, *, squared: bool = False) -> Objective:
    """Score minus the distance between what a layer finds in the picture and in a photo: 0 for the photo itself.

    Args:
        name: The layer.
        picture: As for :func:`like`.
        squared: Whether distances are squared, so that far ones count most.

    Returns:
        The objective: minus the mean distance over positions, divided by the mean length of the photo's activations;
        or the same of squares.

    Raises:
        SettingsError: The array is no picture.

    Example:
        >>> (channel("block5c", 7) + 0.5 * near("block2b", "cat.png")).name
        'block5c:7 + 0.5*near:block2b@"cat.png"'

    References:
        Hamblin et al., "Feature Accentuation", 2024, for the distance; Mahendran and Vedaldi, "Understanding Deep
        Image Representations by Inverting Them", 2015, for its square.
    """
    return _single(comparisons.Near(_named(name), squared=squared, **_photo(picture, name)))


def _photo(picture: Any, name: str) -> dict[str, Any]:
    """Where the photo of a comparison comes from."""
    if isinstance(picture, str | Path):
        return {"source": bounds.file(picture)}
    values = Numbers.of(picture)
    directions.check_pixels(values.array, f"the photo for {shown(name)}")
    return {"values": values}


def style(name: str, picture: Any) -> Objective:
    """Score minus the distance of a layer's statistics from those of a painting: 0 for the painting itself.

    Args:
        name: A layer with positions.
        picture: The path of the painting, or its pixels ``(height, width, 3)``, RGB in [0, 1]. It is looked at once,
            at 512 pixels at most.

    Returns:
        The objective: minus the Frobenius norm of the difference of both Gram matrices, divided by that of the
        painting's. A Gram matrix is the mean over positions of the products of each two channels. A picture in which
        the layer finds nothing scores -1, for any layer.

    Raises:
        SettingsError: The array is no picture.

    Example:
        >>> (style("block2b", "sea.jpg") + 0.5 * style("block4b", "sea.jpg")).name
        'style:block2b@"sea.jpg" + 0.5*style:block4b@"sea.jpg"'

    References:
        Gatys, Ecker and Bethge, "Texture Synthesis Using Convolutional Neural Networks", NIPS 2015, and "A Neural
        Algorithm of Artistic Style", 2015. They square the distance.
    """
    if isinstance(picture, str | Path):
        return _single(Style(_named(name), bounds.file(picture)))
    values = Numbers.of(picture)
    directions.check_pixels(values.array, f"the painting of {shown(name)}")
    return _single(Style(_named(name), values=values))


def diversity(name: str) -> Objective:
    """Score how much each picture of a batch differs from the others of the same target.

    Args:
        name: The layer whose Gram matrices are compared: what occurs together there, wherever it is.

    Returns:
        Minus the mean cosine similarity with the others', -1 to 0 for activations above zero.

    References:
        Olah, Mordvintsev and Schubert, "Feature Visualization", 2017, "Diversity".
    """
    return _single(kinds.Diversity(_named(name)))


def penalty(name: str) -> Objective:
    """Score the picture itself by what is usually to be small; subtract it.

    Args:
        name: ``"total_variation"``: the mean difference of neighbours; ``"l1"``, ``"l2"``: the mean distance from
            mid-grey, and its mean square; ``"blur"``: the mean square difference from the picture blurred;
            ``"high_frequency"``: the mean square of the Laplacian, which weighs a frequency by its fourth power.

    Example:
        >>> (channel("block4b", 17) - 0.5 * penalty("total_variation")).name
        'block4b:17 - 0.5*total_variation'
    """
    return _single(kinds.Penalty(name))


def interpolated(first: Objective, second: Objective, count: int) -> list[Objective]:
    """Objectives on the way from one to another, both included.

    Args:
        first: Where it starts.
        second: Where it ends.
        count: How many, 2 or more. They are computed alike, so they are drawn together.

    Example:
        >>> [goal.name for goal in interpolated(channel("a", 1), channel("b", 2), 3)]
        ['a:1 + 0*b:2', '0.5*a:1 + 0.5*b:2', '0*a:1 + b:2']
    """
    if count < 2:
        raise SettingsError(f"{count} objectives from one to another; expected 2 or more")
    shares = [index / (count - 1) for index in range(count)]
    return [(1 - share) * first + share * second for share in shares]


def custom(
    name: str, layers: Iterable[str], score: Callable[[Any], Any], *, picture: bool = False, reference: Any = None
) -> Objective:
    """Score activations by a function of your own.

    Args:
        name: What a person should read; it can't be parsed back.
        layers: The layers that it needs.
        score: Activations ``{layer: (batch, height, width, channels)}`` to scores ``(batch,)``, made of
            ``keras.ops``, or of whatever Keras runs on. Where a picture or a reference is asked for, it is given a
            :class:`dreamer.ascent.scoring.Seen` instead, with ``activations``, ``picture`` and ``reference``.
        picture: Whether it looks at the picture itself, ``(batch, height, width, 3)`` in [0, 1].
        reference: A second picture ``(height, width, 3)`` in [0, 1], seen through the same views as the first; the
            activations of *layers* for it are ``seen.reference``.

    Returns:
        The objective. Nobody can say what a function does, so its name holds a mark that is drawn by chance and
        means this function in this process: another process finds another name for the same.
    """
    try:
        known = callable(score) and mark(score)
    except TypeError:  # No weak reference, or no hash.
        known = None
    if not known:
        raise SettingsError(f"the score {shown(name)} is {shown(score)}; expected a function made with def or lambda")
    if isinstance(layers, str) or not isinstance(layers, Iterable):
        raise SettingsError(f"the layers of the score {shown(name)} are {shown(layers)}; expected several: ['block4b']")
    known_as = bounds.text(name, "a score of your own", "edges")
    needs = tuple(sorted({_named(one) for one in layers}))
    second = None if reference is None else Numbers.of(reference)
    if second is not None:
        directions.check_pixels(second.array, f"the reference of the score {shown(name)}")
    return _single(kinds.Custom(known_as, score, needs, picture, second))


def _single(term: Term) -> Objective:
    return Objective(((1.0, term),))


def _named(name: str) -> str:
    return bounds.text(name, "a layer", "block4b")
