"""Words for a person's eyes: what comes out of files, made harmless before it is said.

The one idea: a terminal obeys control characters, and a recipe, a label or the name of a file can hold any. Whatever
is *said* (notes, errors, tables, progress) goes through :func:`harmless`, or :func:`one_line`; whatever is printed for
another program to read (the path of a result, JSON) stays what it is.

Must not import anything of the package, nor anything heavy.
"""

from __future__ import annotations

import reprlib
import unicodedata

# Control characters; formatting ones, which can turn the order of letters around; halves of a pair, which stand for
# the bytes of a file's name that is no UTF-8; separators of lines and paragraphs.
_SHOWN_AS_ESCAPES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Part of how words and emoji are written.
_JOINERS = frozenset("\u200c\u200d")


def harmless(text: str) -> str:
    r"""Text that a terminal shows as it stands: what it would obey is written as an escape.

    Args:
        text: Any; line feeds and tabs are kept.

    Example:
        >>> harmless("cat\x1b[2J.jpg")
        'cat\\x1b[2J.jpg'
        >>> harmless("caf\udce9.jpg")  # A name in Latin-1, as Python reads it.
        'caf\\xe9.jpg'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_harmless, text))


def one_line(text: str) -> str:
    r"""The same on a single line, as a cell of a table or a comment has to be: line feeds and tabs are escapes too.

    Example:
        >>> one_line("cat.jpg\nError: none")
        'cat.jpg\\nError: none'
    """
    return harmless(text).replace("\n", "\\n").replace("\t", "\\t")


def is_obeyed(char: str) -> bool:
    """Whether a terminal obeys a character rather than showing it, or has nothing to show for it."""
    return unicodedata.category(char) in _SHOWN_AS_ESCAPES and char not in _JOINERS


def _harmless(char: str) -> str:
    if char in "\n\t" or not is_obeyed(char):
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_OF_DOCUMENTS = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "×": "*", "·": "*"}  # noqa: RUF001
    | dict.fromkeys("‐‑‒–—―−", "-")  # noqa: RUF001
)


def as_typed(text: str) -> str:
    """Text with the signs of the keyboard for those that a document sets in their place: quotation marks, dashes.

    Example:
        >>> as_typed("“tabby”")
        '"tabby"'
    """
    return text.translate(_OF_DOCUMENTS)


def shown(value: object) -> str:
    """A value that was received, for a message: as Python writes it, but neither long nor deep.

    Example:
        >>> shown("block4b"), len(shown("block4b" * 100_000))
        ("'block4b'", 65)
    """
    return " ".join(_SHOWN.repr(value).split())


class _Shown(reprlib.Repr):
    """As `reprlib` shortens values, but of a text the beginning is kept."""

    most = 60

    def repr_str(self, text: str, _level: int) -> str:
        return repr(text if len(text) <= self.most else f"{text[: self.most]}...")

    def repr_int(self, value: int, _level: int) -> str:
        # Python writes none of some thousand digits.
        return repr(value) if abs(value) < 10**self.most else f"a whole number of {value.bit_length()} bits"


_SHOWN = _Shown()
_SHOWN.maxother = _Shown.most


def number(value: float) -> str:
    """A number as a person would write it, and not a bit less than it is.

    Example:
        >>> number(2.0), number(0.1 + 0.2)
        ('2', '0.30000000000000004')
    """
    return f"{value:g}" if float(f"{value:g}") == value else repr(float(value))
