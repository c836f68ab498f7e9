"""The grammar of objectives: reads them as people type them; ``objective`` says how they are written.

Time and memory grow with the text and no faster: every pattern goes forward, terms are collected in lists, and
brackets are nested only so deep.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import re
from typing import NoReturn

from dreamer.errors import SettingsError
from dreamer.objectives import bounds, kinds
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
_CUSTOM = re.compile(rf"custom:({_QUOTED.pattern})<function ")
_SIGN = re.compile(r"[+-]")
_SPACES = re.compile(r"\s*+")

Terms = list[tuple[float, Term]]


def parsed(text: str) -> Terms:
    """The weighted terms that a text says.

    Raises:
        SettingsError: The text has another form; the message says where.

    Example:
        >>> [(weight, str(term)) for weight, term in parsed("2*(block4b:17 - block2a)")]
        [(2.0, 'block4b:17'), (-2.0, 'block2a')]
    """
    return _Parser(text).whole()


class _Parser:
    """Reads an objective from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0
        self._count = 0
        self._special = re.compile(rf"({'|'.join(map(re.escape, kinds.prefixes()))}):")

    def whole(self) -> Terms:
        found = self._sum()
        self.take(_SPACES)
        if self._place < len(self._text):
            self.fail("+ or - and another term")
        return found

    def fail(self, expected: str) -> NoReturn:
        """Refuse the text, saying what was expected."""
        rest = self._text[self._place :]
        where = f"at {shown(rest)}" if rest else "at its end"
        raise SettingsError(
            f"cannot read the objective {shown(self._text)} {where}: expected {expected}. {_advice(self._text)}"
        )

    def take(self, pattern: re.Pattern[str] | str) -> re.Match[str] | None:
        """What comes next, if it is of this form; spaces before it are skipped."""
        pattern = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
        spaces = _SPACES.match(self._text, self._place)
        found = pattern.match(self._text, spaces.end() if spaces else self._place)
        if found:
            self._place = found.end()
        return found

    def _sum(self) -> Terms:
        sign = self.take(_SIGN)
        total = self._product(-1.0 if sign and sign[0] == "-" else 1.0)
        while sign := self.take(_SIGN):
            total += self._product(-1.0 if sign[0] == "-" else 1.0)
        return total

    def _product(self, sign: float) -> Terms:
        weights = [sign]
        while weight := self.take(_WEIGHT):
            weights.append(self._number(weight[1]))
            self._go_down(len(weights) - 1)
        found = self._factor()
        for factor in reversed(weights):
            found = [(factor * own, term) for own, term in found]
        return found

    def _factor(self) -> Terms:
        if not self.take("("):
            self._count += 1
            bounds.check_count(self._count)
            return [(1.0, self._term())]
        self._depth += 1
        self._go_down(0)
        found = self._sum()
        if not self.take(")"):
            self.fail("a closing bracket")
        self._depth -= 1
        return found

    def _go_down(self, further: int) -> None:
        if self._depth + further > _DEEPEST:
            raise SettingsError(
                f"the objective {shown(self._text)} is nested too deep; expected at most {_DEEPEST} brackets "
                "within each other, or weights before each other"
            )

    def _term(self) -> Term:
        custom = self.take(_CUSTOM)
        if custom:
            self._refuse_kept(f"custom:{custom[1]} is a function", "make it with objectives.custom in Python")
        special = self.take(self._special)
        return kinds.of_prefix(special[1]).read(self) if special else self._part_of_layer()

    def _part_of_layer(self) -> Term:
        bare = self.take(BARE)
        if bare and bare[0] in PENALTIES:
            return kinds.Penalty(bare[0])
        name = bounds.text(bare[0], "a layer", "block4b") if bare else self.layer()
        if not self.take(":"):
            return kinds.Layer(name)
        index = bounds.index(self.whole_number("the number of a channel"))
        if not self.take("@"):
            return kinds.Channel(name, index)
        if self.take(re.compile(r"cent(re|er)\b")):
            return kinds.Channel(name, index, "centre")
        y = self.whole_number("the position of a neuron, y,x, or centre")
        if not self.take(","):
            self.fail("a comma and x, as in block4b:17@3,5")
        return kinds.Channel(name, index, (bounds.index(y), bounds.index(self.whole_number("x"))))

    def bare_class(self) -> str:
        """The name or the index of a class, without quotes."""
        name = self.take(_BARE_CLASS)
        return " ".join(name[0].split()) if name else self.fail("the index or the name of a class")

    def number(self, what: str) -> float:
        """A number; *what* says what it is."""
        found = self.take(_NUMBER)
        return self._number(found[0]) if found else self.fail(what)

    def layer(self) -> str:
        """The name of a layer."""
        quoted_name = self.quoted()
        if quoted_name:
            return bounds.text(quoted_name, "a layer", "block4b")
        bare = self.take(BARE)
        return bounds.text(bare[0], "a layer", "block4b") if bare else self.fail("the name of a layer")

    def string(self) -> str:
        """A file, in quotes or without."""
        if self.take(ARRAY):
            self._refuse_kept(
                "an array was used", "save it with numpy.save and name the file, or give it again in Python"
            )
        quoted_name = self.quoted()
        if quoted_name is not None:
            return quoted_name
        # A shell takes the quotes off.
        bare = self.take(re.compile(r"[^\s()^]++"))
        return bare[0] if bare else self.fail("a file")

    def _refuse_kept(self, what: str, instead: str) -> NoReturn:
        raise SettingsError(
            f"cannot read the objective {shown(self._text)}: {what}, which its name cannot give back; {instead}"
        )

    def quoted(self) -> str | None:
        """What stands in quotes, where something does; doubled ones mean themselves."""
        found = self.take(_QUOTED)
        if not found:
            return None
        return found[1].replace('""', '"') if found[1] is not None else found[2].replace("''", "'")

    def whole_number(self, what: str) -> int:
        """A whole number; *what* says what it is."""
        found = self.take(_INTEGER)
        return self._integer(found[0]) if found else self.fail(what)

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
