"""Folders: what can be done with one, of this machine (``local``) or of another (``remote``).

The one idea: files go by names relative to the folder, with ``/`` between their parts, so that a job can say what it
is about wherever it is done. A folder is a value: it can be pickled, and holds nothing open.

Must not import: networks, Keras or anything heavy.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from dreamer.files.documents import parse_json

HIDDEN = ".dreamer"
"""The folder within an output folder that holds the records and the lock."""


@dataclass(frozen=True)
class FileEntry:
    """A file of a folder.

    Attributes:
        name: Relative to the folder, with ``/`` between its parts.
        stamp: What the store vouches its content by, as an S3 ETag; None where only reading the file tells.
        problem: Why it cannot be read, if that is known by now.
        hides: Whether it is a folder that cannot be looked into, so that nobody knows what is in it.
        is_folder: Whether it is a folder, whose files have entries of their own.
        flaw: Why its name cannot be used, as ``names.flaw`` says it; nothing else is to be done with such a one.
    """

    name: str
    stamp: str | None = None
    problem: str | None = None
    hides: bool = False
    is_folder: bool = False
    flaw: str | None = None


class Folder(Protocol):
    """What can be done with a folder."""

    def show(self, name: str = "") -> str:
        """Its whole path or URL, or that of a file in it."""

    def walk(self) -> list[FileEntry]:
        """All that lies in it at any depth, sorted by name, but for what is hidden.

        Raises:
            FolderError: There is no such folder.
        """

    def entries(self, names: Iterable[str]) -> Mapping[str, FileEntry]:
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
            OSError: It cannot be written, or would lie outside.
        """

    def fetched(self, name: str) -> AbstractContextManager[Path]:
        """A file as one of this machine, under its own name: itself, or a copy that is gone after the body.

        Raises:
            OSError: It cannot be fetched.
        """

    def room(self, name: str) -> AbstractContextManager[Path]:
        """A folder of this machine to make something in, which is gone once the body went well.

        Args:
            name: Where it is within a folder of this machine, and stays if the body fails or the run is killed. For a
                store it is a temporary one.
        """

    def take(self, name: str, path: Path, *, overwrite: bool) -> None:
        """Put a file of this machine in its place, whole or not at all, without having all of it in memory.

        Args:
            name: Its place.
            path: The file, which may be gone from there afterwards.
            overwrite: Whether a file that is there may be replaced.

        Raises:
            FileExistsError: A file is there, and may not be replaced.
            OSError: It cannot be written, or would lie outside.
        """

    def sha256(self, name: str) -> str:
        """The digest of a file, read piece by piece.

        Raises:
            OSError: It cannot be read.
        """

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def stamp(self, name: str) -> str | None:
        """The stamp of a file that was just written."""

    def within(self, other: Folder) -> str | None:
        """Its name within another folder, "." if it is the same, or None where it lies outside."""

    def leads_out(self, name: str) -> bool:
        """Whether what is written under a name would end up outside, by way of a link, so that it is not written."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep other runs out.

        Raises:
            FolderInUseError: One is there already.
        """

    def sweep(self, names: Iterable[str]) -> None:
        """Remove what a killed run left half written on the way to some files."""


def is_same(held: Folder, entry: FileEntry, digest: str, stamp: str | None) -> bool:
    """Whether a file still has the content that a record tells of.

    Args:
        held: Where it is.
        entry: The file as it is now.
        digest: The SHA-256 that it had.
        stamp: The stamp that it had, which saves reading it.
    """
    if stamp is not None and entry.stamp == stamp:
        return True
    return held.sha256(entry.name) == digest


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
            held = parse_json(data)
            return f"process {held['process']} on {held['host']}, since {held['since']}"
        except (ValueError, TypeError, LookupError):
            return "another run"
