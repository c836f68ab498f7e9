"""What a dream costs, as JSON: start-up, seconds per step by size, peak memory, and the tutorial's time.

    python benchmarks/dream.py            everything, about twenty minutes on 2 cores
    python benchmarks/dream.py --only whole

Every case runs in a process of its own, so that start-up is paid and memory is counted honestly;
ours and the tutorial's alternate, and the ratio is that of neighbouring runs. Quote ratios and
medians: the seconds belong to the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYERS = {"efficientnet_lite0": ["block5c"], "inception_v3": ["mixed3", "mixed5"]}
OCTAVES, STEPS, SIDE = 5, 20, 512
RUNS = 5
FLAT_SIDES = {1: 1000, 4: 2000, 12: 3464, 24: 4899}  # by megapixels, all in tiles of almost 500 pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(SUITES), help="run one part")
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    parser.add_argument("--argument", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(CASES[options.case](options.argument)))
        return
    suites = [options.only] if options.only else list(SUITES)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    print(json.dumps({"machine": machine} | {name: SUITES[name]() for name in suites}, indent=2))


def run(case: str, argument: str = "") -> dict:
    """Run a case in a process of its own."""
    command = [sys.executable, __file__, "--case", case, "--argument", argument]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment, text=True)
    return json.loads(done.stdout) | {"process_seconds": round(time.perf_counter() - start, 2)}


def startup() -> dict:
    runs = [run("first_step") for _ in range(RUNS)]
    return {key: statistics.median(one[key] for one in runs) for key in runs[0]}


def steps() -> dict:
    return {f"{side}x{side}": run("step", str(side)) for side in (256, 512, 1024, 2048)}


def whole(network: str = "efficientnet_lite0") -> dict:
    """The 512-pixel dream of 5 octaves x 20 steps, ours and the tutorial's, in turn."""
    pairs = [(run("ours", network), run("tutorial", network)) for _ in range(RUNS)]
    ratios = {
        key: [round(ours[key] / theirs[key], 3) for ours, theirs in pairs]
        for key in ("dream_seconds", "process_seconds")
    }
    return {
        "ours": [ours for ours, _ in pairs],
        "tutorial": [theirs for _, theirs in pairs],
        "ratio_of_the_dream": {"median": statistics.median(ratios["dream_seconds"]), "all": ratios["dream_seconds"]},
        "ratio_of_the_process": {
            "median": statistics.median(ratios["process_seconds"]),
            "all": ratios["process_seconds"],
        },
    }


def whole_inception_v3() -> dict:
    """The same with the tutorial's own network and layers; its weights must be there."""
    return whole("inception_v3")


def large() -> dict:
    """JPEGs of 24 and 96 megapixels through the command line; few steps, since memory does not depend on them."""
    return {f"{width}x{height}": command(height, width) for height, width in ((4000, 6000), (8000, 12000))}


def command(height: int, width: int) -> dict:
    import numpy as np
    from PIL import Image

    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    waves = [(127 + 100 * np.sin(x / 90 + k) * np.cos(y / 70 - k)).astype(np.uint8) for k in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "large.jpg"
        Image.fromarray(np.stack(waves, axis=-1)).save(photo, quality=90)
        return run("command", str(photo))


def flat() -> dict:
    """Seconds per megapixel and step from 1 to 24 megapixels: the best of runs in turn, since others only add to it."""
    runs = {megapixels: [] for megapixels in FLAT_SIDES}
    for _ in range(3):
        for megapixels, side in FLAT_SIDES.items():
            runs[megapixels].append(run("flat", str(side))["seconds_per_megapixel"])
    best = {megapixels: min(seconds) for megapixels, seconds in runs.items()}
    return {
        "seconds_per_megapixel": best,
        "all": runs,
        "largest_by_smallest": round(max(best.values()) / min(best.values()), 3),
    }


def timed_import() -> tuple[float, object]:
    start = time.perf_counter()
    import dreamer.dreaming.calls as dreaming

    return time.perf_counter() - start, dreaming


def picture(side: int):
    """The sample of a cup of coffee, cut square and enlarged."""
    import cv2
    import numpy as np

    pixels = cv2.imread(str(ROOT / "samples" / "coffee.png"))[:, 100:500, ::-1]
    return np.ascontiguousarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC))


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def case_first_step(_argument: str) -> dict:
    import_seconds, dreaming = timed_import()
    from dreamer.models import registry

    start = time.perf_counter()
    registry.load("efficientnet_lite0")
    model_seconds = time.perf_counter() - start
    start = time.perf_counter()
    dreaming.dream(picture(SIDE), octaves=1, steps=1)
    return {
        "import_seconds": round(import_seconds, 2),
        "model_seconds": round(model_seconds, 2),
        "first_step_seconds": round(time.perf_counter() - start, 2),
        "peak_mib": peak_mib(),
    }


def case_step(argument: str, *, count: int = 8) -> dict:
    _, dreaming = timed_import()
    dreaming.dream(picture(64), octaves=1, steps=1)  # Loads the network and traces.
    times = [time.perf_counter()]
    dreaming.dream(picture(int(argument)), octaves=1, steps=count, on_step=lambda _: times.append(time.perf_counter()))
    seconds = statistics.median(after - before for before, after in pairwise(times[1:]))
    megapixels = int(argument) ** 2 / 1e6
    return {
        "seconds_per_step": round(seconds, 4),
        "seconds_per_megapixel": round(seconds / megapixels, 3),
        "peak_mib": peak_mib(),
    }


def case_flat(argument: str) -> dict:
    return case_step(argument, count=4 + 8_000_000 // int(argument) ** 2)


def case_ours(argument: str) -> dict:
    _, dreaming = timed_import()
    from dreamer.models import registry

    registry.load(argument)
    start = time.perf_counter()
    dreaming.dream(picture(SIDE), model=argument, objective=" + ".join(LAYERS[argument]), octaves=OCTAVES, steps=STEPS)
    return {"dream_seconds": round(time.perf_counter() - start, 2), "peak_mib": peak_mib()}


def case_tutorial(argument: str) -> dict:
    import tutorial

    from dreamer.models import registry

    network = registry.load(argument).graph.network
    start = time.perf_counter()
    tutorial.dream(network, LAYERS[argument], picture(SIDE), octaves=OCTAVES, steps=STEPS)
    return {"dream_seconds": round(time.perf_counter() - start, 2), "peak_mib": peak_mib()}


def case_command(argument: str) -> dict:
    from dreamer.cli import run as run_command

    status = run_command(["dream", argument, "--steps", "1", "--quiet"])
    if status != 0:
        sys.exit(f"the command failed with status {status}")
    return {"peak_mib": peak_mib()}


CASES = {
    "first_step": case_first_step,
    "step": case_step,
    "flat": case_flat,
    "ours": case_ours,
    "tutorial": case_tutorial,
    "command": case_command,
}
SUITES = {
    "startup": startup,
    "steps": steps,
    "whole": whole,
    "whole_inception_v3": whole_inception_v3,
    "large": large,
    "flat": flat,
}

if __name__ == "__main__":
    main()
