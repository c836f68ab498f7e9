"""A call that draws an atlas.

(The function lives here and not in a package ``atlas``, because importing that would hide ``dreamer.atlas``.)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamer import progress as progress_bars
from dreamer.atlases import folder, making, units
from dreamer.atlases.catalog import Catalog
from dreamer.atlases.run import AtlasRun
from dreamer.models import registry
from dreamer.models.network import Network
from dreamer.visualizing import spectrum
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.workers.places import Place


@dataclass(frozen=True, repr=False)
class Atlas:
    """An atlas that was drawn.

    Attributes:
        folder: Where it is.
        page: The page to explore it.
        catalog: Its units, with their pictures and scores.

    Example:
        >>> import dreamer
        >>> dreamer.atlas("block4b", "atlas", channels=range(8))  # doctest: +SKIP
        <Atlas atlas: 8 units of efficientnet_lite0>
    """

    folder: Path
    page: Path
    catalog: Catalog

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.folder}: {len(self.catalog.entries)} units of {self.catalog.model}>"


def atlas(
    layers: str | Iterable[str],
    out: str | Path,
    settings: VisualizeSettings | None = None,
    *,
    network: Network | str | None = None,
    channels: Iterable[int] | None = None,
    classes: str | None = None,
    negative: bool = False,
    examples: str | Path | None = None,
    overwrite: bool = False,
    place: Place | None = None,
    progress: bool | None = None,
    **keywords: Any,
) -> Atlas:
    """Draw what every channel of some layers looks for, with a page to explore them.

    An atlas that is in the folder already is gone on with: what is drawn stays, what is missing is drawn.

    Args:
        layers: Their names; none for classes alone.
        out: The folder.
        settings: How the units are drawn; by default the defaults of :class:`VisualizeSettings`.
        network: Whose units they are: a name, the path of a ``.keras`` file, or what :func:`dreamer.load` gave.
        channels: Which channels of each layer; None for all.
        classes: The classes that are called so as well; ``""`` for all of them.
        negative: Whether to draw what each unit answers to least as well.
        examples: A folder of photos, of which those are shown that excite each unit most.
        overwrite: Whether an atlas that is there is drawn anew.
        place: Where the work is done; by default in this process, or in several where there is much to draw.
        progress: Whether to show a bar; None for only in a notebook.
        **keywords: Fields of :class:`VisualizeSettings`, in place of ``settings`` or on top of them.

    Returns:
        Where it is, and what is in it.

    Raises:
        AtlasError: The folder holds something else, or not all could be drawn.
        SettingsError: A setting is impossible, or not that of the atlas which is there.
        ModelError: The network, a layer or a class is not there.

    Example:
        >>> import dreamer
        >>> made = dreamer.atlas(["block4b"], "atlas", channels=range(16), size=128)  # doctest: +SKIP
        >>> made.page  # doctest: +SKIP
        PosixPath('atlas/index.html')
    """
    chosen = VisualizeSettings.merged(settings, keywords)
    place, out = place or Place(), Path(out)
    folder.check(out)
    loaded = registry.load(chosen.model if network is None else network, chosen.preprocessing)
    if place.is_named:
        registry.name_of(loaded)  # Processes of their own have to know it.
    names = (layers,) if isinstance(layers, str) else tuple(layers)
    wanted = None if channels is None else units.channels(",".join(map(str, channels)))
    chosen_units = units.chosen(loaded, names, wanted=wanted, all_layers=False, classes=classes)
    photos = [] if examples is None else spectrum.photos(Path(examples))
    with progress_bars.shown(progress, "atlas") as show, folder.locked(out):
        run = AtlasRun(out, loaded, chosen, place, _Shown(show), _warn)
        catalog = folder.begun(out, run.empty(loaded.spec.title), overwrite=overwrite)
        making.extend(catalog, chosen_units, negative=negative)
        page, is_whole = run.make(catalog, photos)
    if not is_whole:
        raise KeyboardInterrupt
    return Atlas(out, page, catalog)


class _Shown:
    """What is shown of a run by a bar: its share alone."""

    def __init__(self, show: Any) -> None:
        self._show = show

    def show(self, _text: str, progress: float, _milestone: str | None = None) -> None:
        self._show(progress)


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=2)
