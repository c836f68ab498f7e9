"""Video files <-> frames, and everything beside the pictures that must travel along.

The one idea: a video is frames with exact times. Reading turns each upright, into the colours of a screen, and drops it
before the next; writing puts every frame at its time again and copies the rest (sound, subtitles, chapters, what the
file says of itself) from the source, as far as the container can hold it, and says in notes what it could not.

    formats.py     which containers and codecs there are: tables
    pyav.py        the one door to PyAV, which the extra ``video`` installs, and the leash it is on
    frame.py       Frame, Video
    opening.py     open_video
    file.py        VideoFile: a file that PyAV reads
    clock.py       frames in order, each with its time and how long it is shown
    colours.py     the colours of a video -> those of a screen, and back
    sound.py       the sound as one row of samples
    animated.py    AnimatedPicture: GIF, WebP and APNG, through Pillow
    sequence.py    PictureSequence: numbered pictures
    writing.py     check_video_target, write_video
    encoding.py    frames -> packets
    luggage.py     what is copied from the source
    subtitles.py   text subtitles of another kind
    film.py        Film: frames of a constant rate; it registers with `images.frames`
    recipes.py     read_recipe

Must not import PyAV before a video is opened or written, nor anything of the package but what lies below it: `images`,
`arrays`, `files`, `errors`, `memory`, `wording`.
"""

from __future__ import annotations

from dreamer.videos.film import Film
from dreamer.videos.formats import CODECS, SUFFIXES, is_video, is_written, video_suffix
from dreamer.videos.frame import Frame, Video
from dreamer.videos.opening import open_video
from dreamer.videos.recipes import read_recipe
from dreamer.videos.writing import check_video_target, write_video

__all__ = [
    "CODECS",
    "SUFFIXES",
    "Film",
    "Frame",
    "Video",
    "check_video_target",
    "is_video",
    "is_written",
    "open_video",
    "read_recipe",
    "video_suffix",
    "write_video",
]
