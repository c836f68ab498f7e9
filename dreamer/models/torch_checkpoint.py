"""PyTorch checkpoint -> named arrays, without PyTorch and without running what its pickle says.

A checkpoint is a pickle that names a handful of functions and leaves the numbers outside. The one
idea here: an unpickler to which exactly those few names are known. Each is answered by an inert
stand-in of our own; any other name is refused before anything is called.

Two layouts exist, and both are read:

* *legacy* (before PyTorch 1.6): five pickles in a row (magic number, protocol, system
  information, the object, the storage keys), then for each storage a 64-bit count and its data;
* *zip*: an archive with ``<root>/data.pkl`` and one member ``<root>/data/<key>`` per storage.

Must not import: Keras, TensorFlow, PyTorch.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import WeightsError
from dreamer.files import regular
from dreamer.models import claims

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001

_STORAGE_DTYPES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}


@dataclass(frozen=True)
class _Storage:
    """What the pickle says of a block of numbers that lies outside it."""

    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage: where it starts, and its shape and strides in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def view(self, data: NDArray[Any]) -> NDArray[Any]:
        """Cut this tensor out of its storage's numbers, refusing to reach outside them."""
        if len(self.shape) != len(self.strides) or min((self.offset, *self.shape, *self.strides, 0)) < 0:
            raise WeightsError("the checkpoint describes a tensor with an impossible shape")
        spans = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        # A stride of 0 could ask for any size at all; no plain checkpoint repeats its numbers.
        if math.prod(self.shape) > data.size or (0 not in self.shape and self.offset + sum(spans) >= data.size):
            raise WeightsError("the checkpoint describes a tensor that reaches outside its data")
        strides = tuple(s * data.itemsize for s in self.strides)
        window = np.lib.stride_tricks.as_strided(data[self.offset :], self.shape, strides, writeable=False)
        return window.copy()


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_autograd: Any
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(tensor: _Tensor, *_autograd: Any) -> _Tensor:
    return tensor


_KNOWN_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    **{("torch", name): dtype for name, dtype in _STORAGE_DTYPES.items()},
}


class _CheckpointUnpickler(pickle.Unpickler):
    """An unpickler that knows the names a checkpoint needs, and no other."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN_NAMES[module, name]
        except KeyError:
            raise WeightsError(
                f"the checkpoint asks to run {module}.{name}, which no plain checkpoint of weights needs; "
                "refused, nothing was run"
            ) from None

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, count = pid[:5]
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise WeightsError(f"the checkpoint refers to {kind!r} of an unknown type; expected a storage")
        return self.storages.setdefault(str(key), _Storage(str(key), dtype, int(count)))


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Read every tensor of a PyTorch checkpoint.

    Args:
        path: A file written by ``torch.save`` of a state dictionary, or of a dictionary that holds
            one under ``"state_dict"``; legacy or zip layout.

    Returns:
        The tensors by name, each a fresh array in PyTorch's axis order.

    Raises:
        WeightsError: The file is missing or damaged, is no checkpoint, or asks for anything that a
            plain checkpoint does not need.

    Example:
        >>> arrays = read(Path("efficientnet-lite0.pth"))  # doctest: +SKIP
        >>> arrays["_conv_stem.weight"].shape  # doctest: +SKIP
        (32, 3, 3, 3)
    """
    try:
        with regular.open_regular(path) as file:
            root, load = _open_zip(file) if zipfile.is_zipfile(file) else _open_legacy(file)
            tensors = dict(_tensors(root))
            _check_claims(tensors, path.stat().st_size)
            return {name: tensor.view(load(tensor.storage)) for name, tensor in tensors.items()}
    except WeightsError as error:
        raise WeightsError(f"cannot read {path}: {error}") from error
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from error
    # A damaged pickle can fail in any of these ways; none of them means anything but "damaged".
    except (
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        struct.error,
        zlib.error,
        EOFError,
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise WeightsError(
            f"cannot read {path}: it is damaged or no PyTorch checkpoint ({type(error).__name__}: {error})"
        ) from error


def _check_claims(tensors: Mapping[str, _Tensor], size: int) -> None:
    """Refuse a checkpoint whose tensors share their numbers so often that they are far more than the file."""
    claimed = sum(abs(math.prod(tensor.shape)) * tensor.storage.dtype.itemsize for tensor in tensors.values())
    claims.check_growth("all of its tensors", claimed=claimed, held=size)


def _tensors(root: object) -> Iterator[tuple[str, _Tensor]]:
    """The named tensors of a state dictionary, or of one nested under ``state_dict``."""
    if isinstance(root, dict) and isinstance(root.get("state_dict"), dict):
        root = root["state_dict"]
    if not isinstance(root, dict):
        raise WeightsError(f"expected a dictionary of tensors, found {type(root).__name__}")
    found = [(str(name), value) for name, value in root.items() if isinstance(value, _Tensor)]
    if not found:
        raise WeightsError("expected a dictionary of tensors, found no tensor in it")
    yield from found


def _open_legacy(file: BinaryIO) -> tuple[object, Callable[[_Storage], NDArray[Any]]]:
    file.seek(0)
    if (_load(file), _load(file)) != (_LEGACY_MAGIC, _LEGACY_PROTOCOL):
        raise WeightsError("it does not start as a PyTorch checkpoint does")
    _system_information = _load(file)
    unpickler = _CheckpointUnpickler(file)
    root = unpickler.load()
    keys = _load(file)
    data: dict[str, NDArray[Any]] = {}
    for storage in (unpickler.storages[key] for key in keys):
        (count,) = struct.unpack("<q", file.read(8))
        if count != storage.count:
            raise WeightsError(f"a storage says it holds {count} numbers and {storage.count}")
        data[storage.key] = _numbers(claims.read_exactly(file, count * storage.dtype.itemsize), storage.dtype, count)
    return root, lambda storage: data[storage.key]


def _open_zip(file: BinaryIO) -> tuple[object, Callable[[_Storage], NDArray[Any]]]:
    archive = zipfile.ZipFile(file)
    claims.check_archive(archive)
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise WeightsError("it is an archive, but not one that torch.save writes")
    directory = pickles[0].removesuffix("data.pkl")
    byteorder = f"{directory}byteorder"
    if byteorder in archive.namelist() and archive.read(byteorder) != b"little":
        raise WeightsError("its numbers are big-endian; expected little-endian")
    root = _load(io.BytesIO(archive.read(pickles[0])))

    def load(storage: _Storage) -> NDArray[Any]:
        return _numbers(archive.read(f"{directory}data/{storage.key}"), storage.dtype, storage.count)

    return root, load


def _load(file: BinaryIO) -> Any:
    return _CheckpointUnpickler(file).load()


def _numbers(raw: bytes, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    if count < 0 or len(raw) != count * dtype.itemsize:
        raise WeightsError(f"it is cut short: {count} numbers expected, {len(raw) // dtype.itemsize} found")
    return np.frombuffer(raw, dtype)
