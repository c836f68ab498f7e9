"""What layers found in photos, kept on the disk, so that the next question needs no network.

The one idea: a layer has two files that only grow. ``LAYER.f16`` holds what it found, photo after photo, and is read
by mapping it into memory; ``LAYER.jsonl`` says of each photo where that begins, of what shape it is, and by which
stamp the photo is known. A line is written after its numbers are, so whatever is interrupted leaves a beginning that
is whole. The first line names the network by the digest of its weights; where that is another, all begins anew.

Must not import: networks, Keras.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from dreamer.arrays import Size
from dreamer.errors import FolderError, FolderInUseError
from dreamer.models import store
from dreamer.searching.duplicates import SIDE as THUMBNAIL_SIDE
from dreamer.searching.duplicates import Thumbnail
from dreamer.shapes import Shape, problem

FORMAT = 1
_ENTRY: Shape = {
    "photo": str, "stamp": str, "at": int, "shape": [int], "seen": [int], "size": [int], "thumbnail": str,
}  # fmt: skip
_LEAST_WORTH = 0.5  # Of the photos in an index that are still there; with fewer it is begun anew.


@dataclass(frozen=True)
class Key:
    """What the numbers of an index depend on besides the photos.

    Attributes:
        model: The network; empty for one in memory.
        weights_sha256: Digest of its weights.
        preprocessing: How photos are prepared for it.
        side: The shorter side of a photo as it is looked at, in pixels.
    """

    model: str
    weights_sha256: str
    preprocessing: str
    side: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"format": FORMAT, **self.__dict__}

    @property
    def digest(self) -> str:
        """Of all of it."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Entry:
    """A photo in the index of a layer.

    Attributes:
        photo: Its name in the folder.
        stamp: By which it is known to be the same.
        at: Where its numbers begin, in numbers.
        shape: ``(rows, columns, channels)``, or ``(units,)``.
        seen: ``(height, width)`` at which the network saw it.
        size: ``(height, width)`` of the photo as it is shown.
        thumbnail: It made tiny.
    """

    photo: str
    stamp: str
    at: int
    shape: tuple[int, ...]
    seen: Size
    size: Size
    thumbnail: Thumbnail

    def line(self) -> bytes:
        """As the file has it."""
        held = {**self.__dict__, "thumbnail": base64.b64encode(self.thumbnail.tobytes()).decode()}
        return json.dumps(held).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> Entry:
        """What a line says.

        Raises:
            ValueError: It says something else.
        """
        held = json.loads(line)
        if wrong := problem(held, _ENTRY):
            raise ValueError(wrong)
        thumbnail = np.frombuffer(base64.b64decode(held["thumbnail"]), np.uint8)
        shape, seen, size = (tuple(held[name]) for name in ("shape", "seen", "size"))
        if held["at"] < 0 or not shape or min(shape + seen + size) < 1 or not len(seen) == len(size) == 2:
            raise ValueError("a number is out of its range")
        return cls(
            held["photo"], held["stamp"], held["at"], shape, seen, size,
            thumbnail.reshape(THUMBNAIL_SIDE, THUMBNAIL_SIDE),
        )  # fmt: skip


def usual_place(folder: str, key: Key) -> Path:
    """Where the index of a folder of photos is kept if nobody says otherwise: in the cache.

    Args:
        folder: Its path or URL, in full.
        key: Of the index.
    """
    return store.home() / "index" / hashlib.sha256(f"{folder}\0{key.digest}".encode()).hexdigest()[:24]


@contextmanager
def held(place: Path) -> Iterator[None]:
    """Keep other runs out of an index.

    Raises:
        FolderError: It cannot be written to.
        FolderInUseError: Another run fills it.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place / ".lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderInUseError(f"the index in {place} is being filled by another run; wait for it") from None
    except OSError as error:
        raise FolderError(f"the index in {place} cannot be written: {error.strerror}; choose another place") from error
    try:
        yield
    finally:
        lock.release()


class LayerIndex:
    """What one layer found in photos.

    Args:
        place: The folder of the index, held.
        layer: The layer.
        key: What the numbers depend on.

    Attributes:
        entries: By name the photos that are in it.
    """

    def __init__(self, place: Path, layer: str, key: Key) -> None:
        stem = hashlib.sha256(layer.encode(errors="surrogatepass")).hexdigest()[:16]
        self._numbers, self._lines = place / f"{stem}.f16", place / f"{stem}.jsonl"
        self._head = {**key.to_dict(), "layer": layer}
        self.entries: dict[str, Entry] = {}
        self._mapped: NDArray[np.float16] | None = None
        self._begin()

    @property
    def bytes(self) -> int:
        """How much it takes on the disk."""
        return sum(path.stat().st_size for path in (self._numbers, self._lines) if path.exists())

    def missing(self, names: Sequence[str], stamps: Sequence[str]) -> list[int]:
        """The places of those photos that are not in it, or have changed since; where most have, it begins anew."""
        wanted = dict(zip(names, stamps, strict=True))
        fresh = {name: one for name, one in self.entries.items() if wanted.get(name) == one.stamp and one.stamp}
        if self.entries and len(fresh) < _LEAST_WORTH * len(self.entries) and len(fresh) < _LEAST_WORTH * len(names):
            self._clear()
            fresh = {}
        self.entries = fresh
        return [place for place, name in enumerate(names) if name not in fresh]

    def add(self, entries: Iterable[tuple[Entry, NDArray[Any]]]) -> None:
        """Add what the layer found in some photos.

        Args:
            entries: With each its numbers; where they begin is filled in.

        Raises:
            FolderError: They cannot be written.
        """
        written = []
        with self._writing(), self._numbers.open("ab") as numbers, self._lines.open("ab") as lines:
            at = numbers.tell() // 2
            for entry, found in entries:
                # What float16 cannot hold becomes the largest that it can: it is still more than all others.
                kept = np.clip(np.nan_to_num(found), -65504, 65504).astype(np.float16)
                numbers.write(kept.tobytes())
                written.append(Entry(**{**entry.__dict__, "at": at, "shape": found.shape}))
                at += found.size
            numbers.flush()
            lines.write(b"".join(one.line() for one in written))
        self.entries |= {one.photo: one for one in written}
        self._mapped = None

    def found(self, photo: str) -> NDArray[np.float16]:
        """What the layer found in a photo, out of the mapped file."""
        entry = self.entries[photo]
        return self._numbers_mapped()[entry.at : entry.at + math.prod(entry.shape)].reshape(entry.shape)

    def keep(self) -> None:
        """Map the file while the index is held: whoever begins it anew later takes nothing away."""
        if self.entries:
            self._numbers_mapped()

    def _numbers_mapped(self) -> NDArray[np.float16]:
        if self._mapped is None:
            self._mapped = np.memmap(self._numbers, np.float16, mode="r")
        return self._mapped

    def _begin(self) -> None:
        """Read what is there; of what was interrupted, the beginning that is whole."""
        try:
            held = self._lines.read_bytes()
            size = self._numbers.stat().st_size // 2
        except OSError:
            self._clear()
            return
        head, *lines = held.split(b"\n")[:-1] or [b""]  # What no line end follows was not written to its end.
        if _parsed(head) != self._head:
            self._clear()
            return
        good = len(head) + 1
        end = 0
        for line in lines:
            try:
                entry = Entry.of(line)
            except (ValueError, TypeError, LookupError, RecursionError):
                break
            if entry.at < end or entry.at + math.prod(entry.shape) > size:
                break
            end = entry.at + math.prod(entry.shape)
            self.entries[entry.photo] = entry
            good += len(line) + 1
        with self._writing():
            os.truncate(self._lines, good)
            os.truncate(self._numbers, 2 * end)

    def _clear(self) -> None:
        self.entries, self._mapped = {}, None
        with self._writing():
            self._numbers.unlink(missing_ok=True)  # Another run may read it still.
            self._numbers.write_bytes(b"")
            self._lines.write_bytes(json.dumps(self._head).encode() + b"\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FolderError(
                f"the index {self._numbers} cannot be written: {error.strerror}. What it holds stays; choose another "
                "place with --index"
            ) from error


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
