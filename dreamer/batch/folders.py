"""A folder of this machine or, by its URL, of another: the same few things can be done with either.

The one idea: files go by names relative to the folder, with ``/`` between their parts, so that a job can say what it
is about wherever it is done. A folder is a value: it can be pickled, and holds nothing open.

Must not import: networks, Keras or anything heavy.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from dreamer.errors import FolderError, FolderInUseError

HIDDEN = ".dreamer"
"""The folder within an output folder that holds the records and the lock."""


@dataclass(frozen=True)
class Entry:
    """A file of a folder.

    Attributes:
        name: Relative to the folder, with ``/`` between its parts.
        stamp: What the store vouches its content by, as an S3 ETag; None where only reading the file tells.
        problem: Why it cannot be read, if that is known by now.
        hides: Whether it is a folder that cannot be looked into, so that nobody knows what is in it.
    """

    name: str
    stamp: str | None = None
    problem: str | None = None
    hides: bool = False


class Folder(Protocol):
    """What can be done with a folder."""

    def show(self, name: str = "") -> str:
        """Its whole path or URL, or that of a file in it."""

    def walk(self) -> list[Entry]:
        """All that lies in it at any depth, sorted by name, but for what is hidden.

        Raises:
            FolderError: There is no such folder.
        """

    def entries(self, names: Iterable[str]) -> Mapping[str, Entry]:
        """Those of some files that are there."""

    def read(self, name: str) -> bytes:
        """All of a file.

        Raises:
            OSError: It cannot be read.
        """

    def write(self, name: str, data: bytes, *, overwrite: bool) -> None:
        """Put a file in its place, whole or not at all; folders are made as needed.

        Raises:
            FileExistsError: It is there, and may not be replaced.
            OSError: It cannot be written.
        """

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def stamp(self, name: str) -> str | None:
        """The stamp of a file that was just written."""

    def within(self, other: Folder) -> str | None:
        """Its name within another folder, "." if it is the same, or None where it lies outside."""

    def reaches(self, name: str, other: Folder) -> bool:
        """Whether what is written under a name would end up in another folder, by way of a link."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep other runs out.

        Raises:
            FolderInUseError: One is there already.
        """

    def sweep(self, names: Iterable[str]) -> None:
        """Remove what a killed run left half written on the way to some files."""


def folder(text: str) -> Folder:
    """The folder of a path or a URL.

    Raises:
        MissingExtraError: What reads such URLs is not installed.

    Example:
        >>> folder("photos/2024").show("a.jpg").endswith("photos/2024/a.jpg")
        True
    """
    if "://" in text and not text.startswith("file://"):
        from dreamer.batch.remote import RemoteFolder

        return RemoteFolder.at(text)
    return LocalFolder(os.path.abspath(text.removeprefix("file://")))


def is_same(held: Folder, entry: Entry, digest: str, stamp: str | None) -> bool:
    """Whether a file still has the content that a record tells of.

    Args:
        held: Where it is.
        entry: The file as it is now.
        digest: The SHA-256 that it had.
        stamp: The stamp that it had, which saves reading it.
    """
    if stamp is not None and entry.stamp == stamp:
        return True
    return hashlib.sha256(held.read(entry.name)).hexdigest() == digest


@dataclass(frozen=True)
class Holder:
    """Who holds a folder."""

    host: str
    process: int
    since: str

    @classmethod
    def me(cls) -> Holder:
        """This process, from now on."""
        return cls(socket.gethostname(), os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))

    def to_json(self) -> bytes:
        """As a file holds it."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def told_by(cls, data: bytes) -> str:
        """Who it is, in words, by what a file holds."""
        try:
            held = json.loads(data)
            return f"process {held['process']} on {held['host']}, since {held['since']}"
        except (ValueError, TypeError, LookupError):
            return "another run"


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine, or one that is mounted on it.

    Attributes:
        root: Its absolute path.
    """

    root: str

    def show(self, name: str = "") -> str:
        return str(self._path(name))

    def walk(self) -> list[Entry]:
        if not os.path.isdir(self.root):
            what = "is not a folder" if os.path.exists(self.root) else "does not exist"
            raise FolderError(f"{self.root} {what}; a folder of photos is expected")
        found: dict[str, Entry] = {}

        def unreadable(error: OSError) -> None:
            name = self._name(error.filename)
            found[name] = Entry(name, problem=f"cannot be looked into: {error.strerror}", hides=True)

        for above, folders, files in os.walk(self.root, onerror=unreadable):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files + folders:
                if not name.startswith("."):
                    path = self._name(os.path.join(above, name))
                    found[path] = Entry(path, problem=_problem(self.show(path)))
        return [entry for _, entry in sorted(found.items())]

    def entries(self, names: Iterable[str]) -> dict[str, Entry]:
        # A link that leads nowhere is in the way as well.
        there = (name for name in names if os.path.lexists(self.show(name)))
        return {name: Entry(name, problem=_problem(self.show(name))) for name in there}

    def read(self, name: str) -> bytes:
        return self._path(name).read_bytes()

    def write(self, name: str, data: bytes, *, overwrite: bool) -> None:
        from dreamer.errors import ImageExistsError
        from dreamer.images.files import put

        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            put(path, data, overwrite=overwrite)
        except ImageExistsError as error:
            raise FileExistsError(str(error)) from error

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def stamp(self, _name: str) -> None:
        return None

    def within(self, other: Folder) -> str | None:
        if not isinstance(other, LocalFolder) or not _real(self.root).is_relative_to(_real(other.root)):
            return None
        return _real(self.root).relative_to(_real(other.root)).as_posix()

    def reaches(self, name: str, other: Folder) -> bool:
        if not isinstance(other, LocalFolder):
            return False
        ours, theirs = _real(self.root), _real(other.root)
        path = _real(self._path(name))
        return not path.is_relative_to(ours) and path.is_relative_to(theirs)

    @contextmanager
    def hold(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        hidden = self._path(HIDDEN)
        try:
            hidden.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(f"cannot write to {self.root}: {error.strerror}. Choose another folder") from error
        holder = hidden / "holder.json"
        lock = FileLock(hidden / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            who = Holder.told_by(holder.read_bytes() if holder.exists() else b"")
            raise FolderInUseError(
                f"{self.root} is being filled by {who}. Wait for it, or choose another folder"
            ) from None
        try:
            holder.write_bytes(Holder.me().to_json())
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def sweep(self, names: Iterable[str]) -> None:
        for folder in {self._path(name).parent for name in names}:
            for path in folder.glob(".dreamer-*.part"):
                path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return Path(self.root, name)

    def _name(self, path: str) -> str:
        return Path(path).relative_to(self.root).as_posix()


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))


def _problem(path: str) -> str | None:
    if os.path.isdir(path):
        return "is a directory; a picture file is expected"
    if not os.path.exists(path):
        return "is a link that leads nowhere; a picture file is expected"
    if not os.path.isfile(path):
        return "is not a regular file; a picture file is expected"
    return None
