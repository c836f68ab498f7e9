"""A ``.caffemodel`` -> the blobs of each layer as arrays, without Caffe.

The one idea: the file is one message of protocol buffers, a list of numbered fields, some of which are messages again.
Of all of it only names and blobs are wanted, so it is walked by hand; every length is held against what is left of the
file, so nothing can claim more than is there.

Must not import Keras, TensorFlow or anything of protocol buffers.

References:
    Protocol buffers, "Encoding"; ``caffe.proto``: ``NetParameter`` (layers 2 and 100), ``LayerParameter``,
    ``V1LayerParameter``, ``BlobProto``, ``BlobShape``.
"""

from __future__ import annotations

import array
import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import WeightsError

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_WIDEST_VARINT = 10  # Bytes.
_MOST_SIDES = 32


class _Kind(NamedTuple):
    """Where a layer of a network has its name and its blobs: layers of 2014 and those since."""

    name: int
    blobs: int


_LAYERS = {2: _Kind(name=4, blobs=6), 100: _Kind(name=1, blobs=7)}
_DATA, _SHAPE, _DOUBLES, _DIMENSION = 5, 7, 8, 1
_OLD_SIDES = (1, 2, 3, 4)  # Number, channels, height and width, before blobs had a shape.

Field = tuple[int, int, int | memoryview]
"""The number of a field, how it is written, and its value: a number, or bytes."""


def read(content: bytes) -> dict[str, list[NDArray[np.float32]]]:
    """The blobs of each layer that has any.

    Args:
        content: Of the file.

    Returns:
        By the name of a layer its blobs, float32: as a rule its kernel and its bias.

    Raises:
        WeightsError: It is damaged, or no such file.

    Example:
        >>> read(b"")
        Traceback (most recent call last):
            ...
        dreamer.errors.WeightsError: it is no .caffemodel: no layer of it has any blobs
    """
    found = {}
    try:
        for number, _, value in _fields(memoryview(content)):
            if number in _LAYERS and isinstance(value, memoryview):
                name, blobs = _layer(value, _LAYERS[number])
                if blobs:
                    found[name] = blobs
    except (ValueError, IndexError, struct.error) as error:
        raise WeightsError(f"it is damaged or no .caffemodel: {error}") from error
    if not found:
        raise WeightsError("it is no .caffemodel: no layer of it has any blobs")
    return found


def _layer(content: memoryview, kind: _Kind) -> tuple[str, list[NDArray[np.float32]]]:
    name, blobs = "", []
    for number, _, value in _fields(content):
        if number == kind.name and isinstance(value, memoryview):
            name = bytes(value).decode("utf-8", "replace")
        elif number == kind.blobs and isinstance(value, memoryview):
            blobs.append(_blob(value))
    return name, blobs


def _blob(content: memoryview) -> NDArray[np.float32]:
    shape: list[int] = []
    old = dict.fromkeys(_OLD_SIDES, 1)
    parts: list[NDArray[np.float32]] = []
    single_numbers = array.array("f")
    for number, how, value in _fields(content):
        if number == _SHAPE and isinstance(value, memoryview):
            shape = _dimensions(value)
        elif number in old and isinstance(value, int):
            old[number] = value
        elif number in (_DATA, _DOUBLES):
            single = number == _DATA
            if isinstance(value, memoryview):
                parts.append(np.frombuffer(value, "<f4" if single else "<f8").astype(np.float32))
            else:
                width, code = (4, "<f") if single else (8, "<d")
                if how != (_FOUR_BYTES if single else _EIGHT_BYTES):
                    raise ValueError("a blob holds something else than numbers")
                single_numbers.extend(struct.unpack(code, value.to_bytes(width, "little")))
    numbers = np.concatenate([*parts, np.frombuffer(single_numbers, np.float32)])
    sides = shape or [old[number] for number in _OLD_SIDES]
    if math.prod(sides) != numbers.size:
        raise ValueError(f"a blob claims the shape {sides[:8]} and holds {numbers.size:,} numbers")
    return numbers.reshape(sides)


def _dimensions(content: memoryview) -> list[int]:
    sides: list[int] = []
    for number, _, value in _fields(content):
        if number == _DIMENSION and isinstance(value, int):
            sides.append(value)
        elif number == _DIMENSION and isinstance(value, memoryview):
            place = 0
            while place < len(value):
                side, place = _varint(value, place)
                sides.append(side)
                if len(sides) > _MOST_SIDES:
                    break
        if len(sides) > _MOST_SIDES:
            raise ValueError(f"a blob claims more than {_MOST_SIDES} sides")
    return sides


def _fields(content: memoryview) -> Iterator[Field]:
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        how = key & 7
        if how == _VARINT:
            value, place = _varint(content, place)
            yield key >> 3, how, value
            continue
        if how == _LENGTH:
            length, place = _varint(content, place)
        elif how in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if how == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"a field is written in a way {how} that there is not")
        if length > len(content) - place:
            raise ValueError(f"a field claims {length:,} bytes, and {len(content) - place:,} are left")
        part = content[place : place + length]
        place += length
        yield key >> 3, how, part if how == _LENGTH else int.from_bytes(part, "little")


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for index in range(_WIDEST_VARINT):
        byte = content[place + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, place + index + 1
    raise ValueError("a number has no end")
