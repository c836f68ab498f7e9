"""What one dream is told.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

from dreamer.backends import PRECISIONS
from dreamer.dreaming.framing import MIDDLE, Point, ratio_of
from dreamer.dreaming.looks import OF_A_LOOK, OF_BOTH, Look, looks_of
from dreamer.errors import SettingsError
from dreamer.mask_kinds import as_file, is_kind
from dreamer.memory import DREAM_BYTES, PRIOR_BYTES, TILEABLE_BYTES
from dreamer.models.keras_file import is_path
from dreamer.objectives import Objective
from dreamer.settings import MOST_NOISE, PRIOR_WEIGHT, SEEDS, TINY, Range, Settings, digests_of, falling
from dreamer.wording import shown

CONDITIONINGS = ("none", "smooth", "laplacian")
"""How the gradient may be conditioned; see ``dreamer.ascent.conditioning``."""

BLENDS = ("normal", "multiply", "screen", "overlay", "soft-light", "hard-light", "darken", "lighten", "difference")
"""How a dream may be laid over its photo; see ``dreamer.dreaming.finish``."""

GROUNDS = ("noise", "gradient", "grey")
"""What may be dreamt of where there is no photo; see ``dreamer.dreaming.grounds``."""

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
            by up to half a tile instead, one that is tileable anywhere.
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
        focus: ``(x, y)``: the point that a zoom goes to, and that ``aspect`` keeps in the picture, in shares of the
            photo's width from the left and of its height from the top. (Sizes are ``(height, width)``; a point is x
            before y, as people type it, wherever it is told.)
        turn: How many degrees each frame of a zoom is turned in the next, clockwise, about the focus.
        ease: Whether a zoom begins and ends at rest, and is quicker between.
        loop: Whether a zoom leads back to its first frame.
        aspect: ``"WIDTH:HEIGHT"``, or one number: the photo is cut to this ratio of its sides, as large as fits and as
            near to the focus; None for all of it.
        max_size: Longest side of the result in pixels; a larger photo is made smaller first.
        tile: Longest side of a tile in pixels; it bounds the memory that the network needs.
        precision: ``"float32"``, ``"bfloat16"`` or ``"float16"`` to compute the network in, or ``"auto"``
            for the quickest on this machine in which its dreams are as good.
        seed: Everything random comes from it.
        tileable: Whether opposite edges meet, so that the result can be laid beside itself.
        size: ``(height, width)`` of a dream of nothing, without a photo; None for a dream of a photo.
        ground: What a dream of nothing begins with: ``"noise"``, ``"gradient"`` or ``"grey"``.
        upscale: How many times the photo's size the result has, before ``max_size`` is looked at.
        looks: Several looks in one dream, mixed or each in its region; none for a dream of one look, which these
            settings are. With looks, what each look has for itself (``dreamer.dreaming.looks.OF_A_LOOK``) is said
            there; strength and mask of the dream hold over all of them.

    Raises:
        SettingsError: A value is impossible, or two of them contradict each other.

    Example:
        >>> sorted(DreamSettings(objective="block4b - 0.5*block2a:3").objective.layers)
        ['block2a', 'block4b']
    """

    model: str = "efficientnet_lite0_robust"
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
    focus: Point = MIDDLE
    turn: float = 0.0
    ease: bool = False
    loop: bool = False
    aspect: str | None = None
    max_size: int | None = None
    tile: int = 512
    precision: str = "auto"
    seed: int = 0
    tileable: bool = False
    size: tuple[int, int] | None = None
    ground: str = "noise"
    upscale: float = 1.0
    looks: tuple[Look, ...] = ()

    def __post_init__(self) -> None:
        if self.objective is not None:
            object.__setattr__(self, "objective", Objective.of(self.objective))
        choices = {"conditioning": CONDITIONINGS, "blend": BLENDS, "colors": COLORS, "precision": PRECISIONS}
        choices |= {"ground": GROUNDS}
        if isinstance(self.mask, Path):
            object.__setattr__(self, "mask", as_file(str(self.mask)))
        object.__setattr__(self, "prior_noise", falling("prior_noise", self.prior_noise, MOST_NOISE))
        object.__setattr__(self, "focus", _point("focus", self.focus))
        if self.aspect is not None:
            ratio_of(self.aspect)
            object.__setattr__(self, "aspect", str(self.aspect).strip())
        for name in ("ease", "loop"):
            if not isinstance(getattr(self, name), bool):
                raise SettingsError(f"{name} is {shown(getattr(self, name))}; expected true or false")
        self._check(_DREAM_RANGES, ("octaves", "max_size", "prior_weight"), choices, ("mask", "guide", "prior"))
        if not isinstance(self.mask_invert, bool):
            raise SettingsError(f"mask_invert is {shown(self.mask_invert)}; expected true or false")
        if self.mask_invert and self.mask is None:
            raise SettingsError("mask_invert exchanges white and black of a mask, and there is none; give a mask")
        object.__setattr__(self, "size", None if self.size is None else _size(self.size))
        if not isinstance(self.tileable, bool):
            raise SettingsError(f"tileable is {shown(self.tileable)}; expected true or false")
        if self.tileable and self.frames > 1:
            raise SettingsError(
                "tileable is for a single picture: each frame of a zoom is a part of the one before, and its edges do "
                "not meet; give frames or tileable"
            )
        if self.size is not None and self.upscale != 1:
            raise SettingsError("upscale is how much a photo grows, and size is that of a dream of nothing; give one")
        object.__setattr__(self, "looks", looks_of(self.looks, DreamSettings))
        self._check_looks()

    def _check_looks(self) -> None:
        """Make sure that the dream says nothing for its looks, nor they for it.

        Raises:
            SettingsError: It does, or they do.
        """
        if not self.looks:
            return
        for name in OF_A_LOOK:
            if name not in OF_BOTH and getattr(self, name) != _USUAL[name]:
                raise SettingsError(f"{name} is said of a dream with several looks, which each has for itself; "
                                    "expected it in the settings of each")  # fmt: skip
        for name in _USUAL.keys() - set(OF_A_LOOK):
            for look in self.looks:
                if getattr(look.settings, name) not in (_USUAL[name], getattr(self, name)):
                    raise SettingsError(f"{name} is said in a look, and all looks of a dream share it; expected it "
                                        "in the settings of the dream")  # fmt: skip

    @classmethod
    def of(cls, /, **keywords: Any) -> Self:
        """Build settings from keywords; where there are looks, what these have for themselves is said to each.

        Raises:
            SettingsError: A keyword names no setting, or a value is impossible.

        Example:
            >>> DreamSettings.of(looks=[Look(DreamSettings()), Look(DreamSettings())], steps=3).looks[1].settings.steps
            3
        """
        looks = looks_of(keywords["looks"], DreamSettings) if keywords.get("looks") else ()
        each = {name: value for name, value in keywords.items() if name in OF_A_LOOK and name not in OF_BOTH}
        if not looks or not each:
            return super().of(**keywords)
        changed = [replace(look, settings=DreamSettings.merged(look.settings, each)) for look in looks]
        whole = {name: value for name, value in keywords.items() if name not in each}
        return super().of(**whole | {"looks": changed})

    def values(self) -> dict[str, Any]:
        """All settings by name, as they are here; of a dream with looks only those that are the dream's."""
        values = super().values()
        if not self.looks:
            return values
        return {name: value for name, value in values.items() if name not in OF_A_LOOK or name in OF_BOTH}

    @property
    def parts(self) -> tuple[DreamSettings, ...]:
        """The settings of each look with what all of them share; of a dream without looks its own.

        The mask of each says where that look is; it holds within that of the dream.

        Example:
            >>> looks = Look(DreamSettings()), Look(DreamSettings(steps=3))
            >>> [(part.steps, part.seed) for part in DreamSettings(seed=7, looks=looks).parts]
            [(20, 7), (3, 7)]
        """
        if not self.looks:
            return (self,)
        shared = {name: getattr(self, name) for name in _USUAL if name not in OF_A_LOOK}
        return tuple(replace(look.settings, **shared) for look in self.looks)

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them, the objective as text."""
        if self.looks:
            told = self.values() | {"looks": [look.to_dict() for look in self.looks]}
        else:
            told = self._told() | {"objective": None if self.objective is None else self.objective.name}
        # Without them a dream is told what it was told before there were such settings, and folders know theirs again.
        usual = {name: type(self).__dataclass_fields__[name].default for name in _LATER}
        known = {name: value for name, value in told.items() if name not in usual or value != usual[name]}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items()}

    @property
    def files(self) -> tuple[str, ...]:
        """The files that a dream depends on besides the photo and the network."""
        prior = self.prior if self.prior is not None and is_path(self.prior) else None
        of_looks = [file for look in self.looks for file in look.settings.files]
        mask = None if is_kind(self.mask) else self.mask
        named = [*(self.objective.files if self.objective else ()), self.guide, mask, prior, *of_looks]
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
        wrapped = TILEABLE_BYTES if self.tileable else 0
        if self.looks:
            # Each look has a climb of its own, beside the picture that all of them make.
            return DREAM_BYTES + sum(look.settings.work_bytes for look in self.looks) + wrapped
        return DREAM_BYTES + (0 if self.prior is None else PRIOR_BYTES) + wrapped

    @property
    def reading(self) -> dict[str, Any]:
        """How the file of a photo is read, as keywords of ``images.decode``: no larger than the dream needs it."""
        # A part with one of the photo's sides for its own has a longer side no shorter than the photo's shorter one.
        side = "max_side" if self.aspect is None else "short_side"
        return {side: self.max_size, "work_bytes": self.work_bytes}

    def digest(self) -> str:
        """A digest of what a dream was told: with equal ones, the same weights and versions, dreams are equal.

        Raises:
            SettingsError: A file that it depends on cannot be read.

        Example:
            >>> DreamSettings().digest() == DreamSettings(seed=1).digest()
            False
        """
        known: dict[str, object] = {"settings": self.to_dict(), "files": self.file_digests()}
        models = [part.model for part in self.parts if Path(part.model).is_file()]
        if models:
            known["model"] = digests_of(models)
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _point(name: str, value: Any) -> Point:
    """A point of a picture.

    Raises:
        SettingsError: It is none.
    """
    numbers = tuple(value) if isinstance(value, list | tuple) else ()
    are_numbers = all(isinstance(one, Real) and not isinstance(one, bool) for one in numbers)
    if len(numbers) != 2 or not are_numbers or not all(0 <= one <= 1 for one in numbers):
        told = ",".join(f"{one:g}" for one in numbers) if len(numbers) == 2 and are_numbers else shown(value)
        raise SettingsError(
            f"{name} is {told}; expected x and y as shares of the photo's width from the left and of its height from "
            "the top, each from 0 to 1"
        )
    return float(numbers[0]), float(numbers[1])


_LATER = (
    *("calm", "mask_invert", "looks"),
    *("focus", "turn", "ease", "loop", "aspect"),
    *("tileable", "size", "ground", "upscale"),
)
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
    "turn": (Real, -180, 180, "degrees, clockwise: -180 to 180"),
    "max_size": (Integral, 1, 1_000_000, "a whole number: 1 to 1000000 pixels"),
    "tile": (Integral, 32, 16_384, "a whole number: 32 to 16384 pixels"),
    "seed": SEEDS,
    "upscale": (Real, 1, 8, "how many times larger, 1 to 8"),
}

_USUAL: Mapping[str, Any] = {
    name: field.default for name, field in DreamSettings.__dataclass_fields__.items() if name != "looks"
}


def _size(value: object) -> tuple[int, int]:
    """A size of two whole numbers.

    Raises:
        SettingsError: It is something else.
    """
    given = value if isinstance(value, list | tuple) else ()
    sides = [int(side) for side in given if isinstance(side, Integral) and not isinstance(side, bool)]
    if len(given) != 2 or len(sides) != 2 or not all(0 < side <= _LONGEST for side in sides):
        raise SettingsError(f"size is {shown(value)}; expected height and width in pixels, each 1 to {_LONGEST}")
    return sides[0], sides[1]


_LONGEST = 1_000_000  # Pixels of a side.
