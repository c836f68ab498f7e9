"""Dreamer beside what one would use instead, as JSON.

    python benchmarks/peers/run.py --peers-python peers/bin/python
    python benchmarks/peers/run.py --peers-python peers/bin/python --only libraries --runs 3 --output peers.json

README.md beside this file says how to make the other environment; without it only the peers that run
in dreamer's own are measured. Every figure comes from a process of its own, which gives the median of
several repetitions after a warm-up. Each peer runs in turn with ours, and a ratio is that of two
neighbouring processes, ours / peer: below 1, ours is quicker. Quote ratios; the seconds belong to the
machine. `busy_elsewhere` says how many cores others kept busy meanwhile; more than about 0.1 spoils a figure.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
AGREEMENT_SIZE, AGREEMENT = 256, 0.999
TILE = 512
LUCENT_SIZE, LUCENT_SEEN, DREAMLENS_SIZE = 224, 248, 512

WHAT = {
    "ours": "dreamer's compiled gradient of the whole picture at once, in the precision that a dream takes, NumPy in "
    "and out; in bfloat16 not meant to agree with float32 to three digits",
    "ours_float32": "the same in float32, where a dream would take a type of fewer bits",
    "ours_in_tiles": "the same in tiles of 512 pixels side by side, as a dream of more than 512 pixels is computed",
    "keras_tutorial": "the Keras tutorial's way: tf.function and GradientTape over the Keras network, float32",
    "torch": "plain PyTorch, channels first, float32, weights frozen: as most ports are written",
    "torch_channels_last": "plain PyTorch, channels last, float32, weights frozen",
    "torch_bfloat16": "plain PyTorch, channels last, bfloat16 autocast, weights frozen: less precise, and not meant to "
    "agree with float32 to three digits",
    "lucent": f"torch-lucent, render_vis of channel block5c:17 from noise, {LUCENT_SIZE} px, defaults else: Adam, FFT, "
    f"random views of about {LUCENT_SEEN} px. Computes the network to its logits, and gradients of weights",
    "lucent_frozen": "the same with the weights frozen, which its README does not do",
    "dreamlens": f"dreamlens, amplify of a photo at block5c, {DREAMLENS_SIZE} px, defaults else: AdamW, random views, "
    "a second forward pass of the photo. Computes the network to its logits, and gradients of weights",
    "dreamlens_frozen": "the same with the weights frozen, which its README does not do",
    "ours_as_lucent": f"a step of dreamer's dream of channel block5c:17, one octave of {LUCENT_SEEN} px, random shift, "
    "rotation and zoom, default conditioning",
    "ours_as_dreamlens": f"a step of dreamer's dream of block5c, one octave of {DREAMLENS_SIZE} px, random shift, "
    "rotation and zoom, default conditioning",
}
OURS = ("ours_float32", "ours_in_tiles")
OF_KERAS = ("ours", *OURS, "keras_tutorial", "ours_as_lucent", "ours_as_dreamlens")
LIBRARIES = {
    "lucent": ("ours_as_lucent", LUCENT_SIZE, LUCENT_SEEN),
    "lucent_frozen": ("ours_as_lucent", LUCENT_SIZE, LUCENT_SEEN),
    "dreamlens": ("ours_as_dreamlens", DREAMLENS_SIZE, DREAMLENS_SIZE),
    "dreamlens_frozen": ("ours_as_dreamlens", DREAMLENS_SIZE, DREAMLENS_SIZE),
}
PEERS = {
    "inception_v3": (
        "ours_float32",
        "ours_in_tiles",
        "keras_tutorial",
        "torch",
        "torch_channels_last",
        "torch_bfloat16",
    ),
    "efficientnet_lite0": ("ours_float32", "ours_in_tiles", "keras_tutorial", "torch", "torch_channels_last"),
    "libraries": tuple(LIBRARIES),
}
COMPARED = sorted({peer for peers in PEERS.values() for peer in peers})
PACKAGES = ("torch", "torch-lucent", "dreamlens")
MISSING = {"not_installed": "no such peer in the environment of --peers-python; see README.md"}


class FailedError(Exception):
    """A process that measures failed; with its last words."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python", metavar="PATH", help="Python of the environment that has the peers")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="pairs of processes for each ratio")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024], help="sides of the gradients' pictures")
    parser.add_argument("--only", choices=[*SUITES, *COMPARED], help="run one part, or one peer")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to standard output")
    options = parser.parse_args()
    one_peer = options.only if options.only in COMPARED else None
    with_peer = [name for name, peers in PEERS.items() if one_peer in peers]
    suites = [options.only] if options.only in SUITES else with_peer or list(SUITES)
    bench = Bench(options.peers_python, options.runs, options.sizes, one_peer)
    found = {"machine": bench.machine(), "ratios": "ours / peer; below 1, ours is quicker"}
    for name in suites:
        found[name] = SUITES[name](bench)
        if options.output:  # After each part, so that an interruption costs no more than one.
            options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if not options.output:
        print(json.dumps(found, indent=2))


class Bench:
    """How cases are run: in which environment, how often, and side by side."""

    def __init__(self, peers_python: str | None, runs: int, sizes: list[int], one_peer: str | None) -> None:
        self.peers_python, self.runs, self.sizes, self.one_peer = peers_python, runs, sizes, one_peer
        self.peers = self._probe()

    def _probe(self) -> dict:
        if self.peers_python is None:
            return dict.fromkeys(PACKAGES, MISSING)
        found = self.run("probe")
        return {name: found[name] for name in PACKAGES}

    def machine(self) -> dict:
        here = {name: version(name) for name in ("tensorflow", "keras", "numpy")}
        return {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "versions": here,
            "peers": self.peers,
        }

    def wants(self, peer: str) -> bool:
        return self.one_peer in (None, peer)

    def lacks(self, case: str) -> dict | None:
        """Why a case cannot be run, if it cannot."""
        package = {"lucent": "torch-lucent", "dreamlens": "dreamlens"}.get(case.split("_")[0], "torch")
        return None if case in OF_KERAS or "version" in self.peers[package] else self.peers[package]

    def run(self, case: str, *arguments: object) -> dict:
        """Run a case in a process of its own, and give what it answers."""
        print(" ".join(map(str, (case, *arguments))), file=sys.stderr)
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        if case in OF_KERAS or case == "export":
            python, script = sys.executable, "keras_cases.py"
            environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
        else:
            python, script = str(self.peers_python), "torch_cases.py"
        command = [python, str(HERE / script), case, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, env=environment, text=True)
        if done.returncode:
            raise FailedError((done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1])
        lines = done.stdout.strip().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def beside(self, ours: tuple, peer: tuple) -> dict:
        """Ours and a peer in turn, each given as the arguments of :meth:`run`."""
        try:
            pairs = [(self.run(*ours), self.run(*peer)) for _ in range(self.runs)]
        except FailedError as error:
            return {"failed": str(error)}
        ratios = [round(a["seconds"] / b["seconds"], 3) for a, b in pairs]
        print(f"{peer[0]}: {ratios}", file=sys.stderr)
        return {
            "ratio": {"median": round(statistics.median(ratios), 3), "all": ratios},
            "ours": summary(a for a, _ in pairs),
            "peer": summary(b for _, b in pairs),
        }


def summary(found: Iterable[dict]) -> dict:
    found = list(found)
    seconds = [round(one["seconds"], 4) for one in found]
    return {
        "seconds": {"median": round(statistics.median(seconds), 4), "all": seconds},
        "peak_mib": statistics.median_low(one["peak_mib"] for one in found),
        "busy_elsewhere": [one["busy_elsewhere"] for one in found],
    }


def inception_v3(bench: Bench) -> dict:
    """The gradient of mixed3 and mixed5, mean squares added, with respect to a picture."""
    sys.path.insert(0, str(ROOT))
    from dreamer.models import fetching, registry

    if not fetching.is_installed(registry.spec("inception_v3")):
        return {"not_installed": "its weights; get them with: dreamer models fetch inception_v3"}
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "inception_v3.npz"
        bench.run("export", "inception_v3", 0, "--gradient", weights)
        return gradients(bench, "inception_v3", ("--weights", weights))


def efficientnet_lite0(bench: Bench) -> dict:
    """The gradient of block5c, mean square, with respect to a picture."""
    return gradients(bench, "efficientnet_lite0", ())


def gradients(bench: Bench, network: str, for_torch: tuple) -> dict:
    def case(name: str, size: int) -> tuple:
        return name, network, size, *(() if name in OF_KERAS else for_torch)

    peers = [peer for peer in PEERS[network] if bench.wants(peer)]
    found: dict = {"what": SUITES[network].__doc__, "ours_is": WHAT["ours"], "agreement": agreement(bench, peers, case)}
    for size in bench.sizes if peers else ():
        found[f"{size}x{size}"] = {
            peer: {"what": WHAT[peer]} | (bench.lacks(peer) or bench.beside(case("ours", size), case(peer, size)))
            for peer in peers
            if peer != "ours_in_tiles" or (size > TILE and size % TILE == 0)
        }
    return found


def agreement(bench: Bench, peers: list[str], case: Callable[[str, int], tuple]) -> dict:
    """How alike the gradients are to the Keras network's: all compute the same thing, or the times mean nothing."""
    what = f"cosine with keras_tutorial's gradient, {AGREEMENT_SIZE} px; above {AGREEMENT} agrees"
    found: dict = {"what": what}
    reference = None
    with tempfile.TemporaryDirectory() as folder:
        for name in ("keras_tutorial", "ours", *peers):
            if name in found or name == "ours_in_tiles" or bench.lacks(name):
                continue
            path = Path(folder) / f"{name}.npy"
            try:
                bench.run(*case(name, AGREEMENT_SIZE), "--gradient", path)
            except FailedError as error:
                found[name] = {"failed": str(error)}
                continue
            gradient = np.load(path).astype(np.float64).ravel()
            reference = gradient if reference is None else reference
            cosine = gradient @ reference / np.sqrt((gradient @ gradient) * (reference @ reference))
            found[name] = {"cosine": round(float(cosine), 7), "agrees": bool(cosine > AGREEMENT)}
    return found


def whole(bench: Bench) -> dict:
    """The 512-pixel dream of 5 octaves x 20 steps from the start of the process; the peer is benchmarks/tutorial.py."""
    sys.path.insert(0, str(HERE.parent))
    import dream

    dream.RUNS = bench.runs
    return {"what": whole.__doc__, "peer": "the Keras tutorial's script"} | dream.whole()


def libraries(bench: Bench) -> dict:
    """Seconds per step of libraries on EfficientNet-Lite0, each against a step of dreamer on as large a picture."""
    found: dict = {"what": libraries.__doc__}
    for peer, (ours, size, our_size) in LIBRARIES.items():
        if bench.wants(peer):
            lacks = bench.lacks(peer)
            found[peer] = {"what": WHAT[peer], "ours_is": WHAT[ours]} | (
                lacks or bench.beside((ours, "efficientnet_lite0", our_size), (peer, "efficientnet_lite0", size))
            )
    return found


SUITES = {
    "inception_v3": inception_v3,
    "efficientnet_lite0": efficientnet_lite0,
    "whole": whole,
    "libraries": libraries,
}

if __name__ == "__main__":
    main()
