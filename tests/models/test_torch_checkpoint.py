"""Checkpoints are made by hand here, byte by byte as PyTorch lays them out, so PyTorch is not needed."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from dreamer.errors import WeightsError
from dreamer.models import torch_checkpoint

VALUES = np.arange(24, dtype="<f4").reshape(2, 3, 4)


class Global:
    """Pickles as a reference to ``module.name``."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    """Pickles as a call of a global with arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments


class Storage:
    def __init__(self, key, kind, count):
        self.pid = ("storage", Global("torch", kind), key, "cpu", count)


class Pickler(pickle._Pickler):
    """The pure Python pickler, able to write names that do not exist here."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_global_reference(self, value):
        self.write(b"c" + f"{value.module}\n{value.name}\n".encode())

    def save_call(self, value):
        self.save(value.function)
        self.save(value.arguments)
        self.write(b"R")

    dispatch[Global] = save_global_reference
    dispatch[Call] = save_call

    def persistent_id(self, value):
        return value.pid[:2] + value.pid[2:] if isinstance(value, Storage) else None


def dumps(value):
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(value)
    return buffer.getvalue()


def tensor(key, kind="FloatStorage", count=24, offset=0, shape=(2, 3, 4), strides=(12, 4, 1)):
    rebuild = Global("torch._utils", "_rebuild_tensor_v2")
    return Call(rebuild, Storage(key, kind, count), offset, shape, strides, False, OrderedDict())


def legacy(root, storages):
    head = dumps(0x1950A86A20F9469CFC6C) + dumps(1001) + dumps({"little_endian": True})
    data = b"".join(struct.pack("<q", values.size) + values.tobytes() for values in storages.values())
    return head + dumps(root) + dumps(list(storages)) + data


def zipped(root, storages, byteorder=b"little"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model/data.pkl", dumps(root))
        archive.writestr("model/byteorder", byteorder)
        for key, values in storages.items():
            archive.writestr(f"model/data/{key}", values.tobytes())
    return buffer.getvalue()


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "checkpoint.pth"
        path.write_bytes(content)
        return torch_checkpoint.read(path)

    return read


@pytest.mark.parametrize("layout", [legacy, zipped])
def test_tensors_come_out_by_name(read, layout):
    root = OrderedDict(
        a=tensor("0"),
        transposed=tensor("0", shape=(4, 3), strides=(1, 4), offset=12),
        b=tensor("1", "LongStorage", 1, shape=(), strides=()),
        half=tensor("2", "HalfStorage", 3, shape=(3,), strides=(1,)),
    )
    storages = {"0": VALUES, "1": np.array([7], "<i8"), "2": np.array([0.5, 1, 2], "<f2")}
    arrays = read(layout(root, storages))
    assert (arrays["a"] == VALUES).all()
    assert (arrays["transposed"] == VALUES[1].T).all()
    assert arrays["b"] == 7
    assert arrays["half"].dtype == np.float16


@pytest.mark.parametrize("layout", [legacy, zipped])
def test_a_nested_state_dictionary_is_found(read, layout):
    root = {"epoch": 3, "state_dict": OrderedDict(a=tensor("0"))}
    assert list(read(layout(root, {"0": VALUES}))) == ["a"]


@pytest.mark.parametrize("layout", [legacy, zipped])
@pytest.mark.parametrize(
    "name", [("os", "system"), ("posix", "system"), ("builtins", "eval"), ("torch", "load"), ("numpy", "array")]
)
def test_a_malicious_pickle_is_refused_and_nothing_runs(read, tmp_path, layout, name):
    witness = tmp_path / "witness"
    attack = Call(Global(*name), f"touch {witness}")
    with pytest.raises(WeightsError, match=rf"{name[0]}\.{name[1]}.*refused"):
        read(layout(OrderedDict(a=tensor("0"), b=attack), {"0": VALUES}))
    assert not witness.exists()


def test_a_malicious_pickle_in_any_part_of_the_legacy_layout_is_refused(read):
    good = [dumps(0x1950A86A20F9469CFC6C), dumps(1001), dumps({}), dumps(OrderedDict(a=tensor("0"))), dumps(["0"])]
    for part in range(5):
        pickles = list(good)
        pickles[part] = dumps(Call(Global("os", "system"), "true"))
        with pytest.raises(WeightsError, match="refused"):
            read(b"".join(pickles) + struct.pack("<q", 24) + VALUES.tobytes())


@pytest.mark.parametrize("layout", [legacy, zipped])
def test_every_cut_short_file_is_refused(read, layout):
    content = layout(OrderedDict(a=tensor("0")), {"0": VALUES})
    for length in range(0, len(content), 7):
        with pytest.raises(WeightsError):
            read(content[:length])


@pytest.mark.parametrize(
    "bad",
    [
        {"shape": (2, 3, 5)},
        {"offset": 1},
        {"offset": -1},
        {"shape": (-1, 3, 4)},
        {"strides": (12, 4)},
        {"strides": (-12, 4, 1)},
        {"shape": (2**30, 3, 4), "strides": (0, 4, 1)},
        {"shape": (2**40, 2**40, 2), "strides": (1, 1, 1)},
    ],
)
def test_a_tensor_never_reaches_outside_its_data(read, bad):
    with pytest.raises(WeightsError):
        read(legacy(OrderedDict(a=tensor("0", **bad)), {"0": VALUES}))


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04rubbish", b"\x80\x02]q\x00."])
def test_what_is_no_checkpoint_is_refused_in_one_line(read, content):
    with pytest.raises(WeightsError, match=r"^cannot read [^\n]*$"):
        read(content)


def test_big_endian_numbers_are_refused(read):
    with pytest.raises(WeightsError, match="big-endian"):
        read(zipped(OrderedDict(a=tensor("0")), {"0": VALUES}, byteorder=b"big"))


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(WeightsError, match="No such file"):
        torch_checkpoint.read(tmp_path / "nothing.pth")
