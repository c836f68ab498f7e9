"""Whether a TIFF is whole, where libtiff does not say so: uncompressed, JPEG, and the compressions of fax machines.

The one idea: strips and tiles are counted; for JPEG see `jpeg`. Of a fax, rows that are missing come out white, and
white rows take bits as well; so a picture is written once more, and takes no more bytes than it had.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageChops

from dreamer.images import exif, jpeg

_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC = 256, 257, 259, 262
_SAMPLES, _ROWS_PER_STRIP, _PLANAR, _T4_OPTIONS = 277, 278, 284, 292
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS = 322, 323, 324
_SEPARATE = 2  # Planes of one channel each.
_JPEG = 7
_FAX = {2: "tiff_ccitt", 3: "group3", 4: "group4"}
_PLACES = ((273, 279), (_TILE_OFFSETS, 325))
_SLACK = 4  # Bytes: for the end of each strip, which may be marked or not.


def is_jpeg(block: exif.Block) -> bool:
    """Whether its strips or tiles are JPEGs."""
    return block.number(_COMPRESSION, 1) == _JPEG


def missing_of_jpeg(data: bytes, block: exif.Block) -> str | None:
    """What `jpeg.missing` says of its strips or tiles."""
    lacks = (jpeg.missing(part, jpeg.scans(part)) for part in _parts(data, block))
    return next(filter(None, lacks), None)


def _places(block: exif.Block) -> tuple[int, int]:
    """The tags that say where its strips or tiles lie, and how long they are."""
    return next((pair for pair in _PLACES if pair[0] in block.entries), _PLACES[0])


def _parts(data: bytes, block: exif.Block) -> list[bytes]:
    offsets, counts = _places(block)
    places = zip(block.numbers(offsets), block.numbers(counts), strict=True)
    return [data[int(at) : int(at) + int(count)] for at, count in places]


def with_foreign_bits(data: bytes, block: exif.Block) -> bytes:
    """The same TIFF, its strips or tiles followed by other bits as `jpeg.with_foreign_bits` does it."""
    offsets, counts = _places(block)
    parts = _parts(data, block)
    others = [jpeg.with_foreign_bits(part, jpeg.scans(part)) for part in parts]
    body = b"".join((data, b"\0" * (len(data) % 2)))
    starts = np.cumsum([len(body), *map(len, others[:-1])]).tolist()
    entries = {
        **block.entries,
        offsets: exif.integers(block.order, exif.LONG, *starts),
        counts: exif.integers(block.order, exif.LONG, *map(len, others)),
    }
    end = starts[-1] + len(others[-1])
    directory = exif.directory_bytes(entries, block.order, end + end % 2)
    return b"".join((exif.header(block.order, end + end % 2), body[8:], *others, b"\0" * (end % 2), directory))


def missing_parts(block: exif.Block) -> str | None:
    """Strips or tiles that have no place in the file: the end of a sentence that begins with "its data", or None.

    Of uncompressed ones Pillow says nothing; it leaves them black, or takes the beginning of the file for them.
    """
    offsets, counts = _places(block)
    places, lengths = block.numbers(offsets), block.numbers(counts)
    wanted = _num_parts(block, is_tiled=offsets == _TILE_OFFSETS)
    if not places:
        return None
    if wanted == 1 or not lengths:  # The length of a single one may be wrong, and is not needed.
        lengths = (1,) * len(places)
    found = sum(bool(place and length) for place, length in zip(places, lengths, strict=False))
    return f"hold {found} of {wanted} strips or tiles" if found < wanted else None


def _num_parts(block: exif.Block, *, is_tiled: bool) -> int:
    height, width = block.number(_HEIGHT, 0), block.number(_WIDTH, 0)
    down, across = block.number(_ROWS_PER_STRIP, height) or height, width
    if is_tiled:
        down, across = block.number(_TILE_HEIGHT, 0), block.number(_TILE_WIDTH, 0)
    if not down or not across:
        return 0
    planes = block.number(_SAMPLES, 1) if block.number(_PLANAR, 1) == _SEPARATE else 1
    return -(-height // down) * -(-width // across) * planes


def missing_of_fax(image: Image.Image, block: exif.Block) -> str | None:
    """What is missing of the picture of a fax: the end of a sentence that begins with "its data", or None."""
    compression = _FAX.get(block.number(_COMPRESSION, 1))
    is_free = compression == "group3" and block.number(_T4_OPTIONS, 0) & 1  # To choose which rows refer to others.
    if compression is None or is_free or image.mode != "1" or _PLACES[0][0] not in block.entries:
        return None
    rows = min(block.number(_ROWS_PER_STRIP, image.height), image.height)
    # The bits as they lie in the file, called black is nought: the contrary Pillow writes pixel by pixel.
    tags = {_PHOTOMETRIC: 1, _ROWS_PER_STRIP: rows, _T4_OPTIONS: block.number(_T4_OPTIONS, 0)}
    stored_bits = ImageChops.invert(image) if block.number(_PHOTOMETRIC, 0) == 0 else image
    out = BytesIO()
    stored_bits.save(out, "TIFF", compression=compression, tiffinfo=tags)
    again = exif.parse(out.getvalue())
    stored = sum(block.numbers(_PLACES[0][1]))
    needed = sum(again.numbers(_PLACES[0][1])) if again else 0
    count = len(block.numbers(_PLACES[0][1]))
    if stored + _SLACK * count >= needed:
        return None
    return f"hold {int(stored):,} of the {int(needed):,} bytes that its rows take"
