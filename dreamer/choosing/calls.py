"""``dreamer.dream_sheet``: what others call.

Must not import the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dreamer.choosing.cells import cells_of, needed
from dreamer.choosing.made import DreamSheet
from dreamer.choosing.run import SheetDream, SheetStep
from dreamer.dreaming.calls import warn
from dreamer.dreaming.settings import DreamSettings
from dreamer.models.network import Network
from dreamer.progress import followed
from dreamer.results import Interrupted
from dreamer.sources import opened


def dream_sheet(
    picture: Any,
    settings: DreamSettings | None = None,
    *,
    preset: str | Path | list[str] | None = None,
    columns: int | None = None,
    network: Network | str | None = None,
    trust: bool = False,
    on_step: Callable[[SheetStep], None] | None = None,
    progress: bool | None = None,
    note: Callable[[str], None] = warn,
    **ranges: Any,
) -> DreamSheet:
    """Dream a photo in many ways, small, on one numbered picture, to choose by eye.

    Args:
        picture: What to dream, as :func:`dreamer.dream` takes it.
        settings: What all cells have.
        preset: A look to begin with, in place of settings, or several.
        columns: How many cells stand in a row; None for all values of what varies fastest, or about a square.
        network: What to dream with, in place of what the settings name.
        trust: Whether presets from elsewhere may name any file.
        on_step: Called after every step.
        progress: As for :func:`dreamer.dream`.
        note: Told in a line which cell failed, and what is done otherwise than it was told; by default a warning.
        **ranges: Fields of :class:`DreamSettings`, each a value, or several as a list or a range. The sheet has all
            combinations, at most 400: presets vary slowest, then the fields in their order.

    Returns:
        The sheet. Each cell is a preview, composed like the whole dream with its settings.

    Raises:
        ImageReadError: The picture cannot be read.
        SettingsError: A value is impossible, or there are too many combinations.
        DreamerError: All cells failed.
        Interrupted: Ctrl-C after the first cell; it holds what there is.

    Example:
        >>> sheet = dreamer.dream_sheet("photo.jpg", strength=[0.3, 0.6, 1], seed=range(1, 5))  # doctest: +SKIP
        >>> sheet.save("sheet.png")  # doctest: +SKIP
        >>> dreamer.dream_again("sheet.png", pick=7).save("seventh.png")  # doctest: +SKIP
    """
    told = ({} if preset is None else {"preset": _names(preset)}) | ranges
    cells = cells_of(told, settings=settings, trust=trust)
    if network is None:
        needed(cells)
    sides = [cell.settings.max_size for cell in cells]
    longest = max((side for side in sides if side is not None), default=None)
    photo, source = opened(picture, max_side=None if None in sides else longest)
    run = SheetDream(photo, cells, source=source, columns=columns, network=network)
    try:
        for step in followed(run.steps(note=note), progress, "sheet"):
            if on_step is not None:
                on_step(step)
    except KeyboardInterrupt as interrupt:
        if not run.has_pictures:
            raise
        raise Interrupted(run.result()) from interrupt
    return run.result()


def _names(preset: str | Path | list[str]) -> list[str]:
    return [str(one) for one in preset] if isinstance(preset, list) else [str(preset)]
