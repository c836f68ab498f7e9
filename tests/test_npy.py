"""NumPy's files from elsewhere."""

from __future__ import annotations

import pickle
import struct
import tracemalloc
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dreamer.files import npy

MOST = 1_000_000


def header(text):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin-1")


def of_shape(shape, kind="<f4"):
    return header(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n")


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(3),
        np.zeros((0, 3)),
        np.ones(5, bool),
        np.arange(4, dtype=">f4"),
        np.ones(2, np.float16),
    ],
)
def test_what_numpy_saves_is_read(array, tmp_path):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", it=array)
    np.savez_compressed(tmp_path / "b.npz", it=array)
    for found in (
        npy.read(tmp_path / "a.npy", most=MOST),
        npy.read_member(tmp_path / "a.npz", "it", most=MOST),
        npy.read_member(tmp_path / "b.npz", "it", most=MOST),
    ):
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code of a file was run')",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        of_shape("(10000000000,)"),
        of_shape("(100000, 100000)"),
        of_shape("(-1, -4)"),
        of_shape("(999999999999, 999999999999, 9)"),
        of_shape("(3,)") + b"12345678",
        of_shape("(1,)", "|O") + pickle.dumps(Evil()),
        pickle.dumps(Evil()),
        of_shape("(1,)", "<M8[s]") + bytes(8),
        header("(" * 9000),
        header("-" * 9000 + "1"),
        header("{'descr': [('a', '<f4', (9999, 9999, 99))], 'fortran_order': False, 'shape': (1,), }"),
        b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"a",
    ],
)
def test_what_is_damaged_or_claims_too_much_is_refused_without_the_memory(content, tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("it.npy", content)
    tracemalloc.start()
    with pytest.raises(ValueError):
        npy.read(path, most=MOST)
    with pytest.raises(ValueError):
        npy.read_member(tmp_path / "a.npz", "it", most=MOST)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_an_archive_that_claims_more_than_it_packs_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, it=np.zeros(100, np.float32))
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("it.npy").file_size
    path.write_bytes(data.replace(struct.pack("<I", size), struct.pack("<I", 2**31)))
    with pytest.raises(ValueError, match="claims 2,147,483,648 bytes"):
        npy.read_member(path, "it", most=2**40)
    np.savez(path, other=np.ones(3))
    with pytest.raises(ValueError, match="no item named"):
        npy.read_member(path, "it", most=MOST)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_a_value_error_or_an_array(tmp_path, data):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, it=np.arange(40.0))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(ValueError):
        npy.read_member(path, "it", most=MOST)
