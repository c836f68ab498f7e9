"""Shapes: what data from outside has to look like, as data, and the check of it.

The one idea: a shape is written like the data that it describes.

    str, int, float, bool        a value of that kind; a whole number is a number too, truth is not
    None                         nothing, JSON's null
    (shape, ...)                 one of several
    [shape]                      a list of such
    {"key": shape, ...}          a table; keys may be missing, others may be there and are left alone
    {str: shape}                 a table of any keys
    re.compile(...)              text that matches

Texts hold no NUL, and are no longer than a person's ever get.

Must not import anything of the package but :mod:`dreamer.wording`, nor anything heavy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dreamer.wording import one_line, shown

Shape = Any
"""As the docstring of this module says."""

_MOST_CHARS = 200_000
_KINDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    None: "nothing",
    object: "anything",
}
# Halves of a pair that do not stand for a byte of a file's name.
_BROKEN = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")
_JSON = {None: "null", True: "true", False: "false"}


def problem(value: Any, shape: Shape, where: str = "it") -> str | None:
    """Say where data first differs from a shape.

    Args:
        value: As JSON or TOML gave it.
        shape: What is expected.
        where: What the value is called.

    Returns:
        A clause such as ``"seed is null; expected a whole number"``; None where all is well.

    Example:
        >>> problem({"seed": None}, {"seed": int})
        'seed is null; expected a whole number'
        >>> problem({"seed": 3, "more": []}, {"seed": int}) is None
        True
    """
    if isinstance(shape, tuple):
        found = [problem(value, one, where) for one in shape]
        # Of a table or a list among the choices, what is wrong within says more.
        within = [one for one, choice in zip(found, shape, strict=True) if one and _is_open(value, choice)]
        return None if None in found else within[0] if within else _differs(value, shape, where)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _differs(value, shape, where)
        return _first(problem(one, shape[0], f"{where}[{index}]") for index, one in enumerate(value))
    if isinstance(shape, dict):
        return _of_table(value, shape, where)
    return None if _is_of_kind(value, shape) else _differs(value, shape, where)


def _of_table(value: Any, shape: Mapping[Any, Shape], where: str) -> str | None:
    if not isinstance(value, dict):
        return _differs(value, shape, where)
    prefix = "" if where == "it" else f"{where}."
    if str in shape:
        keys = _first(problem(key, str, f"a name in {where}") for key in value)
        return keys or _first(problem(one, shape[str], f"{prefix}{_named(key)}") for key, one in value.items())
    return _first(problem(value[key], one, f"{prefix}{key}") for key, one in shape.items() if key in value)


def _named(key: str) -> str:
    shown = one_line(key)
    return shown if len(shown) < 100 else f"{shown[:97]}..."


def _first(problems: Any) -> str | None:
    return next((one for one in problems if one is not None), None)


def _is_open(value: Any, shape: Shape) -> bool:
    return isinstance(shape, dict | list) and isinstance(value, type(shape))


def _is_of_kind(value: Any, kind: Shape) -> bool:
    if kind is object:
        return True
    if kind is None:
        return value is None
    if isinstance(kind, re.Pattern):
        return isinstance(value, str) and kind.fullmatch(value) is not None
    if kind is str:
        return isinstance(value, str) and len(value) <= _MOST_CHARS and not _BROKEN.search(value)
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    return isinstance(value, int | float if kind is float else kind)


def _differs(value: Any, shape: Shape, where: str) -> str:
    received = _JSON[value] if value is None or isinstance(value, bool) else shown(value)
    return f"{where} is {received}; expected {_in_words(shape)}"


def _in_words(shape: Shape) -> str:
    if isinstance(shape, tuple):
        return " or ".join(map(_in_words, shape))
    if isinstance(shape, dict | list):
        return "a table" if isinstance(shape, dict) else "a list"
    return "text of another form" if isinstance(shape, re.Pattern) else _KINDS[shape]
