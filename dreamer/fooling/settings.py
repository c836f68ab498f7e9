"""What one attack is told.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from dreamer.errors import SettingsError
from dreamer.settings import SEEDS, Range, Settings

METHODS = ("fgsm", "pgd", "cw")
NORMS = ("linf", "l2")

WORK_BYTES = 250
"""Memory that an attack takes for each pixel of a photo."""


@dataclass(frozen=True)
class FoolSettings(Settings):
    """All that an attack depends on besides the photo.

    Attributes:
        to: The class that the network is to see, by its name, its number, or ``logit:`` and either; None for any but
            the one that it sees now.
        method: ``"fgsm"`` (one step), ``"pgd"`` (many, within a bound) or ``"cw"`` (the least change, after Carlini and
            Wagner); None for what goes with the bound: ``"cw"`` where there is none, else ``"pgd"``.
        norm: How large a change is: ``"linf"``, the most that a pixel changes, or ``"l2"``, the root of the sum of
            squares; None for what goes with the method.
        eps: The bound: in whole levels of 255 for ``"linf"``; in units of the range from black to white for ``"l2"``.
            None for the least that does it.
        confidence: The probability that the network is to give the new class, from 0.5 on; None for more than any
            other.
        steps: Of PGD, or of each of the searches of ``"cw"``; None for 40 and 60.
        survive_jpeg: The quality at which the picture is to fool the network after it became a JPEG, too; None for
            as it is.
        model: Name of the network, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file; None for what is known of it.
        max_size: The longest side of the photo, in pixels, larger ones are made smaller first; None for any.
        seed: Everything random comes from it; of ``"fgsm"`` and ``"cw"`` nothing is.

    Raises:
        SettingsError: A value is impossible, or contradicts another.

    Example:
        >>> FoolSettings(eps=4).way, FoolSettings().way
        (('pgd', 'linf'), ('cw', 'l2'))
    """

    to: str | None = None
    method: str | None = None
    norm: str | None = None
    eps: float | None = None
    confidence: float | None = None
    steps: int | None = None
    survive_jpeg: int | None = None
    model: str = "efficientnet_lite0"
    preprocessing: str | None = None
    max_size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.to, Integral):
            object.__setattr__(self, "to", str(self.to))
        choices: dict[str, Sequence[str]] = {"method": METHODS, "norm": NORMS}
        self._check(
            _RANGES,
            ("eps", "confidence", "steps", "survive_jpeg", "max_size"),
            {name: allowed for name, allowed in choices.items() if getattr(self, name) is not None},
        )
        if self.to is not None and (not isinstance(self.to, str) or not self.to.strip()):
            raise SettingsError(f"to is {self.to!r}; expected a class, as 'broccoli' or 937")
        if self.method == "cw" and self.norm == "linf":
            raise SettingsError("cw finds the least change by l2; for linf the method is pgd or fgsm")
        if self.method == "cw" and self.eps is not None:
            raise SettingsError("cw finds the least change, so eps has no use; with a bound the method is pgd or fgsm")
        if self.method == "fgsm" and self.steps is not None:
            raise SettingsError("fgsm takes a single step, so steps has no use; for more the method is pgd")
        if self.eps is not None and self.way[1] == "linf" and not (self.eps <= 255 and float(self.eps).is_integer()):
            raise SettingsError(f"eps is {self.eps:g}; expected whole levels, 1 to 255, for linf: a file has no others")

    @property
    def way(self) -> tuple[str, str]:
        """Method and norm, with nothing left open."""
        method = self.method or ("pgd" if self.eps is not None or self.norm == "linf" else "cw")
        return method, self.norm or ("l2" if method == "cw" else "linf")

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them."""
        return self.values()


_RANGES: Mapping[str, Range] = {
    "eps": (Real, 1 / 255, 100_000, "a number from 1/255, which is a level of one pixel, to 100000"),
    "confidence": (Real, 0.5, 0.999, "a probability from 0.5 to 0.999"),
    "steps": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "survive_jpeg": (Integral, 1, 100, "the quality of a JPEG: 1 to 100"),
    "max_size": (Integral, 1, 1_000_000, "a whole number from 1"),
    "seed": SEEDS,
}
