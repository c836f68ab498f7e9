"""A folder on another machine, by its URL: whatever fsspec knows, as S3, Google Cloud Storage, Azure, SFTP.

The one idea: in an object store a file is put in its place whole or not at all, which is all that is needed of it.
What a store lacks is a lock that goes away with its holder. Here the holder renews an object from time to time, and
whoever finds it too old takes it over; so clocks have to agree to a minute, and two runs that begin at the very same
moment are kept apart only by stores that can refuse to replace an object (S3 and Google Cloud Storage do).

Must not import: networks, Keras or anything heavy; fsspec only when a folder is asked for.
"""

from __future__ import annotations

import errno
import hashlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from dreamer.batching.folder import HIDDEN, FileEntry, Folder, Holder
from dreamer.batching.names import flaw
from dreamer.errors import FolderError, FolderInUseError, MissingExtraError
from dreamer.files.documents import parse_json

_LOCK = f"{HIDDEN}/lock.json"
_SECONDS_BETWEEN_RENEWALS = 60.0
_SECONDS_TO_EXPIRY = 300.0
_STAMPS = ("ETag", "etag", "md5Hash", "content_md5", "crc32c")
# As a store says when a file was written; with its size as sure as a digest where files are only replaced whole.
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "created")


@dataclass(frozen=True)
class RemoteFolder:
    """A folder of an object store or a file server.

    Attributes:
        url: Without a slash at the end.
    """

    url: str

    @classmethod
    def at(cls, url: str) -> RemoteFolder:
        """The folder of a URL.

        Raises:
            MissingExtraError: What reads such URLs is not installed.
            FolderError: There is no such kind of URL.
        """
        found = cls(url.rstrip("/"))
        try:
            found._store()
        except ImportError as error:
            raise MissingExtraError(
                f"{url} needs a package that is not installed: {' '.join(str(error).split())}. "
                "For S3 install: python -m pip install 'deepdreamer[cloud]'"
            ) from error
        except ValueError as error:
            raise FolderError(f"{url} is no URL of a folder: {error}") from error
        return found

    def show(self, name: str = "") -> str:
        """Its URL, or that of a file in it."""
        return f"{self.url}/{name}" if name else self.url

    def walk(self) -> list[FileEntry]:
        """All that lies in it."""
        found = self._listing()
        if not found and not self._is_folder():
            raise FolderError(f"{self.url} does not exist, or nothing is in it; a folder of photos is expected")
        return [entry for name, entry in sorted(found.items()) if entry.flaw or not _is_hidden(name)]

    def entries(self, names: Iterable[str]) -> dict[str, FileEntry]:
        """Those that are there, by one listing."""
        wanted = set(names)
        return {name: entry for name, entry in self._listing().items() if name in wanted}

    def read(self, name: str) -> bytes:
        """All of a file."""
        store, path = self._place(name)
        with self._told():
            return bytes(store.cat_file(path))

    def write(self, name: str, data: bytes, *, overwrite: bool) -> None:
        """Put a file in its place; a store does that whole or not at all."""
        store, path = self._place(name)
        self._put(store.pipe_file, path, data, overwrite=overwrite)

    @contextmanager
    def fetched(self, name: str) -> Iterator[Path]:
        """A copy in a temporary folder."""
        store, path = self._place(name)
        with tempfile.TemporaryDirectory(prefix="dreamer-") as folder:
            copy = Path(folder, PurePosixPath(name).name)
            with self._told():
                store.get_file(path, str(copy))
            yield copy

    @contextmanager
    def room(self, _name: str) -> Iterator[Path]:
        """A temporary folder: what is half done stays on the machine that does it, and is lost with its process."""
        with tempfile.TemporaryDirectory(prefix="dreamer-") as folder:
            yield Path(folder)

    def take(self, name: str, path: Path, *, overwrite: bool) -> None:
        """Send a file to its place."""
        store, place = self._place(name)

        def send(place: str, path: str, *, mode: str) -> None:
            store.put_file(path, place, mode=mode)

        self._put(send, place, str(path), overwrite=overwrite)

    def sha256(self, name: str) -> str:
        """The digest of a file, read piece by piece."""
        store, path = self._place(name)
        with self._told(), store.open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        store, path = self._place(name)
        with suppress(FileNotFoundError), self._told():
            store.rm_file(path)

    def stamp(self, name: str) -> str | None:
        """What the store vouches a file by."""
        store, path = self._place(name)
        store.invalidate_cache()
        with self._told():
            return _stamp(store.info(path))

    def within(self, other: Folder) -> str | None:
        """Its name within another folder of the same store."""
        if not isinstance(other, RemoteFolder) or not f"{self.url}/".startswith(f"{other.url}/"):
            return None
        return self.url[len(other.url) + 1 :] or "."

    def leads_out(self, _name: str) -> bool:
        """Never: stores have no links."""
        return False

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other runs out by an object that is renewed while this run lives."""
        held = [self._take()]
        over = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(held, over), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            over.set()
            renewing.join()
            # What is left behind expires.
            with suppress(OSError):
                if self.read(_LOCK) == held[0]:
                    self.remove(_LOCK)

    def sweep(self, names: Iterable[str]) -> None:
        """Nothing: in a store nothing is ever half written."""

    def _take(self) -> bytes:
        """Take hold; gives what the object then holds."""
        mine = _lock_now()
        try:
            with suppress(FileNotFoundError):
                found = self.read(_LOCK)
                if not _is_expired(found):
                    raise FolderInUseError(
                        f"{self.url} is being filled by {Holder.told_by(found)}. Wait for it, or choose another "
                        f"folder. A run that was killed holds it for {_SECONDS_TO_EXPIRY / 60:.0f} minutes more"
                    )
                self.remove(_LOCK)
            self.write(_LOCK, mine, overwrite=False)
        except FileExistsError:
            raise FolderInUseError(f"{self.url} is being filled by a run that has just begun") from None
        except OSError as error:
            raise FolderError(f"cannot write to {self.url}: {error.strerror or error}") from error
        return mine

    def _renew(self, held: list[bytes], over: threading.Event) -> None:
        """Renew the hold, unless another run took it because this one was asleep for too long."""
        while not over.wait(_SECONDS_BETWEEN_RENEWALS):
            with suppress(OSError):  # It may go well the next time.
                if self.read(_LOCK) != held[0]:
                    return
                mine = _lock_now()
                self.write(_LOCK, mine, overwrite=True)
                held[0] = mine

    def _put(self, send: Callable[..., None], path: str, content: bytes | str, *, overwrite: bool) -> None:
        """Send what is to be in a place there; file servers have folders, which have to be made."""
        store, _ = self._store()
        mode = "overwrite" if overwrite else "create"
        with self._told():
            try:
                send(path, content, mode=mode)
            except FileNotFoundError:
                store.makedirs(path.rpartition("/")[0], exist_ok=True)
                send(path, content, mode=mode)

    def _listing(self) -> dict[str, FileEntry]:
        store, root = self._store()
        store.invalidate_cache()
        try:
            with self._told():
                found = store.find(root, detail=True)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise FolderError(f"cannot look into {self.url}: {error.strerror or error}") from error
        names = {path: path.removeprefix(f"{root}/") for path in found}
        return {
            name: FileEntry(name, _stamp(found[path]), flaw=flaw(name, foreign=True))
            for path, name in names.items()
            if name not in ("", path) and not _marks_folder(name, found[path])
        }

    def _place(self, name: str) -> tuple[Any, str]:
        """The store, and where a file is in it.

        Raises:
            OSError: The name is none of a file below the folder, or none that a store can hold.
        """
        wrong = flaw(name) or (None if _is_unicode(name) else "is no UTF-8")
        if wrong:
            raise OSError(errno.EINVAL, f"cannot be in a store, since its name {wrong}", name)
        store, root = self._store()
        return store, f"{root}/{name}"

    def _is_folder(self) -> bool:
        store, root = self._store()
        return bool(store.isdir(root))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Make an OSError, which may pass, of whatever else a store's client raises when it gets no answer."""
        try:
            yield
        except OSError:
            raise
        except Exception as error:
            raise ConnectionError(f"{self.url} does not answer: {' '.join(str(error).split())}") from error

    def _store(self) -> tuple[Any, str]:
        """The store, which fsspec keeps and gives again, and the folder's path within it."""
        try:
            from fsspec.core import url_to_fs
        except ModuleNotFoundError as error:
            raise ImportError("fsspec reads folders by their URL") from error
        store, path = url_to_fs(self.url)
        return store, path.rstrip("/")


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _marks_folder(name: str, info: dict[str, Any]) -> bool:
    """Whether an object only stands for a folder, as the consoles of stores make them."""
    return info.get("type") == "directory" or (name.endswith("/") and not info.get("size"))


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _stamp(info: dict[str, Any]) -> str | None:
    sure = next((str(info[key]) for key in _STAMPS if info.get(key)), None)
    time = next((info[key] for key in _TIMES if info.get(key)), None)
    if isinstance(time, datetime):  # The same store gives the one or the other.
        time = time.timestamp()
    return sure or (f"{info.get('size')} {time}" if time else None)


def _lock_now() -> bytes:
    held = json.loads(Holder.me().to_json())
    return json.dumps(held | {"seen": datetime.now(UTC).timestamp()}).encode()


def _is_expired(data: bytes) -> bool:
    try:
        seen = float(parse_json(data)["seen"])
    except (ValueError, TypeError, LookupError):
        return True
    return datetime.now(UTC).timestamp() - seen > _SECONDS_TO_EXPIRY
