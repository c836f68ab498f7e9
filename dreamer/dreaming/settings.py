"""What one dream is told.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

from dreamer.backends import PRECISIONS
from dreamer.errors import SettingsError
from dreamer.mask_kinds import as_file, is_kind
from dreamer.memory import DREAM_BYTES, PRIOR_BYTES
from dreamer.models.keras_file import is_path
from dreamer.objectives import Objective
from dreamer.settings import MOST_NOISE, PRIOR_WEIGHT, SEEDS, TINY, Range, Settings, digests_of, falling
from dreamer.wording import shown

CONDITIONINGS = ("none", "smooth", "laplacian")
"""How the gradient may be conditioned; see ``dreamer.ascent.conditioning``."""

BLENDS = ("normal", "multiply", "screen", "overlay", "soft-light", "hard-light", "darken", "lighten", "difference")
"""How a dream may be laid over its photo; see ``dreamer.dreaming.finish``."""

COLORS = ("free", "keep", "luminance")
"""Whose colours a dream may have; see ``dreamer.dreaming.finish``."""


@dataclass(frozen=True)
class DreamSettings(Settings):
    """All that a dream depends on besides the photo.

    Attributes:
        model: Name of the network, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file, as in ``"-1..1"``; None for
            what is known of it.
        objective: What is made larger, as an :class:`Objective` or as its text; None for the network's own default.
        octaves: How many sizes at the most; None for as many as the picture is large.
        octave_scale: Ratio of the sides of neighbouring octaves, above 1.
        steps: Steps of ascent in each octave.
        step_size: Root-mean-square change of the picture per step, in units of its range [0, 1].
        jitter: Largest random shift in each step, in pixels. A picture of several tiles is shifted
            by up to half a tile instead.
        rotate: Largest random rotation in each step, in degrees.
        scale: Largest random change of size in each step, as a fraction: 0.1 for 0.9 to 1.1.
        conditioning: ``"none"``, ``"smooth"`` or ``"laplacian"``.
        prior: A name of ``dreamer priors list``, or the path of a ``.keras`` file: a network that pulls the picture to
            likelier ones after each step; None for none.
        prior_weight: Which share of the way there is taken per step; None for what is usual with the prior.
        prior_noise: How strong the noise is that the prior takes off, in units of the picture's range: at the first
            and at the last step of each octave; or one number.
        strength: How much of the dream is laid over the photo, from 0 to 1.
        mask: A picture that says where to dream: where it is opaque, or white if nothing of it is transparent. Or one
            that is made from the photo: ``"subject"``, ``"sky"`` or ``"edges"``; a file of such a name is
            ``"./subject"``.
        mask_invert: Whether white and black of the mask are exchanged.
        feather: How softly the mask ends, as a share of the longer side.
        calm: How quiet the dream is where the photo is calm, as in skies and on walls: 0 for as loud as elsewhere, 1
            for nothing of it.
        guide: Another picture, whose features the layers of the objective look for.
        blend: How the dream is laid over the photo: ``"normal"``, ``"multiply"``, ...
        colors: ``"free"`` for those of the dream, ``"keep"`` to give it the palette of the photo, ``"luminance"`` to
            change nothing but the photo's brightness.
        contrast: Of the dream: 1 leaves it, 0 is grey.
        saturation: Of the dream: 1 leaves it, 0 has no colours.
        frames: How many pictures an endless zoom has; a single dream is its first.
        zoom: How much each of them is magnified in the next.
        max_size: Longest side of the result in pixels; a larger photo is made smaller first.
        tile: Longest side of a tile in pixels; it bounds the memory that the network needs.
        precision: ``"float32"``, ``"bfloat16"`` or ``"float16"`` to compute the network in, or ``"auto"``
            for the quickest on this machine in which its dreams are as good.
        seed: Everything random comes from it.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> sorted(DreamSettings(objective="block4b - 0.5*block2a:3").objective.layers)
        ['block2a', 'block4b']
    """

    model: str = "efficientnet_lite0"
    preprocessing: str | None = None
    objective: Objective | None = None
    octaves: int | None = None
    octave_scale: float = 1.4
    steps: int = 20
    step_size: float = 0.01
    jitter: int = 32
    rotate: float = 0.0
    scale: float = 0.0
    conditioning: str = "smooth"
    prior: str | None = None
    prior_weight: float | None = None
    prior_noise: tuple[float, float] = (0.1, 0.02)
    strength: float = 1.0
    mask: str | None = None
    mask_invert: bool = False
    feather: float = 0.02
    calm: float = 0.0
    guide: str | None = None
    blend: str = "normal"
    colors: str = "free"
    contrast: float = 1.0
    saturation: float = 1.0
    frames: int = 1
    zoom: float = 1.05
    max_size: int | None = None
    tile: int = 512
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.objective is not None:
            object.__setattr__(self, "objective", Objective.of(self.objective))
        choices = {"conditioning": CONDITIONINGS, "blend": BLENDS, "colors": COLORS, "precision": PRECISIONS}
        if isinstance(self.mask, Path):
            object.__setattr__(self, "mask", as_file(str(self.mask)))
        object.__setattr__(self, "prior_noise", falling("prior_noise", self.prior_noise, MOST_NOISE))
        self._check(_DREAM_RANGES, ("octaves", "max_size", "prior_weight"), choices, ("mask", "guide", "prior"))
        if not isinstance(self.mask_invert, bool):
            raise SettingsError(f"mask_invert is {shown(self.mask_invert)}; expected true or false")
        if self.mask_invert and self.mask is None:
            raise SettingsError("mask_invert exchanges white and black of a mask, and there is none; give a mask")

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them, the objective as text."""
        told = self._told() | {"objective": None if self.objective is None else self.objective.name}
        # Without them a dream is told what it was told before there were such settings, and folders know theirs again.
        usual = {name: type(self).__dataclass_fields__[name].default for name in _LATER}
        return {name: value for name, value in told.items() if name not in usual or value != usual[name]}

    @property
    def files(self) -> tuple[str, ...]:
        """The files that a dream depends on besides the photo and the network."""
        prior = self.prior if self.prior is not None and is_path(self.prior) else None
        mask = None if is_kind(self.mask) else self.mask
        named = [*(self.objective.files if self.objective else ()), self.guide, mask, prior]
        return tuple(dict.fromkeys(file for file in named if file is not None))

    def file_digests(self) -> dict[str, str]:
        """The SHA-256 of each of its :attr:`files`.

        Raises:
            SettingsError: One cannot be read.
        """
        return digests_of(self.files)

    @property
    def work_bytes(self) -> int:
        """What a dream takes for each pixel besides the photo."""
        return DREAM_BYTES + (0 if self.prior is None else PRIOR_BYTES)

    def digest(self) -> str:
        """A digest of what a dream was told: with equal ones, the same weights and versions, dreams are equal.

        Raises:
            SettingsError: A file that it depends on cannot be read.

        Example:
            >>> DreamSettings().digest() == DreamSettings(seed=1).digest()
            False
        """
        known: dict[str, object] = {"settings": self.to_dict(), "files": self.file_digests()}
        if Path(self.model).is_file():
            known["model"] = digests_of([self.model])
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


_LATER = ("calm", "mask_invert")
"""Settings that came after folders of dreams were made without them: told only where they are used."""

_DREAM_RANGES: Mapping[str, Range] = {
    "octaves": (Integral, 1, 100, "a whole number: 1 to 100"),
    "octave_scale": (Real, 1.01, 10, "1.01 to 10"),
    "steps": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "step_size": (Real, TINY, 1, "a number above 0, at most 1"),
    "jitter": (Integral, 0, 4096, "a whole number: 0 to 4096 pixels"),
    "rotate": (Real, 0, 180, "0 to 180 degrees"),
    "scale": (Real, 0, 0.5, "a fraction from 0 to 0.5"),
    "prior_weight": PRIOR_WEIGHT,
    "strength": (Real, 0, 1, "0 to 1"),
    "feather": (Real, 0, 0.5, "a share of the longer side, 0 to 0.5"),
    "calm": (Real, 0, 1, "0 to 1"),
    "contrast": (Real, 0, 10, "0 to 10, 1 to leave it"),
    "saturation": (Real, 0, 10, "0 to 10, 1 to leave it"),
    "frames": (Integral, 1, 100_000, "a whole number: 1 to 100000"),
    "zoom": (Real, 1, 2, "a magnification from 1 to 2"),
    "max_size": (Integral, 1, 1_000_000, "a whole number: 1 to 1000000 pixels"),
    "tile": (Integral, 32, 16_384, "a whole number: 32 to 16384 pixels"),
    "seed": SEEDS,
}
