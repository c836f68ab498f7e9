"""What an atlas costs: 112 channels of one middle block, together, one by one, and as a loop by hand draws them.

Every case has a process of its own. Seconds of the processor count besides those of the clock, since other work on
the machine does not change them. The same channels are compared, by their activation in float32 in the finished
picture as it is. JSON to standard output.

    python benchmarks/atlas.py                       # all cases, about ten minutes on two idle cores
    python benchmarks/atlas.py --channels 20 --sample 5
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

LAYER, COUNT, SIDE = "block5c", 112, 128


class Case(NamedTuple):
    """How channels are drawn: by hand or as an atlas does, alone or together, in how many steps, how else."""

    by_hand: bool
    alone: bool
    steps: int
    settings: Mapping[str, Any] = {}


CASES = {
    "together": Case(False, False, 128),
    # For the activation rather than for the eye: nothing that makes pictures robust.
    "together, for activation": Case(
        False, False, 128, {"optimizer": "nadam", "learning_rate": 0.05, "transforms": "none"}
    ),
    "one by one": Case(False, True, 128),
    "loop": Case(True, True, 512),  # What Lucid's loop takes where nothing is said.
    "loop, equal steps": Case(True, True, 128),
}


def main() -> None:
    """Run the cases, each in its own process, and compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--channels", type=int, default=COUNT, help="how many are drawn together")
    parser.add_argument("--sample", type=int, default=6, help="how many are drawn one by one, and by the loop")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measured(CASES[options.case], options.channels, options.sample)))
        return
    found = {}
    for case in options.only:
        numbers = ["--channels", str(options.channels), "--sample", str(options.sample)]
        command = [sys.executable, __file__, "--case", case, *numbers]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found[case] = json.loads(done.stdout)
    print(json.dumps({"cases": found, "against together": compared(found)}, indent=1))


def measured(case: Case, count: int, sample: int) -> dict:
    """Draw, and say what it took and how far it got."""
    import numpy as np

    from dreamer.models import registry

    network = registry.load("efficientnet_lite0")
    channels = list(range(count))
    if case.alone:
        channels = [int(place) for place in np.linspace(0, count - 1, sample)]
    draw = by_hand(network, case) if case.by_hand else ours(case)
    start, busy = time.perf_counter(), time.process_time()
    pictures, laps = {}, []
    for channel, picture in draw(channels):
        pictures[channel] = picture
        laps.append((time.perf_counter(), time.process_time()))
    # Of channels one by one, the first compiles as well, and is not counted.
    skipped = int(case.alone)
    since = (start, busy) if not skipped else laps[0]
    seconds, processor = ((laps[-1][index] - since[index]) / (len(channels) - skipped) for index in (0, 1))
    return {
        "channels": len(channels),
        "seconds_per_channel": round(seconds, 3),
        "processor_seconds_per_channel": round(processor, 3),
        "seconds_in_all": round(laps[-1][0] - start, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "activations": {channel: round(score(network, picture, channel), 2) for channel, picture in pictures.items()},
    }


def ours(case: Case):
    """Draws channels as an atlas does: all of them, or one by one."""
    from dreamer.atlases import jobs
    from dreamer.visualizing.plan import VisualizePlan
    from dreamer.visualizing.settings import VisualizeSettings

    settings = VisualizePlan.of(VisualizeSettings(size=SIDE, steps=case.steps, **case.settings)).settings

    def draw(channels):
        groups = [[channel] for channel in channels] if case.alone else [channels]
        for group in groups:
            some = jobs.of_layer([f"{LAYER}:{channel}" for channel in group], settings)
            for batch in jobs.in_turn(some):
                for drawn in batch:
                    yield int(drawn.target.split(":")[1]), drawn.picture / 255

    return draw


def by_hand(network, case: Case):
    """Draws channels with the baseline."""
    from lucid_loop import Loop

    prepared = network.spec.preprocessing
    loop = Loop(network.graph.network, LAYER, prepared.mean, prepared.std, SIDE)
    return lambda channels: ((channel, loop.draw(channel, case.steps)) for channel in channels)


def score(network, picture, channel: int) -> float:
    """The mean activation of a channel in a picture as it is, in float32."""
    import numpy as np

    found = np.asarray(network.forward([LAYER])(np.float32(picture)[None])[LAYER])
    return float(found[..., channel].mean())


def compared(found: dict) -> dict:
    """How many times as long each case takes, and what its activations are of ours, in the median."""
    ours_found = found.get("together")
    if ours_found is None:
        return {}
    return {
        case: {
            name: round(one[name] / ours_found[name], 2)
            for name in ("seconds_per_channel", "processor_seconds_per_channel")
        }
        | {
            "activation": round(
                statistics.median(
                    value / ours_found["activations"][channel]
                    for channel, value in one["activations"].items()
                    if channel in ours_found["activations"]
                ),
                3,
            )
        }
        for case, one in found.items()
        if case != "together"
    }


if __name__ == "__main__":
    main()
