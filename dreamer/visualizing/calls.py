"""Calls that visualize: targets in, pictures out, or their steps.

(The functions live here and not in a module ``visualize``, because importing that would hide ``dreamer.visualize``.)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from dreamer.objectives import Objective
from dreamer.progress import followed
from dreamer.results import Interrupted
from dreamer.visualizing.run import VisualizeRun
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.visualizing.steps import VisualizeStep
from dreamer.visualizing.visualization import Visualization

if TYPE_CHECKING:
    from dreamer.models.network import Network


@overload
def visualize(
    targets: Objective | str, settings: VisualizeSettings | None = None, **keywords: Any
) -> Visualization: ...


@overload
def visualize(
    targets: Iterable[Objective | str], settings: VisualizeSettings | None = None, **keywords: Any
) -> list[Visualization]: ...


def visualize(
    targets: Objective | str | Iterable[Objective | str],
    settings: VisualizeSettings | None = None,
    *,
    network: Network | str | None = None,
    start: Any = None,
    on_step: Callable[[VisualizeStep], None] | None = None,
    progress: bool | None = None,
    **keywords: Any,
) -> Visualization | list[Visualization]:
    """Draw what units of a network look for.

    Args:
        targets: One target or several, as :class:`Objective` values or as text for :meth:`Objective.parse`.
        settings: How; by default the defaults of :class:`VisualizeSettings`.
        network: Whose units they are: a name, the path of a ``.keras`` file, or what :func:`dreamer.load` gave; in
            place of ``model`` of the settings.
        start: A picture to begin with, not noise: a path, an array ``(height, width, 3)``, or an earlier result.
        on_step: Called after every step. What it raises ends the run.
        progress: Whether to show a bar; None for only in a notebook.
        **keywords: Fields of :class:`VisualizeSettings`, in place of ``settings`` or on top of them.

    Returns:
        The picture of a single target; of several, or where ``diversity`` asks for several pictures of each, a list.

    Raises:
        SettingsError: A target cannot be read, or a setting is impossible or unknown.
        ModelError: The network, a layer, a class or the weights are not there.
        Interrupted: Ctrl-C after the first step; it holds a list of what there is.

    Example:
        >>> import dreamer
        >>> unit = dreamer.visualize("block4b:17", steps=64)  # doctest: +SKIP
        >>> unit.pixels.shape, unit.score > unit.first_score  # doctest: +SKIP
        ((224, 224, 3), True)
    """
    results = drawn(_run(targets, settings, network, start, keywords), on_step, progress, "visualize")
    return results[0] if isinstance(targets, Objective | str) and len(results) == 1 else results


def drawn(
    run: VisualizeRun, on_step: Callable[[VisualizeStep], None] | None, progress: bool | None, what: str
) -> list[Visualization]:
    """Take all steps of a run.

    Args:
        run: What is drawn.
        on_step: As for :func:`visualize`.
        progress: As there.
        what: A word for the bar.

    Raises:
        Interrupted: Ctrl-C after the first step; it holds a list of what there is.
    """
    try:
        for step in followed(run.steps(note=_warn), progress, what):
            if on_step is not None:
                on_step(step)
    except KeyboardInterrupt as interrupt:
        if not run.interrupted():
            raise
        raise Interrupted(run.results()) from interrupt
    return run.results()


def visualize_steps(
    targets: Objective | str | Iterable[Objective | str],
    settings: VisualizeSettings | None = None,
    *,
    network: Network | str | None = None,
    start: Any = None,
    progress: bool | None = None,
    note: Callable[[str], None] | None = None,
    pause_every: int | None = None,
    **keywords: Any,
) -> Iterator[VisualizeStep]:
    """Draw what units of a network look for, step by step.

    Args:
        targets: As for :func:`visualize`.
        settings: How.
        network: As for :func:`visualize`.
        start: As for :func:`visualize`.
        progress: As for :func:`visualize`.
        note: Told in a line what is done otherwise than asked, as when memory runs out; by default a warning.
        pause_every: Every so many steps the pictures can be had as they are right then.
        **keywords: Fields of :class:`VisualizeSettings`, in place of ``settings`` or on top of them.

    Yields:
        Each step of each batch once it is finished.

    Raises:
        SettingsError, ModelError: As for :func:`visualize`, when the first step is asked for.
    """
    run = _run(targets, settings, network, start, keywords)
    yield from followed(run.steps(note=note or _warn, pause_every=pause_every), progress, "visualize")


def _run(
    targets: Objective | str | Iterable[Objective | str],
    settings: VisualizeSettings | None,
    network: Network | str | None,
    start: Any,
    keywords: dict[str, Any],
) -> VisualizeRun:
    given = [targets] if isinstance(targets, Objective | str) else list(targets)
    if isinstance(start, str | Path):
        keywords, start = keywords | {"start": start}, None
    chosen = VisualizeSettings.merged(settings, keywords)
    return VisualizeRun([Objective.of(one) for one in given], chosen, network=network, start=start)


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=2)
