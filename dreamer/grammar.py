"""Reads objectives as people type them; ``objectives`` says how they are written.

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
from dreamer.terms import BARE, PENALTIES

_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"\d+")
_WEIGHT = re.compile(rf"({_NUMBER.pattern})\s*\*")
# A shell takes the quotes off a class name, so it goes on until something that no name holds.
_BARE_CLASS = re.compile(r"\S.*?(?=\s+[+-]\s|\)|$)")
_SPECIAL = re.compile(r"(logit|direction|guided|diversity):")


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

    def whole(self) -> Objective:
        found = self._sum()
        if self._text[self._place :].strip():
            self._fail("+ or - and another term")
        return found

    def _fail(self, expected: str) -> NoReturn:
        rest = self._text[self._place :]
        where = f"at {rest!r}" if rest else "at its end"
        raise SettingsError(
            f"cannot read the objective {self._text!r} {where}: expected {expected}. "
            "For example: block4b, block4b:17, 'block4b:17 - 0.5*block2a', 'logit:tabby cat'"
        )

    def _take(self, pattern: re.Pattern[str] | str) -> re.Match[str] | None:
        """What comes next, if it is of this form; spaces before it are skipped."""
        pattern = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
        spaces = re.compile(r"\s*").match(self._text, self._place)
        found = pattern.match(self._text, spaces.end() if spaces else self._place)
        if found:
            self._place = found.end()
        return found

    def _sum(self) -> Objective:
        sign = self._take(re.compile(r"[+-]"))
        total = self._product()
        if sign and sign[0] == "-":
            total = -total
        while sign := self._take(re.compile(r"[+-]")):
            following = self._product()
            total = total + following if sign[0] == "+" else total - following
        return total

    def _product(self) -> Objective:
        weight = self._take(_WEIGHT)
        if weight:
            return float(weight[1]) * self._product()
        if self._take("("):
            found = self._sum()
            if not self._take(")"):
                self._fail("a closing bracket")
            return found
        return self._term()

    def _term(self) -> Objective:
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
        quoted = self._take(_QUOTED)
        if quoted:
            return logit(quoted[1] or quoted[2])
        name = self._take(_BARE_CLASS)
        if not name:
            self._fail("the index or the name of a class")
        text = name[0].strip()
        return logit(int(text) if _INTEGER.fullmatch(text) else text)

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
        if not power:
            self._fail("a power")
        return float(power[0])

    def _layer(self) -> str:
        quoted = self._take(_QUOTED)
        if quoted:
            return quoted[1] or quoted[2] or self._fail("the name of a layer")
        bare = self._take(BARE)
        return bare[0] if bare else self._fail("the name of a layer")

    def _string(self) -> str:
        quoted = self._take(_QUOTED)
        if quoted:
            return quoted[1] or quoted[2]
        # A shell takes the quotes off.
        bare = self._take(re.compile(r"[^\s()^]+"))
        return bare[0] if bare else self._fail("a file")

    def _whole_number(self, what: str) -> int:
        number = self._take(_INTEGER)
        return int(number[0]) if number else self._fail(what)
