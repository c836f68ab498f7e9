"""The cache of weights: one folder a network, complete or not there at all.

The one idea: a network's files are made in a staging folder beside their place, with a record of
their digests written last, and moved there in one step under a lock. Whatever is interrupted leaves
a staging folder, which counts as nothing and is swept by whoever comes next.

    $DREAMER_HOME/weights/
      inception_v1/            record.json, network.npz, labels.txt
      .inception_v1.staging/   being made, or what a killed process left
      .inception_v1.lock

Must not import Keras or anything heavy, nor know where weights are published.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dreamer.errors import WeightsError
from dreamer.files.digests import digest_of
from dreamer.files.documents import parse_json
from dreamer.files.regular import read_text

_RECORD = "record.json"
_MOST_BYTES = 1_000_000  # Of a record.
_OLD = "old"
_FORMAT = 1
_LOCK_PATIENCE = 0.2  # Seconds before a wait for another process is worth a word.


def home() -> Path:
    """The cache folder: ``DREAMER_HOME``, or where the platform keeps caches.

    Example:
        >>> home().is_absolute()
        True
    """
    chosen = os.environ.get("DREAMER_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("dreamer")


@dataclass(frozen=True)
class Installed:
    """A network's weights as they lie in the cache.

    Attributes:
        name: The network.
        folder: Where they are.
        source: The address they were fetched from, or the name of the file they were imported from.
        source_sha256: Digest of that file.
        verified: Whether that file had a published digest.
        date: When, as an ISO date.
        files: Digests of the files here, by name; the first is what the network is built from.
    """

    name: str
    folder: Path
    source: str
    source_sha256: str
    verified: bool
    date: str
    files: dict[str, str]

    @property
    def network(self) -> Path:
        """The file that the network is built from."""
        return self.folder / next(iter(self.files))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def check(self) -> None:
        """Make sure that the files are as they were put here.

        Raises:
            WeightsError: A file is missing, or its digest is another.
        """
        for name, expected in self.files.items():
            try:
                found = digest_of(self.folder / name)
            except OSError as error:
                raise WeightsError(f"cannot read {self.folder / name}: {error.strerror}. {self._mend}") from error
            if found != expected:
                raise WeightsError(f"{self.folder / name} is damaged: its digest has changed. {self._mend}")

    @property
    def _mend(self) -> str:
        return f"Mend it with: dreamer models remove {self.name}, then fetch or import it again"


def find(name: str) -> Installed | None:
    """The weights of a network, if they are in the cache.

    While they are replaced by others, it waits until either are there; if whoever did it was killed, they are put back.

    Raises:
        WeightsError: Their record cannot be read, or what was interrupted cannot be put back.
    """
    folder = _folder(name)
    while True:
        try:
            return _recorded(name)
        except FileNotFoundError:
            # In this order: what is not on its way any more has arrived, or there never was anything.
            if (_staging(name) / _OLD).exists():
                with writing(), _lock(name):
                    _swept(name)
            elif not (folder / _RECORD).exists():
                return None
        except NotADirectoryError:
            raise WeightsError(f"{home()} is not a folder; choose another with DREAMER_HOME") from None
        # In a damaged record anything can be missing or something else.
        except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
            raise WeightsError(
                f"the record {folder / _RECORD} is damaged ({error}). Mend it with: dreamer models remove {name}"
            ) from error


def _recorded(name: str) -> Installed:
    folder = _folder(name)
    record = parse_json(read_text(folder / _RECORD, most=_MOST_BYTES))
    if record.pop("format") != _FORMAT:
        raise ValueError("it was written by another version of dreamer")
    if not record["files"] or any(Path(file).name != file for file in record["files"]):
        raise ValueError("it names no files of this folder")
    return Installed(name, folder, **record)


def remove(name: str) -> bool:
    """Remove a network's weights; says whether there were any.

    Raises:
        WeightsError: The cache cannot be written to.
    """
    folder = _folder(name)
    if not folder.exists() and not _staging(name).exists():
        return False
    with writing(), _lock(name):
        gone = _swept(name)
        was_there = folder.exists()
        if was_there:
            folder.rename(gone)  # Out of the way in one step, so that nobody finds half of it.
            shutil.rmtree(gone, ignore_errors=True)
    return was_there


@contextmanager
def writing() -> Iterator[None]:
    """Within this context, what goes wrong with the disk is said to be a matter of the cache.

    Raises:
        WeightsError: The cache cannot be written to, or the disk is full.
    """
    try:
        yield
    except OSError as error:
        room = " Make room, or choose another folder with DREAMER_HOME" if error.errno == errno.ENOSPC else ""
        raise WeightsError(f"cannot write to {home()}: {error.strerror or error}.{room}") from error


class Staging:
    """A folder in which a network's files are made.

    Attributes:
        folder: Where what is to be kept is put.
        scratch: Where anything else may be put; it is swept away.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._root = _swept(name)
        self.folder = self._root / "keep"
        self.scratch = self._root / "scratch"
        self.folder.mkdir(parents=True)
        self.scratch.mkdir()

    def place(self, *, network: str, source: str, source_sha256: str, verified: bool) -> None:
        """Put the finished files in their place, in the stead of what was there.

        Between the two renames of a replacement there is nothing: who looks for the files meanwhile waits. If the
        second does not happen, the old files go back, now or when anybody next looks for them.

        Args:
            network: Name of the file that the network is built from.
            source: Where the weights came from.
            source_sha256: Digest of what they were made from.
            verified: Whether that has a published digest.

        Raises:
            OSError: The disk is full, say; what was there is there again.
        """
        names = sorted((path.name for path in self.folder.iterdir()), key=lambda name: name != network)
        record: dict[str, Any] = {
            "format": _FORMAT,
            "source": source,
            "source_sha256": source_sha256,
            "verified": verified,
            "date": datetime.now(UTC).date().isoformat(),
            "files": {name: digest_of(self.folder / name) for name in names},
        }
        (self.folder / _RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")
        for path in self.folder.iterdir():
            _sync(path)
        target = _folder(self._name)
        if target.exists():
            target.rename(self._root / _OLD)
        self.folder.rename(target)


@contextmanager
def staging(name: str, *, on_wait: Callable[[], None] = lambda: None) -> Iterator[Staging]:
    """Hold a network's place in the cache alone, with a clean folder to make its files in.

    Args:
        name: The network.
        on_wait: Called once if another process holds it.

    Raises:
        WeightsError: The cache cannot be written to.
    """
    with ExitStack() as held:
        with writing():
            held.enter_context(_lock(name, on_wait))
            made = Staging(name)
        held.callback(_swept, name)
        yield made


@contextmanager
def _lock(name: str, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = _folder(name).with_name(f".{_folder(name).name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=_LOCK_PATIENCE)
    except Timeout:
        on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _folder(name: str) -> Path:
    # "keras:VGG16" has a character that Windows does not allow in a name.
    return home() / "weights" / name.replace(":", "-")


def _staging(name: str) -> Path:
    return _folder(name).with_name(f".{_folder(name).name}.staging")


def _swept(name: str) -> Path:
    """The place of the staging folder, after what an interrupted replacement left there was put back or away."""
    staging = _staging(name)
    if (staging / _OLD).exists() and not _folder(name).exists():
        (staging / _OLD).rename(_folder(name))
    shutil.rmtree(staging, ignore_errors=True)
    return staging


def _sync(path: Path) -> None:
    """Have a file on the disk itself before its record says that it is there."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())
