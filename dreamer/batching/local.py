"""A folder of this machine, or one that is mounted on it.

Must not import: networks, Keras.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from dreamer.batching.folder import HIDDEN, FileEntry, Folder, Holder
from dreamer.batching.names import inside, is_within
from dreamer.errors import FolderError, FolderInUseError, ImageExistsError
from dreamer.files.regular import open_regular, read_bytes
from dreamer.images.files import move, put


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine, or one that is mounted on it.

    Attributes:
        root: Its absolute path.
    """

    root: str

    def show(self, name: str = "") -> str:
        """Its absolute path, or that of a file in it."""
        return str(self.path(name))

    def walk(self) -> list[FileEntry]:
        """All that lies in it; links to folders are not followed."""
        root = Path(self.root)
        if not root.is_dir():
            what = "is not a folder" if root.exists() else "does not exist"
            raise FolderError(f"{self.root} {what}; a folder of photos is expected")
        found: dict[str, FileEntry] = {}

        def unreadable(error: OSError) -> None:
            name = self._name(error.filename)
            found[name] = FileEntry(name, problem=f"cannot be looked into: {error.strerror}", hides=True)

        for above, folders, files in os.walk(root, onerror=unreadable):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files + folders:
                if not name.startswith("."):
                    entry = self._entry(self._name(Path(above, name)))
                    found[entry.name] = entry
        return [entry for _, entry in sorted(found.items())]

    def entries(self, names: Iterable[str]) -> dict[str, FileEntry]:
        """Those that are there, links that lead nowhere included: they are in the way as well."""
        return {name: self._entry(name) for name in names if os.path.lexists(self.path(name))}

    def read(self, name: str) -> bytes:
        """All of a file, which has to be a regular one."""
        return read_bytes(self.path(name))

    def write(self, name: str, data: bytes, *, overwrite: bool) -> None:
        """Put a file in its place, down to the disk, by way of a temporary file beside it."""
        path = inside(self.root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            put(path, data, overwrite=overwrite)
        except ImageExistsError as error:
            raise FileExistsError(str(error)) from error

    @contextmanager
    def fetched(self, name: str) -> Iterator[Path]:
        """The file itself."""
        yield self.path(name)

    @contextmanager
    def room(self, name: str) -> Iterator[Path]:
        """A folder within it, which a later run finds again unless the body went well, or put nothing there."""
        path = inside(self.root, name)
        path.mkdir(parents=True, exist_ok=True)
        try:
            yield path
        except BaseException:
            with suppress(OSError):
                path.rmdir()
            raise
        shutil.rmtree(path)

    def take(self, name: str, path: Path, *, overwrite: bool) -> None:
        """Move a file to its place."""
        place = inside(self.root, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            move(path, place, overwrite=overwrite)
        except ImageExistsError as error:
            raise FileExistsError(str(error)) from error

    def sha256(self, name: str) -> str:
        """The digest of a file, which has to be a regular one."""
        with open_regular(self.path(name)) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def remove(self, name: str) -> None:
        """Remove a file, if it is there; of a link itself, not what it leads to."""
        path = self.path(name)
        if is_within(path.parent, self.root):
            path.unlink(missing_ok=True)

    def stamp(self, _name: str) -> None:
        """None: times and sizes of files vouch for nothing."""
        return

    def within(self, other: Folder) -> str | None:
        """Its name within another folder of this machine."""
        if not isinstance(other, LocalFolder) or not _real(self.root).is_relative_to(_real(other.root)):
            return None
        return _real(self.root).relative_to(_real(other.root)).as_posix()

    def leads_out(self, name: str) -> bool:
        """Whether a link leads from a name to somewhere outside of the folder."""
        return not is_within(self.path(name), self.root)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other runs out by a lock, which the system takes back if this process dies."""
        try:
            inside(self.root, HIDDEN).mkdir(parents=True, exist_ok=True)
            holder = inside(self.root, f"{HIDDEN}/holder.json")
            lock = FileLock(inside(self.root, f"{HIDDEN}/lock"))
        except OSError as error:
            raise FolderError(f"cannot write to {self.root}: {error.strerror}. Choose another folder") from error
        try:
            lock.acquire(timeout=0)
        except Timeout:
            who = Holder.told_by(read_bytes(holder) if holder.exists() else b"")
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
        """Remove the temporary files of a run that was killed."""
        for folder in {self.path(name).parent for name in names}:
            if not is_within(folder, self.root):
                continue
            for path in folder.glob(".dreamer-*.part"):
                path.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Where a file of it is."""
        return Path(self.root, name)

    def _name(self, path: str | Path) -> str:
        return Path(path).relative_to(self.root).as_posix()

    def _entry(self, name: str) -> FileEntry:
        path = self.path(name)
        return FileEntry(name, problem=_problem(path), is_folder=path.is_dir() and not path.is_symlink())


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))


def _problem(path: Path) -> str | None:
    if path.is_symlink() and path.is_dir():
        return "is a link to a directory, and those are not followed; a picture file is expected"
    if path.is_dir():
        return "is a directory; a picture file is expected"
    if not path.exists():
        return "is a link that leads nowhere; a picture file is expected"
    if not path.is_file():
        return "is not a regular file; a picture file is expected"
    return None
