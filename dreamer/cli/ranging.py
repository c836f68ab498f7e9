"""Options of a sheet that take several values: ``0.3,0.6,1``, ``1..4``, ``0.2..1/5``, ``lace,eyes``.

The one idea: a range is spread out first, and then each value is read by what reads a single one, so both say
in the same words what is wrong with a value.

Must not import anything heavy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import click

from dreamer.choosing.ranges import listed, spread
from dreamer.cli.mistyping import Number, Whole
from dreamer.errors import SettingsError

_PARTS: Mapping[type, Callable[[str], tuple[str, ...]]] = {
    Whole: partial(spread, whole=True),
    Number: partial(spread, whole=False),
}
"""What takes a range of a kind apart; any other is a list."""


class Several(click.ParamType[Any]):
    """One value or several, with commas between them.

    Args:
        single: What reads one of them.
    """

    name = "several"

    def __init__(self, single: Any) -> None:
        self._single = click.types.convert_type(single)
        self._parts = _PARTS.get(type(self._single), listed)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The values, as a list."""
        text = str(value)
        # The name of a file may hold commas.
        is_file = isinstance(self._single, click.types.StringParamType) and os.path.isfile(text)  # noqa: PTH113
        try:
            parts = (text,) if is_file else self._parts(text)
        except SettingsError as error:
            self.fail(str(error), param, ctx)
        return [self._single.convert(part, param, ctx) for part in parts]
