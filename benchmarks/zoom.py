"""Whether a zoom that loops jumps where it begins again, and what a frame costs.

    python benchmarks/zoom.py PHOTO [--preset eyes ...] [--frames 48] [--zoom 1.07] [--max-size 320] [--steps 8]

Of each preset, and of the default where none is named: how far each frame lies from the one before, moved as the zoom
moves it, in the mean over the picture; that of the join, from the last frame to the first, as a multiple of the median;
and the same without ``loop``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

from dreamer import presets, zoom_steps
from dreamer.arrays import FloatArray
from dreamer.dreaming.moving import magnified
from dreamer.dreaming.paths import Move, moves
from dreamer.dreaming.settings import DreamSettings

WAYS = {
    "middle": {},
    "focus 0.3,0.6": {"focus": (0.3, 0.6)},
    "focus, turn 2": {"focus": (0.3, 0.6), "turn": 2},
    "focus, turn 2, ease": {"focus": (0.3, 0.6), "turn": 2, "ease": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("--preset", nargs="*", default=[""])
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--zoom", type=float, default=1.07)
    parser.add_argument("--max-size", type=int, default=320)
    parser.add_argument("--steps", type=int, default=8)
    given = parser.parse_args()
    told = {"frames": given.frames, "zoom": given.zoom, "max_size": given.max_size, "steps": given.steps}
    print("| preset, way | median | join | of the median | without loop | seconds a frame |")
    print("| --- " * 6 + "|")
    for name in given.preset:
        for way, changes in WAYS.items():
            keywords = told | changes
            settings = presets.find(name).settings(**keywords) if name else DreamSettings(**keywords)
            print(f"| {name or 'default'}, {way} | {_row(given.photo, settings)} |", flush=True)


def _row(photo: str, settings: DreamSettings) -> str:
    way = moves(DreamSettings.merged(settings, {"loop": True}))
    began = time.perf_counter()
    found = _frames(photo, DreamSettings.merged(settings, {"loop": True}))
    seconds = (time.perf_counter() - began) / len(found)
    apart = [_apart(before, after, move, settings) for before, after, move in zip(found, found[1:], way, strict=False)]
    join, median = _apart(found[-1], found[0], way[-1], settings), float(np.median(apart))
    plain = _frames(photo, settings)
    jump = _apart(plain[-1], plain[0], way[-1], settings) / median
    return f"{median:.4f} | {join:.4f} | **{join / median:.2f}** | {jump:.1f} | {seconds:.2f}"


def _frames(photo: str, settings: DreamSettings) -> Sequence[FloatArray]:
    return [step.dream.render() for step in zoom_steps(photo, settings, note=print) if step.dream.is_last]


def _apart(before: FloatArray, after: FloatArray, move: Move, settings: DreamSettings) -> float:
    return float(np.abs(after - magnified(before, move.zoom, move.turn, settings.focus)).mean())


if __name__ == "__main__":
    main()
