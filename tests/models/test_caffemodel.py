"""Caffe's models as blobs: files that the test writes, of both kinds of layers, and damaged ones."""

from __future__ import annotations

import struct

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from models.caffe_file import blob, field, model, varint

from dreamer.errors import WeightsError
from dreamer.models import caffemodel

KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) / 7
BIAS = np.float32([0.5, -1.25])


@pytest.mark.parametrize("old", [False, True])
def test_blobs_are_read_by_the_name_of_their_layer(old):
    found = caffemodel.read(model({"first": [KERNEL, BIAS], "relu": [], "second": [BIAS]}, old=old))
    assert set(found) == {"first", "second"}
    assert found["first"][0].shape == ((2, 3, 2, 2) if old else KERNEL.shape)
    assert (found["first"][0] == KERNEL).all()
    assert (found["first"][1].ravel() == BIAS).all()
    assert found["second"][0].dtype == np.float32


def test_numbers_one_by_one_and_in_double_are_read():
    single = b"".join(varint(5 << 3 | 5) + struct.pack("<f", value) for value in BIAS)
    double = field(8, BIAS.astype("<f8").tobytes())
    shape = field(7, varint(1 << 3) + varint(2))
    content = b"".join(field(100, field(1, name) + field(7, shape + part))
                       for name, part in ((b"a", single), (b"b", double)))  # fmt: skip
    found = caffemodel.read(content)
    assert (found["a"][0] == BIAS).all()
    assert (found["b"][0] == BIAS).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no layer of it has any blobs"),
        (field(100, field(1, b"a") + field(7, blob(BIAS)[:-1])), "damaged or no .caffemodel"),
        (varint(100 << 3 | 2) + varint(10**12), "a field claims 1,000,000,000,000 bytes, and 0 are left"),
        (
            field(100, field(7, field(7, field(1, varint(2**62))))),
            r"the shape \[4611686018427387904\] and holds 0",
        ),
        (field(100, field(7, field(5, b"abc"))), "damaged"),
        (field(100, field(7, field(7, field(1, b"\x01" * 40)))), "claims more than 32 sides"),
        (b"\xff" * 20, "a number has no end"),
        (varint(1 << 3 | 3), "is written in a way 3 that there is not"),
        (field(100, field(7, varint(5 << 3) + varint(3))), "a blob holds something else than numbers"),
    ],
)
def test_what_is_damaged_is_refused(content, said):
    with pytest.raises(WeightsError, match=said):
        caffemodel.read(content)


@hypothesis.given(strategies.binary(max_size=60), strategies.integers(0, 200))
def test_whatever_is_damaged_is_refused_or_read(noise, place):
    whole = model({"first": [KERNEL, BIAS]})
    for content in (noise, whole[:place] + noise + whole[place + len(noise) :], whole[:place]):
        try:
            found = caffemodel.read(content)
        except WeightsError:
            continue
        assert sum(array.nbytes for arrays in found.values() for array in arrays) <= 2 * len(content)
