r"""Characters or tokens, and the numbers that a network knows them by.

The one idea: a vocabulary is a list of texts in the order of their numbers. If each is a single character, a text is
read character by character; else by the longest entry that fits. A file holds it as a JSON list, or as text with an
entry a line (``\n``, ``\t``, ``\r`` and ``\\`` as escapes); a text file of a single line is its characters.

Must not import Keras.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import SettingsError
from dreamer.files.regular import read_text
from dreamer.wording import shown

UNKNOWN = "[UNK]"
PADDING = ""
_MOST_BYTES = 50_000_000
_MOST_LISTED = 10
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


@dataclass(frozen=True)
class Vocabulary:
    r"""What each number stands for.

    Attributes:
        entries: In the order of their numbers. ``""`` is padding, ``"[UNK]"`` stands for everything else.

    Raises:
        SettingsError: An entry is there twice, or there is none.

    Example:
        >>> Vocabulary(("a", "b", "\n")).numbers("ab\nb").tolist()
        [0, 1, 2, 1]
    """

    entries: tuple[str, ...]

    def __post_init__(self) -> None:
        twice = [entry for entry, count in Counter(self.entries).items() if count > 1]
        if twice:
            raise SettingsError(f"the vocabulary has {shown(twice[0])} twice; expected each entry once")
        if not [entry for entry in self.entries if entry not in (PADDING, UNKNOWN)]:
            raise SettingsError("the vocabulary has no entry; expected characters or tokens")

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {entry: number for number, entry in enumerate(self.entries)}

    @property
    def unknown(self) -> int | None:
        """The number that stands for what is not in it; None where there is none."""
        return self._numbers.get(UNKNOWN)

    @cached_property
    def writable(self) -> tuple[int, ...]:
        """The numbers of entries that stand for a text."""
        return tuple(number for number, one in enumerate(self.entries) if one not in (PADDING, UNKNOWN))

    def pieces(self, text: str) -> list[str]:
        """A text cut into entries, and into single characters where none fits.

        Example:
            >>> Vocabulary(("the", "t", "h", " ")).pieces("the th")
            ['the', ' ', 't', 'h']
        """
        longest = max(len(self.entries[number]) for number in self.writable)
        if longest == 1:
            return list(text)
        ordered = sorted((self.entries[number] for number in self.writable), key=len, reverse=True)
        return re.findall("|".join([*map(re.escape, ordered), "."]), text, re.DOTALL)

    def numbers(self, text: str) -> NDArray[np.int32]:
        """The numbers of a text's characters or tokens: ``(steps,)``.

        Raises:
            SettingsError: Some are not in it, and nothing stands for those.
        """
        pieces = self.pieces(text)
        unknown = Counter(piece for piece in pieces if piece not in self._numbers)
        if unknown and self.unknown is None:
            most = ", ".join(f"{one!r} ({count:,})" for one, count in unknown.most_common(_MOST_LISTED))
            raise SettingsError(
                f"{unknown.total():,} of the {len(pieces):,} characters of the text are outside the vocabulary of "
                f"{len(self)}: {most}{', ...' if len(unknown) > _MOST_LISTED else ''}. Take them out, or take a "
                "network that knows them"
            )
        return np.array([self._numbers.get(piece, self.unknown or 0) for piece in pieces], np.int32)

    def text(self, numbers: Sequence[int] | NDArray[np.int32]) -> str:
        """The text of some numbers."""
        return "".join(self.entries[int(number)] for number in numbers)

    def fitting(self, count: int, name: str) -> Vocabulary:
        """The same, as a network of so many numbers has it: one more than entries is padding, first.

        Raises:
            SettingsError: The counts do not fit.
        """
        if count == len(self):
            return self
        if count == len(self) + 1 and PADDING not in self._numbers:
            return Vocabulary((PADDING, *self.entries))
        raise SettingsError(
            f"the vocabulary has {len(self)} entries, and {name} takes {count} different numbers; expected {count}, or "
            f"{count - 1} if 0 is padding"
        )

    def written(self) -> str:
        """It as the contents of a ``.txt``."""
        escapes = {ord(sign): f"\\{letter}" for letter, sign in _ESCAPES.items()}
        return "".join(f"{entry.translate(escapes)}\n" for entry in self.entries)


def read(path: Path) -> Vocabulary:
    """Read a vocabulary from its file.

    Raises:
        SettingsError: It cannot be read, or is none.
    """
    try:
        text = read_text(path, most=_MOST_BYTES)
        if path.suffix.lower() == ".json":
            entries = json.loads(text)
            if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
                raise SettingsError(f'{path} is no list of texts; expected a vocabulary as ["a", "b"]')
            return Vocabulary(tuple(entries))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SettingsError(f"cannot read {path}: {reason}") from error
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if len(lines) == 1:
        return Vocabulary(tuple(dict.fromkeys(_unescaped(lines[0]))))
    return Vocabulary(tuple(map(_unescaped, lines)))


def of_text(text: str, least: int = 2) -> Vocabulary:
    """The characters of a text, sorted; those that occur less often than *least* go by ``[UNK]``.

    Example:
        >>> of_text("banana!").entries
        ('[UNK]', 'a', 'n')
    """
    counts = Counter(text)
    return Vocabulary((UNKNOWN, *sorted(one for one, count in counts.items() if count >= least)))


def _unescaped(line: str) -> str:
    return re.sub(r"\\([ntr\\])", lambda found: _ESCAPES[found[1]], line)
