"""What one visualization is told.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from dreamer import plugins
from dreamer.backends import PRECISIONS
from dreamer.errors import SettingsError
from dreamer.models.keras_file import is_path
from dreamer.settings import MOST_NOISE, PRIOR_WEIGHT, SEEDS, TINY, Range, Settings, digests_of, falling
from dreamer.transforms import Transforms
from dreamer.visualizing.looks import LOOKS
from dreamer.wording import shown

PARAMETRIZATIONS = ("cosine", "fourier", "pixels", "maco")
"""What a visualization may be made from; see ``dreamer.ascent.parametrizations``."""

OPTIMIZERS = ("momentum", "adam", "nadam")
"""What may make a visualization; see ``dreamer.ascent.optimizing``."""


def parametrization_names() -> tuple[str, ...]:
    """All that pictures may be made from, those of plug-ins last."""
    return (*PARAMETRIZATIONS, *plugins.names("dreamer.parametrizations"))


@dataclass(frozen=True)
class VisualizeSettings(Settings):
    """All that a visualization depends on besides what is visualized.

    Attributes:
        model: Name of the network, or the path of a ``.keras`` file.
        jointly_with: The same of other networks that are to see the target in the same picture: the mean of their
            gradients is climbed.
        preprocessing: How pictures are prepared for the network ``model`` from a file, as in ``"-1..1"``; None for
            what is known of it.
        size: ``(height, width)`` of the pictures, or one number for both.
        steps: Steps of the optimizer.
        look: A name of :data:`~dreamer.visualizing.looks.LOOKS`, which decides all of the four below that are None;
            None for the look that goes with the kind of target.
        parametrization: ``"cosine"``, ``"fourier"``, ``"pixels"`` or ``"maco"``: what the pictures are made from.
            Where it is named and no look is, what is None below goes with it.
        spectrum: For ``"maco"``, the file with the magnitudes, as ``dreamer spectrum`` writes it; None for 1/f.
        transforms: How each step sees the pictures, as a :class:`Transforms`, the name of a set, or the path of a
            TOML file.
        optimizer: ``"momentum"``, ``"adam"`` or ``"nadam"``.
        learning_rate: How far a step goes.
        prior: A name of ``dreamer priors list``, or the path of a ``.keras`` file: a network that pulls the picture to
            likelier ones after each step; None for none.
        prior_weight: Which share of the way there is taken per step; None for what is usual with the prior.
        prior_noise: How strong the noise is that the prior takes off, in units of the picture's range: at the first
            and at the last step; or one number.
        diversity: How many pictures of each target there are, as different from each other as they can be.
        diversity_weight: How much their difference counts, as a share of the target's own score.
        start: A picture that the pictures begin with; None for noise.
        alpha: Whether the parts of the picture that never mattered become transparent.
        precision: ``"float32"``, ``"bfloat16"`` or ``"float16"`` to compute the network in, or ``"auto"``
            for the quickest on this machine in which its pictures are as good.
        seed: Everything random comes from it.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> VisualizeSettings(size=96, transforms="none").size
        (96, 96)
    """

    model: str = "efficientnet_lite0_robust"
    jointly_with: tuple[str, ...] = ()
    preprocessing: str | None = None
    size: tuple[int, int] = (224, 224)
    steps: int = 128
    look: str | None = None
    parametrization: str | None = None
    spectrum: str | None = None
    transforms: Transforms | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    prior: str | None = None
    prior_weight: float | None = None
    prior_noise: tuple[float, float] = (0.2, 0.02)
    diversity: int = 1
    diversity_weight: float = 1.0
    start: str | None = None
    alpha: bool = False
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _size(self.size))
        if self.transforms is not None:
            object.__setattr__(self, "transforms", Transforms.of(self.transforms))
        if self.spectrum is not None and self.parametrization != "maco":
            found = self.parametrization or "a look"
            raise SettingsError(f"spectrum is for the parametrization maco; with {found} it has no use")
        object.__setattr__(self, "jointly_with", _names(self.jointly_with))
        object.__setattr__(self, "prior_noise", falling("prior_noise", self.prior_noise, MOST_NOISE))
        choices: dict[str, Sequence[str]] = {"precision": PRECISIONS}
        optional = {"look": tuple(LOOKS), "parametrization": parametrization_names(), "optimizer": OPTIMIZERS}
        choices |= {name: allowed for name, allowed in optional.items() if getattr(self, name) is not None}
        self._check(_VISUALIZE_RANGES, ("learning_rate", "prior_weight"), choices, ("spectrum", "start", "prior"))
        if not isinstance(self.alpha, bool):
            raise SettingsError(f"alpha is {shown(self.alpha)}; expected true or false")

    @property
    def models(self) -> tuple[str, ...]:
        """All networks that see the pictures."""
        return (self.model, *self.jointly_with)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that a visualization depends on besides those of its targets and the network."""
        prior = self.prior if self.prior is not None and is_path(self.prior) else None
        return tuple(file for file in (self.spectrum, self.start, prior) if file is not None)

    def file_digests(self) -> dict[str, str]:
        """The SHA-256 of each of its :attr:`files`.

        Raises:
            SettingsError: One cannot be read.
        """
        return digests_of(self.files)

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them."""
        return self._told() | {
            "size": list(self.size),
            "jointly_with": list(self.jointly_with),
            "transforms": None if self.transforms is None else self.transforms.to_dict(),
        }


_VISUALIZE_RANGES: Mapping[str, Range] = {
    "steps": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "learning_rate": (Real, TINY, 100, "a number above 0, at most 100"),
    "prior_weight": PRIOR_WEIGHT,
    "diversity": (Integral, 1, 64, "a whole number: 1 to 64"),
    "diversity_weight": (Real, 0, 1000, "a number from 0 to 1000"),
    "seed": SEEDS,
}

_MOST_NETWORKS = 8


def _names(value: Any) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, list | tuple) else (value,)
    if len(names) >= _MOST_NETWORKS or not all(isinstance(one, str) and one and "\0" not in one for one in names):
        raise SettingsError(
            f"jointly_with is {shown(value)}; expected names of networks, or paths of .keras files, at most "
            f"{_MOST_NETWORKS - 1}"
        )
    return names


LEAST_SIDE, _MOST_SIDE = 16, 4096
"""Pixels of a picture's sides."""


def _size(value: Any) -> tuple[int, int]:
    sides = (value, value) if isinstance(value, Integral) else value
    whole = isinstance(sides, tuple | list) and len(sides) == 2 and all(isinstance(side, Integral) for side in sides)
    if not whole or not all(LEAST_SIDE <= int(side) <= _MOST_SIDE for side in sides):
        raise SettingsError(
            f"size is {shown(value)}; expected a number of pixels, or height and width, each {LEAST_SIDE} to "
            f"{_MOST_SIDE}"
        )
    return int(sides[0]), int(sides[1])
