"""Names of a package that load when they are first used, so that importing the package costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def exports(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """What a package defines as its ``__getattr__`` and ``__dir__``.

    Args:
        package: Its name.
        homes: Where each name lives; a module of that name itself where the two are the same.

    Example:
        >>> look_up, listed = exports("dreamer", {"digest_of": "dreamer.files.digests"})
        >>> look_up("digest_of").__name__, listed()
        ('digest_of', ['digest_of'])
    """

    def look_up(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = import_module(homes[name])
        return home if homes[name] == f"{package}.{name}" else getattr(home, name)

    return look_up, lambda: sorted(homes)
