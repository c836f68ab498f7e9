"""Patterns such as ``**/*.jpg``: which names they mean.

The one idea: a pattern is a machine whose states are its own parts, and all states that a name may have reached are
followed at once. So the time is at the most the product of both lengths, whatever the pattern.

Must not import: networks, Keras or anything heavy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

from dreamer.errors import SettingsError

_MOST = 1000  # Characters; a person needs some twenty.
_ANY_FOLDERS = None


class Glob:
    """Which names are meant; capital letters do not matter.

    Args:
        text: Parts with ``/`` between them; ``**`` stands for any number of folders, the rest is as in a shell.

    Attributes:
        text: The pattern.

    Raises:
        SettingsError: It is longer than any pattern that a person would write.

    Example:
        >>> Glob("**/*.jpg").matches("2024/May/x.JPG"), Glob("*.jpg").matches("2024/x.jpg")
        (True, False)
    """

    def __init__(self, text: str) -> None:
        if len(text) > _MOST:
            raise SettingsError(
                f"the pattern {text[:20]!r}... has {len(text):,} characters; expected at most {_MOST:,}"
            )
        self.text = text
        self._parts = [
            _ANY_FOLDERS if part == "**" else re.compile(translate(part)).match for part in text.lower().split("/")
        ]

    def matches(self, name: str) -> bool:
        """Whether a name, with ``/`` between its parts, is meant."""
        states = self._with_skipped({0})
        for part in name.lower().split("/"):
            reached = set()
            for state in states:
                if state == len(self._parts):
                    continue
                wanted = self._parts[state]
                if wanted is _ANY_FOLDERS:
                    reached.add(state)
                elif wanted(part):
                    reached.add(state + 1)
            states = self._with_skipped(reached)
        return len(self._parts) in states

    def _with_skipped(self, states: Iterable[int]) -> set[int]:
        """States, and those that are reached from them since ``**`` may stand for nothing."""
        found: set[int] = set()
        for state in states:
            while state not in found:
                found.add(state)
                if state < len(self._parts) and self._parts[state] is _ANY_FOLDERS:
                    state += 1
        return found
