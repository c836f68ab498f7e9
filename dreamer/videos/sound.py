"""The sound of a video as one row of samples, at their places on the video's clock."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.videos.pyav import pyav

_GAP = 0.05  # Seconds that sound may be missing before silence is put in its place.


def listened(container: Any, rate: int, zero: Fraction) -> NDArray[np.float32]:
    """Decode the first sound of a file.

    Args:
        container: The file, open.
        rate: Samples in a second.
        zero: Seconds on the file's clock that count as 0.

    Returns:
        ``(samples,)`` in one channel, from 0 on; silence where there is none.
    """
    stream = container.streams.audio[0]
    resampler = pyav().AudioResampler(format="flt", layout="mono", rate=rate)
    pieces: list[NDArray[np.float32]] = []
    length = skipped = 0
    for frame in decoded(container, stream):
        if frame.pts is not None:
            begins = round((frame.pts * Fraction(frame.time_base) - zero) * rate)
            if not pieces and begins < 0:
                skipped = -begins
            if begins - length > _GAP * rate or (not pieces and begins > 0):
                pieces.append(np.zeros(begins - length, np.float32))
                length = begins
        for piece in _samples(resampler, frame):
            pieces.append(piece)
            length += len(piece)
    pieces += _samples(resampler, None)
    return np.concatenate(pieces)[skipped:] if pieces else np.zeros(0, np.float32)


def decoded(container: Any, stream: Any) -> Iterator[Any]:
    """What a stream of sound decodes to; packets that are damaged are left out."""
    av = pyav()
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (av.error.FFmpegError, StopIteration):
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            continue
        yield from frames


def _samples(resampler: Any, frame: Any) -> list[NDArray[np.float32]]:
    if frame is not None:
        # Its clock is kept here; the resampler's own would bring what is missing to an end at once.
        frame.pts = None
    return [piece.to_ndarray().reshape(-1).astype(np.float32) for piece in resampler.resample(frame)]
