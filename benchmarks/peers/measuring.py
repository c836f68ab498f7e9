"""What either environment measures with: the same picture, the same clock. Needs NumPy and Pillow only."""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

COFFEE = Path(__file__).resolve().parents[2] / "samples" / "coffee.png"
WARM_UP, REPETITIONS = 2, 7


def picture(size: int) -> np.ndarray:
    """The sample of a cup of coffee, cut square and enlarged: float32 ``(size, size, 3)`` in [0, 1]."""
    with Image.open(COFFEE) as opened:
        cut = opened.convert("RGB").crop((100, 0, 500, 400)).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(cut, np.float32) / np.float32(255)


def measure(call: Callable[[], object]) -> dict:
    """The median of several calls, after others that are not counted."""

    def run(steps: int, tick: Callable[[], None]) -> None:
        tick()
        for _ in range(steps):
            call()
            tick()

    return measure_steps(run, WARM_UP + REPETITIONS)


def measure_steps(run: Callable[[int, Callable[[], None]], object], steps: int = 1 + WARM_UP + REPETITIONS) -> dict:
    """The median of a run's steps: ``run(steps, tick)`` calls ``tick`` at the same place in each step.

    What a run does once, before its steps and after them, is not counted.
    """
    times: list[float] = []
    found: dict = {}
    with watching(found):
        run(steps, lambda: times.append(time.perf_counter()))
    seconds = [after - before for before, after in pairwise(times)]
    return found | {"seconds": statistics.median(seconds[-REPETITIONS:])}


@contextmanager
def watching(found: dict) -> Iterator[None]:
    """Note how many cores others kept busy meanwhile; on Linux, None elsewhere."""
    start, before = time.perf_counter(), others()
    yield
    after = others()
    known = before is not None and after is not None
    found["busy_elsewhere"] = round((after - before) / (time.perf_counter() - start), 2) if known else None


def others() -> float | None:
    """Processor time that others have used since the machine started, in seconds."""
    try:
        # User, nice, system, idle, waiting, interrupts, soft interrupts, stolen by the host.
        ticks = list(map(int, Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)[1:9]))
    except OSError:
        return None
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:2])


def answer(found: dict) -> None:
    """Print what a process found, with its peak of memory, as the last line of its output."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.flush()
    print("\n" + json.dumps(found | {"peak_mib": peak}))
