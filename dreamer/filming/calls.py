"""Calls that dream a video: a file in, a file out, or its frames one by one.

(The functions live here and not in a module ``video``, because importing that would hide ``dreamer.video``.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.dreaming.calls import warn
from dreamer.dreaming.settings import DreamSettings
from dreamer.filming.made import DreamtVideo, Output, VideoStep
from dreamer.filming.run import VideoDream
from dreamer.filming.wish import At, result_of, wish_of
from dreamer.progress import followed, shown
from dreamer.results import Interrupted
from dreamer.workers.places import Place

if TYPE_CHECKING:
    from dreamer.models.network import Network


def video(
    path: str | Path,
    out: str | Path | None = None,
    settings: DreamSettings | None = None,
    *,
    preset: str | None = None,
    at: At | None = None,
    network: Network | str | None = None,
    frame_rate: float | None = None,
    codec: str | None = None,
    quality: float | None = None,
    overwrite: bool = False,
    place: Place | None = None,
    progress: bool | None = None,
    **keywords: Any,
) -> DreamtVideo:
    """Dream a video: its sound is copied, every time stamp kept, and the dream clings to the things in it.

    Finished frames are kept in a folder beside the result until that is written, ``OUT.frames``: the same call again
    goes on where one was stopped, and gives the same bytes.

    Args:
        path: The video; or an animated GIF, WebP or APNG; or a sequence of pictures, as ``"frames/%05d.png"``.
        out: Where to write; None for a free name beside the video, as ``clip-dream.mp4``.
        settings: How each frame is dreamt; by default the defaults of :class:`DreamSettings`.
        preset: A look, by name or file, in place of settings.
        at: Looks that hold from a time on, as ``{4: "lace", "0:08": "0.5"}``; between two of them one becomes the
            other.
        network: What to dream with: a name, the path of a ``.keras`` file, or what :func:`dreamer.load` gave.
        frame_rate: Of a sequence of pictures.
        codec: One of ``dreamer.videos.CODECS``; None for the usual one of the container.
        quality: 0 to 100.
        overwrite: Whether a file that is there is replaced.
        place: Where the work is done; by default here. Processes share the shots between them.
        progress: Whether to show a bar; None for only in a notebook.
        **keywords: Fields of :class:`DreamSettings` and of :class:`VideoSettings`, on top of the rest.

    Raises:
        ImageError: The video cannot be read, or the result not written.
        MissingExtraError: Videos need the extra ``video``.
        SettingsError, ModelError: As for :func:`dreamer.dream`.
        FolderError: The frames cannot be kept.
        Interrupted: Ctrl-C after the first frame; it holds a video of what there is. The same call goes on.

    Example:
        >>> made = dreamer.video("clip.mp4", preset="lace", start=3, end=8, max_size=640)  # doctest: +SKIP
        >>> made.path, made.frames, made.flicker < 0.01  # doctest: +SKIP
        (PosixPath('clip-dream.mp4'), 125, True)
    """
    timeline, told = wish_of(settings, keywords, preset=preset, at=at or {})
    source = Path(path)
    output = Output(result_of(source) if out is None else Path(out), codec, quality, overwrite)
    with shown(progress, "video") as show:

        def show_share(_text: str, share: float, _line: str | None) -> None:
            show(share)

        with VideoDream(
            source,
            timeline,
            told,
            frame_rate=frame_rate,
            network=network,
            place=place or Place(),
            note=warn,
            show=show_share,
        ) as dream:
            try:
                return dream.make(output)
            except KeyboardInterrupt as interrupt:
                partial = dream.so_far(output)
                if partial is None:
                    raise
                raise Interrupted(partial) from interrupt


def video_steps(
    path: str | Path,
    settings: DreamSettings | None = None,
    *,
    preset: str | None = None,
    at: At | None = None,
    network: Network | str | None = None,
    frame_rate: float | None = None,
    progress: bool | None = None,
    note: Callable[[str], None] = warn,
    **keywords: Any,
) -> Iterator[VideoStep]:
    """Dream a video frame by frame; nothing is written.

    Args:
        path: As for :func:`video`.
        settings: As for :func:`video`.
        preset: As for :func:`video`.
        at: As for :func:`video`.
        network: As for :func:`video`.
        frame_rate: As for :func:`video`.
        progress: As for :func:`video`.
        note: Told in a line what is done otherwise than asked; by default it becomes a warning.
        **keywords: As for :func:`video`.

    Yields:
        Each frame once it is finished, with its index, time and flicker.

    Raises:
        ImageReadError, MissingExtraError, SettingsError, ModelError: As for :func:`video`.

    Example:
        >>> for step in dreamer.video_steps("clip.mp4", preset="lace"):  # doctest: +SKIP
        ...     print(step.index, step.time, step.flicker, step.frame.shape)
    """
    timeline, told = wish_of(settings, keywords, preset=preset, at=at or {})
    with VideoDream(Path(path), timeline, told, frame_rate=frame_rate, network=network, note=note) as dream:
        yield from followed(dream.steps(), progress, "video")
