"""What a run over a folder costs, as JSON: photos per minute, peak memory, and whether failures are told exactly.

    python benchmarks/batch.py                 500 small photos, 25 of them broken in ten ways, with 1 and 2 workers
    python benchmarks/batch.py --photos 40     quicker

Photos are cut from samples/, 96 to 160 pixels wide, and dreamt in a few steps, so that what is measured is the run
and not the dream. Quote ratios: the seconds belong to the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import struct
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

EARLY = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        broken = make(photos, options.photos)
        runs = {count: measure(photos, Path(folder) / f"dreams-{count}", count, broken) for count in options.workers}
    print(
        json.dumps(
            {"cores": os.cpu_count(), "photos": options.photos, "broken": len(broken), "workers": runs}, indent=2
        )
    )


def make(root: Path, count: int) -> set[str]:
    """Photos in folders of fifty, every twentieth broken; gives the names of those."""
    from PIL import Image

    samples = [Image.open(path).convert("RGB") for path in sorted((ROOT / "samples").glob("*.[jp][pn]g"))]
    chance = random.Random(7)
    broken = set()
    for number in range(count):
        name = f"{number // 50:02}/{number:04}.{'png' if number % 3 == 0 else 'jpg'}"
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sample = samples[number % len(samples)]
        width, height = chance.randrange(96, 161), chance.randrange(96, 161)
        left, top = chance.randrange(sample.width - width), chance.randrange(sample.height - height)
        sample.crop((left, top, left + width, top + height)).save(path)
        if number % 20 == 13:
            list(WAYS.values())[number // 20 % len(WAYS)](path)
            broken.add(name)
    return broken


def _rewrite(path: Path, change) -> None:
    path.write_bytes(change(path.read_bytes()))


def _replaced_by(path: Path, make_it) -> None:
    path.unlink()
    make_it(path)


def _bomb(path: Path) -> None:
    """A PNG whose header says 60000 x 60000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)))


WAYS = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: _rewrite(path, lambda data: data[: len(data) // 2]),
    "text": lambda path: path.write_text("this is no picture\n"),
    "another kind of file": lambda path: path.write_bytes(b"RIFF\x24\0\0\0WAVEfmt " + bytes(100)),
    "wrong magic": lambda path: _rewrite(path, lambda data: b"\0\0\0\0" + data[4:]),
    "zero bytes": lambda path: _rewrite(path, lambda data: data[:2] + bytes(len(data) - 2)),
    "a directory": lambda path: _replaced_by(path, Path.mkdir),
    "a dangling link": lambda path: _replaced_by(path, lambda it: it.symlink_to("nowhere")),
    "a pipe": lambda path: _replaced_by(path, os.mkfifo),
    "a decompression bomb": _bomb,
}


class Memory(threading.Thread):
    """The resident memory of all workers together, looked at ten times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._over = threading.Event()

    def run(self) -> None:
        import psutil

        while not self._over.wait(0.1):
            total = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total)

    def close(self) -> int:
        self._over.set()
        self.join()
        return self.peak


def measure(photos: Path, dreams: Path, workers: int, broken: set[str]) -> dict:
    from dreamer.batching import running
    from dreamer.batching.folders import folder
    from dreamer.batching.jobs import plan
    from dreamer.batching.records import judge_all
    from dreamer.dreaming.settings import DreamSettings
    from dreamer.workers import pools, resources

    settings = DreamSettings(octaves=2, steps=4)
    inputs, outputs = folder(str(photos)), folder(str(dreams))
    begun, memory = time.monotonic(), Memory()
    memory.start()
    pool = pools.Processes(resources.environments(workers))
    found = plan(inputs, outputs, {"": settings}).candidates
    failed, ends, early = set(), [], 0
    with outputs.hold():
        for one in running.carry_out(judge_all(found, overwrite=False), pool):
            if one.status == "failed":
                failed.add(one.job.source)
            else:
                ends.append(time.monotonic())
                early = memory.peak if len(ends) == EARLY else early
    peak = memory.close()
    pool.close()
    whole = time.monotonic() - begun
    again = time.monotonic()
    skipped = sum(verdict.action == "skip" for verdict in judge_all(found, overwrite=False))
    return {
        "photos_per_minute": round(60 * (len(ends) - 1) / (ends[-1] - ends[0]), 1),
        "seconds_to_the_first": round(ends[0] - begun, 1),
        "seconds": round(whole, 1),
        f"peak_mib_at_photo_{EARLY}": early >> 20,
        "peak_mib": peak >> 20,
        "failures_exact": failed == broken,
        "seconds_to_find_all_done": round(time.monotonic() - again, 2),
        "found_done": skipped,
    }


if __name__ == "__main__":
    main()
