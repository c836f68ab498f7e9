"""Reads objectives as people type them; ``objectives`` says how they are written.

Time and memory grow with the text and no faster: every pattern goes forward, terms are collected in lists, and
brackets are nested only so deep.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import re
from typing import NoReturn

from dreamer.errors import SettingsError
from dreamer.objectives import (
    Objective,
    channel,
    direction,
    diversity,
    guided,
    layer,
    logit,
    neuron,
    penalty,
)
from dreamer.objectives.bounds import check_count
from dreamer.objectives.terms import ARRAY, BARE, PENALTIES, Term, quoted
from dreamer.wording import as_typed, shown

_DEEPEST = 100
"""How deep brackets may be nested, and weights before each other."""

_QUOTED = re.compile(r"\"((?:[^\"]|\"\")*+)\"|'((?:[^']|'')*+)'")
_NUMBER = re.compile(r"([0-9]++\.?[0-9]*+|\.[0-9]++)([eE][+-]?[0-9]++)?")
_INTEGER = re.compile(r"[0-9]++")
_LONGEST_NUMBER = 100  # Characters; Python itself reads whole numbers of a few thousand.
_WEIGHT = re.compile(rf"({_NUMBER.pattern})\s*+\*")
# A shell takes the quotes off a class name, so it goes on until something that no name holds.
_BARE_CLASS = re.compile(r"[^\s)]++(?:\s++(?![+-]\s)[^\s)]++)*+")
_SPECIAL = re.compile(r"(logit|direction|guided|diversity):")
_CUSTOM = re.compile(rf"custom:({_QUOTED.pattern})<function ")
_SIGN = re.compile(r"[+-]")
_SPACES = re.compile(r"\s*+")

_Terms = list[tuple[float, Term]]


def parsed(text: str) -> Objective:
    """The objective that a text says.

    Raises:
        SettingsError: The text has another form; the message says where.

    Example:
        >>> parsed("2*(block4b:17 - block2a)").name
        '2*block4b:17 - 2*block2a'
    """
    return _Parser(text).whole()


class _Parser:
    """Reads an objective from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0
        self._count = 0

    def whole(self) -> Objective:
        found = self._sum()
        self._take(_SPACES)
        if self._place < len(self._text):
            self._fail("+ or - and another term")
        return Objective(tuple(found))

    def _fail(self, expected: str) -> NoReturn:
        rest = self._text[self._place :]
        where = f"at {shown(rest)}" if rest else "at its end"
        raise SettingsError(
            f"cannot read the objective {shown(self._text)} {where}: expected {expected}. {_advice(self._text)}"
        )

    def _take(self, pattern: re.Pattern[str] | str) -> re.Match[str] | None:
        """What comes next, if it is of this form; spaces before it are skipped."""
        pattern = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
        spaces = _SPACES.match(self._text, self._place)
        found = pattern.match(self._text, spaces.end() if spaces else self._place)
        if found:
            self._place = found.end()
        return found

    def _sum(self) -> _Terms:
        sign = self._take(_SIGN)
        total = self._product(-1.0 if sign and sign[0] == "-" else 1.0)
        while sign := self._take(_SIGN):
            total += self._product(-1.0 if sign[0] == "-" else 1.0)
        return total

    def _product(self, sign: float) -> _Terms:
        weights = [sign]
        while weight := self._take(_WEIGHT):
            weights.append(self._number(weight[1]))
            self._go_down(len(weights) - 1)
        found = self._factor()
        for factor in reversed(weights):
            found = [(factor * own, term) for own, term in found]
        return found

    def _factor(self) -> _Terms:
        if not self._take("("):
            self._count += 1
            check_count(self._count)
            return list(self._term().terms)
        self._depth += 1
        self._go_down(0)
        found = self._sum()
        if not self._take(")"):
            self._fail("a closing bracket")
        self._depth -= 1
        return found

    def _go_down(self, further: int) -> None:
        if self._depth + further > _DEEPEST:
            raise SettingsError(
                f"the objective {shown(self._text)} is nested too deep; expected at most {_DEEPEST} brackets "
                "within each other, or weights before each other"
            )

    def _term(self) -> Objective:
        custom = self._take(_CUSTOM)
        if custom:
            self._refuse_kept(f"custom:{custom[1]} is a function", "make it with objectives.custom in Python")
        special = self._take(_SPECIAL)
        if not special:
            return self._part_of_layer()
        if special[1] == "logit":
            return self._logit()
        name = self._layer()
        if special[1] == "diversity":
            return diversity(name)
        if special[1] == "guided":
            if not self._take("@"):
                self._fail('@ and a picture, as in guided:block4b@"photo.jpg"')
            return guided(name, self._string())
        return self._direction(name)

    def _part_of_layer(self) -> Objective:
        bare = self._take(BARE)
        if bare and bare[0] in PENALTIES:
            return penalty(bare[0])
        name = bare[0] if bare else self._layer()
        if not self._take(":"):
            return layer(name)
        index = self._whole_number("the number of a channel")
        if not self._take("@"):
            return channel(name, index)
        if self._take(re.compile(r"cent(re|er)\b")):
            return neuron(name, index)
        y = self._whole_number("the position of a neuron, y,x, or centre")
        if not self._take(","):
            self._fail("a comma and x, as in block4b:17@3,5")
        return neuron(name, index, y=y, x=self._whole_number("x"))

    def _logit(self) -> Objective:
        quoted_name = self._quoted()
        if quoted_name is not None:
            return logit(quoted_name)
        name = self._take(_BARE_CLASS)
        if not name:
            self._fail("the index or the name of a class")
        is_index = _INTEGER.fullmatch(name[0])
        return logit(self._integer(name[0]) if is_index else " ".join(name[0].split()))

    def _direction(self, name: str) -> Objective:
        if self._take("#"):
            seed = self._whole_number("a seed")
            return direction(name, seed=seed, power=self._power())
        if not self._take("@"):
            self._fail('# and a seed, or @ and a file, as in direction:block4b#7 or direction:block4b@"cats.npy"')
        vector = self._string()
        return direction(name, vector, power=self._power())

    def _power(self) -> float:
        if not self._take("^"):
            return 0.0
        power = self._take(_NUMBER)
        return self._number(power[0]) if power else self._fail("a power")

    def _layer(self) -> str:
        quoted_name = self._quoted()
        if quoted_name:
            return quoted_name
        bare = self._take(BARE)
        return bare[0] if bare else self._fail("the name of a layer")

    def _string(self) -> str:
        if self._take(ARRAY):
            self._refuse_kept(
                "an array was used", "save it with numpy.save and name the file, or give it again in Python"
            )
        quoted_name = self._quoted()
        if quoted_name is not None:
            return quoted_name
        # A shell takes the quotes off.
        bare = self._take(re.compile(r"[^\s()^]++"))
        return bare[0] if bare else self._fail("a file")

    def _refuse_kept(self, what: str, instead: str) -> NoReturn:
        raise SettingsError(
            f"cannot read the objective {shown(self._text)}: {what}, which its name cannot give back; {instead}"
        )

    def _quoted(self) -> str | None:
        """What stands in quotes, where something does; doubled ones mean themselves."""
        found = self._take(_QUOTED)
        if not found:
            return None
        return found[1].replace('""', '"') if found[1] is not None else found[2].replace("''", "'")

    def _whole_number(self, what: str) -> int:
        found = self._take(_INTEGER)
        return self._integer(found[0]) if found else self._fail(what)

    def _integer(self, digits: str) -> int:
        self._check_length(digits)
        return int(digits)

    def _number(self, text: str) -> float:
        self._check_length(text)
        return float(text)

    def _check_length(self, text: str) -> None:
        if len(text) > _LONGEST_NUMBER:
            raise SettingsError(
                f"the objective {shown(self._text)} has a number of {len(text)} characters; "
                f"expected {_LONGEST_NUMBER} at most"
            )


_EXAMPLES = "For example: block4b, block4b:17, 'block4b:17 - 0.5*block2a', 'logit:tabby cat'"
_LONGEST_WITH_ADVICE = 200
_COLUMNS = re.compile(r"([A-Za-z0-9_./]+)(\s{2,}|\t).*", re.DOTALL)
_WORDS = re.compile(r"([^\"'*+:()@#]*[^\"'*+:()@#!-~][^\"'*+:()@#]*?)(:[0-9]+)?")  # With a space, or an accent.


def _advice(text: str) -> str:
    """What to type instead of something that cannot be read."""
    if len(text) > _LONGEST_WITH_ADVICE or len(text.splitlines()) > 1:
        return _EXAMPLES
    text = text.strip()
    typed = as_typed(text)
    if typed != text:
        typed = typed.strip("\"'") if text[0] != typed[0] and text[-1] != typed[-1] else typed
        return f"It has signs that documents set for those of the keyboard; type {_in_shell(typed)}"
    columns = _COLUMNS.fullmatch(typed)
    if columns:
        return f"Is it a line of `dreamer layers`? Then type the name alone: {columns[1]}"
    words = _WORDS.fullmatch(typed)
    if words and " - " not in typed:
        a_layer = f"{quoted(words[1])}{words[2] or ''}"
        return f"Is it the name of a layer? Then type {_in_shell(a_layer)}; of a class: {_in_shell(f'logit:{typed}')}"
    return _EXAMPLES


def _in_shell(text: str) -> str:
    """A text as it is typed into a shell."""
    return f"'{text}'" if "'" not in text else f'"{text}"'
