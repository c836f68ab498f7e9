"""Files <-> arrays: what a photo holds, and everything that must travel along with it.

The one idea: a `Photo` is upright sRGB pixels plus the luggage (alpha, bit depth, metadata) that a dream must
not lose. Reading strips what becomes untrue (orientation, thumbnail, an older recipe, a foreign colour profile);
writing puts the rest back, as far as the format can hold it, and says in notes what it could not.

    photo.py      Photo, Metadata, resized
    opening.py    Pillow on a leash: its warnings, its pixel limit, its many exceptions
    exif.py       EXIF blocks and TIFF directories, entry by entry, without reinterpreting a byte
    profiles.py   colour profiles: anything -> sRGB
    sixteen.py    16-bit pixels, which Pillow would truncate to 8
    decoding.py   read, decode, from_pil
    ahead.py      read_ahead
    encoding.py   encode
    writers.py    one function per format
    files.py      write, check_target
    animation.py  write_animation, check_animation_target
    sheets.py     sheet, sheet_size, LabelledPicture: a contact sheet
    recipes.py    read_recipe, and where each format keeps it

Must not import Keras, TensorFlow or any other part of the package but `errors` and `arrays`.
"""

from __future__ import annotations

from dreamer.images.ahead import read_ahead
from dreamer.images.animation import ANIMATION_SUFFIXES, check_animation_target, write_animation
from dreamer.images.decoding import decode, from_pil, read
from dreamer.images.encoding import SUFFIXES, encode
from dreamer.images.files import check_place, check_target, write
from dreamer.images.photo import Metadata, Photo, resized
from dreamer.images.recipes import read_recipe
from dreamer.images.sheets import LabelledPicture, sheet, sheet_size

__all__ = [
    "ANIMATION_SUFFIXES",
    "SUFFIXES",
    "LabelledPicture",
    "Metadata",
    "Photo",
    "check_animation_target",
    "check_place",
    "check_target",
    "decode",
    "encode",
    "from_pil",
    "read",
    "read_ahead",
    "read_recipe",
    "resized",
    "sheet",
    "sheet_size",
    "write",
    "write_animation",
]
