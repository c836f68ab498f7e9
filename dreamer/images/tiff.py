"""Whether a TIFF is whole, for the compressions of which libtiff does not say so: JPEG, and those of fax machines.

The one idea: see `jpeg` for the first. Of a fax, rows that are missing come out white, and white rows take bits as
well; so a picture is written once more, and takes no more bytes than it had.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageChops

from dreamer.images import exif, jpeg

_COMPRESSION, _PHOTOMETRIC, _ROWS_PER_STRIP, _T4_OPTIONS = 259, 262, 278, 292
_JPEG = 7
_FAX = {2: "tiff_ccitt", 3: "group3", 4: "group4"}
_PLACES = ((273, 279), (324, 325))
_SLACK = 4  # Bytes: for the end of each strip, which may be marked or not.


def is_jpeg(block: exif.Block) -> bool:
    """Whether its strips or tiles are JPEGs."""
    return block.number(_COMPRESSION, 1) == _JPEG


def with_foreign_bits(data: bytes, block: exif.Block) -> bytes:
    """The same TIFF, its strips or tiles followed by other bits as `jpeg.with_foreign_bits` does it."""
    offsets, counts = next((pair for pair in _PLACES if pair[0] in block.entries), _PLACES[0])
    places = zip(block.numbers(offsets), block.numbers(counts), strict=True)
    parts = [data[int(at) : int(at) + int(count)] for at, count in places]
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


def missing_of_fax(image: Image.Image, block: exif.Block) -> str | None:
    """What is missing of the picture of a fax: the end of a sentence that begins with "its data", or None."""
    compression = _FAX.get(block.number(_COMPRESSION, 1))
    is_free = compression == "group3" and block.number(_T4_OPTIONS, 0) & 1  # To choose which rows refer to others.
    if compression is None or is_free or image.mode != "1" or _PLACES[0][0] not in block.entries:
        return None
    rows = min(block.number(_ROWS_PER_STRIP, image.height), image.height)
    tags = {_PHOTOMETRIC: 0, _ROWS_PER_STRIP: rows, _T4_OPTIONS: block.number(_T4_OPTIONS, 0)}
    # As white as the file has it: what is a run of white in one is one of black in the other.
    shown = image if block.number(_PHOTOMETRIC, 0) == 0 else ImageChops.invert(image)
    out = BytesIO()
    shown.save(out, "TIFF", compression=compression, tiffinfo=tags)
    again = exif.parse(out.getvalue())
    stored = sum(block.numbers(_PLACES[0][1]))
    needed = sum(again.numbers(_PLACES[0][1])) if again else 0
    count = len(block.numbers(_PLACES[0][1]))
    if stored + _SLACK * count >= needed:
        return None
    return f"hold {int(stored):,} of the {int(needed):,} bytes that its rows take"
