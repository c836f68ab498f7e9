"""GIF animations, a frame at a time.

The one idea: nothing in the picture may move but what moves in the frames. A GIF has 256 colours, so all its frames
share one palette, and the pattern that hides its coarseness is the same in each of them: a still part stays still.

Pillow compresses the pictures; the blocks around them are put together here: Pillow would hold all frames at once.

References:
    Graphics Interchange Format, version 89a, 1990.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dreamer.images.recipes import marked
from dreamer.images.spool import Levels, Spool

_SAMPLE = 100_000  # pixels that the palette is made from, of the last frame and of all others
_COLOURS = 255  # one of the 256 is left for "as in the frame before"
_SAME = 255
_DITHER = 10.0  # levels from the lowest to the highest of the pattern: about the distance of two colours
_LONGEST = 65535  # hundredths of a second that a frame is shown
_HEADER = 13 + 3 * 256


def write(file: BinaryIO, frames: Spool, milliseconds: list[int], recipe: bytes | None) -> None:
    """Write an animation that plays over and over.

    Args:
        file: Where it goes.
        frames: One or more.
        milliseconds: How long each is shown.
        recipe: Kept at the end of the comment; None for no comment.
    """
    palette, pattern = _palette(frames), _pattern(frames.shape)
    changes = _changes((_indexed(frame, palette, pattern) for frame in frames), milliseconds)
    for number, (place, indices, time) in enumerate(changes):
        header, picture = _compressed(indices, palette)
        if number == 0:
            file.write(header)
            file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
            if recipe is not None:
                file.write(b"\x21\xfe" + _blocks(marked(b"", recipe)))
        if time // 10 > _LONGEST:
            raise ValueError(f"a frame is shown for {time / 1000:g} seconds, and {_LONGEST / 100:g} are the most")
        # Left in place; where a pixel is as before, it is transparent.
        file.write(b"\x21\xf9\x04" + struct.pack("<BHBB", 0b101 if number else 0b100, time // 10, _SAME, 0))
        file.write(struct.pack("<BHH", 0x2C, *place) + picture)
    file.write(b"\x3b")


def _changes(
    frames: Iterable[NDArray[np.uint8]], milliseconds: list[int]
) -> Iterator[tuple[tuple[int, int], NDArray[np.uint8], int]]:
    """The first frame whole, and of each other what has changed: its place ``(x, y)``, its pixels, its time."""
    waiting: tuple[tuple[int, int], NDArray[np.uint8], int] | None = None
    before: NDArray[np.uint8] | None = None
    for frame, time in zip(frames, milliseconds, strict=True):
        changed = np.ones(frame.shape, bool) if before is None else frame != before
        rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
        if waiting is not None:
            if not len(rows):
                waiting = (*waiting[:2], waiting[2] + time)
                continue
            yield waiting
        within = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        waiting = (int(columns[0]), int(rows[0])), np.where(changed, frame, _SAME)[within].astype(np.uint8), time
        before = frame
    if waiting is not None:
        yield waiting


def _compressed(indices: NDArray[np.uint8], palette: Image.Image) -> tuple[bytes, bytes]:
    """What a GIF of a single picture begins with, and that picture from its size on."""
    picture = Image.fromarray(indices, "L")
    picture.putpalette([*(palette.getpalette() or []), *[0] * 768][:768])
    out = BytesIO()
    picture.save(out, "GIF", optimize=False, interlace=0)
    data = out.getvalue()
    start = data.index(b"\x2c", _HEADER)
    return data[:_HEADER], data[start + 5 : -1]


def _blocks(data: bytes) -> bytes:
    """Bytes as GIF has them: in blocks of up to 255, each after its length, then an empty one."""
    pieces = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def _palette(frames: Spool) -> Image.Image:
    """One palette for all frames, as the image that Pillow takes it from.

    Half of the sample is the last frame: it is looked at longest, and most of the frames before may be noise.
    """
    last = len(frames) - 1
    sample = np.concatenate([_sample(frames, some) for some in (range(last, last + 1), range(last)) if some])
    # Without a mean over each group of colours (kmeans), white turns grey.
    return Image.fromarray(sample[:, None]).quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=1)


def _sample(frames: Spool, some: range) -> Levels:
    """``(number, 3)`` pixels from all over some frames, rare colours more often than they are there.

    A colour that is there 100 times counts 10 times: by plain number, the green eyes of a brown cat turn brown.
    """
    # Odd, so that it does not run along the columns of the usual widths.
    stride = len(some) * frames.shape[0] * frames.shape[1] // _SAMPLE | 1
    # Copies, since a view would keep the whole frame.
    pixels = np.concatenate([frames[index].reshape(-1, 3)[::stride].copy() for index in some])
    alike = (pixels >> 3) @ np.array([1 << 10, 1 << 5, 1])
    order = np.argsort(alike, kind="stable")
    _, start, number = np.unique(alike[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - start.repeat(number)
    return pixels[order[rank < np.sqrt(number).repeat(number)]]


def _pattern(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An ordered dither (Bayer's) for every pixel, another shift of it for each channel."""
    bayer = np.zeros((1, 1))
    for _ in range(3):
        bayer = np.block([[4 * bayer, 4 * bayer + 2], [4 * bayer + 3, 4 * bayer + 1]])
    levels = ((bayer + 0.5) / bayer.size - 0.5) * _DITHER
    # Shifted, so that the three do not add up to light and dark dots.
    cell = np.stack([levels, np.roll(levels, 3, axis=1), np.roll(levels, 5, axis=0)], axis=-1)
    repeats = (-(-shape[0] // 8), -(-shape[1] // 8), 1)
    return np.tile(cell.astype(np.float32), repeats)[: shape[0], : shape[1]]


def _indexed(frame: Levels, palette: Image.Image, pattern: NDArray[np.float32]) -> NDArray[np.uint8]:
    dithered = np.rint(np.clip(frame + pattern, 0, 255)).astype(np.uint8)
    return np.asarray(Image.fromarray(dithered).quantize(palette=palette, dither=Image.Dither.NONE))
