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


def brief(value: object) -> str:
    """A value that was not expected, as an error shows it: as Python writes it, but neither long nor deep.

    Example:
        >>> brief("x"), brief("x" * 1000).endswith("x'"), len(brief("x" * 1000))
        ("'x'", True, 120)
    """
    return _BRIEF.repr(value)


_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 120


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
