"""What the tests of folders share: photos, a way to look at pictures, and a pool that works in this process."""

from __future__ import annotations

import io
from concurrent.futures import Future

import numpy as np
from PIL import Image

from dreamer.dreaming.settings import DreamSettings
from dreamer.workers.pools import attempt

QUICK = DreamSettings(octaves=1, steps=1, tile=64)
NAMES = ("a/x.jpg", "b/x.jpg", "x.jpg", "x.png")


def encoded(picture, number, suffix):
    """The bytes of a photo, another one for each number."""
    out = io.BytesIO()
    levels = (np.roll(picture, number, axis=0) * 255).round().astype(np.uint8)
    Image.fromarray(levels).save(out, "PNG" if suffix == "png" else "JPEG")
    return out.getvalue()


def pictures(root):
    """The bytes of all files in a folder but for those that are hidden, by name."""
    files = (path for path in root.rglob("*") if path.is_file())
    names = ((path.relative_to(root).as_posix(), path) for path in files)
    return {name: path.read_bytes() for name, path in names if not name.startswith(".dreamer/")}


class Inline:
    """The same jobs without the time that processes take to start."""

    losses = ()
    loss = None

    def capacity(self):
        return 1

    def submit(self, work, job, pause):
        future = Future()
        future.set_result(attempt(work, job, pause))
        return future

    def close(self):
        pass
