"""Files <-> arrays: what a photo holds, and everything that must travel along with it.

The one idea: a `Photo` is upright sRGB pixels plus the luggage (alpha, bit depth, metadata) that a dream must
not lose. Reading strips what becomes untrue (orientation, thumbnail, an older recipe, foreign colours and what was said
of them); writing puts the rest back, as far as the format can hold it, and says in notes what it could not.

    photo.py      Photo, Metadata, resized
    cropping.py   a part of a photo
    formats.py    which formats there are, their suffixes, what bounds them: a table
    reading.py    read, decode, from_pil
    opening.py    Pillow on a leash: its warnings, its pixel limit, its many exceptions
    admitting.py  whether a picture is read at all
    limits.py     pixels that bytes can fill, memory that the machine has
    whole.py, jpeg.py, tiff.py    whether a picture is whole
    reducing.py   pictures made smaller while they are read
    isobmff.py, heif.py    the boxes of AVIF, HEIC and JPEG 2000; HEIC
    chatter.py    what libtiff says, kept from the terminal
    exif.py       EXIF blocks and TIFF directories, entry by entry, without reinterpreting a byte
    xmp.py        XMP packets, edited without touching a byte of what stays
    colours.py    what a file says of its colours, and who is believed
    coding.py     colours told in numbers: chromaticities and a curve; the code points of H.273
    icc.py        such numbers -> an ICC profile
    hdr.py        PQ and HLG -> SDR
    profiles.py   profiles and numbers: anything -> sRGB
    unbounded.py  floating-point and 32-bit pixels, told by their name
    sixteen.py    16-bit pixels, which Pillow would truncate to 8
    decoding.py   what a decoded file becomes
    luggage.py    what it says beside its pixels, as far as it stays true
    ahead.py      read_ahead
    encoding.py   encode
    writers.py    one function per format
    files.py      write, check_target
    frames.py     frame_writer: moving pictures, a frame at a time
    animation.py  Animation: files that play them; gif.py and apng.py encode, spool.py keeps frames on the disk
    spooled.py    Spooled: frames kept there until their file is whole; films share it
    numbered.py   NumberedFiles: a folder of frames
    sheets.py     sheet, sheet_size, LabelledPicture: a contact sheet
    recipes.py    read_recipe, and where each format keeps it

Must not import Keras, TensorFlow or any other part of the package but what lies below it: `errors`, `arrays`, `memory`,
`regular`.
"""

from __future__ import annotations

from dreamer.images.ahead import read_ahead
from dreamer.images.animation import Animation, Timing, check_animation_target
from dreamer.images.cropping import cropped
from dreamer.images.encoding import encode
from dreamer.images.files import check_place, check_target, write
from dreamer.images.formats import READ_SUFFIXES, SUFFIXES, dream_suffix, is_read
from dreamer.images.frames import FrameWriter, frame_writer
from dreamer.images.numbered import NumberedFiles, check_picture_folder
from dreamer.images.photo import Metadata, Photo, resized
from dreamer.images.reading import decode, from_pil, read
from dreamer.images.recipes import read_recipe
from dreamer.images.sheets import LabelledPicture, sheet, sheet_size
from dreamer.images.spool import Spool
from dreamer.images.spooled import Spooled

__all__ = [
    "READ_SUFFIXES",
    "SUFFIXES",
    "Animation",
    "FrameWriter",
    "LabelledPicture",
    "Metadata",
    "NumberedFiles",
    "Photo",
    "Spool",
    "Spooled",
    "Timing",
    "check_animation_target",
    "check_picture_folder",
    "check_place",
    "check_target",
    "cropped",
    "decode",
    "dream_suffix",
    "encode",
    "frame_writer",
    "from_pil",
    "is_read",
    "read",
    "read_ahead",
    "read_recipe",
    "resized",
    "sheet",
    "sheet_size",
    "write",
]
