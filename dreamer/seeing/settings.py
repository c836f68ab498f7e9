"""What is asked of a photo.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral

from dreamer.errors import SettingsError
from dreamer.settings import SEEDS, Range, Settings
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.wording import shown

PAGE, DATA = "index.html", "see.json"
"""The files by which one knows a folder that was filled already."""


@dataclass(frozen=True)
class SeeSettings(Settings):
    """All that is asked of a photo.

    Attributes:
        layers: Which layers are looked at; none for three of the network's, from early to late.
        top: How many channels of each are shown.
        for_class: A class, by its name or number: what speaks for it in the photo is found, and what against; None for
            no class.
        against: Another class: what speaks for the first rather than for this one.
        groups: Into how many groups of channels what a layer finds is split; 0 for none.
        steps: In how many steps the channels are drawn that no atlas has; 0 for not at all.
        size: Of what is drawn, in pixels.
        model: Name of the network, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file; None for what is known of it.
        seed: Everything random comes from it.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> SeeSettings(layers="block4b").layers
        ('block4b',)
    """

    layers: tuple[str, ...] = ()
    top: int = 4
    for_class: str | None = None
    against: str | None = None
    groups: int = 0
    steps: int = 64
    size: int = 128
    model: str = VisualizeSettings.model
    preprocessing: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        layers = (self.layers,) if isinstance(self.layers, str) else tuple(self.layers)
        if not all(isinstance(one, str) and one for one in layers):
            raise SettingsError(f"layers is {shown(self.layers)}; expected names of layers, as block4b")
        object.__setattr__(self, "layers", layers)
        for name in ("for_class", "against"):
            value = getattr(self, name)
            if isinstance(value, Integral):
                object.__setattr__(self, name, str(value))
            elif value is not None and (not isinstance(value, str) or not value.strip()):
                raise SettingsError(f"{name} is {shown(value)}; expected a class, as 'tabby cat' or 281")
        self._check(_RANGES, (), {})
        if self.against is not None and self.for_class is None:
            raise SettingsError("against compares with another class; name that one too")
        if self.groups and self.for_class is None:
            raise SettingsError("groups of channels are told by what they say for a class; name one")

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them."""
        return self.values() | {"layers": list(self.layers)}


_RANGES: Mapping[str, Range] = {
    "top": (Integral, 1, 64, "a whole number: 1 to 64"),
    "groups": (Integral, 0, 32, "a whole number: 0 to 32"),
    "steps": (Integral, 0, 100_000, "a whole number: 0 to 100000"),
    "size": (Integral, 32, 1024, "a whole number of pixels: 32 to 1024"),
    "seed": SEEDS,
}
