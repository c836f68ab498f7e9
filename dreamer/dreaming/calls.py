"""Calls that dream: a picture in, a dream out, or its steps.

(The functions live here and not in a module ``dream``, because importing that would hide ``dreamer.dream``.)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dreamer.dreaming.grounds import photo_for
from dreamer.dreaming.photo import Dream, PhotoDream
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import DreamStep
from dreamer.dreaming.zoom import ZoomStep
from dreamer.progress import followed

if TYPE_CHECKING:
    from dreamer.models.network import Network


def warn(line: str) -> None:
    """Say as a warning what is done otherwise than it was told."""
    warnings.warn(line, RuntimeWarning, stacklevel=2)


def dream(
    picture: Any = None,
    settings: DreamSettings | None = None,
    *,
    network: Network | str | None = None,
    on_step: Callable[[DreamStep], None] | None = None,
    progress: bool | None = None,
    preview: bool = False,
    **keywords: Any,
) -> Dream:
    """Dream a photo.

    Args:
        picture: A path, a Pillow image, an earlier result, or an array ``(height, width, 3)`` of RGB: float in [0, 1],
            or uint8. Of a file everything comes back that it holds besides: transparency, depth, metadata. None to
            dream of nothing, at the ``size`` of the settings and from their ``ground``.
        settings: What to do; by default the defaults of :class:`DreamSettings`.
        network: What to dream with: a name, the path of a ``.keras`` file, or what :func:`dreamer.load` gave; in place
            of ``model`` of the settings.
        on_step: Called after every step. What it raises ends the dream.
        progress: Whether to show a bar; None for only in a notebook.
        preview: Take only the first octaves of the dream: a small picture, composed like the whole.
        **keywords: Fields of :class:`DreamSettings`, in place of ``settings`` or on top of them.

    Returns:
        The dream: its pixels, as large as the picture, or as ``aspect`` and ``max_size`` allow, and grey if the network
        sees brightness only; its recipe; and how to save it.

    Raises:
        ImageReadError: The picture cannot be read, or the array has another shape or range.
        SettingsError: A setting is impossible or unknown.
        ModelError: The network, a layer or the weights are not there.
        Interrupted: Ctrl-C after the first step; it holds what there is.

    Example:
        >>> import dreamer
        >>> found = dreamer.dream("samples/rocket.jpg", octaves=3, seed=7)  # doctest: +SKIP
        >>> found  # doctest: +SKIP
        <Dream: 427x640 pixels, score 1.62>
        >>> found.save("rocket-dream.jpg")  # doctest: +SKIP
        >>> desk = dreamer.dream(size=(1080, 1920), ground="gradient")  # doctest: +SKIP
    """
    run = _run(picture, settings, network, keywords, preview=preview)
    return run.run(note=warn, on_step=on_step, progress=progress)


def dream_steps(
    picture: Any = None,
    settings: DreamSettings | None = None,
    *,
    network: Network | str | None = None,
    progress: bool | None = None,
    note: Callable[[str], None] = warn,
    stay_on_device: bool | None = None,
    preview: bool = False,
    **keywords: Any,
) -> Iterator[DreamStep]:
    """Dream a photo step by step.

    Args:
        picture: As for :func:`dream`; an array may also hold uint16 levels.
        settings: What to do.
        network: As for :func:`dream`.
        progress: As for :func:`dream`.
        note: Told in a line what the dream does otherwise than it was told, as when memory runs out;
            by default it becomes a warning.
        stay_on_device: Whether the picture stays where it is computed, several steps to a program, or
            comes back to the host after each; None for what is quicker.
        preview: Take only the first octaves of the dream.
        **keywords: Fields of :class:`DreamSettings`, in place of ``settings`` or on top of them.

    Yields:
        Each step once it is finished. Stopping early loses nothing: the last step can be rendered.

    Raises:
        ImageReadError, SettingsError, ModelError: As for :func:`dream`, when the first step is asked for.
    """
    run = _run(picture, settings, network, keywords, preview=preview)
    yield from followed(run.steps(note=note, stay_on_device=stay_on_device), progress, "dream")


def zoom_steps(
    picture: Any = None,
    settings: DreamSettings | None = None,
    *,
    network: Network | str | None = None,
    progress: bool | None = None,
    note: Callable[[str], None] = warn,
    preview: bool = False,
    **keywords: Any,
) -> Iterator[ZoomStep]:
    """Zoom into a dream step by step.

    Args:
        picture: As for :func:`dream`.
        settings: What to do; ``frames`` and ``zoom`` say how far, ``focus``, ``turn``, ``ease`` and ``loop`` how.
        network: As for :func:`dream`.
        progress: As for :func:`dream`.
        note: As for :func:`dream_steps`.
        preview: Frames of the first octaves only.
        **keywords: Fields of :class:`DreamSettings`, in place of ``settings`` or on top of them.

    Yields:
        Each step once it is finished; a frame is finished when ``dream.is_last``, and ``dream.render()`` shows it.

    Raises:
        ImageReadError, SettingsError, ModelError: As for :func:`dream`, when the first step is asked for.
    """
    run = _run(picture, settings, network, keywords, preview=preview)
    yield from followed(run.zoom(note=note), progress, "zoom")


def _run(
    picture: Any,
    settings: DreamSettings | None,
    network: Network | str | None,
    keywords: dict[str, Any],
    *,
    preview: bool,
) -> PhotoDream:
    chosen = DreamSettings.merged(settings, keywords)
    photo, source = photo_for(picture, chosen, preview=preview)
    return PhotoDream(photo, chosen, network=network, source=source, preview=preview)
