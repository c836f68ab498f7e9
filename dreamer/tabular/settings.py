"""What one search for rows is told.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from dreamer.errors import SettingsError
from dreamer.settings import SEEDS, Range, Settings
from dreamer.wording import shown


@dataclass(frozen=True)
class RowSettings(Settings):
    """All that a search for rows depends on besides the network and the table.

    Attributes:
        pair: Whether the rows with the lowest score are wanted as well.
        answers: How many rows of a kind, each different from the others.
        plausible: How much a plausible row gives up of its score to lie as near to real ones as they do to each other:
            the score's deviation over real rows, times this, for each further time of that distance. 0 for no plausible
            rows.
        vary: The columns that may change; None for all that are not fixed.
        ignore: Columns of the table that the network is not given.
        above: The score that a change is to reach; None for that of a class which becomes the answer.
        starts: From how many rows is climbed.
        steps: Of each climb.
        seed: Everything random comes from it.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> RowSettings(vary="duration, amount").vary
        ('duration', 'amount')
    """

    pair: bool = False
    answers: int = 2
    plausible: float = 1.0
    vary: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    above: float | None = None
    starts: int = 24
    steps: int = 150
    seed: int = 0

    def __post_init__(self) -> None:
        self._check(_RANGES, ("above",), {})
        if not isinstance(self.pair, bool):
            raise SettingsError(f"pair is {shown(self.pair)}; expected True or False")
        object.__setattr__(self, "vary", None if self.vary is None else names_of(self.vary, "vary"))
        object.__setattr__(self, "ignore", names_of(self.ignore, "ignore"))

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them."""
        vary = None if self.vary is None else list(self.vary)
        return self.values() | {"vary": vary, "ignore": list(self.ignore)}


def names_of(value: str | Sequence[str], name: str) -> tuple[str, ...]:
    """Names of columns, as a sequence or with commas between them.

    Raises:
        SettingsError: They are none.
    """
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, Sequence) or not all(isinstance(one, str) and one.strip() for one in found):
        raise SettingsError(f"{name} is {shown(value)}; expected names of columns, as 'duration,amount'")
    return tuple(dict.fromkeys(one.strip() for one in found))


_RANGES: Mapping[str, Range] = {
    "answers": (Integral, 1, 20, "a whole number: 1 to 20"),
    "plausible": (Real, 0, 1000, "a number from 0 to 1000"),
    "above": (Real, -1e30, 1e30, "a number"),
    "starts": (Integral, 2, 1000, "a whole number: 2 to 1000"),
    "steps": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "seed": SEEDS,
}
