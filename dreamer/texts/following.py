"""Which units follow what: strings, comments, brackets, measured against the text itself.

The one idea: for each character it is known whether it lies in a string, a comment, brackets, so how well a unit tells
is a number: the area under its curve (AUC), the chance that it is higher at a character that does than at one that
does not. With many units one of them is always good by luck, so the same is asked with the truth shifted against the
text: a unit follows something only where it is better than the best of all units was under any shift.

Must not import Keras.

References:
    Karpathy, Johnson and Li, "Visualizing and understanding recurrent networks", arXiv:1506.02078, for what units
    follow.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray
from dreamer.errors import SettingsError, close_matches
from dreamer.texts.settings import FOLLOWED
from dreamer.wording import shown

Truth = NDArray[np.bool_]
"""For each character whether it lies in what is asked for: ``(characters,)``."""

_SHIFTS = 40
_LEAST = 20  # Characters that must lie in it, and as many that must not.
_MOST = 100_000  # Characters that are compared; of more, every so many.
_WHOLE = 0.9  # A text that can be read so far is one that was cut off.
_LATE = 0.75  # Late in a line is further from its start than so many of all characters are.
_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"')\]]+")
_QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")
_COMMENT = re.compile(r"(?:#|//)[^\n]*|/\*.*?\*/", re.DOTALL)
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class Follows:
    """A unit that follows something.

    Attributes:
        what: What it follows.
        layer: Its layer.
        unit: Its number.
        auc: How well, 0.5 to 1.
        sign: 1 where it is high there, -1 where it is low.
        luck: The best of all units of the layer where the truth was shifted against the text.
        share: How much of the text lies in it.
    """

    what: str
    layer: str
    unit: int
    auc: float
    sign: int
    luck: float
    share: float

    @property
    def is_sure(self) -> bool:
        """Whether it is better than luck."""
        return self.auc > self.luck


def truths(text: str, names: Sequence[str] = FOLLOWED, *, is_python: bool | None = None) -> dict[str, Truth]:
    """For each character of a text whether it lies in a string, a comment, brackets and so on.

    Args:
        text: It.
        names: What is asked for, of ``FOLLOWED``.
        is_python: Whether Python's own tokenizer tells strings and comments; None for where Python can read the text.

    Raises:
        SettingsError: One is unknown, or the text was said to be Python and is not.
    """
    for name in names:
        if name not in FOLLOWED:
            raise SettingsError(f"nothing is known of {shown(name)}.{close_matches(name, FOLLOWED)} "
                                f"Expected some of {', '.join(FOLLOWED)}")  # fmt: skip
    if is_python is None:
        is_python = _is_python(text)
    marked = _of_tokens(text) if is_python else _of_scanners(text)
    rest: dict[str, Callable[[], Truth]] = {
        "brackets": lambda: _in_brackets(text, marked["strings"] | marked["comments"]),
        "indent": lambda: _spans(text, re.compile(r"(?m)^[ \t]+")),
        "line-end": lambda: _late_in_line(text),
        "url": lambda: _spans(text, _URL),
    }
    return {name: marked[name] if name in marked else rest[name]() for name in names}


def _is_python(text: str) -> bool:
    """Whether Python can read a text as a whole."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of what the text does, which is not ours.
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _of_tokens(text: str) -> dict[str, Truth]:
    """Strings and comments by Python's tokenizer, which may fail near the end of a text that is cut off.

    Raises:
        SettingsError: It fails earlier.
    """
    starts = np.cumsum([0, *(len(line) for line in io.StringIO(text, newline=""))])
    found = {name: np.zeros(len(text), bool) for name in ("strings", "comments")}
    kinds = {tokenize.STRING: "strings", tokenize.COMMENT: "comments"}
    # From Python 3.12 on an f-string is several tokens.
    begin, end = (getattr(tokenize, f"FSTRING_{name}", None) for name in ("START", "END"))
    open_at: list[int] = []
    last = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            first, last = (int(starts[min(row, len(starts)) - 1]) + column for row, column in (token.start, token.end))
            if token.type in kinds:
                found[kinds[token.type]][first:last] = True
            elif begin is not None and token.type == begin:
                open_at.append(first)
            elif end is not None and token.type == end:
                found["strings"][open_at.pop() : last] = True
    except (tokenize.TokenError, SyntaxError) as error:
        if last < len(text) * _WHOLE:
            raise SettingsError(f"the text is no Python that can be read: {error}") from error
    return found


def _of_scanners(text: str) -> dict[str, Truth]:
    """Strings within a line, and comments as most languages have them."""
    strings = _spans(text, _QUOTED)
    comments = np.zeros(len(text), bool)
    for found in _COMMENT.finditer(text):
        if not strings[found.start()]:
            comments[found.start() : found.end()] = True
    return {"strings": strings & ~comments, "comments": comments}


def _spans(text: str, pattern: re.Pattern[str]) -> Truth:
    found = np.zeros(len(text), bool)
    for one in pattern.finditer(text):
        found[one.start() : one.end()] = True
    return found


def _in_brackets(text: str, hidden: Truth) -> Truth:
    """Between brackets of any kind, those of strings and comments left out."""
    found = np.zeros(len(text), bool)
    depth = 0
    for place, char in enumerate(text):
        if not hidden[place] and char in _CLOSING:
            depth = max(depth - 1, 0)
        found[place] = depth > 0
        if not hidden[place] and char in _OPENING:
            depth += 1
    return found


def _late_in_line(text: str) -> Truth:
    """Far from the start of its line, in comparison with the other characters."""
    columns = np.zeros(len(text), np.int64)
    column = 0
    for place, char in enumerate(text):
        columns[place] = column
        column = 0 if char == "\n" else column + 1
    return np.asarray(columns > np.quantile(columns, _LATE)) if len(text) else np.zeros(0, bool)


def ranks(values: FloatArray) -> FloatArray:
    """The rank of each value in its column, from 1; equal ones share the mean of theirs."""
    found = np.empty(values.shape, np.float64)
    for unit in range(values.shape[1]):
        _, places, counts = np.unique(values[:, unit], return_inverse=True, return_counts=True)
        last = np.cumsum(counts)
        found[:, unit] = (last - (counts - 1) / 2)[places]
    return np.asarray(found, np.float64)


def areas(ranked: FloatArray, truth: Truth) -> NDArray[np.float64]:
    """The AUC of each unit, by the ranks of its values: ``(units,)``.

    Example:
        >>> areas(ranks(np.array([[0.1], [0.9], [0.4]])), np.array([False, True, False])).tolist()
        [1.0]
    """
    inside = int(truth.sum())
    outside = len(truth) - inside
    total = truth.astype(np.float64) @ ranked
    return np.asarray((total - inside * (inside + 1) / 2) / (inside * outside))


def following(layer: str, values: FloatArray, truth: Mapping[str, Truth], seed: int = 0) -> list[Follows]:
    """How well units follow, the best of each first.

    Args:
        layer: Their layer.
        values: ``(characters, units)``.
        truth: By name what they may follow.
        seed: Of the shifts.

    Returns:
        For each name every unit; none where too few characters lie in it, or too few do not.
    """
    every = max(1, -(-len(values) // _MOST))
    ranked = ranks(values[::every])
    rng = np.random.default_rng(seed)
    found: list[Follows] = []
    for what, whole in truth.items():
        some = whole[::every]
        if min(some.sum(), (~some).sum()) < _LEAST:
            continue
        right = areas(ranked, some)
        # Far enough for a run of it not to meet itself.
        shifts = rng.integers(len(some) // 10, len(some) - len(some) // 10, _SHIFTS)
        shifted = np.array([areas(ranked, np.roll(some, int(shift))) for shift in shifts])
        luck = float((np.abs(shifted - 0.5) + 0.5).max())
        found += [
            Follows(what, layer, int(unit), float(abs(right[unit] - 0.5) + 0.5), 1 if right[unit] >= 0.5 else -1, luck,
                    float(some.mean()))
            for unit in np.argsort(-np.abs(right - 0.5), kind="stable")
        ]  # fmt: skip
    return found


def find(
    network: Any, text: str, what: Sequence[str] | str = FOLLOWED, *, layer: str | None = None,
    vocabulary: Any = None, show: str | None = None, is_python: bool | None = None, seed: int = 0,
    on_step: Callable[[str, float], None] | None = None,
) -> list[Follows]:  # fmt: skip
    """Find the units that follow strings, comments, brackets, indentation, the ends of lines, addresses.

    Args:
        network: As for :func:`dreamer.texts.states`.
        text: A text in which they occur; some thousand characters at least.
        what: What they may follow, of ``FOLLOWED``.
        layer: Whose units; None for all recurrent layers.
        vocabulary: As for :func:`dreamer.texts.states`.
        show: What of the layer is compared; None for the cell of an LSTM, else the hidden state.
        is_python: Whether Python's tokenizer tells strings and comments; None to find out.
        seed: Of the shifts.
        on_step: Told what is done, and how much of all is done.

    Returns:
        Every unit for everything that occurs, the best of each first; ``.is_sure`` says whether it is better than luck.

    Raises:
        SettingsError, ModelError: As for :func:`dreamer.texts.states`.

    Example:
        >>> [best, *_] = dreamer.texts.find("char.keras", open("code.py").read(), "strings")  # doctest: +SKIP
        >>> best.unit, round(best.auc, 2), best.is_sure  # doctest: +SKIP
        (37, 0.97, True)
    """
    from dreamer.texts.reading import TextNetwork

    names = (what,) if isinstance(what, str) else tuple(what)
    asked = TextNetwork(network, vocabulary)
    truth = truths(text, names, is_python=is_python)
    found: list[Follows] = []
    for one in asked.layers if layer is None else (layer,):
        held = asked.states(text, one, None if show is None else (show,), on_step)
        found += following(one, held.of(show), at_pieces(truth, held.pieces), seed)
    order = {name: place for place, name in enumerate(names)}
    return sorted(found, key=lambda one: (order[one.what], -one.auc))


def at_pieces(truth: Mapping[str, Truth], pieces: Sequence[str]) -> dict[str, Truth]:
    """What is true of each token: what is of its first character."""
    starts = np.cumsum([0, *(len(piece) for piece in pieces)])[:-1]
    return {name: whole[starts] for name, whole in truth.items()}
