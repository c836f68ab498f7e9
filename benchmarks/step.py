"""One gradient against what the machine can do, as JSON.

    python benchmarks/step.py                                       both networks, 512 and 1024 px, each precision
    python benchmarks/step.py --networks inception_v3 --sizes 512
    python benchmarks/step.py --backends tensorflow jax torch       those that are installed
    python benchmarks/step.py --steps                               whole steps of a dream, conditioning included

Each case runs in a process of its own and measures, in that process and in turn with the gradient, a
large matrix product in the same type and a pass over memory. `share_of_peak` is the gradient's rate
over the matrix product's; `bound_seconds` is the larger of operations / peak and bytes / bandwidth,
which no program goes below, and `share_of_bound` how near this one comes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYERS = {"inception_v3": ("mixed3", "mixed5"), "efficientnet_lite0": ("block5c",)}
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(LAYERS), choices=list(LAYERS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[512, 1024])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--backends", nargs="+", default=["tensorflow"])
    parser.add_argument("--steps", action="store_true", help="measure steps of a dream instead of gradients")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        network, size, precision = options.case
        print(json.dumps((step if options.steps else gradient)(network, int(size), precision)))
        return
    found = [
        {"network": network, "size": size, "precision": precision, "backend": backend}
        | run(backend, network, size, precision, steps=options.steps)
        for network in options.networks
        for size in options.sizes
        for precision in options.precisions
        for backend in options.backends
    ]
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    print(json.dumps({"machine": machine, "cases": found}, indent=2))


def run(backend: str, network: str, size: int, precision: str, *, steps: bool) -> dict:
    """Run a case in a process of its own."""
    command = [sys.executable, __file__, "--case", network, str(size), precision, *(["--steps"] if steps else [])]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend}
    done = subprocess.run(command, capture_output=True, env=environment, text=True)
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def gradient(name: str, size: int, precision: str) -> dict:
    import numpy as np

    from dreamer.ascent import tile_view
    from dreamer.backends import measuring
    from dreamer.dreaming.ascent import programs
    from dreamer.models import registry
    from dreamer.objectives import Objective
    from dreamer.targets import resolve

    network = registry.load(name)
    goal = resolve(Objective.parse(" + ".join(LAYERS[name])), network)
    program = programs(network, goal, warps=False, precision=precision).tiles
    picture = np.random.default_rng(0).random((1, size, size, 3), np.float32)
    start = time.perf_counter()
    program(picture, tile_view.IDENTITY)
    first = time.perf_counter() - start
    seconds, peaks = [], []
    for _ in range(ROUNDS):
        # A few of each in turn: the machine drifts, and the first after another starts with cold caches.
        seconds.append(measuring.seconds(lambda: program(picture, tile_view.IDENTITY), repeats=3))
        peaks.append(measuring.matrix_product_rate(precision, repeats=3))
    cost = network.cost(LAYERS[name], (size, size))
    median, peak, bandwidth = statistics.median(seconds), statistics.median(peaks), measuring.bandwidth()
    by_operations = cost.operations / peak
    by_memory = cost.numbers_moved * (4 if precision == "float32" else 2) / bandwidth
    return {
        "first_call_seconds": round(first, 2),
        "seconds": round(median, 4),
        "all": [round(one, 4) for one in seconds],
        "gflops": round(cost.operations / median / 1e9, 1),
        "peak_gflops": round(peak / 1e9, 1),
        "share_of_peak": round(cost.operations / median / peak, 3),
        "operations_g": round(cost.operations / 1e9, 2),
        "gigabytes_moved": round(cost.numbers_moved * (4 if precision == "float32" else 2) / 1e9, 3),
        "bandwidth_gb": round(bandwidth / 1e9, 1),
        "operations_seconds": round(by_operations, 4),
        "memory_seconds": round(by_memory, 4),
        "share_of_bound": round(max(by_operations, by_memory) / median, 3),
    }


def step(name: str, size: int, precision: str) -> dict:
    from itertools import pairwise

    import numpy as np

    from dreamer import dream

    def steps(side: int, count: int) -> list[float]:
        picture = np.random.default_rng(0).random((side, side, 3), np.float32)
        times = [time.perf_counter()]
        settings = {"model": name, "objective": " + ".join(LAYERS[name]), "octaves": 1, "precision": precision}
        dream(picture, steps=count, on_step=lambda _: times.append(time.perf_counter()), **settings)
        return [after - before for before, after in pairwise(times)]

    first = steps(size, 1)[0]
    spent = steps(size, 40 if size < 1024 else 12)
    # Steps of a chunk arrive together, so their mean counts.
    return {"first_step_seconds": round(first, 2), "seconds": round(statistics.mean(spent[4:]), 4)}


if __name__ == "__main__":
    main()
