"""What one run is told: frozen values, checked once, that serialise.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any

from dreamer.errors import SettingsError, close_matches

CONDITIONINGS = ("none", "smooth", "laplacian")
"""How the gradient may be conditioned; see ``dreamer.ascent.gradients``."""


BACKENDS = ("tensorflow", "jax", "torch")
"""What Keras may run on; see ``dreamer.ascent.backend``."""

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
"""In which type of number a network may be computed; see ``dreamer.ascent.precision``."""


@dataclass(frozen=True)
class Target:
    """A layer, or one channel of it, and how much it counts.

    Attributes:
        layer: Name of the layer.
        channel: Index of the channel from 0; None for the whole layer.
        weight: Factor of its score; negative to make the activation small instead.

    Example:
        >>> str(Target("block4b", channel=17, weight=0.5))
        'block4b:17=0.5'
    """

    layer: str
    channel: int | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.layer:
            raise SettingsError("a target needs the name of a layer, as in 'block5c' or 'block5c:17=0.5'")
        if self.channel is not None and self.channel < 0:
            raise SettingsError(f"channel {self.channel} of {self.layer!r}: expected an index of 0 or more")
        if not math.isfinite(self.weight) or self.weight == 0:
            raise SettingsError(f"weight {self.weight} of {self.layer!r}: expected a finite number other than 0")

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``LAYER[:CHANNEL][=WEIGHT]``.

        Args:
            text: As typed: ``"block5c"``, ``"block5c:17"``, ``"block5c:17=-0.5"``.

        Returns:
            The target.

        Raises:
            SettingsError: The text has another form.

        Example:
            >>> Target.parse("block5c=2")
            Target(layer='block5c', channel=None, weight=2.0)
        """
        unit, equals, weight = text.partition("=")
        layer, colon, channel = unit.strip().partition(":")
        try:
            return cls(layer, int(channel) if colon else None, float(weight) if equals else 1.0)
        except ValueError:
            raise SettingsError(
                f"cannot read the target {text!r}; expected LAYER[:CHANNEL][=WEIGHT], as in 'block5c:17=0.5'"
            ) from None

    def __str__(self) -> str:
        unit = self.layer if self.channel is None else f"{self.layer}:{self.channel}"
        return unit if self.weight == 1 else f"{unit}={self.weight!r}"


@dataclass(frozen=True)
class DreamSettings:
    """All that a dream depends on besides the photo.

    Attributes:
        model: Name of the network, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file, as in ``"-1..1"``; None for
            what is known of it.
        targets: What is made larger, as :class:`Target` values or as text for
            :meth:`Target.parse`; none for the network's own default.
        octaves: How many sizes at the most; None for as many as the picture is large.
        octave_scale: Ratio of the sides of neighbouring octaves, above 1.
        steps: Steps of ascent in each octave.
        step_size: Root-mean-square change of the picture per step, in units of its range [0, 1].
        jitter: Largest random shift in each step, in pixels. A picture of several tiles is shifted
            by up to half a tile instead.
        rotate: Largest random rotation in each step, in degrees.
        scale: Largest random change of size in each step, as a fraction: 0.1 for 0.9 to 1.1.
        conditioning: ``"none"``, ``"smooth"`` or ``"laplacian"``.
        strength: How much of the dream is laid over the photo, from 0 to 1.
        max_size: Longest side of the result in pixels; a larger photo is made smaller first.
        tile: Longest side of a tile in pixels; it bounds the memory that the network needs.
        precision: ``"float32"``, ``"bfloat16"`` or ``"float16"`` to compute the network in, or ``"auto"``
            for the quickest on this machine in which its dreams are as good.
        seed: Everything random comes from it.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> DreamSettings(targets=["block4b"], seed=7).targets
        (Target(layer='block4b', channel=None, weight=1.0),)
    """

    model: str = "efficientnet_lite0"
    preprocessing: str | None = None
    targets: tuple[Target, ...] = ()
    octaves: int | None = None
    octave_scale: float = 1.4
    steps: int = 20
    step_size: float = 0.01
    jitter: int = 32
    rotate: float = 0.0
    scale: float = 0.0
    conditioning: str = "smooth"
    strength: float = 1.0
    max_size: int | None = None
    tile: int = 512
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", _targets(self.targets))
        for field, (kind, low, high, expected) in _RANGES.items():
            value = getattr(self, field)
            if value is None and field in _OPTIONAL:
                continue
            is_number = isinstance(value, kind) and not isinstance(value, bool)
            if not is_number:
                raise SettingsError(f"{field} is {value!r}; expected {expected}")
            if not low <= value <= high:
                raise SettingsError(f"{field} is {value}; expected {expected}")
            # NumPy's numbers become Python's, which JSON can hold.
            object.__setattr__(self, field, int(value) if kind is Integral else float(value))
        for field, allowed in (("conditioning", CONDITIONINGS), ("precision", PRECISIONS)):
            if getattr(self, field) not in allowed:
                raise SettingsError(f"{field} is {getattr(self, field)!r}; expected one of {', '.join(allowed)}")

    @classmethod
    def of(cls, **keywords: Any) -> DreamSettings:
        """Build settings from keywords, with a helpful error for a mistyped one.

        Raises:
            SettingsError: A keyword names no setting, or a value is impossible.
        """
        known = [field.name for field in fields(cls)]
        for name in keywords:
            if name not in known:
                raise SettingsError(f"there is no setting {name!r}.{close_matches(name, known)}")
        return cls(**keywords)

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them, targets as text."""
        return asdict(self) | {"targets": [str(target) for target in self.targets]}


_TINY = 1e-9  # Stands for "above" in a closed range.

_OPTIONAL = ("octaves", "max_size")

# Kind (whole or any real number, of Python's or NumPy's), least, largest, and how to say that.
_RANGES: dict[str, tuple[type, float, float, str]] = {
    "octaves": (Integral, 1, 100, "a whole number: 1 to 100"),
    "octave_scale": (Real, 1.01, 10, "1.01 to 10"),
    "steps": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "step_size": (Real, _TINY, 1, "a number above 0, at most 1"),
    "jitter": (Integral, 0, 4096, "a whole number: 0 to 4096 pixels"),
    "rotate": (Real, 0, 180, "0 to 180 degrees"),
    "scale": (Real, 0, 0.5, "a fraction from 0 to 0.5"),
    "strength": (Real, 0, 1, "0 to 1"),
    "max_size": (Integral, 1, 1_000_000, "a whole number: 1 to 1000000 pixels"),
    "tile": (Integral, 32, 16_384, "a whole number: 32 to 16384 pixels"),
    "seed": (Integral, 0, 2**64 - 1, "a whole number: 0 to 2**64 - 1"),
}


def _targets(targets: Iterable[Target | str]) -> tuple[Target, ...]:
    if isinstance(targets, str):
        targets = [targets]
    if not isinstance(targets, Iterable):
        raise SettingsError(f"targets are {targets!r}; expected a sequence such as ['block5c', 'block4b:17=0.5']")
    found = tuple(Target.parse(target) if isinstance(target, str) else target for target in targets)
    for target in found:
        if not isinstance(target, Target):
            raise SettingsError(f"a target is {target!r}; expected text such as 'block5c:17=0.5'")
    return found
