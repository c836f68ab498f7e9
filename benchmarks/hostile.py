"""What hostile and huge files cost, as JSON: seconds and memory of what is bounded.

    python benchmarks/hostile.py               all of it, some two minutes
    python benchmarks/hostile.py --quick       without the picture of 484 megapixels

Times are medians of five, in this process; memory is the peak of a process of its own. "photo" is a whole run of the
command on a small photo with the same settings, against which the huge one is to be read.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "hostile")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDE = 22_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    found = {"exif_seconds": exif(), "refusal_seconds": refusals(), "objective_seconds": objectives()}
    if not options.quick:
        found["max_size_64"] = huge()
    print(json.dumps(found, indent=2))


def exif() -> dict[str, float]:
    """Reading a small JPEG with each hostile block of EXIF."""
    import hostile_pictures

    from dreamer import images

    blocks = {name: hostile_pictures.exif_jpeg(block) for name, block in hostile_pictures.blocks().items()}
    return {name: timed(lambda data=data: images.decode(data, "x.jpg")) for name, data in blocks.items()}


def refusals() -> dict[str, float]:
    """Refusing a picture that claims hundreds of megapixels."""
    import hostile_pictures

    from dreamer import images
    from dreamer.errors import ImageReadError

    def refuse(data: bytes) -> None:
        try:
            images.decode(data, "x")
        except ImageReadError:
            return
        raise AssertionError("it was read")

    claims = [case for case in hostile_pictures.cases() if case.name.startswith("claims-")]
    return {case.name: timed(lambda case=case: refuse(case.data)) for case in claims}


def objectives() -> dict[str, float]:
    """Reading or refusing hostile objectives."""
    import hostile_words

    from dreamer.errors import SettingsError
    from dreamer.objectives import Objective

    def read(text: str) -> None:
        try:
            Objective.parse(text)
        except SettingsError:
            return

    return {case.name: timed(lambda case=case: read(case.text)) for case in hostile_words.objectives()}


def huge() -> dict[str, dict[str, float]]:
    """A PNG of 484 megapixels, black and white, made 64 pixels small, beside a small photo."""
    import hostile_pictures

    rows = (b"\0" + bytes([0b10101010]) * (SIDE // 8)) * SIDE
    data = hostile_pictures.png(
        hostile_pictures.chunk(b"IDAT", zlib.compress(rows)), size=(SIDE, SIDE), depth=1, kind=0
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "huge.png")
        path.write_bytes(data)
        return {"photo": command(ROOT / "samples" / "cat.png", folder), "huge": command(path, folder)}


def command(photo: Path, folder: str) -> dict[str, float]:
    """Seconds and megabytes of ``dreamer dream PHOTO --max-size 64``."""
    words = [sys.executable, "-m", "dreamer", "dream", str(photo), "--max-size", "64", "--steps", "2", "-q"]
    begun = time.perf_counter()
    measured = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", measured, *words, "-o", str(Path(folder, f"{photo.stem}-dream.png"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    kilobytes = int(done.stdout.split()[-1])
    return {"seconds": round(time.perf_counter() - begun, 1), "megabytes": round(kilobytes / 1024)}


def timed(act: Callable[[], object]) -> float:
    """The median of five runs, in seconds."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return round(statistics.median(times), 4)


if __name__ == "__main__":
    main()
