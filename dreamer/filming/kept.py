"""The folder in which the frames of a video are kept until all are there: what is done, and what goes on from it.

The one idea: a frame is there once its picture is, and can be gone on from once what it carries is there as well,
which is written after it. So a run that is killed loses the frame that it was at, and the next goes on with the bytes
that an undisturbed one would have had.

    NAME.frames/
        video.json        whose frames these are: a digest of all that they depend on
        000000.png ...    the finished frames, without loss
        shot-000000.npz   what the last finished frame of that shot leaves to the next

Must not import: networks, Keras.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from dreamer import images
from dreamer.arrays import StoredArray
from dreamer.errors import FolderError, FolderInUseError
from dreamer.files.documents import parse_json
from dreamer.filming.carrying import Carried
from dreamer.filming.scanning import Shot
from dreamer.filming.shots import State
from dreamer.images.files import placed, put

_ABOUT = "video.json"
_FORMAT = 1
_CARRIED = tuple(one.name for one in fields(Carried))
_NOBODYS = r"\..*|Thumbs\.db|desktop\.ini"  # Hidden ones, and what systems leave where somebody looks at pictures.
_EMPTY = re.compile(_NOBODYS)
_OURS = re.compile(rf"\d{{6,}}\.png|shot-\d{{6,}}\.npz|video\.json|so-far\.[a-z0-9]+|{_NOBODYS}")


class Kept:
    """The folder of a video's frames.

    Args:
        path: Where it is; made when it is held.

    Example:
        >>> Kept(Path("out.mp4.frames")).place(7)
        PosixPath('out.mp4.frames/000007.png')
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self, digest: str, *, overwrite: bool) -> Iterator[None]:
        """Keep other runs out, and make sure that the frames are of the very dream.

        Args:
            digest: Of all that they depend on.
            overwrite: Whether frames of another dream are thrown away.

        Raises:
            FolderError: It is something else, or holds frames of another dream.
            FolderInUseError: Another run holds it.
            ImageWriteError: It cannot be made there.
        """
        self._check_folder()
        self.path.mkdir(exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise FolderInUseError(f"another run dreams into {self.path}; wait for it, or name another -o") from None
        try:
            for part in self.path.glob(".dreamer-*.part"):
                part.unlink(missing_ok=True)
            found = self._digest()
            if found not in (None, digest) and not overwrite:
                raise FolderError(
                    f"{self.path} holds the frames of another dream, with other settings or of another video; "
                    "--overwrite throws them away, and another -o leaves them"
                )
            if found != digest:
                self._empty()
                put(self.path / _ABOUT, json.dumps({"format": _FORMAT, "digest": digest}).encode(), overwrite=True)
            yield
        finally:
            lock.release()

    def _check_folder(self) -> None:
        if not self.path.exists():
            images.check_place(self.path, overwrite=False)
            return
        if not self.path.is_dir():
            raise FolderError(f"{self.path} is a file; expected a folder for the frames. Move it, or name another -o")
        # Without the file that says whose they are, frames are of somebody else.
        ours = _OURS if (self.path / _ABOUT).is_file() else _EMPTY
        others = [one.name for one in self.path.iterdir() if not ours.fullmatch(one.name)]
        if others:
            raise FolderError(f"{self.path} holds other files, as {others[0]}; move it, or name another -o")

    def _digest(self) -> str | None:
        try:
            about = parse_json((self.path / _ABOUT).read_bytes())
            return str(about["digest"]) if about.get("format") == _FORMAT else ""
        except FileNotFoundError:
            return None
        except (OSError, ValueError, AttributeError, LookupError):
            return ""

    def _empty(self) -> None:
        """Remove all frames; what says that they are ours is replaced after that."""
        for one in self.path.iterdir():
            if one.name not in (".lock", _ABOUT):
                one.unlink()

    def place(self, index: int) -> Path:
        """Where a frame is."""
        return self.path / f"{index:06d}.png"

    def keep(self, picture: StoredArray, state: State, shot: Shot) -> None:
        """Keep a finished frame, then what it leaves to the next.

        Args:
            picture: ``(height, width, 3)`` uint8 or uint16.
            state: What it leaves; its index says which frame it is.
            shot: The shot that it is of.

        Raises:
            ImageWriteError: The disk is full or failing.
        """
        images.write(self.place(state.index), images.Photo(picture, bits=picture.dtype.itemsize * 8), recipe=None,
                     overwrite=True)  # fmt: skip
        arrays = {"index": np.array(state.index)}
        if state.index + 1 < shot.indices.stop:  # The last frame of a shot leaves nothing.
            arrays |= {"ground": state.ground, "small": state.small}
            for climb, carried in state.carried.items():
                arrays |= {f"{climb}.{name}": array for name, array in carried.arrays().items()}
        with placed(self._state(shot), overwrite=True) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # Which takes a name for its flag.

    def state(self, shot: Shot) -> State | None:
        """What the last finished frame of a shot leaves; None where the shot begins anew."""
        try:
            with self._state(shot).open("rb") as file, np.load(file, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            climbs = {name.partition(".")[0] for name in arrays if "." in name}
            carried = {
                int(climb): Carried(**{name: arrays[f"{climb}.{name}"] for name in _CARRIED}) for climb in climbs
            }
            index = int(arrays["index"])
            nothing = np.zeros(0, np.uint8)
            is_over = index + 1 == shot.indices.stop
            left = (nothing, nothing) if is_over else (arrays["ground"], arrays["small"])
            state = State(index, left[0], carried, left[1])
        except FileNotFoundError:
            return None
        except (OSError, EOFError, TypeError, ValueError, LookupError, zipfile.BadZipFile):  # Not whole, or not ours.
            return None
        whole = all(self.place(index).is_file() for index in range(shot.first, state.index + 1))
        return state if whole and state.index in shot.indices else None

    def begun(self, shot: Shot) -> int:
        """Index of the frame with which a shot goes on; the one behind it where it is finished."""
        state = self.state(shot)
        return shot.first if state is None else state.index + 1

    def _state(self, shot: Shot) -> Path:
        return self.path / f"shot-{shot.first:06d}.npz"

    def done(self, shots: tuple[Shot, ...]) -> int:
        """How many frames are there in a row from the first."""
        count = shots[-1].indices.stop
        return next((index for index in range(count) if not self.place(index).is_file()), count)

    def count(self) -> int:
        """How many frames are there."""
        return sum(1 for _ in self.path.glob("[0-9]*.png"))

    def picture(self, index: int) -> StoredArray:
        """A finished frame as it is stored.

        Raises:
            ImageReadError: It cannot be read.
        """
        return images.read(self.place(index), compact=True).pixels

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.path)
