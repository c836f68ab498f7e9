"""The folder of an atlas: whether it can be one, held by one process at a time, begun or gone on with.

Must not import Keras.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dreamer.atlases import catalog as catalogs
from dreamer.atlases import page
from dreamer.atlases.catalog import Catalog
from dreamer.batching.names import is_within
from dreamer.errors import AtlasError, SettingsError
from dreamer.trust import Source, named_files
from dreamer.visualizing.settings import VisualizeSettings


def check(folder: Path) -> None:
    """Make sure that a folder is an atlas, or can become one.

    Raises:
        AtlasError: It is a file, or holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise AtlasError(f"{folder} is a file; expected a folder for the atlas")
    held = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.exists() else []
    if held and not (folder / catalogs.NAME).exists():
        raise AtlasError(f"{folder} holds other files and no atlas; choose an empty folder, or a new one")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder alone, made if it is not there, and without what a killed run left half-written.

    Raises:
        AtlasError: Another process holds it.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".atlas.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AtlasError(
            f"another run is drawing into {folder}; wait for it, or stop it, then run this again to go on"
        ) from None
    try:
        for part in folder.rglob(".dreamer-*.part"):
            part.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def resumed(folder: Path, changes: dict[str, Any], *, overwrite: bool, trust: bool) -> VisualizeSettings:
    """The settings with which an atlas that is there is gone on with.

    Args:
        folder: Where.
        changes: Fields of :class:`VisualizeSettings` on top of its own.
        overwrite: Whether it is to be thrown away, which makes no sense.
        trust: Whether it may name any file.

    Raises:
        UntrustedError: It names files that it may not.
        SettingsError: There is none, or its settings are wrong.
        AtlasError: It is damaged.
    """
    old = catalogs.read(folder)
    if old is None or overwrite:
        reason = "--overwrite throws it away" if old else f"{folder} is none; leave it out to begin one"
        raise SettingsError(f"--resume goes on with an atlas, and {reason}")
    kept = {name: value for name, value in old.settings.items() if name not in changes}
    Source(folder / catalogs.NAME, trust).check(named_files(kept))
    return VisualizeSettings.of(**kept | changes)


def begun(folder: Path, new: Catalog, *, overwrite: bool) -> Catalog:
    """The atlas of a folder, to be drawn with given settings.

    Args:
        folder: Where.
        new: An atlas without units, of the wanted network and settings.
        overwrite: Throw away the atlas that is there.

    Returns:
        The one that is there, or the new one; one of which nothing is drawn yet makes room for other settings.

    Raises:
        SettingsError: The one that is there was drawn otherwise.
        AtlasError: It is damaged.
    """
    if overwrite:
        _clear(folder)
        return new
    old = catalogs.read(folder)
    if old is None:
        return new
    differing = catalogs.difference(old.settings, new.settings)
    if not differing and old.weights_sha256 != new.weights_sha256:
        differing = "another network of that name"
    if not differing and old.prior_sha256 != new.prior_sha256:
        differing = "another prior of that name"
    if differing and not any(entry.pictures for entry in old.entries.values()):
        return new
    if differing:
        raise SettingsError(
            f"the atlas in {folder} was drawn with {differing}. Give the same settings or --resume, which takes "
            "them from there, choose another folder, or draw all anew with --overwrite"
        )
    return old


def _clear(folder: Path) -> None:
    """Take away what an atlas is made of, and nothing else."""
    made = [folder / catalogs.NAME, folder / page.DATA, *folder.glob("sheet-*.png")]
    held = [folder / name for name in ("pictures", "examples") if is_within(folder / name, folder)]
    made += [path for place in held for path in place.rglob("*.webp")]
    for path in made:
        path.unlink(missing_ok=True)
