"""A hostile input: the bytes of a file or a text, and what is right."""

from __future__ import annotations

from dataclasses import dataclass

READ, REFUSED, EITHER = "read", "refused", "either"
"""What is right: it is read; it is refused in the project's own words; either, as long as nothing else happens."""


@dataclass(frozen=True)
class Case:
    """A hostile input.

    Attributes:
        name: What is hostile about it; of a file, with its suffix.
        data: The bytes of the file, or the text.
        right: ``READ``, ``REFUSED`` or ``EITHER``.
    """

    name: str
    data: bytes
    right: str

    @property
    def text(self) -> str:
        """The text."""
        return self.data.decode("utf-8", "surrogateescape")
