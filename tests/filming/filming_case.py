"""What the tests of dreamt videos share: clips made in the test, and videos that are only in memory."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer import videos
from dreamer.arrays import fitted, resize_stored
from dreamer.filming.scanning import Shot
from dreamer.videos import Frame

SMALL = {"octaves": 2, "steps": 4, "objective": "block3b"}
"""A dream of the bundled network that takes some hundredths of a second."""

TINY = {"octaves": 1, "steps": 4, "objective": "first"}
"""A dream of the tiny network."""


def levels(picture):
    """A picture as it is stored in 8 bits."""
    return np.rint(np.asarray(picture) * 255).astype(np.uint8)


def structured(number, height=45, width=64):
    """A picture that has nothing in common with that of another number: (45, 64, 3) uint8."""
    random = np.random.default_rng(number)
    coarse = random.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def panned(photo, count, step, size, top=60, left=20):
    """Frames of a camera that moves to the right over a photo, by a whole or broken number of pixels a frame."""
    height, width = size
    image = Image.fromarray(photo)
    boxes = ((left + step * number, top, left + step * number + width, top + height) for number in range(count))
    return [np.asarray(image.resize((width, height), Image.Resampling.BICUBIC, box=box)) for box in boxes]


def numbered(folder, frames):
    """Frames as numbered pictures; what names all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number:04d}.png", compress_level=1)
    return folder / "%04d.png"


def clip(path, frames, *, rate=25, sound=None):
    """A clip that loses nothing, written by PyAV, perhaps with mono sound in [-1, 1] at 22050 samples a second."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=rate, options={"level": "3"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "bgr0"
        heard = out.add_stream("pcm_s16le", rate=22050, layout="mono") if sound is not None else None
        for frame in frames:
            out.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24").reformat(format="bgr0", threads=1)
                )
            )
        out.mux(stream.encode())
        if heard is not None:
            samples = av.AudioFrame.from_ndarray((sound * 32000).astype(np.int16)[None], "s16", "mono")
            samples.sample_rate, samples.pts, samples.time_base = 22050, 0, Fraction(1, 22050)
            out.mux(heard.encode(samples))
            out.mux(heard.encode())
    return path


def frames_of(path):
    """The pixels of a video's frames."""
    with videos.open_video(Path(path)) as video:
        return [frame.pixels for frame in video.frames()]


class InMemory:
    """A video of given frames, 25 a second."""

    path = Path("memory.mkv")
    time_base = Fraction(1, 25)
    rate = Fraction(25)
    bits = 8
    has_sound = False
    notes = ()

    def __init__(self, frames):
        self._frames = frames
        self.size = frames[0].shape[:2]
        self.duration = len(frames) / 25

    def frames(self, start=None, *, max_side=None):
        for number in range(start or 0, len(self._frames)):
            pixels = self._frames[number]
            yield Frame(number, 1, pixels if max_side is None else resize_stored(pixels, fitted(self.size, max_side)))

    def sound(self, rate=22050):
        return None

    def close(self):
        pass

    @property
    def shot(self):
        """All of it as one shot."""
        count = len(self._frames)
        return Shot(0, tuple(range(count)), (1,) * count, tuple(number / 25 for number in range(count)))
