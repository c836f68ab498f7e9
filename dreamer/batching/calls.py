"""A call that dreams a whole folder.

(The function lives here and not in a package ``batch``, because importing that would hide ``dreamer.batch``.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer import presets as library
from dreamer import progress as progress_bars
from dreamer.batching import left_out as leaving
from dreamer.batching import running
from dreamer.batching.folders import folder as folder_of
from dreamer.batching.jobs import plan
from dreamer.batching.left_out import LeftOut
from dreamer.batching.records import Verdict, judge_all
from dreamer.batching.report import Finished, Tally
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.models import registry
from dreamer.workers.places import Place

if TYPE_CHECKING:
    from dreamer.models.network import Network
    from dreamer.presets import Preset
    from dreamer.workers.pools import Pool

_MOST_PIXELS = 500_000_000


@dataclass(frozen=True, repr=False)
class BatchResult:
    """What became of a folder of photos and videos.

    Attributes:
        output: Where the dreams are: a path or a URL.
        finished: What became of each photo and video.
        left_out: The files that became no dream, and why.
        tally: The same as counts.

    Example:
        >>> import dreamer
        >>> dreamer.batch("photos", "dreams", presets=["lace"])  # doctest: +SKIP
        <BatchResult dreams: 12 done, 3 skipped, 0 failed>
    """

    output: str
    finished: tuple[Finished, ...]
    left_out: tuple[LeftOut, ...]
    tally: Tally

    @property
    def failed(self) -> list[Finished]:
        """The photos and videos that could not be dreamt."""
        return [one for one in self.finished if one.status == "failed"]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.output}: {self.tally}>"


def batch(
    folder: str | Path,
    out: str | Path,
    settings: DreamSettings | None = None,
    *,
    presets: Sequence[str] = (),
    at: Sequence[tuple[str, str]] = (),
    network: Network | str | None = None,
    glob: str | None = None,
    overwrite: bool = False,
    damaged_ok: bool = False,
    place: Place | None = None,
    on_result: Callable[[Finished], None] | None = None,
    progress: bool | None = None,
    **keywords: Any,
) -> BatchResult:
    """Dream all photos and videos of a folder into another, a tree of the same shape; what is done already is skipped.

    Args:
        folder: The photos and videos: a path, or a URL that fsspec knows.
        out: Where the dreams go.
        settings: What to do; by default the defaults of :class:`DreamSettings`.
        presets: Looks by their names or files; of several each gets a folder of its name in *out*. With weights, as
            ``["lace:0.6", "eyes:0.4"]``, they are mixed into one dream of each photo.
        at: Regions of each photo, as for :func:`dreamer.presets.mixed`.
        network: What to dream with: a name, the path of a ``.keras`` file, or what :func:`dreamer.load` gave for one.
        glob: Which files are meant, as in ``"**/*.jpg"``; None for all pictures, and all videos if PyAV is installed.
        overwrite: Whether everything is done again.
        damaged_ok: Whether photos of which rows are missing are taken.
        place: Where the work is done; by default by a process per GPU, or per core as far as memory goes.
        on_result: Told what became of each photo and video.
        progress: Whether to show a bar; None for only in a notebook.
        **keywords: Fields of :class:`DreamSettings`, in place of ``settings`` or on top of it, and of each preset.

    Returns:
        What became of each photo and video. One that fails does not keep the others from being done.

    Raises:
        FolderError: There is no such folder, or the two cannot be used together.
        SettingsError: A setting is impossible, or the network is in the memory of this process only.
        ModelError: Nothing can be dreamt with some of the settings.

    Example:
        >>> import dreamer
        >>> result = dreamer.batch("photos", "dreams", presets=["fur-and-eyes"], max_size=1024)  # doctest: +SKIP
        >>> result.tally.counts["done"], result.failed  # doctest: +SKIP
        (15, [])
    """
    looks, digests = looks_of(presets, _told(settings, network, keywords), at=at)
    place = place or Place()
    outputs = folder_of(str(out))
    found, left_out = plan(
        folder_of(str(folder)),
        outputs,
        looks,
        digests=digests,
        glob=glob,
        max_pixels=_MOST_PIXELS,
        damaged_ok=damaged_ok,
        timeout=place.timeout,
    )
    finished = []
    with closing(place.pool()) as pool, progress_bars.shown(progress, "batch") as show:
        with place.settling(pool) as here:
            found = running.settled(found, here, retries=place.retries)
        with outputs.hold():
            verdicts = judge_all(found, overwrite=overwrite)
            tally = Tally.of(verdicts, leaving.counted(left_out))
            for one in _done(verdicts, pool, place):
                tally.add(one)
                finished.append(one)
                show(tally.progress)
                if on_result is not None:
                    on_result(one)
    return BatchResult(outputs.show(), tuple(finished), tuple(left_out), tally)


def _done(verdicts: Sequence[Verdict], pool: Pool, place: Place) -> Iterator[Finished]:
    for settings in {verdict.job.settings for verdict in verdicts if verdict.action == "dream"}:
        for part in settings.parts:
            registry.ensure(part.model, part.preprocessing)
    yield from running.carry_out(verdicts, pool, retries=place.retries)


def _told(settings: DreamSettings | None, network: Network | str | None, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that were given, with the network by its name, as other processes know it."""
    told = ({} if settings is None else settings.values()) | dict(keywords)
    if network is None:
        return told
    return told | {"model": network if isinstance(network, str) else registry.name_of(network)}


def looks_of(
    names: Sequence[str], told: Mapping[str, Any], *, at: Sequence[tuple[str, str]] = (), trust: bool = False
) -> tuple[dict[str, DreamSettings], dict[str, str]]:
    """Settings by the name of their preset, "" where there is none; and the digests of the presets.

    Args:
        names: Of the presets.
        told: Settings on top of each.
        at: Regions, as for :func:`dreamer.presets.mixed`.
        trust: Whether a preset from elsewhere may name any file.

    Raises:
        SettingsError: Two presets have the same name, or the settings are those of a zoom.
    """
    found: list[Preset] = []
    if not names or at or any(library.Named.parse(name).weight is not None for name in names):
        looks = {"": library.of_words(names, at, told, trust=trust)[0]}
    else:
        found = [library.find(name, trust=trust) for name in dict.fromkeys(names)]
        looks = {preset.name: preset.settings(**told) for preset in found}
        if len(looks) < len(found):
            raise SettingsError("two of the presets have the same name, which their folders would have; rename one")
    if any(settings.frames > 1 for settings in looks.values()):
        raise SettingsError("photos of a folder become single pictures, no zooms; give --frames 1")
    if told.get("ground", "noise") != "noise" or any(settings.size is not None for settings in looks.values()):
        raise SettingsError("size and ground are for a dream of nothing, and a folder has photos; leave them out")
    return looks, {preset.name: preset.sha256 for preset in found}
