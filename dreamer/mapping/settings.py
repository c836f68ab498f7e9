"""What one map is told.

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

PAGE, DATA = "index.html", "map.json"
"""The files by which one knows a folder that was filled already."""


@dataclass(frozen=True)
class MapSettings(Settings):
    """All that a map depends on besides the layer and the photos.

    Attributes:
        grids: How many cells the map has along each side, a number for each level of zoom, coarse to fine; none for
            what suits the number of photos.
        layout: ``"tsne"``, ``"umap"``, or the path of a ``.npy`` file with a place for each point, ``(points, 2)``.
        per_photo: How many positions are taken of each photo; None for one, or more where photos are few.
        steps: In how many steps icons are drawn; 0 for none.
        size: Of an icon, in pixels.
        model: Name of the network, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file; None for what is known of it.
        seed: Everything random comes from it.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> MapSettings(grids=8).grids
        (8,)
    """

    grids: tuple[int, ...] = ()
    layout: str = "tsne"
    per_photo: int | None = None
    steps: int = 64
    size: int = 96
    model: str = VisualizeSettings.model
    preprocessing: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        grids = (self.grids,) if isinstance(self.grids, Integral) else tuple(self.grids)
        if not all(isinstance(one, Integral) and 1 <= int(one) <= _MOST_CELLS for one in grids):
            raise SettingsError(f"grids is {shown(self.grids)}; expected numbers of cells, each 1 to {_MOST_CELLS}")
        object.__setattr__(self, "grids", tuple(sorted({int(one) for one in grids})))
        self._check(_RANGES, ("per_photo",), {}, ("layout",))

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them."""
        return self.values() | {"grids": list(self.grids)}


_MOST_CELLS = 100
_RANGES: Mapping[str, Range] = {
    "per_photo": (Integral, 1, 1000, "a whole number: 1 to 1000"),
    "steps": (Integral, 0, 100_000, "a whole number: 0 to 100000"),
    "size": (Integral, 32, 512, "a whole number of pixels: 32 to 512"),
    "seed": SEEDS,
}
