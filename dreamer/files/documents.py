"""TOML and JSON: the one way to read them from outside, and to write TOML.

The one idea: whoever wrote a file may have meant harm. So its size and its depth are bounded, and what is wrong with
it is a ``ValueError`` that says so in a line, never a ``RecursionError``. What is written cannot be broken out of:
neither values nor comments hold anything that a terminal obeys.

Must not import anything of the package but :mod:`dreamer.files.regular` and :mod:`dreamer.wording`, nor anything heavy.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dreamer.files.regular import read_text
from dreamer.wording import is_obeyed, one_line

MOST_BYTES = 1_000_000
"""Of a file of settings, which a person writes."""

_DEEPEST = 32
# Keys with dots are followed part by part, so many long ones take very long.
_MOST_PARTS = 16
_PART = r"(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')"
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*(?:{_PART}[ \t]*\.[ \t]*){{{_MOST_PARTS},}}", re.MULTILINE)
_TOO_DEEP = "it is nested too deeply"


def read_toml(path: Path, *, most: int = MOST_BYTES) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: A regular file.
        most: Refuse a larger one, in bytes.

    Raises:
        OSError: It cannot be read, or is anything but a regular file; ``strerror`` completes "PATH: ...".
        ValueError: It is no TOML, or nested too deeply.
    """
    return parse_toml(read_text(path, most=most))


def parse_toml(text: str) -> dict[str, Any]:
    """What a text of TOML holds.

    Raises:
        ValueError: It is no TOML, or nested too deeply.

    Example:
        >>> parse_toml("steps = 3")
        {'steps': 3}
    """
    if _LONG_KEY.search(text):
        raise ValueError(_TOO_DEEP)
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check_depth(found)
    return found


def parse_json(data: str | bytes) -> Any:
    """What a text of JSON holds. NaN and infinity, which JSON does not have but Python writes, are None.

    Raises:
        ValueError: It is no JSON, or nested too deeply.

    Example:
        >>> parse_json('{"steps": [3, NaN]}')
        {'steps': [3, None]}
    """
    try:
        found = json.loads(data, parse_constant=lambda _: None, parse_float=_finite)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check_depth(found)
    return found


def toml_line(key: str, value: str | float | Sequence[str]) -> str:
    r"""A key and its value, as a line of TOML.

    Args:
        key: Any text.
        value: Text, a number, truth, or a list of texts.

    Raises:
        ValueError: The text is no Unicode, as the name of a file can be, which TOML cannot hold.

    Example:
        >>> toml_line("title", "a\nb")
        'title = "a\\nb"'
    """
    return f"{toml_key(key)} = {_value(value)}"


def toml_key(name: str) -> str:
    """A key as TOML writes it, in quotes where it must be."""
    return _dumped({name: 0}).removesuffix(" = 0\n")


def toml_comment(text: str) -> str:
    r"""A text as a comment, which nothing in it ends.

    Example:
        >>> toml_comment("From cat.jpg\nsteps = 3")
        '# From cat.jpg\\nsteps = 3'
    """
    return f"# {one_line(text)}"


def _value(value: str | float | Sequence[str]) -> str:
    if isinstance(value, str | int | float):
        return _dumped({"x": value}).removeprefix("x = ").removesuffix("\n")
    return f"[{', '.join(map(_value, value))}]"


def _dumped(table: dict[str, Any]) -> str:
    import tomli_w

    for text in (*table, *table.values()):
        if isinstance(text, str) and any("\ud800" <= char <= "\udfff" for char in text):
            raise ValueError(f"{one_line(text)} is no Unicode text, which a TOML file cannot hold")
    # The writer escapes what TOML forbids; this is what terminals obey besides.
    return "".join(_escape(char) if is_obeyed(char) and char != "\n" else char for char in tomli_w.dumps(table))


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _check_depth(found: Any) -> None:
    level = [found]
    for _ in range(_DEEPEST):
        held = [one for one in level if isinstance(one, dict | list)]
        if not held:
            return
        level = [inner for one in held for inner in (one.values() if isinstance(one, dict) else one)]
    raise ValueError(_TOO_DEEP)
