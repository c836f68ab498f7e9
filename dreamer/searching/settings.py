"""What one search is told.

Must not import NumPy, Keras or anything heavy: the command line reads its defaults from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral

from dreamer.settings import SEEDS, Range, Settings
from dreamer.visualizing.settings import VisualizeSettings

PAGE, DATA = "index.html", "found.json"
"""The files by which one knows a folder that was filled already."""


@dataclass(frozen=True)
class SearchSettings(Settings):
    """All that a search depends on besides the objective and the photos.

    Attributes:
        top: How many photos are found at either end.
        steps: In how many steps the objective is drawn, to be seen beside the photos; 0 for not at all.
        model: Name of the network, or the path of a ``.keras`` file.
        preprocessing: How pictures are prepared for a network from a file; None for what is known of it.
        seed: Of what is drawn.

    Raises:
        SettingsError: A value is impossible.

    Example:
        >>> SearchSettings(top=4).model
        'efficientnet_lite0_robust'
    """

    top: int = 12
    steps: int = 96
    model: str = VisualizeSettings.model
    preprocessing: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        self._check(_RANGES, (), {})

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them."""
        return self.values()


_RANGES: Mapping[str, Range] = {
    "top": (Integral, 1, 1000, "a whole number: 1 to 1000"),
    "steps": (Integral, 0, 100_000, "a whole number: 0 to 100000"),
    "seed": SEEDS,
}
